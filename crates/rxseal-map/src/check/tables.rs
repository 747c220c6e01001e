//! The map against tables and files as they are.

use rxseal::Error;
use rxseal::schema::Schema;

use super::columns::{Column, Columns};
use crate::addresses::Addresses;
use crate::at::At;
use crate::finding::Finding;
use crate::map::Map;
use crate::read::columns_of_files;
use crate::said::said;
use crate::source::Source;

pub(super) async fn check(map: &Map, schema: &Schema, addresses: &Addresses) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut done: Vec<&At> = Vec::new();
    for source in map.sources() {
        if done.contains(&source.at()) {
            continue;
        }
        done.push(source.at());
        // Two record types may be in one table.
        let of_table: Vec<_> = map.sources().iter().filter(|other| other.at() == source.at()).collect();
        match columns(source, addresses, &mut findings).await {
            Ok(Some(columns)) => {
                for source in &of_table {
                    columns.check(source, schema, &mut findings);
                }
                columns.find_undeclared(&of_table, &mut findings);
            }
            Ok(None) => {}
            Err(error) => findings.push(Finding::fault(error.code().as_str(), said(&error)).of(source)),
        }
    }
    findings
}

/// What is there. `None` if a finding says why it is not.
async fn columns(
    source: &Source,
    addresses: &Addresses,
    findings: &mut Vec<Finding>,
) -> Result<Option<Columns>, Error> {
    match source.at() {
        At::Postgres { table } => match addresses.postgres() {
            Some(url) => in_postgres(source, table, url, findings).await,
            None => {
                let text = "it was not compared with the database, whose address is not given: use --postgres URL";
                findings.push(Finding::note("not-compared", text).of(source));
                Ok(None)
            }
        },
        At::Sqlite { file, table } => in_sqlite(source, file, table, findings),
        At::Csv { glob } | At::Ndjson { glob } => Ok(columns_of_files(source, glob)?.map(of_files)),
        At::Parquet { .. } => {
            findings.push(Finding::note("not-compared", "Parquet is not read here").of(source));
            Ok(None)
        }
    }
}

fn of_files(names: Vec<String>) -> Columns {
    let column = |name| Column {
        name,
        declared: String::new(),
        takes_tokens: true,
        takes_documents: true,
        max_chars: None,
        is_generated: false,
    };
    Columns { all: names.into_iter().map(column).collect(), ignores_case: false }
}

#[cfg(feature = "sqlite")]
fn in_sqlite(
    source: &Source,
    file: &std::path::Path,
    table: &str,
    findings: &mut Vec<Finding>,
) -> Result<Option<Columns>, Error> {
    let Some(described) = rxseal_sqlite::describe_sqlite(file, table)? else {
        findings.push(no_table(source));
        return Ok(None);
    };
    findings.extend(described.doubt().map(|doubt| of_doubt(source, doubt)));
    let column = |column: &rxseal_sqlite::SqliteColumn| Column {
        name: column.name().to_owned(),
        declared: if column.declared().is_empty() { "without a type".to_owned() } else { column.declared().to_owned() },
        takes_tokens: column.takes_text(),
        takes_documents: column.takes_text(),
        max_chars: None,
        is_generated: column.is_generated(),
    };
    Ok(Some(Columns { all: described.columns().iter().map(column).collect(), ignores_case: true }))
}

#[cfg(feature = "postgres")]
async fn in_postgres(
    source: &Source,
    table: &str,
    url: &str,
    findings: &mut Vec<Finding>,
) -> Result<Option<Columns>, Error> {
    let Some(described) = rxseal_postgres::describe_postgres(url, table).await? else {
        findings.push(no_table(source));
        return Ok(None);
    };
    findings.extend(described.doubt().map(|doubt| of_doubt(source, doubt)));
    let column = |column: &rxseal_postgres::PostgresColumn| Column {
        name: column.name().to_owned(),
        declared: column.declared().to_owned(),
        takes_tokens: column.takes_text() || column.takes_bytes(),
        takes_documents: column.takes_text() || ["json", "jsonb"].contains(&column.base()),
        max_chars: column.max_chars(),
        is_generated: column.is_generated(),
    };
    Ok(Some(Columns { all: described.columns().iter().map(column).collect(), ignores_case: false }))
}

#[cfg(not(feature = "sqlite"))]
#[expect(clippy::unnecessary_wraps, reason = "as the one that is built")]
fn in_sqlite(
    source: &Source,
    _: &std::path::Path,
    _: &str,
    findings: &mut Vec<Finding>,
) -> Result<Option<Columns>, Error> {
    findings.push(not_built(source, "SQLite", "sqlite"));
    Ok(None)
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "as the one that is built")]
async fn in_postgres(source: &Source, _: &str, _: &str, findings: &mut Vec<Finding>) -> Result<Option<Columns>, Error> {
    findings.push(not_built(source, "PostgreSQL", "postgres"));
    Ok(None)
}

#[cfg(not(all(feature = "sqlite", feature = "postgres")))]
fn not_built(source: &Source, what: &str, feature: &str) -> Finding {
    let text = format!("it was not compared: {what} is not in this build, whose feature is `{feature}`");
    Finding::note("not-compared", text).of(source)
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn no_table(source: &Source) -> Finding {
    Finding::fault(
        "table-missing",
        "there is no such table, or the role may not see it: correct the map, or create the table",
    )
    .of(source)
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn of_doubt(source: &Source, doubt: &str) -> Finding {
    Finding::note("counts-doubted", format!("a count of it proves nothing: {doubt}")).of(source)
}
