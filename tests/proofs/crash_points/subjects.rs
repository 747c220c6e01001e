//! Changes of stored subject keys, killed or made to fail at every system call that writes. The subject is in its state
//! before or after the change, and a shredded subject stays shredded, in the store and in the shred log.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rxseal::run_local;
use rxseal::store::{FileSubjectStore, MemorySubjectStore, StoredSubject, SubjectKeyStore};
use rxseal::subjects::{Reapplied, ShredLog, SubjectAdmin, WrappedSubjectKey};
use rxseal_sqlite::SqliteSubjectStore;

use super::{Calls, folder, traced, what_was_said};

const KEYSPACE: &str = "pharmacy-17";
/// Whose key is changed.
const PATIENT: &str = "P-7";
/// Whose key is there before and after.
const STAYS: &str = "P-1";
/// Who was shredded long ago, and when.
const GONE: &str = "P-0";
const LONG_AGO: u64 = 1_700_000_000;

/// The first and the second key of the patient, as the traced program gets them. Apart from the store, in which they are looked for.
const GIVEN: &str = "given";
const LOG: &str = "shredded.log";
const BACKUPS_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// Most of the time is spent waiting for strace and for the disk.
const WORKERS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Insert,
    Replace,
    /// In the store, then in the log.
    Shred,
}

/// What is stored before the change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    /// No store at all.
    Nothing,
    /// Other subjects.
    Others,
    /// And the first key of the patient.
    Key,
    /// And half of what an earlier crash wrote beside it.
    Leftover,
}

/// What the log holds before the change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Log {
    Missing,
    Lines,
    /// And a last line that an earlier crash cut off.
    Torn,
}

#[derive(Clone, Copy, Debug)]
struct Scene {
    kind: &'static str,
    change: Change,
    before: Before,
    log: Log,
}

const SCENES: &[(Change, Before, Log)] = &[
    (Change::Insert, Before::Nothing, Log::Missing),
    (Change::Insert, Before::Others, Log::Lines),
    (Change::Insert, Before::Leftover, Log::Lines),
    (Change::Replace, Before::Key, Log::Lines),
    (Change::Replace, Before::Leftover, Log::Lines),
    (Change::Shred, Before::Nothing, Log::Missing),
    (Change::Shred, Before::Key, Log::Lines),
    (Change::Shred, Before::Leftover, Log::Torn),
];

/// The traced program: it has the keys, and neither store nor log are open.
pub fn prepared(work: &str, home: PathBuf) -> Box<dyn FnOnce() -> String> {
    let (kind, change) = work.split_once(' ').unwrap_or_else(|| panic!("{work}"));
    let (kind, change) = (kind.to_owned(), change.to_owned());
    let [first, second] = ["first", "second"].map(|name| given(&home, name));
    Box::new(move || {
        let ended = open(&kind, &home).and_then(|store| match &*change {
            "Insert" => run_local(store.insert(KEYSPACE, PATIENT, &first)).map(|_| ()),
            "Replace" => run_local(store.replace(KEYSPACE, PATIENT, &first, &second)),
            _ => run_local(SubjectAdmin::new(store).unknown_too().shred(KEYSPACE, PATIENT, &log(&home))).map(|_| ()),
        });
        ended.map_or_else(|error| format!("error {}", error.code().as_str()), |()| "done".to_owned())
    })
}

fn given(home: &Path, name: &str) -> WrappedSubjectKey {
    fs::read_to_string(home.join(GIVEN).join(name)).unwrap().parse().unwrap()
}

fn open(kind: &str, home: &Path) -> Result<Arc<dyn SubjectKeyStore>, rxseal::Error> {
    Ok(match kind {
        "file" => Arc::new(FileSubjectStore::new(home.join("subjects"))),
        "sqlite" => Arc::new(SqliteSubjectStore::open(home.join("subjects.db"))?),
        other => panic!("{other}"),
    })
}

fn log(home: &Path) -> ShredLog {
    ShredLog::new(home.join(LOG), BACKUPS_KEPT)
}

pub fn a_stored_subject_is_as_before_or_as_after() {
    let keys = Keys::new();
    for kind in ["file", "sqlite"] {
        for change in [Change::Insert, Change::Replace, Change::Shred] {
            // SQLite's leftovers are those of the kills.
            let scenes = SCENES.iter().filter(|(of, before, log)| {
                *of == change && (kind == "file" || *before != Before::Leftover || *log == Log::Torn)
            });
            let mut report = BTreeMap::new();
            for (change, before, log) in scenes.copied() {
                let scene = Scene { kind, change, before, log };
                for seen in attempts(&keys, scene) {
                    *report.entry(seen).or_insert(0) += 1;
                }
            }
            let points: usize = report.values().sum();
            println!("{kind} {change:?}: {points} crash points, 0 unreadable: {report:?}");
            assert!(points >= 50, "{kind} {change:?}: fewer than 50 points");
            for seen in
                [("nothing", "as before"), ("nothing", "as after"), ("an error", "as before"), ("done", "as after")]
            {
                assert!(report.contains_key(&seen), "{kind} {change:?}: no point with {seen:?}");
            }
        }
    }
}

