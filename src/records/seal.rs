//! Sealing a record struct.

use std::fmt;

use super::twin::TwinOf;
use crate::error::Error;
use crate::id::Identifier;
use crate::record::{RecordCore, SealPass};

/// Seals the fields of one struct in their context. The derive's code calls it.
pub struct RecordSealer<'r> {
    core: &'r RecordCore,
    pass: SealPass<'r>,
}

impl<'r> RecordSealer<'r> {
    /// The pass over this struct's context.
    pub fn pass(&mut self) -> &mut SealPass<'r> {
        &mut self.pass
    }

    /// Seals a field.
    ///
    /// # Errors
    ///
    /// Those of [`SealPass::seal`].
    pub fn field<M: TwinOf<T>, T>(&mut self, value: &T) -> Result<M::Twin, Error> {
        M::seal_twin(value, &mut self.pass)
    }

    /// Seals a part in its own context.
    ///
    /// # Errors
    ///
    /// Those of [`SealPass::seal`]; `invalid-id`.
    pub fn part<T>(
        &mut self,
        name: &str,
        id: &Identifier<'_>,
        seal: impl FnOnce(&mut RecordSealer<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let core = self.core.with_part(name, id)?;
        seal(&mut RecordSealer::of(&core))
    }
}

impl<'r> RecordSealer<'r> {
    pub(super) fn of(core: &'r RecordCore) -> Self {
        Self { core, pass: SealPass::with_state(core, crate::record::SealState::default()) }
    }
}

impl fmt::Debug for RecordSealer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordSealer").finish_non_exhaustive()
    }
}
