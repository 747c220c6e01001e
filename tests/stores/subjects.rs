//! Subject keys: all stores behave alike, a patient has one key, and a shredded key is gone for good (T52 to T55 of
//! docs/THREAT-MODEL.md).

// One of its tests waits for ten seconds, beside most others if it begins early, and tests begin in the order of their names.
mod ahead_log;
mod faults;
mod moods;
mod states;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use rxseal::keys::{KeyState, KeyringAdmin, RemainingUse};
use rxseal::phi::{Drug, PatientName};
use rxseal::provider::{SubjectChange, SubjectRow, SubjectRows, SubjectTable};
use rxseal::root::RootKeys;
use rxseal::store::{FileSubjectStore, MemoryStore, MemorySubjectStore, StoreFuture, StoredSubject, SubjectKeyStore};
use rxseal::subjects::{ShredLog, SubjectAdmin, SubjectKeys};
use rxseal::{Access, Error, Keyring, Purpose, Token, run_local};
use rxseal_conformance::subject_store;
use rxseal_sqlite::SqliteSubjectStore;

const TENANT: &str = "pharmacy-17";
const MONTH: Duration = Duration::from_secs(30 * 86_400);

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rxseal-subjects-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn every_store_conforms() {
    let folder = Folder::new("conforms");
    let (files, database) = (folder.0.join("subjects"), folder.0.join("subjects.db"));
    subject_store(async || MemorySubjectStore::default()).unwrap();
    subject_store(async || FileSubjectStore::new(&files)).unwrap();
    subject_store(async || SqliteSubjectStore::open(&database).unwrap()).unwrap();
    // Another handle sees what the first one stored, after a restart too.
    let again = SqliteSubjectStore::open(&database).unwrap();
    assert!(matches!(run_local(again.get(TENANT, &["P-1"])).unwrap()[0], StoredSubject::Key(_)));
    assert_eq!(run_local(FileSubjectStore::new(files).page("pages-1", None, 100)).unwrap().len(), 24);
}

/// Counts what a store is asked, and answers as it is told.
#[derive(Default)]
struct Counting {
    store: MemorySubjectStore,
    gets: AtomicUsize,
    others: AtomicUsize,
    slow: bool,
    /// How many changes from now on meet one of somebody else.
    conflicts: AtomicUsize,
    broken: AtomicBool,
}

impl Counting {
    fn mood(&self) -> Result<(), Error> {
        if self.broken.load(SeqCst) {
            return Err(Error::from_store(true, "the database is down"));
        }
        let met = self.conflicts.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if met.is_ok() { Err(Error::store_conflict()) } else { Ok(()) }
    }
}

impl SubjectTable for Counting {
    fn rows<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, SubjectRows> {
        self.gets.fetch_add(1, SeqCst);
        Box::pin(async move {
            if self.slow {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            self.store.rows(keyspace, subjects).await
        })
    }

    fn change<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        change: SubjectChange<'a>,
    ) -> StoreFuture<'a, SubjectRow> {
        self.others.fetch_add(1, SeqCst);
        Box::pin(async move {
            self.mood()?;
            self.store.change(keyspace, subject, change).await
        })
    }

    fn rows_after<'a>(&'a self, keyspace: &'a str, after: &'a str, limit: usize) -> StoreFuture<'a, SubjectRows> {
        self.store.rows_after(keyspace, after, limit)
    }
}

fn keyring() -> Keyring {
    rxseal::testing::insecure_keyring(TENANT).unwrap().unobserved()
}

