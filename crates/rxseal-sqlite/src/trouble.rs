//! Errors of SQLite, each as one line that says what to do.

use std::path::Path;

use rusqlite::ErrorCode;
use rxseal::Error;
use rxseal::provider::foreign_owner;

/// The cause contains the path: it is not secret, and the first thing to look at.
#[must_use]
pub fn trouble(path: &Path, error: &rusqlite::Error) -> Error {
    let (retryable, what) = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => (false, "it is not an SQLite database, or it is encrypted".into()),
        Some(ErrorCode::DatabaseCorrupt) => (false, "the database is damaged: restore it from a backup".into()),
        _ if path.is_dir() => (false, "it is a folder: name a file".into()),
        Some(ErrorCode::CannotOpen) => (false, "it cannot be opened: check its folder and its permissions".into()),
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => (false, not_writable(path)),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (true, "another program held its lock for 5 seconds: try again".into())
        }
        Some(ErrorCode::DiskFull) => (true, "the disk is full: free some space".into()),
        Some(ErrorCode::SystemIoFailure) => (true, "the disk failed to read or write".into()),
        Some(ErrorCode::OutOfMemory | ErrorCode::OperationInterrupted) => (true, error.to_string()),
        _ => (false, without_statement(&error.to_string())),
    };
    Error::from_store(retryable, format!("{}: {what}", path.display()))
}

pub(crate) fn not_writable(path: &Path) -> String {
    match foreign_owner(path) {
        Some(user) => format!(
            "it belongs to user {user}, who could not read the files that this process would leave next to it. Nothing was changed: run this as \
             that user, or as root"
        ),
        None => "it cannot be written: check its permissions and its folder's".to_owned(),
    }
}

/// SQLite's texts name tables and columns, and never a value. Some builds of rusqlite add the complete statement, which
/// is cut off.
fn without_statement(text: &str) -> String {
    let begins =
        [" in SELECT", " in INSERT", " in UPDATE", " in WITH"].iter().filter_map(|begin| text.find(begin)).min();
    let (text, _) = text.split_at_checked(begins.unwrap_or(text.len())).unwrap_or((text, ""));
    text.lines().next().unwrap_or_default().to_owned()
}
