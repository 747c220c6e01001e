//! Files: those that cannot be used, and what is left in the pages. A full disk is in `crates/rxseal-jobs/src/sqlite/worker_tests.rs`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rusqlite::Connection;
use rxseal_jobs::Operation;
use rxseal_jobs::sqlite::Job;

use super::Database;
use crate::rows::CANARY;

/// A file that is no database, and one that is not there.
#[test]
fn files_that_cannot_be_used() {
    let database = Database::filled(5, 1);
    let running = database.plan("seal", Operation::Backfill, 2);
    let folder = database.path().parent().unwrap().to_owned();
    fs::write(folder.join("text.db"), "no database at all, but a text that is long enough to be looked at").unwrap();
    for (name, part) in [("text.db", "not an SQLite database"), ("gone.db", "cannot be opened")] {
        let error = Job::open(folder.join(name), "seal").unwrap_err();
        let text = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.code().as_str() == "store-refused" && text.contains(part), "{name}: {text}");
    }
    assert!(!folder.join("gone.db").exists());
    let mode = fs::metadata(database.path()).unwrap().permissions().mode();
    running.run();
    assert_eq!(fs::metadata(database.path()).unwrap().permissions().mode(), mode, "a job keeps the file's mode");
}

/// After a job, VACUUM and a truncated log, no byte of plaintext is in any file of the database.
#[test]
fn no_plaintext_is_left_in_the_files() {
    let database = Database::filled(2_000, 1);
    let files = |database: &Database| {
        let folder = database.path().parent().unwrap().to_owned();
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let found = names.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("rx.db"));
        found.map(|path| fs::read(path).unwrap()).filter(|bytes| contains(bytes, CANARY)).count()
    };
    assert!(files(&database) > 0);
    let seal = database.plan("seal", Operation::Backfill, 300);
    seal.run();
    assert!(seal.job.finish(&seal.spec).unwrap().is_clean());
    let db: Connection = database.connect();
    db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert_eq!(files(&database), 0);
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
