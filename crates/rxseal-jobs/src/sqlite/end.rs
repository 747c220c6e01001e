//! The count of a whole table, in one pass and at one moment.

use rusqlite::Connection;
use rxseal::count::KeyCounts;
use rxseal_sqlite::__private::add_value;

use super::statements::Statements;
use super::trouble::Trouble;
use crate::end::Totals;
use crate::spec::{Column, ColumnRole, Spec};

/// Counts every row. It knows nothing of chunks, which whoever writes the database can write.
pub(super) fn totals(connection: &Connection, statements: &Statements, spec: &Spec) -> Result<Totals, Trouble> {
    let sealed = spec.columns().iter().filter(|column| column.role() == ColumnRole::Sealed);
    let sealed: Vec<_> = sealed.map(Column::name).collect();
    let mut counts: Vec<_> = sealed.iter().map(|_| KeyCounts::default()).collect();
    let mut statement = connection.prepare(&statements.scan(&sealed))?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        for (at, counts) in counts.iter_mut().enumerate() {
            add_value(counts, row.get_ref(at)?);
        }
    }
    let mut totals = Totals::default();
    for counts in &counts {
        totals.plaintext = totals.plaintext.saturating_add(counts.not_tokens());
        totals.nulls = totals.nulls.saturating_add(counts.nulls());
        for (key, tokens) in counts.iter() {
            let under = totals.under.entry(key).or_default();
            *under = under.saturating_add(tokens);
        }
    }
    Ok(totals)
}
