//! Search: what an index is, and the values that rows are found by (FORMAT 15).
//!
//! An *index value* is stored in a column beside a record. It is a short keyed hash of a normal form, such as a birth date: rows of one
//! birth date have one value, and so do some strangers. A search asks for the value, opens the *candidates* that it finds, and keeps the
//! *hits*. The crate [rxseal-search](https://docs.rs/rxseal-search) declares indexes, makes normal forms and finds hits. This module has
//! what touches keys.

mod column;
mod definition;
mod fields;
mod forms;
mod indexed;
mod indexer;
mod owner;
mod prepared;
mod slots;
mod stored;
mod value;

pub use column::IndexColumn;
pub use definition::{Definition, Kind};
#[doc(hidden)]
pub use fields::check_searchable;
pub use forms::Forms;
pub use indexed::{EachIndex, IndexedRecord, NotIndexed};
pub use indexer::{IndexPrefix, Indexer};
pub use owner::SlotOwner;
pub use slots::SlotTable;
pub use stored::StoredIndex;
pub use value::{IndexSet, IndexValue};

pub use crate::field::Search;

use crate::error::{Error, ErrorKind};
use crate::id::{Class, FieldId, Identifier};
use crate::record::RecordCore;

/// A declared index of a record struct, as a marker type. `rxseal_search::indexes!` declares them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an index",
    note = "declare indexes with `rxseal_search::indexes!`, once for each record struct"
)]
pub trait Index: Sized + 'static {
    /// The record struct, in plaintext.
    type Record;
    /// What a row has: `Option<IndexValue<Self>>`, which is `None` if there is nothing to find the record by, or an [`IndexSet`].
    type Stored: StoredIndex<Self>;
    /// What new values are made by.
    const DEFINITION: Definition;
    /// Up to 4 former definitions. Values of these are found, and new values never use them.
    const FORMER: &'static [Definition] = &[];
    /// The classes of the fields that it is made of. An [`Indexer`] of other classes refuses it.
    const CLASSES: &'static [Class];
    /// The ids of the fields that it is made of.
    const FIELDS: &'static [FieldId];

    /// Writes the record's normal forms by the normalisers that `definition` names. If it writes none, the record is not found by this
    /// index.
    ///
    /// # Errors
    ///
    /// `not-indexable`, `bad-check-digit`.
    fn forms(record: &Self::Record, definition: &Definition, forms: &mut Forms) -> Result<(), Error>;

    /// Whose slot it is, if the definition says [`SlotOwner::Person`].
    fn person(record: &Self::Record) -> Option<Identifier<'_>> {
        let _ = record;
        None
    }
}

/// What the row of a record has of an index, as a part of sealing it.
pub(crate) fn stored_in<I: Index>(core: &RecordCore, plain: &I::Record) -> Result<I::Stored, Error> {
    if !I::CLASSES.iter().all(|class| core.allows(*class)) {
        return Err(ErrorKind::ClassLocked.into());
    }
    indexer::stored::<I>(&core.shared().keys, core.context(), plain)
}
