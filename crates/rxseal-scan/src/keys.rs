//! The keys of the keyrings that were given.

use std::collections::HashMap;

use rxseal::KeyId;
use rxseal::keys::{KeyState, KeyringFile};

use crate::kind::Kind;

#[derive(Default)]
pub(crate) struct Keys(HashMap<KeyId, KeyState>);

impl Keys {
    pub(crate) fn add(&mut self, ring: &KeyringFile) {
        self.0.extend(ring.keys().iter().map(|key| (key.id(), key.state())));
    }

    pub(crate) fn has(&self, key: KeyId) -> bool {
        self.0.contains_key(&key)
    }

    /// What is wrong with a token under this key. Without a keyring nothing is.
    pub(crate) fn fault(&self, key: KeyId) -> Option<Kind> {
        if self.0.is_empty() {
            return None;
        }
        match self.0.get(&key) {
            None => Some(Kind::KeyUnknown),
            Some(KeyState::Destroyed) => Some(Kind::KeyDestroyed),
            Some(KeyState::Compromised) => Some(Kind::KeyCompromised),
            Some(_) => None,
        }
    }
}
