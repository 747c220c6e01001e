//! What else hangs on the columns: what keeps plaintext, computes with it, compares it, or runs when a row is written.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, query_as};

use super::columns::SealedColumn;
use super::table::{Table, longest, row};
use crate::preflight::{Concern, ConcernKind, Flow, Preflight, Target};

pub(super) async fn look(
    db: &mut PgConnection,
    table: &Table,
    target: &Target,
    columns: &[SealedColumn],
    found: &mut Preflight,
) -> Result<(), sqlx::Error> {
    let sealed: Vec<_> = columns.iter().map(|column| &*column.name).collect();
    let sealed = &*sealed;
    generated(db, table, sealed, found).await?;
    constraints(db, table, sealed, found).await?;
    indexes(db, table, target.flow, columns, found).await?;
    views(db, table, target, sealed, found).await?;
    readers(db, table, sealed, found).await?;
    triggers(db, table, target, found).await?;
    rules(db, table, found).await?;
    publications(db, table, found).await
}

/// What depends on one of the columns, directly.
const DEPENDENTS: &str = "
WITH named AS (
    SELECT a.attnum, a.attname FROM pg_attribute AS a WHERE a.attrelid = $1::bigint::oid AND a.attname = ANY ($2) AND a.attnum > 0
), dependent AS (
    SELECT d.classid, d.objid, d.objsubid, n.attname AS of FROM pg_depend AS d JOIN named AS n ON n.attnum = d.refobjsubid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::bigint::oid
)";

row! {
    struct Dependent {
        name: String,
        of: String,
        kind: String,
    }
}

async fn dependents(
    db: &mut PgConnection,
    table: &Table,
    sealed: &[&str],
    select: &str,
) -> Result<Vec<Dependent>, sqlx::Error> {
    let sql = AssertSqlSafe(format!("{DEPENDENTS} {select} ORDER BY 1, 2"));
    query_as(sql).persistent(false).bind(table.oid).bind(sealed).fetch_all(db).await
}

async fn generated(
    db: &mut PgConnection,
    table: &Table,
    sealed: &[&str],
    found: &mut Preflight,
) -> Result<(), sqlx::Error> {
    // Since PostgreSQL 12 such a column depends on the other by itself or by its expression in pg_attrdef, by version.
    let select = "
        SELECT DISTINCT a.attname::text AS name, d.of::text AS of, '' AS kind FROM dependent AS d
        LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
        JOIN pg_attribute AS a ON a.attrelid = $1::bigint::oid
            AND a.attnum = CASE WHEN d.classid = 'pg_attrdef'::regclass THEN f.adnum ELSE d.objsubid END
        WHERE (d.classid = 'pg_attrdef'::regclass OR d.classid = 'pg_class'::regclass AND d.objid = $1::bigint::oid)
            AND a.attgenerated <> ''";
    for column in dependents(db, table, sealed, select).await? {
        found.add(Concern::of(ConcernKind::Generated).object(column.name).column(column.of));
    }
    Ok(())
}

async fn constraints(
    db: &mut PgConnection,
    table: &Table,
    sealed: &[&str],
    found: &mut Preflight,
) -> Result<(), sqlx::Error> {
    let select = "
        SELECT DISTINCT c.conname::text AS name, d.of::text AS of, c.contype::text AS kind FROM dependent AS d
        JOIN pg_constraint AS c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid";
    for constraint in dependents(db, table, sealed, select).await? {
        let kind = match &*constraint.kind {
            "f" => ConcernKind::ForeignKey,
            "p" => ConcernKind::KeyColumn,
            "u" | "x" => ConcernKind::Unique,
            "c" => ConcernKind::Check,
            // NOT NULL, since PostgreSQL 18.
            _ => continue,
        };
        found.add(Concern::of(kind).object(constraint.name).column(constraint.of));
    }
    Ok(())
}

/// The longest entry of a B-tree and its like: a third of a page.
const LONGEST_ENTRY: usize = 2_700;

