//! A row of the table of keyrings, in either database.

use super::parse_stored;
use crate::error::{Error, ErrorKind};
use crate::key::KeyringFile;

/// A row as it stands; `None` for a text where there is something that no keyring file is.
pub(super) struct Stored {
    pub(super) generation: i64,
    pub(super) text: Option<String>,
}

impl Stored {
    pub(super) fn parse(self, keyspace: &str) -> Result<KeyringFile, Error> {
        let text = self.text.ok_or_else(|| ErrorKind::InvalidKeyring.because("it is no text, or larger than 1 MiB"))?;
        let file = parse_stored(&text, keyspace)?;
        if i64::try_from(file.generation()).is_ok_and(|generation| generation == self.generation) {
            Ok(file)
        } else {
            Err(ErrorKind::InvalidKeyring.because("its generation is not the one of its row"))
        }
    }
}

/// A generation is below 2^53 in every file that was parsed; another number is none that is stored.
pub(super) fn to_sql(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}
