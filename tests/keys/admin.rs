//! The life of a stored keyring: what each change does, what it refuses, and what is stored if it is interrupted (T47
//! to T49 of docs/THREAT-MODEL.md).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use crate::support::{Heard, Mode, TENANT, TestRoot, TestStore};
use rxseal::count::{KeyCounts, count_by_key};
use rxseal::keys::{KeyState, KeyUse, KeyringAdmin, KeyringFile, RemainingUse, Suite, UnlockOptions};
use rxseal::phi::Drug;
use rxseal::root::RootKeys;
use rxseal::store::{KeyringStore, StoreFuture};
use rxseal::testing::TestClock;
use rxseal::{Access, Error, KeyId, Keyring, Purpose, Record, run_local};

struct World {
    root: TestRoot,
    roots: RootKeys,
    store: TestStore,
    heard: Heard,
    admin: KeyringAdmin,
    clock: TestClock,
}

fn world() -> World {
    let (root, store, heard) = (TestRoot::new("root-1"), TestStore::default(), Heard::default());
    let (roots, clock) = (RootKeys::from(root.clone()), TestClock::default());
    let admin = KeyringAdmin::new(store.clone(), roots.clone()).clock(&clock).observed_by(heard.clone());
    run_local(admin.create(TENANT, Suite::default())).unwrap();
    World { root, roots, store, heard, admin, clock }
}

impl World {
    fn stored(&self) -> KeyringFile {
        run_local(self.admin.stored(TENANT)).unwrap()
    }

    fn keys(&self) -> Keyring {
        unlocked(&self.roots, &self.stored())
    }

    /// An admin of another process: it has seen nothing yet.
    fn elsewhere(&self) -> KeyringAdmin {
        KeyringAdmin::new(self.store.clone(), self.roots.clone()).clock(&self.clock)
    }

    /// Counted now.
    fn nothing(&self) -> RemainingUse {
        RemainingUse::new(0, 0).begun_at(self.clock.now())
    }

    fn destroy(&self, id: KeyId, unused_for: Duration) -> Result<KeyringFile, Error> {
        run_local(self.admin.destroy(TENANT, id, self.nothing(), self.clock.now(), unused_for))
    }

    /// A staged key of which that time has passed.
    fn promote(&self, id: KeyId, staging_time: Duration) -> Result<KeyringFile, Error> {
        run_local(self.admin.promote(TENANT, id, self.clock.now(), staging_time))
    }
}

fn unlocked(roots: &RootKeys, file: &KeyringFile) -> Keyring {
    run_local(Keyring::unlock(TENANT, roots, file)).unwrap().unobserved()
}

fn record(keys: &Keyring) -> Record {
    keys.record("prescription", "RX-1001").unwrap()
}

fn state_of(file: &KeyringFile, id: KeyId) -> KeyState {
    file.keys().iter().find(|key| key.id() == id).unwrap().state()
}

fn reads(keys: &Keyring, token: &rxseal::Token) -> Result<String, Error> {
    let access = Access::new("user:kim", Purpose::TREAT).unwrap();
    record(keys).opened_by(&access).open::<Drug, String>(token)
}

fn later(seconds: u64) -> SystemTime {
    SystemTime::now() + Duration::from_secs(seconds)
}

#[test]
fn a_whole_life() {
    let world = world();
    let first = world.keys().primary_key();
    let token = record(&world.keys()).seal::<Drug>("warfarin 5 MG").unwrap();

    let (staged_file, staged) = run_local(world.admin.stage(TENANT)).unwrap();
    assert_eq!(staged_file, world.stored());
    assert_eq!(state_of(&staged_file, staged), KeyState::PreActive);
    assert_eq!(world.keys().primary_key(), first, "a staged key does not seal");

    world.clock.advance(Duration::from_secs(300));
    let promoted = world.promote(staged, Duration::from_secs(300)).unwrap();
    assert_eq!(state_of(&promoted, first), KeyState::Deactivated);
    assert_eq!(world.keys().primary_key(), staged);
    // A reader that saw the staged generation opens what the writer seals now.
    let fresh = record(&world.keys()).seal::<Drug>("warfarin 5 MG").unwrap();
    assert_eq!(fresh.key_id(), staged);
    assert_eq!(reads(&unlocked(&world.roots, &staged_file), &fresh).unwrap(), "warfarin 5 MG");
    assert_eq!(reads(&world.keys(), &token).unwrap(), "warfarin 5 MG");

    run_local(world.admin.compromise(TENANT, first)).unwrap();
    assert!(reads(&world.keys(), &token).unwrap_err().is_key_state());
    let heard = Heard::default();
    let keys = run_local(Keyring::unlock(TENANT, &world.roots, &world.stored())).unwrap().observed_by(heard.clone());
    record(&keys).reseal_compromised::<Drug>(&token).unwrap();
    record(&keys).reseal_compromised::<Drug>(&fresh).unwrap();
    let used = heard.take().into_iter().filter(|event| event.starts_with("CompromisedKeyUsed")).collect::<Vec<_>>();
    assert_eq!(used.len(), 1, "of the compromised key alone: {used:?}");
    assert!(used[0].contains(&first.to_string()), "{used:?}");
    world.destroy(first, Duration::ZERO).unwrap();
    assert_eq!(reads(&world.keys(), &token).unwrap_err().code().as_str(), "key-destroyed");

    let index = |file: &KeyringFile| {
        file.keys().iter().find(|key| key.usage() == KeyUse::Index && key.is_primary()).unwrap().id()
    };
    let before = index(&world.stored());
    let (_, root) = run_local(world.admin.rotate_index_root(TENANT)).unwrap();
    assert_eq!(index(&world.stored()), root);
    assert_eq!(state_of(&world.stored(), before), KeyState::Deactivated);
    assert_eq!(world.keys().primary_key(), staged, "index roots do not follow DEKs, nor the reverse");

    // Each change unlocks the generation before.
    assert_eq!(
        world.heard.take(),
        [
            "1 created",
            "unlocked 1 by root-1",
            "2 staged",
            "unlocked 2 by root-1",
            "3 promoted",
            "unlocked 3 by root-1",
            "4 compromised",
            "unlocked 4 by root-1",
            "5 destroyed",
            "unlocked 5 by root-1",
            "6 index-root-rotated",
        ]
    );
}

