//! Patients, and the stores of their keys.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rusqlite::Connection;
use rxseal::provider::{SubjectChange, SubjectRow, SubjectRows, SubjectTable};
use rxseal::store::{MemorySubjectStore, StoreFuture, SubjectKeyStore};
use rxseal::subjects::WrappedSubjectKey;
use rxseal::{Keyring, run_local};
use rxseal_sqlite::SqliteSubjectStore;

/// Patients with a subject key each.
pub struct Patients {
    pub ids: Vec<String>,
    keyspace: String,
    wrapped: Vec<WrappedSubjectKey>,
}

impl Patients {
    pub fn new(keys: &Keyring, count: usize) -> Self {
        // As long as a UUID, which most programs use as a patient's id.
        let ids: Vec<_> = (0..count).map(|at| format!("0193a7e4-7c1e-7d5a-9b1f-{at:012x}")).collect();
        let wrapped = ids.iter().map(|id| keys.create_subject_key(id.as_str()).unwrap().1).collect();
        Self { ids, keyspace: keys.keyspace().to_owned(), wrapped }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(String::as_str)
    }

    pub fn in_memory(&self) -> Arc<Counted> {
        let store = MemorySubjectStore::default();
        for (id, key) in self.names().zip(&self.wrapped) {
            run_local(store.insert(&self.keyspace, id, key)).unwrap();
        }
        Counted::new(store)
    }

    /// Filled in one transaction: the store would wait for the disk for every patient.
    pub fn in_sqlite(&self, folder: &Folder) -> Arc<Counted> {
        let path = folder.0.join("subjects.db");
        let store = SqliteSubjectStore::open(&path).unwrap();
        let mut connection = Connection::open(path).unwrap();
        let change = connection.transaction().unwrap();
        for (id, key) in self.names().zip(&self.wrapped) {
            let insert = "INSERT INTO rxseal_subject_keys (keyspace, subject, wrapped) VALUES (?1, ?2, ?3)";
            change.prepare_cached(insert).unwrap().execute((&self.keyspace, id, key.as_bytes())).unwrap();
        }
        change.commit().unwrap();
        Counted::new(store)
    }
}

/// A folder that is removed when the bench ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("rxseal-bench-subjects-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A store, and how often it was asked for keys.
pub struct Counted {
    store: Box<dyn SubjectKeyStore>,
    queries: AtomicUsize,
}

impl Counted {
    fn new(store: impl SubjectKeyStore + 'static) -> Arc<Self> {
        Arc::new(Self { store: Box::new(store), queries: AtomicUsize::new(0) })
    }

    /// How many queries `work` made, and its result.
    pub fn queries_of<T>(&self, work: impl FnOnce() -> T) -> (usize, T) {
        let before = self.queries.load(Relaxed);
        let result = work();
        (self.queries.load(Relaxed) - before, result)
    }
}

impl SubjectTable for Counted {
    fn rows<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, SubjectRows> {
        self.queries.fetch_add(1, Relaxed);
        self.store.rows(keyspace, subjects)
    }

    fn change<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        change: SubjectChange<'a>,
    ) -> StoreFuture<'a, SubjectRow> {
        self.store.change(keyspace, subject, change)
    }

    fn rows_after<'a>(&'a self, keyspace: &'a str, after: &'a str, limit: usize) -> StoreFuture<'a, SubjectRows> {
        self.store.rows_after(keyspace, after, limit)
    }
}
