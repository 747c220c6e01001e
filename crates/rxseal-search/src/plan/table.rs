//! A slot table from a user's own rows.

use std::fmt;

use rxseal::index::SlotTable;

use super::number::float;
use super::seen::ENOUGH_ROWS;
use crate::slots::{US_GIVEN_1, US_SURNAMES_1};

/// A slot table that the planner wrote from a sample, or that a file has. `Display` gives Rust source, which a program includes.
///
/// It has the forms that at least 50 rows of the sample have, and no others: a common name says nothing of a patient, a rare one does.
///
/// ```
/// use rxseal_search::plan::OwnTable;
///
/// let source = r#"
///     pub static OUR_NAMES_1: rxseal::index::SlotTable = rxseal::index::SlotTable::new("our-names/1", &[
///         ("garcia", 61), ("smith", 12),
///     ]);
/// "#;
/// let table = OwnTable::parse(source).expect("a table that the planner wrote");
/// assert_eq!((table.id(), table.slots(b"garcia"), table.slots(b"zyzik")), ("our-names/1", 61, 1));
/// ```
#[derive(Clone)]
pub struct OwnTable {
    id: String,
    entries: Vec<(String, u16)>,
}

impl OwnTable {
    /// The table of forms and how often each was seen among `total`. `None` if the id is no id of a table, or nothing is common enough.
    pub(super) fn of<'a>(id: &str, forms: impl Iterator<Item = (&'a str, u32)>, total: u64) -> Option<Self> {
        let entry = |(form, seen): (&str, u32)| {
            let slots = slots_of(seen, total);
            (slots > 1 && seen >= ENOUGH_ROWS && is_plain(form)).then(|| (form.to_owned(), slots))
        };
        let mut entries: Vec<_> = forms.filter_map(entry).collect();
        entries.sort_unstable();
        (is_table_id(id) && !entries.is_empty()).then(|| Self { id: id.to_owned(), entries })
    }

    /// Reads the source that [`Display`](fmt::Display) gives. `None` if it is something else.
    #[must_use]
    pub fn parse(source: &str) -> Option<Self> {
        let (_, list) = source.split_once("SlotTable::new(")?;
        let (id, list) = quoted(list)?;
        let (mut list, _) = list.split_once("&[")?.1.split_once(']')?;
        let mut entries: Vec<(String, u16)> = Vec::new();
        while let Some((_, entry)) = list.split_once('(') {
            let (form, rest) = quoted(entry)?;
            let (slots, rest) = rest.split_once(')')?;
            let slots = slots.trim().trim_start_matches(',').trim().parse().ok()?;
            let ascends = entries.last().is_none_or(|(last, _)| last.as_str() < form);
            if !(2..=MOST).contains(&slots) || !is_plain(form) || !ascends {
                return None;
            }
            entries.push((form.to_owned(), slots));
            list = rest;
        }
        (is_table_id(id) && !entries.is_empty()).then(|| Self { id: id.to_owned(), entries })
    }

    /// The table's id, such as `our-names/1`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The forms in ascending order, each with its number of slots.
    #[must_use]
    pub fn entries(&self) -> &[(String, u16)] {
        &self.entries
    }

    /// How many slots a normal form has.
    #[must_use]
    pub fn slots(&self, form: &[u8]) -> u16 {
        let found = self.entries.binary_search_by(|(entry, _)| entry.as_bytes().cmp(form));
        found.ok().and_then(|at| self.entries.get(at)).map_or(1, |(_, slots)| *slots)
    }
}

/// Rust source: a `static` whose name is the id in capitals.
impl fmt::Display for OwnTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.id.replace(['/', '-', '.'], "_").to_ascii_uppercase();
        writeln!(f, "/// `{}`: {} forms, from our own rows.", self.id, self.entries.len())?;
        writeln!(f, "#[rustfmt::skip]")?;
        writeln!(f, "pub static {name}: rxseal::index::SlotTable = rxseal::index::SlotTable::new({:?}, &[", self.id)?;
        for (form, slots) in &self.entries {
            writeln!(f, "    (\"{form}\", {slots}),")?;
        }
        writeln!(f, "]);")
    }
}

/// Forms may be a patient's name, though a common one.
impl fmt::Debug for OwnTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnTable").field("id", &self.id).field("forms", &self.entries.len()).finish_non_exhaustive()
    }
}

/// Where the planner looks up how many slots a form has.
pub(super) enum Slots {
    None,
    Public(&'static SlotTable),
    Own(OwnTable),
}

impl Slots {
    pub(super) fn of(&self, form: &[u8]) -> u16 {
        match self {
            Self::None => 1,
            Self::Public(table) => table.slots(form),
            Self::Own(table) => table.slots(form),
        }
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The number of forms in a table that is not made from public lists: each of them should be common in the sample.
    pub(super) fn private_forms(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Public(table) if [US_SURNAMES_1.id(), US_GIVEN_1.id()].contains(&table.id()) => 0,
            Self::Public(table) => table.entries().len(),
            Self::Own(table) => table.entries.len(),
        }
    }
}

const MOST: u16 = 256;
const PER_SHARE: f64 = 4096.0;

/// Of a form that was seen `seen` times among `total`.
fn slots_of(seen: u32, total: u64) -> u16 {
    let slots = (f64::from(seen) * PER_SHARE / float(total.max(1))).ceil();
    u16::try_from(super::number::nearest(slots)).unwrap_or(MOST).clamp(1, MOST)
}

/// What is between quotation marks, and what is behind them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.split_once('"')?.1.split_once('"')
}

/// No character of it would end or escape a text in Rust, or be hidden there.
fn is_plain(form: &str) -> bool {
    !form.is_empty() && form.chars().all(char::is_alphanumeric)
}

/// A name, `/`, and a version from 1.
fn is_table_id(id: &str) -> bool {
    let is_name = |name: &str| {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        (1..=64).contains(&name.len()) && name.bytes().all(legal) && name.starts_with(|c: char| c.is_ascii_lowercase())
    };
    id.split_once('/').is_some_and(|(name, version)| {
        let digits = version.bytes().all(|byte| byte.is_ascii_digit());
        is_name(name) && digits && !version.is_empty() && !version.starts_with('0')
    })
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Public(table) => f.write_str(table.id()),
            Self::Own(table) => f.write_str(&table.id),
        }
    }
}
