//! Stores of keyrings: one suite for all of them, and what only one of them can run into (disks, permissions, other
//! processes). PostgreSQL is in `tests/live`, crashes are in `tests/proofs/crash_points` (T47 of docs/THREAT-MODEL.md).

mod owners;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::time::Instant;

use crate::children::{self, Folder, said};
use rusqlite::params;
use rxseal::keys::KeyringFile;
use rxseal::store::{FileStore, KeyringStore, MemoryStore};
use rxseal::{Error, run_local};
use rxseal_conformance::{FreshStore, generations, keyring_store, rivals};
use rxseal_sqlite::SqliteStore;

const KINDS: [&str; 2] = ["file", "sqlite"];

#[test]
fn memory() {
    keyring_store(async || FreshStore::new(MemoryStore::default())).unwrap();
}

#[test]
fn files() {
    let home = Folder::new("files");
    let fresh = async || {
        let folder = sub(&home);
        let path = folder.clone();
        let spoil = move |keyspace: &str, text: &str| {
            fs::write(path.join(format!("{keyspace}.keyring.json")), text).unwrap();
        };
        FreshStore::new(FileStore::new(folder)).spoiled_by(spoil)
    };
    keyring_store(fresh).unwrap();
}

#[test]
fn sqlite() {
    let home = Folder::new("sqlite");
    let fresh = async || {
        let path = sub(&home).with_extension("db");
        let store = SqliteStore::open(&path).unwrap();
        let spoil = move |keyspace: &str, generation: u64, text: &str| spoil_row(&path, keyspace, generation, &text);
        FreshStore::new(store).spoiled_with_generation_by(spoil)
    };
    keyring_store(fresh).unwrap();
}

fn spoil_row(path: &Path, keyspace: &str, generation: u64, file: &dyn rusqlite::ToSql) {
    let change = "UPDATE rxseal_keyrings SET generation = ?2, file = ?3 WHERE keyspace = ?1";
    let db = rusqlite::Connection::open(path).unwrap();
    db.pragma_update(None, "ignore_check_constraints", true).unwrap();
    assert_eq!(db.execute(change, params![keyspace, i64::try_from(generation).unwrap(), file]).unwrap(), 1);
}

#[test]
fn sqlite_row_of_other_types() {
    let home = Folder::new("types");
    let path = home.0.join("keyrings.db");
    let store = SqliteStore::open(&path).unwrap();
    let files = generations("a", 2).unwrap();
    run_local(store.put(&files[0], None)).unwrap();
    for garbage in [&b"\xFF\xFE"[..].to_vec() as &dyn rusqlite::ToSql, &42, &files[0].to_string().into_bytes()] {
        spoil_row(&path, "a", 1, garbage);
        assert_eq!(code(run_local(store.get("a"))), "invalid-keyring");
        assert_eq!(code(run_local(store.put(&files[1], Some(1)))), "invalid-keyring");
    }
}

#[test]
fn sqlite_refuses_what_it_cannot_use() {
    let home = Folder::new("refused");
    let text = home.0.join("notes.txt");
    fs::write(&text, "Jane Doe, warfarin 5 MG. ".repeat(100)).unwrap();
    for (path, says) in [
        (text.clone(), "not an SQLite database"),
        (home.0.clone(), "it is a folder"),
        (home.0.join("missing/keyrings.db"), "cannot be opened"),
    ] {
        let error = SqliteStore::open(&path).unwrap_err();
        assert_eq!(error.code().as_str(), "store-refused");
        assert!(cause(&error).contains(says) && !cause(&error).contains("Jane"), "{}", cause(&error));
    }
    assert!(fs::read_to_string(&text).unwrap().starts_with("Jane Doe"), "nothing was written into it");

    let path = home.0.join("file:keyrings.db?mode=memory");
    drop(SqliteStore::open(&path).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "a path is a path, and private");
}

/// They stand in one line, and each waits 5 seconds all in all: if one began to wait after the other, the last would wait for more than a minute.
#[test]
fn sqlite_callers_wait_for_another_program_together() {
    let home = Folder::new("line");
    let store = SqliteStore::open(home.0.join("keyrings.db")).unwrap();
    let other = rusqlite::Connection::open(home.0.join("keyrings.db")).unwrap();
    let first = &generations("a", 1).unwrap()[0];
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let begun = Instant::now();
    let fails = |error: Error| {
        assert!(error.is_retryable(), "{error:?}");
        assert!((4..60).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| fails(run_local(store.get("a")).unwrap_err()));
            scope.spawn(|| fails(run_local(store.put(first, None)).unwrap_err()));
        }
    });
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(run_local(store.get("a")).unwrap(), None);
    other.execute_batch("DROP TABLE rxseal_keyrings").unwrap();
    assert_eq!(code(run_local(store.get("a"))), "store-refused");
}

