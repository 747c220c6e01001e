//! Reads the text of a map, and finds all mistakes in it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::sheet::{Keys, Pair, Sheet, Value};
use crate::at::At;
use crate::clear::ClearKind;
use crate::keyspace::Keyspace;
use crate::mistake::Mistake;
use crate::place::Place;
use crate::source::{Clear, Empty, Indexed, Sealed, Source};

const MAP: &[&str] = &["keyspace", "elsewhere", "source"];
const SOURCE: &[&str] =
    &["at", "keyspace", "record", "was", "id", "subject", "sealed", "index", "tag", "clear", "empty"];

const KEYSPACE: &str = "a keyspace, a list of them, or `{ column = \"tenant\" }`";
const COLUMN: &str = "a column, such as `drug`, or a place in its JSON documents, such as `doc:/rx/drug`";
/// In bytes.
pub(super) const MAX_LEN: usize = 1024 * 1024;
/// As many as `RecordType::was` takes.
const MAX_FORMER: usize = 4;
/// Of one source. A table of PostgreSQL has at most 1,600, one of SQLite 2,000.
const MAX_COLUMNS: usize = 2000;
const MAX_SOURCES: usize = 1000;

/// What a map says.
pub(super) struct Read {
    pub(super) keyspace: Keyspace,
    pub(super) elsewhere: Vec<Box<str>>,
    pub(super) sources: Vec<Source>,
}

pub(super) fn read(text: &str, folder: Option<&Path>) -> Result<Read, Vec<Mistake>> {
    let mut sheet = Sheet::new(text);
    if text.len() > MAX_LEN {
        sheet.wrong(&(0..0), "", "the map is longer than 1 MiB: name files by a pattern, and not one by one");
        return Err(sheet.into_mistakes());
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        sheet.wrong(&error.span().unwrap_or(0..0), "", format!("this is not TOML: {}", error.message()));
    }
    if !errors.is_empty() {
        return Err(sheet.into_mistakes());
    }
    let keys = Keys::new(&mut sheet, document.get_ref(), 0..0, "", MAP);
    let keyspace =
        keys.need(&mut sheet, "keyspace", KEYSPACE).and_then(|value| keyspace(&mut sheet, value, "keyspace"));
    let elsewhere = elsewhere(&mut sheet, &keys);
    let mut sources = Vec::new();
    if let Some(value) = keys.need(&mut sheet, "source", "`[[source]]`, once for each table and each kind of file") {
        let of_map = keyspace.clone().unwrap_or_else(|| Keyspace::One(String::new()));
        for value in tables(&mut sheet, value) {
            sources.extend(source(&mut sheet, value, &of_map, folder));
        }
    }
    find_duplicates(&mut sheet, &sources);
    let mistakes = sheet.into_mistakes();
    match keyspace {
        Some(keyspace) if mistakes.is_empty() => Ok(Read { keyspace, elsewhere, sources }),
        _ => Err(mistakes),
    }
}

/// `elsewhere = ["message"]`
fn elsewhere(sheet: &mut Sheet, keys: &Keys<'_, '_>) -> Vec<Box<str>> {
    let Some(value) = keys.get("elsewhere") else { return Vec::new() };
    let items = sheet.texts(value, "elsewhere", "a record type, a field id or an index id");
    items.iter().filter_map(|item| name(sheet, &item.span, "elsewhere", item.text)).collect()
}

/// `[[source]]`
fn tables<'v, 't>(sheet: &mut Sheet, value: &'v Value<'t>) -> Vec<&'v Value<'t>> {
    let DeValue::Array(list) = value.get_ref() else {
        sheet.wrong(&value.span(), "source", "write `[[source]]`, in two brackets: there may be several");
        return Vec::new();
    };
    if list.is_empty() {
        sheet.wrong(
            &value.span(),
            "source",
            "there is no source: write `[[source]]` for each table and each kind of file",
        );
    }
    if list.len() > MAX_SOURCES {
        sheet.wrong(&value.span(), "source", "there are more than 1,000 sources: name files by a pattern");
    }
    list.iter().take(MAX_SOURCES).collect()
}