#[test]
fn what_a_promotion_refuses() {
    let world = world();
    let first = world.keys().primary_key();
    let (_, staged) = run_local(world.admin.stage(TENANT)).unwrap();
    let five_minutes = Duration::from_secs(300);
    let promote = |id, now, time| run_local(world.admin.promote(TENANT, id, now, time));
    for (id, now, staging_time, code) in [
        (staged, later(0), five_minutes, "state-refused"),
        (staged, later(290), five_minutes, "state-refused"),
        // A clock that went back, or was never set.
        (staged, SystemTime::now() - Duration::from_secs(3600), Duration::ZERO, "clock-skew"),
        (staged, SystemTime::UNIX_EPOCH, five_minutes, "clock-skew"),
        (staged, SystemTime::UNIX_EPOCH - five_minutes, five_minutes, "clock-skew"),
        // Later than a keyring can say: no reader would take it.
        (staged, SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 53), five_minutes, "state-refused"),
        (first, later(900), five_minutes, "state-refused"),
    ] {
        assert_eq!(promote(id, now, staging_time).unwrap_err().code().as_str(), code);
        assert_eq!(world.stored().generation(), 2);
    }
    assert_eq!(run_local(world.admin.stage(TENANT)).unwrap_err().code().as_str(), "state-refused", "one is staged");
    let index = world.stored().keys().iter().find(|key| key.usage() == KeyUse::Index).unwrap().id();
    assert_eq!(promote(index, later(900), Duration::ZERO).unwrap_err().code().as_str(), "state-refused");
    let other = self::world().keys().primary_key();
    assert_eq!(promote(other, later(900), Duration::ZERO).unwrap_err().code().as_str(), "unknown-key");
    promote(staged, later(0), Duration::ZERO).unwrap();
    assert_eq!(promote(staged, later(0), Duration::ZERO).unwrap_err().code().as_str(), "state-refused", "once");
}

#[test]
fn a_key_in_use_is_not_destroyed_unless_by_force() {
    let world = world();
    let first = world.keys().primary_key();
    let destroy = |tokens, subject_keys| {
        let remaining = RemainingUse::new(tokens, subject_keys);
        run_local(world.admin.destroy(TENANT, first, remaining, world.clock.now(), Duration::ZERO))
    };
    assert_eq!(destroy(0, 0).unwrap_err().code().as_str(), "state-refused", "it is primary");
    assert_eq!(run_local(world.admin.force_destroy(TENANT, first)).unwrap_err().code().as_str(), "state-refused");
    assert_eq!(run_local(world.admin.deactivate(TENANT, first)).unwrap_err().code().as_str(), "state-refused");
    run_local(world.admin.rotate(TENANT)).unwrap();
    for (tokens, subject_keys) in [(1, 0), (0, 1), (u64::MAX, u64::MAX)] {
        let error = destroy(tokens, subject_keys).unwrap_err();
        assert_eq!((error.code().as_str(), error.key_id()), ("key-in-use", Some(first)));
    }
    assert_eq!(world.stored().generation(), 2);
    run_local(world.admin.force_destroy(TENANT, first)).unwrap();
    assert_eq!(state_of(&world.stored(), first), KeyState::Destroyed);
    assert!(world.heard.take().contains(&"3 destroyed-without-count-or-wait".to_owned()));
    assert_eq!(run_local(world.admin.force_destroy(TENANT, first)).unwrap_err().code().as_str(), "state-refused");
}

#[test]
fn rewrapping_keeps_the_keys_and_changes_the_kek() {
    let world = world();
    let token = record(&world.keys()).seal::<Drug>("warfarin 5 MG").unwrap();
    let before = world.stored();
    let other = RootKeys::from(TestRoot::new("root-2"));
    let after = run_local(world.admin.rewrap(TENANT, &other)).unwrap();
    assert_eq!(after.wraps().map(|wrap| wrap.root_key().to_owned()).collect::<Vec<_>>(), ["root-2"]);
    assert_eq!(after.keys(), before.keys());
    assert_eq!(reads(&unlocked(&other, &after), &token).unwrap(), "warfarin 5 MG");
    let error = run_local(Keyring::unlock(TENANT, &world.roots, &after)).unwrap_err();
    assert_eq!(error.code().as_str(), "unlock-failed");
    let names = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(names, "wrapped by test root-2; trusted here: test root-1");
    // The wrap of before is not one of the new KEK: nobody can put it back.
    assert!(kek(&before) != kek(&after));
}

fn kek(file: &KeyringFile) -> String {
    let json: serde_json::Value = serde_json::from_str(&file.to_string()).unwrap();
    json["kek"].as_str().unwrap().to_owned()
}

