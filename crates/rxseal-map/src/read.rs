//! Reading every value of a source, whatever it is: tables and files, rows and places in documents.

mod csv;
mod database;
mod files;
pub(crate) mod json;
pub(crate) mod lines;
mod ndjson;
mod quotes;
mod router;
mod value;
mod visitor;

use rxseal::Error;

use crate::addresses::Addresses;
use crate::at::At;
use crate::source::Source;

pub use database::other_tables;
#[cfg(feature = "postgres")]
pub(crate) use database::{url, without_tokens};
pub(crate) use router::Router;
pub use value::{JsonValue, Value};
pub use visitor::{SourceRead, Spot, Visitor};

/// Reads every value of a source, and gives each to the visitor. Nothing is written, and memory does not grow with the source.
///
/// A table is read in one state of its data: no row is read twice or left out because others write. SQLite and files are read on the
/// calling thread, which can take minutes: in a service, call it on a thread of its own.
///
/// ```
/// use rxseal_map::{Addresses, Map, Spot, Value, Visitor, read_source};
///
/// /// The longest token of each sealed column, in characters.
/// #[derive(Default)]
/// struct Longest(Vec<(String, usize)>);
///
/// impl Visitor for Longest {
///     fn spot(&mut self, spot: Spot<'_>) -> Option<usize> {
///         let Spot::Sealed(sealed) = spot else { return None };
///         self.0.push((sealed.place().to_string(), 0));
///         Some(self.0.len() - 1)
///     }
///
///     fn value(&mut self, spot: usize, value: Value<'_>) {
///         if let (Some((_, longest)), Value::Text(text)) = (self.0.get_mut(spot), value) {
///             *longest = text.len().max(*longest);
///         }
///     }
///
///     fn absent(&mut self, _: usize, _: u64) {}
/// }
///
/// # async fn example(map: &Map) -> Result<(), rxseal::Error> {
/// for source in map.sources() {
///     let mut longest = Longest::default();
///     let read = read_source(source, &Addresses::default(), &mut longest).await?;
///     println!("{} rows: {:?}", read.rows, longest.0);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of [`count_tokens`](crate::count_tokens). The visitor has seen the values before the fault then, so what it counted is too little.
pub async fn read_source(
    source: &Source,
    addresses: &Addresses,
    visitor: &mut dyn Visitor,
) -> Result<SourceRead, Error> {
    let mut router = Router::new(source, visitor);
    match source.at() {
        At::Postgres { table } => database::read_postgres(source, table, addresses, None, &mut router).await?,
        At::Sqlite { file, table } => database::read_sqlite(source, file, table, &mut router)?,
        At::Ndjson { glob } | At::Csv { glob } => read_files(source, glob, &mut router)?,
        At::Parquet { .. } => return Err(not_read(source)),
    }
    Ok(router.end())
}

/// The documents of one column of a table in PostgreSQL.
#[cfg(feature = "postgres")]
pub(crate) async fn read_postgres_column(
    source: &Source,
    addresses: &Addresses,
    column: &str,
    visitor: &mut dyn Visitor,
) -> Result<SourceRead, Error> {
    let mut router = Router::new(source, visitor);
    let table = source.at().table().unwrap_or_default();
    database::read_postgres(source, table, addresses, Some(column), &mut router).await?;
    Ok(router.end())
}

fn read_files(source: &Source, pattern: &str, router: &mut Router<'_>) -> Result<(), Error> {
    router.read.files = files::each(source, pattern, |file| match source.at() {
        At::Csv { .. } => csv::read(file, router),
        _ => ndjson::read(file, router),
    })?;
    Ok(())
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

fn not_read(source: &Source) -> Error {
    let text = "Parquet is not read here: count its tokens where it is read, and name the source in a map of its own";
    Error::from_store(false, format!("{}: {text}", source.name()))
}
