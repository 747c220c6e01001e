//! What each state of a subject allows, in every store, and that no time in a file decides it.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rxseal::provider::{SubjectChange, SubjectRow, SubjectRows, SubjectTable};
use rxseal::store::{FileSubjectStore, MemorySubjectStore, Retention, StoreFuture, StoredSubject, SubjectKeyStore};
use rxseal::subjects::{ShredLog, SubjectAdmin, SubjectKeys};
use rxseal::testing::TestClock;
use rxseal::{Keyring, run_local};
use rxseal_sqlite::SqliteSubjectStore;

use super::{Folder, MONTH, TENANT, keyring};

const PATIENT: &str = "P-7";
const FAR: u64 = 4_000_000_000;

/// States, and below what each operation answers in it.
const STATES: [&str; 7] = ["absent", "live", "held", "retained", "over", "held without a key", "shredded"];
const MATRIX: [(&str, [&str; 7]); 14] = [
    ("shred", ["subject-missing", "ok", "subject-retained", "subject-retained", "ok", "subject-retained", "ok"]),
    ("shred, unknown too", ["ok", "ok", "subject-retained", "subject-retained", "ok", "subject-retained", "ok"]),
    ("hold", ["subject-missing", "ok", "ok", "ok", "ok", "ok", "subject-shredded"]),
    ("hold, unknown too", ["ok", "ok", "ok", "ok", "ok", "ok", "subject-shredded"]),
    ("release", ["subject-missing", "ok", "ok", "ok", "ok", "ok", "subject-shredded"]),
    ("until a day to come", ["subject-missing", "ok", "ok", "ok", "ok", "ok", "subject-shredded"]),
    ("until a day that is over", ["retention-past"; 7]),
    ("until no day", ["subject-missing", "ok", "ok", "ok", "ok", "ok", "subject-shredded"]),
    // Whoever is in the log gets a tombstone, known or not, and is held or not as of now. Somebody else in it is known.
    ("reapply", ["shredded", "shredded", "retained", "retained", "shredded", "retained", "before"]),
    (
        "reapply of a line from the future",
        ["shredded", "shredded", "retained", "retained", "shredded", "retained", "before"],
    ),
    ("look", ["subject-missing", "ok", "ok", "ok", "ok", "subject-missing", "subject-shredded"]),
    ("look, or make one", ["ok", "ok", "ok", "ok", "ok", "ok", "subject-shredded"]),
    ("insert", ["key", "key", "key", "key", "key", "key", "shredded"]),
    ("replace", ["store-conflict", "ok", "ok", "ok", "ok", "store-conflict", "store-conflict"]),
];

#[test]
fn each_operation_in_each_state() {
    let folder = Folder::new("states");
    let keys = keyring();
    let mut number = 0;
    for (operation, answers) in MATRIX {
        for (state, answer) in STATES.into_iter().zip(answers) {
            number += 1;
            let home = folder.0.join(number.to_string());
            fs::create_dir(&home).unwrap();
            let stores: [Arc<dyn SubjectKeyStore>; 3] = [
                Arc::new(MemorySubjectStore::default()),
                Arc::new(FileSubjectStore::new(home.join("files"))),
                Arc::new(SqliteSubjectStore::open(home.join("subjects.db")).unwrap()),
            ];
            for (kind, store) in stores.into_iter().enumerate() {
                let case = Case { store, keys: &keys, log: home.join(format!("{kind}.log")) };
                case.bring_to(state);
                let before = case.stored();
                assert_eq!(case.run(operation), answer, "{operation} of one that is {state}, store {kind}");
                // What was refused changed nothing, and what was shredded stays so.
                let after = case.stored();
                if answer.contains('-') || answer == "retained" {
                    assert_eq!(after, before, "{operation} of one that is {state}, store {kind}");
                }
                if state == "shredded" {
                    assert_eq!(after, before, "{operation}, store {kind}");
                }
                if operation.starts_with("shred") || operation.starts_with("reapply") {
                    let is_gone = matches!(after.0, StoredSubject::Shredded { .. });
                    assert_eq!(is_gone, ["ok", "shredded", "before"].contains(&answer), "{operation} of {state}");
                }
            }
        }
    }
}

struct Case<'a> {
    store: Arc<dyn SubjectKeyStore>,
    keys: &'a Keyring,
    log: std::path::PathBuf,
}