#[test]
fn root_keys_come_and_go() {
    let world = world();
    let (second, third) = (TestRoot::new("root-2"), TestRoot::new("root-3"));
    assert_eq!(run_local(world.admin.add_root(TENANT, &world.root)).unwrap_err().code().as_str(), "state-refused");
    // One that does not give back what it wrapped is not stored.
    for (mode, code) in [
        (Mode::Lies, "unlock-failed"),
        (Mode::Refuses, "provider-refused"),
        (Mode::Unavailable, "provider-unavailable"),
    ] {
        second.set(mode);
        assert_eq!(run_local(world.admin.add_root(TENANT, &second)).unwrap_err().code().as_str(), code);
        assert_eq!(world.stored().generation(), 1);
    }
    second.set(Mode::Works);
    run_local(world.admin.add_root(TENANT, &second)).unwrap();
    let file = run_local(world.admin.add_root(TENANT, &third)).unwrap();
    assert_eq!(kek(&file), kek(&run_local(world.admin.stored(TENANT)).unwrap()));
    unlocked(&RootKeys::from(third.clone()), &file);

    // To take one off, those that stay must wrap a new KEK.
    let refused = run_local(world.admin.remove_root(TENANT, "test", "root-3")).unwrap_err();
    assert!(refused.to_string().contains("has to wrap the new KEK"), "{refused}");
    assert_eq!(
        run_local(world.admin.remove_root(TENANT, "test", "root-9")).unwrap_err().code().as_str(),
        "state-refused"
    );
    let all = world.roots.clone().and(second.clone());
    let admin = KeyringAdmin::new(world.store.clone(), all.clone());
    let after = run_local(admin.remove_root(TENANT, "test", "root-3")).unwrap();
    assert!(kek(&after) != kek(&file));
    assert!(run_local(Keyring::unlock(TENANT, &RootKeys::from(third), &after)).is_err());
    unlocked(&RootKeys::from(second), &after);
    run_local(admin.remove_root(TENANT, "test", "root-1")).unwrap();
    let last = run_local(admin.remove_root(TENANT, "test", "root-2")).unwrap_err();
    assert!(last.to_string().contains("the last root key"), "{last}");
}

#[test]
fn verifying_asks_each_root_key_alone() {
    let world = world();
    let second = TestRoot::new("root-2");
    run_local(world.admin.add_root(TENANT, &second)).unwrap();
    run_local(world.admin.add_root(TENANT, &TestRoot::new("escrow"))).unwrap();
    let admin = KeyringAdmin::new(world.store.clone(), world.roots.clone().and(second.clone()));
    second.set(Mode::Lies);
    let checks = run_local(admin.verify(TENANT)).unwrap();
    let results: Vec<_> =
        checks.iter().map(|check| check.result().map(|result| result.map_err(|error| error.code().as_str()))).collect();
    assert_eq!(results, [Some(Ok(())), Some(Err("unlock-failed")), None]);
    assert_eq!(checks[0].to_string(), "test root-1: unlocks");
    assert_eq!(checks[2].to_string(), "test escrow: not asked");
    assert_eq!((checks[1].provider(), checks[1].root_key()), ("test", "root-2"));
    // A root key that somebody relies on, and that has no wrap.
    let admin = KeyringAdmin::new(world.store.clone(), world.roots.clone().and(TestRoot::new("gone")));
    let checks = run_local(admin.verify(TENANT)).unwrap();
    assert_eq!(checks.len(), 4);
    assert!(checks[3].to_string().starts_with("test gone: the keyring file has no wrap of this root key"));
}

/// The replicas of one key in many regions share a name: one wrap is for all of them, and each is tried alone.
#[test]
fn root_keys_of_one_name() {
    let (near, far) = (TestRoot::new("mrk-1"), TestRoot::new("mrk-1"));
    let roots = RootKeys::from(near.clone()).and(far.clone());
    let admin = KeyringAdmin::new(TestStore::default(), roots.clone());
    // One that answers is enough.
    near.set(Mode::Unavailable);
    let file = run_local(admin.create(TENANT, Suite::default())).unwrap();
    assert_eq!(file.wraps().count(), 1);
    let file = run_local(admin.rewrap(TENANT, &roots)).unwrap();
    assert_eq!((file.generation(), file.wraps().count()), (2, 1));
    far.set(Mode::Unavailable);
    assert_eq!(
        run_local(admin.rewrap(TENANT, &roots)).unwrap_err().code().as_str(),
        "provider-unavailable",
        "none of them"
    );
    // Two keys that only have the same name: what the one wraps the other cannot open, and nothing is stored.
    near.set(Mode::Works);
    for (mode, code) in [(Mode::Lies, "unlock-failed"), (Mode::Refuses, "provider-refused")] {
        far.set(mode);
        assert_eq!(run_local(admin.rewrap(TENANT, &roots)).unwrap_err().code().as_str(), code);
    }
    assert_eq!(run_local(admin.stored(TENANT)).unwrap().generation(), 2);

    // Another root key is taken off while one of them is out of reach.
    let other = TestRoot::new("root-2");
    far.set(Mode::Works);
    run_local(admin.add_root(TENANT, &other)).unwrap();
    near.set(Mode::Unavailable);
    assert_eq!(run_local(admin.remove_root(TENANT, "test", "root-2")).unwrap().wraps().count(), 1);

    near.set(Mode::Works);
    far.set(Mode::Refuses);
    let checks = run_local(admin.verify(TENANT)).unwrap();
    let results: Vec<_> = checks.iter().map(|check| check.result().unwrap().is_ok()).collect();
    assert_eq!(results, [true, false], "what unlocks does not speak for the other one");
}

