//! Events about keys.

use std::fmt;
use std::time::Duration;

use crate::error::ErrorCode;
use crate::id::KeyId;

/// Something that happened to the keys of a keyspace. It contains no key. Only [`Shredded`](Self::Shredded) names a patient.
///
/// `code` is a stable [`Error::code`](crate::Error::code). `reason` is the error's text with what the provider or store said, for
/// an operator to read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeyEvent<'a> {
    /// A keyring was unlocked.
    #[non_exhaustive]
    Unlocked {
        /// The keyspace.
        keyspace: &'a str,
        /// The generation of the keyring.
        generation: u64,
        /// The provider of the root key that unlocked it.
        provider: &'a str,
        /// The name of that root key.
        root_key: &'a str,
        /// The keys that this process has now: those that are not destroyed, and the index roots if they were asked for.
        key_ids: &'a [KeyId],
        /// The id under which the key service logged its call, if it has one.
        request_id: Option<&'a str>,
    },
    /// The last handle of a keyring was dropped: this process wiped its keys. A process that is killed does not say so.
    #[non_exhaustive]
    Locked {
        /// The keyspace.
        keyspace: &'a str,
        /// The generation of the keyring.
        generation: u64,
    },
    /// A root key that should unlock a keyring failed. The next one is tried, if there is one.
    #[non_exhaustive]
    RootKeyFailed {
        /// The keyspace.
        keyspace: &'a str,
        /// The provider of the root key.
        provider: &'a str,
        /// The name of the root key.
        root_key: &'a str,
        /// The error's code.
        code: ErrorCode,
        /// The error's text.
        reason: &'a str,
    },
    /// A `KeyringManager` has a newer generation than before.
    #[non_exhaustive]
    Refreshed {
        /// The keyspace.
        keyspace: &'a str,
        /// The newer generation.
        generation: u64,
    },
    /// A `KeyringManager` could not look for a newer generation.
    #[non_exhaustive]
    RefreshFailed {
        /// The keyspace.
        keyspace: &'a str,
        /// The generation that is unlocked.
        generation: u64,
        /// How long ago it was last known to be the newest.
        stale_for: Duration,
        /// The error's code.
        code: ErrorCode,
        /// The error's text.
        reason: &'a str,
    },
    /// A `KeyringManager` has no keyring of this keyspace yet, and could not read or unlock one.
    #[non_exhaustive]
    NotUnlocked {
        /// The keyspace.
        keyspace: &'a str,
        /// The error's code.
        code: ErrorCode,
        /// The error's text.
        reason: &'a str,
    },
    /// Something sealed under a compromised key was resealed: from now on it counts as authentic.
    #[non_exhaustive]
    CompromisedKeyUsed {
        /// The keyspace.
        keyspace: &'a str,
        /// The compromised key.
        key_id: KeyId,
    },
    /// Fields were sealed again under the primary key: by one call, whether of a record or of a page. Nobody saw what is in them.
    #[non_exhaustive]
    Resealed {
        /// The keyspace.
        keyspace: &'a str,
        /// The key that they are under now.
        key_id: KeyId,
        /// In how many records.
        records: usize,
        /// How many fields.
        fields: usize,
    },
    /// A subject was shredded. Its id often identifies a patient, so protect logs of it as you protect the records.
    #[non_exhaustive]
    Shredded {
        /// The keyspace.
        keyspace: &'a str,
        /// The subject.
        subject: &'a str,
        /// When the last backup of the store that has its key will be gone, in Unix seconds.
        complete_at: u64,
    },
    /// A keyring was changed, and the change is stored.
    #[non_exhaustive]
    Changed {
        /// The keyspace.
        keyspace: &'a str,
        /// The generation that has the change.
        generation: u64,
        /// What changed.
        change: KeyChange,
    },
}

/// What an administrative call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyChange {
    /// The keyring was made.
    Created,
    /// A new key was staged.
    Staged(KeyId),
    /// A staged key became the primary, the one that seals.
    Promoted(KeyId),
    /// A new key became the primary without staging.
    Rotated(KeyId),
    /// A key or index root is out of use: nothing is written under it any more.
    Deactivated(KeyId),
    /// A key is marked compromised.
    Compromised(KeyId),
    /// A key was destroyed.
    Destroyed(KeyId),
    /// A key was destroyed without asking what was still under it, or how long it was out of use.
    DestroyedByForce(KeyId),
    /// The keys are under a new KEK, and only the given root keys unlock it.
    Rewrapped,
    /// A root key was added, and unlocks the keyring too.
    RootAdded,
    /// A root key was removed, and the keys are under a new KEK.
    RootRemoved,
    /// A new index root became the primary one without staging.
    IndexRootRotated(KeyId),
    /// A new index root was staged: searches ask for its values, and nothing is written under it yet.
    IndexRootStaged(KeyId),
    /// A staged index root became the primary one, which index values are written under.
    IndexRootPromoted(KeyId),
}

impl KeyChange {
    /// A stable word, for logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Staged(_) => "staged",
            Self::Promoted(_) => "promoted",
            Self::Rotated(_) => "rotated",
            Self::Deactivated(_) => "deactivated",
            Self::Compromised(_) => "compromised",
            Self::Destroyed(_) => "destroyed",
            Self::DestroyedByForce(_) => "destroyed-without-count-or-wait",
            Self::Rewrapped => "rewrapped",
            Self::RootAdded => "root-added",
            Self::RootRemoved => "root-removed",
            Self::IndexRootRotated(_) => "index-root-rotated",
            Self::IndexRootStaged(_) => "index-root-staged",
            Self::IndexRootPromoted(_) => "index-root-promoted",
        }
    }

    /// The key that the change is about, if it is about one.
    #[must_use]
    pub fn key_id(self) -> Option<KeyId> {
        match self {
            Self::Staged(id)
            | Self::Promoted(id)
            | Self::Rotated(id)
            | Self::Deactivated(id)
            | Self::Compromised(id)
            | Self::Destroyed(id)
            | Self::DestroyedByForce(id)
            | Self::IndexRootRotated(id)
            | Self::IndexRootStaged(id)
            | Self::IndexRootPromoted(id) => Some(id),
            Self::Created | Self::Rewrapped | Self::RootAdded | Self::RootRemoved => None,
        }
    }
}

impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
