//! Whose slot a value has (FORMAT 15.7).

/// Who has one value of a common normal form, if the record has no subject. A record with a subject has the subject's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotOwner {
    /// The record: in a table that has one row for each person.
    Record,
    /// The person whom [`Index::person`](super::Index::person) names.
    Person,
}

/// Whose slot it is: kind and id.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    pub(super) kind: &'static str,
    pub(super) id: &'a str,
}
