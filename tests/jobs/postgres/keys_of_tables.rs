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
            CREATE TABLE fewer (id bigint PRIMARY KEY, name text)"
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
