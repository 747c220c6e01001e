//! Tables of PostgreSQL that a job must not touch, or only after a look; and how near the estimates are to what a job then writes.

use rxseal::schema::Schema;
use rxseal::{PhiRecord, phi};
use rxseal_jobs::postgres::{Job, preflight};
use rxseal_jobs::{Operation, PlanOptions, Preflight, Spec};

use crate::rows::{map_of, source};
use crate::support::{Database, Running, number};

#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct Prescription {
    #[phi(id)]
    id: i64,
    #[phi(seal = phi::Drug)]
    drug: String,
}

fn spec(database: &Database, table: &str, operation: Operation) -> Spec {
    let at = database.at(table);
    let map = map_of(&format!(
        "at = '{at}'\nrecord = \"prescription\"\nid = \"id\"\nsealed = {{ drug = \"phi.rx.drug\" }}\n"
    ));
    let schema = Schema::new().with::<Prescription>().unwrap();
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    Spec::new(operation, source(&map), schema.record("prescription").unwrap(), &keys).unwrap()
}

async fn look(database: &Database, table: &str, operation: Operation, named: &[&str]) -> Preflight {
    let named: Vec<_> = named.iter().map(|name| format!("{}.{name}", database.schema)).collect();
    preflight(&database.url(), &spec(database, table, operation), &named).await.unwrap()
}

/// What it is about, without the schema's name.
fn codes(database: &Database, found: &Preflight) -> Vec<String> {
    found.concerns().iter().map(|concern| concern.answer().replace(&format!("{}.", database.schema), "")).collect()
}