#[test]
fn what_was_counted_says_what_is_left() {
    let world = world();
    let keys = world.keys();
    let token = record(&keys).seal::<Drug>("warfarin 5 MG").unwrap();
    let counts = count_by_key([token.as_bytes()]);
    let first = keys.primary_key();
    let still = RemainingUse::counted([&counts], keys.keys(), first, 2, None).unwrap();
    assert_eq!((still.tokens(), still.subject_keys()), (3, 0));
    let still = RemainingUse::counted([&counts, &counts], keys.keys(), first, 0, Some(&counts)).unwrap();
    assert_eq!((still.tokens(), still.subject_keys()), (2, 1));
    // A document whose tokens nobody counted, for example.
    let counts = count_by_key([b"\xA1\x01\x02"]);
    let error = RemainingUse::counted([&counts], keys.keys(), first, 0, None).unwrap_err();
    assert_eq!((error.code().as_str(), error.key_id()), ("key-in-use", Some(first)));
}

/// Every way in which a place says nothing and looks like one in which nothing is left.
#[test]
fn a_zero_that_says_nothing_destroys_no_key() {
    let world = world();
    let old = world.keys().primary_key();
    let old_token = record(&world.keys()).seal::<Drug>("warfarin 5 MG").unwrap();
    run_local(world.admin.rotate(TENANT)).unwrap();
    let keys = world.keys();
    let new_token = record(&keys).seal::<Drug>("warfarin 5 MG").unwrap();
    let foreign = rxseal::testing::insecure_keyring("pharmacy-18").unwrap().unobserved();
    let foreign = foreign.record("rx", 1).unwrap().seal::<Drug>("warfarin 5 MG").unwrap();
    let counted = |columns: &[&KeyCounts], subject_keys: Option<&KeyCounts>| {
        RemainingUse::counted(columns.iter().copied(), keys.keys(), old, 0, subject_keys)
    };
    let good = count_by_key([&new_token]);
    let empty = || count_by_key([""; 0]);
    let others = count_by_key([&foreign]);
    let merged = |first: &KeyCounts, second: &KeyCounts| {
        let mut merged = first.clone();
        merged.merge(second);
        merged
    };
    let refused: [(&str, Result<RemainingUse, Error>); 10] = [
        ("no column", counted(&[], None)),
        ("an empty column", counted(&[&empty()], None)),
        ("nothing counted", counted(&[&KeyCounts::default()], None)),
        ("beside a good one", counted(&[&good, &empty()], None)),
        ("merged into a good one", counted(&[&merged(&good, &empty())], None)),
        ("a good one merged into it", counted(&[&merged(&empty(), &good)], None)),
        ("of another keyring", counted(&[&others], None)),
        ("of another keyring, merged", counted(&[&merged(&good, &merged(&others, &good))], None)),
        ("an empty store of subject keys", counted(&[&good], Some(&empty()))),
        ("another store of subject keys", counted(&[&good], Some(&others))),
    ];
    for (what, result) in refused {
        let error = result.expect_err(what);
        assert_eq!((error.code().as_str(), error.key_id()), ("not-counted", Some(old)), "{what}");
    }
    // Said to be empty, and it is.
    let confirmed = empty().confirmed_empty().unwrap();
    for columns in [vec![&good], vec![&confirmed], vec![&good, &confirmed], vec![&merged(&good, &confirmed)]] {
        assert_eq!(counted(&columns, None).unwrap().tokens(), 0);
    }
    for something in [&good, &others, &count_by_key(["warfarin 5 MG"]), &merged(&confirmed, &good)] {
        assert_eq!(something.clone().confirmed_empty().unwrap_err().code().as_str(), "not-counted");
    }
    // And no longer empty.
    let mut later = confirmed;
    later.add(foreign.as_bytes());
    assert_eq!(counted(&[&later], None).unwrap_err().code().as_str(), "not-counted");

    // Joined to a token of the new key, as text and as bytes.
    let joined = format!("{new_token}-{old_token}");
    assert_eq!(counted(&[&count_by_key([&joined])], None).unwrap().tokens(), 1, "it is seen");
    let joined = [new_token.as_bytes(), old_token.as_bytes()].concat();
    assert_eq!(counted(&[&count_by_key([&joined])], None).unwrap().tokens(), 1, "it is seen");

    // What was counted of one key says nothing of another one.
    run_local(world.admin.rotate(TENANT)).unwrap();
    let still = counted(&[&good], None).unwrap();
    let error = run_local(world.admin.destroy(TENANT, keys.primary_key(), still, SystemTime::now(), Duration::ZERO))
        .unwrap_err();
    assert_eq!((error.code().as_str(), error.key_id()), ("not-counted", Some(keys.primary_key())));
    run_local(world.admin.destroy(TENANT, old, still, SystemTime::now(), Duration::ZERO)).unwrap();
}

