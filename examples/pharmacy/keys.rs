//! The keys: a root key in a file, a keyring in a folder of its own, and an observer that hears of every opening.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rxseal::keys::{KeyringAdmin, UnlockOptions};
use rxseal::observe::{Observer, OpenEvent, Outcome};
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::store::{FileStore, KeyringStore};
use rxseal::{Keyring, run_local};

use crate::checks::Failure;

/// The keyring's name: a tenant, a pharmacy, an application. The tokens of one keyspace are worthless in another.
pub const KEYSPACE: &str = "pharmacy-17";

/// The keys' places. The command `rxseal` can read the keyring too.
pub struct KeyStore {
    root_key: PathBuf,
    keyrings: PathBuf,
    trail: Arc<Trail>,
    created: bool,
}

impl KeyStore {
    /// Opens the keyring. The first start creates it, but never if there are sealed rows: without their keyring and
    /// root key they are lost, and new keys would hide that.
    pub fn open(root_key: PathBuf, keyrings: PathBuf, data_is_empty: bool) -> Result<(Self, Keyring), Failure> {
        let created = run_local(FileStore::new(&keyrings).get(KEYSPACE))?.is_none();
        if created && !data_is_empty {
            return Err(
                Failure::new("the keyring is gone, and without it the sealed rows: restore it").about(&keyrings)
            );
        }
        let trail = Arc::<Trail>::default();
        // Who has index roots can guess: leave them out in a program that does not search.
        let options = UnlockOptions::default().with_index_roots();
        let unlocked = Keyring::unlock_or_create_local_with(options, &root_key, &keyrings, KEYSPACE)?;
        let keys = unlocked.observed_by(Arc::clone(&trail));
        Ok((Self { root_key, keyrings, trail, created }, keys))
    }

    /// Adds a new key that seals from now on. The key before it opens and never seals again. This changes no row. The
    /// new keyring is stored before it is used: if two programs rotate at once, one is refused.
    pub fn rotate(&self) -> Result<Keyring, Failure> {
        let roots = RootKeys::from(RootKeyFile::new(&self.root_key).load()?);
        let admin = KeyringAdmin::new(FileStore::new(&self.keyrings), roots.clone());
        let (stored, _) = run_local(admin.rotate(KEYSPACE))?;
        let options = UnlockOptions::default().with_index_roots().min_generation(stored.generation());
        let unlocked = run_local(Keyring::unlock_with(options, KEYSPACE, &roots, &stored))?;
        Ok(unlocked.observed_by(Arc::clone(&self.trail)))
    }

    pub fn root_key(&self) -> &Path {
        &self.root_key
    }

    pub fn root_folder(&self) -> &Path {
        self.root_key.parent().unwrap_or(&self.root_key)
    }

    pub fn keyrings(&self) -> &Path {
        &self.keyrings
    }

    pub fn was_created(&self) -> bool {
        self.created
    }

    pub fn trail(&self) -> &Trail {
        &self.trail
    }
}

/// Hears of every opening. A real observer sends the events to a store that this program cannot change.
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
    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
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
        Ok(())
    }
}
