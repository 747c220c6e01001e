//! The PKCS#11 library of an HSM, loaded and initialized once for the whole process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as CryptokiError, RvError};

use crate::failure::{Failure, Problem};

/// `C_Initialize` belongs to the process and not to a key, and so does the loaded library. It is never finalized: that
/// would end the sessions of everything else in the process that uses it.
static LIBRARIES: Mutex<BTreeMap<PathBuf, Library>> = Mutex::new(BTreeMap::new());

/// Each library has its own lock, so that one that hangs while it is loaded does not hold up another.
type Library = Arc<Mutex<Option<Pkcs11>>>;

pub(crate) fn open(path: &Path) -> Result<Pkcs11, Failure> {
    let library = {
        let mut libraries = LIBRARIES.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(libraries.entry(real_path(path)).or_default())
    };
    let mut loaded = library.lock().unwrap_or_else(PoisonError::into_inner);
    let pkcs11 = match &*loaded {
        Some(pkcs11) => pkcs11.clone(),
        None => Pkcs11::new(path).map_err(|error| not_loaded(path, error))?,
    };
    initialize(&pkcs11)?;
    *loaded = Some(pkcs11.clone());
    Ok(pkcs11)
}

/// The path that tells whether two libraries are the same.
pub(crate) fn real_path(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn not_loaded(path: &Path, error: CryptokiError) -> Failure {
    let failure = Failure::about(Problem::NotLoaded, &path.display());
    match error {
        CryptokiError::LibraryLoading(cause) => failure.caused_by(cause),
        other => failure.caused_by(other),
    }
}

/// Checked each time, since other code in the process may have finalized it.
fn initialize(pkcs11: &Pkcs11) -> Result<(), Failure> {
    if !matches!(pkcs11.get_library_info(), Err(CryptokiError::Pkcs11(RvError::CryptokiNotInitialized, _))) {
        return Ok(());
    }
    match pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(CryptokiError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        Err(error) => Err(Failure::of(Problem::NotInitialized, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_library_says_so() {
        for path in [Path::new("/no/such/library.so"), Path::new("/etc/passwd")] {
            let failure = open(path).unwrap_err();
            assert_eq!(failure.problem(), Problem::NotLoaded);
            assert!(failure.to_string().contains(&path.display().to_string()), "{failure}");
        }
    }
}
