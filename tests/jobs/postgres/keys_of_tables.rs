//! Tables of every kind: their keys, their columns, and those that are refused.

use rxseal_jobs::postgres::Job;
use rxseal_jobs::{Operation, PlanOptions, Spec};

use crate::rows::{COLUMNS, map, opened, schema, source, value};
use crate::support::{Database, Keys, Running};

/// Keys, types and names that a table may have; rows are where the gaps are.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn keys_of_every_kind() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    let tables = [
        ("uuids", "id uuid PRIMARY KEY", "md5(i::text)::uuid", "text"),
        ("text_keys", "id text PRIMARY KEY", "'RX-' || md5(i::text)", "varchar(400)"),
        ("\"Odd \"\"Name\"", "id varchar(20) PRIMARY KEY", "'a' || i", "text"),
        ("chars", "id char(9) UNIQUE NOT NULL", "lpad(i::text, 9, '0')", "text COLLATE \"C\""),
        ("gaps", "id bigint PRIMARY KEY", "CASE WHEN i % 2 = 0 THEN i * 1000003 ELSE -i END", "bytea"),
        ("numerics", "id numeric PRIMARY KEY", "i * 1000000000000", "text"),
        (
            "composite",
            "id int, store smallint DEFAULT 4, at timestamptz DEFAULT now(), PRIMARY KEY (store, at, id)",
            "i",
            "text",
        ),
        ("parts", "id bigint PRIMARY KEY", "i", "text"),
        ("domains", "id bigint PRIMARY KEY", "i", "sealed_text"),
    ];
    database.run("CREATE DOMAIN sealed_text AS text").await;
    for (table, key, id, column) in tables {
        let cells: Vec<_> = COLUMNS.iter().map(|name| format!("{name} {column}")).collect();
        let partitioned = if table == "parts" { " PARTITION BY HASH (id)" } else { "" };
        database.run(&format!("CREATE TABLE {table} ({key}, {}){partitioned}", cells.join(", "))).await;
        if table == "parts" {
            for part in 0..3 {
                database
                    .run(&format!(
                        "CREATE TABLE parts_{part} PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER {part})"
                    ))
                    .await;
            }
        }
        let text = |name: &str| format!("'{}' || id::text", value(name, ""));
        let cast =
            |name: &str| if column == "bytea" { format!("convert_to({}, 'UTF8')", text(name)) } else { text(name) };
        let values: Vec<_> = COLUMNS.iter().map(|name| cast(name)).collect();
        database.run(&format!("INSERT INTO {table} (id, {}) SELECT id, {} FROM (SELECT {id} AS id FROM generate_series(1, 150) AS i) AS made", COLUMNS.join(", "), values.join(", "))).await;

        let running =
            Running::plan_of(&database, &map(&database.at(table), "\"id\""), &ring, Operation::Backfill, 40).await;
        let done = running.run().await;
        assert_eq!(done.len(), 4, "{table}");
        assert_eq!(done.iter().map(|chunk| chunk.counts.written).sum::<u64>(), 150, "{table}");
        assert_eq!(running.faults().await, [], "{table}");
        let ended = running.job.finish(&running.spec).await.unwrap();
        assert!(ended.is_clean(), "{table}: {ended:?}");
        let mut db = database.connect().await;
        let token = if column == "bytea" {
            "translate(rtrim(replace(encode(drug, 'base64'), E'\\n', ''), '='), '+/', '-_')"
        } else {
            "drug::text"
        };
        let rows: Vec<(String, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT id::text, {token} FROM {table}")))
                .fetch_all(&mut db)
                .await
                .unwrap();
        for (id, token) in rows {
            assert_eq!(opened(&ring, &id, "drug", &token).unwrap(), value("drug", &id), "{table}");
        }
        running.job.reopen(&running.spec).await.unwrap();
        assert!(running.run().await.iter().all(|chunk| chunk.counts.written == 0), "{table}");
        database.run("DELETE FROM rxseal_job").await;
    }
}

/// Of two unique keys the job takes the one that stays as it is, whichever comes first. The other one would put values into chunks and faults.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_key_over_a_sealed_column_is_not_taken() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    for keys_of_table in
        ["drug text NOT NULL UNIQUE, id bigint NOT NULL UNIQUE", "id bigint NOT NULL UNIQUE, drug text NOT NULL UNIQUE"]
    {
        let database = Database::new().await;
        let cells = COLUMNS.map(|column| format!("'{}' || i", value(column, ""))).join(", ");
        database
            .run(&format!(
                "CREATE TABLE rx ({keys_of_table}, name text, directions text, prescriber text, note text);
                INSERT INTO rx (id, {}) SELECT i, {cells} FROM generate_series(1, 40) AS i;
                UPDATE rx SET drug = 'rxsX of the week' WHERE id = 7",
                COLUMNS.join(", ")
            ))
            .await;
        let running = Running::plan(&database, &ring, Operation::Backfill, 10).await;
        running.run().await;
        let fault = ("[\"7\"]".to_owned(), "jobs.drug".to_owned(), "looks-like-token".to_owned());
        assert_eq!(running.faults().await, [fault], "{keys_of_table}");
        let bounds = "SELECT count(*) FROM rxseal_chunk WHERE lo IN ('[\"11\"]', '[\"21\"]', '[\"31\"]')";
        assert_eq!(database.count(bounds).await, 3, "{keys_of_table}");
        assert_eq!(running.job.status().await.unwrap().counts.written, 39, "{keys_of_table}");
    }
}