fn access() -> Access {
    Access::new("user:kim", Purpose::TREAT).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_for_a_patient_whoever_asks() {
    let store = Arc::new(Counting { slow: true, ..Counting::default() });
    let (keys, subjects) = (Arc::new(keyring()), SubjectKeys::new(Arc::clone(&store)));
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let (keys, subjects) = (Arc::clone(&keys), subjects.clone());
            tokio::spawn(async move {
                let patient = subjects.subject_or_create(&keys, "P-7").await.unwrap();
                keys.record("rx", 1).unwrap().subject(&patient).unwrap().seal::<Drug>("warfarin 5 MG").unwrap()
            })
        })
        .collect();
    let mut tokens: Vec<Token> = Vec::new();
    for caller in callers {
        tokens.push(caller.await.unwrap());
    }
    assert_eq!(
        (store.gets.load(SeqCst), store.others.load(SeqCst)),
        (1, 1),
        "64 cold callers, one look and one insert"
    );
    // Another process, which has its own cache.
    let elsewhere = SubjectKeys::new(Arc::clone(&store));
    let patient = elsewhere.subject(&keys, "P-7").await.unwrap();
    let rec = keys.record("rx", 1).unwrap().subject(&patient).unwrap();
    for token in &tokens {
        assert_eq!(rec.opened_by(&access()).open::<Drug, String>(token).unwrap(), "warfarin 5 MG");
    }
    let before = store.gets.load(SeqCst);
    for _ in 0..1000 {
        elsewhere.subject(&keys, "P-7").await.unwrap();
        elsewhere.load(&keys, ["P-7"]).await.unwrap();
    }
    assert_eq!(store.gets.load(SeqCst), before, "warm: the store is not asked");
}

/// Ids that nobody has come with every request; and after a restore from an old backup another key would be made.
#[tokio::test]
async fn looking_makes_no_key() {
    let store = Arc::new(Counting { slow: true, ..Counting::default() });
    let (keys, subjects) = (keyring(), SubjectKeys::new(Arc::clone(&store)));
    assert_eq!(subjects.subject(&keys, "P-7").await.unwrap_err().code().as_str(), "subject-missing");
    assert_eq!(store.others.load(SeqCst), 0);
    SubjectKeys::new(Arc::clone(&store)).subject_or_create(&keys, "P-7").await.unwrap();
    assert!(subjects.subject(&keys, "P-7").await.is_ok(), "that there was none is not remembered");
    assert!(subjects.load(&keys, [String::from("P-7")]).await.unwrap().get(String::from("P-7")).is_ok());

    // Who seals waits for the call of who looks, and then makes one all the same.
    let before = store.gets.load(SeqCst);
    let seal = async || drop(subjects.subject_or_create(&keys, 8).await.unwrap());
    let (looked, ..) = tokio::join!(subjects.subject(&keys, 8), seal(), seal(), seal());
    assert_eq!(looked.unwrap_err().code().as_str(), "subject-missing");
    assert_eq!((store.gets.load(SeqCst) - before, store.others.load(SeqCst)), (2, 2));
    subjects.forget(TENANT, 8).await;
    let (looked, ..) = tokio::join!(subjects.subject(&keys, 8), seal(), seal(), seal());
    assert!(looked.is_ok());
    assert_eq!((store.gets.load(SeqCst) - before, store.others.load(SeqCst)), (3, 2));
}

/// Callers with one keyring share what it cannot do; one with another keyring asks for itself.
#[tokio::test]
async fn a_key_that_cannot_be_had_is_asked_for_once() {
    let (roots, file) = rxseal::testing::insecure_keyring_file(TENANT).unwrap();
    let unlock = |file| run_local(Keyring::unlock(TENANT, &roots, file)).unwrap().unobserved();
    let old = unlock(&file);
    let store = Arc::new(Counting { slow: true, ..Counting::default() });
    SubjectKeys::new(Arc::clone(&store)).subject_or_create(&old, "P-7").await.unwrap();
    let file = run_local(rxseal::testing::rotate_keyring(TENANT, &roots, &file)).unwrap();
    let file =
        run_local(rxseal::testing::force_key_state(TENANT, &roots, &file, old.primary_key(), KeyState::Compromised))
            .unwrap();
    let keys = Arc::new(unlock(&file));
    let subjects = SubjectKeys::new(Arc::clone(&store));
    let before = store.gets.load(SeqCst);
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let (keys, subjects) = (Arc::clone(&keys), subjects.clone());
            tokio::spawn(async move { subjects.subject(&keys, "P-7").await.unwrap_err().is_key_state() })
        })
        .collect();
    let older = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        subjects.subject(&old, "P-7").await
    };
    let (older, _) = tokio::join!(older, async {
        for caller in callers {
            assert!(caller.await.unwrap());
        }
    });
    assert!(older.is_ok(), "its keyring does not know yet");
    let asked = store.gets.load(SeqCst) - before;
    assert!(asked <= 2, "{asked} reads for two keyrings");
}

