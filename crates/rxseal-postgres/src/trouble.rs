//! Errors of PostgreSQL, each as one line that says what to do.

use std::io;

use rxseal::Error;

/// The table that an error is about, for the line that says what to do.
pub(crate) enum Table<'a> {
    /// One of ours, and the constant that holds its schema.
    Own {
        name: &'static str,
        schema: &'static str,
    },
    Counted {
        table: &'a str,
        column: &'a str,
    },
    Other,
}

/// For a table that neither is a store nor is counted: rights and missing tables are for the caller to explain.
#[must_use]
pub fn trouble(error: &sqlx::Error) -> Error {
    postgres_trouble(error, &Table::Other)
}

/// One line each. The server's own text may quote a value, so it is left out; its SQLSTATE gives the details.
pub(crate) fn postgres_trouble(error: &sqlx::Error, table: &Table<'_>) -> Error {
    use sqlx::Error as Sqlx;
    match error {
        Sqlx::Database(database) => {
            let code = database.code().unwrap_or_default();
            let (retryable, text) = explain(&code, table);
            Error::from_store(retryable, format!("{text} (SQLSTATE {code})"))
        }
        Sqlx::PoolTimedOut => too_late(),
        // sqlx reports an untrusted certificate as invalid data.
        Sqlx::Io(error) if error.kind() == io::ErrorKind::InvalidData => tls_failed(),
        Sqlx::Tls(_) => tls_failed(),
        Sqlx::Io(error) => Error::from_store(true, format!("the connection to the database failed: {}", error.kind())),
        Sqlx::Configuration(_) => {
            Error::from_store(false, "the URL names something that does not exist, such as a file")
        }
        Sqlx::ColumnDecode { .. } | Sqlx::Decode(_) | Sqlx::ColumnIndexOutOfBounds { .. } => {
            Error::from_store(false, "the table has columns of other types than its schema")
        }
        Sqlx::Protocol(_) => Error::from_store(
            true,
            "the answer is not in PostgreSQL's protocol: check the host and the port in the URL",
        ),
        _ => Error::from_store(true, "the connection to the database was lost: try again"),
    }
}

/// No answer within the deadline of a call.
#[must_use]
pub fn too_late() -> Error {
    Error::from_store(
        true,
        "the database did not answer within 5 seconds: check that it runs and can be reached from here",
    )
}

fn tls_failed() -> Error {
    Error::from_store(
        false,
        "TLS failed: check the server's certificate, `sslmode` and `sslrootcert`. A server on another machine must offer TLS, unless the \
         URL says `sslmode=disable`",
    )
}

fn explain(code: &str, table: &Table<'_>) -> (bool, String) {
    let settled = |text: &str| (false, text.to_owned());
    let later = |text: &str| (true, text.to_owned());
    match (code, table) {
        ("42501", Table::Own { name, .. }) => (
            false,
            format!("the role lacks a right: grant SELECT, INSERT and UPDATE on {name}, and USAGE on its schema"),
        ),
        ("42501", Table::Counted { table, .. }) => {
            let text = "grant SELECT on it, and USAGE on its schema; if it has row-level security, count as a role with BYPASSRLS";
            (false, format!("the role may not read every row of {table}: {text}"))
        }
        ("42P01" | "3F000", Table::Own { name, schema }) => {
            (false, format!("the table {name} is missing: connect again, or let its owner run `{schema}`"))
        }
        ("42P01" | "3F000", Table::Counted { table, .. }) => {
            (false, format!("there is no table {table}: write `schema.table`, in the case in which it was created"))
        }
        ("42703", Table::Own { name, .. }) => (false, format!("the table {name} has other columns than its schema")),
        ("42703", Table::Counted { table, column }) => {
            (false, format!("the table {table} has no column {column}: write it in the case in which it was created"))
        }
        ("25006", _) => settled("the database is read-only: connect to the primary server"),
        ("3D000", _) => settled("there is no such database: check the URL"),
        ("57014", _) => later("the server cancelled the statement: it waited too long"),
        _ if code.starts_with("28") => settled("the login was refused: check role and password, and pg_hba.conf"),
        // Connections, concurrent transactions, resources, operators, the system.
        _ if ["08", "40", "53", "55", "57", "58", "XX"].iter().any(|class| code.starts_with(class)) => {
            later("the server could not do it now: try again later")
        }
        _ => settled("the server refused the call"),
    }
}
