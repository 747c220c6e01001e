//! Why a step in SQLite failed.

use std::path::Path;

use rusqlite::ErrorCode;
use rxseal::Error;
use rxseal_sqlite::__private::trouble;

use crate::trouble::refused;

/// An error of SQLite, which gets the file's path, or an answer of ours.
pub(super) enum Trouble {
    Sqlite(rusqlite::Error),
    Own(Error),
    /// The job cannot be planned or run as asked, and why.
    Refused(String),
}

impl Trouble {
    pub(super) fn refused(why: String) -> Self {
        Self::Refused(why)
    }

    /// Whether another program holds the lock.
    pub(super) fn is_busy(&self) -> bool {
        let busy = [ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked];
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code().is_some_and(|code| busy.contains(&code)))
    }

    pub(super) fn at(self, path: &Path) -> Error {
        match self {
            Self::Sqlite(error) => trouble(path, &error),
            Self::Own(error) => error,
            Self::Refused(why) => refused(format!("{}: {why}", path.display())),
        }
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}
