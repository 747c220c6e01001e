//! Tables of SQLite: one read of the file, which sees one state of it.

use std::path::Path;

use rxseal::Error;
use rxseal_sqlite::__private::rows_by_keyspace;
use rxseal_sqlite::{Cell, describe_sqlite, scan_sqlite};

use crate::count::tally::{Tally, Value};
use crate::counts::{IndexPlaceCounts, Keyspaces, SourceCounts};
use crate::source::Source;

pub(crate) fn tokens(source: &Source, file: &Path, table: &str) -> Result<SourceCounts, Error> {
    let mut tally = Tally::of_tokens(source);
    scan(&mut tally, file, table)?;
    let mut counted = tally.into_tokens();
    // Numbers are names too, and a scan does not see them.
    if let Some(place) = source.keyspace().column().filter(|place| place.pointer().is_none()) {
        counted.keyspaces = Keyspaces::default();
        for (name, rows) in rows_by_keyspace(file, table, place.column())? {
            counted.keyspaces.add(Some(&name), u64::try_from(rows).unwrap_or_default());
        }
    }
    Ok(counted)
}

pub(crate) fn index_values(source: &Source, file: &Path, table: &str) -> Result<Vec<IndexPlaceCounts>, Error> {
    let mut tally = Tally::of_index_values(source);
    scan(&mut tally, file, table)?;
    Ok(tally.into_index_values())
}

fn scan(tally: &mut Tally, file: &Path, table: &str) -> Result<(), Error> {
    let described = describe_sqlite(file, table)?
        .ok_or_else(|| Error::from_store(false, format!("{}: there is no table {table}", file.display())))?;
    let of_table = described.columns();
    let needed: Vec<_> = tally.needed().map(str::to_owned).collect();
    // SQLite compares names without regard to case, and the map may have another than the table.
    let name_of = |name: &str| {
        needed.iter().find(|needed| needed.eq_ignore_ascii_case(name)).map_or(name, |needed| needed).to_owned()
    };
    if let Some(absent) =
        needed.iter().find(|needed| !of_table.iter().any(|column| column.name().eq_ignore_ascii_case(needed)))
    {
        return Err(Error::from_store(false, format!("{}: the table {table} has no column {absent}", file.display())));
    }
    let names: Vec<_> = of_table.iter().map(|column| name_of(column.name())).collect();
    let positions: Vec<_> = names.iter().map(|name| tally.column(name)).collect();
    let columns: Vec<_> = names.iter().map(String::as_str).collect();
    tally.doubt = scan_sqlite(file, table, &columns, |row| {
        for (cell, at) in row.iter().zip(&positions) {
            tally.add(
                *at,
                match cell {
                    Cell::Null => Value::Null,
                    Cell::Number => Value::Other,
                    // SQLite's own functions see a text only up to its first NUL.
                    Cell::Text(text) => match std::str::from_utf8(text) {
                        Ok(text) if !text.contains('\0') => Value::Text(text),
                        _ => Value::Broken(text),
                    },
                    Cell::Bytes(bytes) => Value::Bytes(bytes),
                },
            );
        }
        tally.end_row();
    })?;
    Ok(())
}