#[test]
fn many_are_loaded_with_one_query() {
    let store = Arc::new(Counting::default());
    let (keys, subjects) = (keyring(), SubjectKeys::new(Arc::clone(&store)));
    let ids: Vec<_> = (0..10_000).map(|at| format!("P-{at}")).collect();
    for id in &ids[..9_000] {
        run_local(subjects.subject_or_create(&keys, id.as_str())).unwrap();
    }
    run_local(store.shred(TENANT, "P-0", 1)).unwrap();
    let fresh = SubjectKeys::new(Arc::clone(&store));
    let before = store.gets.load(SeqCst);
    let loaded = run_local(fresh.load(&keys, ids.iter().map(String::as_str))).unwrap();
    assert_eq!(store.gets.load(SeqCst), before + 1);
    assert!(loaded.get("P-1").is_ok() && loaded.get("P-8999").is_ok());
    assert!(loaded.get("P-0").unwrap_err().is_shredded());
    assert_eq!(loaded.get("P-9000").unwrap_err().code().as_str(), "subject-missing");
    assert_eq!(loaded.get("never asked for").unwrap_err().code().as_str(), "subject-missing");
    // None was made by looking.
    assert_eq!(run_local(store.store.get(TENANT, &["P-9000"])).unwrap(), [StoredSubject::Absent]);
    // Again: only those that have none are asked for.
    let loaded = run_local(fresh.load(&keys, ids[..9_000].iter().map(String::as_str))).unwrap();
    assert_eq!(store.gets.load(SeqCst), before + 1);
    assert!(loaded.get("P-0").unwrap_err().is_shredded(), "that it was shredded is remembered");
}

#[test]
fn a_shredded_patient_is_gone_for_good() {
    let folder = Folder::new("shred");
    let path = folder.0.join("shredded.log");
    let log = ShredLog::new(&path, MONTH);
    let store = Arc::new(MemorySubjectStore::default());
    let admin = SubjectAdmin::new(Arc::clone(&store));
    let (keys, subjects) = (keyring(), SubjectKeys::new(Arc::clone(&store)));
    let seal = |id: &str| {
        let patient = run_local(subjects.subject_or_create(&keys, id)).unwrap();
        keys.record("rx", id).unwrap().subject(&patient).unwrap().seal::<PatientName>("Jane Doe").unwrap()
    };
    let (gone, stays) = (seal("P-7"), seal("P-8"));
    let backup: Vec<_> = run_local(store.page(TENANT, None, 10)).unwrap();

    let receipt = run_local(admin.shred(TENANT, "P-7", &log)).unwrap();
    assert_eq!((receipt.keyspace(), receipt.subject()), (TENANT, "P-7"));
    // Counted from when the key was gone, which is later than when it was asked for.
    assert!((300..400).contains(&(receipt.effective_at() - receipt.shredded_at())));
    assert_eq!(receipt.complete_at(), Some(receipt.effective_at() + MONTH.as_secs() - 300));
    assert!(!format!("{receipt:?}").contains("P-7"));
    run_local(async {
        subjects.forget(TENANT, "P-7").await;
        Ok(())
    })
    .unwrap();

    assert!(run_local(subjects.subject(&keys, "P-7")).unwrap_err().is_shredded());
    let elsewhere = SubjectKeys::new(Arc::clone(&store));
    let loaded = run_local(elsewhere.load(&keys, ["P-7", "P-8"])).unwrap();
    assert!(loaded.get("P-7").unwrap_err().is_shredded());
    let rec = keys.record("rx", "P-8").unwrap().subject(loaded.get("P-8").unwrap()).unwrap();
    assert_eq!(rec.opened_by(&access()).open::<PatientName, String>(&stays).unwrap(), "Jane Doe");
    // Neither without a subject nor with another's key.
    assert!(keys.record("rx", "P-7").unwrap().opened_by(&access()).open::<PatientName, String>(&gone).is_err());

    // A restore brings the key back, until the log is applied.
    let restored = Arc::new(MemorySubjectStore::default());
    for (subject, stored) in &backup {
        let StoredSubject::Key(wrapped) = stored else { panic!("damaged") };
        run_local(restored.insert(TENANT, subject, wrapped)).unwrap();
    }
    let after_restore = SubjectKeys::new(Arc::clone(&restored));
    assert!(run_local(after_restore.load(&keys, ["P-7"])).unwrap().get("P-7").is_ok());
    let reapplied = run_local(SubjectAdmin::new(Arc::clone(&restored)).reapply(&log)).unwrap();
    assert_eq!((reapplied.shredded(), reapplied.shredded_before(), reapplied.retained().count()), (1, 0, 0));
    let looked = SubjectKeys::new(restored);
    assert!(run_local(looked.subject(&keys, "P-7")).unwrap_err().is_shredded());
}

