//! Counting while a source is read: each value goes to the counts of its spot.

use rxseal::count::{IndexCounts, KeyCounts};
use serde_json::value::RawValue;

use crate::counts::{ColumnCounts, IndexPlaceCounts, Keyspaces, PlaceCounts, SourceCounts};
use crate::place::Place;
use crate::read::{SourceRead, Spot, Value, Visitor};
use crate::source::{Indexed, Source};

/// The counts of one source while it is read.
pub(super) struct Tally {
    spots: Vec<Counted>,
    what: What,
    /// Columns of indexes. Their values are no tokens, and may look like part of one.
    apart: Vec<Box<str>>,
    /// Only the places of one column, which has documents.
    only: Option<Box<str>>,
    /// What was read, when it was.
    pub(super) read: SourceRead,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// And of which keyspace each row is.
    Tokens,
    IndexValues,
    /// Only of which keyspace each row is.
    #[cfg(feature = "postgres")]
    Keyspaces,
}

/// A spot, and what is counted there.
enum Counted {
    /// With its field. `None` for the record tag.
    Tokens(Place, Option<Box<str>>, KeyCounts),
    IndexValues(Place, Box<str>, IndexCounts),
    /// Tokens in whole documents.
    Document(Box<str>, KeyCounts),
    /// Tokens in a column that the map does not call sealed.
    Stray(Box<str>, KeyCounts),
    Keyspaces(Keyspaces),
}

impl Tally {
    pub(super) fn of_tokens(source: &Source) -> Self {
        let apart = source.index().iter().map(|index| index.place().column().into()).collect();
        Self { apart, ..Self::new(What::Tokens) }
    }

    pub(super) fn of_index_values() -> Self {
        Self::new(What::IndexValues)
    }

    #[cfg(feature = "postgres")]
    pub(super) fn of_keyspaces() -> Self {
        Self::new(What::Keyspaces)
    }

    fn new(what: What) -> Self {
        Self { spots: Vec::new(), what, apart: Vec::new(), only: None, read: SourceRead::default() }
    }

    #[cfg(feature = "postgres")]
    pub(super) fn only(self, column: &str) -> Self {
        Self { only: Some(column.into()), ..self }
    }

    fn is_left_out(&self, place: &Place) -> bool {
        self.only.as_deref().is_some_and(|only| place.column() != only || place.pointer().is_none())
    }

    fn counted(&self, spot: Spot<'_>) -> Option<Counted> {
        let tokens = |place: &Place, field: Option<&str>| {
            let wanted = self.what == What::Tokens && !self.is_left_out(place);
            wanted.then(|| Counted::Tokens(place.clone(), field.map(Into::into), KeyCounts::default()))
        };
        let stray = |column: &str| {
            let wanted =
                self.what == What::Tokens && self.only.is_none() && !self.apart.iter().any(|apart| **apart == *column);
            wanted.then(|| Counted::Stray(column.into(), KeyCounts::default()))
        };
        match spot {
            Spot::Sealed(sealed) => tokens(sealed.place(), Some(sealed.field())),
            Spot::Tag(place) => tokens(place, None),
            Spot::Index(index) if self.what == What::IndexValues && !self.is_left_out(index.place()) => {
                Some(of_index(index))
            }
            Spot::Document(column) => {
                (self.what == What::Tokens).then(|| Counted::Document(column.into(), KeyCounts::default()))
            }
            Spot::Clear(place, _) if place.pointer().is_none() => stray(place.column()),
            Spot::Index(_) | Spot::Clear(..) | Spot::Subject(_) | Spot::Id(_) => None,
            Spot::Undeclared(column) => stray(column),
            Spot::Keyspace(_) => {
                let wanted = self.what != What::IndexValues && self.only.is_none();
                wanted.then(|| Counted::Keyspaces(Keyspaces::default()))
            }
        }
    }

    pub(super) fn into_tokens(self) -> SourceCounts {
        let mut source = SourceCounts { files: self.read.files, ..SourceCounts::default() };
        for counted in self.spots {
            match counted {
                Counted::Tokens(place, field, counts) => {
                    source.places.push(PlaceCounts { place, field, counts: counts.doubted(self.read.doubt) });
                }
                Counted::Document(column, counts) => source.documents.push(ColumnCounts { column, counts }),
                Counted::Stray(column, counts) if counts.total() > 0 => {
                    source.strays.push(ColumnCounts { column, counts });
                }
                Counted::Keyspaces(keyspaces) => source.keyspaces = keyspaces,
                Counted::Stray(..) | Counted::IndexValues(..) => {}
            }
        }
        source
    }

