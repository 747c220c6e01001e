//! The count of a whole table, in one pass and at one moment.

use rusqlite::{Connection, params_from_iter};
use rxseal::count::{CountSql, KeyCounts};
use rxseal::{Error, run_local};
use rxseal_sqlite::__private::add_value;

use super::held::Held;
use super::held_row::HeldRow;
use super::statements::{Bounds, Statements, quoted};
use super::trouble::Trouble;
use crate::end::{OtherRows, Proof, Totals, counted, unfinished};
use crate::row::{ChunkWork, Form};
use crate::spec::Spec;
use crate::work::Contents;

/// Counts every row. It knows nothing of chunks, which whoever writes the database can write.
pub(super) fn totals(connection: &Connection, statements: &Statements, spec: &Spec) -> Result<Totals, Trouble> {
    let columns: Vec<_> = counted(spec).collect();
    let names: Vec<_> = columns.iter().map(|column| column.name()).collect();
    let mut counts: Vec<_> =
        columns.iter().map(|column| (KeyCounts::default(), column.is_list().then_some(0_u64))).collect();
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
    if let Some((column, keyspace)) = spec.keyspace_filter() {
        totals.others = other_rows(connection, spec.table(), column, keyspace)?;
    }
    Ok(totals)
}

/// The rows of other keyspaces than this one, and the rows of no keyspace.
pub(super) fn other_rows(
    connection: &Connection,
    table: &str,
    column: &str,
    keyspace: &str,
) -> Result<OtherRows, Trouble> {
    let sql = CountSql::keyspaces_sqlite(&quoted(table), column)?;
    let mut statement = connection.prepare(sql.as_str())?;
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(OtherRows::of(rows.collect::<rusqlite::Result<_>>()?, keyspace))
}

/// Lets the work look at each row of the table, at one moment.
pub(super) fn verify(
    connection: &Connection,
    statements: &Statements,
    forms: &[Form],
    spec: &Spec,
    work: &dyn ChunkWork,
) -> Result<Proof, Trouble> {
    if work.columns() != spec.columns() {
        return Err(Error::job_mismatch("the work is of other columns than the spec").into());
    }
    let (row_id, key) = (statements.row_id_len(), statements.key_len());
    let mut statement = connection.prepare(&statements.rows(Bounds { lower: false, upper: false }))?;
    let mut rows = statement.query(params_from_iter(spec.keyspace_filter().map(|(_, keyspace)| keyspace)))?;
    let mut left = 0_u64;
    loop {
        let mut part = Vec::new();
        while part.len() < PART
            && let Some(row) = rows.next()?
        {
            part.push(HeldRow::read(row, row_id, key, forms.len())?);
        }
        if part.is_empty() {
            return Ok(Proof::Rows(left));
        }
        let part: Vec<_> = part.iter().map(|row| row.row(forms)).collect();
        left = left.saturating_add(run_local(unfinished(work, &part))?);
    }
}

/// How many rows are in memory while the work looks at them.
const PART: usize = 500;
