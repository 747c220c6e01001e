//! What is known of a subject's key.

use crate::key::WrappedSubjectKey;

/// What a store holds of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoredSubject {
    /// Nothing: no key was made for it yet.
    Absent,
    /// Its wrapped key.
    Key(WrappedSubjectKey),
    /// Something that is no wrapped key. Restore it, or its fields are lost.
    Damaged,
    /// Its key was destroyed, and no other one is ever made.
    Shredded {
        /// When, in Unix seconds.
        at: u64,
    },
}

/// Until when a subject's key must not be destroyed, by the clock of whoever asks for it.
///
/// ```
/// use rxseal::store::Retention;
/// let until = 1_924_992_000; // 2031-01-01
/// let retention = Retention::default().until(Some(until)).legal_hold(true);
/// assert!(retention.holds_at(until + 1));
/// assert!(!retention.legal_hold(false).holds_at(until + 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    until: Option<u64>,
    legal_hold: bool,
}

impl Retention {
    /// The law asks for the records until then, in Unix seconds: pharmacy records must be kept for years.
    #[must_use]
    pub fn until(mut self, seconds: Option<u64>) -> Self {
        self.until = seconds;
        self
    }

    /// A court or a payer asks for them, until somebody says otherwise.
    #[must_use]
    pub fn legal_hold(mut self, hold: bool) -> Self {
        self.legal_hold = hold;
        self
    }

    /// Until when the law asks for the records, in Unix seconds.
    #[must_use]
    pub fn retained_until(&self) -> Option<u64> {
        self.until
    }

    /// Whether somebody asks for them until further notice.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.legal_hold
    }

    /// Whether the key must not be destroyed at that time, in Unix seconds.
    #[must_use]
    pub fn holds_at(&self, seconds: u64) -> bool {
        self.legal_hold || self.until.is_some_and(|until| until > seconds)
    }
}
