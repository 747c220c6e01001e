//! What every store of keyrings checks: names, the order of generations, and rows as they are read back.

use std::fmt;

use crate::error::{Error, ErrorKind};
use crate::id::{Identifier, Name};
use crate::key::KeyringFile;

/// A stored keyring as a store reads it back: the text of its file, and beside it the generation, which a database compares
/// when it replaces the row.
///
/// ```
/// use rxseal::provider::StoredKeyring;
/// # fn main() -> Result<(), rxseal::Error> {
/// # let (_, file) = rxseal::testing::insecure_keyring_file("pharmacy-17")?;
/// let row = StoredKeyring { generation: 1, text: Some(file.to_string()) };
/// assert_eq!(row.parse("pharmacy-17")?, file);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKeyring {
    /// The generation in the row.
    pub generation: i64,
    /// The text of the file. `None` if what is there is not text, or is longer than [`KeyringFile::MAX_LEN`] bytes, so that
    /// it was not read.
    pub text: Option<String>,
}

impl StoredKeyring {
    /// The file, if it is one of `keyspace` and of the generation of its row.
    ///
    /// # Errors
    ///
    /// `invalid-keyring`, `keyring-mismatch`.
    pub fn parse(self, keyspace: &str) -> Result<KeyringFile, Error> {
        let text = self.text.ok_or_else(|| ErrorKind::InvalidKeyring.because("it is no text, or larger than 1 MiB"))?;
        let file = parse_stored(&text, keyspace)?;
        if i64::try_from(file.generation()).is_ok_and(|generation| generation == self.generation) {
            Ok(file)
        } else {
            Err(ErrorKind::InvalidKeyring.because("its generation is not the one of its row"))
        }
    }

    /// A generation as a row has it. Those of keyring files are below 2^53; any other number matches no row.
    #[must_use]
    pub fn to_sql(generation: u64) -> i64 {
        i64::try_from(generation).unwrap_or(i64::MAX)
    }
}

/// The length of the text, and not the text.
impl fmt::Debug for StoredKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text_len = self.text.as_ref().map(String::len);
        f.debug_struct("StoredKeyring").field("generation", &self.generation).field("text_len", &text_len).finish()
    }
}

/// Refuses to store a file over one of its own or a later generation. The first line of every
/// [`put`](crate::store::KeyringStore::put).
///
/// # Errors
///
/// `keyring-too-old`.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let (_, file) = rxseal::testing::insecure_keyring_file("pharmacy-17")?;
/// assert_eq!(file.generation(), 1);
/// rxseal::provider::check_order(&file, None)?;
/// assert_eq!(rxseal::provider::check_order(&file, Some(1)).unwrap_err().code(), rxseal::ErrorCode::KeyringTooOld);
/// # Ok(())
/// # }
/// ```
pub fn check_order(file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
    if over.is_some_and(|over| file.generation() <= over) { Err(ErrorKind::KeyringTooOld.into()) } else { Ok(()) }
}

/// Whether `keyspace` is a legal name. Some stores would take another one for a path or a pattern.
///
/// # Errors
///
/// `invalid-id`.
///
/// ```
/// assert!(rxseal::provider::check_keyspace("pharmacy-17").is_ok());
/// assert!(rxseal::provider::check_keyspace("../pharmacy-17").is_err());
/// ```
pub fn check_keyspace(keyspace: &str) -> Result<(), Error> {
    Name::check("keyspace", keyspace)
}

/// The names of a call, both legal.
pub(super) fn check_subject(keyspace: &str, subject: &str) -> Result<(), Error> {
    check_keyspace(keyspace)?;
    Identifier::from(subject).parse("subject id").map(drop)
}

/// Reads what a store holds under the name of `keyspace`.
pub(super) fn parse_stored(text: &str, keyspace: &str) -> Result<KeyringFile, Error> {
    let file: KeyringFile = text.parse()?;
    if file.keyspace() == keyspace { Ok(file) } else { Err(ErrorKind::KeyringMismatch.into()) }
}
