//! Counting through a map: how many tokens of each source are under which key.

#[cfg(feature = "postgres")]
mod in_postgres;
#[cfg(feature = "sqlite")]
mod in_sqlite;
mod tally;

use rxseal::Error;

use crate::addresses::Addresses;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::at::At;
use crate::counts::{IndexPlaceCounts, SourceCounts};
use crate::read::read_source;
use crate::source::Source;
use tally::Tally;

/// Counts the tokens of a source by key: in every column that the map calls sealed, in the column of record tags, and in every other column
/// in which there could be one. Nothing is written, and memory does not grow with the source.
///
/// SQLite and files are read on the calling thread, which can take minutes: in a service, call it on a thread of its own. Each column of a
/// PostgreSQL table is counted by its server.
///
/// ```
/// # async fn left(map: &rxseal_map::Map, old: rxseal::KeyId) -> Result<u64, rxseal::Error> {
/// use rxseal_map::{Addresses, count_tokens};
///
/// let addresses = Addresses::default().with_postgres("postgres://audit@db.example/pharmacy");
/// let mut left = 0;
/// for source in map.sources() {
///     left += count_tokens(source, &addresses).await?.of(old);
/// }
/// # Ok(left)
/// # }
/// ```
///
/// # Errors
///
/// - `store-refused` if the table, a column, or a file does not exist, may not be read or is malformed; if no file has a name that the pattern
///   matches; or if this build or the caller lacks what the source needs: a feature, the address of the database.
/// - `store-unavailable` if the same call may succeed later.
///
/// The cause says which, with the line of a file, and never a value.
pub async fn count_tokens(source: &Source, addresses: &Addresses) -> Result<SourceCounts, Error> {
    #[cfg(feature = "postgres")]
    if let At::Postgres { table } = source.at() {
        return in_postgres::tokens(source, table, addresses).await;
    }
    let counted = read(source, addresses, Tally::of_tokens(source)).await?.into_tokens();
    #[cfg(feature = "sqlite")]
    if let At::Sqlite { file, table } = source.at() {
        return in_sqlite::keyspaces(source, file, table, counted);
    }
    Ok(counted)
}

/// Counts the values of indexes of a source by prefix, in the columns that the map names as `index`.
///
/// # Errors
///
/// Those of [`count_tokens`].
pub async fn count_index_values(source: &Source, addresses: &Addresses) -> Result<Vec<IndexPlaceCounts>, Error> {
    if source.index().is_empty() {
        return Ok(Vec::new());
    }
    #[cfg(feature = "postgres")]
    if let At::Postgres { table } = source.at() {
        return in_postgres::index_values(source, table, addresses).await;
    }
    read(source, addresses, Tally::of_index_values()).await.map(Tally::into_index_values)
}

async fn read(source: &Source, addresses: &Addresses, mut tally: Tally) -> Result<Tally, Error> {
    tally.read = read_source(source, addresses, &mut tally).await?;
    Ok(tally)
}
