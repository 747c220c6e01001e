//! `rxseal ddl`.

use rxseal::columns::{ColumnLen, ColumnSql};
use serde_json::json;

use crate::args::Ddl;
use crate::failure::Failure;
use crate::output::Output;

pub fn run(command: &Ddl, output: &Output) -> Result<(), Failure> {
    let (table, column) = (&command.table, &command.column);
    let sql = match command.max {
        Some(max) => ColumnSql::sealed(table, column, longest(command.block, max))?,
        None => ColumnSql::record_tag(table, column)?,
    };
    let sql = if command.bytes { sql.binary() } else { sql };
    let sql = match &command.name {
        Some(name) => sql.named(name)?,
        None => sql,
    };
    if command.database.postgres {
        let domain = sql.postgres()?;
        let answer = json!({ "begin": domain.begin(), "finish": domain.finish() });
        return Ok(output.say(&domain.to_string(), &answer)?);
    }
    let sql = if command.database.sqlite { sql.sqlite()? } else { sql.mysql()? };
    Ok(output.say(&sql, &json!({ "sql": sql }))?)
}

/// Of a token of any suite: an operator may choose another suite for the next key.
fn longest(block: u16, max: u32) -> ColumnLen {
    ColumnLen::padded_to(block, usize::try_from(max).unwrap_or(usize::MAX)).any_suite()
}
