//! One source: a table or files, and which columns of it have what.

use rxseal::Error;

use crate::at::At;
use crate::clear::ClearKind;
use crate::keyspace::Keyspace;
use crate::place::Place;

/// A table, or files of one form: where the records of one type are, and what each column has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub(crate) at: At,
    /// As the map writes it.
    pub(crate) written: Box<str>,
    pub(crate) line: usize,
    pub(crate) keyspace: Keyspace,
    pub(crate) record: Box<str>,
    pub(crate) was: Vec<Box<str>>,
    pub(crate) id: Vec<Place>,
    pub(crate) subject: Option<Place>,
    pub(crate) sealed: Vec<Sealed>,
    pub(crate) index: Vec<Indexed>,
    pub(crate) tag: Option<Place>,
    pub(crate) clear: Vec<Clear>,
    pub(crate) empty: Empty,
}

impl Source {
    /// Where it is.
    #[must_use]
    pub fn at(&self) -> &At {
        &self.at
    }

    /// What the map says after `at`, letter by letter: the name by which [`Map::source`](crate::Map::source) finds it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.written
    }

    /// The same source in a copy of its data, such as a dump: each column has what the map says. The place is written as in a map, and files
    /// are relative to the present folder.
    ///
    /// # Errors
    ///
    /// `invalid-map` if the place is not written as in a map.
    pub fn in_copy(&self, at: &str) -> Result<Self, Error> {
        Ok(Self { at: At::parse(at, None).map_err(Error::invalid_map)?, written: at.into(), ..self.clone() })
    }

    /// The line of the map on which it begins, from 1 on.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// In which keyspace its records are: its own, or the map's.
    #[must_use]
    pub fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    /// The record type.
    #[must_use]
    pub fn record(&self) -> &str {
        &self.record
    }

    /// Former names of the record type, the latest first.
    #[must_use]
    pub fn was(&self) -> impl ExactSizeIterator<Item = &str> {
        self.was.iter().map(|name| &**name)
    }

    /// The columns of which the record's id is made. There is at least one.
    #[must_use]
    pub fn id(&self) -> &[Place] {
        &self.id
    }

    /// The column with the subject's id, if records of this source need a subject's key.
    #[must_use]
    pub fn subject(&self) -> Option<&Place> {
        self.subject.as_ref()
    }

    /// The columns that are sealed, in the order of the map. There is at least one.
    #[must_use]
    pub fn sealed(&self) -> &[Sealed] {
        &self.sealed
    }

    /// The columns with values of indexes.
    #[must_use]
    pub fn index(&self) -> &[Indexed] {
        &self.index
    }

    /// The column with the record tag.
    #[must_use]
    pub fn tag(&self) -> Option<&Place> {
        self.tag.as_ref()
    }

    /// The columns that are known to be readable.
    #[must_use]
    pub fn clear(&self) -> &[Clear] {
        &self.clear
    }

    /// What it should not have: a value in any column, in some columns, or a token of some keyspaces.
    #[must_use]
    pub fn empty(&self) -> &Empty {
        &self.empty
    }

    /// What a place that is stored readable tells. The columns of ids tell [`ClearKind::Identifier`] unless the map says more. `None` for
    /// what is sealed, an index or a tag, and for what is not declared.
    #[must_use]
    pub fn clear_kind(&self, column: &str) -> Option<ClearKind> {
        let is_it = |place: &Place| place.column() == column && place.pointer().is_none();
        let said = self.clear.iter().find(|clear| is_it(&clear.place)).map(|clear| clear.kind);
        let of_ids = self.id.iter().chain(&self.subject).any(is_it);
        said.or_else(|| of_ids.then_some(ClearKind::Identifier))
    }

    /// Every column that the source names, each once, in the order of their names. Every other column of its table is undeclared.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<_> = self.places().map(Place::column).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Every place that the source names, some of them twice.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        let own = self.sealed.iter().map(|sealed| &sealed.place).chain(self.index.iter().map(|index| &index.place));
        let clear = self.clear.iter().map(|clear| &clear.place);
        own.chain(&self.tag).chain(&self.id).chain(&self.subject).chain(self.keyspace.column()).chain(clear)
    }
}

/// A sealed column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub(crate) place: Place,
    pub(crate) field: Box<str>,
    pub(crate) line: usize,
}

impl Sealed {
    /// The column, or the place in it.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The id of the field whose tokens it has.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The line of the map.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

/// A column of index values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indexed {
    pub(crate) place: Place,
    pub(crate) index: Box<str>,
    pub(crate) line: usize,
}

impl Indexed {
    /// The column.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The id of the index.
    #[must_use]
    pub fn index(&self) -> &str {
        &self.index
    }

    /// The line of the map.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

/// A column that is known to be readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clear {
    pub(crate) place: Place,
    pub(crate) kind: ClearKind,
    pub(crate) line: usize,
}

impl Clear {
    /// The column, or the place in it.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What it tells about a person.
    #[must_use]
    pub fn kind(&self) -> ClearKind {
        self.kind
    }

    /// The line of the map.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

/// What a source should not have: the key `empty` of the map.
///
/// Without this, a column in which no token of a keyring is found proves nothing: a mistyped name, another database or hidden rows look the
/// same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Empty {
    pub(crate) is_all: bool,
    pub(crate) columns: Vec<Place>,
    pub(crate) keyspaces: Vec<Box<str>>,
}

impl Empty {
    /// Whether the source should have no value in any sealed column, index or tag, such as a new table: `empty = true`.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.is_all
    }

    /// Whether this column should have no value: `empty = { columns = ["note"] }`, or the whole source is empty.
    #[must_use]
    pub fn is_column(&self, place: &Place) -> bool {
        self.is_all || self.columns.contains(place)
    }

    /// Whether no token is of this keyspace, while others have some: `empty = { keyspaces = ["pharmacy-9"] }`.
    #[must_use]
    pub fn is_keyspace(&self, keyspace: &str) -> bool {
        self.keyspaces.iter().any(|known| **known == *keyspace)
    }
}
