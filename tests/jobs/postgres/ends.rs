//! What the count at the end finds although the list of chunks is complete: what was written behind the job, and what no job works on.

use std::sync::Arc;

use rxseal::store::MemorySubjectStore;
use rxseal::subjects::SubjectKeys;
use rxseal_jobs::postgres::{Job, preflight};
use rxseal_jobs::{DeclaredWork, Ended, Operation, PlanOptions, Spec};
use rxseal_map::Map;

use crate::rows::{CANARY, Drug, SealedOrder, SealedStay, access, map_of, map_text, schema, schema_of, source};
use crate::support::{Database, KEYSPACE, Keys, Running};

async fn end(running: &Running) -> Ended {
    running.job.finish_with(&running.spec, &*running.work).await.unwrap()
}

/// Each of these is written after the last chunk was done.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_token_inside_of_other_text_is_not_sealed() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    for operation in [Operation::Backfill, Operation::Reseal] {
        let database = Database::new().await;
        database.fill(20, 1).await;
        Running::plan(&database, &ring, Operation::Backfill, 10).await.run().await;
        let running = Running::plan_with(
            &database.url(),
            "last",
            spec_of(&database, operation, &ring),
            work(&database, operation, &ring),
            10,
        )
        .await;
        running.run().await;
        database.run(&format!("UPDATE rx SET drug = 'see ' || drug || ' for {CANARY}' WHERE id IN (3, 4)")).await;
        let ended = end(&running).await;
        assert!(!ended.is_clean(), "{operation}: {ended:?}");
        assert_eq!((ended.plaintext, ended.under_target, ended.plaintext_rose), (2, 100, true), "{operation}");
        assert!(ended.left.iter().any(|left| left == "2 values are no tokens"), "{ended:?}");
    }
}

fn spec_of(database: &Database, operation: Operation, ring: &rxseal::Keyring) -> Spec {
    Spec::new(operation, source(&database.map()), &schema(), ring).unwrap()
}

fn work(database: &Database, operation: Operation, ring: &rxseal::Keyring) -> Arc<DeclaredWork> {
    Arc::new(DeclaredWork::new(&spec_of(database, operation, ring), &schema(), ring).unwrap())
}

/// A value that only begins as a token is not known to be plaintext.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn an_unseal_says_what_looks_like_a_token() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    database.fill(20, 1).await;
    let unseal = Running::plan(&database, &ring, Operation::Unseal, 10).await;
    unseal.run().await;
    database.run("UPDATE rx SET drug = 'rxsX of the week' WHERE id = 3").await;
    let ended = end(&unseal).await;
    assert!(!ended.is_clean() && ended.look_alikes == 1, "{ended:?}");
    database.run("UPDATE rx SET drug = 'warfarin' WHERE id = 3").await;
    assert!(end(&unseal).await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn null_in_a_field_that_seals_null_is_not_sealed() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    database
        .run("CREATE TABLE stay (id bigint PRIMARY KEY, drug text, note text);
              INSERT INTO stay SELECT i, CASE WHEN i % 2 = 0 THEN 'd' END, CASE WHEN i % 3 = 0 THEN 'n' END FROM generate_series(1, 30) AS i")
        .await;
    let map = map_of(&format!(
        "at = '{}'\nrecord = \"jobs.stay\"\nid = \"id\"\nsealed = {{ drug = \"jobs.drug\", note = \"jobs.note\" }}",
        database.at("stay")
    ));
    let schema = schema_of::<SealedStay>();
    let running = |operation, name| {
        let spec = Spec::new(operation, source(&map), &schema, &ring).unwrap();
        let work = DeclaredWork::new(&spec, &schema, &ring).unwrap();
        let url = database.url();
        async move { Running::plan_with(&url, name, spec, Arc::new(work), 10).await }
    };
    let backfill = running(Operation::Backfill, "backfill").await;
    backfill.run().await;
    let ended = end(&backfill).await;
    assert!(ended.is_clean() && ended.nulls == 20, "{ended:?}");
    let reseal = running(Operation::Reseal, "reseal").await;
    reseal.run().await;
    assert!(end(&reseal).await.is_clean());
    database.run("UPDATE stay SET drug = NULL WHERE id = 7").await;
    for job in [&backfill, &reseal] {
        let ended = end(job).await;
        assert!(!ended.is_clean() && ended.left[0].starts_with("1 values are null"), "{ended:?}");
    }
    // Mended by the same backfill.
    backfill.job.reopen(&backfill.spec).await.unwrap();
    backfill.run().await;
    assert!(end(&backfill).await.is_clean());
}

/// They are in no job, and every count says so.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn rows_of_no_keyspace_are_named() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    database.fill(20, 1).await;
    database
        .run(
            "ALTER TABLE rx ADD tenant varchar(80) DEFAULT 'pharmacy-17';
              UPDATE rx SET tenant = NULL WHERE id = 2; UPDATE rx SET tenant = '' WHERE id = 4;
              UPDATE rx SET tenant = 'Pharmacy 17' WHERE id = 6; UPDATE rx SET tenant = repeat('a', 65) WHERE id = 7;
              UPDATE rx SET tenant = 'pharmacy-18' WHERE id IN (8, 9)",
        )
        .await;
    let map = map_text(&database.at("rx"), "\"id\"").replace("\"pharmacy-17\"", "{ column = \"tenant\" }");
    let map = Map::parse(&map).unwrap();
    let spec = Spec::new(Operation::Backfill, source(&map), &schema(), &ring).unwrap();
    let found = preflight(&database.url(), &spec, &[]).await.unwrap();
    let said: Vec<_> = found.concerns().iter().map(ToString::to_string).collect();
    for begins in ["no-keyspace of column \"tenant\" (4 rows)", "other-keyspaces of column \"tenant\" (2 rows)"] {
        assert!(said.iter().any(|said| said.starts_with(begins)), "{said:?}");
    }
    let mut options = PlanOptions::default();
    options.accepted = vec!["shared-id:tenant, id".into()];
    let refused = Job::plan(&database.url(), "job", &spec, &options).await.unwrap_err();
    assert!(std::error::Error::source(&refused).unwrap().to_string().contains("no-keyspace:tenant"));

    options.accepted.push("no-keyspace:tenant".into());
    let job = Job::plan(&database.url(), "job", &spec, &options).await.unwrap();
    let work = Arc::new(DeclaredWork::new(&spec, &schema(), &ring).unwrap());
    let running = Running { url: database.url(), job, spec, work };
    running.run().await;
    let (status, ended) = (running.job.status().await.unwrap(), end(&running).await);
    assert_eq!((status.rows_total, status.counts.rows), (14, 14), "a job is about the rows of its keyspace");
    assert_eq!((ended.rows_without_keyspace, ended.rows_of_other_keyspaces), (4, 2));
    assert!(!ended.is_clean() && ended.left[0].starts_with("4 rows name no keyspace"), "{ended:?}");
    database.run("UPDATE rx SET tenant = 'pharmacy-17' WHERE id = 2; DELETE FROM rx WHERE id IN (4, 6, 7)").await;
    running.job.reopen(&running.spec).await.unwrap();
    running.run().await;
    let ended = end(&running).await;
    assert!(ended.is_clean() && ended.rows_of_other_keyspaces == 2, "{ended:?}");
}

