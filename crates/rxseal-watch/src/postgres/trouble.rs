//! What went wrong at the server, and whether anything may have been written.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;

use rxseal_postgres::__private::{too_late, trouble};
use sqlx::error::DatabaseError;

/// Why a call failed.
#[derive(Debug)]
pub(super) struct Trouble {
    text: String,
    /// The SQLSTATE of the server's answer.
    code: Option<String>,
    is_settled: bool,
    is_late: bool,
}

impl Trouble {
    /// Nothing was asked of the server, or nothing of it can happen any more.
    pub(super) fn settled(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: None, is_settled: true, is_late: false }
    }

    /// No answer came in time.
    pub(super) fn late() -> Self {
        Self { text: cause(&too_late()), code: None, is_settled: false, is_late: true }
    }

    /// What was asked for was not sent yet.
    pub(super) fn before_it(self) -> Self {
        Self { is_settled: true, ..self }
    }

    /// The server said so, and wrote nothing.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// The connection broke: the server said nothing, and nobody waited for it.
    pub(super) fn is_broken(&self) -> bool {
        !self.is_settled && !self.is_late
    }

    pub(super) fn has_code(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }

    pub(super) fn into_io(self) -> io::Error {
        // A full disk, and a quota of the server.
        let kind = if self.has_code(&["53100", "53400"]) { io::ErrorKind::StorageFull } else { io::ErrorKind::Other };
        io::Error::new(kind, self.text)
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(DatabaseError::code).map(Cow::into_owned);
        // A session that the server ends may end behind its commit.
        let is_settled =
            code.as_deref().is_some_and(|code| !["08", "57P", "58", "XX"].iter().any(|class| code.starts_with(class)));
        let text = match code.as_deref() {
            Some("42501") => "the role lacks a right: grant what `rxseal audit ddl` prints (SQLSTATE 42501)".to_owned(),
            Some(code @ ("3F000" | "42P01" | "42883" | "42703")) => {
                format!(
                    "the tables of the log are missing: let their owner run what `rxseal audit ddl` prints (SQLSTATE {code})"
                )
            }
            _ => cause(&trouble(&error)),
        };
        Self { text, code, is_settled, is_late: false }
    }
}

fn cause(error: &rxseal::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