impl Case<'_> {
    fn bring_to(&self, state: &str) {
        let retain = |new: Retention| {
            run_local(self.store.retain(TENANT, PATIENT, Retention::default(), new)).unwrap();
        };
        if !["absent", "held without a key"].contains(&state) {
            self.insert();
        }
        match state {
            "held" | "held without a key" => retain(Retention::default().legal_hold(true)),
            "retained" => retain(Retention::default().until(Some(FAR))),
            "over" => retain(Retention::default().until(Some(1_000_000_000))),
            "shredded" => drop(run_local(self.store.shred(TENANT, PATIENT, 1_700_000_000)).unwrap()),
            _ => {}
        }
    }

    fn stored(&self) -> (StoredSubject, Retention) {
        let stored = run_local(self.store.get(TENANT, &[PATIENT])).unwrap().remove(0);
        (stored, run_local(self.store.retention(TENANT, PATIENT)).unwrap())
    }

    fn insert(&self) -> StoredSubject {
        let (_, wrapped) = self.keys.create_subject_key(PATIENT).unwrap();
        run_local(self.store.insert(TENANT, PATIENT, &wrapped)).unwrap()
    }

    fn run(&self, operation: &str) -> &'static str {
        let admin = || SubjectAdmin::new(Arc::clone(&self.store));
        let log = ShredLog::new(&self.log, MONTH);
        let subjects = SubjectKeys::new(Arc::clone(&self.store));
        let done = match operation {
            "shred" => run_local(admin().shred(TENANT, PATIENT, &log)).map(drop),
            "shred, unknown too" => run_local(admin().unknown_too().shred(TENANT, PATIENT, &log)).map(drop),
            "hold" => run_local(admin().set_legal_hold(TENANT, PATIENT, true)).map(drop),
            "hold, unknown too" => run_local(admin().unknown_too().set_legal_hold(TENANT, PATIENT, true)).map(drop),
            "release" => run_local(admin().set_legal_hold(TENANT, PATIENT, false)).map(drop),
            "until a day to come" => run_local(admin().set_retain_until(TENANT, PATIENT, Some(FAR + 1))).map(drop),
            "until a day that is over" => {
                run_local(admin().set_retain_until(TENANT, PATIENT, Some(1_000_000_001))).map(drop)
            }
            "until no day" => run_local(admin().set_retain_until(TENANT, PATIENT, None)).map(drop),
            "reapply" => return self.reapply(1_700_000_000),
            "reapply of a line from the future" => return self.reapply(FAR),
            "look" => run_local(subjects.subject(self.keys, PATIENT)).map(drop),
            "look, or make one" => run_local(subjects.subject_or_create(self.keys, PATIENT)).map(drop),
            "insert" => return if matches!(self.insert(), StoredSubject::Key(_)) { "key" } else { "shredded" },
            "replace" => {
                let (_, fresh) = self.keys.create_subject_key(PATIENT).unwrap();
                let old = match self.stored().0 {
                    StoredSubject::Key(old) => old,
                    _ => self.keys.create_subject_key(PATIENT).unwrap().1,
                };
                run_local(self.store.replace(TENANT, PATIENT, &old, &fresh))
            }
            other => panic!("{other}"),
        };
        match done {
            Ok(()) => "ok",
            Err(error) => error.code().as_str(),
        }
    }

    fn reapply(&self, at: u64) -> &'static str {
        run_local(self.store.shred(TENANT, "P-known", 1)).unwrap();
        let line =
            |subject: &str, at: u64| format!("{{\"keyspace\":\"{TENANT}\",\"subject\":\"{subject}\",\"at\":{at}}}\n");
        fs::write(&self.log, line("P-known", 1) + &line(PATIENT, at)).unwrap();
        let log = ShredLog::new(&self.log, MONTH);
        let reapplied = run_local(SubjectAdmin::new(Arc::clone(&self.store)).reapply(&log)).unwrap();
        let ahead: Vec<_> = reapplied.ahead().collect();
        assert_eq!(ahead, if at == FAR { vec![(TENANT, PATIENT)] } else { vec![] });
        match (reapplied.shredded(), reapplied.shredded_before(), reapplied.retained().count()) {
            (1, 1, 0) => "shredded",
            (0, 2, 0) => "before",
            (0, 1, 1) => "retained",
            other => panic!("{other:?}"),
        }
    }
}

/// A clock that stands still, and is set back and forward. What a day decides, it decides by the clock of now.
#[test]
fn no_time_in_a_file_decides() {
    let folder = Folder::new("times");
    let path = folder.0.join("log");
    let log = ShredLog::new(&path, MONTH);
    let clock = TestClock::default();
    let store = Arc::new(MemorySubjectStore::default());
    let admin = SubjectAdmin::new(Arc::clone(&store)).unknown_too().clock(&clock);
    let now = || clock.now().duration_since(UNIX_EPOCH).unwrap().as_secs();

    // A line of a minute ahead is how clocks are; of more it is named.
    let line = |at: u64| format!("{{\"keyspace\":\"{TENANT}\",\"subject\":\"{PATIENT}\",\"at\":{at}}}\n");
    for (ahead, named) in [(0, 0), (60, 0), (61, 1), (10 * 365 * 86_400, 1)] {
        fs::write(&path, line(now() + ahead)).unwrap();
        assert_eq!(run_local(admin.reapply(&log)).unwrap().ahead().count(), named, "{ahead}");
    }
    // The latest line of a subject counts.
    fs::write(&path, format!("{}{}", line(FAR), line(1))).unwrap();
    assert_eq!(run_local(admin.reapply(&log)).unwrap().ahead().count(), 1);

    // A day that is to come, by a clock that was set forward and back.
    let today = now();
    run_local(admin.set_retain_until(TENANT, "P-8", Some(today + 86_400))).unwrap();
    clock.set_forward(Duration::from_secs(2 * 86_400));
    let past = run_local(admin.set_retain_until(TENANT, "P-9", Some(today + 86_400))).unwrap_err();
    assert_eq!(past.code().as_str(), "retention-past");
    let until = run_local(admin.retention(TENANT, "P-8")).unwrap();
    assert_eq!(until.retained_until(), Some(today + 86_400), "it stays as it is");
    assert!(run_local(admin.set_legal_hold(TENANT, "P-8", true)).is_ok(), "a hold changes no day");
    clock.set_back(Duration::from_secs(2 * 86_400));
    assert!(run_local(admin.set_retain_until(TENANT, "P-9", Some(today + 86_400))).is_ok());
    // Who carries it out looks at the machine's own clock too: nobody shreds by a clock that is ahead.
    run_local(admin.set_legal_hold(TENANT, "P-8", false)).unwrap();
    clock.set_forward(Duration::from_secs(2 * 86_400));
    assert_eq!(run_local(admin.shred(TENANT, "P-8", &log)).unwrap_err().code().as_str(), "subject-retained");
    assert!(SystemTime::now() < UNIX_EPOCH + Duration::from_secs(FAR));
}

