//! The newest generations that a process has seen, so that no keyring goes back while it runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::backend::Backend;
use crate::error::{Error, ErrorKind, Reason};
use crate::key::{KeyInfo, KeyState, KeyringFile};

/// The newest unlocked generation of each keyspace, even of keyspaces that are no longer held.
///
/// A keyring file proves that it is a genuine generation, not that it is the newest (FORMAT 8.6). A file that was made from the newest
/// one has all of its keys, and none in an earlier state. Any other file was made from an older one. It may lack a key that sealed
/// tokens a moment ago, or a mark `compromised`, so that forged tokens would count as genuine again.
#[derive(Default)]
pub(crate) struct Seen(Mutex<BTreeMap<String, Arc<Newest>>>);

/// The newest generation that was seen of one keyspace. It is empty until one was seen.
#[derive(Default)]
pub(crate) struct Newest {
    generation: u64,
    /// The digest of everything that the KEK vouches for.
    digest: [u8; 32],
    /// In ascending order.
    keys: Box<[Fact]>,
}

/// A key's full fingerprint, which never changes, and its state.
#[derive(Clone, Copy)]
struct Fact {
    fingerprint: [u8; 32],
    state: KeyState,
}

impl Seen {
    /// Call this before asking a store: its answer must not be older than this, whatever others see meanwhile.
    pub(crate) fn newest(&self, keyspace: &str) -> Arc<Newest> {
        self.lock().get(keyspace).map(Arc::clone).unwrap_or_default()
    }

    /// Remembers a file that was unlocked or stored. It checks once more, because an earlier, slower call may end after a newer one.
    pub(crate) fn see(&self, file: &KeyringFile) -> Result<(), Error> {
        let mut seen = self.lock();
        seen.get(file.keyspace()).map_or(Ok(()), |newest| newest.check(file))?;
        seen.insert(file.keyspace().to_owned(), Arc::new(Newest::of(file)));
        Ok(())
    }

    // Every change leaves the state whole, so a panic elsewhere does no harm.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Newest>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Newest {
    pub(crate) fn of(file: &KeyringFile) -> Self {
        let fact = |key: &KeyInfo| Fact { fingerprint: key.fingerprint, state: key.state };
        Self {
            generation: file.generation(),
            digest: file.digest(Backend::default()),
            keys: file.keys().iter().map(fact).collect(),
        }
    }

    /// Refuses a file that was not made from the newest one seen of its keyspace. It does not check whether the file is genuine.
    pub(crate) fn check(&self, file: &KeyringFile) -> Result<(), Error> {
        if file.generation() < self.generation {
            return Err(ErrorKind::KeyringTooOld.into());
        }
        for fact in &self.keys {
            // A file's keys are in ascending order of their ids, and an id is the start of its fingerprint.
            let found = file.keys().binary_search_by(|key| key.fingerprint.cmp(&fact.fingerprint));
            let key = found.ok().and_then(|at| file.keys().get(at)).ok_or_else(|| forked("it lacks a key"))?;
            if !key.state.may_follow(fact.state) {
                return Err(forked("a key in it is in an earlier state").with_key(key.id));
            }
        }
        if file.generation() == self.generation && file.digest(Backend::default()) != self.digest {
            return Err(forked("its generation was seen with another content"));
        }
        Ok(())
    }
}

fn forked(reason: Reason) -> Error {
    ErrorKind::KeyringForked.because(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root_key::run_local;
    use crate::testing::insecure_keyring_file;

    const STATES: [KeyState; 5] =
        [KeyState::PreActive, KeyState::Active, KeyState::Deactivated, KeyState::Compromised, KeyState::Destroyed];

    /// Whether a file is taken by a process that has seen another one.
    fn is_taken(seen: &KeyringFile, file: &KeyringFile) -> bool {
        let memory = Seen::default();
        memory.see(seen).unwrap();
        let result = memory.newest(seen.keyspace()).check(file);
        assert!(result.as_ref().err().is_none_or(|error| error.code().as_str() == "keyring-too-old"));
        assert_eq!(memory.see(file).is_ok(), result.is_ok());
        // What was refused leaves nothing behind.
        memory.newest(seen.keyspace()).check(if result.is_ok() { file } else { seen }).unwrap();
        result.is_ok()
    }

    /// Every state of a key that was seen against every state in a later, the same and an earlier generation, and against a file that
    /// lacks the key.
    #[test]
    fn a_key_goes_forward_only() {
        let (roots, first) = insecure_keyring_file("pharmacy-17").unwrap();
        let base = run_local(crate::testing::rotate_keyring("pharmacy-17", &roots, &first)).unwrap();
        let with = |at: usize, state, generation| {
            let mut file = base.clone();
            file.generation = generation;
            file.keys[at].state = state;
            file
        };
        for at in 0..base.keys.len() {
            for (was_at, was) in STATES.into_iter().enumerate() {
                let seen = with(at, was, 10);
                for (is_at, is) in STATES.into_iter().enumerate() {
                    for later in [11, 12, 1000] {
                        assert_eq!(is_taken(&seen, &with(at, is, later)), is_at >= was_at, "{was} to {is} in {later}");
                    }
                    assert_eq!(is_taken(&seen, &with(at, is, 10)), is == was, "one generation has one content");
                    assert!(!is_taken(&seen, &with(at, is, 9)), "{was} to {is} in an earlier generation");
                }
                for generation in [10, 11] {
                    let mut lacks = with(at, was, generation);
                    lacks.keys.remove(at);
                    assert!(!is_taken(&seen, &lacks), "{was} to none in {generation}");
                    // Another key whose id happens to be the same.
                    let mut other = with(at, was, generation);
                    other.keys[at].fingerprint[31] ^= 1;
                    assert!(!is_taken(&seen, &other), "{was} to another key in {generation}");
                }
            }
        }
    }

    #[test]
    fn one_generation_has_one_content() {
        let (roots, first) = insecure_keyring_file("pharmacy-17").unwrap();
        assert!(is_taken(&first, &first));
        let [one, other] =
            [0; 2].map(|_| run_local(crate::testing::rotate_keyring("pharmacy-17", &roots, &first)).unwrap());
        assert!(!is_taken(&one, &other));
        assert!(!is_taken(&other, &one));
        let changes: [fn(&mut KeyringFile); 4] = [
            |file| file.body[30] ^= 1,
            |file| file.kek_fingerprint[0] ^= 1,
            |file| file.keys[0].changed += 1,
            |file| file.keys[0].primary = !file.keys[0].primary,
        ];
        for change in changes {
            let mut changed = one.clone();
            change(&mut changed);
            assert!(!is_taken(&one, &changed));
        }
        // A wrap that was damaged and put right: the KEK vouches for the rest.
        let mut wrap = one.clone();
        wrap.wraps[0].wrapped[0] ^= 1;
        assert!(is_taken(&one, &wrap));
        assert!(is_taken(&wrap, &one));
    }

    #[test]
    fn keyspaces_are_apart() {
        let [(_, one), (_, other)] = ["a", "b"].map(|keyspace| insecure_keyring_file(keyspace).unwrap());
        let seen = Seen::default();
        seen.see(&one).unwrap();
        seen.see(&other).unwrap();
        seen.newest("c").check(&other).unwrap();
        assert!(seen.newest("b").check(&one).is_err());
    }
}
