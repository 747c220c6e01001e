//! Tables of SQLite: one read of the file, which sees one state of it.

use std::path::Path;

use rxseal::Error;
use rxseal::count::CountSql;
use rxseal_sqlite::__private::filled_tables;
use rxseal_sqlite::{Cell, describe_sqlite, scan_sqlite};

use crate::read::router::Router;
use crate::read::value::Value;
use crate::source::Source;

pub(crate) fn read(_: &Source, file: &Path, table: &str, router: &mut Router<'_>) -> Result<(), Error> {
    let described = describe_sqlite(file, table)?
        .ok_or_else(|| Error::from_store(false, format!("{}: there is no table {table}", file.display())))?;
    let of_table = described.columns();
    if let Some(absent) =
        router.needed().find(|needed| !of_table.iter().any(|column| column.name().eq_ignore_ascii_case(needed)))
    {
        return Err(Error::from_store(false, format!("{}: the table {table} has no column {absent}", file.display())));
    }
    // SQLite compares names without regard to case, and the map may have another than the table.
    let of_map: Vec<_> = router.named().map(str::to_owned).collect();
    let name_of = |name: &str| {
        of_map.iter().find(|known| known.eq_ignore_ascii_case(name)).map_or(name, |known| known).to_owned()
    };
    let columns = of_table.iter().map(|column| name_of(column.name()));
    let columns: Vec<_> = columns.filter_map(|name| Some((router.wanted(&name)?, name))).collect();
    let names: Vec<_> = columns.iter().map(|(_, name)| name.as_str()).collect();
    router.read.doubt = scan_sqlite(file, table, &names, |row| {
        for (cell, (at, _)) in row.iter().zip(&columns) {
            router.add(
                *at,
                match cell {
                    Cell::Null => Value::Null,
                    Cell::Integer(number) => Value::Integer(*number),
                    Cell::Real => Value::Other,
                    // SQLite's own functions see a text only up to its first NUL.
                    Cell::Text(text) => match std::str::from_utf8(text) {
                        Ok(text) if !text.contains('\0') => Value::Text(text),
                        _ => Value::Foreign(text),
                    },
                    Cell::Bytes(bytes) => Value::Bytes(bytes),
                },
            );
        }
        router.end_row();
    })?;
    Ok(())
}

/// The other tables of a file that have rows. `known` are those that are left out, written as in a map.
///
/// # Errors
///
/// Those of [`count_tokens`](crate::count_tokens).
pub fn other_tables(file: &Path, known: &[&str]) -> Result<Vec<String>, Error> {
    let known: Vec<_> = known.iter().filter_map(|table| CountSql::sqlite(table, "c").ok()).collect();
    let is_known = |table: &String| known.iter().any(|known| known.table().eq_ignore_ascii_case(table));
    Ok(filled_tables(file)?.into_iter().filter(|table| !is_known(table)).collect())
}
