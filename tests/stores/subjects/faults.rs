//! What can go wrong for stores of subject keys and the shred log: other processes, full disks, folders that cannot be
//! written. Crashes are in `tests/proofs/crash_points`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;

use rxseal::keys::Suite;
use rxseal::phi::Drug;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::store::{FileSubjectStore, MemorySubjectStore, StoredSubject, SubjectKeyStore};
use rxseal::subjects::{ShredLog, SubjectAdmin, SubjectKeys, WrappedSubjectKey};
use rxseal::{Error, Keyring, Token, run_local};
use rxseal_sqlite::SqliteSubjectStore;

use super::{MONTH, TENANT, access};
use crate::children::{self, Folder, said};

const KINDS: [&str; 2] = ["file", "sqlite"];
const PATIENT: &str = "P-7";
/// Shredded in the log before, as often as it takes to make it larger than any file of the store.
const GONE: &str = "P-0";

#[test]
fn sixteen_processes_that_meet_a_patient_get_one_key() {
    for kind in KINDS {
        let home = Home::new(kind);
        let keys = home.make_keyring();
        let said = home.race((0..16).map(|_| "meet".to_owned()));
        let subjects = SubjectKeys::new(store(kind, home.path()).unwrap());
        let patients = run_local(subjects.load(&keys, [PATIENT])).unwrap();
        let rec = keys.record("rx", 1).unwrap().subject(patients.get(PATIENT).unwrap()).unwrap();
        for token in &said {
            let token: Token = token.parse().unwrap_or_else(|_| panic!("{kind}: {said:?}"));
            assert_eq!(rec.opened_by(&access()).open::<Drug, String>(&token).unwrap(), "warfarin 5 MG", "{kind}");
        }
        assert_eq!(home.page().len(), 1, "{kind}: one key, of one patient");
    }
}

#[test]
fn one_of_sixteen_processes_shreds() {
    for kind in KINDS {
        for _ in 0..3 {
            let home = Home::new(kind);
            let said = home.race((0..16).map(|at| if at == 9 { "shred" } else { "insert" }.to_owned()));
            let receipt = said[9].strip_prefix("receipt ").unwrap_or_else(|| panic!("{kind}: {said:?}"));
            let got: BTreeSet<_> = said.iter().filter(|said| said.starts_with("key ")).collect();
            let shredded = said.iter().filter(|said| *said == "shredded").count();
            let keys = said.iter().filter(|said| said.starts_with("key ")).count();
            println!("{kind}: {keys} of 15 came before the shred, {shredded} after it");
            assert!(got.len() <= 1 && keys + shredded == 15, "{kind}: {said:?}");
            assert_eq!(home.stored(PATIENT), StoredSubject::Shredded { at: receipt.parse().unwrap() }, "{kind}");
            assert_eq!(home.page(), [], "{kind}");
            assert_eq!(fs::read_to_string(home.log()).unwrap().lines().count(), 1, "{kind}");
            home.restores(1);
        }
    }
}

#[test]
fn sixteen_processes_shred_beside_each_other() {
    for kind in KINDS {
        let home = Home::new(kind);
        let said = home.race((0..16).map(|_| "shred_many".to_owned()));
        let receipts: BTreeSet<_> = said.iter().collect();
        assert!(receipts.len() == 1 && said[0].starts_with("receipt "), "{kind}: one time for all: {said:?}");
        // Four of each, and the one whom all of them shredded sixteen times.
        let text = fs::read_to_string(home.log()).unwrap();
        let lines: BTreeSet<_> = text.lines().collect();
        assert_eq!((lines.len(), text.lines().count()), (16 * 4 + 1, 16 * 20), "{kind}");
        home.restores(16 * 20);
    }
}

