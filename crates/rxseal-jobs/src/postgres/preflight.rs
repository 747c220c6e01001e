//! The preflight of a table in PostgreSQL. It reads the catalog, a sample of the rows and what the server says of itself, in a
//! transaction that writes nothing.

mod columns;
mod keepers;
mod server;
mod sizes;

use sqlx::postgres::PgConnection;
use sqlx::{Connection, FromRow, query, query_as};

use crate::preflight::{Concern, ConcernKind, Flow, Preflight, Target};

/// Looks at the table before a job. `quoted` is its name as the SQL of this server has it.
pub(crate) async fn preflight(
    db: &mut PgConnection,
    target: &Target,
    quoted: &str,
) -> Result<Preflight, sqlx::Error> {
    let mut found = Preflight::of(&target.table);
    let mut db = db.begin_with("BEGIN READ ONLY").await?;
    let Some(table) = Table::find(&mut db, quoted).await? else {
        found.add(Concern::of(ConcernKind::NoTable));
        return Ok(found);
    };
    table.judge(&mut found);
    if found.has(ConcernKind::NotATable) {
        return Ok(found.sorted());
    }
    let sealed: Vec<_> = target.sealed().map(|(name, _)| name.to_owned()).collect();
    columns::look(&mut db, &table, target, &mut found).await?;
    keepers::look(&mut db, &table, target, &sealed, &mut found).await?;
    server::look(&mut db, &table, target.flow, &mut found).await?;
    // What cannot be read cannot be measured.
    if !found.has(ConcernKind::NoColumn) && !found.has(ConcernKind::NoRight) && !found.has(ConcernKind::HiddenRows) {
        sizes::look(&mut db, &table, target, &mut found).await?;
    }
    db.rollback().await?;
    Ok(found.sorted())
}

/// The relation, as the server understands its name.
#[derive(FromRow)]
struct Table {
    oid: i64,
    quoted: String,
    kind: String,
    is_partition: bool,
    has_children: bool,
    hides_rows: bool,
    is_standby: bool,
    is_read_only: bool,
    identity: String,
    vacuums: bool,
    fill: i32,
}

const TABLE: &str = "
SELECT c.oid::bigint AS oid, c.oid::regclass::text AS quoted, c.relkind::text AS kind, c.relispartition AS is_partition,
    c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhparent = c.oid) AS has_children,
    row_security_active(c.oid) AS hides_rows, pg_is_in_recovery() AS is_standby,
    current_setting('default_transaction_read_only')::boolean AS is_read_only, c.relreplident::text AS identity,
    current_setting('autovacuum')::boolean
        AND NOT coalesce(c.reloptions && ARRAY['autovacuum_enabled=false', 'autovacuum_enabled=off'], false) AS vacuums,
    coalesce((SELECT option_value::int FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'), 100) AS fill
FROM pg_class AS c WHERE c.oid = to_regclass($1)";

impl Table {
    async fn find(db: &mut PgConnection, quoted: &str) -> Result<Option<Self>, sqlx::Error> {
        query_as(TABLE).persistent(false).bind(quoted).fetch_optional(db).await
    }

    fn judge(&self, found: &mut Preflight) {
        if !matches!(&*self.kind, "r" | "p") || self.is_partition {
            let what = match &*self.kind {
                "v" => "it is a view",
                "m" => "it is a materialized view",
                "f" => "it is a foreign table",
                _ if self.is_partition => "it is a partition",
                _ => "it is no table",
            };
            found.add(Concern::of(ConcernKind::NotATable).detail(what));
        }
        let concerns = [
            (self.is_standby || self.is_read_only, ConcernKind::ReadOnly),
            (self.has_children, ConcernKind::Inherited),
            (self.hides_rows, ConcernKind::HiddenRows),
            (!self.vacuums, ConcernKind::NoVacuum),
        ];
        for (_, kind) in concerns.into_iter().filter(|(is_so, _)| *is_so) {
            found.add(Concern::of(kind));
        }
    }

    fn is_partitioned(&self) -> bool {
        self.kind == "p"
    }
}

/// Whether the server takes this value in a column of this domain.
async fn domain_takes(db: &mut PgConnection, domain: &str, value: &str) -> Result<bool, sqlx::Error> {
    let mut attempt = db.begin().await?;
    let cast = sqlx::AssertSqlSafe(format!("SELECT ($1::text::{domain}) IS NOT NULL"));
    let taken = query(cast).persistent(false).bind(value).execute(&mut *attempt).await;
    attempt.rollback().await?;
    match taken {
        Ok(_) => Ok(true),
        // 23514 is check_violation, 22xxx a value that the base type does not take.
        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code.starts_with("23") || code.starts_with("22")) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Whether plaintext is on its way through this job.
fn binds_plaintext(flow: Flow) -> bool {
    flow == Flow::Unseal
}
