//! The relation itself, and what the other parts read from the catalog with.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, query_as, query_scalar};

use crate::preflight::{Concern, ConcernKind, Preflight};

/// A struct that is read from a row whose columns have the names of its fields.
macro_rules! row {
    ($(#[$about:meta])* $seen:vis struct $name:ident { $($(#[$docs:meta])* $field_seen:vis $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        $seen struct $name {
            $($(#[$docs])* $field_seen $field: $type,)*
        }

        impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for $name {
            fn from_row(row: &'r sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: sqlx::Row::try_get(row, stringify!($field))?,)* })
            }
        }
    };
}
pub(super) use row;

row! {
    /// The relation, as the server understands its name.
    pub(super) struct Table {
        pub(super) oid: i64,
        pub(super) quoted: String,
        pub(super) kind: String,
        pub(super) is_partition: bool,
        pub(super) has_children: bool,
        pub(super) hides_rows: bool,
        pub(super) is_standby: bool,
        pub(super) is_read_only: bool,
        pub(super) identity: String,
        pub(super) vacuums: bool,
        pub(super) fill: i32,
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
    pub(super) async fn find(db: &mut PgConnection, quoted: &str) -> Result<Option<Self>, sqlx::Error> {
        query_as(TABLE).persistent(false).bind(quoted).fetch_optional(db).await
    }

    pub(super) fn judge(&self, found: &mut Preflight) {
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

    pub(super) fn is_partitioned(&self) -> bool {
        self.kind == "p"
    }
}

/// Of the values in this column that are no tokens yet, in bytes.
pub(super) async fn longest(db: &mut PgConnection, table: &Table, quoted: &str) -> Result<usize, sqlx::Error> {
    let table = &table.quoted;
    let sql = format!(
        "SELECT coalesce(max(octet_length({quoted})), 0)::bigint FROM {table} WHERE substring({quoted} FROM 1 FOR 3) <> 'rxs'"
    );
    let longest: i64 = query_scalar(AssertSqlSafe(sql)).persistent(false).fetch_one(db).await?;
    Ok(usize::try_from(longest).unwrap_or(0))
}
