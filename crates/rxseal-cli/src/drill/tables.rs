//! Tables of a copy for which the map has no source. A thief has them too, and no scan looks into them.

use std::collections::BTreeMap;

use rxseal::Error;
#[cfg(feature = "postgres")]
use rxseal::count::CountSql;
use rxseal_map::__private::other_tables;
use rxseal_map::{At, Map};
use rxseal_scan::__private::is_plain_name;

use super::undecided::Undecided;
use crate::failure::Failure;

/// The most names of one database that are shown.
const SHOWN: usize = 20;

/// One for each database of the copy that has such tables. `postgres` is the URL of the copies in PostgreSQL, and `without_phi` are
/// the tables of which somebody says that they have no patients' data.
pub async fn tables_of_no_source(map: &Map, postgres: Option<&str>, without_phi: &[String]) -> Vec<Undecided> {
    let mut undecided = Vec::new();
    let mut files = BTreeMap::<_, (&str, Vec<&str>)>::new();
    for source in map.sources() {
        if let At::Sqlite { file, table } = source.at() {
            let name = source.name().split('#').next().unwrap_or_default();
            let (_, known) = files.entry(file).or_insert_with(|| (name, Vec::new()));
            known.push(table);
        }
    }
    for (file, (name, known)) in files {
        undecided.extend(judge(name, other_tables(file, &known), without_phi));
    }
    if map.sources().iter().any(|source| matches!(source.at(), At::Postgres { .. })) {
        undecided.extend(judge("postgres", others_of_postgres(map, postgres.unwrap_or_default()).await, without_phi));
    }
    undecided
}

fn judge(database: &str, tables: Result<Vec<String>, Error>, without_phi: &[String]) -> Option<Undecided> {
    let mut tables = match tables {
        Ok(tables) => tables,
        Err(error) => return Some(Undecided::of(database, "not-read", Failure::from_reference(&error))),
    };
    tables.retain(|table| !without_phi.contains(table));
    if tables.is_empty() {
        return None;
    }
    let (plain, odd): (Vec<_>, Vec<_>) = tables.iter().map(String::as_str).partition(|table| is_plain_name(table));
    let mut shown: Vec<_> = plain.iter().take(SHOWN).map(|table| (*table).to_owned()).collect();
    let hidden = plain.len().saturating_sub(SHOWN).saturating_add(odd.len());
    if hidden > 0 {
        shown.push(format!("{hidden} that are not named here"));
    }
    let text = format!(
        "{} of its tables are in no source of the map, so nothing looked into them: {}. Add them to the map, or say with --without-phi that they have no patients' data",
        tables.len(),
        shown.join(", ")
    );
    Some(Undecided::of(database, "table-undeclared", text))
}

/// `schema.table`, of each that has no source.
#[cfg(feature = "postgres")]
async fn others_of_postgres(map: &Map, url: &str) -> Result<Vec<String>, Error> {
    let known = map.sources().iter().filter_map(|source| match source.at() {
        At::Postgres { table } => CountSql::postgres(table, "c").ok(),
        _ => None,
    });
    let known: Vec<_> =
        known.map(|sql| (sql.schema().unwrap_or("public").to_owned(), sql.table().to_owned())).collect();
    let tables = rxseal_postgres::__private::tables_of(url).await?;
    let others = tables.into_iter().filter(|table| !known.contains(table));
    Ok(others.map(|(schema, table)| format!("{schema}.{table}")).collect())
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "as the one that is built")]
async fn others_of_postgres(_: &Map, _: &str) -> Result<Vec<String>, Error> {
    // The sources themselves were not read either, and that is a fault.
    Ok(Vec::new())
}
