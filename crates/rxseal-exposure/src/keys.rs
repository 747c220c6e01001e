//! Which keys are known, and which of them were taken.

use std::collections::{BTreeMap, BTreeSet};

use rxseal::KeyId;
use rxseal::keys::{KeyInfo, KeyState, KeyUse, KeyringFile};

use crate::rule::Held;

/// What a thief has of all keys.
#[derive(Default)]
pub(crate) struct Keys {
    known: BTreeMap<KeyId, Known>,
}

struct Known {
    held: Held,
    /// By which stolen things it was taken.
    by: BTreeSet<usize>,
    /// Of an index root, the keyspace. One that was destroyed counts too: an older copy of the data has its values.
    index_root_of: Option<Box<str>>,
}

/// A keyring file, and whether it was taken: if so, as which stolen thing.
pub(crate) struct Ring {
    pub(crate) file: KeyringFile,
    pub(crate) taken: Option<usize>,
}

impl Keys {
    /// Of a key that no file and no log has, nobody knows who else has it.
    pub(crate) fn held(&self, key: KeyId) -> Held {
        self.known.get(&key).map_or(Held::Unknown, |known| known.held)
    }

    pub(crate) fn is_known(&self, key: KeyId) -> bool {
        self.known.contains_key(&key)
    }

    /// The stolen things by which a key was taken.
    pub(crate) fn taken_by(&self, key: KeyId) -> impl Iterator<Item = usize> {
        self.known.get(&key).into_iter().flat_map(|known| known.by.iter().copied())
    }

    /// How many keys were taken by a stolen thing.
    pub(crate) fn count_taken_by(&self, thing: usize) -> u64 {
        let keys = self.known.values().filter(|known| known.by.contains(&thing)).count();
        u64::try_from(keys).unwrap_or(u64::MAX)
    }

    /// A value does not say under which root it is, so it may be under the one of a keyspace that the thief is likeliest to have.
    pub(crate) fn index_root(&self, keyspace: Option<&str>) -> Held {
        let of = |known: &&Known| match (&known.index_root_of, keyspace) {
            (Some(of), Some(keyspace)) => **of == *keyspace,
            (of, None) => of.is_some(),
            (None, _) => false,
        };
        self.known.values().filter(of).map(|known| known.held).min().unwrap_or(Held::Unknown)
    }

    /// A key that is known, and not taken by that.
    pub(crate) fn know(&mut self, key: KeyId) {
        self.known.entry(key).or_insert(Known { held: Held::NotTaken, by: BTreeSet::new(), index_root_of: None });
    }

    pub(crate) fn take(&mut self, key: KeyId, held: Held, by: usize) {
        self.know(key);
        if let Some(known) = self.known.get_mut(&key) {
            known.held = held.min(known.held);
            known.by.insert(by);
        }
    }

    /// A key of which only a log is known. A stolen KEK or root key may open a keyring file that has it.
    pub(crate) fn know_from_log(&mut self, key: KeyId, could_be_in_a_ring: bool) {
        let held = if could_be_in_a_ring { Held::Unknown } else { Held::NotTaken };
        self.known.entry(key).or_insert(Known { held, by: BTreeSet::new(), index_root_of: None });
    }

    /// All keys of a keyring file.
    pub(crate) fn know_ring(&mut self, ring: &KeyringFile) {
        for key in ring.keys() {
            self.know(key.id());
            if key.usage() == KeyUse::Index
                && let Some(known) = self.known.get_mut(&key.id())
            {
                known.index_root_of = Some(ring.keyspace().into());
            }
        }
    }

    /// All keys of the files that `opens` says, which a stolen thing opens: `with_file` says how surely, if the file was taken too. Answers whether there
    /// is one.
    pub(crate) fn take_rings(
        &mut self,
        rings: &[Ring],
        opens: impl Fn(&KeyringFile) -> bool,
        by: usize,
        with_file: Held,
    ) -> bool {
        let mut is_one = false;
        for ring in rings.iter().filter(|ring| opens(&ring.file)) {
            is_one = true;
            // Without proof that the file was taken, the thief could perhaps fetch it.
            let held = if ring.taken.is_some() { with_file } else { Held::Perhaps };
            // An older generation that the thief may have has the bytes of a key that was destroyed since.
            for key in ring.file.keys().iter().filter(|key| !is_there(key)) {
                if let Some(known) = self.known.get_mut(&key.id()) {
                    known.held = known.held.min(Held::Unknown);
                }
            }
            for key in ring.file.keys().iter().filter(|key| is_there(key)) {
                self.take(key.id(), held, by);
                if let Some(file) = ring.taken {
                    self.take(key.id(), held, file);
                }
            }
        }
        self.doubt_gaps(rings, &opens);
        is_one
    }

    /// A keyring may have been under a stolen root key in a generation that was not given, and may have been moved to another one since.
    pub(crate) fn doubt_moved(&mut self, rings: &[Ring], opens: impl Fn(&KeyringFile) -> bool) {
        let mut keyspaces: BTreeMap<&str, BTreeMap<u64, &KeyringFile>> = BTreeMap::new();
        for Ring { file, .. } in rings {
            keyspaces.entry(file.keyspace()).or_default().insert(file.generation(), file);
        }
        for generations in keyspaces.values() {
            let mut before: Option<&KeyringFile> = None;
            for (number, file) in generations {
                let is_gap = *number > before.map_or(0, KeyringFile::generation).saturating_add(1);
                // Under one KEK a keyring only gets further root keys, so those of the later file are all that there were.
                let is_other_kek = before.is_none_or(|before| before.kek_fingerprint() != file.kek_fingerprint());
                if is_gap && (is_other_kek || opens(file)) {
                    for key in file.keys() {
                        if let Some(known) = self.known.get_mut(&key.id()) {
                            known.held = known.held.min(Held::Unknown);
                        }
                    }
                }
                before = Some(*file);
            }
        }
    }

    /// A key may have been in a generation that was not given, between one that the thief opens and the first one that is known to have it.
    fn doubt_gaps(&mut self, rings: &[Ring], opens: &impl Fn(&KeyringFile) -> bool) {
        let has = |file: &KeyringFile, key: KeyId| file.keys().iter().any(|known| known.id() == key);
        for Ring { file, .. } in rings {
            let of_keyspace =
                || rings.iter().map(|ring| &ring.file).filter(|other| other.keyspace() == file.keyspace());
            for key in file.keys() {
                let first = of_keyspace().filter(|other| has(other, key.id())).map(KeyringFile::generation).min();
                let before = first.unwrap_or_default().saturating_sub(1);
                let is_given = of_keyspace().any(|other| other.generation() == before);
                let is_opened = of_keyspace().any(|other| other.generation() < before && opens(other));
                if !is_given
                    && is_opened
                    && let Some(known) = self.known.get_mut(&key.id())
                {
                    known.held = known.held.min(Held::Unknown);
                }
            }
        }
    }
}

/// A keyring has no bytes of a key that was destroyed.
fn is_there(key: &KeyInfo) -> bool {
    key.state() != KeyState::Destroyed
}
