//! Subject keys in an SQLite file with a write-ahead log, since somebody set it to WAL mode (T52 of docs/THREAT-MODEL.md).

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use rxseal::run_local;
use rxseal::store::{StoredSubject, SubjectKeyStore};
use rxseal::subjects::{ShredLog, SubjectAdmin, WrappedSubjectKey};
use rxseal_sqlite::SqliteSubjectStore;

use super::{Folder, MONTH, TENANT, keyring};

#[test]
fn a_shredded_key_is_in_no_write_ahead_log() {
    let home = Home::new("wal");
    let other = home.other();
    // It has a copy of its own of every page, and the log open.
    count(&other);
    assert!(home.files_with_the_key() > 0, "nothing was looked for");
    home.shred().unwrap();
    assert_eq!(home.files_with_the_key(), 0);
    assert_eq!(count(&other), 1, "the others go on");
}

#[test]
fn a_shredding_waits_for_who_reads_an_older_log() {
    let home = Home::new("wal-busy");
    let other = home.other();
    other.execute_batch("BEGIN").unwrap();
    count(&other);
    for _ in 0..2 {
        let error = home.shred().unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
        let text = std::error::Error::source(&error).unwrap().to_string();
        assert!(text.contains("write-ahead log") && text.contains("Repeat"), "{text}");
    }
    let stored = run_local(home.store.get(TENANT, &["P-7"])).unwrap().remove(0);
    assert!(matches!(stored, StoredSubject::Shredded { .. }), "nobody gets it any more: {stored:?}");
    assert!(home.files_with_the_key() > 0 && !home.log().exists(), "and nobody was told that it is gone");

    other.execute_batch("COMMIT").unwrap();
    home.shred().unwrap();
    assert_eq!(home.files_with_the_key(), 0);
    assert!(home.log().exists());
}

/// A database in WAL mode with the key of P-7.
struct Home {
    folder: Folder,
    store: Arc<SqliteSubjectStore>,
    key: WrappedSubjectKey,
}

impl Home {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let path = folder.0.join("subjects.db");
        let mode = |db: Connection| db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
        assert_eq!(mode(Connection::open(&path).unwrap()).unwrap(), "wal");
        let store = Arc::new(SqliteSubjectStore::open(&path).unwrap());
        let key = keyring().create_subject_key("P-7").unwrap().1;
        run_local(store.insert(TENANT, "P-7", &key)).unwrap();
        Self { folder, store, key }
    }

    fn other(&self) -> Connection {
        Connection::open(self.folder.0.join("subjects.db")).unwrap()
    }

    fn log(&self) -> std::path::PathBuf {
        self.folder.0.join("shredded.log")
    }

    fn shred(&self) -> Result<(), rxseal::Error> {
        let log = ShredLog::new(self.log(), MONTH);
        run_local(SubjectAdmin::new(Arc::clone(&self.store)).unknown_too().shred(TENANT, "P-7", &log)).map(drop)
    }

    fn files_with_the_key(&self) -> usize {
        let files = fs::read_dir(&self.folder.0).unwrap().map(|file| file.unwrap().path());
        files.filter(|path| has(path, self.key.as_bytes())).count()
    }
}

fn has(path: &Path, key: &[u8]) -> bool {
    fs::read(path).unwrap().windows(key.len()).any(|bytes| bytes == key)
}

fn count(db: &Connection) -> i64 {
    db.query_row("SELECT count(*) FROM rxseal_subject_keys", [], |row| row.get(0)).unwrap()
}
