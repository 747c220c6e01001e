//! The count of a whole table, in one pass and at one moment.

use rusqlite::{Connection, params_from_iter};
use rxseal::count::KeyCounts;
use rxseal_sqlite::__private::add_value;

use super::held::Held;
use super::statements::Statements;
use super::trouble::Trouble;
use crate::end::{Totals, counted};
use crate::row::Form;
use crate::spec::Spec;
use crate::work::Contents;

/// Counts every row. It knows nothing of chunks, which whoever writes the database can write.
pub(super) fn totals(connection: &Connection, statements: &Statements, spec: &Spec) -> Result<Totals, Trouble> {
    let columns: Vec<_> = counted(spec).collect();
    let names: Vec<_> = columns.iter().map(|column| column.name()).collect();
    let mut counts: Vec<_> = columns.iter().map(|column| (KeyCounts::default(), column.is_list().then_some(0_u64))).collect();
    let mut statement = connection.prepare(&statements.scan(&names))?;
    let mut rows = statement.query(params_from_iter(spec.keyspace_filter().map(|(_, keyspace)| keyspace)))?;
    while let Some(row) = rows.next()? {
        for (at, (column, (counts, plain_lists))) in columns.iter().zip(&mut counts).enumerate() {
            let value = row.get_ref(at)?;
            add_value(counts, value);
            if let Some(plain) = plain_lists {
                let contents = Contents::of(Held::of(value).cell(Form::Text), column.holds());
                *plain = plain.saturating_add(u64::from(contents.counts_as_plaintext()));
            }
        }
    }
    let mut totals = Totals::default();
    for (column, (counts, plain_lists)) in columns.iter().zip(&counts) {
        totals.add(column, counts, *plain_lists);
    }
    Ok(totals)
}