#[test]
fn sixteen_processes_make_one_new_generation() {
    for kind in KINDS {
        for _ in 0..3 {
            let home = Folder::new("processes");
            let (first, rivals) = rivals("pharmacy-17", 16).unwrap();
            run_local(store(kind, &home.0).put(&first, None)).unwrap();
            let children: Vec<_> = rivals
                .iter()
                .enumerate()
                .map(|(at, rival)| {
                    fs::write(home.0.join(format!("rival-{at}")), rival.to_string()).unwrap();
                    child(&format!("{kind} race {at}"), &home.0)
                })
                .collect();
            let said = children::let_go(&home.0, children);
            let won: Vec<_> = said.iter().enumerate().filter(|(_, said)| *said == "ok").map(|(at, _)| at).collect();
            assert_eq!(won.len(), 1, "{kind}: {said:?}");
            assert_eq!(said.iter().filter(|said| *said == "store-conflict").count(), 15, "{kind}: {said:?}");
            let stored = run_local(store(kind, &home.0).get("pharmacy-17")).unwrap();
            assert_eq!(stored.as_ref(), Some(&rivals[won[0]]), "{kind}");
        }
    }
}

#[test]
fn a_disk_that_takes_no_more_leaves_the_old_file() {
    for kind in KINDS {
        let home = Folder::new("full");
        let files = generations("a", 2).unwrap();
        run_local(store(kind, &home.0).put(&files[0], None)).unwrap();
        fs::write(home.0.join("rival-0"), files[1].to_string()).unwrap();
        for limit in [0, 1, 100, 700] {
            let said = said(child(&format!("{kind} limit {limit}"), &home.0));
            assert!(said == "store-unavailable" || said == "store-refused", "{kind} {limit}: {said}");
            let stored = run_local(store(kind, &home.0).get("a")).unwrap();
            assert_eq!(stored.as_ref(), Some(&files[0]), "{kind} {limit}");
        }
        // With room again, the same change succeeds.
        run_local(store(kind, &home.0).put(&files[1], Some(1))).unwrap();
    }
}

#[test]
fn a_folder_that_may_not_be_written_leaves_the_old_file() {
    for kind in KINDS {
        let home = Folder::new("readonly");
        let inner = home.0.join("inner");
        fs::create_dir(&inner).unwrap();
        let files = generations("a", 2).unwrap();
        run_local(store(kind, &inner).put(&files[0], None)).unwrap();
        fs::write(inner.join("rival-0"), files[1].to_string()).unwrap();
        // Readable by everyone, as a child that is nobody must read it; writable by no one.
        fs::set_permissions(&home.0, fs::Permissions::from_mode(0o755)).unwrap();
        children::permit(&inner, 0o444, 0o555);
        let said = said(child(&format!("{kind} nobody 0"), &inner));
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(said, "store-refused", "{kind}");
        assert_eq!(run_local(store(kind, &inner).get("a")).unwrap().as_ref(), Some(&files[0]), "{kind}");
    }
}

#[test]
fn file_store_in_a_folder_that_is_none() {
    let home = Folder::new("odd");
    let file = &generations("a", 1).unwrap()[0];
    let path = home.0.join("plain");
    fs::write(&path, "").unwrap();
    for folder in [path.clone(), path.join("deeper")] {
        assert!(run_local(FileStore::new(&folder).put(file, None)).is_err());
    }
    symlink(home.0.join("nowhere"), home.0.join("dangling")).unwrap();
    assert!(run_local(FileStore::new(home.0.join("dangling")).put(file, None)).is_err());
    assert_eq!(fs::read(path).unwrap(), b"");
}

/// Not a test, but what the copies of this program run.
#[test]
fn child_work() {
    let Some((words, folder)) = children::work() else { return };
    let [kind, how, number] = &words[..] else { panic!("{words:?}") };
    let number: u64 = number.parse().unwrap();
    let rival = if how == "race" { number } else { 0 };
    let file: KeyringFile = fs::read_to_string(folder.join(format!("rival-{rival}"))).unwrap().parse().unwrap();
    match &**how {
        "race" => children::wait_for_go(&folder),
        "limit" => children::limit_files(number),
        "nobody" => children::become_nobody(),
        other => panic!("{other}"),
    }
    let ended = try_store(kind, &folder).and_then(|store| run_local(store.put(&file, Some(1))));
    // The pipe is no file with a limit.
    println!("said {}", ended.map_or_else(|error| error.code().as_str(), |()| "ok"));
}

fn child(work: &str, folder: &Path) -> Child {
    children::child("keyrings::child_work", work, folder)
}

fn store(kind: &str, folder: &Path) -> Arc<dyn KeyringStore> {
    try_store(kind, folder).unwrap()
}

fn try_store(kind: &str, folder: &Path) -> Result<Arc<dyn KeyringStore>, Error> {
    Ok(match kind {
        "file" => Arc::new(FileStore::new(folder.join("keyrings"))),
        "sqlite" => Arc::new(SqliteStore::open(folder.join("keyrings.db"))?),
        other => panic!("{other}"),
    })
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.err().unwrap().code().as_str()
}

fn cause(error: &Error) -> String {
    std::error::Error::source(error).unwrap().to_string()
}

fn sub(home: &Folder) -> PathBuf {
    let number = fs::read_dir(&home.0).unwrap().count();
    let path = home.0.join(format!("store-{number}"));
    fs::create_dir(&path).unwrap();
    path
}
