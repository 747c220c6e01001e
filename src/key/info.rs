//! The public description of a key in a keyring file, readable without unlocking.

use std::fmt;

use crate::aead::Suite;
use crate::id::KeyId;

/// The state of a key, after NIST SP 800-57 part 1 (FORMAT 8.7). An index root has the same states: a search asks for its values until it
/// is destroyed, and only the primary writes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// Staged: it opens and does not seal, so that every reader gets it before a writer uses it.
    PreActive,
    /// In use: it opens, and if it is the primary it also seals.
    Active,
    /// Out of use: it opens, and never seals again.
    Deactivated,
    /// Somebody else may have it. It opens only through a call that marks its result as not authentic.
    Compromised,
    /// Its bytes are gone from the keyring.
    Destroyed,
}

impl KeyState {
    /// The states in the order of a key's life, which may skip some.
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

    /// Whether a key may be in this state some generations after it was in `earlier`. States change in one direction only.
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

/// The use of a key in a keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyUse {
    /// A DEK, which seals and opens fields.
    Seal,
    /// An index root, which index values are derived from. It does not follow the rotation of DEKs.
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

/// The public description of a key in a keyring.
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
    /// The key's id, as in tokens.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The key's full fingerprint for pinning: 32 public bytes.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// The key's use.
    #[must_use]
    pub fn usage(&self) -> KeyUse {
        self.usage
    }

    /// The key's state.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// Whether it is the primary of its use: the key that seals, or the index root that index values are written under.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.primary
    }

    /// The key's suite. An index root has none.
    #[must_use]
    pub fn suite(&self) -> Option<Suite> {
        self.suite
    }

    /// When the key was made, in Unix seconds.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.created
    }

    /// When its state last changed, in Unix seconds.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_the_format() {
        let states = KeyState::ALL.map(|(state, _)| state);
        assert_eq!(states.map(KeyState::as_str), ["pre-active", "active", "deactivated", "compromised", "destroyed"]);
        assert!(states.into_iter().all(|state| KeyState::parse(state.as_str()) == Some(state)));
        assert!(states.into_iter().all(|state| state.to_string() == state.as_str()));
        let uses = [KeyUse::Seal, KeyUse::Index];
        assert_eq!(uses.map(KeyUse::as_str), ["seal", "index"]);
        assert!(uses.into_iter().all(|usage| KeyUse::parse(usage.as_str()) == Some(usage)));
        for text in ["", "Active", "xyzzy"] {
            assert_eq!((KeyState::parse(text), KeyUse::parse(text)), (None, None), "{text}");
        }
    }

    #[test]
    fn states_change_in_one_direction() {
        for (earlier, (before, _)) in KeyState::ALL.into_iter().enumerate() {
            for (later, (state, _)) in KeyState::ALL.into_iter().enumerate() {
                assert_eq!(state.may_follow(before), later >= earlier, "{state} after {before}");
            }
        }
    }

    #[test]
    fn it_says_what_it_was_made_of() {
        for (usage, primary, suite) in [(KeyUse::Seal, true, Some(Suite::Xaes256Gcm)), (KeyUse::Index, false, None)] {
            let (id, fingerprint) = (KeyId::from_bytes([7; 6]), [9; 32]);
            let state = KeyState::Deactivated;
            let info = KeyInfo { id, fingerprint, usage, state, primary, suite, created: 100, changed: 200 };
            assert_eq!((info.id(), *info.fingerprint(), info.usage(), info.state()), (id, fingerprint, usage, state));
            assert_eq!((info.is_primary(), info.suite(), info.created(), info.changed()), (primary, suite, 100, 200));
        }
    }
}
