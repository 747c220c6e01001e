//! Roles as handles: one seals and cannot open, the other opens and cannot seal. And record types, each named once.

mod record_type;

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::id::{Class, Identifier};
use crate::keyring::{Keyring, KeyringShares};
use crate::record::{OpenOnly, Record, RecordCore, SealOnly};

pub use record_type::RecordType;

/// A handle that seals fields and cannot open them, for example for an intake service. It is `Clone`, `Send` and `Sync`.
///
/// It has the keys of the keyring that it was made from, and never sees a newer generation. With a `KeyringManager`, make one for
/// each request, which costs only a reference count. A `Sealer` that you keep goes on using keys that were taken out of use.
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
/// It has no method that opens:
///
/// ```compile_fail
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = rxseal::Access::new("user:kim", rxseal::Purpose::TREAT)?;
/// keys.sealer().record("prescription", "RX-1001")?.opened_by(&access);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sealer {
    shares: Arc<KeyringShares>,
}

/// A handle that opens fields and cannot seal them, for example for a report or a label printer. It is `Clone`, `Send` and `Sync`.
///
/// It has the keys of the keyring that it was made from, and never sees a newer generation. With a `KeyringManager`, make one for
/// each request, which costs only a reference count. An `Opener` that you keep goes on using keys that were taken out of use.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = rxseal::Access::new("svc:label-printer", rxseal::Purpose::TREAT)?;
/// use rxseal::Class;
/// let printer = keys.opener().only([Class::IDENTITY, Class::MEDICATION]);
/// # let diagnosis = keys.record("prescription", "RX-1001")?.seal::<rxseal::phi::Diagnosis>("I10")?;
/// let rec = printer.record("prescription", "RX-1001")?;
/// let refused = rec.opened_by(&access).open::<rxseal::phi::Diagnosis, String>(&diagnosis).unwrap_err();
/// assert!(refused.is_locked_out());
/// # Ok(())
/// # }
/// ```
///
/// It has no method that seals:
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
    shares: Arc<KeyringShares>,
}

impl Keyring {
    /// A handle that only seals.
    #[must_use]
    pub fn sealer(&self) -> Sealer {
        Sealer { shares: Arc::clone(self.shares()) }
    }

    /// A handle that only opens.
    #[must_use]
    pub fn opener(&self) -> Opener {
        Opener { shares: Arc::clone(self.shares()) }
    }
}

impl Sealer {
    /// The same handle, limited to these classes. It never allows more classes than before.
    #[must_use]
    pub fn only(mut self, classes: impl IntoIterator<Item = Class>) -> Self {
        self.shares = self.shares.only(classes);
        self
    }

    /// As [`Keyring::record`].
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn record<'a>(&self, record_type: &str, id: impl Into<Identifier<'a>>) -> Result<Record<SealOnly>, Error> {
        Record::new(RecordCore::bound(&self.shares, record_type, &id.into())?)
    }

    /// As [`Keyring::unbound`].
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn unbound(&self, record_type: &str) -> Result<Record<SealOnly>, Error> {
        Record::new(RecordCore::unbound(&self.shares, record_type)?)
    }
}

impl Opener {
    /// The same handle, limited to these classes. It never allows more classes than before. This is a guard within the process:
    /// the handle still refers to a keyring that has the keys of all classes.
    #[must_use]
    pub fn only(mut self, classes: impl IntoIterator<Item = Class>) -> Self {
        self.shares = self.shares.only(classes);
        self
    }

    /// As [`Keyring::record`].
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn record<'a>(&self, record_type: &str, id: impl Into<Identifier<'a>>) -> Result<Record<OpenOnly>, Error> {
        Record::new(RecordCore::bound(&self.shares, record_type, &id.into())?)
    }

    /// As [`Keyring::unbound`].
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn unbound(&self, record_type: &str) -> Result<Record<OpenOnly>, Error> {
        Record::new(RecordCore::unbound(&self.shares, record_type)?)
    }
}

impl Sealer {
    pub(crate) fn shares(&self) -> &Arc<KeyringShares> {
        &self.shares
    }
}

impl Opener {
    pub(crate) fn shares(&self) -> &Arc<KeyringShares> {
        &self.shares
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("only", self.shares.limit()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("only", self.shares.limit()).finish_non_exhaustive()
    }
}
