//! The preflight of a table in PostgreSQL. It reads the catalog, a sample of the rows and what the server says of itself, in a
//! transaction that writes nothing.

mod columns;
mod keepers;
mod server;
mod sizes;
mod table;

use rxseal::Error;
use rxseal::count::CountSql;
use sqlx::postgres::PgConnection;

use self::columns::SealedColumn;
pub(super) use self::server::logs_values;
use self::table::Table;
use super::count::other_rows;
use super::session::{self, Begin};
use super::trouble::Trouble;
use crate::preflight::{Concern, ConcernKind, Database, Flow, Preflight, Steps, Target};
use crate::spec::Spec;

/// Looks at the table of a job before it is planned. `named` are the other tables that the map names in this database.
///
/// It reads the catalog and a sample of the rows, and writes nothing. For a column with a declared length it reads all values, and so it
/// does for the column of the keyspace.
///
/// # Errors
///
/// `store-refused` if the URL is not valid, or the role lacks a right. `store-unavailable` if the server cannot be reached.
/// `runtime-needed` outside of a tokio runtime. `invalid-id` if a name is not valid.
pub async fn preflight(url: &str, spec: &Spec, named: &[String]) -> Result<Preflight, Error> {
    let mut db = session::connect(url).await?;
    let found = look(&mut db, &Target::of(spec, named)).await.map_err(Trouble::explained);
    session::close(db).await;
    found
}

/// The same on a connection that is there.
pub(super) async fn look(db: &mut PgConnection, target: &Target) -> Result<Preflight, Trouble> {
    let first = target.id.first().map_or("id", String::as_str);
    let sql = CountSql::postgres(&target.table, first)?;
    let mut found = Preflight::of(&target.table);
    let mut db = session::begin(db, Begin::ReadOnly).await?;
    let Some(table) = Table::find(&mut db, sql.quoted_table()).await? else {
        found.add(Concern::of(ConcernKind::NoTable));
        return Ok(found);
    };
    table.judge(&mut found);
    if found.has(ConcernKind::NotATable) {
        return Ok(found.sorted());
    }
    let columns = columns::look(&mut db, &table, target, &mut found).await?;
    keepers::look(&mut db, &table, target, &columns, &mut found).await?;
    server::look(&mut db, &table, target.flow, &mut found).await?;
    // What cannot be read cannot be measured.
    if !found.has(ConcernKind::NoColumn) && !found.has(ConcernKind::NoRight) && !found.has(ConcernKind::HiddenRows) {
        sizes::look(&mut db, &table, target, &columns, &mut found).await?;
        if let Some((column, keyspace)) = &target.keyspace {
            let others = other_rows(&mut db, &target.table, column, keyspace).await?;
            found.leaves(column, others.of_none, others.of_others);
        }
    }
    db.rollback().await?;
    if target.flow == Flow::Seal {
        let steps: Vec<_> = columns.iter().filter(|column| !column.is_list).map(SealedColumn::step).collect();
        found.goes_by(Steps::of(Database::Postgres, &target.table, sql.quoted_table(), &steps)?);
    }
    Ok(found.sorted())
}