fn source(sheet: &mut Sheet, value: &Value<'_>, of_map: &Keyspace, folder: Option<&Path>) -> Option<Source> {
    let span = value.span();
    let Some(table) = value.get_ref().as_table() else {
        sheet.wrong(&span, "source", "it is no table: write `[[source]]`, and its keys below");
        return None;
    };
    let keys = Keys::new(sheet, table, span.clone(), "source.", SOURCE);
    let at = at(sheet, &keys, folder);
    let record = keys.need(sheet, "record", "the record type, as the program names it").and_then(|value| {
        let text = sheet.text(value, "source.record", "a record type")?;
        name(sheet, &value.span(), "source.record", text)
    });
    let was = was(sheet, &keys, record.as_deref());
    let id: Vec<_> = match keys.need(sheet, "id", "the column with the record's id, or a list of columns") {
        Some(value) => {
            let items = sheet.texts(value, "source.id", COLUMN);
            items.iter().filter_map(|item| place(sheet, &item.span, "source.id", item.text)).collect()
        }
        None => Vec::new(),
    };
    let subject = one_place(sheet, &keys, "subject");
    let tag = one_place(sheet, &keys, "tag");
    let keyspace = match keys.get("keyspace") {
        Some(value) => keyspace(sheet, value, "source.keyspace"),
        None => Some(of_map.clone()),
    };
    let sealed = sealed(sheet, &keys);
    let index = index(sheet, &keys);
    let clear = clear(sheet, &keys);
    let empty = empty(sheet, &keys);
    let (written, at) = at?;
    let line = sheet.line(&span);
    let (record, keyspace) = (record?, keyspace?);
    let source = Source { at, written, line, keyspace, record, was, id, subject, sealed, index, tag, clear, empty };
    find_overlaps(sheet, &source);
    Some(source)
}

fn at(sheet: &mut Sheet, keys: &Keys<'_, '_>, folder: Option<&Path>) -> Option<(Box<str>, At)> {
    let value = keys.need(sheet, "at", "where it is, such as `postgres:SCHEMA.TABLE` or `sqlite:FILE#TABLE`")?;
    let text = sheet.text(value, "source.at", "where it is")?;
    match At::parse(text, folder) {
        Ok(at) => Some((text.into(), at)),
        Err(what) => {
            sheet.wrong(&value.span(), "source.at", what);
            None
        }
    }
}

fn was(sheet: &mut Sheet, keys: &Keys<'_, '_>, record: Option<&str>) -> Vec<Box<str>> {
    let Some(value) = keys.get("was") else { return Vec::new() };
    let items = sheet.texts(value, "source.was", "a former name of the record type");
    if items.len() > MAX_FORMER {
        sheet.wrong(&value.span(), "source.was", "a record type has at most 4 former names");
    }
    let mut names = Vec::new();
    for item in items {
        if Some(item.text) == record {
            sheet.wrong(&item.span, "source.was", "this is its present name: list former names only");
        }
        names.extend(name(sheet, &item.span, "source.was", item.text));
    }
    names
}

fn keyspace(sheet: &mut Sheet, value: &Value<'_>, key: &str) -> Option<Keyspace> {
    match value.get_ref() {
        DeValue::String(_) => sheet.text(value, key, KEYSPACE).map(|name| Keyspace::One(name.to_owned())),
        DeValue::Array(_) => {
            let names: Vec<_> = sheet.texts(value, key, KEYSPACE).iter().map(|item| item.text.to_owned()).collect();
            (!names.is_empty()).then_some(Keyspace::Several(names))
        }
        DeValue::Table(table) => {
            let [only] = &*table.iter().collect::<Vec<_>>() else {
                sheet.wrong(&value.span(), key, format!("write {KEYSPACE}"));
                return None;
            };
            if only.0.get_ref() != "column" {
                sheet.wrong(&only.0.span(), key, format!("write {KEYSPACE}"));
                return None;
            }
            let text = sheet.text(only.1, key, COLUMN)?;
            place(sheet, &only.1.span(), key, text).map(Keyspace::Column)
        }
        _ => {
            sheet.wrong(&value.span(), key, format!("write {KEYSPACE}"));
            None
        }
    }
}

