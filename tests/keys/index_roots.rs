//! The life of index roots: staged, promoted, out of use, destroyed. What each step refuses is refused as for the keys that seal.

use std::time::{Duration, SystemTime};

use rxseal::count::IndexCounts;
use rxseal::index::{Definition, Forms, Index, IndexSchema, IndexValue, Indexer, Kind, StoredIndex};
use rxseal::keys::{KeyState, KeyUse, KeyringAdmin, KeyringFile, RemainingUse, Suite, UnlockOptions};
use rxseal::root::RootKeys;
use rxseal::testing::TestClock;
use rxseal::{Class, Error, FieldId, KeyId, Keyring, run_local};

use crate::support::{Heard, TENANT, TestRoot, TestStore};

const WAIT: Duration = Duration::from_secs(600);
const SECOND: Duration = Duration::from_secs(1);

struct World {
    roots: RootKeys,
    store: TestStore,
    heard: Heard,
    admin: KeyringAdmin,
    clock: TestClock,
}

fn world() -> World {
    let (roots, store, heard) = (RootKeys::from(TestRoot::new("root-1")), TestStore::default(), Heard::default());
    let clock = TestClock::default();
    let admin = KeyringAdmin::new(store.clone(), roots.clone()).clock(&clock).observed_by(heard.clone());
    run_local(admin.create(TENANT, Suite::default())).unwrap();
    World { roots, store, heard, admin, clock }
}

impl World {
    fn stored(&self) -> KeyringFile {
        run_local(self.admin.stored(TENANT)).unwrap()
    }

    fn primary(&self, usage: KeyUse) -> KeyId {
        self.stored().keys().iter().find(|key| key.usage() == usage && key.is_primary()).unwrap().id()
    }

    fn state(&self, id: KeyId) -> KeyState {
        self.stored().keys().iter().find(|key| key.id() == id).unwrap().state()
    }

    fn stage(&self) -> Result<KeyId, Error> {
        run_local(self.admin.stage_index_root(TENANT)).map(|(_, id)| id)
    }

    fn promote(&self, id: KeyId, staging_time: Duration) -> Result<KeyringFile, Error> {
        run_local(self.admin.promote_index_root(TENANT, id, self.clock.now(), staging_time))
    }

    fn rotate(&self) -> KeyId {
        run_local(self.admin.rotate_index_root(TENANT)).unwrap().1
    }

    fn destroy_with(&self, id: KeyId, still: RemainingUse, unused_for: Duration) -> Result<KeyringFile, Error> {
        run_local(self.admin.destroy(TENANT, id, still.begun_at(self.clock.now()), self.clock.now(), unused_for))
    }

