//! Random lives of a keyring: operators who know only what was restored, clocks that are set, and a manager that must
//! never go back.

use std::collections::HashMap;
use std::time::SystemTime;

use rxseal::keys::{KeyInfo, KeyState, KeyringAdmin, KeyringFile, KeyringManager, UnlockOptions};
use rxseal::root::RootKeys;
use rxseal::store::KeyringStore;
use rxseal::testing::TestClock;
use rxseal::{Error, KeyId, Keyring};
use tokio::time::advance;

use super::{World, seconds};
use crate::support::{Mode, TENANT, TestStore};

/// Steps that one keyring lives for: it holds 1,024 keys at most.
const STEPS: usize = 50;

/// 2,000 steps; `RXSEAL_CASES` sets another number.
#[tokio::test(start_paused = true)]
async fn whatever_is_put_back_nothing_goes_back() {
    let steps = std::env::var("RXSEAL_CASES").map_or(2_000, |cases| cases.parse().unwrap());
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    let (mut served, mut newer, mut refused) = (0, 0, 0);
    for _ in 0..steps / STEPS {
        let mut life = Life::begin().await;
        for _ in 0..STEPS {
            life.step(&mut chance).await;
        }
        (served, newer, refused) = (served + life.served, newer + life.newer, refused + life.refused);
    }
    println!(
        "{steps} steps: {served} keyrings handed out, {newer} of them newer than the one before, {refused} refused"
    );
    assert!(served > steps / 20 && newer > steps / 100 && refused > steps / 20, "the walk reaches all of it");
}

/// One keyring, all that was ever made of it, and one manager that looks.
struct Life {
    world: World,
    clock: TestClock,
    manager: KeyringManager,
    /// Also those that were made from an older one: any of them may be put back.
    files: Vec<KeyringFile>,
    seen: Seen,
    served: usize,
    newer: usize,
    refused: usize,
}

/// The newest facts that the manager gave.
#[derive(Default)]
struct Seen {
    generation: u64,
    keys: Vec<KeyInfo>,
    states: HashMap<KeyId, KeyState>,
}

impl Life {
    async fn begin() -> Self {
        let (world, clock) = (World::new().await, TestClock::default());
        let files = vec![world.admin.stored(TENANT).await.unwrap()];
        let manager = world.builder().clock(&clock).unobserved();
        Self { world, clock, manager, files, seen: Seen::default(), served: 0, newer: 0, refused: 0 }
    }

    async fn step(&mut self, chance: &mut Chance) {
        match chance.below(10) {
            // Mostly of what is newest, or every life would end in forks.
            0 | 1 => self.change(self.newest(), chance).await,
            // As many changes of an older one as make it the newest, or nearly.
            2 | 3 => {
                let mut at = self.files.len() - 1 - chance.below(self.files.len().min(4));
                for _ in 0..=chance.below(3) {
                    self.change(at, chance).await;
                    at = self.files.len() - 1;
                }
            }
            4 => self.put(self.newest()),
            5 => self.put(chance.below(self.files.len())),
            6 => self.world.store.set(if chance.below(3) == 0 { Mode::Unavailable } else { Mode::Works }),
            7 => self.set_clock(chance).await,
            _ => self.manager.forget(TENANT),
        }
        let known = self.files[chance.below(self.files.len())].keys()[0].id();
        for answer in [self.manager.keyring(TENANT).await, self.manager.keyring_with(TENANT, known).await] {
            self.look(answer.as_ref());
        }
    }

    fn newest(&self) -> usize {
        (0..self.files.len()).max_by_key(|at| (self.files[*at].generation(), *at)).unwrap()
    }

    fn put(&self, at: usize) {
        self.world.store.answer(Some(self.files[at].clone()));
    }

    /// An operator who has seen nothing else goes on from this file.
    async fn change(&mut self, from: usize, chance: &mut Chance) {
        let store = TestStore::default();
        store.put(&self.files[from], None).await.unwrap();
        let roots = RootKeys::from(self.world.root.clone());
        let admin = KeyringAdmin::new(store, roots.clone()).options(UnlockOptions::default().clock_is_right(true));
        let keys = self.files[from].keys();
        let key = keys[chance.below(keys.len())].id();
        // What a key's state forbids is refused, and nothing was made.
        let made = match chance.below(11) {
            0 => admin.stage(TENANT).await.map(|(file, _)| file),
            1 => admin.promote(TENANT, key, SystemTime::now(), seconds(0)).await,
            2 => admin.rotate(TENANT).await.map(|(file, _)| file),
            3 | 4 => admin.deactivate(TENANT, key).await,
            5 | 6 => admin.compromise(TENANT, key).await,
            7 => admin.force_destroy(TENANT, key).await,
            8 => admin.stage_index_root(TENANT).await.map(|(file, _)| file),
            9 => admin.promote_index_root(TENANT, key, SystemTime::now(), seconds(0)).await,
            _ => admin.rewrap(TENANT, &roots).await,
        };
        if let Ok(file) = made {
            self.files.push(file);
            self.put(self.files.len() - 1);
        }
    }

    async fn set_clock(&self, chance: &mut Chance) {
        let by = seconds([1, 31, 400, 4_000, 400_000][chance.below(5)]);
        match chance.below(3) {
            0 => self.clock.set_forward(by),
            1 => self.clock.set_back(by),
            _ => self.clock.advance(by),
        }
        advance(by).await;
    }

    fn look(&mut self, answer: Result<&Keyring, &Error>) {
        let Ok(keyring) = answer else {
            self.refused += 1;
            return;
        };
        let (generation, keys) = (keyring.generation(), keyring.keys().to_vec());
        let seen = &mut self.seen;
        assert!(generation >= seen.generation, "generation {} after {}", generation, seen.generation);
        if generation == seen.generation {
            assert_eq!(keys, seen.keys, "one generation has one content");
        }
        for (key, before) in &seen.states {
            let now = keys.iter().find(|info| info.id() == *key).expect("no key is lost").state();
            assert!(rank(now) >= rank(*before), "{key} was {before:?} and is {now:?}");
        }
        self.served += 1;
        self.newer += usize::from(generation > seen.generation && seen.generation > 0);
        seen.states = keys.iter().map(|info| (info.id(), info.state())).collect();
        (seen.generation, seen.keys) = (generation, keys);
    }
}

fn rank(state: KeyState) -> usize {
    use KeyState::{Active, Compromised, Deactivated, Destroyed, PreActive};
    [PreActive, Active, Deactivated, Compromised, Destroyed].iter().position(|known| *known == state).unwrap()
}

/// xorshift: the same walk each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}
