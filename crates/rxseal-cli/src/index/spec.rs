//! An index on the command line, in the words of `indexes!`: `patient.last = family(last_name), bits 14, slots us-surnames/1`.

use std::fs;

use rxseal::Error;
use rxseal::index::{Forms, Kind};
use rxseal_search::normal::NormalForm;
use rxseal_search::plan::{OwnTable, Profile, Shape, Values};
use rxseal_search::slots::{US_GIVEN_1, US_SURNAMES_1};

use super::csv::Row;
use super::normal::{NAMES, Parts, Whole, parts, values, whole};
use crate::failure::{Failure, usage};

/// Writes the normal forms of a row.
type Write = Box<dyn Fn(&Row, &mut Forms) -> Result<(), Error>>;

pub struct Spec {
    id: String,
    components: Components,
    columns: Vec<String>,
    bits: Option<u8>,
    slots: Option<String>,
}

enum Components {
    Whole(Vec<Whole>, Values),
    /// Several forms of a text, for an index of this kind.
    Parts(Kind, Parts, Values),
}

impl Spec {
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let bad = |what: &str| Failure::Usage(format!("--index {text:?}: {what}"));
        let (id, rest) = text.split_once('=').ok_or_else(|| bad("write it as ID = family(COLUMN), bits 14"))?;
        let id = id.trim();
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        if !(1..=64).contains(&id.len()) || !id.bytes().all(legal) {
            return Err(bad("the id is 1 to 64 of a-z, 0-9, `.`, `_` and `-`"));
        }
        let (list, options) = split_options(rest.trim()).ok_or_else(|| bad("a parenthesis is missing"))?;
        let (components, columns) = components(list).map_err(|what| bad(&what))?;
        let mut spec = Self { id: id.to_owned(), components, columns, bits: None, slots: None };
        for option in options.split(',').map(str::trim).filter(|option| !option.is_empty()) {
            match option.split_once(char::is_whitespace).map_or((option, ""), |(word, rest)| (word, rest.trim())) {
                ("unique", "") if spec.bits.is_none() => spec.bits = Some(128),
                ("bits", bits) if spec.bits.is_none() => {
                    let bits = bits.parse().ok().filter(|bits| (8..=64).contains(bits));
                    spec.bits = Some(bits.ok_or_else(|| bad("bits are 8 to 64; `unique` has 128"))?);
                }
                ("slots", table) if spec.slots.is_none() && !table.is_empty() => spec.slots = Some(table.to_owned()),
                _ => return Err(bad("behind the columns there may be `bits N` or `unique`, and `slots TABLE`")),
            }
        }
        if spec.slots.is_some() && spec.kind() == Kind::Compound {
            return Err(bad("a compound index has no slots"));
        }
        Ok(spec)
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    /// What the planner takes. The columns are at these positions of a row.
    pub fn shape(self, rows: u32, at: Vec<usize>) -> Result<(Shape, Write), Failure> {
        let kind = self.kind();
        let (count, values) = match &self.components {
            Components::Whole(all, values) => (all.len(), *values),
            Components::Parts(_, _, values) => (1, *values),
        };
        let bits = self.bits.unwrap_or_else(|| {
            if kind == Kind::Compound { Profile::NearlyUnique.bits(rows) } else { Profile::Flat.bits(rows) }
        });
        let Some(shape) = Shape::new(&self.id, kind, count, bits) else {
            return usage(&format!("--index {}: a compound index has 2 to 4 components", self.id));
        };
        let shape = shape.of(values);
        let shape = match self.slots.as_deref() {
            None => shape,
            Some(table) if table == US_SURNAMES_1.id() => shape.with_slots(&US_SURNAMES_1),
            Some(table) if table == US_GIVEN_1.id() => shape.with_slots(&US_GIVEN_1),
            Some(path) => shape.with_own_slots(own_table(path)?),
        };
        let write: Write = match self.components {
            Components::Whole(all, _) => Box::new(move |row, forms| write_whole(&all, &at, row, forms)),
            Components::Parts(_, parts, _) => Box::new(move |row, forms| {
                at.iter().try_for_each(|at| parts(row.text(*at), &mut |form| forms.push(&[form])))
            }),
        };
        Ok((shape, write))
    }

    fn kind(&self) -> Kind {
        match &self.components {
            Components::Parts(kind, ..) => *kind,
            Components::Whole(all, _) if all.len() > 1 => Kind::Compound,
            Components::Whole(..) => Kind::Whole,
        }
    }
}

fn write_whole(all: &[Whole], at: &[usize], row: &Row, forms: &mut Forms) -> Result<(), Error> {
    // Each is written in its place: a move would leave a copy behind.
    let mut written: Vec<_> = all.iter().map(|_| NormalForm::new()).collect();
    for ((write, at), form) in all.iter().zip(at).zip(&mut written) {
        write(row.text(*at), form)?;
    }
    forms.push(&written.iter().map(NormalForm::as_bytes).collect::<Vec<_>>())
}

/// The components, and the options behind them.
fn split_options(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, char) in text.char_indices() {
        match char {
            '(' => depth = depth.saturating_add(1),
            ')' if depth == 1 => return Some((text.get(..=at)?, text.get(at..)?.trim_start_matches(')'))),
            ')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// `family(last_name)`, `family_parts(last_name, former)` or `(family(last_name), date(born))`.
fn components(list: &str) -> Result<(Components, Vec<String>), String> {
    let Some(compound) = list.strip_prefix('(').and_then(|list| list.strip_suffix(')')) else {
        let (name, columns) = call(list)?;
        if let Some(parts) = parts(name) {
            let kind = if name == "sounds" { Kind::Sounds } else { Kind::Parts };
            return Ok((Components::Parts(kind, parts, values(name)), columns));
        }
        return Ok((Components::Whole(vec![whole_of(name, &columns)?], values(name)), columns));
    };
    let (mut all, mut columns) = (Vec::new(), Vec::new());
    for one in compound.trim().split_inclusive(')') {
        let (name, own) = call(one.trim_start_matches([',', ' ']))?;
        all.push(whole_of(name, &own)?);
        columns.extend(own);
    }
    if all.len() < 2 {
        return Err("a compound index has 2 to 4 components".to_owned());
    }
    Ok((Components::Whole(all, Values::Compound), columns))
}

fn call(text: &str) -> Result<(&str, Vec<String>), String> {
    let inside = text.trim().strip_suffix(')').and_then(|text| text.split_once('('));
    let (name, columns) = inside.ok_or("write each component as NORMALISER(COLUMN)")?;
    let columns: Vec<_> = columns.split(',').map(|column| column.trim().to_owned()).collect();
    if columns.iter().any(String::is_empty) {
        return Err(format!("{}() has no column in it", name.trim()));
    }
    Ok((name.trim(), columns))
}

fn whole_of(name: &str, columns: &[String]) -> Result<Whole, String> {
    let write = whole(name).ok_or_else(|| format!("{name:?} is none of {NAMES}"))?;
    if columns.len() == 1 { Ok(write) } else { Err(format!("{name}() takes one column")) }
}

fn own_table(path: &str) -> Result<OwnTable, Failure> {
    const TABLES: &str = "tables of the crate are us-surnames/1 and us-given/1, and `by` is not written here";
    let source =
        fs::read_to_string(path).map_err(|error| Failure::Usage(format!("slots {path}: {error}; {TABLES}")))?;
    let wrong = || Failure::Usage(format!("slots {path}: it is no slot table that `--write-slots` wrote; {TABLES}"));
    OwnTable::parse(&source).ok_or_else(wrong)
}
