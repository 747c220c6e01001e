//! `KeyringManager`: one attempt for all callers, bounded staleness, grace in an outage, and never an older keyring
//! (T50 of docs/THREAT-MODEL.md).

mod walk;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use crate::support::{Heard, Mode, TENANT, TestRoot, TestStore};
use rxseal::count::count_by_key;
use rxseal::keys::{KeyState, KeyringAdmin, KeyringManager, KeyringManagerBuilder, RemainingUse, Suite, UnlockOptions};
use rxseal::observe::{KeyEvent, Observer, OpenEvent};
use rxseal::phi::Drug;
use rxseal::root::RootKeys;
use rxseal::testing::TestClock;
use rxseal::{Access, Error, KeyId, Keyring, Purpose, Token, run_local};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, advance, timeout};

struct World {
    root: TestRoot,
    store: TestStore,
    admin: KeyringAdmin,
}

impl World {
    async fn new() -> Self {
        let (root, store) = (TestRoot::new("root-1"), TestStore::default());
        let admin = KeyringAdmin::new(store.clone(), RootKeys::from(root.clone()));
        admin.create(TENANT, Suite::default()).await.unwrap();
        Self { root, store, admin }
    }

    fn builder(&self) -> KeyringManagerBuilder {
        KeyringManager::builder(self.store.clone(), RootKeys::from(self.root.clone()))
            .max_staleness(Duration::from_secs(300))
            .grace(Duration::from_secs(3600))
    }

    /// Calls of the root key and of the store since `before`.
    fn calls(&self, before: (usize, usize)) -> (usize, usize) {
        (self.root.unwraps() - before.0, self.store.gets() - before.1)
    }

    fn now(&self) -> (usize, usize) {
        (self.root.unwraps(), self.store.gets())
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Lets tasks in the background end.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

fn key_of(keys: &Keyring) -> KeyId {
    keys.primary_key()
}

#[tokio::test(start_paused = true)]
async fn sixty_four_cold_callers_make_one_call() {
    let world = World::new().await;
    world.root.set_delay(Duration::from_millis(80));
    let before = world.now();
    let manager = world.builder().unobserved();
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let manager = manager.clone();
            tokio::spawn(async move { manager.keyring(TENANT).await })
        })
        .collect();
    let mut records = Vec::new();
    for (at, caller) in callers.into_iter().enumerate() {
        records.push(caller.await.unwrap().unwrap().record("prescription", at.to_string()).unwrap());
    }
    let access = Access::new("user:kim", Purpose::TREAT).unwrap();
    // A page of keyrings that were unlocked apart is refused.
    rxseal::page::open_page(&records, &access, |_, _| Ok(())).expect("all have one keyring");
    assert_eq!(world.calls(before).0, 1);