    pub(super) fn into_index_values(self) -> Vec<IndexPlaceCounts> {
        let counted = self.spots.into_iter().filter_map(|counted| match counted {
            Counted::IndexValues(place, index, counts) => {
                Some(IndexPlaceCounts { place, index, counts: counts.doubted(self.read.doubt) })
            }
            _ => None,
        });
        counted.collect()
    }
}

impl Visitor for Tally {
    fn spot(&mut self, spot: Spot<'_>) -> Option<usize> {
        let counted = self.counted(spot)?;
        self.spots.push(counted);
        self.spots.len().checked_sub(1)
    }

    fn value(&mut self, spot: usize, value: Value<'_>) {
        match self.spots.get_mut(spot) {
            Some(Counted::Tokens(_, _, counts) | Counted::Document(_, counts)) => add_token(counts, value),
            Some(Counted::Stray(_, counts)) => add_stray(counts, value),
            Some(Counted::Keyspaces(keyspaces)) => add_keyspace(keyspaces, value),
            Some(Counted::IndexValues(_, _, counts)) => add_index_value(counts, value),
            None => {}
        }
    }

    fn absent(&mut self, spot: usize, rows: u64) {
        match self.spots.get_mut(spot) {
            Some(Counted::Tokens(_, _, counts)) => counts.add_nulls(rows),
            Some(Counted::IndexValues(_, _, counts)) => counts.add_nulls(rows),
            Some(Counted::Keyspaces(keyspaces)) => keyspaces.add(None, rows),
            Some(Counted::Document(..) | Counted::Stray(..)) | None => {}
        }
    }
}

fn of_index(index: &Indexed) -> Counted {
    Counted::IndexValues(index.place().clone(), index.index().into(), IndexCounts::default())
}

fn add_token(counts: &mut KeyCounts, value: Value<'_>) {
    match value {
        Value::Null => counts.add_nulls(1),
        Value::Text(text) => counts.add_text(text),
        Value::Bytes(bytes) => counts.add_bytes(bytes),
        Value::Foreign(_) | Value::Integer(_) | Value::Other => counts.add_not_tokens(1),
        // A list or an object may have tokens in it.
        Value::Json(json) => counts.add_text(json.letters().unwrap_or(json.as_written())),
    }
}

/// Text tokens in any bytes: whatever else is there, their key is needed.
fn add_stray(counts: &mut KeyCounts, value: Value<'_>) {
    add_token(counts, value);
    if let Value::Foreign(bytes) | Value::Bytes(bytes) = value {
        for chunk in bytes.utf8_chunks() {
            counts.add_text(chunk.valid());
        }
    }
}

/// A number of a JSON document is the text of its digits. A text with escapes is no name.
fn add_keyspace(keyspaces: &mut Keyspaces, value: Value<'_>) {
    let name = match value {
        Value::Text(text) => Some(text),
        Value::Json(json) => Some(json.letters().unwrap_or(json.as_written())),
        _ => None,
    };
    keyspaces.add(name, 1);
}

/// A JSON list has a value in each place.
fn add_index_value(counts: &mut IndexCounts, value: Value<'_>) {
    match value {
        Value::Null => counts.add_nulls(1),
        Value::Text(text) => match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(list) => list.iter().for_each(|value| add_index_value(counts, Value::of_json(value))),
            Err(_) => counts.add_text(text),
        },
        Value::Bytes(bytes) => counts.add_bytes(bytes),
        Value::Foreign(_) | Value::Integer(_) | Value::Other => counts.add_not_values(1),
        Value::Json(json) => match json.letters() {
            Some(text) => counts.add_text(text),
            None => match serde_json::from_str::<Vec<&RawValue>>(json.as_written()) {
                Ok(list) => list.iter().for_each(|value| add_index_value(counts, Value::of_json(value))),
                Err(_) => counts.add_not_values(1),
            },
        },
    }
}
