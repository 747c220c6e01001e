//! Each store here has one fault. The suites find every fault, and accept a store without one.
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, missing_docs, reason = "it is a test")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rxseal::Error;
use rxseal::keys::KeyringFile;
use rxseal::provider::{SubjectChange, SubjectRow, SubjectRows, SubjectTable, check_keyspace, check_order};
use rxseal::store::{KeyringStore, StoreFuture};
use rxseal_conformance::{FreshStore, keyring_store, subject_store};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// A call does its work before it is awaited.
    Eager,
    /// The stored file is not compared.
    NoCompare,
    /// An older generation is stored over a newer one.
    NoOrder,
    /// The file is compared, and stored later.
    Race,
    /// All keyspaces share one place.
    OnePlace,
    FoldsCase,
    /// Stored names are returned in no order.
    Unsorted,
    /// Nothing is stored, and no error returned.
    Forgets,
    /// Cut off at some length.
    PageOfAll,
    /// A page begins with the last subject of the page before.
    PageAgain,
    /// Tombstones are on pages.
    PageOfShredded,
    /// A shredded row is removed.
    NoTombstone,
    /// A retention is not stored.
    NoRetention,
    /// The second of two equal names gets nothing.
    OnlyOnce,
}

struct Planted<V> {
    fault: Fault,
    stored: Mutex<BTreeMap<String, V>>,
    /// How many calls are between their two steps, and how many ever were.
    inside: AtomicUsize,
    entered: AtomicUsize,
}

impl<V: Clone> Planted<V> {
    fn new(fault: Fault) -> Self {
        let (inside, entered) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { fault, stored: Mutex::new(BTreeMap::new()), inside, entered }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, V>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self, name: &str) -> String {
        match self.fault {
            Fault::FoldsCase => name.to_lowercase(),
            Fault::OnePlace => "one".to_owned(),
            _ => name.to_owned(),
        }
    }

    fn found(&self, name: &str) -> Option<V> {
        self.lock().get(&self.name(name)).cloned()
    }

    /// Waits for another call to come between, and no longer than that.
    fn between(&self, patience: Duration) {
        let alone = self.inside.fetch_add(1, Ordering::SeqCst) == 0;
        let entered = self.entered.fetch_add(1, Ordering::SeqCst) + 1;
        let since = Instant::now();
        while alone && self.entered.load(Ordering::SeqCst) == entered && since.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }

    fn put(&self, name: &str, value: V) {
        if self.fault != Fault::Forgets {
            self.lock().insert(self.name(name), value);
        }
    }
}

type Keyrings = Planted<KeyringFile>;

impl Keyrings {
    fn put_now(&self, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        if self.fault != Fault::NoOrder {
            check_order(file, over)?;
        }
        // Held until the end, unless that is the fault.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let held = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        if self.fault == Fault::Race {
            drop(held);
            let stored = self.found(file.keyspace()).map(|stored| stored.generation());
            self.between(Duration::from_millis(200));
            if stored != over {
                return Err(Error::store_conflict());
            }
            self.put(file.keyspace(), file.clone());
            return Ok(());
        }
        let stored = self.found(file.keyspace()).map(|stored| stored.generation());
        if stored != over && self.fault != Fault::NoCompare {
            return Err(Error::store_conflict());
        }
        self.put(file.keyspace(), file.clone());
        Ok(())
    }
}

impl KeyringStore for Keyrings {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        Box::pin(async move {
            if self.fault != Fault::FoldsCase {
                check_keyspace(keyspace)?;
            }
            Ok(self.found(keyspace))
        })
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        if self.fault == Fault::Eager {
            return Box::pin(std::future::ready(self.put_now(file, over)));
        }
        Box::pin(async move { self.put_now(file, over) })
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        Box::pin(async move {
            let mut names: Vec<_> = self.lock().values().map(|file| file.keyspace().to_owned()).collect();
            if self.fault == Fault::Unsorted {
                names.reverse();
            }
            Ok(names)
        })
    }
}

#[test]
fn faults_of_keyring_stores_are_found() {
    let look = |fault| keyring_store(async || FreshStore::new(Keyrings::new(fault)));
    look(Fault::None).unwrap();
    for (fault, rule) in [
        (Fault::Eager, "not awaited"),
        (Fault::NoCompare, "made from"),
        (Fault::NoOrder, "never goes back"),
        (Fault::Race, "at once one is stored"),
        (Fault::OnePlace, "a file each"),
        (Fault::FoldsCase, "illegal name"),
        (Fault::Unsorted, "ascending order"),
        (Fault::Forgets, "newest file"),
    ] {
        let Err(broken) = look(fault) else { panic!("{fault:?} is not found") };
        assert!(broken.promise().contains(rule), "{fault:?}: {broken}");
    }
}

/// Damage is read as if there were nothing, or is overwritten.
#[test]
fn a_damaged_keyring_that_is_overlooked_is_found() {
    let look = |overlooks: bool| {
        keyring_store(async || {
            let store = std::sync::Arc::new(Texts { overlooks, stored: Mutex::default() });
            let behind = std::sync::Arc::clone(&store);
            FreshStore::new(store).spoiled_by(move |keyspace, text| {
                behind.stored.lock().unwrap().insert(keyspace.to_owned(), text.to_owned());
            })
        })
    };
    look(false).unwrap();
    assert!(look(true).unwrap_err().promise().contains("damaged"));
}

