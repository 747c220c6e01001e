//! Opening a row.

use std::fmt;

use super::twin::TwinOf;
use crate::error::Error;
use crate::id::Identifier;
use crate::record::{OpenPass, OpenState, RecordCore};

/// Opens the fields of one struct in their context. The derive's code calls it.
pub struct RecordOpener<'a> {
    core: &'a RecordCore,
    state: &'a mut OpenState,
}

impl<'a> RecordOpener<'a> {
    pub(super) fn of(core: &'a RecordCore, state: &'a mut OpenState) -> Self {
        Self { core, state }
    }

    /// The pass over this struct's context.
    pub fn pass(&mut self) -> OpenPass<'_> {
        OpenPass::new(self.core, self.state)
    }

    /// Opens a field.
    ///
    /// # Errors
    ///
    /// Those of [`OpenPass::open`].
    pub fn field<M: TwinOf<T>, T>(&mut self, twin: &M::Twin) -> Result<T, Error> {
        M::open_twin(twin, &mut self.pass())
    }

    /// Opens a part in its own context.
    ///
    /// # Errors
    ///
    /// Those of [`OpenPass::open`]; `invalid-id`.
    pub fn part<T>(
        &mut self,
        name: &str,
        id: &Identifier<'_>,
        open: impl FnOnce(&mut RecordOpener<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let core = self.core.with_part(name, id)?;
        open(&mut RecordOpener::of(&core, self.state))
    }
}

impl fmt::Debug for RecordOpener<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordOpener").finish_non_exhaustive()
    }
}
