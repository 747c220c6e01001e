//! Roles as handles: who can seal but not open, and who can open but not seal.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::id::{Class, Identifier};
use crate::keyring::{Keyring, Shared};
use crate::record::{ClassLimit, OpenOnly, Record, RecordCore, SealOnly};

/// Seals fields and cannot open them: for an intake service. `Clone`, `Send` and `Sync`.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let sealer = keys.sealer();
/// let token = sealer.record("prescription", "RX-1001")?.seal::<rxseal::phi::Drug>("warfarin 5 MG")?;
/// # Ok(())
/// # }
/// ```
///
/// There is no way to open with it:
///
/// ```compile_fail
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = rxseal::Access::new("user:kim", rxseal::Purpose::TREAT)?;
/// keys.sealer().record("prescription", "RX-1001")?.access(&access);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sealer {
    shared: Arc<Shared>,
    limit: ClassLimit,
}

/// Opens fields and cannot seal them: for a report or a label printer. `Clone`, `Send` and `Sync`.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = rxseal::Access::new("svc:label-printer", rxseal::Purpose::TREAT)?;
/// use rxseal::Class;
/// let printer = keys.opener().only([Class::IDENTITY, Class::MEDICATION]);
/// # let diagnosis = keys.record("prescription", "RX-1001")?.seal::<rxseal::phi::Diagnosis>("I10")?;
/// let rec = printer.record("prescription", "RX-1001")?;
/// let refused = rec.access(&access).open::<rxseal::phi::Diagnosis, String>(&diagnosis).unwrap_err();
/// assert!(refused.is_locked_out());
/// # Ok(())
/// # }
/// ```
///
/// There is no way to seal with it:
///
/// ```compile_fail
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// keys.opener().record("prescription", "RX-1001")?.seal::<rxseal::phi::Drug>("warfarin 5 MG")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Opener {
    shared: Arc<Shared>,
    limit: ClassLimit,
}

impl Keyring {
    /// A handle that seals only.
    #[must_use]
    pub fn sealer(&self) -> Sealer {
        Sealer { shared: Arc::clone(self.shared()), limit: None }
    }

    /// A handle that opens only.
    #[must_use]
    pub fn opener(&self) -> Opener {
        Opener { shared: Arc::clone(self.shared()), limit: None }
    }
}

/// The classes that both limits allow.
#[expect(clippy::unnecessary_wraps, reason = "it is a limit; the handles start without one")]
fn narrowed(limit: &ClassLimit, classes: impl IntoIterator<Item = Class>) -> ClassLimit {
    let allowed = |class: &Class| limit.as_ref().is_none_or(|known| known.contains(class));
    Some(classes.into_iter().filter(allowed).collect())
}

impl Sealer {
    /// The same handle for these classes only; never for more than before.
    #[must_use]
    pub fn only(mut self, classes: impl IntoIterator<Item = Class>) -> Self {
        self.limit = narrowed(&self.limit, classes);
        self
    }

    /// As [`Keyring::record`].
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn record<'a>(&self, record_type: &str, id: impl Into<Identifier<'a>>) -> Result<Record<SealOnly>, Error> {
        Record::new(RecordCore::bound(&self.shared, record_type, &id.into(), self.limit.clone())?)
    }

    /// As [`Keyring::unbound`].
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn unbound(&self, record_type: &str) -> Result<Record<SealOnly>, Error> {
        Record::new(RecordCore::unbound(&self.shared, record_type, self.limit.clone())?)
    }
}

impl Opener {
    /// The same handle for these classes only; never for more than before. A guard within this process: the handle still
    /// refers to a keyring that holds the keys of all classes.
    #[must_use]
    pub fn only(mut self, classes: impl IntoIterator<Item = Class>) -> Self {
        self.limit = narrowed(&self.limit, classes);
        self
    }

    /// As [`Keyring::record`].
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn record<'a>(&self, record_type: &str, id: impl Into<Identifier<'a>>) -> Result<Record<OpenOnly>, Error> {
        Record::new(RecordCore::bound(&self.shared, record_type, &id.into(), self.limit.clone())?)
    }

    /// As [`Keyring::unbound`].
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn unbound(&self, record_type: &str) -> Result<Record<OpenOnly>, Error> {
        Record::new(RecordCore::unbound(&self.shared, record_type, self.limit.clone())?)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("only", &self.limit).finish_non_exhaustive()
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("only", &self.limit).finish_non_exhaustive()
    }
}
