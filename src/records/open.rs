//! Opening a row: its context, and those of its parts.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::field::Declaration;
use crate::id::Identifier;
use crate::record::{OpenPass, OpenState, RecordCore, TokenForm};
use crate::token::Token;

/// Opens the fields of one struct in their context. The derive's code calls it.
pub struct RecordOpener<'a> {
    core: &'a RecordCore,
    state: &'a mut OpenState,
}

impl<'a> RecordOpener<'a> {
    pub(super) fn of(core: &'a RecordCore, state: &'a mut OpenState) -> Self {
        Self { core, state }
    }

    /// Opens a field.
    ///
    /// # Errors
    ///
    /// Those of [`OpenPass::open`].
    pub fn field<T: DeserializeOwned>(&mut self, field: &Declaration, token: &Token) -> Result<T, Error> {
        self.pass().open_form(field, TokenForm::Bytes(token.as_bytes()))
    }

    /// The pass over this struct's context.
    pub(super) fn pass(&mut self) -> OpenPass<'_> {
        OpenPass::new(self.core, self.state)
    }

    /// Opens a part in its own context.
    ///
    /// # Errors
    ///
    /// Those of `open`; `invalid-id`.
    pub fn part<T>(
        &mut self,
        name: &str,
        id: &Identifier<'_>,
        open: impl FnOnce(&mut RecordOpener<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let part = self.core.with_part(name, id);
        let part = part.map_err(|error| error.in_record(self.core.context().record_type()));
        let core = part.inspect_err(|error| self.state.note_failure(error))?;
        let kept = self.state.ciphers();
        let opened = open(&mut RecordOpener::of(&core, self.state));
        self.state.forget_ciphers(kept);
        opened
    }
}

impl fmt::Debug for RecordOpener<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordOpener").finish_non_exhaustive()
    }
}