/// A program may have sealed under the key since it was counted: in the waiting time, or while the key was primary.
#[test]
fn a_count_that_was_begun_too_early_destroys_no_key() {
    const SECOND: Duration = Duration::from_secs(1);
    const WAIT: Duration = KeyringAdmin::UNUSED_FOR;
    let world = world();
    let old = world.keys().primary_key();
    let token = record(&world.keys()).seal::<Drug>("warfarin 5 MG").unwrap();
    let counted = |counts: &KeyCounts, key| RemainingUse::counted([counts], world.keys().keys(), key, 0, None).unwrap();
    let destroy = |key, still, wait| run_local(world.admin.destroy(TENANT, key, still, world.clock.now(), wait));
    let refused = |key, still, wait| {
        let error = destroy(key, still, wait).unwrap_err();
        assert_eq!((error.code().as_str(), error.key_id()), ("not-counted", Some(key)), "{error}");
        assert!(error.to_string().contains("count again") && error.time_left().is_none(), "{error}");
    };

    // Nothing was under it, and then something was.
    let (while_primary, counts) = (world.nothing(), count_by_key([&token]));
    world.clock.advance(600 * SECOND);
    run_local(world.admin.rotate(TENANT)).unwrap();
    let new = world.keys().primary_key();
    // None of the new key's, as the counts say that were made before it was.
    run_local(world.admin.rotate(TENANT)).unwrap();
    for still in [while_primary, counted(&counts, new), counted(&counts.clone(), new)] {
        let key = if still == while_primary { old } else { new };
        refused(key, still, Duration::ZERO);
        assert_eq!(
            destroy(key, still, WAIT).unwrap_err().code().as_str(),
            "state-refused",
            "the wait is told of first"
        );
    }

    world.clock.advance(WAIT - SECOND);
    let early = world.nothing();
    world.clock.advance(SECOND);
    for still in [while_primary, early] {
        refused(old, still, WAIT);
        world.clock.advance(100 * WAIT);
        refused(old, still, WAIT);
        world.clock.set_back(100 * WAIT);
    }
    // With the clock of a machine that was ahead, and was set right.
    let ahead = RemainingUse::new(0, 0).begun_at(world.clock.now() + 3600 * SECOND);
    assert_eq!(destroy(old, ahead, WAIT).unwrap_err().code().as_str(), "clock-skew");
    destroy(new, early, Duration::ZERO).unwrap();
    destroy(old, world.nothing(), WAIT).unwrap();

    // What never sealed was counted at any time.
    let (_, staged) = run_local(world.admin.stage(TENANT)).unwrap();
    destroy(staged, while_primary, WAIT).unwrap();
}

/// All of it within one second, by the clock of the machine.
#[test]
fn a_count_right_after_a_rotation_is_none_too_early() {
    let world = world();
    let admin = KeyringAdmin::new(world.store.clone(), world.roots.clone());
    for _ in 0..20 {
        let old = world.keys().primary_key();
        run_local(admin.rotate(TENANT)).unwrap();
        let keys = world.keys();
        let counts = count_by_key([record(&keys).seal::<Drug>("warfarin 5 MG").unwrap()]);
        let still = RemainingUse::counted([&counts], keys.keys(), old, 0, None).unwrap();
        run_local(admin.destroy(TENANT, old, still, SystemTime::now(), Duration::ZERO)).unwrap();
        let (_, staged) = run_local(admin.stage(TENANT)).unwrap();
        run_local(admin.deactivate(TENANT, staged)).unwrap();
        run_local(admin.destroy(TENANT, staged, RemainingUse::new(0, 0), SystemTime::now(), Duration::ZERO)).unwrap();
    }
}

#[test]
fn a_change_loses_against_another_that_came_first() {
    let world = world();
    let stale = world.stored();
    run_local(world.admin.rotate(TENANT)).unwrap();
    // Another admin read generation 1 before that.
    world.store.answer(Some(stale.clone()));
    let admin = world.elsewhere();
    let changes: Vec<(&str, Result<(), Error>)> = vec![
        ("stage", run_local(admin.stage(TENANT)).map(drop)),
        ("rotate", run_local(admin.rotate(TENANT)).map(drop)),
        ("rotate_index_root", run_local(admin.rotate_index_root(TENANT)).map(drop)),
        ("rewrap", run_local(admin.rewrap(TENANT, &world.roots)).map(drop)),
        ("add_root", run_local(admin.add_root(TENANT, &TestRoot::new("root-2"))).map(drop)),
    ];
    for (name, result) in changes {
        let error = result.expect_err(name);
        assert!(error.is_conflict(), "{name}: {error}");
    }
    world.store.answer(None);
    assert_eq!(world.stored().generation(), 2);
    assert!(run_local(world.admin.create(TENANT, Suite::default())).unwrap_err().is_conflict());
    assert_eq!(run_local(world.admin.rotate("pharmacy-18")).unwrap_err().code().as_str(), "keyring-missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_rotations_at_once_make_one_new_generation() {
    let world = world();
    let admin = Arc::new(KeyringAdmin::new(world.store.clone(), world.roots.clone()));
    // All have read generation 1 before one of them stores.
    world.root.set_delay(Duration::from_millis(200));
    let rotations: Vec<_> = (0..16)
        .map(|_| {
            let admin = Arc::clone(&admin);
            tokio::spawn(async move { admin.rotate(TENANT).await.map(|(file, _)| file.generation()) })
        })
        .collect();
    let mut won = 0;
    for rotation in rotations {
        match rotation.await.unwrap() {
            Ok(generation) => {
                assert_eq!(generation, 2);
                won += 1;
            }
            Err(error) => assert!(error.is_conflict(), "{error}"),
        }
    }
    assert_eq!((won, world.stored().generation()), (1, 2));
}

#[test]
fn a_lost_answer_is_looked_up() {
    let world = world();
    // It was stored, but the store says that it could not: the change is there, and is told so.
    world.store.set(Mode::Lies);
    let (file, id) = run_local(world.admin.rotate(TENANT)).unwrap();
    assert_eq!(world.stored(), file);
    assert_eq!(world.keys().primary_key(), id);
    // It was not stored.
    world.store.set(Mode::Unavailable);
    assert_eq!(run_local(world.admin.rotate(TENANT)).unwrap_err().code().as_str(), "store-unavailable");
    world.store.set(Mode::Works);
    assert_eq!(world.stored(), file);
}

/// T48: what could not be read back as it was written is not told to be done.
#[test]
fn what_a_store_gives_back_must_be_what_it_was_given() {
    let world = world();
    // A store that says that it stored, and has another keyring of that generation.
    let elsewhere = self::world();
    let (other, _) = run_local(elsewhere.admin.rotate(TENANT)).unwrap();
    let lying = Arc::new(GivesBack { store: world.store.clone(), instead: Ok(other), put: AtomicBool::new(false) });
    let admin = KeyringAdmin::new(Arc::clone(&lying), world.roots.clone());
    let error = run_local(admin.rotate(TENANT)).unwrap_err();
    assert_eq!(error.code().as_str(), "store-refused");
    assert!(error.to_string().contains("another keyring than it was given"), "{error}");

    // One that cannot be read after the change.
    let world = self::world();
    let silent = Arc::new(GivesBack { store: world.store.clone(), instead: Err(()), put: AtomicBool::new(false) });
    let admin = KeyringAdmin::new(Arc::clone(&silent), world.roots.clone());
    let error = run_local(admin.rotate(TENANT)).unwrap_err();
    assert_eq!(error.code().as_str(), "stored-unread");
    assert!(!error.is_retryable() && error.to_string().contains("the change is stored"), "{error}");
    assert_eq!(world.stored().generation(), 2, "and it is");
}

/// After a change it answers something else than what was stored.
struct GivesBack {
    store: TestStore,
    instead: Result<KeyringFile, ()>,
    put: AtomicBool,
}

impl KeyringStore for GivesBack {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        Box::pin(async move {
            match &self.instead {
                _ if !self.put.load(SeqCst) => self.store.get(keyspace).await,
                Ok(file) => Ok(Some(file.clone())),
                Err(()) => Err(Error::from_store(true, "connection reset")),
            }
        })
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        self.put.store(true, SeqCst);
        self.store.put(file, over)
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        self.store.keyspaces()
    }
}

