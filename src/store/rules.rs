//! What every store of keyrings keeps to.

use std::fmt;

use crate::error::{Error, ErrorKind};
use crate::id::Name;
use crate::key::KeyringFile;

/// Whether this can be the name of a keyspace: 1 to 64 characters of `a-z 0-9 . _ -` that do not begin with a dot. Some stores would take
/// another one for a path or a pattern, so a [`KeyringStore`](crate::store::KeyringStore) asks before it looks for one.
///
/// # Errors
///
/// `invalid-id`.
pub fn check_keyspace(keyspace: &str) -> Result<(), Error> {
    Name::check("keyspace", keyspace)
}

/// Whether `file` may be put over the generation `over`: a keyring file never replaces one of its own or a later generation.
///
/// # Errors
///
/// `keyring-too-old`.
pub fn check_order(file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
    if over.is_some_and(|over| file.generation() <= over) { Err(ErrorKind::KeyringTooOld.into()) } else { Ok(()) }
}

/// Reads what a store holds under the name of `keyspace`; what is stored beside it must say the same.
pub(super) fn parse_stored(text: &str, keyspace: &str) -> Result<KeyringFile, Error> {
    let file: KeyringFile = text.parse()?;
    if file.keyspace() == keyspace { Ok(file) } else { Err(ErrorKind::KeyringMismatch.into()) }
}

/// A row of a table of keyrings, as an SQL database gives it.
///
/// ```
/// use rxseal::provider::StoredKeyring;
/// # fn main() -> Result<(), rxseal::Error> {
/// # let (_, file) = rxseal::testing::insecure_keyring_file("pharmacy-17")?;
/// let row = StoredKeyring { generation: 1, text: Some(file.to_string()) };
/// assert_eq!(row.parse("pharmacy-17")?, file);
///
/// let row = StoredKeyring { generation: 2, text: Some(file.to_string()) };
/// assert_eq!(row.parse("pharmacy-17").unwrap_err().code(), "invalid-keyring");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct StoredKeyring {
    /// The generation that stands beside the file, for the condition of an `UPDATE`.
    pub generation: i64,
    /// The text of the file; `None` for something that is not a text of at most [`KeyringFile::MAX_LEN`] bytes.
    pub text: Option<String>,
}

impl StoredKeyring {
    /// The keyring file, which must be of `keyspace` and of the generation beside it.
    ///
    /// # Errors
    ///
    /// `invalid-keyring` or `keyring-mismatch`. A store ends its call with it, and writes nothing over such a row.
    pub fn parse(self, keyspace: &str) -> Result<KeyringFile, Error> {
        let text = self.text.ok_or_else(|| ErrorKind::InvalidKeyring.because("it is no text, or larger than 1 MiB"))?;
        let file = parse_stored(&text, keyspace)?;
        if i64::try_from(file.generation()).is_ok_and(|generation| generation == self.generation) {
            Ok(file)
        } else {
            Err(ErrorKind::InvalidKeyring.because("its generation is not the one of its row"))
        }
    }

    /// A generation as it stands in a row. Those of keyring files are below 2^53; another number matches no row.
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
