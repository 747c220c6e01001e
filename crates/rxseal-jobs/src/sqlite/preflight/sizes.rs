//! How large the table is, and how large its rows will be.

use std::fmt::Write as _;

use rusqlite::{Connection, Result};

use super::super::statements::quoted;
use crate::preflight::target::TokenColumn;
use crate::preflight::{Estimate, Flow, Preflight, Sizes, Target};

/// How many rows are looked at.
const SAMPLED: u32 = 1_000;

pub(super) fn look(db: &Connection, target: &Target, found: &mut Preflight) -> Result<()> {
    let (mut old, mut more) = (String::from("0"), String::from("0"));
    if target.flow == Flow::Seal {
        for TokenColumn { name, padding } in &target.written {
            let Some(padding) = padding else { continue };
            let (name, block) = (quoted(name), padding.block.max(1));
            let value = format!("length(CAST({name} AS BLOB))");
            // FORMAT 6.3: 37 bytes around the payload, which is 2 bytes more than the value and padded to whole blocks.
            let token = format!("(37 + ({value} + 1 + {block}) / {block} * {block})");
            let _ = write!(old, " + coalesce({value}, 0)");
            let _ = write!(
                more,
                " + coalesce(CASE WHEN substr({name}, 1, 3) IN ('rxs', x'af1b17') THEN 0
                    WHEN typeof({name}) = 'blob' THEN {token} - {value} ELSE {token} * 4 / 3 - {value} END, 0)"
            );
        }
    }
    let table = quoted(&target.table);
    let sql = format!("SELECT avg({old}), avg({more}) FROM (SELECT * FROM {table} LIMIT {SAMPLED})");
    let (old, more): (Option<f64>, Option<f64>) = db.query_row(&sql, (), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: i64 = db.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0))?;
    let size: i64 =
        db.query_row("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", (), |row| row.get(0))?;
    let old = old.unwrap_or(0.0);
    found.measured(Estimate::of(&Sizes {
        rows: u64::try_from(rows).unwrap_or(0),
        old_row: old,
        new_row: old + more.unwrap_or(0.0),
        // The file as a whole: VACUUM writes all of it anew.
        table: u64::try_from(size).unwrap_or(0),
        in_place: true,
        ..Sizes::default()
    }));
    Ok(())
}