fn sealed(sheet: &mut Sheet, keys: &Keys<'_, '_>) -> Vec<Sealed> {
    const WHAT: &str = "COLUMN = \"FIELD ID\"";
    let Some(value) = keys.need(sheet, "sealed", &format!("`{{ {WHAT} }}` for each sealed column")) else {
        return Vec::new();
    };
    let pairs = sheet.pairs(value, "source.sealed", WHAT);
    if pairs.is_empty() {
        sheet.wrong(&value.span(), "source.sealed", format!("no column is sealed: write `{{ {WHAT} }}`"));
    }
    let mut sealed: Vec<Sealed> = Vec::new();
    for Pair { name: column, text, span, key } in pairs {
        let (Some(place), Some(field)) = (place(sheet, &span, &key, column), name(sheet, &span, &key, text)) else {
            continue;
        };
        if let Some(other) = sealed.iter().find(|other| other.field == field) {
            let text = format!(
                "the field {text} is in {} too: a record has one token of each field, or the two could be swapped",
                other.place
            );
            sheet.wrong(&span, &key, text);
        }
        sealed.push(Sealed { place, field, line: sheet.line(&span) });
    }
    sealed
}

fn index(sheet: &mut Sheet, keys: &Keys<'_, '_>) -> Vec<Indexed> {
    let Some(value) = keys.get("index") else { return Vec::new() };
    let mut index: Vec<Indexed> = Vec::new();
    for Pair { name: column, text, span, key } in sheet.pairs(value, "source.index", "COLUMN = \"INDEX ID\"") {
        let (Some(place), Some(id)) = (place(sheet, &span, &key, column), name(sheet, &span, &key, text)) else {
            continue;
        };
        if let Some(other) = index.iter().find(|other| other.index == id) {
            sheet.wrong(&span, &key, format!("the index {text} is in {} too", other.place));
        }
        index.push(Indexed { place, index: id, line: sheet.line(&span) });
    }
    index
}

fn clear(sheet: &mut Sheet, keys: &Keys<'_, '_>) -> Vec<Clear> {
    let Some(value) = keys.get("clear") else { return Vec::new() };
    let mut clear = Vec::new();
    for Pair { name: column, text, span, key } in sheet.pairs(value, "source.clear", "COLUMN = \"KIND\"") {
        let Some(kind) = ClearKind::parse(text) else {
            let kinds: Vec<_> = ClearKind::ALL.iter().map(|kind| kind.as_str()).collect();
            sheet.wrong(&span, &key, format!("{text:?} is not a kind of data. The kinds are {}", kinds.join(", ")));
            continue;
        };
        let line = sheet.line(&span);
        clear.extend(place(sheet, &span, &key, column).map(|place| Clear { place, kind, line }));
    }
    clear
}

fn empty(sheet: &mut Sheet, keys: &Keys<'_, '_>) -> Empty {
    const WHAT: &str = "write `true` if the source has no value at all, or `{ columns = [..] }` for columns without a value, or \
        `{ keyspaces = [..] }` for keyspaces that have no token in it; otherwise leave it out";
    let mut empty = Empty::default();
    let Some(value) = keys.get("empty") else { return empty };
    match value.get_ref() {
        DeValue::Boolean(true) => empty.is_all = true,
        DeValue::Table(table) => {
            let keys = Keys::new(sheet, table, value.span(), "source.empty.", &["columns", "keyspaces"]);
            for item in
                keys.get("columns").map(|value| sheet.texts(value, "source.empty.columns", COLUMN)).unwrap_or_default()
            {
                empty.columns.extend(place(sheet, &item.span, "source.empty.columns", item.text));
            }
            let items = keys.get("keyspaces").map(|value| sheet.texts(value, "source.empty.keyspaces", "a keyspace"));
            empty.keyspaces = items.unwrap_or_default().iter().map(|item| item.text.into()).collect();
        }
        _ => sheet.wrong(&value.span(), "source.empty", WHAT),
    }
    empty
}

fn one_place(sheet: &mut Sheet, keys: &Keys<'_, '_>, key: &str) -> Option<Place> {
    let value = keys.get(key)?;
    let path = keys.path(key);
    let text = sheet.text(value, &path, COLUMN)?;
    place(sheet, &value.span(), &path, text)
}

