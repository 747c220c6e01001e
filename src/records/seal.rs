//! Sealing a record struct: its context, and those of its parts.

use std::collections::HashSet;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::round_trip;
use crate::error::{Error, Reason};
use crate::field::Declaration;
use crate::id::{FieldId, Identifier};
use crate::index::{self, Index, NotIndexed};
use crate::record::{Claim, Nonces, RecordCore, SealPass, SealState};
use crate::token::Token;

/// Seals the fields of one struct in their context. The derive's code calls it.
pub struct RecordSealer<'r> {
    core: &'r RecordCore,
    pass: SealPass<'r>,
    sealing: &'r mut Sealing,
}

/// What one call keeps from context to context.
pub(super) struct Sealing {
    nonces: Nonces,
    /// The digests of the parts that were sealed, which are their paths.
    parts: HashSet<[u8; 32]>,
    /// What an index refused, if it is null in the row then.
    not_indexed: Option<Vec<NotIndexed>>,
}

impl Sealing {
    /// For a call that seals in so many contexts.
    pub(super) fn in_contexts(expected: usize) -> Self {
        Self { nonces: Nonces::for_contexts(expected), parts: HashSet::new(), not_indexed: None }
    }

    /// The same, for records that are stored whatever an index refuses.
    pub(super) fn or_null(self) -> Self {
        Self { not_indexed: Some(Vec::new()), ..self }
    }

    /// What was refused.
    pub(super) fn into_not_indexed(self) -> Vec<NotIndexed> {
        self.not_indexed.unwrap_or_default()
    }

    /// Another record begins, whose parts may have the ids that those of the last one had.
    pub(super) fn next_record(&mut self) {
        self.parts.clear();
    }

    /// The state of a context's pass.
    pub(super) fn state(&mut self, core: &RecordCore) -> Result<SealState, Error> {
        self.nonces.state(core)
    }

    /// The part of `core`, which may be sealed once (FORMAT 4.5).
    pub(super) fn part(&mut self, core: &RecordCore, name: &str, id: &Identifier<'_>) -> Result<RecordCore, Error> {
        const REASON: Reason = "two parts of one name have this id, so their tokens could be swapped";
        let of_record = |error: Error| error.in_record(core.context().record_type());
        let part = core.with_part(name, id).map_err(of_record)?;
        if self.parts.insert(part.context().context_digest()) {
            Ok(part)
        } else {
            Err(of_record(Error::invalid_id("part id", REASON)))
        }
    }
}

impl<'r> RecordSealer<'r> {
    pub(super) fn begin(core: &'r RecordCore, sealing: &'r mut Sealing) -> Result<Self, Error> {
        sealing.next_record();
        Self::in_context(core, sealing)
    }

    pub(super) fn core(&self) -> &'r RecordCore {
        self.core
    }

    fn in_context(core: &'r RecordCore, sealing: &'r mut Sealing) -> Result<Self, Error> {
        let pass = SealPass::with_state(core, sealing.state(core)?);
        Ok(Self { core, pass, sealing })
    }

    /// Seals a field whose value is read back as a `T`.
    ///
    /// # Errors
    ///
    /// Those of [`SealPass::seal`]; in debug builds `not-read-back`.
    pub fn field<T: Serialize + DeserializeOwned>(
        &mut self,
        field: &Declaration,
        value: &(impl Serialize + ?Sized),
    ) -> Result<Token, Error> {
        self.checked::<T>(field, value, Claim::Token)
    }

    /// What the row has of an index.
    ///
    /// # Errors
    ///
    /// Those of [`Indexer::stored`](crate::index::Indexer::stored).
    pub fn index<I: Index>(&mut self, plain: &I::Record) -> Result<I::Stored, Error> {
        let stored = index::stored_in::<I>(self.core, plain);
        match (stored, &mut self.sealing.not_indexed) {
            (Err(error), Some(refused)) if error.is_not_indexable() => {
                refused.push(NotIndexed::new(I::DEFINITION.id(), error));
                Ok(I::Stored::default())
            }
            (stored, _) => stored.map_err(|error| error.in_record(self.core.context().record_type())),
        }
    }

    /// A list or a map of a field begins, the only one of that field here (FORMAT 4.5).
    pub(super) fn container(&mut self, field: FieldId) -> Result<(), Error> {
        self.pass.claim(field)
    }

    /// Seals an element of the list.
    pub(super) fn element<T: Serialize + DeserializeOwned>(
        &mut self,
        field: &Declaration,
        value: &T,
    ) -> Result<Token, Error> {
        self.checked::<T>(field, value, Claim::List)
    }

    fn checked<T: Serialize + DeserializeOwned>(
        &mut self,
        field: &Declaration,
        value: &(impl Serialize + ?Sized),
        claim: Claim,
    ) -> Result<Token, Error> {
        let token = self.pass.seal_token(field, value, claim)?;
        if cfg!(debug_assertions) {
            round_trip::check::<T>(field, value).map_err(|error| self.core.located(field.id, error))?;
        }
        Ok(token)
    }

    /// Seals a part in its own context.
    ///
    /// # Errors
    ///
    /// Those of `seal`; `invalid-id`, also if a part of this name and id was sealed already; `random-failed`.
    pub fn part<T>(
        &mut self,
        name: &str,
        id: &Identifier<'_>,
        seal: impl FnOnce(&mut RecordSealer<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let core = self.sealing.part(self.core, name, id)?;
        seal(&mut RecordSealer::in_context(&core, self.sealing)?)
    }
}

impl fmt::Debug for RecordSealer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordSealer").finish_non_exhaustive()
    }
}
