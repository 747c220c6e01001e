//! The count of a whole table, in one pass and at one moment.

use rusqlite::{Connection, params_from_iter};
use rxseal::count::KeyCounts;
use rxseal_sqlite::__private::add_value;

use super::statements::Statements;
use super::trouble::Trouble;
use crate::end::{Totals, counted};
use crate::spec::Spec;

/// Counts every row. It knows nothing of chunks, which whoever writes the database can write.
pub(super) fn totals(connection: &Connection, statements: &Statements, spec: &Spec) -> Result<Totals, Trouble> {
    let columns: Vec<_> = counted(spec).collect();
    let names: Vec<_> = columns.iter().map(|column| column.name()).collect();
    let mut counts: Vec<_> = columns.iter().map(|_| KeyCounts::default()).collect();
    let mut statement = connection.prepare(&statements.scan(&names))?;
    let mut rows = statement.query(params_from_iter(spec.keyspace_filter().map(|(_, keyspace)| keyspace)))?;
    while let Some(row) = rows.next()? {
        for (at, counts) in counts.iter_mut().enumerate() {
            add_value(counts, row.get_ref(at)?);
        }
    }
    let mut totals = Totals::default();
    for (column, counts) in columns.iter().zip(&counts) {
        totals.add(column, counts);
    }
    Ok(totals)
}
