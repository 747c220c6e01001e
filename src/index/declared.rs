//! An index of a program, as a type.

use super::definition::Definition;
use super::forms::Forms;
use super::stored::StoredIndex;
use crate::error::Error;
use crate::id::{Class, FieldId, Identifier};

/// A declared index of a record struct, as a marker type. `rxseal_search::indexes!` declares them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an index",
    note = "declare indexes with `rxseal_search::indexes!`, once for each record struct"
)]
pub trait Index: Sized + 'static {
    /// The record struct, in plaintext.
    type Record;
    /// What a row has: `Option<IndexValue<Self>>`, which is `None` if there is nothing to find the record by, or an
    /// [`IndexSet`](super::IndexSet).
    type Stored: StoredIndex<Self>;
    /// What new values are made by.
    const DEFINITION: Definition;
    /// Up to 4 former definitions. Values of these are found, and new values never use them.
    const FORMER: &'static [Definition] = &[];
    /// The classes of the fields that it is made of. An [`Indexer`](super::Indexer) of other classes refuses it.
    const CLASSES: &'static [Class];
    /// The ids of the fields that it is made of.
    const FIELDS: &'static [FieldId];
    /// Where the record has each of them, such as `last_name`. Empty if nobody says so.
    #[doc(hidden)]
    const PLACES: &'static [&'static str] = &[];

    /// Writes the record's normal forms by the normalisers that `definition` names. If it writes none, the record is not found by this
    /// index.
    ///
    /// # Errors
    ///
    /// `not-indexable`, `bad-check-digit`.
    fn forms(record: &Self::Record, definition: &Definition, forms: &mut Forms) -> Result<(), Error>;

    /// The subject of the record, if the record struct says it.
    #[doc(hidden)]
    fn subject(record: &Self::Record) -> Option<Identifier<'_>> {
        let _ = record;
        None
    }

    /// Whose slot it is, if the definition says [`SlotOwner::Person`](super::SlotOwner::Person).
    fn person(record: &Self::Record) -> Option<Identifier<'_>> {
        let _ = record;
        None
    }
}

/// Fails the build if the declaration of an index breaks a rule (FORMAT 15.10).
///
/// # Panics
///
/// If it is called when the program runs, and an index does.
pub const fn check_index<I: Index>() {
    assert!(!I::CLASSES.is_empty(), "an index is made of at least one field, which has a class");
    assert!(
        <I::Stored as StoredIndex<I>>::IS_SET == I::DEFINITION.kind().has_sets(),
        "an index of `parts` or `sounds` stores an `IndexSet`, and every other one an `Option<IndexValue>`"
    );
    check_former(&I::DEFINITION, I::FORMER);
}

pub(super) const fn check_former(present: &Definition, mut former: &[Definition]) {
    assert!(former.len() <= 4, "an index has at most 4 former definitions");
    while let [old, rest @ ..] = former {
        assert!(
            present.may_succeed(old),
            "a former definition has the id, the kind and the number of components of the present one"
        );
        assert!(!present.is_same(old), "a former definition is the present one");
        let mut others = rest;
        while let [other, more @ ..] = others {
            assert!(!old.is_same(other), "a former definition is listed twice");
            others = more;
        }
        former = rest;
    }
}