#[test]
fn nothing_is_stored_that_a_failing_root_key_touched() {
    let world = world();
    let stored = world.stored();
    let puts = world.store.puts();
    for mode in [Mode::Unavailable, Mode::Refuses, Mode::Lies] {
        world.root.set(mode);
        assert!(run_local(world.admin.rotate(TENANT)).is_err());
        assert!(run_local(world.admin.stage(TENANT)).is_err());
        assert!(run_local(world.admin.rewrap(TENANT, &world.roots)).is_err());
        assert!(run_local(world.admin.create("pharmacy-18", Suite::default())).is_err(), "{mode:?}");
    }
    assert_eq!(world.store.puts(), puts);
    assert_eq!(world.stored(), stored);
    assert_eq!(world.heard.take().iter().filter(|event| event.starts_with("root-1 failed")).count(), 9);
}

#[test]
fn an_older_file_that_was_put_back_is_not_changed() {
    let world = world();
    let at_least = UnlockOptions::default().min_generation(2);
    let admin = KeyringAdmin::new(world.store.clone(), world.roots.clone()).options(at_least);
    assert_eq!(run_local(admin.rotate(TENANT)).unwrap_err().code().as_str(), "keyring-too-old");
    assert_eq!(
        run_local(admin.verify(TENANT)).unwrap()[0].result().unwrap().unwrap_err().code().as_str(),
        "keyring-too-old"
    );
    // A file of another tenant under this name.
    let other = self::world();
    run_local(other.admin.create("pharmacy-18", Suite::default())).unwrap();
    world.store.answer(Some(run_local(other.admin.stored("pharmacy-18")).unwrap()));
    assert_eq!(run_local(world.admin.rotate(TENANT)).unwrap_err().code().as_str(), "keyring-mismatch");
}

/// A key that programs may still seal under is not destroyed: neither right after it was deactivated nor after it was marked.
#[test]
fn a_key_that_was_in_use_lately_is_not_destroyed() {
    let (world, wait) = (world(), KeyringAdmin::UNUSED_FOR);
    assert_eq!(wait, Duration::from_secs(65 * 60));
    let seconds = Duration::from_secs;
    let refused = |id| {
        let error = world.destroy(id, wait).unwrap_err();
        assert_eq!((error.code().as_str(), error.key_id()), ("state-refused", Some(id)), "{error}");
        error
    };
    let first = world.keys().primary_key();
    let (_, second) = run_local(world.admin.rotate(TENANT)).unwrap();
    let error = refused(first);
    assert_eq!(error.time_left(), Some(wait));
    assert!(
        error.to_string().contains("may still seal under it") && error.to_string().contains("1 h 5 min"),
        "{error}"
    );
    world.clock.advance(wait - seconds(90));
    assert_eq!(refused(first).time_left(), Some(seconds(90)));

    // The mark overwrites when it was deactivated: the wait begins anew, since nobody knows the earlier time any more.
    run_local(world.admin.compromise(TENANT, first)).unwrap();
    assert_eq!(refused(first).time_left(), Some(wait));
    // So does another clock that is behind: it makes a wait no shorter.
    world.clock.set_back(seconds(30));
    assert_eq!(refused(first).time_left(), Some(wait));
    world.clock.advance(wait + seconds(29));
    assert_eq!(refused(first).time_left(), Some(seconds(1)));
    world.clock.advance(seconds(1));
    let generation = world.stored().generation();
    assert_eq!(world.destroy(first, wait).unwrap().generation(), generation + 1);

    // It never sealed.
    let (_, staged) = run_local(world.admin.stage(TENANT)).unwrap();
    world.destroy(staged, wait).unwrap();
    // One process holds the keyring; or whoever says so by force.
    run_local(world.admin.rotate(TENANT)).unwrap();
    world.destroy(second, Duration::ZERO).unwrap();
    let (_, fourth) = run_local(world.admin.rotate(TENANT)).unwrap();
    run_local(world.admin.rotate(TENANT)).unwrap();
    refused(fourth);
    run_local(world.admin.force_destroy(TENANT, fourth)).unwrap();
    // What is counted comes first: whoever has to wait reseals meanwhile.
    let (_, sixth) = run_local(world.admin.rotate(TENANT)).unwrap();
    run_local(world.admin.rotate(TENANT)).unwrap();
    let one = world.admin.destroy(TENANT, sixth, RemainingUse::new(1, 0), world.clock.now(), wait);
    assert_eq!(run_local(one).unwrap_err().code().as_str(), "key-in-use");
    // An index root is waited for too.
    let index = world.stored().keys().iter().find(|key| key.usage() == KeyUse::Index).unwrap().id();
    run_local(world.admin.rotate_index_root(TENANT)).unwrap();
    let nothing = RemainingUse::of_index_root(0).begun_at(world.clock.now());
    let destroyed = run_local(world.admin.destroy(TENANT, index, nothing, world.clock.now(), wait));
    assert_eq!(destroyed.unwrap_err().time_left(), Some(wait));
}