/// A token does not say whether it needs the key of a subject, so a count does not prove it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn the_end_of_add_subject_opens_with_the_subjects_keys() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    let store = Arc::new(MemorySubjectStore::default());
    for patient in ["P-0", "P-1"] {
        let (_, wrapped) = ring.create_subject_key(patient).unwrap();
        rxseal::store::SubjectKeyStore::insert(&*store, KEYSPACE, patient, &wrapped).await.unwrap();
    }
    database.run("CREATE TABLE orders (number bigint PRIMARY KEY, patient text, drug text)").await;
    let sealed = |number: i64| ring.record("jobs.order", number).unwrap().seal_text::<Drug>("warfarin").unwrap();
    for number in 1..=9_i64 {
        let sql = format!("INSERT INTO orders VALUES ({number}, 'P-{}', '{}')", number % 2, sealed(number));
        database.run(&sql).await;
    }
    let map = map_of(&format!(
        "at = '{}'\nrecord = \"jobs.order\"\nid = \"number\"\nsubject = \"patient\"\nsealed = {{ drug = \"jobs.drug\" }}",
        database.at("orders")
    ));
    let schema = schema_of::<SealedOrder>();
    let spec = Spec::new(Operation::AddSubject, source(&map), &schema, &ring).unwrap();
    let work = DeclaredWork::new(&spec, &schema, &ring).unwrap();
    let work = work.with_subjects(SubjectKeys::new(Arc::clone(&store))).with_access(access());
    let add = Running::plan_with(&database.url(), "add", spec, Arc::new(work), 4).await;
    add.run().await;
    assert!(end(&add).await.is_clean());
    let counted = add.job.finish(&add.spec).await.unwrap();
    assert!(!counted.is_clean(), "a count alone proves nothing: {counted:?}");
    // Written behind the job, by a program that knows no subjects; and the subject's key of another one.
    database.run(&format!("UPDATE orders SET drug = '{}' WHERE number = 3", sealed(3))).await;
    database.run("UPDATE orders SET patient = 'P-0' WHERE number = 5").await;
    let ended = end(&add).await;
    assert_eq!((ended.plaintext, ended.under_target, ended.under_others.len()), (0, 9, 0), "{ended:?}");
    assert_eq!(ended.left, ["2 rows do not open with the key of their subject"]);
}
