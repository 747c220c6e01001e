//! Where keyrings and the keys of patients are kept.
//!
//! The core has stores in files ([`FileStore`], Unix) and in memory ([`MemoryStore`], for tests); `rxseal-sqlite` and
//! `rxseal-postgres` have them in databases. A stored keyring is not secret, and without it nothing opens: back it up, apart from the
//! root key. A store of your own implements [`KeyringStore`] or [`SubjectKeyStore`]; the module [`provider`](crate::provider) has
//! what its author needs.
//!
//! ```
//! # fn main() -> Result<(), rxseal::Error> {
//! # let folder = std::env::temp_dir().join(format!("rxseal-store-doc-{}", std::process::id()));
//! # let (roots, _) = rxseal::testing::insecure_keyring_file("pharmacy-17")?;
//! use rxseal::keys::{KeyringAdmin, Suite};
//! use rxseal::run_local;
//! use rxseal::store::FileStore;
//! let store = FileStore::new(&folder); // such as "/var/lib/pharmacy/keyrings"
//! let stored = run_local(KeyringAdmin::new(store, roots).create("pharmacy-17", Suite::default()))?;
//! assert_eq!(stored.generation(), 1);
//! # std::fs::remove_dir_all(folder).unwrap();
//! # Ok(())
//! # }
//! ```

#[cfg(unix)]
mod file;
mod memory;
pub(crate) mod row;
pub(crate) mod subject;

use std::pin::Pin;
use std::sync::Arc;

#[cfg(unix)]
pub use file::FileStore;
pub use memory::MemoryStore;

#[cfg(unix)]
pub use subject::FileSubjectStore;
pub(crate) use subject::HELD_AT_MOST;
pub use subject::{MemorySubjectStore, Retention, StoredSubject, SubjectKeyStore};

use crate::error::Error;
use crate::key::KeyringFile;

/// What the calls of a [`KeyringStore`] return: a boxed future, so that the trait is object-safe and needs no runtime.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Keeps the newest keyring file of each keyspace.
///
/// A keyring file is not secret, but whoever loses it loses every field under its keys: back the store up, apart from the root
/// key. Implement this trait for a store of your own; a call ends in bounded time, and what went wrong is told with
/// [`Error::from_store`] and [`Error::store_conflict`].
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// use rxseal::store::{KeyringStore, MemoryStore};
/// use rxseal::run_local;
/// # let (_, first) = rxseal::testing::insecure_keyring_file("pharmacy-17")?;
/// let store = MemoryStore::default();
/// run_local(store.put(&first, None))?;
/// assert_eq!(run_local(store.get("pharmacy-17"))?, Some(first.clone()));
///
/// // Whoever did not see the newest generation changes nothing.
/// assert_eq!(run_local(store.put(&first, None)).unwrap_err().code(), rxseal::ErrorCode::StoreConflict);
/// # Ok(())
/// # }
/// ```
pub trait KeyringStore: Send + Sync {
    /// The stored file of `keyspace`, `None` where there is none.
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>>;

    /// Stores `file` as the newest of its keyspace, durably and as a whole, if what is stored now is of the generation `over`
    /// (`None`: if nothing is stored); otherwise nothing is changed and the call ends with [`Error::store_conflict`].
    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()>;

    /// The keyspaces of which a keyring is stored, in ascending order.
    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>>;
}

impl<S: KeyringStore + ?Sized> KeyringStore for Arc<S> {
    fn get<'a>(&'a self, keyspace: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        (**self).get(keyspace)
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        (**self).put(file, over)
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        (**self).keyspaces()
    }
}