#[test]
fn a_full_disk_leaves_the_subject_as_it_was() {
    for kind in KINDS {
        for change in ["insert", "replace", "shred"] {
            let home = Home::new(kind);
            let before = home.set(change);
            // A tombstone is a file of 62 bytes, the smallest journal of SQLite one of more than a page.
            let limits: &[u64] = if kind == "file" { &[0, 1, 30, 60] } else { &[0, 1, 60, 600, 4_096] };
            for limit in limits {
                let said = said(home.child(&format!("limit {limit} {change}")));
                assert!(said == "store-unavailable" || said == "store-refused", "{kind} {change} {limit}: {said}");
                assert_eq!(home.stored(PATIENT), before, "{kind} {change} {limit}");
            }
            // With room again, the same change succeeds.
            home.repeats(change);
        }
    }
}

#[test]
fn a_disk_that_is_full_for_the_log_leaves_one_that_is_read() {
    for kind in KINDS {
        let home = Home::new(kind);
        home.set("shred");
        let line = format!(r#"{{"keyspace":"{TENANT}","subject":"{GONE}","at":1700000000}}{}"#, "\n");
        // Limits hold for the files of the store too, which are smaller.
        fs::write(home.log(), line.repeat(1_000)).unwrap();
        let mut torn = 0;
        for room in (0..line.len()).step_by(if kind == "file" { 5 } else { 11 }) {
            let whole = line.len() * 1_000;
            let said = said(home.child(&format!("limit {} shred", whole + room)));
            assert!(said == "store-unavailable" || said == "store-refused", "{kind} {room}: {said}");
            torn += usize::from(fs::metadata(home.log()).unwrap().len() > whole as u64);
            home.reapply(1_000);
            assert!(matches!(home.stored(PATIENT), StoredSubject::Shredded { .. } | StoredSubject::Key(_)), "{kind}");
        }
        println!("{kind}: {torn} times half a line was left");
        home.repeats("shred");
        home.restores(1_001);
    }
}

#[test]
fn a_folder_that_may_not_be_written_leaves_the_subject_as_it_was() {
    for kind in KINDS {
        for change in ["insert", "replace", "shred"] {
            let home = Home::new(kind);
            let before = home.set(change);
            children::permit(home.path(), 0o444, 0o555);
            let said = said(home.child(&format!("nobody 0 {change}")));
            children::permit(home.path(), 0o600, 0o700);
            assert_eq!(said, "store-refused", "{kind} {change}");
            assert_eq!(home.stored(PATIENT), before, "{kind} {change}");
            home.repeats(change);
        }
    }
}

#[test]
fn a_log_that_may_not_be_written_gives_no_receipt() {
    for kind in KINDS {
        for log in ["missing", "there"] {
            let home = Home::new(kind);
            home.set("shred");
            if log == "there" {
                fs::write(home.log(), "").unwrap();
            }
            children::permit(home.path(), 0o666, 0o777);
            children::permit(home.log().parent().unwrap(), 0o444, 0o555);
            let said = said(home.child("nobody 0 shred"));
            children::permit(home.path(), 0o600, 0o700);
            assert_eq!(said, "store-refused", "{kind}, {log}");
            assert_ne!(home.stored(PATIENT), StoredSubject::Absent, "{kind}, {log}");
            home.repeats("shred");
            home.restores(1);
        }
    }
}

/// Not a test, but what the copies of this program run.
#[test]
fn child_work() {
    let Some((words, folder)) = children::work() else { return };
    let [kind, how, number, change] = &words[..] else { panic!("{words:?}") };
    let home = Home { kind: kind.clone(), path: folder, _gone: None };
    let number: u64 = number.parse().unwrap();
    // Read before it may not be.
    let name = if change == "replace" { "second".to_owned() } else { format!("rival-{number}") };
    let key = home.given(&name);
    let keys = (change == "meet").then(|| home.keyring());
    match &**how {
        "race" => children::wait_for_go(home.path()),
        "limit" => children::limit_files(number),
        "nobody" => children::become_nobody(),
        other => panic!("{other}"),
    }
    let ended = match &**change {
        "meet" => home.meet(&keys.unwrap()),
        "shred_many" => (0..4)
            .try_for_each(|at| home.shred(&format!("P-{number}-{at}")).map(drop))
            .and_then(|()| (0..15).try_for_each(|_| home.shred(PATIENT).map(drop)))
            .and_then(|()| home.shred(PATIENT)),
        "shred" => home.shred(PATIENT),
        "replace" => home.replace(&key.unwrap()),
        _ => home.insert(&key.unwrap_or_else(|| home.given("first").unwrap())),
    };
    // The pipe is no file with a limit.
    println!("said {}", ended.unwrap_or_else(|error| error.code().as_str().to_owned()));
}

/// A folder with a store, a log and keys to put.
struct Home {
    kind: String,
    path: PathBuf,
    _gone: Option<Folder>,
}

impl Home {
    fn new(kind: &str) -> Self {
        let folder = Folder::new("subjects");
        for inner in ["store", "log", "given"] {
            fs::create_dir(folder.0.join(inner)).unwrap();
        }
        let home = Self { kind: kind.to_owned(), path: folder.0.clone(), _gone: Some(folder) };
        // Where all begin at once, none has to make the table.
        store(kind, home.path()).unwrap();
        let keys = rxseal::testing::insecure_keyring(TENANT).unwrap().unobserved();
        let first = keys.create_subject_key(PATIENT).unwrap().1;
        home.give("second", &keys.rewrap_subject_key(PATIENT, &first).unwrap());
        home.give("first", &first);
        for rival in 0..16 {
            home.give(&format!("rival-{rival}"), &keys.create_subject_key(PATIENT).unwrap().1);
        }
        home
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn log(&self) -> PathBuf {
        self.path.join("log/shredded.log")
    }

    fn give(&self, name: &str, key: &WrappedSubjectKey) {
        fs::write(self.path.join("given").join(name), key.to_string()).unwrap();
    }

    fn given(&self, name: &str) -> Option<WrappedSubjectKey> {
        Some(fs::read_to_string(self.path.join("given").join(name)).ok()?.parse().unwrap())
    }

    /// The store as it is before a change, and what it holds of the patient.
    fn set(&self, change: &str) -> StoredSubject {
        let store = store(&self.kind, &self.path).unwrap();
        run_local(store.shred(TENANT, GONE, 1_700_000_000)).unwrap();
        if change == "insert" {
            return StoredSubject::Absent;
        }
        run_local(store.insert(TENANT, PATIENT, &self.given("first").unwrap())).unwrap()
    }

    /// What was refused succeeds now.
    fn repeats(&self, change: &str) {
        match change {
            "insert" => self.insert(&self.given("first").unwrap()),
            "replace" => self.replace(&self.given("second").unwrap()),
            _ => self.shred(PATIENT),
        }
        .unwrap_or_else(|error| panic!("{} {change}: then {error:?}", self.kind));
        let stored = self.stored(PATIENT);
        match change {
            "insert" => assert_eq!(stored, StoredSubject::Key(self.given("first").unwrap())),
            "replace" => assert_eq!(stored, StoredSubject::Key(self.given("second").unwrap())),
            _ => assert!(matches!(stored, StoredSubject::Shredded { .. }), "{stored:?}"),
        }
    }

    fn make_keyring(&self) -> Keyring {
        let roots = RootKeys::from(RootKeyFile::new(self.path.join("root.key")).create().unwrap());
        let file = run_local(rxseal::testing::create_keyring(TENANT, &roots, Suite::default())).unwrap();
        fs::write(self.path.join("keyring.json"), file.to_string()).unwrap();
        self.keyring()
    }

    fn keyring(&self) -> Keyring {
        let roots = RootKeys::from(RootKeyFile::new(self.path.join("root.key")).load().unwrap());
        let file = fs::read_to_string(self.path.join("keyring.json")).unwrap().parse().unwrap();
        run_local(Keyring::unlock(TENANT, &roots, &file)).unwrap().unobserved()
    }

    fn child(&self, work: &str) -> Child {
        children::child("subjects::faults::child_work", &format!("{} {work}", self.kind), &self.path)
    }

    /// What each said of its change, all made at once.
    fn race(&self, changes: impl Iterator<Item = String>) -> Vec<String> {
        let children = changes.enumerate().map(|(at, change)| self.child(&format!("race {at} {change}"))).collect();
        children::let_go(&self.path, children)
    }

    fn meet(&self, keys: &Keyring) -> Result<String, Error> {
        let subjects = SubjectKeys::new(store(&self.kind, &self.path)?);
        let patient = run_local(subjects.subject_or_create(keys, PATIENT))?;
        Ok(keys.record("rx", 1)?.subject(&patient)?.seal::<Drug>("warfarin 5 MG")?.to_string())
    }

    fn insert(&self, key: &WrappedSubjectKey) -> Result<String, Error> {
        Ok(match run_local(store(&self.kind, &self.path)?.insert(TENANT, PATIENT, key))? {
            StoredSubject::Key(key) => format!("key {key}"),
            StoredSubject::Shredded { .. } => "shredded".to_owned(),
            other => panic!("{other:?}"),
        })
    }

    fn replace(&self, key: &WrappedSubjectKey) -> Result<String, Error> {
        let old = self.given("first").unwrap();
        run_local(store(&self.kind, &self.path)?.replace(TENANT, PATIENT, &old, key))?;
        Ok("replaced".to_owned())
    }

    fn shred(&self, subject: &str) -> Result<String, Error> {
        let admin = SubjectAdmin::new(store(&self.kind, &self.path)?).unknown_too();
        let log = ShredLog::new(self.log(), MONTH);
        Ok(format!("receipt {}", run_local(admin.shred(TENANT, subject, &log))?.shredded_at()))
    }

    fn stored(&self, subject: &str) -> StoredSubject {
        run_local(store(&self.kind, &self.path).unwrap().get(TENANT, &[subject])).unwrap().remove(0)
    }

    fn page(&self) -> Vec<(String, StoredSubject)> {
        run_local(store(&self.kind, &self.path).unwrap().page(TENANT, None, 100)).unwrap()
    }

    /// The log is understood, and has this many lines.
    fn reapply(&self, lines: u64) {
        assert_eq!(self.lines(), lines, "{}", self.kind);
        let admin = SubjectAdmin::new(store(&self.kind, &self.path).unwrap()).unknown_too();
        run_local(admin.reapply(&ShredLog::new(self.log(), MONTH))).unwrap();
    }

    fn lines(&self) -> u64 {
        fs::read(self.log()).unwrap().iter().filter(|byte| **byte == b'\n').count() as u64
    }

    /// The log has this many lines, and shreds the patient also in a backup of the store that has the key.
    fn restores(&self, lines: u64) {
        let restored = Arc::new(MemorySubjectStore::default());
        run_local(restored.insert(TENANT, PATIENT, &self.given("first").unwrap())).unwrap();
        let admin = SubjectAdmin::new(Arc::clone(&restored)).unknown_too();
        assert_eq!(self.lines(), lines, "{}", self.kind);
        run_local(admin.reapply(&ShredLog::new(self.log(), MONTH))).unwrap();
        assert_eq!(run_local(restored.get(TENANT, &[PATIENT])).unwrap(), [self.stored(PATIENT)], "{}", self.kind);
    }
}

fn store(kind: &str, home: &Path) -> Result<Arc<dyn SubjectKeyStore>, Error> {
    Ok(match kind {
        "file" => Arc::new(FileSubjectStore::new(home.join("store/subjects"))),
        "sqlite" => Arc::new(SqliteSubjectStore::open(home.join("store/subjects.db"))?),
        other => panic!("{other}"),
    })
}