#[test]
fn a_hold_and_a_damaged_log_are_respected() {
    let folder = Folder::new("hold");
    let path = folder.0.join("shredded.log");
    let log = ShredLog::new(&path, MONTH);
    let store = Arc::new(MemorySubjectStore::default());
    let admin = SubjectAdmin::new(Arc::clone(&store)).unknown_too();
    run_local(admin.set_legal_hold(TENANT, "P-7", true)).unwrap();
    assert_eq!(run_local(admin.shred(TENANT, "P-7", &log)).unwrap_err().code().as_str(), "subject-retained");
    assert!(!path.exists(), "who was not shredded is not in the log");
    assert_eq!(run_local(admin.reapply(&log)).unwrap_err().code().as_str(), "store-refused", "a log that is not there");
    run_local(admin.shred(TENANT, "P-8", &log)).unwrap();
    run_local(admin.shred(TENANT, "P-9", &log)).unwrap();
    run_local(admin.shred(TENANT, "P-9", &log)).unwrap();

    // Held since: it is listed, and not shredded.
    let other = Arc::new(MemorySubjectStore::default());
    let restored = SubjectAdmin::new(Arc::clone(&other)).unknown_too();
    run_local(restored.set_legal_hold(TENANT, "P-8", true)).unwrap();
    let reapplied = run_local(restored.reapply(&log)).unwrap();
    assert_eq!(reapplied.retained().collect::<Vec<_>>(), [(TENANT, "P-8")]);
    assert_eq!(reapplied.shredded(), 1);
    let other = ShredLog::new(folder.0.join("other.log"), MONTH);
    assert!(!run_local(admin.shred(TENANT, "P-6", &other)).unwrap().was_known(), "nobody ever sealed for it");

    // A crash may cut the last line off; a damaged one in between stops all.
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{whole}{{\"keyspace\":\"pharm")).unwrap();
    assert!(run_local(restored.reapply(&log)).is_ok());
    fs::write(&path, whole.replacen("\"at\"", "\"Zoraida\"", 1)).unwrap();
    let error = run_local(restored.reapply(&log)).unwrap_err();
    let text = format!("{error} {}", std::error::Error::source(&error).unwrap());
    assert!(text.contains("is damaged") && !text.contains("Zoraida") && !text.contains("P-8"), "{text}");
    // What is no log of ours is not written to, and nobody is shredded without one.
    for other in [
        "root:x:0:0",
        "root:x:0:0\n",
        "{\"keyspace\":\"x\"}\n",
        "{\"keyspace\":\"UPPER\",\"subject\":\"P-7\",\"at\":1}\n",
    ] {
        fs::write(&path, other).unwrap();
        assert_eq!(run_local(admin.shred(TENANT, "P-11", &log)).unwrap_err().code().as_str(), "store-refused");
        assert_eq!(run_local(admin.reapply(&log)).unwrap_err().code().as_str(), "store-refused");
        assert_eq!(fs::read_to_string(&path).unwrap(), other);
    }
    assert_eq!(run_local(store.get(TENANT, &["P-11"])).unwrap(), [StoredSubject::Absent]);
    // A line that a crash cut off gives way to the next one.
    for torn in [1, 10, 40] {
        fs::write(&path, format!("{whole}{}", &whole[..torn])).unwrap();
        run_local(admin.shred(TENANT, "P-9", &log)).unwrap();
        assert!(fs::read_to_string(&path).unwrap().starts_with(&whole));
        assert_eq!(run_local(admin.reapply(&log)).unwrap().shredded_before(), 2);
    }
    // An editor took the end of the last line away: it is whole all the same.
    fs::write(&path, whole.trim_end()).unwrap();
    assert_eq!(run_local(admin.reapply(&log)).unwrap().shredded_before(), 2);
    run_local(admin.shred(TENANT, "P-9", &log)).unwrap();
    assert!(fs::read_to_string(&path).unwrap().starts_with(&whole));
    // Nothing was confirmed that is not on the disk.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(run_local(admin.shred(TENANT, "P-10", &log)).unwrap_err().code().as_str(), "store-refused");
}

