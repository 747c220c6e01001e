//! Changes of stored keyrings, killed or made to fail at every system call: the old or the new generation is there,
//! complete.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rxseal::keys::{KeyringAdmin, KeyringFile};
use rxseal::run_local;
use rxseal::store::{FileStore, KeyringStore, MemoryStore};
use rxseal::testing::insecure_keyring_file;
use rxseal_sqlite::SqliteStore;

use super::{Calls, folder, traced, what_was_said};

/// What the traced program puts.
const NEXT: &str = "next.json";
const KEYSPACE: &str = "pharmacy-17";

/// What is stored before the change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    Nothing,
    /// The first generation.
    Older,
    /// And beside it, half of what an earlier crash wrote.
    Leftover,
}

/// The part of the traced program that comes before its first traced system call.
pub fn prepared(work: &str, home: PathBuf) -> Box<dyn FnOnce() -> String> {
    let next: KeyringFile = fs::read_to_string(home.join(NEXT)).unwrap().parse().unwrap();
    let work = work.to_owned();
    Box::new(move || put(&work, &home, &next))
}

/// The traced change.
fn put(work: &str, home: &Path, next: &KeyringFile) -> String {
    let over = next.generation().checked_sub(1).filter(|over| *over > 0);
    let ended = open(work, home).and_then(|store| run_local(store.put(next, over)));
    ended.map_or_else(|error| format!("error {}", error.code().as_str()), |()| "put".to_owned())
}

fn open(work: &str, home: &Path) -> Result<Box<dyn KeyringStore>, rxseal::Error> {
    Ok(match work {
        "put_file" => Box::new(FileStore::new(home.join("keyrings"))),
        _ => Box::new(SqliteStore::open(home.join("keyrings.db"))?),
    })
}

pub fn a_stored_keyring_is_the_old_or_the_new_one() {
    for (work, least) in [("put_file", 100), ("put_sqlite", 100)] {
        let mut report = BTreeMap::new();
        let mut points = 0;
        for before in [Before::Nothing, Before::Older, Before::Leftover] {
            // SQLite's leftovers are those of the kills.
            if work == "put_sqlite" && before == Before::Leftover {
                continue;
            }
            let files = Files::new();
            let home = files.set(work, before);
            let faults = Calls::traced(work, &home).faults();
            fs::remove_dir_all(home).unwrap();
            for fault in faults {
                *report.entry(files.attempt(work, before, &fault)).or_insert(0) += 1;
                points += 1;
            }
        }
        println!("{work}: {points} crash points, 0 unreadable: {report:?}");
        assert!(points >= least, "{work}: fewer than {least} points");
        for (said, left) in
            [("nothing", "the old"), ("nothing", "the new"), ("unavailable", "the old"), ("put", "the new")]
        {
            assert!(report.contains_key(&(said, left)), "{work}: no point where {said} was said and {left} was left");
        }
    }
}

/// Three generations in a row.
struct Files([KeyringFile; 3]);

impl Files {
    fn new() -> Self {
        let (roots, first) = insecure_keyring_file(KEYSPACE).unwrap();
        // A staged index root, and then a new key.
        let store = MemoryStore::default();
        run_local(store.put(&first, None)).unwrap();
        let (second, _) = run_local(KeyringAdmin::new(store, roots.clone()).stage_index_root(KEYSPACE)).unwrap();
        let third = run_local(rxseal::testing::rotate_keyring(KEYSPACE, &roots, &second)).unwrap();
        Self([first, second, third])
    }

    fn old_and_new(&self, before: Before) -> (Option<&KeyringFile>, &KeyringFile) {
        let [first, second, _] = &self.0;
        if before == Before::Nothing { (None, first) } else { (Some(first), second) }
    }

    /// A new folder as it is before the change.
    fn set(&self, work: &str, before: Before) -> PathBuf {
        let home = folder("put");
        let (old, new) = self.old_and_new(before);
        fs::write(home.join(NEXT), new.to_string()).unwrap();
        if let Some(old) = old {
            run_local(open(work, &home).unwrap().put(old, None)).unwrap();
        }
        if before == Before::Leftover {
            let text = new.to_string();
            // Of 0.1.0, and of this version.
            for left in [format!("{KEYSPACE}.keyring.tmp"), ".rxseal-tmp-0".to_owned()] {
                let left = home.join("keyrings").join(left);
                fs::write(&left, &text[..text.len() / 2]).unwrap();
                fs::set_permissions(left, fs::Permissions::from_mode(0o600)).unwrap();
            }
        }
        home
    }

    /// One crash, and everything that must hold after it. What was said, and what was left.
    fn attempt(&self, work: &str, before: Before, fault: &str) -> (&'static str, &'static str) {
        let home = self.set(work, before);
        let (old, new) = self.old_and_new(before);
        let output = traced(work, &home, fault);
        let what = || format!("{work} over {before:?} with {fault}");
        let said = what_was_said(&output);
        let text = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&text).contains("panicked"), "{}: a panic", what());

        // Another process reads: the old one or the new one, and the new one wherever that was confirmed.
        let store = open(work, &home).unwrap_or_else(|error| panic!("{}: {error:?}", what()));
        let stored = run_local(store.get(KEYSPACE)).unwrap_or_else(|error| panic!("{}: {error:?}", what()));
        let is_new = stored.as_ref() == Some(new);
        assert!(is_new || stored.as_ref() == old, "{}: neither the old nor the new generation", what());
        assert!(is_new || said.as_deref() != Some("put"), "{}: confirmed, and not stored", what());
        assert_eq!(run_local(store.keyspaces()).unwrap().len(), usize::from(stored.is_some()), "{}", what());
        // And changes: no lock was left, and no leftover is in the way.
        let over = stored.map(|stored| stored.generation());
        run_local(store.put(&self.0[2], over)).unwrap_or_else(|error| panic!("{}: then {error:?}", what()));
        assert_eq!(run_local(store.get(KEYSPACE)).unwrap().as_ref(), Some(&self.0[2]), "{}", what());
        let left = fs::read_dir(home.join("keyrings")).into_iter().flatten().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("tmp")).collect();
        assert!(left.is_empty(), "{}: {left:?} are left", what());
        drop(store);
        fs::remove_dir_all(home).unwrap();
        let said = match said.as_deref() {
            None => "nothing",
            Some("put") => "put",
            Some("error store-unavailable") => "unavailable",
            // Its temporary file has a random name.
            Some("error store-refused" | "error random-failed") => "refused",
            Some(other) => panic!("{}: {other}", what()),
        };
        (said, if is_new { "the new" } else { "the old" })
    }
}