    let before = world.now();
    for _ in 0..10_000 {
        manager.keyring(TENANT).await.unwrap();
    }
    assert_eq!(world.calls(before), (0, 0), "warm: nobody is asked");
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_get_the_error_of_one_attempt() {
    let world = World::new().await;
    world.root.set(Mode::Unavailable);
    world.root.set_delay(seconds(5));
    let before = world.now();
    let manager = world.builder().unobserved();
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let manager = manager.clone();
            tokio::spawn(async move { manager.keyring(TENANT).await.map(drop) })
        })
        .collect();
    for caller in callers {
        let error = caller.await.unwrap().unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "timeout");
    }
    assert_eq!(world.calls(before), (1, 1));
    // Whoever comes a moment later is told at once; after a second there is a new attempt.
    manager.keyring(TENANT).await.unwrap_err();
    assert_eq!(world.calls(before), (1, 1));
    advance(seconds(2)).await;
    world.root.set(Mode::Works);
    manager.keyring(TENANT).await.unwrap();
    assert_eq!(world.calls(before), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_does_not_stop_the_others() {
    let world = World::new().await;
    world.root.set_delay(seconds(1));
    let manager = world.builder().unobserved();
    let first = tokio::spawn({
        let manager = manager.clone();
        async move { manager.keyring(TENANT).await.map(drop) }
    });
    settle().await;
    let second = tokio::spawn({
        let manager = manager.clone();
        async move { manager.keyring(TENANT).await.map(drop) }
    });
    settle().await;
    first.abort();
    second.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_newer_generation_is_seen_within_the_staleness() {
    let world = World::new().await;
    let heard = Heard::default();
    let manager = world.builder().observed_by(heard.clone());
    let first = manager.keyring(TENANT).await.unwrap();
    let (_, rotated) = world.admin.rotate(TENANT).await.unwrap();
    let before = world.now();
    advance(seconds(149)).await;
    assert_eq!(key_of(&manager.keyring(TENANT).await.unwrap()), key_of(&first));
    settle().await;
    assert_eq!(world.calls(before), (0, 0));
    advance(seconds(2)).await;
    // Who asks gets the old one at once; the next one has the new one.
    assert_eq!(key_of(&manager.keyring(TENANT).await.unwrap()), key_of(&first));
    settle().await;
    assert_eq!(key_of(&manager.keyring(TENANT).await.unwrap()), rotated);
    assert_eq!(world.calls(before), (1, 1));
    assert_eq!(heard.take(), ["unlocked 1 by root-1", "unlocked 2 by root-1", "refreshed 2"]);

    // An unchanged file is not unlocked again.
    let before = world.now();
    for _ in 0..10 {
        advance(seconds(151)).await;
        manager.keyring(TENANT).await.unwrap();
        settle().await;
    }
    assert_eq!(world.calls(before), (0, 10));
    // After a long silence nobody gets a stale one.
    world.admin.rotate(TENANT).await.unwrap();
    advance(seconds(86_400)).await;
    assert_eq!(manager.keyring(TENANT).await.unwrap().generation(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_outage_has_a_grace_that_is_bounded_and_reported() {
    for breaks in ["store", "root key"] {
        let world = World::new().await;
        let heard = Heard::default();
        let manager = world.builder().observed_by(heard.clone());
        manager.keyring(TENANT).await.unwrap();
        heard.take();
        if breaks == "store" {
            world.store.set(Mode::Unavailable);
        } else {
            world.admin.rotate(TENANT).await.unwrap();
            world.root.set(Mode::Unavailable);
        }
        let before = world.now();
        // A request every second: each is served at once, and the outage is asked about every ten seconds.
        let mut served = 0;
        for _ in 0..4000 {
            advance(seconds(1)).await;
            served += usize::from(manager.keyring(TENANT).await.is_ok());
            settle().await;
        }
        assert!((3890..=3900).contains(&served), "{breaks}: {served}");
        let attempts = world.calls(before).1;
        assert!((340..=500).contains(&attempts), "{breaks}: {attempts}");
        let error = manager.keyring(TENANT).await.unwrap_err();
        assert!(error.is_retryable(), "{breaks}: {error}");
        let heard = heard.take();
        assert!(heard.iter().filter(|event| event.starts_with("refresh of 1 failed after")).count() >= 340, "{breaks}");

        world.store.set(Mode::Works);
        world.root.set(Mode::Works);
        advance(seconds(2)).await;
        manager.keyring(TENANT).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn in_an_outage_nobody_waits_for_slow_attempts() {
    let world = World::new().await;
    let manager = world.builder().unobserved();
    manager.keyring(TENANT).await.unwrap();
    world.admin.rotate(TENANT).await.unwrap();
    world.root.set(Mode::Unavailable);
    world.root.set_delay(seconds(60));
    let before = world.now();
    for second in 1..=3900 {
        advance(seconds(1)).await;
        if second < 3900 {
            assert_eq!(at_once(&manager).await, 1, "after {second} s");
        }
        settle().await;
    }
    assert!((50..=54).contains(&world.calls(before).0), "{:?}", world.calls(before));
    // The grace ends in the middle of an attempt or between two: there is an error, with or without a wait.
    assert!(asked(&manager).await.0.unwrap_err().is_retryable());
    world.root.set(Mode::Works);
    advance(seconds(61)).await;
    assert_eq!(asked(&manager).await.0.unwrap(), 2);
}

/// Only a failure begins an outage: who comes after a long silence waits, however slow the answer is.
#[tokio::test(start_paused = true)]
async fn a_slow_attempt_alone_is_no_outage() {
    let world = World::new().await;
    let manager = world.builder().unobserved();
    manager.keyring(TENANT).await.unwrap();
    world.admin.rotate(TENANT).await.unwrap();
    world.root.set_delay(seconds(60));
    advance(seconds(1000)).await;
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let manager = manager.clone();
            tokio::spawn(async move { asked(&manager).await })
        })
        .collect();
    for caller in callers {
        let (generation, waited) = caller.await.unwrap();
        assert_eq!((generation.unwrap(), waited.as_secs()), (2, 60));
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_failure_is_no_outage() {
    let world = World::new().await;
    let manager = world.builder().unobserved();
    manager.keyring(TENANT).await.unwrap();
    // A moment without the store, just when it is asked, and then nobody asks for long.
    advance(seconds(151)).await;
    world.store.set(Mode::Unavailable);
    manager.keyring(TENANT).await.unwrap();
    settle().await;
    world.store.set(Mode::Works);
    world.admin.rotate(TENANT).await.unwrap();
    advance(seconds(1800)).await;
    assert_eq!(manager.keyring(TENANT).await.unwrap().generation(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_busy_loop_starts_one_refresh() {
    let world = World::new().await;
    let manager = world.builder().unobserved();
    manager.keyring(TENANT).await.unwrap();
    advance(seconds(151)).await;
    let before = world.now();
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for _ in 0..10_000 {
        manager.keyring(TENANT).await.unwrap();
    }
    assert!(tokio::runtime::Handle::current().metrics().num_alive_tasks() <= tasks + 1);
    settle().await;
    assert_eq!(world.calls(before).1, 1);
}

#[tokio::test(start_paused = true)]
async fn impatient_callers_do_not_begin_it_anew() {
    let world = World::new().await;
    world.root.set_delay(seconds(3));
    let before = world.now();
    let manager = world.builder().unobserved();
    let impatient = || tokio::time::timeout(seconds(2), manager.keyring(TENANT));
    assert!(impatient().await.is_err());
    impatient().await.unwrap().unwrap();
    assert_eq!(world.calls(before).0, 1);
}

#[tokio::test(start_paused = true)]
async fn who_is_waited_for_is_not_pushed_out() {
    let world = World::new().await;
    for at in 0..20 {
        world.admin.create(&format!("tenant-{at}"), Suite::default()).await.unwrap();
    }
    world.root.set_delay(seconds(1));
    let before = world.now();
    let manager = world.builder().capacity(NonZeroUsize::new(2).unwrap()).unobserved();
    let callers: Vec<_> = (0..100)
        .map(|at| {
            let manager = manager.clone();
            tokio::spawn(async move { manager.keyring(&format!("tenant-{}", at % 20)).await.map(drop) })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(world.calls(before).0, 20, "each once, whatever the capacity");
    // And it is within its capacity again with the next one.
    manager.keyring(TENANT).await.unwrap();
    assert!(manager.unlocked() <= 2, "{}", manager.unlocked());
}

/// An observer that asks the manager something while it is told.
#[tokio::test(start_paused = true)]
async fn an_observer_may_ask_the_manager() {
    struct Asks(Arc<std::sync::OnceLock<KeyringManager>>, Heard);
    impl rxseal::observe::Observer for Asks {
        fn opened(&self, _: &rxseal::observe::OpenEvent<'_>) -> Result<(), rxseal::Error> {
            Ok(())
        }
        fn key_event(&self, event: &rxseal::observe::KeyEvent<'_>) {
            if let Some(manager) = self.0.get() {
                let _ = manager.unlocked();
            }
            self.1.key_event(event);
        }
    }
    let world = World::new().await;
    let (cell, heard) = (Arc::new(std::sync::OnceLock::new()), Heard::default());
    let manager = world.builder().observed_by(Asks(Arc::clone(&cell), heard.clone()));
    let _ = cell.set(manager.clone());
    world.store.set(Mode::Unavailable);
    manager.keyring(TENANT).await.unwrap_err();
    assert!(heard.take()[0].starts_with("NotUnlocked"));
    world.store.set(Mode::Works);
    advance(seconds(2)).await;
    manager.keyring(TENANT).await.unwrap();
    world.store.set(Mode::Unavailable);
    advance(seconds(200)).await;
    manager.keyring(TENANT).await.unwrap();
    settle().await;
    assert!(heard.take().iter().any(|event| event.starts_with("refresh of 1 failed")));
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_has_no_grace() {
    let world = World::new().await;
    let manager = world.builder().unobserved();
    manager.keyring(TENANT).await.unwrap();
    world.store.set(Mode::Refuses);
    advance(seconds(200)).await;
    manager.keyring(TENANT).await.unwrap();
    settle().await;
    manager.keyring(TENANT).await.unwrap();
    advance(seconds(101)).await;
    assert_eq!(manager.keyring(TENANT).await.unwrap_err().code().as_str(), "store-refused");
    // An outage after it changes nothing of that; a success does.
    world.store.set(Mode::Unavailable);
    advance(seconds(11)).await;
    assert_eq!(manager.keyring(TENANT).await.unwrap_err().code().as_str(), "store-unavailable");
    world.store.set(Mode::Works);
    advance(seconds(11)).await;
    manager.keyring(TENANT).await.unwrap();
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// Fails instead of waiting for ever.
async fn asked(manager: &KeyringManager) -> (Result<u64, rxseal::Error>, Duration) {
    let began = Instant::now();
    let keys = timeout(seconds(3600), manager.keyring(TENANT)).await.expect("it hangs");
    (keys.map(|keys| keys.generation()), began.elapsed())
}

async fn at_once(manager: &KeyringManager) -> u64 {
    let (generation, waited) = asked(manager).await;
    assert_eq!(waited, Duration::ZERO);
    generation.unwrap()
}

#[test]
fn a_runtime_that_nobody_drives_holds_nobody_up_for_long() {
    let (parked, driven) = (runtime(), runtime());
    let world = driven.block_on(World::new());
    let heard = Heard::default();
    let manager = world.builder().max_staleness(seconds(100)).observed_by(heard.clone());
    parked.block_on(async {
        manager.keyring(TENANT).await.unwrap();
        advance(seconds(51)).await;
        // A refresh begins in the background, and this runtime is left alone.
        manager.keyring(TENANT).await.unwrap();
    });
    driven.block_on(async {
        world.admin.rotate(TENANT).await.unwrap();
        let before = world.now();
        heard.take();
        advance(seconds(101)).await;
        let (generation, waited) = asked(&manager).await;
        assert_eq!(generation.unwrap(), 1);
        assert!((69..=71).contains(&waited.as_secs()), "two minutes from the beginning: {waited:?}");
        let told = heard.take();
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("refresh of 1 failed after 17"), "{told:?}");
        // It is an outage from then on: nobody waits, and the observer hears of it.
        for _ in 0..100 {
            advance(seconds(1)).await;
            assert_eq!(at_once(&manager).await, 1);
        }
        assert_eq!(heard.take().len(), 10);
        advance(seconds(60)).await;
        assert_eq!(at_once(&manager).await, 1);
        advance(seconds(3600)).await;
        let (error, waited) = asked(&manager).await;
        assert!(error.unwrap_err().is_retryable() && waited.is_zero());
        assert_eq!(world.calls(before), (0, 0), "one attempt at a time");
        parked.shutdown_background();
        advance(seconds(2)).await;
        assert_eq!(at_once(&manager).await, 2);
    });
}

#[test]
fn cold_callers_wait_for_a_parked_runtime_no_longer_than_for_a_slow_one() {
    let (parked, driven) = (runtime(), runtime());
    let world = driven.block_on(World::new());
    let manager = world.builder().unobserved();
    world.root.set_delay(seconds(5));
    parked.block_on(async { timeout(seconds(1), manager.keyring(TENANT)).await.unwrap_err() });
    let before = world.now();
    driven.block_on(async {
        let (error, waited) = asked(&manager).await;
        assert!(error.unwrap_err().to_string().contains("did not end"));
        assert!((119..=121).contains(&waited.as_secs()), "{waited:?}");
        let (error, waited) = asked(&manager).await;
        assert!(error.unwrap_err().is_retryable() && waited.is_zero());
        assert_eq!(world.calls(before), (0, 0), "one attempt at a time");
    });
}

#[test]
fn who_waits_for_an_attempt_that_is_cut_off_begins_another_one() {
    let (parked, driven) = (runtime(), runtime());
    let world = driven.block_on(World::new());
    let manager = world.builder().unobserved();
    world.root.set_delay(seconds(5));
    parked.block_on(async { timeout(seconds(1), manager.keyring(TENANT)).await.unwrap_err() });
    driven.block_on(async {
        let waiting: Vec<_> = (0..8)
            .map(|_| {
                let manager = manager.clone();
                tokio::spawn(async move { asked(&manager).await.0 })
            })
            .collect();
        settle().await;
        let before = world.now();
        parked.shutdown_background();
        for caller in waiting {
            assert_eq!(caller.await.unwrap().unwrap(), 1);
        }
        assert_eq!(world.calls(before).0, 1);
    });
}

#[test]
fn it_works_without_timers_and_without_a_runtime() {
    let world = run_local(async { Ok(World::new().await) }).unwrap();
    let manager = world.builder().max_staleness(Duration::ZERO).unobserved();
    Builder::new_current_thread().build().unwrap().block_on(manager.keyring(TENANT)).unwrap();
    run_local(world.admin.rotate(TENANT)).unwrap();
    assert_eq!(run_local(manager.keyring(TENANT)).unwrap().generation(), 2);
}

/// Hears what `Heard` does, until it panics at what a refresh tells it.
struct Panics(Arc<AtomicBool>, Heard);

impl Observer for Panics {
    fn opened(&self, _: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        Ok(())
    }

    fn key_event(&self, event: &KeyEvent<'_>) {
        assert!(!(self.0.load(SeqCst) && matches!(event, KeyEvent::Refreshed { .. })), "on command");
        self.1.key_event(event);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure() {
    for breaks in ["store", "root key", "options_for", "observer"] {
        let world = World::new().await;
        let (heard, observer, options) = (Heard::default(), Arc::new(AtomicBool::new(false)), Arc::default());
        let manager = world
            .builder()
            .grace(seconds(60))
            .options_for({
                let options: Arc<AtomicBool> = Arc::clone(&options);
                move |_| {
                    assert!(!options.load(SeqCst), "on command");
                    UnlockOptions::default()
                }
            })
            .observed_by(Panics(Arc::clone(&observer), heard.clone()));
        manager.keyring(TENANT).await.unwrap();
        world.admin.rotate(TENANT).await.unwrap();
        match breaks {
            "store" => world.store.set(Mode::Panics),
            "root key" => world.root.set(Mode::Panics),
            "options_for" => options.store(true, SeqCst),
            _ => observer.store(true, SeqCst),
        }
        heard.take();
        advance(seconds(151)).await;
        manager.keyring(TENANT).await.unwrap();
        settle().await;
        assert_eq!(heard.take().last().unwrap(), "refresh of 1 failed after 151 s: store-unavailable", "{breaks}");
        // The staleness and the grace are those of any other failure.
        advance(seconds(150)).await;
        assert_eq!(manager.keyring(TENANT).await.unwrap().generation(), 1, "{breaks}");
        advance(seconds(60)).await;
        let error = manager.keyring(TENANT).await.unwrap_err();
        assert!(error.is_retryable() && error.to_string().contains("panicked"), "{breaks}: {error}");

        world.store.set(Mode::Works);
        world.root.set(Mode::Works);
        options.store(false, SeqCst);
        observer.store(false, SeqCst);
        advance(seconds(2)).await;
        assert_eq!(manager.keyring(TENANT).await.unwrap().generation(), 2, "{breaks}");
    }
}

#[tokio::test(start_paused = true)]
async fn never_backwards() {
    let world = World::new().await;
    let first = world.admin.stored(TENANT).await.unwrap();
    world.admin.rotate(TENANT).await.unwrap();
    let manager = world.builder().unobserved();
    assert_eq!(manager.keyring(TENANT).await.unwrap().generation(), 2);
    world.store.answer(Some(first));
    advance(seconds(200)).await;
    manager.keyring(TENANT).await.unwrap();
    settle().await;
    assert_eq!(manager.keyring(TENANT).await.unwrap().generation(), 2);
    advance(seconds(200)).await;
    assert_eq!(manager.keyring(TENANT).await.unwrap_err().code().as_str(), "keyring-too-old");
    // Not even when it was let go in between.
    manager.forget(TENANT);
    assert_eq!(manager.keyring(TENANT).await.unwrap_err().code().as_str(), "keyring-too-old");
    world.store.answer(None);
    advance(seconds(2)).await;
    assert_eq!(manager.keyring(TENANT).await.unwrap().generation(), 2);
}

#[tokio::test(start_paused = true)]
async fn never_to_a_keyring_that_lacks_a_key() {
    let world = World::new().await;
    let roots = RootKeys::from(world.root.clone());
    let first = world.admin.stored(TENANT).await.unwrap();
    world.admin.rotate(TENANT).await.unwrap();
    // A backup of the first generation was restored, and rotated once or twice.
    let second = rxseal::testing::rotate_keyring(TENANT, &roots, &first).await.unwrap();
    let third = rxseal::testing::rotate_keyring(TENANT, &roots, &second).await.unwrap();
    for fork in [second, third] {
        let heard = Heard::default();
        let manager = world.builder().observed_by(heard.clone());
        world.store.answer(None);
        let keys = manager.keyring(TENANT).await.unwrap();
        let token = keys.record("prescription", "RX-1001").unwrap().seal::<Drug>("warfarin 5 MG").unwrap();

        world.store.answer(Some(fork.clone()));
        advance(seconds(151)).await;
        manager.keyring(TENANT).await.unwrap();
        settle().await;
        assert_eq!(heard.take().last().unwrap(), "refresh of 2 failed after 151 s: keyring-too-old");
        let rec = manager.keyring(TENANT).await.unwrap().record("prescription", "RX-1001").unwrap();
        let access = Access::new("user:kim", Purpose::TREAT).unwrap();
        assert_eq!(rec.opened_by(&access).open::<Drug, String>(&token).unwrap(), "warfarin 5 MG");

        advance(seconds(150)).await;
        let error = manager.keyring(TENANT).await.unwrap_err();
        assert!(error.code().as_str() == "keyring-too-old" && error.to_string().contains("lacks a key"), "{error}");
        manager.forget(TENANT);
        assert_eq!(manager.keyring(TENANT).await.unwrap_err().code().as_str(), "keyring-too-old");
        // Who is restarted begins with what there is.
        let generation = fork.generation();
        assert_eq!(world.builder().unobserved().keyring(TENANT).await.unwrap().generation(), generation);
    }
}

#[tokio::test(start_paused = true)]
async fn a_destroyed_key_is_not_missed() {
    let world = World::new().await;
    let roots = RootKeys::from(world.root.clone());
    let manager = world.builder().unobserved();
    let old = key_of(&manager.keyring(TENANT).await.unwrap());
    world.admin.rotate(TENANT).await.unwrap();
    let rotated = world.admin.stored(TENANT).await.unwrap();
    let destroyed = rxseal::testing::force_key_state(TENANT, &roots, &rotated, old, KeyState::Destroyed).await.unwrap();
    for file in [rotated, destroyed] {
        let generation = file.generation();
        world.store.answer(Some(file));
        advance(seconds(301)).await;
        assert_eq!(manager.keyring(TENANT).await.unwrap().generation(), generation);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_asks_once() {
    let world = World::new().await;
    let manager = world.builder().unobserved();
    let old = manager.keyring(TENANT).await.unwrap();
    let (_, fresh) = world.admin.rotate(TENANT).await.unwrap();
    let before = world.now();
    advance(seconds(4)).await;
    assert_eq!(manager.keyring_with(TENANT, fresh).await.unwrap().generation(), 1, "an ordinary look-up counts too");
    assert_eq!(world.calls(before), (0, 0));
    advance(seconds(2)).await;
    assert_eq!(manager.keyring_with(TENANT, key_of(&old)).await.unwrap().generation(), 1, "no need to ask");
    assert_eq!(manager.keyring_with(TENANT, fresh).await.unwrap().generation(), 2);
    assert_eq!(world.calls(before), (1, 1));

    // A key that nobody has: a forged token must not become a call of the store for each request.
    let other = World::new().await.admin.stored(TENANT).await.unwrap().keys()[0].id();
    for _ in 0..1000 {
        manager.keyring_with(TENANT, other).await.unwrap();
    }
    assert_eq!(world.calls(before), (1, 1));
    for _ in 0..60 {
        advance(seconds(1)).await;
        manager.keyring_with(TENANT, other).await.unwrap();
    }
    assert!(world.calls(before).1 <= 13, "{:?}", world.calls(before));
}

#[tokio::test(start_paused = true)]
async fn too_many_keyspaces_push_out_the_one_unused_longest() {
    let world = World::new().await;
    for at in 0..5 {
        world.admin.create(&format!("tenant-{at}"), Suite::default()).await.unwrap();
    }
    let manager = world.builder().capacity(NonZeroUsize::new(3).unwrap()).unobserved();
    for at in [0, 1, 2, 0, 3] {
        manager.keyring(&format!("tenant-{at}")).await.unwrap();
    }
    assert_eq!(manager.unlocked(), 3);
    let before = world.now();
    for at in [0, 2, 3] {
        manager.keyring(&format!("tenant-{at}")).await.unwrap();
    }
    assert_eq!(world.calls(before), (0, 0), "tenant-1 went");

    // Keyspaces that do not exist push nobody out.
    let manager = world.builder().capacity(NonZeroUsize::new(3).unwrap()).unobserved();
    manager.keyring("tenant-0").await.unwrap();
    manager.keyring("tenant-1").await.unwrap();
    for at in 0..100 {
        assert_eq!(manager.keyring(&format!("nobody-{at}")).await.unwrap_err().code().as_str(), "keyring-missing");
    }
    let before = world.now();
    manager.keyring("tenant-0").await.unwrap();
    manager.keyring("tenant-1").await.unwrap();
    assert_eq!(world.calls(before), (0, 0));
    assert_eq!(manager.keyring("../etc").await.unwrap_err().code().as_str(), "invalid-id");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_use_outlives_what_is_let_go() {
    let world = World::new().await;
    let manager = world.builder().unobserved();
    let keys = manager.keyring(TENANT).await.unwrap();
    let rec = keys.record("prescription", "RX-1001").unwrap();
    drop(keys);
    manager.forget(TENANT);
    let token = rec.seal::<Drug>("warfarin 5 MG").unwrap();
    let access = Access::new("user:kim", Purpose::TREAT).unwrap();
    assert_eq!(rec.opened_by(&access).open::<Drug, String>(&token).unwrap(), "warfarin 5 MG");
    let before = world.now();
    manager.keyring(TENANT).await.unwrap();
    assert_eq!(world.calls(before).0, 1, "the manager kept nothing of it");
}

#[tokio::test(start_paused = true)]
async fn several_root_keys_are_tried_in_order_each_once() {
    let (first, second, third) = (TestRoot::new("root-1"), TestRoot::new("root-2"), TestRoot::new("root-3"));
    let roots = RootKeys::from(first.clone()).and(second.clone()).and(third.clone());
    let store = TestStore::default();
    KeyringAdmin::new(store.clone(), roots.clone()).create(TENANT, Suite::default()).await.unwrap();
    let before = [first.unwraps(), second.unwraps(), third.unwraps()];
    first.set(Mode::Unavailable);
    second.set(Mode::Lies);
    let heard = Heard::default();
    KeyringManager::builder(store, roots).observed_by(heard.clone()).keyring(TENANT).await.unwrap();
    let after = [first.unwraps(), second.unwraps(), third.unwraps()];
    assert!(before.iter().zip(after).all(|(before, after)| after == before + 1));
    let heard = heard.take();
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert!(heard[0].starts_with("root-1 failed: provider-unavailable:") && heard[0].ends_with(": timeout"));
    assert!(heard[1].starts_with("root-2 failed: unlock-failed:"));
    assert_eq!(heard[2], "unlocked 1 by root-3");
}

/// A keyring is used for five minutes of whichever clock moved further: the monotonic one stands still in a machine that is suspended,
/// and the wall clock is set by people.
#[tokio::test(start_paused = true)]
async fn staleness_ends_by_the_clock_that_moved_further() {
    #[derive(Clone, Copy, Debug)]
    enum Move {
        Pass(u64),
        Forward(u64),
        Back(u64),
    }
    use Move::{Back, Forward, Pass};
    // What a caller gets, and the next one: 1 is the old generation.
    for (moves, expected) in [
        (&[Pass(149)][..], [1, 1]),
        (&[Pass(150)], [1, 2]),
        (&[Pass(299)], [1, 2]),
        (&[Pass(300)], [2, 2]),
        // Suspended: the monotonic clock stands still.
        (&[Forward(149)], [1, 1]),
        (&[Forward(150)], [1, 2]),
        (&[Forward(300)], [2, 2]),
        (&[Forward(86_400)], [2, 2]),
        (&[Pass(100), Forward(100)], [1, 2]),
        (&[Pass(100), Forward(200)], [2, 2]),
        // Set back: that makes nothing younger.
        (&[Back(149)], [1, 1]),
        (&[Back(150)], [1, 2]),
        (&[Back(86_400)], [2, 2]),
        (&[Pass(149), Back(149)], [1, 1]),
        (&[Pass(299), Back(299)], [1, 2]),
        (&[Pass(300), Back(300)], [2, 2]),
        (&[Back(60), Pass(300)], [2, 2]),
        (&[Forward(300), Back(300)], [1, 1]),
    ] {
        let (world, clock) = (World::new().await, TestClock::default());
        let manager = world.builder().clock(&clock).unobserved();
        manager.keyring(TENANT).await.unwrap();
        world.admin.rotate(TENANT).await.unwrap();
        for one in moves {
            match one {
                Pass(time) => clock.advance(seconds(*time)),
                Forward(time) => clock.set_forward(seconds(*time)),
                Back(time) => clock.set_back(seconds(*time)),
            }
        }
        let mut got = [0; 2];
        for generation in &mut got {
            *generation = manager.keyring(TENANT).await.unwrap().generation();
            settle().await;
        }
        assert_eq!(got, expected, "{moves:?}");
    }
}

/// A grace is as long on a machine that is suspended, and no clock that is set makes it longer.
#[tokio::test(start_paused = true)]
async fn a_grace_ends_by_the_clock_that_moved_further() {
    for (forward, back, is_served) in
        [(3899, 0, true), (3900, 0, false), (86_400, 0, false), (0, 3899, true), (0, 3900, false), (3900, 3900, true)]
    {
        let (world, clock) = (World::new().await, TestClock::default());
        let manager = world.builder().clock(&clock).unobserved();
        manager.keyring(TENANT).await.unwrap();
        world.store.set(Mode::Unavailable);
        clock.set_forward(seconds(forward));
        clock.set_back(seconds(back));
        let result = manager.keyring(TENANT).await;
        assert_eq!(result.is_ok(), is_served, "{forward} {back}");
        assert!(result.err().is_none_or(|error| error.is_retryable()));
        // An outage that was seen before the machine was suspended says nothing of now.
        clock.advance(seconds(10));
        let _ = manager.keyring(TENANT).await;
        settle().await;
        world.store.set(Mode::Works);
        world.admin.rotate(TENANT).await.unwrap();
        clock.set_forward(seconds(1000));
        clock.advance(seconds(1));
        assert_eq!(manager.keyring(TENANT).await.unwrap().generation(), 2, "{forward} {back}");
    }
}

fn reads(keys: &Keyring, token: &Token) -> Result<String, Error> {
    let access = Access::new("user:kim", Purpose::TREAT).unwrap();
    keys.record("prescription", "RX-1001").unwrap().opened_by(&access).open::<Drug, String>(token)
}

/// A key was marked compromised, and a file from before that is put back and gets a newer number by an operator's rotation: whoever
/// holds the key forges nothing for a process that saw the mark.
#[tokio::test(start_paused = true)]
async fn a_mark_is_not_taken_back() {
    let world = World::new().await;
    let manager = world.builder().unobserved();
    let stolen = manager.keyring(TENANT).await.unwrap();
    let forged = stolen.record("prescription", "RX-1001").unwrap().seal::<Drug>("morphine 100 MG").unwrap();
    world.admin.rotate(TENANT).await.unwrap();
    let unmarked = world.admin.stored(TENANT).await.unwrap();
    let marked = world.admin.compromise(TENANT, key_of(&stolen)).await.unwrap();
    advance(seconds(301)).await;
    let keys = manager.keyring(TENANT).await.unwrap();
    assert_eq!((keys.generation(), reads(&keys, &forged).unwrap_err().code().as_str()), (3, "key-compromised"));

    // An operator, who has seen nothing, goes on from what was restored.
    let restored = TestStore::default();
    rxseal::store::KeyringStore::put(&restored, &unmarked, None).await.unwrap();
    let operator = KeyringAdmin::new(restored, RootKeys::from(world.root.clone()));
    let mut files = vec![unmarked];
    let (staged, key) = operator.stage(TENANT).await.unwrap();
    files.push(staged);
    files.push(operator.promote(TENANT, key, std::time::SystemTime::now(), Duration::ZERO).await.unwrap());
    files.push(operator.rewrap(TENANT, &RootKeys::from(world.root.clone())).await.unwrap());
    assert_eq!(files.iter().map(rxseal::keys::KeyringFile::generation).collect::<Vec<_>>(), [2, 3, 4, 5]);
    for file in files {
        let generation = file.generation();
        world.store.answer(Some(file));
        for _ in 0..12 {
            advance(seconds(31)).await;
            for result in [manager.keyring(TENANT).await, manager.keyring_with(TENANT, key_of(&stolen)).await] {
                match result {
                    Ok(keys) => assert!(reads(&keys, &forged).is_err(), "generation {generation}"),
                    Err(error) => assert_eq!(error.code().as_str(), "keyring-too-old", "{error}"),
                }
            }
            settle().await;
        }
        manager.forget(TENANT);
        assert_eq!(manager.keyring(TENANT).await.unwrap_err().code().as_str(), "keyring-too-old", "let go in between");
        // The newest one is put back: all is well again.
        world.store.answer(Some(marked.clone()));
        advance(seconds(2)).await;
        assert_eq!(manager.keyring(TENANT).await.unwrap().generation(), 3);
    }
}

/// What a manager is told at its start stands beside what it has seen.
#[tokio::test(start_paused = true)]
async fn the_minimum_generation_holds_from_the_first_call() {
    let world = World::new().await;
    let first = world.admin.stored(TENANT).await.unwrap();
    world.admin.rotate(TENANT).await.unwrap();
    let at_least = |generation| {
        world.builder().options_for(move |_| UnlockOptions::default().min_generation(generation)).unobserved()
    };
    assert_eq!(at_least(3).keyring(TENANT).await.unwrap_err().code().as_str(), "keyring-too-old");
    let manager = at_least(2);
    assert_eq!(manager.keyring(TENANT).await.unwrap().generation(), 2);
    world.store.answer(Some(first));
    manager.forget(TENANT);
    assert_eq!(manager.keyring(TENANT).await.unwrap_err().code().as_str(), "keyring-too-old");
}

/// Nothing is lost while a service that has the old keyring goes on sealing: in an outage it does so for 65 minutes after a rotation.
/// Every minute an operator counts, reseals and tries to destroy the old key.
#[tokio::test(start_paused = true)]
async fn what_a_service_seals_with_the_old_keyring_is_not_lost() {
    let (world, clock) = (World::new().await, TestClock::default());
    let admin = KeyringAdmin::new(world.store.clone(), RootKeys::from(world.root.clone())).clock(&clock);
    let manager = world.builder().clock(&clock).unobserved();
    let old = key_of(&manager.keyring(TENANT).await.unwrap());
    let (_, staged) = admin.stage(TENANT).await.unwrap();
    clock.advance(seconds(600));
    // The service looks a last time, and then its store is out of reach.
    let keys = manager.keyring(TENANT).await.unwrap();
    assert!(keys.keys().iter().any(|key| key.id() == staged));
    admin.promote(TENANT, staged, clock.now(), seconds(600)).await.unwrap();

    let mut rows: Vec<Token> = Vec::new();
    let (mut refused_for_time, mut sealed_under_old, mut first_count) = (0, 0, None);
    let destroyed_after = loop {
        world.store.set(Mode::Unavailable);
        if let Ok(keys) = manager.keyring(TENANT).await {
            rows.push(keys.record("prescription", "RX-1001").unwrap().seal::<Drug>("warfarin 5 MG").unwrap());
        }
        settle().await;
        sealed_under_old += usize::from(rows.last().is_some_and(|token| token.key_id() == old));
        world.store.set(Mode::Works);

        let file = admin.stored(TENANT).await.unwrap();
        let newest = Keyring::unlock(TENANT, &RootKeys::from(world.root.clone()), &file).await.unwrap().unobserved();
        let rec = newest.record("prescription", "RX-1001").unwrap();
        for row in &mut rows {
            *row = rec.reseal::<Drug>(row).unwrap();
        }
        let remaining = RemainingUse::counted([&count_by_key(&rows)], newest.keys(), old, 0, None).unwrap();
        let remaining = remaining.begun_at(clock.now());
        assert_eq!((remaining.tokens(), remaining.subject_keys()), (0, 0), "the count alone would allow it");
        let first = *first_count.get_or_insert(remaining);
        if refused_for_time == 65 {
            // Nor would a count of then do, of what is destroyed now.
            let error = admin.destroy(TENANT, old, first, clock.now(), KeyringAdmin::UNUSED_FOR).await.unwrap_err();
            assert_eq!(error.code().as_str(), "not-counted", "{error}");
        }
        match admin.destroy(TENANT, old, remaining, clock.now(), KeyringAdmin::UNUSED_FOR).await {
            Ok(_) => break refused_for_time,
            Err(error) => {
                assert_eq!(
                    error.time_left(),
                    Some(KeyringAdmin::UNUSED_FOR - seconds(60 * refused_for_time)),
                    "{error}"
                );
                refused_for_time += 1;
            }
        }
        clock.advance(seconds(60));
    };
    assert_eq!((destroyed_after, sealed_under_old), (65, 65), "until the last minute it sealed under the old key");

    // What the service seals from now on is under the key that stays, and every row opens.
    for _ in 0..200 {
        clock.advance(seconds(60));
        let keys = manager.keyring(TENANT).await.unwrap();
        rows.push(keys.record("prescription", "RX-1001").unwrap().seal::<Drug>("warfarin 5 MG").unwrap());
        settle().await;
    }
    let keys = manager.keyring(TENANT).await.unwrap();
    for row in &rows {
        assert_eq!(reads(&keys, row).unwrap(), "warfarin 5 MG");
    }
}
