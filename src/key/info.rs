//! What a keyring file tells of a key without being unlocked.

use std::fmt;

use crate::aead::Suite;
use crate::id::KeyId;

/// The state of a key, after NIST SP 800-57 part 1 (FORMAT 8.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// Opens, does not seal: staged, so that every reader has it before a writer uses it.
    PreActive,
    /// Opens; the one that is primary seals.
    Active,
    /// Opens, never seals again.
    Deactivated,
    /// Somebody else may hold it. Opens only by a call that marks its result as not authentic.
    Compromised,
    /// Its bytes are gone from the keyring.
    Destroyed,
}

impl KeyState {
    /// In the order of a key's life, which may leave some out.
    const ALL: [(Self, &'static str); 5] = [
        (Self::PreActive, "pre-active"),
        (Self::Active, "active"),
        (Self::Deactivated, "deactivated"),
        (Self::Compromised, "compromised"),
        (Self::Destroyed, "destroyed"),
    ];

    /// As in a keyring file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, text)| text)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(state, _)| *state)
    }

    /// Whether a key may be in this state some generations after it was in `earlier`: its life has one direction.
    pub(crate) fn may_follow(self, earlier: Self) -> bool {
        let place = |wanted: Self| Self::ALL.iter().position(|(state, _)| *state == wanted);
        place(self) >= place(earlier)
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a key of a keyring is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyUse {
    /// A DEK: seals and opens fields.
    Seal,
    /// An index root, kept for blind indexes. It does not follow the rotation of DEKs.
    Index,
}

impl KeyUse {
    /// As in a keyring file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Index => "index",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Seal, Self::Index].into_iter().find(|usage| usage.as_str() == text)
    }
}

/// The public description of a key of a keyring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    pub(crate) id: KeyId,
    pub(crate) fingerprint: [u8; 32],
    pub(crate) usage: KeyUse,
    pub(crate) state: KeyState,
    pub(crate) primary: bool,
    pub(crate) suite: Option<Suite>,
    pub(crate) created: u64,
    pub(crate) changed: u64,
}

impl KeyInfo {
    /// The key's id, as it stands in tokens.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The key's full fingerprint: 32 public bytes, for pinning.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// What it is for.
    #[must_use]
    pub fn usage(&self) -> KeyUse {
        self.usage
    }

    /// Its state.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// Whether it is the one that seals.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.primary
    }

    /// Its suite; none for an index root.
    #[must_use]
    pub fn suite(&self) -> Option<Suite> {
        self.suite
    }

    /// When it was made, in Unix seconds.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.created
    }

    /// When its state changed last, in Unix seconds.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.changed
    }
}