/// A backup of the subject store is put back beneath a running service: whom it saw shredded, it seals and opens nothing for.
#[test]
fn a_tombstone_that_was_seen_stays() {
    let keys = keyring();
    for creates_first in [true, false] {
        let store = Arc::new(Restorable::default());
        let subjects = SubjectKeys::with_limits(Arc::clone(&store), 100, Duration::from_millis(1));
        run_local(subjects.subject_or_create(&keys, PATIENT)).unwrap();
        let backup = if creates_first { Arc::new(MemorySubjectStore::default()) } else { store.copy(&keys) };
        run_local(store.shred(TENANT, PATIENT, 1)).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        assert!(run_local(subjects.subject(&keys, PATIENT)).unwrap_err().is_shredded());

        store.put_back(backup);
        std::thread::sleep(Duration::from_millis(20));
        assert!(run_local(subjects.subject(&keys, PATIENT)).unwrap_err().is_shredded());
        assert!(run_local(subjects.subject_or_create(&keys, PATIENT)).unwrap_err().is_shredded());
        let loaded = run_local(subjects.load(&keys, [PATIENT])).unwrap();
        assert!(loaded.get(PATIENT).unwrap_err().is_shredded());
        // Another patient is another one.
        assert!(run_local(subjects.subject_or_create(&keys, "P-8")).is_ok());
    }
}

/// A machine that was suspended, and one whose clock was set: a key may have been shredded long ago.
#[test]
fn a_key_is_not_held_over_a_suspension() {
    let keys = keyring();
    for jump in [TestClock::set_forward, TestClock::set_back, TestClock::advance] {
        let clock = TestClock::default();
        let store = Arc::new(MemorySubjectStore::default());
        let subjects = SubjectKeys::new(Arc::clone(&store)).clock(&clock);
        run_local(subjects.subject_or_create(&keys, PATIENT)).unwrap();
        run_local(store.shred(TENANT, PATIENT, 1)).unwrap();
        assert!(run_local(subjects.subject(&keys, PATIENT)).is_ok(), "it is held for minutes");
        jump(&clock, Duration::from_secs(3_600));
        assert!(run_local(subjects.subject(&keys, PATIENT)).unwrap_err().is_shredded());
    }
}

/// A store that somebody puts another one in place of.
#[derive(Default)]
struct Restorable(std::sync::RwLock<Arc<MemorySubjectStore>>);

impl Restorable {
    fn now(&self) -> Arc<MemorySubjectStore> {
        Arc::clone(&self.0.read().unwrap())
    }

    fn put_back(&self, store: Arc<MemorySubjectStore>) {
        *self.0.write().unwrap() = store;
    }

    fn copy(&self, keys: &Keyring) -> Arc<MemorySubjectStore> {
        let copy = MemorySubjectStore::default();
        for (subject, stored) in run_local(self.now().page(keys.keyspace(), None, 100)).unwrap() {
            let StoredSubject::Key(wrapped) = stored else { panic!("{stored:?}") };
            run_local(copy.insert(keys.keyspace(), &subject, &wrapped)).unwrap();
        }
        Arc::new(copy)
    }
}

impl SubjectTable for Restorable {
    fn rows<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, SubjectRows> {
        Box::pin(async move { self.now().rows(keyspace, subjects).await })
    }

    fn change<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        change: SubjectChange<'a>,
    ) -> StoreFuture<'a, SubjectRow> {
        Box::pin(async move { self.now().change(keyspace, subject, change).await })
    }

    fn rows_after<'a>(&'a self, keyspace: &'a str, after: &'a str, limit: usize) -> StoreFuture<'a, SubjectRows> {
        Box::pin(async move { self.now().rows_after(keyspace, after, limit).await })
    }
}
