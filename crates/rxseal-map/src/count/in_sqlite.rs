//! Of which keyspace the rows of a table of SQLite are.

use std::path::Path;

use rxseal::Error;
use rxseal_sqlite::__private::rows_by_keyspace;

use crate::counts::{Keyspaces, SourceCounts};
use crate::source::Source;

/// Numbers are names too, as the database writes them.
pub(crate) fn keyspaces(
    source: &Source,
    file: &Path,
    table: &str,
    mut counted: SourceCounts,
) -> Result<SourceCounts, Error> {
    if let Some(place) = source.keyspace().column().filter(|place| place.pointer().is_none()) {
        counted.keyspaces = Keyspaces::default();
        for (name, rows) in rows_by_keyspace(file, table, place.column())? {
            counted.keyspaces.add(Some(&name), u64::try_from(rows).unwrap_or_default());
        }
    }
    Ok(counted)
}