async fn indexes(
    db: &mut PgConnection,
    table: &Table,
    flow: Flow,
    columns: &[SealedColumn],
    found: &mut Preflight,
) -> Result<(), sqlx::Error> {
    let sealed: Vec<_> = columns.iter().map(|column| &*column.name).collect();
    // The index of a constraint depends on that constraint, which was told already; its entries are as long.
    let select = "
        SELECT DISTINCT i.indexrelid::regclass::text AS name, n.attname::text AS of,
            CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL THEN 'computed'
                WHEN EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid) THEN 'constraint'
                WHEN i.indisunique THEN 'unique' ELSE m.amname::text END AS kind
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam
        JOIN named AS n ON n.attnum = ANY (i.indkey) OR EXISTS (
            SELECT FROM dependent AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.of = n.attname)
        WHERE i.indrelid = $1::bigint::oid";
    for index in dependents(db, table, &sealed, select).await? {
        let kind = match &*index.kind {
            "constraint" => None,
            "computed" => Some(ConcernKind::ExpressionIndex),
            "unique" => Some(ConcernKind::Unique),
            _ => Some(ConcernKind::Index),
        };
        if let Some(kind) = kind {
            found.add(Concern::of(kind).object(&index.name).column(&index.of));
        }
        if flow == Flow::Seal
            && matches!(&*index.kind, "btree" | "unique" | "constraint")
            && let Some(column) = columns.iter().find(|column| column.name == index.of && !column.is_list)
        {
            let token = column.token(longest(db, table, &column.quoted).await?);
            if token > LONGEST_ENTRY {
                found.add(Concern::of(ConcernKind::IndexEntry).object(index.name).column(index.of));
            }
        }
    }
    Ok(())
}

/// Views over the columns, and views over these. A view that takes whole rows (`rx.*` in its text) takes the columns too.
const VIEWS: &str = "
, reading AS (
    SELECT DISTINCT r.ev_class AS oid, d.of::text AS of FROM dependent AS d
    JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid WHERE r.ev_class <> $1::bigint::oid
    UNION
    SELECT r.ev_class, '' FROM pg_depend AS d JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::bigint::oid AND r.ev_class <> $1::bigint::oid
        AND EXISTS (SELECT FROM pg_class AS v WHERE v.oid = r.ev_class AND v.relkind IN ('v', 'm'))
        AND pg_get_viewdef(r.ev_class) ~ '[.][*]'
), all_views AS (
    SELECT oid, of FROM reading
    UNION
    SELECT r.ev_class, a.of FROM all_views AS a JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.oid
    JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid WHERE r.ev_class <> a.oid
)
SELECT n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind, max(v.of) AS of
FROM all_views AS v JOIN pg_class AS c ON c.oid = v.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') GROUP BY 1, 2, 3 ORDER BY 1, 2";

row! {
    struct View {
        schema: String,
        name: String,
        kind: String,
        of: String,
    }
}

async fn views(
    db: &mut PgConnection,
    table: &Table,
    target: &Target,
    sealed: &[&str],
    found: &mut Preflight,
) -> Result<(), sqlx::Error> {
    let sql = AssertSqlSafe(format!("{}{VIEWS}", DEPENDENTS.replacen("WITH", "WITH RECURSIVE", 1)));
    let views: Vec<View> = query_as(sql).persistent(false).bind(table.oid).bind(sealed).fetch_all(db).await?;
    for view in views.into_iter().filter(|view| !target.names(&view.schema, &view.name)) {
        let kind = if view.kind == "m" { ConcernKind::MaterializedView } else { ConcernKind::View };
        let concern = Concern::of(kind).object(format!("{}.{}", view.schema, view.name));
        found.add(if view.of.is_empty() { concern } else { concern.column(view.of) });
    }
    Ok(())
}

/// Policies, statistics and functions with an SQL body.
async fn readers(
    db: &mut PgConnection,
    table: &Table,
    sealed: &[&str],
    found: &mut Preflight,
) -> Result<(), sqlx::Error> {
    let select = "
        SELECT DISTINCT coalesce(p.polname::text, s.stxname::text, f.oid::regproc::text) AS name, d.of::text AS of,
            CASE WHEN p.oid IS NOT NULL THEN 'policy' WHEN s.oid IS NOT NULL THEN 'statistics' ELSE 'function' END AS kind
        FROM dependent AS d
        LEFT JOIN pg_policy AS p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
        LEFT JOIN pg_statistic_ext AS s ON d.classid = 'pg_statistic_ext'::regclass AND s.oid = d.objid
        LEFT JOIN pg_proc AS f ON d.classid = 'pg_proc'::regclass AND f.oid = d.objid
        WHERE coalesce(p.oid, s.oid, f.oid) IS NOT NULL";
    for reader in dependents(db, table, sealed, select).await? {
        let kind = match &*reader.kind {
            "policy" => ConcernKind::Policy,
            "statistics" => ConcernKind::Statistics,
            _ => ConcernKind::Function,
        };
        found.add(Concern::of(kind).object(reader.name).column(reader.of));
    }
    Ok(())
}