/// What was said and what was left, for every fault in one scene.
fn attempts(keys: &Keys, scene: Scene) -> Vec<(&'static str, &'static str)> {
    let template = keys.set(scene);
    let home = copied(&template);
    let faults = Calls::traced(&work(scene), &home).faults_that_differ();
    fs::remove_dir_all(home).unwrap();
    let attempt = |fault: &String| keys.attempt(scene, &template, fault);
    let seen = std::thread::scope(|scope| {
        let share = faults.len().div_ceil(WORKERS);
        let workers: Vec<_> = faults
            .chunks(share)
            .map(|faults| scope.spawn(move || faults.iter().map(attempt).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    fs::remove_dir_all(template).unwrap();
    seen
}

fn work(scene: Scene) -> String {
    format!("{} {:?}", scene.kind, scene.change)
}

/// Keys of the patient: the same one under three wraps, and another that a rival made; and the key of the other subject.
struct Keys {
    first: WrappedSubjectKey,
    second: WrappedSubjectKey,
    third: WrappedSubjectKey,
    rival: WrappedSubjectKey,
    stays: WrappedSubjectKey,
    /// Of all of the patient's.
    parts: Parts,
}

impl Keys {
    fn new() -> Self {
        let keys = rxseal::testing::insecure_keyring(KEYSPACE).unwrap().unobserved();
        let make = |subject: &str| keys.create_subject_key(subject).unwrap().1;
        let first = make(PATIENT);
        let rewrapped = || keys.rewrap_subject_key(PATIENT, &first).unwrap();
        let (second, third, rival) = (rewrapped(), rewrapped(), make(PATIENT));
        let parts = Parts::of([&first, &second, &third, &rival]);
        let keys = Self { first, second, third, rival, stays: make(STAYS), parts };
        // The search finds them where they are, and nothing of them in the key that stays.
        for key in [&keys.first, &keys.second, &keys.third, &keys.rival] {
            assert!(keys.parts.are_in(key.as_bytes()) && keys.parts.are_in(key.to_string().as_bytes()));
        }
        assert!(!keys.parts.are_in(keys.stays.as_bytes()) && !keys.parts.are_in(keys.stays.to_string().as_bytes()));
        keys
    }

    /// A folder as it is before the change.
    fn set(&self, scene: Scene) -> PathBuf {
        let home = folder("subject");
        fs::create_dir(home.join(GIVEN)).unwrap();
        fs::write(home.join(GIVEN).join("first"), self.first.to_string()).unwrap();
        fs::write(home.join(GIVEN).join("second"), self.second.to_string()).unwrap();
        if scene.log != Log::Missing {
            let torn = if scene.log == Log::Torn { r#"{"keyspace":"pharmacy-17","subj"# } else { "" };
            let line = format!(r#"{{"keyspace":"{KEYSPACE}","subject":"{GONE}","at":{LONG_AGO}}}"#);
            fs::write(home.join(LOG), format!("{line}\n{torn}")).unwrap();
        }
        if scene.before != Before::Nothing {
            let store = open(scene.kind, &home).unwrap();
            run_local(store.insert(KEYSPACE, STAYS, &self.stays)).unwrap();
            run_local(store.shred(KEYSPACE, GONE, LONG_AGO)).unwrap();
            if scene.change != Change::Insert && scene.before != Before::Others {
                run_local(store.insert(KEYSPACE, PATIENT, &self.first)).unwrap();
            }
        }
        if scene.before == Before::Leftover && scene.kind == "file" {
            self.leave_half_a_file(&home);
        }
        home
    }

    /// As a crash in a rewrap leaves it, so with the key.
    fn leave_half_a_file(&self, home: &Path) {
        let probe = folder("probe");
        let store = FileSubjectStore::new(probe.join("subjects"));
        run_local(store.insert(KEYSPACE, PATIENT, &self.second)).unwrap();
        let whole = files(&probe).into_iter().find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
        let left = home.join(whole.strip_prefix(&probe).unwrap()).with_extension("tmp");
        fs::create_dir_all(left.parent().unwrap()).unwrap();
        let text = fs::read_to_string(&whole).unwrap();
        fs::write(&left, &text[..text.len() - 4]).unwrap();
        fs::set_permissions(left, fs::Permissions::from_mode(0o600)).unwrap();
        fs::remove_dir_all(probe).unwrap();
    }

    /// One crash, and everything that must hold after it. What was said, and what was left.
    fn attempt(&self, scene: Scene, template: &Path, fault: &str) -> (&'static str, &'static str) {
        let home = copied(template);
        let output = traced(&work(scene), &home, fault);
        let what = format!("{scene:?} with {fault}");
        let said = match what_was_said(&output).as_deref() {
            None => "nothing",
            Some("done") => "done",
            Some("error store-unavailable" | "error store-refused" | "error random-failed") => "an error",
            Some(other) => panic!("{what}: {other}"),
        };
        let text = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&text).contains("panicked"), "{what}: a panic");

        // As a program that starts now finds it.
        let store = open(scene.kind, &home).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let crashed = Crashed { keys: self, scene, home: &home, store, what: &what };
        let stored = crashed.stored(PATIENT);
        let is_new = crashed.is_as_after(&stored);
        assert!(is_new || stored == self.before(scene), "{what}: neither as before nor as after: {stored:?}");
        assert!(is_new || said != "done", "{what}: confirmed, and not stored");
        match scene.change {
            Change::Insert => crashed.inserts(&stored),
            Change::Replace => crashed.replaces(&stored),
            Change::Shred => crashed.reapplies(&stored, said == "done"),
        }
        crashed.shreds();
        drop(crashed);
        fs::remove_dir_all(home).unwrap();
        (said, if is_new { "as after" } else { "as before" })
    }

    fn before(&self, scene: Scene) -> StoredSubject {
        if scene.change == Change::Insert || scene.before == Before::Nothing {
            StoredSubject::Absent
        } else {
            StoredSubject::Key(self.first.clone())
        }
    }
}

/// What a crash left, as the next programs meet it.
struct Crashed<'a> {
    keys: &'a Keys,
    scene: Scene,
    home: &'a Path,
    store: Arc<dyn SubjectKeyStore>,
    what: &'a str,
}

impl Crashed<'_> {
    fn stored(&self, subject: &str) -> StoredSubject {
        let stored = run_local(self.store.get(KEYSPACE, &[subject]));
        stored.unwrap_or_else(|error| panic!("{}: {error:?}", self.what)).remove(0)
    }

    fn is_as_after(&self, stored: &StoredSubject) -> bool {
        match (self.scene.change, stored) {
            (Change::Insert, StoredSubject::Key(key)) => *key == self.keys.first,
            (Change::Replace, StoredSubject::Key(key)) => *key == self.keys.second,
            (Change::Shred, StoredSubject::Shredded { .. }) => true,
            _ => false,
        }
    }

    /// The key that was stored is the one that a rival gets.
    fn inserts(&self, stored: &StoredSubject) {
        let key = if let StoredSubject::Key(key) = stored { key } else { &self.keys.rival };
        let now = run_local(self.store.insert(KEYSPACE, PATIENT, &self.keys.rival));
        let now = now.unwrap_or_else(|error| panic!("{}: then {error:?}", self.what));
        assert_eq!(now, StoredSubject::Key(key.clone()), "{}", self.what);
        assert_eq!(self.stored(PATIENT), now, "{}", self.what);
    }

    /// A rewrap goes on from the key that is there, and from no other.
    fn replaces(&self, stored: &StoredSubject) {
        let StoredSubject::Key(now) = stored else { panic!("{}: {stored:?}", self.what) };
        let Keys { first, second, third, .. } = self.keys;
        let other = if now == first { second } else { first };
        let replace = |old, new| run_local(self.store.replace(KEYSPACE, PATIENT, old, new));
        assert!(replace(other, third).unwrap_err().is_conflict(), "{}", self.what);
        replace(now, third).unwrap_or_else(|error| panic!("{}: then {error:?}", self.what));
        assert_eq!(self.stored(PATIENT), StoredSubject::Key(third.clone()), "{}", self.what);
    }

    /// After the crash of a shred. Who is in the log is shredded; who has a receipt is in the log, and so is shredded after a
    /// restore too; and the log says this or what to do.
    fn reapplies(&self, stored: &StoredSubject, confirmed: bool) {
        let is_logged = self.is_logged();
        assert!(is_logged || !confirmed, "{}: confirmed, and not in the log", self.what);
        let is_shredded = matches!(stored, StoredSubject::Shredded { .. });
        assert!(is_shredded || !is_logged, "{}: in the log, and not shredded", self.what);
        if self.home.join(LOG).exists() {
            self.reapply(Arc::clone(&self.store));
            assert_eq!(self.stored(PATIENT), *stored, "{}: reapplied", self.what);
            if confirmed {
                self.restores();
            }
        } else {
            let error = run_local(SubjectAdmin::new(Arc::clone(&self.store)).unknown_too().reapply(&log(self.home)))
                .unwrap_err();
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(error.code().as_str() == "store-refused" && cause.contains(LOG), "{}: {error:?}", self.what);
        }
    }

    /// Whatever came before: the patient is shredded now, for good.
    fn shreds(&self) {
        let before = self.stored(PATIENT);
        let receipt = run_local(SubjectAdmin::new(Arc::clone(&self.store)).unknown_too().shred(
            KEYSPACE,
            PATIENT,
            &log(self.home),
        ));
        let receipt = receipt.unwrap_or_else(|error| panic!("{}: then {error:?}", self.what));
        let shredded = StoredSubject::Shredded { at: receipt.shredded_at() };
        if let StoredSubject::Shredded { .. } = before {
            assert_eq!(before, shredded, "{}: the receipt tells another time", self.what);
        }
        assert_eq!(self.stored(PATIENT), shredded, "{}", self.what);
        assert!(self.is_logged(), "{}: not in the log", self.what);
        self.finds_no_key();

        let insert = run_local(self.store.insert(KEYSPACE, PATIENT, &self.keys.rival)).unwrap();
        assert_eq!(insert, shredded, "{}: another key was made", self.what);
        self.reapply(Arc::clone(&self.store));
        assert_eq!(self.restores(), shredded, "{}", self.what);
        self.leaves_the_others();
    }

    /// The log over a backup of the store, which has the key. What it is then.
    fn restores(&self) -> StoredSubject {
        let restored = Arc::new(MemorySubjectStore::default());
        run_local(restored.insert(KEYSPACE, PATIENT, &self.keys.first)).unwrap();
        run_local(restored.insert(KEYSPACE, STAYS, &self.keys.stays)).unwrap();
        self.reapply(restored.clone());
        let found = run_local(restored.get(KEYSPACE, &[PATIENT, STAYS])).unwrap();
        let [patient, stays] = found.try_into().unwrap();
        assert!(matches!(patient, StoredSubject::Shredded { .. }), "{}: came back with a restore", self.what);
        assert_eq!(stays, StoredSubject::Key(self.keys.stays.clone()), "{}", self.what);
        patient
    }

    fn reapply(&self, store: Arc<dyn SubjectKeyStore>) -> Reapplied {
        let reapplied = run_local(SubjectAdmin::new(store).unknown_too().reapply(&log(self.home)));
        let reapplied = reapplied.unwrap_or_else(|error| panic!("{}: the log: {error:?}", self.what));
        assert_eq!(reapplied.retained().count(), 0, "{}", self.what);
        reapplied
    }

    /// Read by itself: a whole line of it names the patient.
    fn is_logged(&self) -> bool {
        let text = fs::read_to_string(self.home.join(LOG)).unwrap_or_default();
        let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        lines.any(|line| line.contains(&format!("\"{PATIENT}\"")))
    }

    /// In no file of the store, nor beside it, is anything of a key: as bytes or as text.
    fn finds_no_key(&self) {
        for path in files(self.home).iter().filter(|path| !path.starts_with(self.home.join(GIVEN))) {
            assert!(
                !self.keys.parts.are_in(&fs::read(path).unwrap()),
                "{}: {} holds of the key",
                self.what,
                path.display()
            );
        }
    }

    fn leaves_the_others(&self) {
        if self.scene.before == Before::Nothing {
            return;
        }
        let stays = StoredSubject::Key(self.keys.stays.clone());
        assert_eq!(self.stored(STAYS), stays, "{}", self.what);
        assert_eq!(self.stored(GONE), StoredSubject::Shredded { at: LONG_AGO }, "{}", self.what);
        let page = run_local(self.store.page(KEYSPACE, None, 10)).unwrap();
        assert_eq!(page, [(STAYS.to_owned(), StoredSubject::Key(self.keys.stays.clone()))], "{}", self.what);
    }
}

/// What may be left of keys, by its first byte: without an optimizer, one search for each would take longer than all else.
struct Parts(Vec<Vec<Vec<u8>>>);

impl Parts {
    /// Without their beginnings, which are the same for all keys under one DEK.
    fn of(keys: [&WrappedSubjectKey; 4]) -> Self {
        let mut parts = vec![Vec::new(); 256];
        for key in keys {
            let text = key.to_string();
            for part in key.as_bytes()[21..].chunks_exact(12).chain(text.as_bytes()[28..].chunks_exact(16)) {
                parts[usize::from(part[0])].push(part.to_vec());
            }
        }
        Self(parts)
    }

    fn are_in(&self, bytes: &[u8]) -> bool {
        let begins = |at: usize, byte: u8| self.0[usize::from(byte)].iter().any(|part| bytes[at..].starts_with(part));
        bytes.iter().enumerate().any(|(at, byte)| begins(at, *byte))
    }
}

/// A copy of a folder, modes included.
fn copied(from: &Path) -> PathBuf {
    let to = folder("copy");
    for path in files(from) {
        let copy = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(path, copy).unwrap();
    }
    to
}

/// All files in a folder and in those below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
