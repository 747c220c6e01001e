//! What reads the values of a source, and what it is told of them.

use super::value::Value;
use crate::clear::ClearKind;
use crate::place::Place;
use crate::source::{Indexed, Sealed};

/// What a value is in, as the map says it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot<'s> {
    /// A place with tokens of a field.
    Sealed(&'s Sealed),
    /// The place with record tags.
    Tag(&'s Place),
    /// A place with values of an index.
    Index(&'s Indexed),
    /// A place that is known to be readable, and what it tells: one of `clear`, `id`, `subject` or the keyspace.
    Clear(&'s Place, ClearKind),
    /// The place that says of which keyspace a row is. It is a readable place too, which has a spot of its own.
    Keyspace(&'s Place),
    /// The place with the id of the record's subject. Like that of the keyspace, it is a readable place too, which has a spot of its own.
    Subject(&'s Place),
    /// A place with the record's id, or with a part of it: one for each of [`Source::id`](crate::Source::id), in its order. The same holds.
    Id(&'s Place),
    /// A column whose documents have such places. Its values are the whole documents.
    Document(&'s str),
    /// A column that the map does not name.
    Undeclared(&'s str),
}

/// What reads the values of a source: see [`read_source`](crate::read_source).
pub trait Visitor {
    /// A spot of the source, before its first value. The answer is the number by which its values come, and `None` leaves them out.
    /// It is called once for each spot of the map, and once for each further column that is found.
    fn spot(&mut self, spot: Spot<'_>) -> Option<usize>;

    /// One value of a spot. A row has several of a place such as `doc:/lines/*/drug`, or of a name that comes twice.
    fn value(&mut self, spot: usize, value: Value<'_>);

    /// So many rows have no value in this spot, because they lack its column altogether. It is told at the end.
    fn absent(&mut self, spot: usize, rows: u64);

    /// The row of the values since the last call is at its end.
    fn end_row(&mut self) {}
}

/// What was read of a source.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceRead {
    /// The files. 0 for a table.
    pub files: usize,
    /// Rows of the table, or of all files.
    pub rows: u64,
    /// Why the source may have more than was read, as [`KeyCounts::doubt`](rxseal::count::KeyCounts::doubt) says it.
    pub doubt: Option<&'static str>,
}