#[test]
fn subject_keys_follow_a_rotation_before_the_old_dek_goes() {
    let (roots, file): (RootKeys, _) = rxseal::testing::insecure_keyring_file(TENANT).unwrap();
    let rings = Arc::new(MemoryStore::default());
    run_local(rxseal::store::KeyringStore::put(&*rings, &file, None)).unwrap();
    let admin = KeyringAdmin::new(Arc::clone(&rings), roots.clone());
    let unlock = || {
        let file = run_local(admin.stored(TENANT)).unwrap();
        run_local(Keyring::unlock(TENANT, &roots, &file)).unwrap().unobserved()
    };
    let store = Arc::new(MemorySubjectStore::default());
    let subjects = SubjectAdmin::new(Arc::clone(&store));
    let keys = unlock();
    let old = keys.primary_key();
    for at in 0..2_500 {
        run_local(SubjectKeys::new(Arc::clone(&store)).subject_or_create(&keys, format!("P-{at}").as_str())).unwrap();
    }
    run_local(admin.rotate(TENANT)).unwrap();
    let keys = unlock();
    let counted = run_local(subjects.count_by_key(TENANT)).unwrap();
    assert_eq!((counted.of(old), counted.of(keys.primary_key())), (2_500, 0));
    let still = RemainingUse::new(0, counted.of(old));
    assert_eq!(
        run_local(admin.destroy(TENANT, old, still, SystemTime::now(), Duration::ZERO)).unwrap_err().code().as_str(),
        "key-in-use"
    );

    run_local(admin.compromise(TENANT, old)).unwrap();
    let keys = unlock();
    assert_eq!(run_local(subjects.subjects_under(TENANT, old)).unwrap().len(), 2_500, "those that are exposed");
    let report = run_local(subjects.rewrap(&keys)).unwrap();
    assert_eq!((report.rewrapped(), report.failed().count()), (0, 2_500));
    assert!(report.failed().all(|(_, error)| error.is_key_state()));
    let report = run_local(subjects.rewrap_compromised(&keys)).unwrap();
    assert_eq!((report.rewrapped(), report.failed().count()), (2_500, 0));
    assert_eq!(run_local(subjects.rewrap(&keys)).unwrap().rewrapped(), 0);
    let counted = run_local(subjects.count_by_key(TENANT)).unwrap();
    assert_eq!((counted.of(old), counted.total()), (0, 2_500));
    let still = RemainingUse::new(0, counted.of(old));
    let file = run_local(admin.destroy(TENANT, old, still, SystemTime::now(), Duration::ZERO)).unwrap();
    assert!(file.keys().iter().any(|key| key.id() == old && key.state() == KeyState::Destroyed));
}

/// One row that a disk or a person damaged stops neither the others nor the end of its patient.
#[test]
fn a_damaged_row_is_of_one_patient_only() {
    let folder = Folder::new("damaged");
    let (files, database) = (folder.0.join("files"), folder.0.join("subjects.db"));
    let stores: [Arc<dyn SubjectKeyStore>; 2] =
        [Arc::new(FileSubjectStore::new(&files)), Arc::new(SqliteSubjectStore::open(&database).unwrap())];
    for (kind, store) in stores.into_iter().enumerate() {
        let keys = keyring();
        for patient in ["P-7", "P-8"] {
            run_local(SubjectKeys::new(Arc::clone(&store)).subject_or_create(&keys, patient)).unwrap();
        }
        if kind == 0 {
            damage_file(&files.join(TENANT));
        } else {
            let database = rusqlite::Connection::open(&database).unwrap();
            database.execute("UPDATE rxseal_subject_keys SET wrapped = x'00ff' WHERE subject = 'P-7'", []).unwrap();
        }
        let (subjects, admin) = (SubjectKeys::new(Arc::clone(&store)), SubjectAdmin::new(Arc::clone(&store)));
        let loaded = run_local(subjects.load(&keys, ["P-7", "P-8"])).unwrap();
        assert_eq!(loaded.get("P-7").unwrap_err().code().as_str(), "invalid-subject-key");
        assert!(loaded.get("P-8").is_ok());
        assert_eq!(
            run_local(subjects.subject(&keys, "P-7")).unwrap_err().code().as_str(),
            "invalid-subject-key",
            "no other one"
        );
        assert_eq!(
            run_local(admin.count_by_key(TENANT)).unwrap_err().code().as_str(),
            "invalid-subject-key",
            "under which?"
        );
        let report = run_local(admin.rewrap(&keys)).unwrap();
        assert_eq!(report.failed().map(|(subject, _)| subject).collect::<Vec<_>>(), ["P-7"]);
        run_local(admin.set_legal_hold(TENANT, "P-7", true)).unwrap();
        run_local(admin.set_legal_hold(TENANT, "P-7", false)).unwrap();
        assert_eq!(run_local(store.get(TENANT, &["P-7"])).unwrap(), [StoredSubject::Damaged], "as it was");
        let log = ShredLog::new(folder.0.join(format!("{kind}.log")), MONTH);
        assert!(run_local(admin.shred(TENANT, "P-7", &log)).unwrap().was_known());
        assert_eq!(run_local(admin.count_by_key(TENANT)).unwrap().total(), 1);
    }
}