const YEAR: Duration = Duration::from_secs(365 * 86_400);
const WAIT: Duration = Duration::from_secs(600);

fn is_skew<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    let error = result.unwrap_err();
    assert_eq!((error.code().as_str(), error.time_left()), ("clock-skew", None), "{error}");
    assert!(error.to_string().starts_with("clock skew: "), "{error}");
    error.to_string()
}

/// A machine whose clock is behind begins no wait that another machine would find over at once.
#[test]
fn a_clock_that_is_behind_starts_no_wait() {
    let world = world();
    let (_, staged) = run_local(world.admin.stage(TENANT)).unwrap();
    let stored = world.stored();
    world.clock.set_back(YEAR);
    let text = is_skew(world.promote(staged, Duration::ZERO));
    assert!(text.contains("ahead by 365 d 0 h") && text.contains("clock right"), "{text}");
    is_skew(world.promote(staged, WAIT));
    is_skew(run_local(world.admin.rotate(TENANT)));
    is_skew(run_local(world.admin.rotate_index_root(TENANT)));
    assert_eq!(world.stored(), stored);
    // What is urgent, and begins no wait, is done: the times that are there already stay.
    run_local(world.admin.compromise(TENANT, staged)).unwrap();
    let marked = world.stored();
    assert_eq!(
        (changed(&marked, staged), state_of(&marked, staged)),
        (changed(&stored, staged), KeyState::Compromised)
    );
    is_skew(world.destroy(staged, WAIT));
    run_local(world.admin.rewrap(TENANT, &world.roots)).unwrap();
    run_local(world.admin.force_destroy(TENANT, staged)).unwrap();
    is_skew(run_local(world.admin.stage(TENANT)));

    world.clock.set_forward(YEAR);
    let (_, staged) = run_local(world.admin.stage(TENANT)).unwrap();
    world.clock.advance(WAIT - Duration::from_secs(1));
    assert_eq!(world.promote(staged, WAIT).unwrap_err().time_left(), Some(Duration::from_secs(1)));
    // Two clocks are never quite the same: a minute is no skew, and makes no wait shorter.
    let before = changed(&world.stored(), staged);
    world.clock.set_back(WAIT + Duration::from_secs(59));
    assert_eq!(world.promote(staged, WAIT).unwrap_err().time_left(), Some(WAIT));
    world.promote(staged, Duration::ZERO).unwrap();
    assert_eq!(changed(&world.stored(), staged), before, "times in one keyring never go back");
}

fn changed(file: &KeyringFile, id: KeyId) -> u64 {
    file.keys().iter().find(|key| key.id() == id).unwrap().changed()
}

/// A machine whose clock was ahead leaves times that nobody can wait for: what is refused says so, and there is a way out.
#[test]
fn a_clock_that_was_ahead_is_named_and_got_over() {
    let world = world();
    world.clock.set_forward(YEAR * 10);
    let (_, staged) = run_local(world.admin.stage(TENANT)).unwrap();
    world.clock.set_back(YEAR * 10);
    let text = is_skew(world.promote(staged, WAIT));
    assert!(text.contains("ahead by 3650 d 0 h"), "{text}");
    is_skew(run_local(world.admin.rotate(TENANT)));

    // Of the staged key itself nobody knows how long it has been there, whoever is right.
    let sure = world.elsewhere().options(UnlockOptions::default().clock_is_right(true));
    is_skew(run_local(sure.promote(TENANT, staged, world.clock.now(), WAIT)));
    // It goes, and its time with it.
    world.destroy(staged, WAIT).unwrap();
    let (_, staged) = run_local(world.admin.stage(TENANT)).unwrap();
    assert!(world.promote(staged, WAIT).unwrap_err().time_left().is_some());
    world.clock.advance(WAIT);
    world.promote(staged, WAIT).unwrap();

    // A whole keyring that was made under such a clock.
    world.clock.set_forward(YEAR);
    let (_, wrong) = run_local(world.admin.rotate(TENANT)).unwrap();
    world.clock.set_back(YEAR);
    is_skew(run_local(world.admin.stage(TENANT)));
    let (_, fresh) = run_local(sure.rotate(TENANT)).unwrap();
    world.clock.advance(KeyringAdmin::UNUSED_FOR);
    world.destroy(wrong, KeyringAdmin::UNUSED_FOR).unwrap();
    is_skew(world.destroy(staged, KeyringAdmin::UNUSED_FOR));
    world.destroy(staged, Duration::ZERO).unwrap();
    run_local(world.admin.rotate(TENANT)).unwrap();
    assert_eq!(state_of(&world.stored(), fresh), KeyState::Deactivated, "no word of skew is left");
}