/// Made once, and one thing more than a plain table in each.
const TABLES: &[(&str, &str, &str)] = &[
    ("no_key", "CREATE TABLE no_key (id bigint, drug text)", "no-key"),
    ("null_key", "CREATE TABLE null_key (id bigint UNIQUE, drug text)", "no-key"),
    ("sealed_key", "CREATE TABLE sealed_key (id bigint, drug text NOT NULL UNIQUE)", "no-key"),
    ("wide_key", "CREATE TABLE wide_key (id bigint, day date, drug text, PRIMARY KEY (id, day))", "shared-id:id"),
    ("key", "CREATE TABLE key (id bigint UNIQUE NOT NULL, drug text PRIMARY KEY)", "key-column:key_pkey"),
    (
        "seen",
        "CREATE TABLE seen_rows (id bigint PRIMARY KEY, drug text); CREATE VIEW seen AS TABLE seen_rows",
        "not-a-table",
    ),
    ("other", "CREATE TABLE other (id bigint PRIMARY KEY, name text)", "no-column:drug"),
    ("padded", "CREATE TABLE padded (id bigint PRIMARY KEY, drug char(200))", "column-type:drug"),
    ("words", "CREATE TABLE words (id bigint PRIMARY KEY, drug json)", "column-type:drug"),
    ("number", "CREATE TABLE number (id bigint PRIMARY KEY, drug numeric)", "column-type:drug"),
    (
        "same",
        "CREATE COLLATION same (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         CREATE TABLE same (id bigint PRIMARY KEY, drug text COLLATE same)",
        "collation:drug",
    ),
    (
        "short",
        "CREATE TABLE short (id bigint PRIMARY KEY, drug varchar(134)); INSERT INTO short VALUES (1, repeat('x', 31))",
        "too-short:drug",
    ),
    (
        "upper",
        "CREATE TABLE upper (id bigint PRIMARY KEY, drug text, loud text GENERATED ALWAYS AS (upper(drug)) STORED)",
        "generated:loud",
    ),
    (
        "made",
        "CREATE TABLE made (id bigint PRIMARY KEY, a text, drug text GENERATED ALWAYS AS (upper(a)) STORED)",
        "generated:drug",
    ),
    (
        "listed",
        "CREATE TABLE listed (id bigint, drug text, PRIMARY KEY (id, drug)) PARTITION BY LIST (drug)",
        "partition-key:drug",
    ),
    (
        "refers",
        "CREATE TABLE drugs (name text PRIMARY KEY); CREATE TABLE refers (id bigint PRIMARY KEY, drug text REFERENCES drugs)",
        "foreign-key:refers_drug_fkey",
    ),
    (
        "ruled",
        "CREATE TABLE ruled (id bigint PRIMARY KEY, drug text); CREATE RULE no AS ON UPDATE TO ruled DO INSTEAD NOTHING",
        "instead-rule:no",
    ),
    (
        "copied",
        "CREATE TABLE copied (id bigint PRIMARY KEY, drug text); CREATE TABLE copies (drug text);
         CREATE RULE also AS ON UPDATE TO copied DO ALSO INSERT INTO copies VALUES (OLD.drug)",
        "rule:also",
    ),
    (
        "letters",
        "CREATE DOMAIN letters_only AS text CHECK (VALUE !~ '[0-9]'); CREATE DOMAIN inner_letters AS letters_only;
         CREATE TABLE letters (id bigint PRIMARY KEY, drug inner_letters)",
        "domain-check:inner_letters",
    ),
    (
        "kept",
        "CREATE TABLE kept (id bigint PRIMARY KEY, drug text); CREATE VIEW over_kept AS SELECT drug AS d FROM kept;
         CREATE MATERIALIZED VIEW stored AS SELECT d FROM over_kept",
        "materialized-view:stored",
    ),
    (
        "whole",
        "CREATE TABLE whole (id bigint PRIMARY KEY, drug text); CREATE MATERIALIZED VIEW jsons AS SELECT to_json(whole) AS j FROM whole",
        "materialized-view:jsons",
    ),
    (
        "checked",
        "CREATE TABLE checked (id bigint PRIMARY KEY, drug text CONSTRAINT few CHECK (length(drug) < 60))",
        "check:few",
    ),
    ("once", "CREATE TABLE once (id bigint PRIMARY KEY, drug text CONSTRAINT single UNIQUE)", "unique:single"),
    (
        "lower",
        "CREATE TABLE lower (id bigint PRIMARY KEY, drug text); CREATE INDEX low ON lower (lower(drug))",
        "expression-index:low",
    ),
    (
        "partly",
        "CREATE TABLE partly (id bigint PRIMARY KEY, drug text); CREATE INDEX few_of ON partly (id) WHERE drug > 'a'",
        "expression-index:few_of",
    ),
    (
        "found",
        "CREATE TABLE found (id bigint PRIMARY KEY, drug text); CREATE INDEX by_drug ON found (drug)",
        "index:by_drug",
    ),
    (
        "long",
        "CREATE TABLE long (id bigint PRIMARY KEY, drug text); INSERT INTO long VALUES (1, repeat('long', 525)); CREATE INDEX by_long ON long (drug)",
        "index-entry:by_long",
    ),
    (
        "guarded",
        "CREATE TABLE guarded (id bigint PRIMARY KEY, drug text); CREATE POLICY own ON guarded USING (drug = current_user)",
        "policy:own",
    ),
    (
        "known",
        "CREATE TABLE known (id bigint PRIMARY KEY, drug text); CREATE STATISTICS mcv ON id, drug FROM known",
        "statistics:mcv",
    ),
    (
        "parent",
        "CREATE TABLE parent (id bigint PRIMARY KEY, drug text); CREATE TABLE child () INHERITS (parent)",
        "inherited",
    ),
    ("still", "CREATE TABLE still (id bigint PRIMARY KEY, drug text) WITH (autovacuum_enabled = off)", "no-vacuum"),
    (
        "full_rows",
        "CREATE TABLE full_rows (id bigint PRIMARY KEY, drug text); ALTER TABLE full_rows REPLICA IDENTITY FULL",
        "replica-identity",
    ),
];

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn what_may_not_be_there_is_found() {
    let database = Database::new().await;
    for (table, sql, expected) in TABLES {
        database.run(sql).await;
        let found = look(&database, table, Operation::Backfill, &[]).await;
        let codes = codes(&database, &found);
        assert!(codes.contains(&(*expected).to_owned()), "{expected}: {codes:?}\n{found}");
        let keeps = found.open_concerns(&[]).next().is_some();
        let spec = spec(&database, table, Operation::Backfill);
        let planned = Job::plan(&database.url(), table, &spec, &PlanOptions::default()).await;
        assert_eq!(planned.is_err(), keeps, "{table}: {found}");
    }
    let found = look(&database, "nowhere", Operation::Reseal, &[]).await;
    assert_eq!(codes(&database, &found), ["no-table"]);
}

/// A role that owns nothing: what it may not do, and what it does not see.
#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn a_role_with_few_rights_is_told_so() {
    let database = Database::new().await;
    let (schema, role) = (&database.schema, format!("clerk_of_{}", database.schema));
    database
        .run(&format!(
            "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role};
             CREATE TABLE rx (id bigint PRIMARY KEY, drug text); GRANT SELECT ON rx TO {role};
             CREATE TABLE own (id bigint PRIMARY KEY, drug text); GRANT SELECT, UPDATE ON own TO {role};
             ALTER TABLE own ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON own USING (id > 5)"
        ))
        .await;
    let url = database.url().replacen("rxseal@", &format!("{role}@"), 1);
    for (table, expected) in [("rx", "no-right:drug"), ("own", "hidden-rows")] {
        let found = preflight(&url, &spec(&database, table, Operation::Backfill), &[]).await.unwrap();
        assert!(codes(&database, &found).contains(&expected.to_owned()), "{found}");
        assert!(found.estimate().is_none());
    }
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