/// The wrapped key of P-7, in its file, cut short.
fn damage_file(folder: &Path) {
    let files = fs::read_dir(folder).unwrap().flat_map(|drawer| fs::read_dir(drawer.unwrap().path()).unwrap());
    let mut files = files.map(|file| file.unwrap().path());
    let path = files.find(|path| fs::read_to_string(path).unwrap().contains("\"P-7\"")).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"wrapped\":\"rxkx", "\"wrapped\":\"rx", 1)).unwrap();
}

/// A hold may be in it: nothing is written over it, and the others go on.
#[test]
fn a_damaged_file_is_of_one_patient_only() {
    let folder = Folder::new("damaged-file");
    let store = Arc::new(FileSubjectStore::new(folder.0.join("files")));
    let (keys, admin) = (keyring(), SubjectAdmin::new(Arc::clone(&store)).unknown_too());
    let log = ShredLog::new(folder.0.join("log"), MONTH);
    run_local(admin.shred(TENANT, "P-7", &log)).unwrap();
    run_local(admin.shred(TENANT, "P-8", &log)).unwrap();
    run_local(SubjectKeys::new(Arc::clone(&store)).subject_or_create(&keys, "P-9")).unwrap();
    fs::create_dir(folder.0.join("files").join(TENANT).join("lost+found")).unwrap();
    let files = fs::read_dir(folder.0.join("files").join(TENANT)).unwrap();
    let mut files =
        files.flat_map(|drawer| fs::read_dir(drawer.unwrap().path()).unwrap()).map(|file| file.unwrap().path());
    let path = files.find(|path| fs::read_to_string(path).unwrap().contains("\"P-7\"")).unwrap();
    fs::write(&path, "{\"subject\":\"P-7\",\"legal_ho").unwrap();

    let loaded = run_local(SubjectKeys::new(Arc::clone(&store)).load(&keys, ["P-7", "P-9"])).unwrap();
    assert_eq!(loaded.get("P-7").unwrap_err().code().as_str(), "invalid-subject-key");
    assert!(loaded.get("P-9").is_ok());
    let rewrapped = run_local(admin.rewrap(&keys)).unwrap();
    assert_eq!(rewrapped.failed().map(|(subject, _)| subject).collect::<Vec<_>>(), ["P-7"]);
    assert_eq!(run_local(admin.shred(TENANT, "P-7", &log)).unwrap_err().code().as_str(), "store-refused");
    let one_failed = || {
        let reapplied = run_local(admin.reapply(&log)).unwrap();
        assert_eq!(reapplied.shredded_before(), 1);
        assert_eq!(reapplied.failed().map(|(_, subject, _)| subject).collect::<Vec<_>>(), ["P-7"]);
    };
    one_failed();
    // Of whom is it?
    for text in ["", "{\"subject\":\"P-77\",\"legal_ho"] {
        fs::write(&path, text).unwrap();
        assert_eq!(run_local(admin.rewrap(&keys)).unwrap_err().code().as_str(), "store-refused");
    }
    // It cannot even be read.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    one_failed();
}