struct Texts {
    overlooks: bool,
    stored: Mutex<BTreeMap<String, String>>,
}

impl Texts {
    fn read(&self, keyspace: &str, stored: &BTreeMap<String, String>) -> Result<Option<KeyringFile>, Error> {
        let Some(text) = stored.get(keyspace) else { return Ok(None) };
        let row = rxseal::provider::StoredKeyring {
            generation: text.parse::<KeyringFile>().map_or(1, |file| i64::try_from(file.generation()).unwrap()),
            text: Some(text.clone()),
        };
        match row.parse(keyspace) {
            Err(_) if self.overlooks => Ok(None),
            read => read.map(Some),
        }
    }
}

impl KeyringStore for Texts {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        Box::pin(async move {
            check_keyspace(keyspace)?;
            self.read(keyspace, &self.stored.lock().unwrap())
        })
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            check_order(file, over)?;
            let mut stored = self.stored.lock().unwrap();
            if self.read(file.keyspace(), &stored)?.map(|file| file.generation()) != over {
                return Err(Error::store_conflict());
            }
            stored.insert(file.keyspace().to_owned(), file.to_string());
            Ok(())
        })
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        Box::pin(async move { Ok(self.stored.lock().unwrap().keys().cloned().collect()) })
    }
}

type Subjects = Planted<SubjectRow>;

/// Not a legal character of either name, so it separates them.
const BETWEEN: &str = "\0";

impl Subjects {
    fn change_now(&self, name: &str, change: SubjectChange<'_>) -> Result<SubjectRow, Error> {
        if self.fault == Fault::Race {
            let before = self.found(name).unwrap_or_default();
            // Only the subjects that several calls meet at once: the others would wait in vain.
            self.between(Duration::from_secs(if name.contains("P-new") { 5 } else { 0 }));
            let after = change.apply(&before)?;
            self.put(name, after.clone());
            return Ok(after);
        }
        let mut rows = self.lock();
        let mut after = change.apply(&rows.get(&self.name(name)).cloned().unwrap_or_default())?;
        let result = after.clone();
        match self.fault {
            Fault::Forgets => return Ok(result),
            Fault::NoTombstone if after.shredded_at.is_some() => after = SubjectRow::default(),
            Fault::NoRetention => after.retention = rxseal::store::Retention::default(),
            _ => {}
        }
        rows.insert(self.name(name), after);
        Ok(result)
    }
}

impl SubjectTable for Subjects {
    fn rows<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, SubjectRows> {
        Box::pin(async move {
            let asked = if self.fault == Fault::OnlyOnce { subjects.get(..1).unwrap_or_default() } else { subjects };
            let row = |subject: &&str| {
                Some(((*subject).to_owned(), Ok(self.found(&format!("{keyspace}{BETWEEN}{subject}"))?)))
            };
            Ok(asked.iter().filter_map(row).collect())
        })
    }

    fn change<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        change: SubjectChange<'a>,
    ) -> StoreFuture<'a, SubjectRow> {
        Box::pin(async move { self.change_now(&format!("{keyspace}{BETWEEN}{subject}"), change) })
    }

    fn rows_after<'a>(&'a self, keyspace: &'a str, after: &'a str, limit: usize) -> StoreFuture<'a, SubjectRows> {
        Box::pin(async move {
            let rows = self.lock();
            let named = rows.iter().filter_map(|(name, row)| {
                let (of, subject) = name.split_once(BETWEEN)?;
                (of == keyspace).then_some((subject, row))
            });
            let mut found: Vec<_> = named
                .filter(|(subject, _)| *subject > after || self.fault == Fault::PageAgain && *subject == after)
                .filter(|(_, row)| row.has_key() || self.fault == Fault::PageOfShredded && row.shredded_at.is_some())
                .map(|(subject, row)| (subject.to_owned(), Ok(row.clone())))
                .collect();
            if self.fault == Fault::Unsorted {
                found.reverse();
            }
            if self.fault != Fault::PageOfAll {
                found.truncate(limit);
            }
            Ok(found)
        })
    }
}

#[test]
fn faults_of_subject_stores_are_found() {
    let look = |fault| subject_store(async || Subjects::new(fault));
    look(Fault::None).unwrap();
    for (fault, rule) in [
        (Fault::Race, "meet a subject at once"),
        (Fault::OnePlace, "`insert` stores a key"),
        (Fault::FoldsCase, "`insert` stores a key"),
        (Fault::Unsorted, "`page`"),
        (Fault::Forgets, "`insert` stores a key"),
        (Fault::PageOfAll, "`page`"),
        (Fault::PageAgain, "`page`"),
        (Fault::PageOfShredded, "`page`"),
        (Fault::NoTombstone, "stays shredded"),
        (Fault::NoRetention, "retention"),
        (Fault::OnlyOnce, "`get` answers for each"),
    ] {
        let Err(broken) = look(fault) else { panic!("{fault:?} is not found") };
        assert!(broken.promise().contains(rule), "{fault:?}: {broken}");
    }
}
