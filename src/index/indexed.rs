//! All indexes of a record struct at once, so that none is forgotten where a record is stored.

use super::Index;
use super::definition::Definition;
use super::indexer::Indexer;
use crate::error::Error;
use crate::record::{Record, Role};

/// A record struct with indexes. `rxseal_search::indexes!` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no indexes",
    note = "declare them with `rxseal_search::indexes! {{ for {Self} as \"record-type\" {{ .. }} }}`"
)]
pub trait IndexedRecord: Sized {
    /// The definitions of its indexes, in the order of their declaration. Whoever shreds a subject clears the columns of all of them.
    const INDEXES: &'static [Definition];
    /// The former definitions of each, in the same order.
    #[doc(hidden)]
    const FORMER: &'static [&'static [Definition]];
    /// What a row has of all of them: a struct with a field for each.
    type Indexes;

    #[doc(hidden)]
    fn each_index(&self, each: &mut impl EachIndex<Self>) -> Result<Self::Indexes, Error>;
}

/// What is done for each index of a record. Only generated code calls it.
pub trait EachIndex<R> {
    #[doc(hidden)]
    fn stored<I: Index<Record = R>>(&mut self, plain: &R) -> Result<I::Stored, Error>;
}

/// An index that [`Indexer::index_or_null`] or [`Keyring::seal_or_null`](crate::Keyring::seal_or_null) left null, and why.
#[derive(Debug)]
pub struct NotIndexed {
    index: &'static str,
    error: Error,
}

impl NotIndexed {
    pub(crate) fn new(index: &'static str, error: Error) -> Self {
        Self { index, error }
    }

    /// The id of the index.
    #[must_use]
    pub fn index(&self) -> &'static str {
        self.index
    }

    /// Why: `not-indexable` or `bad-check-digit`.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    pub(crate) fn into_error(self) -> Error {
        self.error
    }
}

impl Indexer {
    /// What a row of `record` has of each of its indexes.
    ///
    /// # Errors
    ///
    /// Those of [`stored`](Self::stored), of the first index that has one. A record with a value that is not indexable is refused as a
    /// whole; [`index_or_null`](Self::index_or_null) stores null instead.
    pub fn index<R: IndexedRecord>(&self, record: &Record<impl Role>, plain: &R) -> Result<R::Indexes, Error> {
        plain.each_index(&mut Strict { indexer: self, record })
    }

    /// The same for records that must be stored whatever they hold, such as an import: a field that is not indexable is null in its
    /// index, and is listed. Count them, since a search by that index does not find the record.
    ///
    /// # Errors
    ///
    /// Those of [`stored`](Self::stored), except `not-indexable` and `bad-check-digit`.
    pub fn index_or_null<R: IndexedRecord>(
        &self,
        record: &Record<impl Role>,
        plain: &R,
    ) -> Result<(R::Indexes, Vec<NotIndexed>), Error> {
        let mut each = OrNull { strict: Strict { indexer: self, record }, not_indexed: Vec::new() };
        let indexes = plain.each_index(&mut each)?;
        Ok((indexes, each.not_indexed))
    }
}

struct Strict<'a, R: Role> {
    indexer: &'a Indexer,
    record: &'a Record<R>,
}

impl<T, R: Role> EachIndex<T> for Strict<'_, R> {
    fn stored<I: Index<Record = T>>(&mut self, plain: &T) -> Result<I::Stored, Error> {
        self.indexer.stored::<I>(self.record, plain)
    }
}

struct OrNull<'a, R: Role> {
    strict: Strict<'a, R>,
    not_indexed: Vec<NotIndexed>,
}

impl<T, R: Role> EachIndex<T> for OrNull<'_, R> {
    fn stored<I: Index<Record = T>>(&mut self, plain: &T) -> Result<I::Stored, Error> {
        match self.strict.stored::<I>(plain) {
            Err(error) if error.is_not_indexable() => {
                self.not_indexed.push(NotIndexed::new(I::DEFINITION.id(), error));
                Ok(I::Stored::default())
            }
            stored => stored,
        }
    }
}