/// An index of another collation tells rows apart that are one row to the job. The key of the column's own collation is taken.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_key_of_another_collation_is_not_taken() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    let cells = COLUMNS.map(|column| format!("'{}' || id", value(column, ""))).join(", ");
    database
        .run(&format!(
            "CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            CREATE TABLE rx (code text COLLATE any_case NOT NULL, name text, drug text, directions text, prescriber text, note text, id bigint NOT NULL);
            CREATE UNIQUE INDEX ON rx (code COLLATE \"C\");
            ALTER TABLE rx ADD UNIQUE (id);
            INSERT INTO rx (code, id, {}) SELECT CASE id % 2 WHEN 0 THEN 'a' ELSE 'A' END || id / 2, id, {cells} FROM generate_series(1, 40) AS id",
            COLUMNS.join(", ")
        ))
        .await;
    let running = Running::plan(&database, &ring, Operation::Backfill, 10).await;
    let bounds = "SELECT count(*) FROM rxseal_chunk WHERE lo IN ('[\"11\"]', '[\"21\"]', '[\"31\"]')";
    assert_eq!(database.count(bounds).await, 3);
    running.run().await;
    assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
}

/// Somebody takes the key away while a job runs.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn two_rows_of_one_key_are_an_error_and_nothing_is_written() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    for twin in [
        "SELECT * FROM rx WHERE id = 7",
        "SELECT id, 'x', drug, directions, prescriber, note, writes FROM rx WHERE id = 7",
    ] {
        let database = Database::new().await;
        database.fill(20, 1).await;
        let running = Running::plan(&database, &ring, Operation::Backfill, 10).await;
        let mut worker = running.worker().await;
        database.run(&format!("ALTER TABLE rx DROP CONSTRAINT rx_pkey; INSERT INTO rx {twin}")).await;
        let error = worker.run_chunk().await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.code().as_str() == "job-refused" && cause.contains("two rows have the same key"), "{cause}");
        assert_eq!(database.count("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%'").await, 0);
        assert_eq!(running.job.status().await.unwrap().chunks_done, 0);
    }
}

/// Gives back what was planned for each row.
struct Planned(Vec<rxseal_jobs::Column>, fn(&str) -> Option<rxseal_jobs::NewCell>);

impl rxseal_jobs::ChunkWork for Planned {
    fn columns(&self) -> &[rxseal_jobs::Column] {
        &self.0
    }

    fn run<'a>(&'a self, rows: &'a [rxseal_jobs::Row<'a>]) -> rxseal_jobs::WorkFuture<'a> {
        use rxseal_jobs::{Cell, Change, Outcome};
        let outcome = |row: &rxseal_jobs::Row<'_>| {
            let Cell::Text(id) = row.cell(0) else { panic!("an id") };
            match self.1(id) {
                Some(cell) => Outcome::Write(Change { cells: vec![(1, cell)], ..Change::default() }),
                None => Outcome::Same,
            }
        };
        let outcomes = rows.iter().map(outcome).collect();
        Box::pin(async move { Ok(outcomes) })
    }
}

