//! Where a log is read: in a folder, or in PostgreSQL.

use std::path::{Path, PathBuf};

use rxseal_map::__private::said;
use rxseal_watch::verify::{Report, Verifier};
use rxseal_watch::{Line, LoggedEvent, WatchError, read_events, read_lines};

use crate::failure::Failure;

/// A log, as the command names it.
pub enum Log {
    Folder(PathBuf),
    #[cfg(feature = "postgres")]
    Postgres(rxseal_watch::PostgresReader),
}

impl Log {
    pub fn open(place: &Path) -> Result<Self, Failure> {
        let is_url = |place: &&str| ["postgres://", "postgresql://"].iter().any(|scheme| place.starts_with(scheme));
        match place.to_str().filter(is_url) {
            Some(url) => Self::of_postgres(url),
            None => Ok(Self::Folder(place.to_owned())),
        }
    }

    #[cfg(feature = "postgres")]
    fn of_postgres(url: &str) -> Result<Self, Failure> {
        crate::url::without_password(url)?;
        Ok(Self::Postgres(rxseal_watch::PostgresReader::connect(url).map_err(failed)?))
    }

    #[cfg(not(feature = "postgres"))]
    fn of_postgres(_: &str) -> Result<Self, Failure> {
        crate::not_built::postgres::log()
    }

    pub fn verify(&mut self, verifier: &Verifier) -> Result<Report, WatchError> {
        match self {
            Self::Folder(folder) => verifier.verify(folder),
            #[cfg(feature = "postgres")]
            Self::Postgres(reader) => verifier.verify_postgres(reader),
        }
    }

    /// Writes it into files. Those that are there are not written over.
    pub fn export(&mut self, to: &Path) -> Result<(), Failure> {
        match self {
            Self::Folder(folder) => {
                let (folder, to) = (folder.display(), to.display());
                Err(Failure::Usage(format!("the log in {folder} is in files already: copy them to {to}")))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(reader) => reader.export(to).map_err(failed),
        }
    }

    /// Calls `each` with every line.
    pub fn read_lines(&mut self, each: impl FnMut(&Line)) -> Result<(), WatchError> {
        match self {
            Self::Folder(folder) => read_lines(folder, each),
            #[cfg(feature = "postgres")]
            Self::Postgres(reader) => reader.read_lines(each),
        }
    }

    /// Calls `each` with every event, or at least with those of a patient.
    pub fn read_events(&mut self, patient: Option<&str>, each: impl FnMut(LoggedEvent)) -> Result<(), WatchError> {
        match (self, patient) {
            (Self::Folder(folder), _) => read_events(folder, each),
            #[cfg(feature = "postgres")]
            (Self::Postgres(reader), Some(patient)) => reader.events_of(patient, each),
            #[cfg(feature = "postgres")]
            (Self::Postgres(reader), None) => reader.read_events(each),
        }
    }
}

/// A failure of rxseal-watch, with what the system said.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub fn failed(error: WatchError) -> Failure {
    Failure::Coded(error.code(), said(&error))
}