/// Also those of partitions. A function's text is searched for names of tables: what it runs is not known to the catalog.
const TRIGGERS: &str = "
SELECT t.tgname::text AS name, p.oid::regproc::text AS function,
    CASE WHEN t.tgtype & 66 = 2 THEN 'BEFORE' WHEN t.tgtype & 66 = 64 THEN 'INSTEAD OF' ELSE 'AFTER' END AS time,
    concat_ws(' OR ', CASE WHEN t.tgtype & 4 > 0 THEN 'INSERT' END, CASE WHEN t.tgtype & 8 > 0 THEN 'DELETE' END,
        CASE WHEN t.tgtype & 16 > 0 THEN 'UPDATE' END, CASE WHEN t.tgtype & 32 > 0 THEN 'TRUNCATE' END) AS events,
    t.tgenabled = 'D' AS is_off,
    ARRAY(SELECT n.nspname || '.' || k.relname FROM pg_class AS k JOIN pg_namespace AS n ON n.oid = k.relnamespace
        WHERE k.relkind IN ('r', 'p', 'f') AND NOT k.relispartition AND k.oid <> $1::bigint::oid
        AND n.nspname !~ '^(pg_|information_schema$)' AND l.lanname NOT IN ('c', 'internal')
        AND (k.relnamespace IN (p.pronamespace, own.relnamespace) OR pg_table_is_visible(k.oid) OR p.prosrc ~* ('\\m' || n.nspname || '\\M'))
        AND p.prosrc ~* ('\\m' || regexp_replace(k.relname, '([^a-zA-Z0-9_])', '\\\\\\1', 'g') || '\\M')
        ORDER BY 1) AS tables
FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid JOIN pg_language AS l ON l.oid = p.prolang JOIN pg_class AS own ON own.oid = t.tgrelid
WHERE NOT t.tgisinternal AND t.tgparentid = 0
    AND t.tgrelid IN (SELECT $1::bigint::oid UNION SELECT relid FROM pg_partition_tree($1::bigint::oid::regclass))
ORDER BY 1";

row! {
    struct Trigger {
        name: String,
        function: String,
        time: String,
        events: String,
        is_off: bool,
        tables: Vec<String>,
    }
}

async fn triggers(
    db: &mut PgConnection,
    table: &Table,
    target: &Target,
    found: &mut Preflight,
) -> Result<(), sqlx::Error> {
    let triggers: Vec<Trigger> = query_as(TRIGGERS).persistent(false).bind(table.oid).fetch_all(db).await?;
    for trigger in triggers.into_iter().filter(|trigger| !trigger.is_off) {
        let unnamed = |table: &&String| {
            let (schema, name) = table.split_once('.').unwrap_or(("", table.as_str()));
            !target.names(schema, name)
        };
        let tables: Vec<_> = trigger.tables.iter().filter(unnamed).map(String::as_str).collect();
        let mut detail = format!("{} {} runs {}", trigger.time, trigger.events, trigger.function);
        if !tables.is_empty() {
            detail = format!("{detail}, which names {}", tables.join(", "));
        }
        found.add(Concern::of(ConcernKind::Trigger).object(trigger.name).detail(detail));
    }
    Ok(())
}

async fn rules(db: &mut PgConnection, table: &Table, found: &mut Preflight) -> Result<(), sqlx::Error> {
    let sql = "SELECT rulename::text, is_instead AND ev_type = '2' FROM pg_rewrite
        WHERE ev_class = $1::bigint::oid AND ev_type IN ('2', '3', '4') AND ev_enabled <> 'D' ORDER BY 1";
    let rules: Vec<(String, bool)> = query_as(sql).persistent(false).bind(table.oid).fetch_all(db).await?;
    for (name, is_instead) in rules {
        let kind = if is_instead { ConcernKind::InsteadRule } else { ConcernKind::Rule };
        found.add(Concern::of(kind).object(name));
    }
    Ok(())
}

async fn publications(db: &mut PgConnection, table: &Table, found: &mut Preflight) -> Result<(), sqlx::Error> {
    let sql = "SELECT p.pubname::text FROM pg_publication_tables AS p JOIN pg_class AS c ON c.relname = p.tablename
        JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = p.schemaname
        WHERE c.oid IN (SELECT $1::bigint::oid UNION SELECT relid FROM pg_partition_tree($1::bigint::oid::regclass)) GROUP BY 1 ORDER BY 1";
    let publications: Vec<(String,)> = query_as(sql).persistent(false).bind(table.oid).fetch_all(db).await?;
    for (name,) in publications {
        found.add(Concern::of(ConcernKind::Publication).object(name));
    }
    if table.identity == "f" {
        found.add(Concern::of(ConcernKind::ReplicaIdentity));
    }
    Ok(())
}
