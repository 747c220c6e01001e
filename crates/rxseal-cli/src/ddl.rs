//! `rxseal ddl`.

use rxseal::columns::{ColumnLen, ColumnSql, IndexSql};
use serde_json::json;

use crate::args::Ddl;
use crate::failure::Failure;
use crate::output::Output;

pub fn run(command: &Ddl, output: &Output) -> Result<(), Failure> {
    let (table, column) = (&command.table, &command.column);
    if let Some(kind) = command.index {
        let index = IndexSql::new(table, column, kind.into(), &command.bits)?;
        let sql = match &command.database {
            database if database.postgres => index.postgres()?,
            database if database.sqlite => index.sqlite(&command.id)?,
            _ => index.mysql(&command.id, &command.id_type)?,
        };
        return Ok(output.say(&sql, &json!({ "sql": sql }))?);
    }
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
    let sql = match (command.database.sqlite, command.gate) {
        (true, true) => sql.sqlite_gate()?,
        (true, false) => sql.sqlite()?,
        (false, _) => sql.mysql()?,
    };
    Ok(output.say(&sql, &json!({ "sql": sql }))?)
}

/// Of a token of any suite: an operator may choose another suite for the next key.
fn longest(block: u16, max: u32) -> ColumnLen {
    ColumnLen::padded_to(block, usize::try_from(max).unwrap_or(usize::MAX)).any_suite()
}