/// What was read before a patient was forgotten is not held after it.
#[tokio::test]
async fn what_is_forgotten_while_it_is_read_is_not_held() {
    let store = Arc::new(Counting { slow: true, ..Counting::default() });
    let (keys, subjects) = (keyring(), SubjectKeys::new(Arc::clone(&store)));
    subjects.subject_or_create(&keys, "P-7").await.unwrap();
    for bulk in [true, false] {
        subjects.forget(TENANT, "P-7").await;
        let read = async {
            if bulk {
                drop(subjects.load(&keys, ["P-7"]).await.unwrap());
            } else {
                drop(subjects.subject_or_create(&keys, "P-7").await.unwrap());
            }
        };
        let forget = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            subjects.forget(TENANT, "P-7").await;
        };
        tokio::join!(read, forget);
        let asked = store.gets.load(SeqCst);
        subjects.subject_or_create(&keys, "P-7").await.unwrap();
        assert_eq!(store.gets.load(SeqCst), asked + 1, "asked again");
    }
}

#[test]
fn a_rewrap_is_repeated_safely() {
    let (roots, file) = rxseal::testing::insecure_keyring_file(TENANT).unwrap();
    let unlock = |file| run_local(Keyring::unlock(TENANT, &roots, file)).unwrap().unobserved();
    let store = Arc::new(MemorySubjectStore::default());
    let subjects = SubjectAdmin::new(Arc::clone(&store));
    let keys = unlock(&file);
    let patient = run_local(SubjectKeys::new(Arc::clone(&store)).subject_or_create(&keys, "P-7")).unwrap();
    let token = keys.record("rx", 1).unwrap().subject(&patient).unwrap().seal::<Drug>("warfarin 5 MG").unwrap();
    let keys = unlock(&run_local(rxseal::testing::rotate_keyring(TENANT, &roots, &file)).unwrap());
    assert_eq!(run_local(subjects.rewrap(&keys)).unwrap().rewrapped(), 1);
    assert_eq!(run_local(subjects.rewrap(&keys)).unwrap().rewrapped(), 0);
    let patient = run_local(SubjectKeys::new(store).subject_or_create(&keys, "P-7")).unwrap();
    let rec = keys.record("rx", 1).unwrap().subject(&patient).unwrap();
    assert_eq!(rec.opened_by(&access()).open::<Drug, String>(&token).unwrap(), "warfarin 5 MG");
}

/// A job that has an older keyring than the services, which may make keys under the next DEK already.
#[test]
fn a_rewrap_carries_no_key_back() {
    let (roots, file) = rxseal::testing::insecure_keyring_file(TENANT).unwrap();
    let rings = Arc::new(MemoryStore::default());
    run_local(rxseal::store::KeyringStore::put(&*rings, &file, None)).unwrap();
    let admin = KeyringAdmin::new(rings, roots.clone());
    let unlock = |file| run_local(Keyring::unlock(TENANT, &roots, &file)).unwrap().unobserved();
    let (staged, next) = run_local(admin.stage(TENANT)).unwrap();
    let older = unlock(staged);
    let promoted = run_local(admin.promote(TENANT, next, SystemTime::now(), Duration::ZERO)).unwrap();
    let newer = unlock(promoted);
    let store = Arc::new(MemorySubjectStore::default());
    let subjects = SubjectKeys::new(Arc::clone(&store));
    run_local(subjects.subject_or_create(&newer, "P-7")).unwrap();
    run_local(subjects.subject_or_create(&older, "P-8")).unwrap();
    let subjects = SubjectAdmin::new(store);
    for (keys, rewrapped) in [(&older, 0), (&newer, 1), (&older, 0)] {
        let report = run_local(subjects.rewrap(keys)).unwrap();
        assert_eq!((report.rewrapped(), report.failed().count()), (rewrapped, 0));
    }
    assert_eq!(run_local(subjects.count_by_key(TENANT)).unwrap().of(next), 2);
}

#[test]
fn what_runs_in_tasks_may_move_between_threads() {
    fn sends<T: Send>(_: T) {}
    let folder = Folder::new("send");
    let log = ShredLog::new(folder.0.join("log"), MONTH);
    let admin = SubjectAdmin::new(MemorySubjectStore::default());
    let (keys, subjects) = (keyring(), SubjectKeys::new(MemorySubjectStore::default()));
    sends(admin.shred(TENANT, "P-7", &log));
    sends(admin.rewrap(&keys));
    sends(admin.count_by_key(TENANT));
    sends(admin.subjects_under(TENANT, keys.primary_key()));
    sends(subjects.subject(&keys, "P-7"));
    sends(subjects.subject_or_create(&keys, "P-7"));
    sends(subjects.load(&keys, ["P-7"]));
    let _: fn(Error) = sends;
}
