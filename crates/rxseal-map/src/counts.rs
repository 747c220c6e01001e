//! What was counted in a source.

use std::collections::BTreeMap;

use rxseal::KeyId;
use rxseal::count::{IndexCounts, KeyCounts};
use rxseal::provider::check_keyspace;

use crate::place::Place;

/// What one source has: the tokens of each column that the map calls sealed, and tokens in other columns.
#[derive(Clone, Debug, Default)]
pub struct SourceCounts {
    pub(crate) places: Vec<PlaceCounts>,
    pub(crate) documents: Vec<ColumnCounts>,
    pub(crate) strays: Vec<ColumnCounts>,
    pub(crate) files: usize,
    pub(crate) keyspaces: Keyspaces,
}

/// How many rows say in which keyspace they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keyspaces {
    by_name: BTreeMap<Box<str>, u64>,
    none: u64,
}

impl Keyspaces {
    /// Adds rows of this keyspace. Rows whose text cannot be the name of a keyspace count as rows of no keyspace.
    pub(crate) fn add(&mut self, name: Option<&str>, rows: u64) {
        let sum = match name.filter(|name| check_keyspace(name).is_ok()) {
            Some(name) => self.by_name.entry(name.into()).or_default(),
            None => &mut self.none,
        };
        *sum = sum.saturating_add(rows);
    }
}

impl SourceCounts {
    /// Each sealed column and the column of record tags, in the order of the map.
    #[must_use]
    pub fn places(&self) -> &[PlaceCounts] {
        &self.places
    }

    /// The columns with tokens that the map calls neither sealed nor a tag: readable ones and undeclared ones. A key that is destroyed takes
    /// them with it.
    #[must_use]
    pub fn strays(&self) -> &[ColumnCounts] {
        &self.strays
    }

    /// How many files were read. 0 for a table.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files
    }

    /// How many rows are of each keyspace, if the map names a column that says it: `keyspace = { column = "tenant" }`.
    pub fn rows_by_keyspace(&self) -> impl Iterator<Item = (&str, u64)> {
        self.keyspaces.by_name.iter().map(|(name, rows)| (&**name, *rows))
    }

    /// How many rows have NULL in that column, or what no keyspace can be called. No keyring is of such a row, so no job reseals it, although its
    /// tokens are under some key.
    #[must_use]
    pub fn rows_without_keyspace(&self) -> u64 {
        self.keyspaces.none
    }

    /// The tokens under this key in all columns: those that the map calls sealed, and the others.
    #[must_use]
    pub fn of(&self, key: KeyId) -> u64 {
        let columns =
            self.whole_columns().chain(self.documents.iter().chain(&self.strays).map(|column| &column.counts));
        columns.fold(0, |sum, counts| sum.saturating_add(counts.of(key)))
    }

    /// Of the places that are whole columns. The others are parts of documents.
    fn whole_columns(&self) -> impl Iterator<Item = &KeyCounts> {
        self.places.iter().filter(|place| place.place.pointer().is_none()).map(|place| &place.counts)
    }
}

/// What a place has that the map calls sealed.
#[derive(Clone, Debug)]
pub struct PlaceCounts {
    pub(crate) place: Place,
    pub(crate) field: Option<Box<str>>,
    pub(crate) counts: KeyCounts,
}

impl PlaceCounts {
    /// The column, or the place in its documents.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The field whose tokens it has. `None` for the column of record tags.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// Its tokens by key, plaintext and rows without a value.
    #[must_use]
    pub fn counts(&self) -> &KeyCounts {
        &self.counts
    }
}

/// What a column has.
#[derive(Clone, Debug)]
pub struct ColumnCounts {
    pub(crate) column: Box<str>,
    pub(crate) counts: KeyCounts,
}

impl ColumnCounts {
    /// The column.
    #[must_use]
    pub fn column(&self) -> &str {
        &self.column
    }

    /// Its tokens by key. Values that are no tokens are counted too, and say nothing here.
    #[must_use]
    pub fn counts(&self) -> &KeyCounts {
        &self.counts
    }
}

/// The values of one index in one place.
#[derive(Clone, Debug)]
pub struct IndexPlaceCounts {
    pub(crate) place: Place,
    pub(crate) index: Box<str>,
    pub(crate) counts: IndexCounts,
}

impl IndexPlaceCounts {
    /// The column, or the place in its documents.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> &str {
        &self.index
    }

    /// Its values by prefix.
    #[must_use]
    pub fn counts(&self) -> &IndexCounts {
        &self.counts
    }
}
