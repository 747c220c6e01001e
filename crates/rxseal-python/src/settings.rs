//! What a handle is unlocked with.

use std::fs;
use std::path::PathBuf;

use pyo3::prelude::*;
use rxseal::keys::{KeyringFile, UnlockOptions};
use rxseal::store::{FileStore, FileSubjectStore, KeyringStore};
use rxseal::subjects::SubjectKeys;
use rxseal::{Class, Keyring};

use crate::error::{from_core, refused};
use crate::observer::{CallObserver, take_raised};
use crate::roots;
use crate::schema::Schema;

/// Everything that `unlock` is told, as Python gave it.
pub(crate) struct Settings {
    pub(crate) keyspace: String,
    pub(crate) roots: Vec<String>,
    pub(crate) stored: Option<PathBuf>,
    pub(crate) store: Option<String>,
    pub(crate) min_generation: u64,
    pub(crate) classes: Vec<String>,
    pub(crate) subjects: Option<String>,
}

impl Settings {
    /// Asks a root key once, without the interpreter lock.
    pub(crate) fn unlock(&self, py: Python<'_>, observer: &Bound<'_, PyAny>) -> PyResult<Keyring> {
        let observer = CallObserver::new(observer)?;
        let keyring = py.detach(|| {
            roots::run(async {
                let stored = self.keyring_file().await?;
                let roots =
                    roots::connect(&self.roots, |error| observer.tell(&self.keyspace, error.to_string())).await?;
                let options = UnlockOptions::default().min_generation(self.min_generation);
                let unlocked = Keyring::unlock_with(options, &self.keyspace, &roots, &stored).await;
                Ok(unlocked.map_err(|error| from_core(&error))?.observed_by(observer))
            })
        })?;
        // It was told of the unlocking, and refuses it by raising.
        take_raised().map_or(Ok(keyring), Err)
    }

    async fn keyring_file(&self) -> PyResult<KeyringFile> {
        match (&self.stored, &self.store) {
            (Some(path), None) => {
                let bytes = fs::read(path)
                    .map_err(|error| refused("keyring-missing", format!("{}: {error}", path.display())))?;
                KeyringFile::try_from(bytes.as_slice()).map_err(|error| from_core(&error))
            }
            (None, Some(store)) => {
                let folder = folder(store, "store")?;
                let stored = FileStore::new(folder).get(&self.keyspace).await.map_err(|error| from_core(&error))?;
                stored.ok_or_else(|| {
                    refused("keyring-missing", format!("no keyring of {} is in the store", self.keyspace))
                })
            }
            _ => Err(refused(
                "keyring-missing",
                "say where the keyring is: stored='PATH' or store='file:FOLDER', and not both",
            )),
        }
    }

    /// The classes by name, which the schema must have.
    pub(crate) fn classes(&self, schema: &Schema) -> PyResult<Vec<Class>> {
        if self.classes.is_empty() {
            return Err(refused("class-locked", "say which classes are needed: classes=['medication']"));
        }
        self.classes.iter().map(|name| schema.class(name)).collect()
    }

    pub(crate) fn subject_keys(&self) -> PyResult<Option<SubjectKeys>> {
        let store = self.subjects.as_ref().map(|store| folder(store, "subjects")).transpose()?;
        Ok(store.map(|folder| SubjectKeys::new(FileSubjectStore::new(folder))))
    }
}

fn folder<'s>(store: &'s str, setting: &str) -> PyResult<&'s str> {
    let folder = store.strip_prefix("file:").filter(|folder| !folder.is_empty());
    folder.ok_or_else(|| refused("keyring-missing", format!("{setting} must be file:FOLDER")))
}
