//! What must hold, and how the program reports that it does not.

use std::fmt;
use std::io;
use std::path::Path;

use rxseal::ErrorCode;

use crate::show::Show;

/// Why the program stops. It never contains a value.
pub enum Failure {
    /// Something that must hold does not.
    Check { name: &'static str, detail: String },
    /// The work could not be done at all.
    CannotRun(String),
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        Self::CannotRun(text.into())
    }

    /// Something the system refused for this file or folder.
    pub fn of_file(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull => Self::new(DISK_FULL),
            _ => Self::new(error.to_string()),
        }
        .about(path)
    }

    /// Adds the file that it is about.
    pub fn about(self, path: &Path) -> Self {
        match self {
            Self::CannotRun(text) => Self::CannotRun(format!("{}: {text}", path.display())),
            check => check,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check { name, detail } => write!(f, "FAILED: {name}: {detail}"),
            Self::CannotRun(text) => write!(f, "error: {text}"),
        }
    }
}

impl From<rxseal::Error> for Failure {
    fn from(error: rxseal::Error) -> Self {
        // The cause of an error about a key file or a store names the file and the system's answer. Other causes may
        // quote what was being read, so they are left out.
        let is_about_files =
            matches!(error.code(), ErrorCode::RootKeyIo | ErrorCode::StoreUnavailable | ErrorCode::StoreRefused);
        match std::error::Error::source(&error) {
            Some(cause) if is_about_files => Self::new(format!("{error}: {cause}")),
            _ => Self::new(error.to_string()),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::new(format!("the database: {DISK_FULL}")),
            _ => Self::new(format!("the database: {error}")),
        }
    }
}

const DISK_FULL: &str = "the disk is full: free some space and run this again, it goes on from what is stored";

/// The checks of a run. The first that fails ends the run.
pub struct Checks<'s> {
    show: &'s Show,
    held: usize,
}

impl<'s> Checks<'s> {
    pub fn new(show: &'s Show) -> Self {
        Self { show, held: 0 }
    }

    /// Continues only if `holds`. `detail` is shown either way.
    pub fn ensure(&mut self, name: &'static str, holds: bool, detail: impl Into<String>) -> Result<(), Failure> {
        let detail = detail.into();
        if !holds {
            return Err(Failure::Check { name, detail });
        }
        self.held = self.held.saturating_add(1);
        self.show.held(name, &detail);
        Ok(())
    }

    pub fn held(&self) -> usize {
        self.held
    }
}
