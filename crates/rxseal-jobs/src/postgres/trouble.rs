//! Errors of PostgreSQL in a job.

use std::borrow::Cow;

use rxseal::Error;
use sqlx::Error as Sqlx;

/// Why a call ended early: an answer of ours, or an error of the database.
#[derive(Debug)]
pub(crate) enum Trouble {
    Own(Error),
    Sqlx(Sqlx),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl From<Sqlx> for Trouble {
    fn from(error: Sqlx) -> Self {
        Self::Sqlx(error)
    }
}

impl Trouble {
    /// The SQLSTATE, if the server answered.
    pub(crate) fn code(&self) -> Option<String> {
        match self {
            Self::Sqlx(Sqlx::Database(error)) => error.code().map(Cow::into_owned),
            _ => None,
        }
    }

    /// Whether the chunk may go well on a new connection, or at another moment.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Own(error) => error.is_retryable(),
            Self::Sqlx(Sqlx::Database(_)) => self.code().is_some_and(|code| {
                // A deadlock, a time-out, a session that the server ended, and a server that stops.
                ["40", "57"].iter().any(|class| code.starts_with(class)) || code == "25P03" || code == LOCKED
            }),
            Self::Sqlx(Sqlx::Io(_) | Sqlx::Protocol(_) | Sqlx::WorkerCrashed) => true,
            Self::Sqlx(_) => false,
        }
    }

    /// Whether the database refuses what one of the rows would become, such as by a check.
    pub(crate) fn is_refusal(&self) -> bool {
        self.code().is_some_and(|code| ["22", "23", "44", "P0"].iter().any(|class| code.starts_with(class)))
    }

    pub(crate) fn is_lock(&self) -> bool {
        self.code().is_some_and(|code| code == LOCKED)
    }

    /// One line. The server's own text may quote a value, so it is left out; its SQLSTATE gives the details.
    pub(crate) fn explained(self) -> Error {
        let error = match self {
            Self::Own(error) => return error,
            Self::Sqlx(error) => error,
        };
        match &error {
            Sqlx::Database(database) => {
                let code = database.code().unwrap_or_default();
                let (retryable, text) = explain(&code);
                Error::from_store(retryable, format!("{text} (SQLSTATE {code})"))
            }
            Sqlx::Io(error) => {
                Error::from_store(true, format!("the connection to the database failed: {}", error.kind()))
            }
            Sqlx::Tls(_) => {
                Error::from_store(false, "TLS failed: check the server's certificate, `sslmode` and `sslrootcert`")
            }
            Sqlx::ColumnDecode { .. }
            | Sqlx::Decode(_)
            | Sqlx::ColumnIndexOutOfBounds { .. }
            | Sqlx::ColumnNotFound(_) => {
                Error::from_store(false, "a table of the job has columns of other types than expected")
            }
            _ => Error::from_store(true, "the connection to the database was lost: run the worker again"),
        }
    }
}

/// A row is locked by another program.
const LOCKED: &str = "55P03";

fn explain(code: &str) -> (bool, &'static str) {
    match code {
        "42501" => (
            false,
            "the role lacks a right: it needs SELECT and UPDATE on the table, and all rights on rxseal_job, rxseal_chunk and rxseal_fault; with row-level security also BYPASSRLS",
        ),
        "42P01" | "3F000" => (false, "a table is missing: plan a job first, and write the table as `schema.table`"),
        "42703" => (false, "a column is missing: the table was changed since the map was written"),
        "25006" => (false, "the database is read-only: connect to the primary server"),
        "57014" => (
            true,
            "the server cancelled a statement that took too long: plan smaller chunks, or allow statements more time",
        ),
        "25P03" => (true, "the server ended the session, since the worker did nothing for too long"),
        "53100" => {
            (true, "the server's disk is full: nothing of the chunk was written. Make room, then run the worker again")
        }
        _ if code.starts_with("28") => (false, "the login was refused: check role and password, and pg_hba.conf"),
        _ if ["08", "40", "53", "55", "57", "58", "XX"].iter().any(|class| code.starts_with(class)) => {
            (true, "the server could not do it now: run the worker again")
        }
        _ => (false, "the server refused a statement"),
    }
}
