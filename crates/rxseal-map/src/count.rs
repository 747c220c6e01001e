//! Counting through a map: how many tokens of each source are under which key.

mod csv;
mod database;
mod evidence;
mod files;
mod json;
mod lines;
mod ndjson;
mod tally;

use rxseal::count::{IndexCounts, KeyCounts};
use rxseal::{Error, KeyId};

use crate::at::At;
use crate::place::Place;
use crate::source::Source;
use tally::Tally;

pub use evidence::NoEvidence;

/// Where the databases are whose addresses are not in a map.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    postgres: Option<String>,
}

impl Addresses {
    /// The PostgreSQL database with the tables of all `postgres:` sources, by its URL. Take a role that reads every row.
    #[must_use]
    pub fn with_postgres(self, url: impl Into<String>) -> Self {
        Self { postgres: Some(url.into()) }
    }

    /// The URL of the PostgreSQL database.
    pub(crate) fn postgres(&self) -> Option<&str> {
        self.postgres.as_deref()
    }
}

/// What one source has: the tokens of each column that the map calls sealed, and tokens in other columns.
#[derive(Clone, Debug, Default)]
pub struct SourceCounts {
    pub(crate) places: Vec<PlaceCounts>,
    pub(crate) documents: Vec<ColumnCounts>,
    pub(crate) strays: Vec<ColumnCounts>,
    pub(crate) files: usize,
}

impl SourceCounts {
    /// Each sealed column and the column of record tags, in the order of the map.
    #[must_use]
    pub fn places(&self) -> &[PlaceCounts] {
        &self.places
    }

    /// The columns with tokens that the map calls neither sealed nor a tag: readable ones and undeclared ones. A key that is destroyed takes
    /// them with it.
    #[must_use]
    pub fn strays(&self) -> &[ColumnCounts] {
        &self.strays
    }

    /// How many files were read. 0 for a table.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files
    }

    /// The tokens under this key in all columns: those that the map calls sealed, and the others.
    #[must_use]
    pub fn of(&self, key: KeyId) -> u64 {
        let columns =
            self.whole_columns().chain(self.documents.iter().chain(&self.strays).map(|column| &column.counts));
        columns.fold(0, |sum, counts| sum.saturating_add(counts.of(key)))
    }

    /// Of the places that are whole columns. The others are parts of documents.
    fn whole_columns(&self) -> impl Iterator<Item = &KeyCounts> {
        self.places.iter().filter(|place| place.place.pointer().is_none()).map(|place| &place.counts)
    }
}

/// What a place has that the map calls sealed.
#[derive(Clone, Debug)]
pub struct PlaceCounts {
    pub(crate) place: Place,
    pub(crate) field: Option<Box<str>>,
    pub(crate) counts: KeyCounts,
}

impl PlaceCounts {
    /// The column, or the place in its documents.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The field whose tokens it has. `None` for the column of record tags.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// Its tokens by key, plaintext and rows without a value.
    #[must_use]
    pub fn counts(&self) -> &KeyCounts {
        &self.counts
    }
}

/// What a column has.
#[derive(Clone, Debug)]
pub struct ColumnCounts {
    pub(crate) column: Box<str>,
    pub(crate) counts: KeyCounts,
}

impl ColumnCounts {
    /// The column.
    #[must_use]
    pub fn column(&self) -> &str {
        &self.column
    }

    /// Its tokens by key. Values that are no tokens are counted too, and say nothing here.
    #[must_use]
    pub fn counts(&self) -> &KeyCounts {
        &self.counts
    }
}

/// The values of one index in one place.
#[derive(Clone, Debug)]
pub struct IndexPlaceCounts {
    pub(crate) place: Place,
    pub(crate) index: Box<str>,
    pub(crate) counts: IndexCounts,
}

impl IndexPlaceCounts {
    /// The column, or the place in its documents.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> &str {
        &self.index
    }

    /// Its values by prefix.
    #[must_use]
    pub fn counts(&self) -> &IndexCounts {
        &self.counts
    }
}

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

/// The columns of all files, each once. `None` if there is none, as the map says.
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
