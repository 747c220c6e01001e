//! Counting through a map: how many tokens of each source are under which key.

mod csv;
mod database;
mod files;
mod json;
mod lines;
mod ndjson;
mod tally;

use rxseal::Error;

use crate::addresses::Addresses;
use crate::at::At;
use crate::counts::{IndexPlaceCounts, SourceCounts};
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
    match source.at() {
        At::Postgres { table } => database::tokens_in_postgres(source, table, addresses).await,
        At::Sqlite { file, table } => database::tokens_in_sqlite(source, file, table),
        At::Ndjson { glob } | At::Csv { glob } => read(source, glob, Tally::of_tokens(source)).map(Tally::into_tokens),
        At::Parquet { .. } => Err(not_read(source)),
    }
}

/// Counts the values of indexes of a source by prefix, in the columns that the map names as `index`.
///
/// # Errors
///
/// Those of [`count_tokens`].
pub async fn count_index_values(source: &Source, addresses: &Addresses) -> Result<Vec<IndexPlaceCounts>, Error> {
    match source.at() {
        _ if source.index().is_empty() => Ok(Vec::new()),
        At::Postgres { table } => database::index_values_in_postgres(source, table, addresses).await,
        At::Sqlite { file, table } => database::index_values_in_sqlite(source, file, table),
        At::Ndjson { glob } | At::Csv { glob } => {
            read(source, glob, Tally::of_index_values(source)).map(Tally::into_index_values)
        }
        At::Parquet { .. } => Err(not_read(source)),
    }
}

/// The columns of all files, each once. `None` if there are no files and the map says so.
pub(crate) fn columns_of_files(source: &Source, pattern: &str) -> Result<Option<Vec<String>>, Error> {
    let mut columns = Vec::new();
    let files = files::each(source, pattern, |file| match source.at() {
        At::Csv { .. } => csv::columns(file, &mut columns),
        _ => ndjson::columns(file, &mut columns),
    })?;
    Ok((files > 0).then_some(columns))
}

fn read(source: &Source, pattern: &str, mut tally: Tally) -> Result<Tally, Error> {
    let files = files::each(source, pattern, |file| match source.at() {
        At::Csv { .. } => csv::read(file, &mut tally),
        _ => ndjson::read(file, &mut tally),
    })?;
    tally.files = files;
    Ok(tally)
}

fn not_read(source: &Source) -> Error {
    let text = "Parquet is not read here: count its tokens where it is read, and name the source in a map of its own";
    Error::from_store(false, format!("{}: {text}", source.name()))
}
