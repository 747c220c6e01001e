//! Tables of databases.

#[cfg(feature = "postgres")]
pub(crate) use in_postgres::{url, without_tokens};
#[cfg(feature = "sqlite")]
pub use in_sqlite::other_tables;
#[cfg(feature = "sqlite")]
pub(super) use in_sqlite::read as read_sqlite;
#[cfg(not(feature = "sqlite"))]
pub use without_sqlite::other_tables;
#[cfg(not(feature = "sqlite"))]
pub(super) use without_sqlite::read as read_sqlite;

#[cfg(feature = "postgres")]
pub(super) use in_postgres::read as read_postgres;
#[cfg(not(feature = "postgres"))]
pub(super) use without_postgres::read as read_postgres;

#[cfg(feature = "sqlite")]
mod in_sqlite;

#[cfg(feature = "postgres")]
mod in_postgres;

#[cfg(not(feature = "sqlite"))]
mod without_sqlite {
    use std::path::Path;

    use rxseal::Error;

    use crate::read::router::Router;
    use crate::source::Source;

    pub(crate) fn read(source: &Source, _: &Path, _: &str, _: &mut Router<'_>) -> Result<(), Error> {
        Err(super::without(source, "SQLite", "sqlite"))
    }

    /// Nothing of the file is read in this build, and reading a source says so.
    ///
    /// # Errors
    ///
    /// None.
    pub fn other_tables(_: &Path, _: &[&str]) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }
}

#[cfg(not(feature = "postgres"))]
mod without_postgres {
    use rxseal::Error;

    use crate::addresses::Addresses;
    use crate::read::router::Router;
    use crate::source::Source;

    pub(crate) async fn read(
        source: &Source,
        _: &str,
        _: &Addresses,
        _: Option<&str>,
        _: &mut Router<'_>,
    ) -> Result<(), Error> {
        Err(super::without(source, "PostgreSQL", "postgres"))
    }
}

#[cfg(not(all(feature = "sqlite", feature = "postgres")))]
fn without(source: &crate::source::Source, what: &str, feature: &str) -> rxseal::Error {
    let text = format!("{}: {what} is not in this build: turn on the feature `{feature}`", source.name());
    rxseal::Error::from_store(false, text)
}
