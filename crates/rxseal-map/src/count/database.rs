//! Tables of databases.

#[cfg(feature = "sqlite")]
pub(super) use in_sqlite::{index_values as index_values_in_sqlite, tokens as tokens_in_sqlite};
#[cfg(not(feature = "sqlite"))]
pub(super) use without_sqlite::{index_values as index_values_in_sqlite, tokens as tokens_in_sqlite};

#[cfg(feature = "postgres")]
pub(super) use in_postgres::{index_values as index_values_in_postgres, tokens as tokens_in_postgres};
#[cfg(not(feature = "postgres"))]
pub(super) use without_postgres::{index_values as index_values_in_postgres, tokens as tokens_in_postgres};

#[cfg(feature = "sqlite")]
mod in_sqlite;

#[cfg(feature = "postgres")]
mod in_postgres;

#[cfg(not(feature = "sqlite"))]
mod without_sqlite {
    use std::path::Path;

    use rxseal::Error;

    use crate::counts::{IndexPlaceCounts, SourceCounts};
    use crate::source::Source;

    pub(crate) fn tokens(source: &Source, _: &Path, _: &str) -> Result<SourceCounts, Error> {
        Err(super::without(source, "SQLite", "sqlite"))
    }

    pub(crate) fn index_values(source: &Source, _: &Path, _: &str) -> Result<Vec<IndexPlaceCounts>, Error> {
        Err(super::without(source, "SQLite", "sqlite"))
    }
}

#[cfg(not(feature = "postgres"))]
mod without_postgres {
    use rxseal::Error;

    use crate::addresses::Addresses;
    use crate::counts::{IndexPlaceCounts, SourceCounts};
    use crate::source::Source;

    pub(crate) async fn tokens(source: &Source, _: &str, _: &Addresses) -> Result<SourceCounts, Error> {
        Err(super::without(source, "PostgreSQL", "postgres"))
    }

    pub(crate) async fn index_values(source: &Source, _: &str, _: &Addresses) -> Result<Vec<IndexPlaceCounts>, Error> {
        Err(super::without(source, "PostgreSQL", "postgres"))
    }
}

#[cfg(not(all(feature = "sqlite", feature = "postgres")))]
fn without(source: &crate::source::Source, what: &str, feature: &str) -> rxseal::Error {
    let text = format!("{}: {what} is not in this build: turn on the feature `{feature}`", source.name());
    rxseal::Error::from_store(false, text)
}