    fn destroy(&self, id: KeyId, unused_for: Duration) -> Result<KeyringFile, Error> {
        self.destroy_with(id, RemainingUse::of_index_root(0), unused_for)
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, code: &str, id: KeyId) -> Error {
    let error = result.unwrap_err();
    assert_eq!((error.code().as_str(), error.key_id()), (code, Some(id)), "{error}");
    error
}

#[test]
fn a_whole_life() {
    let world = world();
    let (dek, first) = (world.primary(KeyUse::Seal), world.primary(KeyUse::Index));
    let staged = world.stage().unwrap();
    let info = |id| world.stored().keys().iter().find(|key| key.id() == id).unwrap().clone();
    assert_eq!((info(staged).usage(), info(staged).state()), (KeyUse::Index, KeyState::PreActive));
    assert_eq!((info(staged).suite(), info(staged).is_primary()), (None, false));
    assert_eq!(world.primary(KeyUse::Index), first, "nothing is written under a staged one");

    world.clock.advance(WAIT);
    world.promote(staged, WAIT).unwrap();
    assert_eq!(world.primary(KeyUse::Index), staged);
    assert_eq!(world.state(first), KeyState::Deactivated);
    assert_eq!(world.primary(KeyUse::Seal), dek, "keys that seal do not follow index roots");

    run_local(world.admin.compromise(TENANT, first)).unwrap();
    world.clock.advance(KeyringAdmin::UNUSED_FOR);
    world.destroy(first, KeyringAdmin::UNUSED_FOR).unwrap();
    assert_eq!(world.state(first), KeyState::Destroyed);
    // A rotation that is called off.
    let staged = world.stage().unwrap();
    run_local(world.admin.deactivate(TENANT, staged)).unwrap();
    let changes: Vec<_> = world.heard.take().into_iter().filter(|event| !event.starts_with("unlocked")).collect();
    assert_eq!(
        changes,
        [
            "1 created",
            "2 index-root-staged",
            "3 index-root-promoted",
            "4 compromised",
            "5 destroyed",
            "6 index-root-staged",
            "7 deactivated",
        ]
    );
}

/// A key that seals and an index root may be staged at once, and neither is promoted as the other.
#[test]
fn each_use_has_a_staging_of_its_own() {
    let world = world();
    let root = world.stage().unwrap();
    let (_, key) = run_local(world.admin.stage(TENANT)).unwrap();
    refused(world.stage(), "state-refused", root);
    refused(run_local(world.admin.stage(TENANT)), "state-refused", key);
    refused(world.promote(key, Duration::ZERO), "state-refused", key);
    let as_key = run_local(world.admin.promote(TENANT, root, world.clock.now(), Duration::ZERO));
    refused(as_key, "state-refused", root);
    world.promote(root, Duration::ZERO).unwrap();
    assert_ne!(world.primary(KeyUse::Seal), key);
    run_local(world.admin.promote(TENANT, key, world.clock.now(), Duration::ZERO)).unwrap();
    assert_eq!((world.primary(KeyUse::Seal), world.primary(KeyUse::Index)), (key, root));
}

/// Every step from every state.
#[test]
fn no_step_goes_back_or_skips_what_must_be_before() {
    use KeyState::{Active, Compromised, Deactivated, Destroyed, PreActive};
    type Step = (&'static str, fn(&World, KeyId) -> Result<KeyringFile, Error>);
    let steps: [Step; 5] = [
        ("promote", |world, id| world.promote(id, Duration::ZERO)),
        ("deactivate", |world, id| run_local(world.admin.deactivate(TENANT, id))),
        ("compromise", |world, id| run_local(world.admin.compromise(TENANT, id))),
        ("destroy", |world, id| world.destroy(id, Duration::ZERO)),
        ("force_destroy", |world, id| run_local(world.admin.force_destroy(TENANT, id))),
    ];
    for (state, allowed) in [
        (PreActive, [true, true, true, true, true]),
        (Active, [false; 5]),
        (Deactivated, [false, false, true, true, true]),
        (Compromised, [false, false, false, true, true]),
        (Destroyed, [false; 5]),
    ] {
        for ((name, step), allowed) in steps.into_iter().zip(allowed) {
            let world = world();
            let id = match state {
                PreActive => world.stage().unwrap(),
                _ => world.primary(KeyUse::Index),
            };
            if [Deactivated, Compromised, Destroyed].contains(&state) {
                world.rotate();
            }
            if state == Compromised {
                run_local(world.admin.compromise(TENANT, id)).unwrap();
            }
            if state == Destroyed {
                run_local(world.admin.force_destroy(TENANT, id)).unwrap();
            }
            assert_eq!(world.state(id), state);
            let before = world.stored();
            let result = step(&world, id);
            assert_eq!(result.is_ok(), allowed, "{name} of a {state} one: {:?}", result.err());
            if let Err(error) = result {
                assert_eq!((error.code().as_str(), error.key_id()), ("state-refused", Some(id)), "{name}, {state}");
                assert_eq!(world.stored(), before);
            }
        }
    }
    let (world, stranger) = (world(), self::world().primary(KeyUse::Index));
    for (name, step) in steps {
        assert_eq!(step(&world, stranger).expect_err(name).code().as_str(), "unknown-key");
    }
}

#[test]
fn a_staging_time_is_waited_for_by_any_clock() {
    let world = world();
    let staged = world.stage().unwrap();
    assert_eq!(refused(world.promote(staged, WAIT), "state-refused", staged).time_left(), Some(WAIT));
    // The wait counts from the latest change of the keyring.
    world.clock.advance(WAIT - SECOND);
    run_local(world.admin.rotate(TENANT)).unwrap();
    assert_eq!(refused(world.promote(staged, WAIT), "state-refused", staged).time_left(), Some(WAIT));
    world.clock.set_back(WAIT);
    assert_eq!(world.promote(staged, Duration::ZERO).unwrap_err().code().as_str(), "clock-skew");
    let rotated = run_local(world.admin.rotate_index_root(TENANT));
    assert_eq!(rotated.unwrap_err().code().as_str(), "clock-skew");
    world.clock.set_forward(WAIT);
    world.clock.advance(WAIT);
    world.promote(staged, WAIT).unwrap();

    // Another machine with a wrong clock.
    world.clock.set_back(WAIT);
    assert_eq!(world.stage().unwrap_err().code().as_str(), "clock-skew");
    let sure = KeyringAdmin::new(world.store.clone(), world.roots.clone()).clock(&world.clock);
    let sure = sure.options(UnlockOptions::default().clock_is_right(true));
    run_local(sure.stage_index_root(TENANT)).unwrap();
}

/// T69.
#[test]
fn an_index_root_is_destroyed_by_evidence_of_its_own() {
    let world = world();
    let (dek, first) = (world.primary(KeyUse::Seal), world.primary(KeyUse::Index));
    world.rotate();
    run_local(world.admin.rotate(TENANT)).unwrap();
    world.clock.advance(KeyringAdmin::UNUSED_FOR);
    for values in [1, u64::MAX] {
        let still = RemainingUse::of_index_root(values);
        assert_eq!((still.index_values(), still.tokens(), still.subject_keys()), (values, 0, 0));
        let error = refused(world.destroy_with(first, still, Duration::ZERO), "key-in-use", first);
        assert!(error.to_string().contains("index values"), "{error}");
    }
    // A count of tokens says nothing of index values, nor the reverse.
    let error = refused(world.destroy_with(first, RemainingUse::new(0, 0), Duration::ZERO), "not-counted", first);
    assert!(error.to_string().contains("index root"), "{error}");
    refused(world.destroy(dek, Duration::ZERO), "not-counted", dek);
    let ring = world.stored();
    refused(RemainingUse::counted([], ring.keys(), first, 0, None), "not-counted", first);
    assert_eq!(world.stored(), ring);

    world.destroy(first, KeyringAdmin::UNUSED_FOR).unwrap();
    world.destroy_with(dek, RemainingUse::new(0, 0), KeyringAdmin::UNUSED_FOR).unwrap();
}

struct BornOn;
struct Phone;
/// Some releases ago.
struct BornOnOnce;

macro_rules! index {
    ($index:ty, $id:literal, $bits:literal, $former:expr) => {
        impl Index for $index {
            type Record = &'static str;
            type Stored = Option<IndexValue<Self>>;
            const DEFINITION: Definition = Definition::new("patient", $id, Kind::Whole, $bits, &["exact/1"]);
            const FORMER: &'static [Definition] = $former;
            const CLASSES: &'static [Class] = &[Class::IDENTITY];
            const FIELDS: &'static [FieldId] = &[];

            fn forms(record: &&'static str, _: &Definition, forms: &mut Forms) -> Result<(), Error> {
                forms.push(&[record.as_bytes()])
            }
        }
    };
}

index!(BornOn, "patient.born", 14, &[Definition::new("patient", "patient.born", Kind::Whole, 12, &["exact/1"])]);
index!(BornOnOnce, "patient.born", 10, &[]);
index!(Phone, "patient.phone", 17, &[]);

impl World {
    fn keys(&self) -> Keyring {
        let options = UnlockOptions::default().with_index_roots();
        run_local(Keyring::unlock_with(options, TENANT, &self.roots, &self.stored())).unwrap().unobserved()
    }

    fn indexer(&self) -> Indexer {
        self.keys().indexer().unwrap()
    }

    /// What a row has, under the index root that is primary now.
    fn value<I: Index<Record = &'static str>>(&self, plain: &'static str) -> Vec<u8> {
        let keys = self.keys();
        let stored = keys.indexer().unwrap().stored::<I>(&keys.record("patient", 1).unwrap(), &plain).unwrap();
        stored.values()[0].as_bytes().to_vec()
    }
}

fn column(values: &[&Vec<u8>]) -> IndexCounts {
    let mut counts = IndexCounts::default();
    values.iter().for_each(|value| counts.add_bytes(value));
    counts
}

/// A rotation from the first row to the last, and every count that says nothing.
#[test]
fn only_a_count_of_every_index_destroys_an_index_root() {
    let world = world();
    let schema = IndexSchema::default().with_index::<BornOn>().with_index::<Phone>();
    let old = world.primary(KeyUse::Index);
    let [old_born, old_phone] = [world.value::<BornOn>("1970-01-31"), world.value::<Phone>("+15551234567")];
    let ancient = world.value::<BornOnOnce>("1970-01-31");
    let new = world.rotate();
    let [new_born, new_phone] = [world.value::<BornOn>("1970-01-31"), world.value::<Phone>("+15551234567")];
    assert_ne!(old_born[..3], new_born[..3]);

    let counted = |columns: &[(&'static str, &IndexCounts)], backups| {
        RemainingUse::counted_of_index_root(&world.indexer(), &schema, columns.iter().copied(), old, backups)
    };
    let (born, phone) = (column(&[&new_born]), column(&[&new_phone]));
    let mut nulls = IndexCounts::default();
    nulls.add_nulls(7);
    for (what, columns, code) in [
        ("nothing", vec![], "not-counted"),
        ("one of two indexes", vec![("patient.born", &born)], "not-counted"),
        ("an index that is not listed", vec![("patient.born", &born), ("patient.last", &phone)], "not-counted"),
        ("an empty column", vec![("patient.born", &born), ("patient.phone", &column(&[]))], "not-counted"),
        ("only nulls", vec![("patient.born", &born), ("patient.phone", &nulls)], "not-counted"),
        ("the other column", vec![("patient.born", &phone), ("patient.phone", &born)], "key-in-use"),
        (
            "a definition that is not listed",
            vec![("patient.born", &column(&[&new_born, &ancient])), ("patient.phone", &phone)],
            "key-in-use",
        ),
        (
            "plaintext",
            vec![("patient.born", &column(&[&new_born, &b"1970-01-31 or so".to_vec()])), ("patient.phone", &phone)],
            "key-in-use",
        ),
        (
            "a doubt",
            vec![("patient.born", &born.clone().doubted(Some("it is a view"))), ("patient.phone", &phone)],
            "not-counted",
        ),
    ] {
        let error = counted(&columns, 0).expect_err(what);
        assert_eq!((error.code().as_str(), error.key_id()), (code, Some(old)), "{what}: {error}");
    }

    // Halfway, and values of a former definition count too.
    let halfway = column(&[&new_born, &old_born, &old_born]);
    let still =
        counted(&[("patient.born", &halfway), ("patient.phone", &phone), ("patient.phone", &column(&[&old_phone]))], 1);
    assert_eq!(still.unwrap().index_values(), 4);
    let still = counted(&[("patient.born", &halfway), ("patient.phone", &phone)], 0).unwrap();
    refused(world.destroy_with(old, still, Duration::ZERO), "key-in-use", old);

    let confirmed = nulls.confirmed_empty().unwrap();
    let done = counted(&[("patient.born", &born), ("patient.phone", &confirmed)], 0).unwrap();
    refused(world.destroy_with(new, done, Duration::ZERO), "not-counted", new);
    world.destroy_with(old, done, Duration::ZERO).unwrap();

    // What is gone is no longer known, nor is a key that seals.
    for id in [old, world.primary(KeyUse::Seal)] {
        let columns = [("patient.born", &born), ("patient.phone", &phone)];
        let counted = RemainingUse::counted_of_index_root(&world.indexer(), &schema, columns, id, 0);
        refused(counted, "unknown-key", id);
    }
}

/// Who counts knows whose prefixes they are.
#[test]
fn prefixes_are_of_every_index_root_and_definition() {
    let world = world();
    let old = world.primary(KeyUse::Index);
    let staged = world.stage().unwrap();
    let schema = IndexSchema::default().with_index::<BornOn>().with_index::<Phone>();
    let prefixes = world.indexer().prefixes_of(&schema).unwrap();
    assert_eq!(prefixes.len(), 6, "two index roots, three definitions");
    let current: Vec<_> = prefixes.iter().filter(|prefix| prefix.is_current()).collect();
    assert!(current.iter().all(|prefix| prefix.root() == old && prefix.state() == KeyState::Active));
    assert_eq!(current.iter().map(|prefix| prefix.index()).collect::<Vec<_>>(), ["patient.born", "patient.phone"]);
    assert_eq!(current[0].as_bytes()[..], world.value::<BornOn>("1970-01-31")[..3]);
    assert_eq!(world.indexer().prefixes::<BornOn>().unwrap(), prefixes[..4]);

    world.promote(staged, Duration::ZERO).unwrap();
    let prefixes = world.indexer().prefixes::<Phone>().unwrap();
    let of = |root| prefixes.iter().find(|prefix| prefix.root() == root).unwrap();
    assert_eq!(
        (of(old).state(), of(old).is_current()),
        (KeyState::Deactivated, false),
        "it is asked, and never written"
    );
    assert!(of(staged).is_current());
    run_local(world.admin.compromise(TENANT, old)).unwrap();
    assert_eq!(world.indexer().prefixes::<Phone>().unwrap().len(), 2, "it is asked still");
    run_local(world.admin.force_destroy(TENANT, old)).unwrap();
    assert_eq!(world.indexer().prefixes::<Phone>().unwrap().len(), 1);
    // The list as a file for the command.
    assert_eq!(schema.to_string().parse::<IndexSchema>().unwrap(), schema);
    let listed = KeyringAdmin::new(world.store.clone(), world.roots.clone()).clock(&world.clock).indexes(schema);
    run_local(listed.rotate_index_root(TENANT)).unwrap();
}

/// Programs go on writing under the former index root for as long as a manager keeps a keyring.
#[test]
fn an_index_root_that_was_in_use_lately_is_not_destroyed() {
    const UNUSED_FOR: Duration = KeyringAdmin::UNUSED_FOR;
    let world = world();
    let first = world.primary(KeyUse::Index);
    let before = RemainingUse::of_index_root(0).begun_at(world.clock.now());
    world.rotate();
    let error = refused(world.destroy(first, UNUSED_FOR), "state-refused", first);
    assert_eq!(error.time_left(), Some(UNUSED_FOR));
    assert!(error.to_string().contains("index values"), "{error}");
    world.clock.advance(UNUSED_FOR - SECOND);
    assert_eq!(refused(world.destroy(first, UNUSED_FOR), "state-refused", first).time_left(), Some(SECOND));
    let early = RemainingUse::of_index_root(0).begun_at(world.clock.now());
    world.clock.advance(SECOND);
    for still in [before, early] {
        let destroyed = run_local(world.admin.destroy(TENANT, first, still, world.clock.now(), UNUSED_FOR));
        assert!(refused(destroyed, "not-counted", first).to_string().contains("count again"));
    }
    // The mark begins the wait anew.
    run_local(world.admin.compromise(TENANT, first)).unwrap();
    assert_eq!(refused(world.destroy(first, UNUSED_FOR), "state-refused", first).time_left(), Some(UNUSED_FOR));
    world.clock.advance(UNUSED_FOR);
    world.destroy(first, UNUSED_FOR).unwrap();
    // Nothing was ever written under a staged one.
    let staged = world.stage().unwrap();
    world.destroy_with(staged, before, UNUSED_FOR).unwrap();
}

#[test]
fn no_index_root_goes_back_or_is_lost() {
    let world = world();
    let (first, created) = (world.primary(KeyUse::Index), world.stored());
    let staged = world.stage().unwrap();
    let staged_file = world.stored();
    world.promote(staged, Duration::ZERO).unwrap();
    let promoted = world.stored();
    run_local(world.admin.compromise(TENANT, first)).unwrap();
    let marked = world.stored();
    let rotated = |file: &KeyringFile| run_local(rxseal::testing::rotate_keyring(TENANT, &world.roots, file)).unwrap();
    let forks = [
        ("an older generation", created.clone()),
        ("an older generation", promoted.clone()),
        ("without the mark", rotated(&promoted)),
        ("staged again", rotated(&rotated(&staged_file))),
        ("without the index root", rotated(&rotated(&rotated(&rotated(&created))))),
    ];
    for (what, fork) in forks {
        world.store.answer(Some(fork));
        for (name, result) in [
            ("stored", run_local(world.admin.stored(TENANT)).map(drop)),
            ("stage", world.stage().map(drop)),
            ("promote", world.promote(staged, Duration::ZERO).map(drop)),
            ("rotate", run_local(world.admin.rotate_index_root(TENANT)).map(drop)),
            ("destroy", world.destroy(first, Duration::ZERO).map(drop)),
        ] {
            assert_eq!(result.expect_err(name).code().as_str(), "keyring-too-old", "{what}: {name}");
        }
    }
    world.store.answer(Some(rotated(&marked)));
    assert_eq!(world.stored().generation(), 5);
}

#[test]
fn of_two_changes_at_once_one_changes_nothing() {
    let world = world();
    let staged = world.stage().unwrap();
    let first = world.primary(KeyUse::Index);
    let stale = world.stored();
    world.promote(staged, Duration::ZERO).unwrap();
    let newest = world.stored();
    // Another admin read the generation before.
    world.store.answer(Some(stale));
    let other = KeyringAdmin::new(world.store.clone(), world.roots.clone()).clock(&world.clock);
    let now: SystemTime = world.clock.now();
    for (name, result) in [
        ("promote", run_local(other.promote_index_root(TENANT, staged, now, Duration::ZERO)).map(drop)),
        ("rotate", run_local(other.rotate_index_root(TENANT)).map(drop)),
        ("deactivate", run_local(other.deactivate(TENANT, staged)).map(drop)),
        ("compromise", run_local(other.compromise(TENANT, staged)).map(drop)),
        ("destroy", run_local(other.force_destroy(TENANT, staged)).map(drop)),
    ] {
        assert!(result.expect_err(name).is_conflict(), "{name}");
    }
    world.store.answer(None);
    assert_eq!(world.stored(), newest);
    assert_eq!(world.state(first), KeyState::Deactivated);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_stagings_at_once_stage_one() {
    let world = world();
    let admins: Vec<_> = (0..16).map(|_| KeyringAdmin::new(world.store.clone(), world.roots.clone())).collect();
    let tasks: Vec<_> =
        admins.into_iter().map(|admin| tokio::spawn(async move { admin.stage_index_root(TENANT).await })).collect();
    let mut staged = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => staged += 1,
            Err(error) => assert!(error.is_conflict() || error.code().as_str() == "state-refused", "{error}"),
        }
    }
    assert_eq!(staged, 1);
    assert_eq!(world.stored().generation(), 2);
}