fn place(sheet: &mut Sheet, span: &Range<usize>, key: &str, text: &str) -> Option<Place> {
    match Place::parse(text) {
        Ok(place) => Some(place),
        Err(what) => {
            sheet.wrong(span, key, what);
            None
        }
    }
}

/// FORMAT 1.3: of record types, fields and indexes.
fn name(sheet: &mut Sheet, span: &Range<usize>, key: &str, text: &str) -> Option<Box<str>> {
    let first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let legal = |byte: u8| first(byte) || b"._-".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(legal) && text.bytes().next().is_some_and(first) {
        return Some(text.into());
    }
    sheet.wrong(
        span,
        key,
        format!(
            "{text:?} is no name: it has 1 to 64 of a-z, 0-9, `.`, `_` and `-`, and begins with a letter or a digit"
        ),
    );
    None
}

/// No column is two things at once, except that a column of ids may also be listed as clear.
fn find_overlaps(sheet: &mut Sheet, source: &Source) {
    let line = source.line;
    let sealed = source.sealed.iter().map(|sealed| (&sealed.place, "sealed", sealed.line));
    let index = source.index.iter().map(|index| (&index.place, "index", index.line));
    let tag = source.tag.iter().map(|place| (place, "tag", line));
    let ids = source.id.iter().map(|place| (place, "id", line));
    let subject = source.subject.iter().map(|place| (place, "subject", line));
    let keyspace = source.keyspace.column().into_iter().map(|place| (place, "keyspace", line));
    let clear = source.clear.iter().map(|clear| (&clear.place, "clear", clear.line));
    // What is stored readable comes last.
    let all: Vec<_> = sealed.chain(index).chain(tag).chain(ids).chain(subject).chain(keyspace).chain(clear).collect();
    let readable = |role: &str| ["id", "subject", "keyspace", "clear"].contains(&role);
    if all.len() > MAX_COLUMNS {
        sheet.wrong_at(line, "source", "it names more than 2,000 columns");
        return;
    }
    let of_program = |role: &str| ["sealed", "index", "tag"].contains(&role);
    for empty in &source.empty.columns {
        if !all.iter().any(|(place, role, _)| *place == empty && of_program(role)) {
            let text = format!("{empty} is not among the sealed columns, the indexes and the tag");
            sheet.wrong_at(line, "source.empty.columns", text);
        }
    }
    for (at, (place, role, line)) in all.iter().enumerate() {
        let both_readable = |other: &str| readable(role) && readable(other) && *role != other;
        let earlier = all.iter().take(at).find(|(other, of, _)| other.overlaps(place) && !both_readable(of));
        if let Some((other, of, _)) = earlier {
            let text = if other == place {
                format!("the column {place} is also named in `{of}`: it can be one of them")
            } else {
                format!("{place} and {other} in `{of}` are one inside the other: name both by their JSON pointers")
            };
            sheet.wrong_at(*line, &format!("source.{role}"), text);
        }
    }
}

/// A column of a table is in one source, and a record type of a table too.
fn find_duplicates(sheet: &mut Sheet, sources: &[Source]) {
    let mut known: BTreeMap<_, Vec<&Source>> = BTreeMap::new();
    for source in sources {
        let same = known.entry(source.at.identity()).or_default();
        for other in &*same {
            let text = if other.record == source.record {
                format!(
                    "the source on line {} is the same with the same record type: put their columns into one",
                    other.line
                )
            } else if let Some(place) = shared(source, other) {
                format!("the source on line {} is the same and has the column {place} too", other.line)
            } else {
                continue;
            };
            sheet.wrong_at(source.line, "source.at", text);
        }
        same.push(source);
    }
}

/// A sealed, indexed or tagged place of both.
fn shared<'s>(source: &'s Source, other: &Source) -> Option<&'s Place> {
    fn own(source: &Source) -> impl Iterator<Item = &Place> {
        let sealed = source.sealed.iter().map(|sealed| &sealed.place);
        sealed.chain(source.index.iter().map(|index| &index.place)).chain(&source.tag)
    }
    own(source).find(|place| own(other).any(|of_other| of_other.overlaps(place)))
}