/// What one table of the map has is no question to another: the history table will be sealed too.
#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn triggers_are_shown_with_the_tables_that_they_name() {
    let database = Database::new().await;
    database
        .run(
            "CREATE TABLE rx (id bigint PRIMARY KEY, drug text); CREATE TABLE rx_history (drug text); CREATE TABLE rx_log (at timestamptz);
             CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN INSERT INTO rx_history VALUES (OLD.drug); INSERT INTO rx_log VALUES (now()); RETURN NEW; END';
             CREATE TRIGGER history BEFORE UPDATE OR DELETE ON rx FOR EACH ROW EXECUTE FUNCTION keep();
             CREATE TRIGGER off BEFORE UPDATE ON rx FOR EACH ROW EXECUTE FUNCTION keep();
             ALTER TABLE rx DISABLE TRIGGER off;
             CREATE MATERIALIZED VIEW stored AS SELECT drug FROM rx",
        )
        .await;
    let found = look(&database, "rx", Operation::Backfill, &["rx_history", "stored"]).await;
    assert_eq!(codes(&database, &found), ["trigger:history"], "{found}");
    let text = found.to_string().replace(&format!("{}.", database.schema), "");
    assert!(
        text.contains("asks     trigger \"history\" (BEFORE DELETE OR UPDATE runs keep, which names rx_log)"),
        "{text}"
    );

    let spec = spec(&database, "rx", Operation::Backfill);
    let mut options = PlanOptions::default();
    options.named = vec![format!("{}.stored", database.schema)];
    let refused = Job::plan(&database.url(), "job", &spec, &options).await.unwrap_err();
    assert_eq!(refused.code(), rxseal::ErrorCode::JobRefused);
    options.accepted = vec!["trigger:history".to_owned()];
    Job::plan(&database.url(), "job", &spec, &options).await.unwrap();
}

/// An unsealing job binds plaintext, which a server that logs parameters would write into its log.
#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn a_server_that_logs_values_unseals_nothing() {
    let database = Database::new().await;
    database.run("CREATE TABLE rx (id bigint PRIMARY KEY, drug text)").await;
    for (settings, is_logged) in [
        ("-c log_statement=all", true),
        ("-c log_min_duration_statement=0", true),
        ("-c log_parameter_max_length_on_error=100", true),
        ("-c log_statement=all -c log_parameter_max_length=0", false),
        ("-c log_statement=ddl", false),
    ] {
        let url = database.url_with(settings);
        for operation in [Operation::Unseal, Operation::Backfill] {
            let found = preflight(&url, &spec(&database, "rx", operation), &[]).await.unwrap();
            let codes = codes(&database, &found);
            let expected = is_logged && operation == Operation::Unseal;
            assert_eq!(codes.contains(&"logged-values".to_owned()), expected, "{settings} {operation}: {codes:?}");
        }
    }
    database.run("DROP TABLE rx; CREATE DOMAIN gate AS text CHECK (VALUE LIKE 'rxs%'); CREATE TABLE rx (id bigint PRIMARY KEY, drug gate)").await;
    let found = look(&database, "rx", Operation::Unseal, &[]).await;
    assert!(codes(&database, &found).contains(&"domain-check:gate".to_owned()), "{found}");
    assert_eq!(codes(&database, &look(&database, "rx", Operation::Reseal, &[]).await), Vec::<String>::new());
}

/// Within a factor of two, since much of it depends on when the server makes checkpoints.
#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn the_estimate_is_near_what_the_job_writes() {
    let database = Database::new().await;
    let rows = number(20_000, 300_000);
    database.fill(rows, 1).await;
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    let spec = Spec::new(Operation::Backfill, source(&database.map()), &crate::rows::schema(), &keys).unwrap();
    database.run("CHECKPOINT").await;
    let found = preflight(&database.url(), &spec, &[]).await.unwrap();
    let estimate = *found.estimate().unwrap();
    assert_eq!(estimate.rows(), rows as u64, "{found}");
    let size = || database.count("SELECT pg_total_relation_size('rx')");
    let before = size().await;
    assert!(estimate.size().abs_diff(before as u64) < 300_000, "{found}");

    // The WAL of the whole server: other tests write too, so the job's own is at most that.
    let begin = database.count("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").await;
    let job = Running::plan(&database, &keys, Operation::Backfill, 2_000).await;
    job.run().await;
    let wal = database.count("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").await - begin;
    let grown = size().await - before;
    database.run("VACUUM FULL rx").await;
    let after = size().await;
    println!("{found}\nmeasured: {wal} bytes of WAL, {grown} more on disk, {after} at the end");
    let near = |estimated: u64, measured: i64| (measured as u64 / 2..=measured as u64 * 2).contains(&estimated);
    assert!(estimate.wal() <= wal as u64 * 2, "{estimate:?} {wal}");
    assert!(near(estimate.growth(), grown), "{estimate:?} {grown}");
    assert!(near(estimate.size_after(), after), "{estimate:?} {after}");
}
