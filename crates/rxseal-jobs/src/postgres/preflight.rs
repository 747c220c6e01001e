//! The preflight of a table in PostgreSQL. It reads the catalog, a sample of the rows and what the server says of itself, in a
//! transaction that writes nothing.

mod columns;
mod keepers;
mod server;
mod sizes;

use rxseal::Error;
use rxseal::count::CountSql;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, query_as, query_scalar};

use self::columns::SealedColumn;
use super::session;
use super::trouble::Trouble;
use crate::preflight::{Concern, ConcernKind, Database, Flow, Preflight, Steps, Target};
use crate::spec::Spec;

/// A struct that is read from a row whose columns have the names of its fields.
macro_rules! row {
    ($(#[$about:meta])* struct $name:ident { $($(#[$docs:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        struct $name {
            $($(#[$docs])* $field: $type,)*
        }

        impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for $name {
            fn from_row(row: &'r sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: sqlx::Row::try_get(row, stringify!($field))?,)* })
            }
        }
    };
}
use row;

/// Looks at the table of a job before it is planned. `named` are the other tables that the map names in this database.
///
/// It reads the catalog and a sample of the rows, and writes nothing. For a column with a declared length it reads all values.
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
    let mut db = db.begin_with("BEGIN READ ONLY").await?;
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
    }
    db.rollback().await?;
    if target.flow == Flow::Seal {
        let steps: Vec<_> = columns.iter().filter(|column| !column.is_list).map(SealedColumn::step).collect();
        found.goes_by(Steps::of(Database::Postgres, &target.table, sql.quoted_table(), &steps)?);
    }
    Ok(found.sorted())
}

row! {
    /// The relation, as the server understands its name.
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

/// Of the values in this column that are no tokens yet, in bytes.
async fn longest(db: &mut PgConnection, table: &Table, quoted: &str) -> Result<usize, sqlx::Error> {
    let table = &table.quoted;
    let sql = format!(
        "SELECT coalesce(max(octet_length({quoted})), 0)::bigint FROM {table} WHERE substring({quoted} FROM 1 FOR 3) <> 'rxs'"
    );
    let longest: i64 = query_scalar(AssertSqlSafe(sql)).persistent(false).fetch_one(db).await?;
    Ok(usize::try_from(longest).unwrap_or(0))
}
