//! The keys: a root key in a file, a keyring in a small database, and who hears of every opening.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};
use rxseal::{KeyFile, Keyring, KeyringFile, Observer, OpenEvent, Outcome, RootKeys, Suite, UnlockOptions, run_local};

use crate::checks::Failure;

/// The name of the keyring. A tenant, a pharmacy, an application: tokens of one keyspace are worthless in another.
pub const KEYSPACE: &str = "pharmacy-17";

/// Where keyrings are stored. A keyring file is sealed and may lie in any database; the root key may not.
pub struct KeyStore {
    db: Connection,
    roots: RootKeys,
    trail: Arc<Trail>,
    created: bool,
}

impl KeyStore {
    /// Opens what is in `folder`. Makes new keys only where nothing was sealed before: without its keyring and root key
    /// sealed data is lost, and new keys would hide that.
    pub fn open(folder: &Path, data_is_empty: bool) -> Result<Self, Failure> {
        let db = Connection::open(folder.join("keyring.sqlite"))?;
        db.busy_timeout(std::time::Duration::from_secs(10))?;
        db.execute_batch(
            "CREATE TABLE IF NOT EXISTS keyring (
                 keyspace TEXT PRIMARY KEY NOT NULL, generation INTEGER NOT NULL, file TEXT NOT NULL
             ) STRICT",
        )?;
        let path = folder.join("root.key");
        let root = KeyFile::new(&path);
        let at_path = |error: rxseal::Error| Failure::from(error).about(&path);
        let trail = Arc::new(Trail::default());
        let stored = load(&db)?;
        let roots = RootKeys::from(match stored {
            Some(_) => root.load().map_err(at_path)?,
            None if data_is_empty => root.load_or_create().map_err(at_path)?,
            None => {
                return Err(
                    Failure::new("the keyring is gone, and without it the sealed rows: restore it").about(folder)
                );
            }
        });
        if stored.is_none() {
            let fresh = run_local(Keyring::create(KEYSPACE, &roots, Suite::default()))?;
            // Where another program was faster, its keyring stays.
            db.execute(
                "INSERT INTO keyring VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![KEYSPACE, generation(&fresh)?, fresh.to_string()],
            )?;
        }
        Ok(Self { db, roots, trail, created: stored.is_none() })
    }

    /// Unlocks the stored keyring: the one place where the root key is used. Everything after it is computing.
    pub fn unlock(&self) -> Result<Keyring, Failure> {
        self.unlock_from(0)
    }

    /// A new key that seals from now on; the one before it opens and never seals again. No row is touched.
    pub fn rotate(&self) -> Result<Keyring, Failure> {
        let before = self.stored()?;
        let after = run_local(Keyring::rotate(KEYSPACE, &self.roots, &before))?;
        // Compare and swap: of two programs that rotate at once, one must fail, or a key would be lost.
        let swapped = self.db.execute(
            "UPDATE keyring SET generation = ?1, file = ?2 WHERE keyspace = ?3 AND generation = ?4",
            params![generation(&after)?, after.to_string(), KEYSPACE, generation(&before)?],
        )?;
        if swapped != 1 {
            return Err(Failure::new("another program changed the keyring: start again"));
        }
        // A key seals only after the keyring with it was stored, read back and unlocked.
        self.unlock_from(after.generation())
    }

    pub fn was_created(&self) -> bool {
        self.created
    }

    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    fn unlock_from(&self, min_generation: u64) -> Result<Keyring, Failure> {
        let options = UnlockOptions::default().min_generation(min_generation);
        let unlocked = run_local(Keyring::unlock_with(options, KEYSPACE, &self.roots, &self.stored()?))?;
        Ok(unlocked.observed_by(Arc::clone(&self.trail)))
    }

    fn stored(&self) -> Result<KeyringFile, Failure> {
        load(&self.db)?.ok_or_else(|| Failure::new("the keyring is gone"))
    }
}

fn load(db: &Connection) -> Result<Option<KeyringFile>, Failure> {
    let text = db.query_row("SELECT file FROM keyring WHERE keyspace = ?1", [KEYSPACE], |row| row.get::<_, String>(0));
    Ok(text.optional()?.map(|text| text.parse()).transpose()?)
}

/// SQLite's integers are signed; a generation has at most 53 bits.
fn generation(file: &KeyringFile) -> Result<i64, Failure> {
    i64::try_from(file.generation()).map_err(|_| Failure::new("the keyring's generation is out of bounds"))
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
                code
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