/// Whoever changed the keyring after the staging may have had the better clock: the wait counts from the latest time.
#[test]
fn a_staging_time_counts_from_the_latest_change() {
    let world = world();
    let (_, staged) = run_local(world.admin.stage(TENANT)).unwrap();
    world.clock.advance(WAIT - Duration::from_secs(10));
    run_local(world.admin.rotate_index_root(TENANT)).unwrap();
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(world.promote(staged, WAIT).unwrap_err().time_left(), Some(WAIT - Duration::from_secs(20)));
    world.clock.advance(WAIT - Duration::from_secs(20));
    world.promote(staged, WAIT).unwrap();
}

/// Within one process nothing goes back, whatever file is put back and whatever is made from it.
#[test]
fn an_admin_never_goes_back() {
    let world = world();
    let first = world.stored();
    let old = world.keys().primary_key();
    run_local(world.admin.rotate(TENANT)).unwrap();
    let second = world.stored();
    run_local(world.admin.compromise(TENANT, old)).unwrap();
    let third = world.stored();
    let all = |what: &str| {
        let admin = &world.admin;
        for (name, result) in [
            ("stored", run_local(admin.stored(TENANT)).map(drop)),
            ("verify", run_local(admin.verify(TENANT)).map(drop)),
            ("stage", run_local(admin.stage(TENANT)).map(drop)),
            ("rotate", run_local(admin.rotate(TENANT)).map(drop)),
            ("rotate_index_root", run_local(admin.rotate_index_root(TENANT)).map(drop)),
            ("compromise", run_local(admin.compromise(TENANT, old)).map(drop)),
            ("force_destroy", run_local(admin.force_destroy(TENANT, old)).map(drop)),
            ("rewrap", run_local(admin.rewrap(TENANT, &world.roots)).map(drop)),
            ("add_root", run_local(admin.add_root(TENANT, &TestRoot::new("root-2"))).map(drop)),
            ("remove_root", run_local(admin.remove_root(TENANT, "test", "root-1")).map(drop)),
        ] {
            assert_eq!(result.expect_err(name).code().as_str(), "keyring-too-old", "{what}: {name}");
        }
    };
    let puts = world.store.puts();
    for older in [&first, &second] {
        world.store.answer(Some(older.clone()));
        all("an older generation");
    }
    // Somebody else goes on from the older files: the number is right again, and the mark is not there, or the key.
    let rotated = |file: &KeyringFile| run_local(rxseal::testing::rotate_keyring(TENANT, &world.roots, file)).unwrap();
    for (fork, what) in [
        (rotated(&second), "the same generation without the mark"),
        (rotated(&rotated(&second)), "a later generation without the mark"),
        (rotated(&rotated(&rotated(&first))), "a later generation without the key"),
        (compromised(&world, &second, old), "the same generation with other content"),
    ] {
        world.store.answer(Some(fork));
        all(what);
    }
    // What was made from the newest one elsewhere is welcome, some generations later too.
    world.store.answer(Some(rotated(&rotated(&third))));
    assert_eq!(run_local(world.admin.stored(TENANT)).unwrap().generation(), 5);
    assert!(run_local(world.admin.verify(TENANT)).unwrap()[0].result().unwrap().is_ok());
    // What was unlocked for a check counts as seen too.
    world.store.answer(Some(third.clone()));
    assert_eq!(run_local(world.admin.stored(TENANT)).unwrap_err().code().as_str(), "keyring-too-old");
    assert_eq!(world.store.puts(), puts);
    // Whoever begins anew takes what there is.
    assert_eq!(run_local(world.elsewhere().stored(TENANT)).unwrap(), third);
}

fn compromised(world: &World, file: &KeyringFile, id: KeyId) -> KeyringFile {
    run_local(rxseal::testing::force_key_state(TENANT, &world.roots, file, id, KeyState::Compromised)).unwrap()
}

/// A keyring that was stored and is gone is restored, not replaced by one under which nothing opens.
#[test]
fn a_lost_keyring_is_not_made_anew() {
    let world = world();
    let emptied = TestStore::default();
    let switch = Arc::new(Switch { stores: [world.store.clone(), emptied.clone()], second: AtomicBool::new(false) });
    let admin = KeyringAdmin::new(Arc::clone(&switch), world.roots.clone());
    run_local(admin.rotate(TENANT)).unwrap();
    switch.second.store(true, SeqCst);
    assert_eq!(run_local(admin.create(TENANT, Suite::default())).unwrap_err().code().as_str(), "keyring-too-old");
    assert_eq!(emptied.puts(), 0);
    run_local(admin.create("pharmacy-18", Suite::default())).unwrap();
}

/// Two stores of which one is behind an address at a time.
struct Switch {
    stores: [TestStore; 2],
    second: AtomicBool,
}

impl Switch {
    fn store(&self) -> &TestStore {
        &self.stores[usize::from(self.second.load(SeqCst))]
    }
}

impl KeyringStore for Switch {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        self.store().get(keyspace)
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        self.store().put(file, over)
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        self.store().keyspaces()
    }
}
