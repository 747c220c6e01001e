//! Counting row by row: each value goes to the counts of its place.

use std::collections::HashMap;

use rxseal::count::{IndexCounts, KeyCounts};
use serde_json::value::RawValue;

use super::json::{self, each_at};
use crate::counts::{ColumnCounts, IndexPlaceCounts, Keyspaces, PlaceCounts, SourceCounts};
use crate::place::Place;
use crate::source::Source;

/// A file may have any number of names, which are not all kept.
const MAX_STRAYS: usize = 2000;
const MORE: &str = "(more columns)";

/// A value of a row, as its source has it.
#[derive(Clone, Copy)]
pub(super) enum Value<'v> {
    Null,
    Text(&'v str),
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "files have none"))]
    Bytes(&'v [u8]),
    /// What can be no token, such as a number.
    Other,
    /// A text that is not UTF-8, or ends for some programs at a NUL. It is no token, and may have some in it.
    Broken(&'v [u8]),
    Json(&'v RawValue),
}

/// The counts of one source while its rows are read.
pub(super) struct Tally {
    places: Vec<Counted>,
    columns: Vec<Column>,
    by_name: HashMap<Box<str>, usize>,
    rows: u64,
    /// The column that says of which keyspace a row is, and where in it.
    tenant: Option<(usize, Vec<String>)>,
    keyspaces: Keyspaces,
    /// Whether the present row said it.
    has_said: bool,
    /// Whether columns that the map does not name are looked at.
    with_strays: bool,
    pub(super) files: usize,
    /// Why the source may have more than was read.
    pub(super) doubt: Option<&'static str>,
}

/// A place, what is counted there, and how.
struct Counted {
    place: Place,
    steps: Vec<String>,
    /// Field or index. `None` for the record tag.
    id: Option<Box<str>>,
    counts: Counts,
}

enum Counts {
    Tokens(KeyCounts),
    IndexValues(IndexCounts),
}

struct Column {
    name: Box<str>,
    role: Role,
    /// How many rows had it.
    seen: u64,
}

enum Role {
    /// All of it is one place, by its position.
    Whole(usize),
    /// Places are in its documents.
    Document(Vec<usize>, KeyCounts),
    /// Not looked at.
    Apart,
    Stray(KeyCounts),
}

impl Tally {
    pub(super) fn of_tokens(source: &Source) -> Self {
        let fields = source.sealed().iter().map(|sealed| (sealed.place(), Some(sealed.field())));
        let places = fields.chain(source.tag().map(|tag| (tag, None)));
        let mut tally = Self::new(places.map(|(place, id)| (place, id, Counts::Tokens(KeyCounts::default()))), true);
        // Their values are no tokens, and may look like part of one.
        source.index().iter().for_each(|index| tally.set_apart(index.place().column()));
        tally.with_tenant(source)
    }

    /// Only of which keyspace each row is.
    #[cfg(feature = "postgres")]
    pub(super) fn of_keyspaces(source: &Source) -> Self {
        Self::new(std::iter::empty(), false).with_tenant(source)
    }

    fn with_tenant(mut self, source: &Source) -> Self {
        if let Some(place) = source.keyspace().column() {
            self.tenant = Some((self.column(place.column()), json::steps(place)));
        }
        self
    }

    pub(super) fn of_index_values(source: &Source) -> Self {
        let index = source.index().iter().map(|index| (index.place(), Some(index.index())));
        Self::new(index.map(|(place, id)| (place, id, Counts::IndexValues(IndexCounts::default()))), false)
    }

    /// Only the places of one column, which has documents.
    #[cfg(feature = "postgres")]
    pub(super) fn only(mut self, column: &str) -> Self {
        self.places.retain(|counted| counted.place.column() == column);
        self.columns.retain(|known| &*known.name == column);
        self.by_name.clear();
        self.tenant = None;
        for known in &mut self.columns {
            known.role = Role::Document((0..self.places.len()).collect(), KeyCounts::default());
        }
        self.by_name.extend(self.columns.iter().enumerate().map(|(at, known)| (known.name.clone(), at)));
        self
    }

    fn new<'s>(places: impl Iterator<Item = (&'s Place, Option<&'s str>, Counts)>, with_strays: bool) -> Self {
        let mut tally = Self {
            places: Vec::new(),
            columns: Vec::new(),
            by_name: HashMap::new(),
            rows: 0,
            tenant: None,
            keyspaces: Keyspaces::default(),
            has_said: false,
            with_strays,
            files: 0,
            doubt: None,
        };
        for (place, id, counts) in places {
            let at = tally.places.len();
            let column = tally.column(place.column());
            if let Some(column) = tally.columns.get_mut(column) {
                match (&mut column.role, place.pointer()) {
                    (role, None) => *role = Role::Whole(at),
                    (Role::Document(all, _), Some(_)) => all.push(at),
                    (role, Some(_)) => *role = Role::Document(vec![at], KeyCounts::default()),
                }
            }
            let steps = json::steps(place);
            tally.places.push(Counted { place: place.clone(), steps, id: id.map(Into::into), counts });
        }
        tally
    }

    fn set_apart(&mut self, name: &str) {
        let at = self.column(name);
        if let Some(Column { role: role @ Role::Stray(_), .. }) = self.columns.get_mut(at) {
            *role = Role::Apart;
        }
    }

    /// The position of a column.
    pub(super) fn column(&mut self, name: &str) -> usize {
        if let Some(at) = self.by_name.get(name) {
            return *at;
        }
        let name = if self.columns.len() < MAX_STRAYS { name } else { MORE };
        let next = self.columns.len();
        let at = *self.by_name.entry(name.into()).or_insert(next);
        if at == next {
            let role = if self.with_strays { Role::Stray(KeyCounts::default()) } else { Role::Apart };
            self.columns.push(Column { name: name.into(), role, seen: 0 });
        }
        at
    }

    /// The columns that every file must have, since places are in them.
    pub(super) fn needed(&self) -> impl Iterator<Item = &str> {
        let needed = self.columns.iter().filter(|column| matches!(column.role, Role::Whole(_) | Role::Document(..)));
        needed.map(|column| &*column.name)
    }

    /// Counts one value of the present row.
    pub(super) fn add(&mut self, column: usize, value: Value<'_>) {
        if let Some((_, steps)) = self.tenant.as_ref().filter(|(tenant, _)| *tenant == column) {
            self.has_said = true;
            with_text_at(value, steps, |name| self.keyspaces.add(name, 1));
        }
        let Some(column) = self.columns.get_mut(column) else { return };
        column.seen = column.seen.saturating_add(1);
        match &mut column.role {
            Role::Apart => {}
            Role::Whole(at) => {
                if let Some(counted) = self.places.get_mut(*at) {
                    counted.counts.add(value);
                }
            }
            Role::Stray(counts) => add_stray(counts, value),
            Role::Document(places, counts) => {
                add_token(counts, value);
                let document = match value {
                    Value::Text(text) => serde_json::from_str::<&RawValue>(text).ok(),
                    Value::Json(raw) => json::document_of(raw),
                    Value::Null | Value::Bytes(_) | Value::Other | Value::Broken(_) => None,
                };
                for at in places {
                    let Some(counted) = self.places.get_mut(*at) else { continue };
                    let Counted { steps, counts, .. } = counted;
                    match (value, document) {
                        (Value::Null, _) => counts.add(Value::Null),
                        (_, None) => counts.add(Value::Other),
                        (_, Some(document)) => {
                            let mut none = true;
                            each_at(document, steps, &mut |value| {
                                none = false;
                                counts.add(Value::Json(value));
                            });
                            if none {
                                counts.add(Value::Null);
                            }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn end_row(&mut self) {
        self.rows = self.rows.saturating_add(1);
        if self.tenant.is_some() && !std::mem::take(&mut self.has_said) {
            self.keyspaces.add(None, 1);
        }
    }

    /// The rows that lacked a column have no value in its places.
    fn end(&mut self) {
        for column in &self.columns {
            let absent = self.rows.saturating_sub(column.seen);
            let places = match &column.role {
                Role::Whole(at) => std::slice::from_ref(at),
                Role::Document(places, _) => places,
                Role::Apart | Role::Stray(_) => continue,
            };
            for at in places {
                match self.places.get_mut(*at).map(|counted| &mut counted.counts) {
                    Some(Counts::Tokens(counts)) => counts.add_nulls(absent),
                    Some(Counts::IndexValues(counts)) => counts.add_nulls(absent),
                    None => {}
                }
            }
        }
    }

    pub(super) fn into_tokens(mut self) -> SourceCounts {
        self.end();
        let mut source = SourceCounts { files: self.files, keyspaces: self.keyspaces, ..SourceCounts::default() };
        for counted in self.places {
            if let Counts::Tokens(counts) = counted.counts {
                let counts = counts.doubted(self.doubt);
                source.places.push(PlaceCounts { place: counted.place, field: counted.id, counts });
            }
        }
        for Column { name: column, role, .. } in self.columns {
            match role {
                Role::Document(_, counts) => source.documents.push(ColumnCounts { column, counts }),
                Role::Stray(counts) if counts.total() > 0 => source.strays.push(ColumnCounts { column, counts }),
                Role::Stray(_) | Role::Whole(_) | Role::Apart => {}
            }
        }
        source
    }

    pub(super) fn into_index_values(mut self) -> Vec<IndexPlaceCounts> {
        self.end();
        let counted = self.places.into_iter().filter_map(|counted| match counted.counts {
            Counts::IndexValues(counts) => {
                let counts = counts.doubted(self.doubt);
                Some(IndexPlaceCounts { place: counted.place, index: counted.id.unwrap_or_default(), counts })
            }
            Counts::Tokens(_) => None,
        });
        counted.collect()
    }
}

impl Counts {
    fn add(&mut self, value: Value<'_>) {
        match self {
            Self::Tokens(counts) => add_token(counts, value),
            Self::IndexValues(counts) => add_index_value(counts, value),
        }
    }
}

fn add_token(counts: &mut KeyCounts, value: Value<'_>) {
    match value {
        Value::Null => counts.add_nulls(1),
        Value::Text(text) => counts.add_text(text),
        Value::Bytes(bytes) => counts.add_bytes(bytes),
        Value::Other | Value::Broken(_) => counts.add_not_tokens(1),
        Value::Json(raw) => match json::text_of(raw) {
            Some(text) => counts.add_text(text),
            None if raw.get() == "null" => counts.add_nulls(1),
            // A list or an object may have tokens in it.
            None => counts.add_text(raw.get()),
        },
    }
}

/// Text tokens in any bytes: whatever else is there, their key is needed.
fn add_stray(counts: &mut KeyCounts, value: Value<'_>) {
    add_token(counts, value);
    if let Value::Broken(bytes) | Value::Bytes(bytes) = value {
        for chunk in bytes.utf8_chunks() {
            counts.add_text(chunk.valid());
        }
    }
}

/// Calls `each` once, with the text at this place of a value.
fn with_text_at(value: Value<'_>, steps: &[String], each: impl FnOnce(Option<&str>)) {
    let document = match value {
        Value::Text(text) if steps.is_empty() => return each(Some(text)),
        Value::Text(text) => serde_json::from_str::<&RawValue>(text).ok(),
        Value::Json(raw) => Some(raw),
        Value::Null | Value::Bytes(_) | Value::Other | Value::Broken(_) => None,
    };
    let mut name = None;
    if let Some(document) = document {
        // A number is the text of its digits. A text with escapes is no name.
        each_at(document, steps, &mut |value| {
            name = json::text_of(value).or_else(|| Some(value.get()).filter(|text| *text != "null"));
        });
    }
    each(name);
}

/// A JSON list has a value in each place.
fn add_index_value(counts: &mut IndexCounts, value: Value<'_>) {
    match value {
        Value::Null => counts.add_nulls(1),
        Value::Text(text) => match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(list) => list.iter().for_each(|value| add_index_value(counts, Value::Json(value))),
            Err(_) => counts.add_text(text),
        },
        Value::Bytes(bytes) => counts.add_bytes(bytes),
        Value::Other | Value::Broken(_) => counts.add_not_values(1),
        Value::Json(raw) => match json::text_of(raw) {
            Some(text) => counts.add_text(text),
            None if raw.get() == "null" => counts.add_nulls(1),
            None => match serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
                Ok(list) => list.iter().for_each(|value| add_index_value(counts, Value::Json(value))),
                Err(_) => counts.add_not_values(1),
            },
        },
    }
}
