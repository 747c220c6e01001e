//! The keys: a root key in a file, a keyring in a small database, and who hears of every opening.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rxseal::keys::{KeyringAdmin, Suite, UnlockOptions};
use rxseal::observe::{Observer, OpenEvent, Outcome};
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::store::KeyringStore;
use rxseal::{Keyring, run_local};
use rxseal_sqlite::SqliteStore;

use crate::checks::Failure;

/// The name of the keyring. A tenant, a pharmacy, an application: tokens of one keyspace are worthless in another.
pub const KEYSPACE: &str = "pharmacy-17";

/// The files in the folder of the keys.
pub const KEYRINGS: &str = "keyring.sqlite";
pub const ROOT_KEY: &str = "root.key";

/// The keyring, in a store that the command `rxseal` reads too. A keyring file is sealed and may lie in any database; the
/// root key may not.
pub struct KeyStore {
    admin: KeyringAdmin,
    roots: RootKeys,
    trail: Arc<Trail>,
    created: bool,
}

impl KeyStore {
    /// Opens what is in `folder`. Makes new keys only where nothing was sealed before: without its keyring and root key
    /// sealed data is lost, and new keys would hide that.
    pub fn open(folder: &Path, data_is_empty: bool) -> Result<Self, Failure> {
        let path = folder.join(KEYRINGS);
        let store = SqliteStore::open(&path).map_err(|error| Failure::from(error).about(&path))?;
        let stored = run_local(store.get(KEYSPACE))?.is_some();
        let path = folder.join(ROOT_KEY);
        let root = RootKeyFile::new(&path);
        let at_path = |error: rxseal::Error| Failure::from(error).about(&path);
        let roots = RootKeys::from(match stored {
            true => root.load().map_err(at_path)?,
            false if data_is_empty => root.load_or_create().map_err(at_path)?,
            false => {
                return Err(
                    Failure::new("the keyring is gone, and without it the sealed rows: restore it").about(folder)
                );
            }
        });
        let admin = KeyringAdmin::new(store, roots.clone());
        if !stored {
            run_local(admin.create(KEYSPACE, Suite::default()))?;
        }
        Ok(Self { admin, roots, trail: Arc::default(), created: !stored })
    }

    /// Unlocks the stored keyring: the one place where the root key is used. Everything after it is computing.
    pub fn unlock(&self) -> Result<Keyring, Failure> {
        self.unlock_from(0)
    }

    /// A new key that seals from now on; the one before it opens and never seals again. No row is touched. Stored before it
    /// is used: of two programs that rotate at once, one is refused.
    pub fn rotate(&self) -> Result<Keyring, Failure> {
        let (stored, _) = run_local(self.admin.rotate(KEYSPACE))?;
        self.unlock_from(stored.generation())
    }

    pub fn was_created(&self) -> bool {
        self.created
    }

    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    fn unlock_from(&self, min_generation: u64) -> Result<Keyring, Failure> {
        let options = UnlockOptions::default().min_generation(min_generation);
        let stored = run_local(self.admin.stored(KEYSPACE))?;
        let unlocked = run_local(Keyring::unlock_with(options, KEYSPACE, &self.roots, &stored))?;
        Ok(unlocked.observed_by(Arc::clone(&self.trail)))
    }
}

/// Hears of every opening. A real one sends the events to a store that this program cannot change.
#[derive(Default)]
pub struct Trail {
    openings: AtomicUsize,
    fields: AtomicUsize,
    refused: AtomicUsize,
    last: Mutex<String>,
}

impl Trail {
    pub fn openings(&self) -> usize {
        self.openings.load(Ordering::Relaxed)
    }

    pub fn fields(&self) -> usize {
        self.fields.load(Ordering::Relaxed)
    }

    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// The latest event as a line of an audit log.
    pub fn last(&self) -> String {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Trail {
    fn opened(&self, event: &OpenEvent<'_>) {
        let opening = event.opening();
        self.openings.fetch_add(1, Ordering::Relaxed);
        self.fields.fetch_add(event.fields(), Ordering::Relaxed);
        let outcome = match event.outcome() {
            Outcome::Failed(code) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                code.as_str()
            }
            Outcome::Opened => "opened",
            _ => "ended early",
        };
        let mut classes: Vec<_> = event.classes_and_keys().map(|(class, _)| class.as_str()).collect();
        classes.sort_unstable();
        classes.dedup();
        let line = format!(
            "{}, for {}: {} fields ({}) in {}: {outcome}",
            opening.access().actor(),
            opening.access().purpose(),
            event.fields(),
            classes.join(", "),
            match opening.records().len() {
                1 => "1 record".to_owned(),
                more => format!("{more} records"),
            },
        );
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
}