/// A list without elements stays one, and is not NULL. All that a list can hold comes back as it was written.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn lists_are_written_as_they_are() {
    use rxseal_jobs::NewCell;

    let keys = Keys::new();
    let ring = keys.unlocked();
    for kind in ["text[]", "varchar(200)[]", "many"] {
        let database = Database::new().await;
        database
            .run(&format!(
                "CREATE DOMAIN many AS text[]; CREATE TABLE lists (id bigint PRIMARY KEY, notes {kind});
                 INSERT INTO lists SELECT i, ARRAY['before'] FROM generate_series(1, 7) AS i; INSERT INTO lists VALUES (8, '{{}}'), (9, NULL)"
            ))
            .await;
        let map = crate::rows::map_of(&format!(
            "at = '{}'\nrecord = \"jobs.rx\"\nid = \"id\"\nsealed = {{ notes = \"jobs.note\" }}",
            database.at("lists")
        ));
        let spec = Spec::new(Operation::Reseal, source(&map), &schema(), &ring).unwrap();
        let work = Planned(spec.columns().to_vec(), |id| {
            let text = |text: &str| Some(NewCell::Text(text.to_owned().into()));
            match id {
                "1" => text("[]"),
                "2" => text(r#"["a"]"#),
                "3" => text(r#"["", "a,b", "c\"d\\", "NULL", null, " {} "]"#),
                "4" => text("[null]"),
                "5" => Some(NewCell::Null),
                _ => None,
            }
        });
        let running = Running::plan_with(&database.url(), "job", spec, std::sync::Arc::new(work), 100).await;
        running.run().await;
        assert_eq!(running.faults().await, [], "{kind}");
        for (id, expected) in [
            (1, "'{}'"),
            (2, "ARRAY['a']"),
            (3, "ARRAY['', 'a,b', 'c\"d\\', 'NULL', NULL, ' {} ']"),
            (4, "ARRAY[NULL]"),
            (5, "NULL"),
            (6, "ARRAY['before']"),
            (8, "'{}'"),
            (9, "NULL"),
        ] {
            let same = format!(
                "SELECT count(*) FROM lists WHERE id = {id} AND notes::text[] IS NOT DISTINCT FROM {expected}::text[]"
            );
            assert_eq!(database.count(&same).await, 1, "{kind}: {id}");
        }
    }
}

/// What a job cannot work on is said before it begins.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn tables_that_are_refused() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    let cells: Vec<_> = COLUMNS.iter().map(|name| format!("{name} text")).collect();
    let cells = cells.join(", ");
    database
        .run(&format!(
            "CREATE TABLE no_key (id bigint, {cells});
            CREATE TABLE nullable (id bigint UNIQUE, {cells});
            CREATE TABLE partial (id bigint NOT NULL, {cells}); CREATE UNIQUE INDEX ON partial (id) WHERE id > 0;
            CREATE TABLE good (id bigint PRIMARY KEY, {cells});
            CREATE VIEW seen AS SELECT * FROM good;
            CREATE TABLE numbers (id bigint PRIMARY KEY, name text, drug int, directions text, prescriber text, note text);
            CREATE TABLE made (id bigint PRIMARY KEY, name text, drug text GENERATED ALWAYS AS ('x') STORED, directions text, prescriber text, note text);
            CREATE TABLE fewer (id bigint PRIMARY KEY, name text);
            CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            CREATE TABLE cases (id text COLLATE any_case NOT NULL, {cells}); CREATE UNIQUE INDEX ON cases (id COLLATE \"C\")"
        ))
        .await;
    for (table, says) in [
        ("no_key", "no-key"),
        ("nullable", "no-key"),
        ("partial", "no-key"),
        ("seen", "not-a-table"),
        ("numbers", "column-type"),
        ("made", "generated"),
        ("fewer", "no-column"),
        ("cases", "no-key"),
        ("nowhere", "no-table"),
    ] {
        let map = map(&database.at(table), "\"id\"");
        let spec = Spec::new(Operation::Backfill, source(&map), &schema(), &ring).unwrap();
        let error = Job::plan(&database.url(), "job", &spec, &PlanOptions::default()).await.unwrap_err();
        assert_eq!(error.code().as_str(), "job-refused", "{table}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(says), "{table}: {cause}");
    }
    let map = map(&database.at("good"), "\"id\"");
    let spec = Spec::new(Operation::Backfill, source(&map), &schema(), &ring).unwrap();
    Job::plan(&database.url(), "job", &spec, &PlanOptions::default()).await.unwrap();
    let again = Job::plan(&database.url(), "job", &spec, &PlanOptions::default()).await.unwrap_err();
    assert_eq!(again.code().as_str(), "job-refused");
    assert_eq!(Job::open(&database.url(), "other").await.unwrap_err().code().as_str(), "job-refused");
    assert_eq!(Job::list(&database.url()).await.unwrap().len(), 1);
}

/// Rows that arrive after the plan are in the first or the last chunk, or between two bounds. An empty table has one chunk.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn rows_that_arrive_later_are_in_a_chunk() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    database.fill(0, 1).await;
    let running = Running::plan(&database, &ring, Operation::Backfill, 10).await;
    let cells: Vec<_> = COLUMNS.iter().map(|column| format!("'{}' || i", value(column, ""))).collect();
    database
        .run(&format!("INSERT INTO rx SELECT i, {} FROM generate_series(-3000, 3000) AS i", cells.join(", ")))
        .await;
    let done = running.run().await;
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].counts.written, 6_001);
    let ended = running.job.finish(&running.spec).await.unwrap();
    // Somebody writes plaintext, after the count of none.
    assert!(ended.is_clean() && ended.plaintext == 0, "{ended:?}");
}
