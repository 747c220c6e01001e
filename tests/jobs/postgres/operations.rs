//! Each operation: what it does, what it leaves, and what it refuses.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rxseal::migrating::ReadThrough;
use rxseal::observe::{Observer, OpenEvent, Opening};
use rxseal::phi::FamilyName;
use rxseal::records::Migrates;
use rxseal::store::{MemorySubjectStore, SubjectKeyStore};
use rxseal::subjects::SubjectKeys;
use rxseal::{Keyring, PhiRecord, RecordTag};
use rxseal_jobs::postgres::{Job, Worker};
use rxseal_jobs::{DeclaredWork, Operation, Spec, TypedWork, WorkerOptions};
use rxseal_search::indexes;
use sqlx::AssertSqlSafe;

use crate::rows::{CANARY, COLUMNS, Drug, Name, access, map_of, schema, schema_of, source, value};
use crate::support::{Database, Keys, Running, check_rows, unlock};

fn unchanged(column: &str, id: &str, _: i32) -> String {
    value(column, id)
}

/// T78. After it, one key id is in all columns. Forged rows stay as they are, and are listed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_reseal_moves_all_to_the_primary_key() {
    let keys = Keys::new();
    let database = Database::new().await;
    database.fill(1_000, 3).await;
    let backfill = Running::plan(&database, &keys.unlocked(), Operation::Backfill, 300).await;
    backfill.run().await;
    keys.rotate();
    // Half of the rows are under the new key already.
    let new = keys.unlocked();
    let half = map_of(&format!(
        "at = '{}'\nrecord = \"jobs.rx\"\nid = \"id\"\nsealed = {{ name = \"jobs.name\" }}",
        database.at("rx")
    ));
    let spec = Spec::new(Operation::Reseal, source(&half), &schema(), &new).unwrap();
    let work = DeclaredWork::new(&spec, &schema(), &new).unwrap();
    let names = Running::plan_with(&database.url(), "names", spec, Arc::new(work), 300).await;
    names.run().await;
    assert!(names.job.finish(&names.spec).await.unwrap().is_clean());
    // A token of another row, one that was changed, and one of a key that nobody has.
    database.run("UPDATE rx SET drug = (SELECT drug FROM rx WHERE id = 6) WHERE id = 3;
        UPDATE rx SET note = overlay(note PLACING CASE substr(note, 40, 1) WHEN 'A' THEN 'B' ELSE 'A' END FROM 40 FOR 1) WHERE id = 9;
        UPDATE rx SET name = overlay(name PLACING 'AAAAAAAA' FROM 5 FOR 8) WHERE id = 12").await;
    let before = database.count("SELECT sum(xmin::text::bigint)::bigint FROM rx WHERE id IN (3, 9, 12)").await;

    let reseal = Running::plan_with(
        &database.url(),
        "reseal",
        Spec::new(Operation::Reseal, source(&database.map()), &schema(), &new).unwrap(),
        Arc::new(
            DeclaredWork::new(
                &Spec::new(Operation::Reseal, source(&database.map()), &schema(), &new).unwrap(),
                &schema(),
                &new,
            )
            .unwrap(),
        ),
        300,
    )
    .await;
    reseal.run().await;
    let fault = |row: &str, field: &str, reason: &str| (format!("[\"{row}\"]"), field.to_owned(), reason.to_owned());
    let expected = [
        fault("12", "jobs.name", "unknown-key"),
        fault("3", "jobs.drug", "open-failed"),
        fault("9", "jobs.note", "open-failed"),
    ];
    assert_eq!(reseal.faults().await, expected);
    assert_eq!(database.count("SELECT sum(xmin::text::bigint)::bigint FROM rx WHERE id IN (3, 9, 12)").await, before);
    let ended = reseal.job.finish(&reseal.spec).await.unwrap();
    assert!(!ended.is_clean());

    database.run("DELETE FROM rx WHERE id IN (3, 9, 12)").await;
    reseal.job.reopen(&reseal.spec).await.unwrap();
    reseal.run().await;
    assert!(reseal.job.finish(&reseal.spec).await.unwrap().is_clean());
    for column in COLUMNS {
        assert_eq!(database.count(&format!("SELECT count(DISTINCT substr({column}, 5, 8)) FROM rx")).await, 1);
    }
    check_rows(&database, &new, 997, unchanged).await;
}

/// Hears of openings.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<usize>>>);

impl Observer for Heard {
    fn before_open(&self, _: &Opening<'_>) -> Result<(), rxseal::Error> {
        Ok(())
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        self.0.lock().unwrap().push(event.opening().records().len());
        Ok(())
    }
}

/// The same road back, which is audited.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn an_unseal_gives_the_plaintext_back() {
    let keys = Keys::new();
    let database = Database::new().await;
    database.fill(250, 1).await;
    Running::plan(&database, &keys.unlocked(), Operation::Backfill, 100).await.run().await;
    database.run("UPDATE rx SET note = NULL WHERE id = 7").await;

    let heard = Heard::default();
    let options = rxseal::keys::UnlockOptions::default();
    let folder = &keys.folder;
    let observed = Keyring::unlock_or_create_local_with(
        options,
        folder.join("secret/root.key"),
        folder.join("keyrings"),
        crate::support::KEYSPACE,
    );
    let observed = observed.unwrap().observed_by(heard.clone());
    let spec = Spec::new(Operation::Unseal, source(&database.map()), &schema(), &observed).unwrap();
    let work = DeclaredWork::new(&spec, &schema(), &observed).unwrap().with_access(access());
    let mut running = Running::plan_with(&database.url(), "unseal", spec.clone(), Arc::new(work), 100).await;
    running.run().await;
    assert_eq!(*heard.0.lock().unwrap(), [100, 100, 50]);
    let status = running.job.status().await.unwrap();
    assert_eq!((status.counts.unsealed, status.approvals[0].opened), (1_249, 1_249));
    let ended = running.job.finish(&running.spec).await.unwrap();
    assert!(ended.is_clean(), "{ended:?}");
    for column in COLUMNS {
        let wrong = format!("SELECT count(*) FROM rx WHERE {column} <> '{}' || id", value(column, ""));
        assert_eq!(database.count(&wrong).await, 0, "{column}");
    }
    assert_eq!(database.count("SELECT count(*) FROM rx WHERE note IS NULL").await, 1);
    running.job.reopen(&running.spec).await.unwrap();
    assert!(running.run().await.iter().all(|done| done.counts.written == 0));

    // Without saying who opens.
    let work = DeclaredWork::new(&spec, &schema(), &observed).unwrap();
    running.work = Arc::new(work);
    running.job.reopen(&running.spec).await.unwrap();
    assert_eq!(running.worker().await.run_chunk().await.unwrap_err().code().as_str(), "job-refused");
}

/// A job that was planned where nothing is logged: a worker whose session has other settings does not join it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_worker_whose_values_would_be_logged_does_not_unseal() {
    let keys = Keys::new();
    let database = Database::new().await;
    database.fill(10, 1).await;
    let running = Running::plan(&database, &keys.unlocked(), Operation::Unseal, 10).await;
    for settings in ["-c log_statement=all", "-c log_parameter_max_length_on_error=100"] {
        let job = Job::open(&database.url_with(settings), "job").await.unwrap();
        let (work, options) = (Arc::clone(&running.work), WorkerOptions::default());
        let error = Worker::join(&job, &running.spec, work, options).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.code().as_str() == "job-refused" && cause.contains("log_parameter_max_length"), "{cause}");
    }
    running.worker().await;
}

#[derive(PhiRecord)]
#[phi(record = "jobs.visit")]
struct Visit {
    #[phi(id)]
    clinic: String,
    #[phi(id)]
    number: i64,
    #[phi(subject)]
    patient: Option<String>,
    #[phi(seal = Name)]
    name: String,
    #[phi(seal = Option<Drug>)]
    drug: Option<String>,
    #[phi(clear, bind = "jobs.state")]
    state: String,
    #[phi(record_tag)]
    tag: RecordTag,
}

async fn visits(database: &Database) {
    database.run("CREATE TABLE visits (clinic text, number int, patient text, name text, drug text, state text NOT NULL, tag bytea, PRIMARY KEY (clinic, number))").await;
    database.run(&format!("INSERT INTO visits SELECT 'c' || i % 3, i, 'P-' || i % 5, '{CANARY} ' || i, CASE WHEN i % 2 = 0 THEN '{CANARY} drug' END, 'open' FROM generate_series(1, 60) AS i")).await;
}

fn visit_map(database: &Database) -> rxseal_map::Map {
    map_of(&format!(
        "at = '{}'\nrecord = \"jobs.visit\"\nid = [\"clinic\", \"number\"]\nsubject = \"patient\"\nsealed = {{ drug = \"jobs.drug\", name = \"jobs.name\" }}\ntag = \"tag\"\nclear = {{ state = \"none\" }}",
        database.at("visits")
    ))
}

/// Subjects, composite ids, record tags: a row of them is sealed whole, or not at all.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn rows_with_subjects_and_tags() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    visits(&database).await;
    let store = Arc::new(MemorySubjectStore::default());
    for patient in ["P-0", "P-1", "P-2", "P-3"] {
        let (_, wrapped) = ring.create_subject_key(patient).unwrap();
        store.insert(crate::support::KEYSPACE, patient, &wrapped).await.unwrap();
    }
    store.shred(crate::support::KEYSPACE, "P-3", 1).await.unwrap();
    let (map, schema) = (visit_map(&database), schema_of::<SealedVisit>());
    let running = |name: &'static str, operation, ring: Keyring| {
        let spec = Spec::new(operation, source(&map), &schema, &ring).unwrap();
        let work = DeclaredWork::new(&spec, &schema, &ring).unwrap();
        let work = work.with_subjects(SubjectKeys::new(Arc::clone(&store))).with_access(access());
        let url = database.url();
        async move { Running::plan_with(&url, name, spec, Arc::new(work), 25).await }
    };
    let backfill = running("backfill", Operation::Backfill, ring.clone()).await;
    backfill.run().await;
    let faults = backfill.faults().await;
    let mut reasons = BTreeMap::new();
    for (_, _, reason) in &faults {
        *reasons.entry(reason.as_str()).or_insert(0) += 1;
    }
    assert_eq!(reasons, BTreeMap::from([("subject-missing", 12), ("subject-shredded", 12)]));
    assert_eq!(
        database
            .count("SELECT count(*) FROM visits WHERE (name LIKE 'rxs%') <> (patient IN ('P-0', 'P-1', 'P-2'))")
            .await,
        0
    );
    assert!(!backfill.job.finish(&backfill.spec).await.unwrap().is_clean());
    database.run("DELETE FROM visits WHERE patient IN ('P-3', 'P-4')").await;
    backfill.job.reopen(&backfill.spec).await.unwrap();
    assert!(backfill.run().await.iter().all(|done| done.counts.written == 0));
    assert!(backfill.job.finish(&backfill.spec).await.unwrap().is_clean());

    // Whatever a thief changes, the tag refuses.
    keys.rotate();
    database.run("UPDATE visits SET state = 'paid' WHERE number = 5; UPDATE visits SET drug = NULL WHERE number = 6; UPDATE visits SET tag = NULL WHERE number = 7").await;
    let reseal = running("reseal", Operation::Reseal, keys.unlocked()).await;
    reseal.run().await;
    let faults = reseal.faults().await;
    let rows: Vec<_> = faults.iter().map(|(row, _, reason)| (row.as_str(), reason.as_str())).collect();
    assert_eq!(
        rows,
        [("[\"c0\",\"6\"]", "tag-refused"), ("[\"c1\",\"7\"]", "tag-missing"), ("[\"c2\",\"5\"]", "tag-refused")]
    );
    database.run("DELETE FROM visits WHERE number IN (5, 6, 7)").await;
    reseal.job.reopen(&reseal.spec).await.unwrap();
    reseal.run().await;
    let ended = reseal.job.finish(&reseal.spec).await.unwrap();
    assert!(ended.is_clean(), "{ended:?}");

    let unseal = running("unseal", Operation::Unseal, keys.unlocked()).await;
    unseal.run().await;
    assert_eq!(unseal.faults().await, []);
    assert!(unseal.job.finish(&unseal.spec).await.unwrap().is_clean());
    let wrong = format!("SELECT count(*) FROM visits WHERE name <> '{CANARY} ' || number OR tag IS NOT NULL");
    assert_eq!(database.count(&wrong).await, 0);
}

/// Records without a subject get one, within the same compare-and-swap.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn subjects_are_added_to_sealed_rows() {
    let keys = Keys::new();
    let ring = keys.unlocked();
    let database = Database::new().await;
    visits(&database).await;
    let store = Arc::new(MemorySubjectStore::default());
    for patient in ["P-0", "P-1", "P-2", "P-3", "P-4"] {
        let (_, wrapped) = ring.create_subject_key(patient).unwrap();
        store.insert(crate::support::KEYSPACE, patient, &wrapped).await.unwrap();
    }
    let schema = schema_of::<SealedVisit>();
    // As the table was when the program knew no subjects.
    database.run("ALTER TABLE visits RENAME patient TO later").await;
    database.run("ALTER TABLE visits ADD patient text").await;
    let map = visit_map(&database);
    let work_of = |operation| {
        let spec = Spec::new(operation, source(&map), &schema, &ring).unwrap();
        let work = DeclaredWork::new(&spec, &schema, &ring).unwrap();
        (spec, Arc::new(work.with_subjects(SubjectKeys::new(Arc::clone(&store))).with_access(access())))
    };
    let (spec, work) = work_of(Operation::Backfill);
    let backfill = Running::plan_with(&database.url(), "backfill", spec, work, 25).await;
    backfill.run().await;
    assert!(backfill.job.finish(&backfill.spec).await.unwrap().is_clean());

    database.run("ALTER TABLE visits DROP patient; ALTER TABLE visits RENAME later TO patient").await;
    let (spec, work) = work_of(Operation::AddSubject);
    let add = Running::plan_with(&database.url(), "add", spec, work, 25).await;
    assert_eq!(add.run().await.iter().map(|done| done.counts.written).sum::<u64>(), 60);
    assert_eq!(add.faults().await, []);
    assert!(add.job.finish_with(&add.spec, &*add.work).await.unwrap().is_clean());
    add.job.reopen(&add.spec).await.unwrap();
    assert!(add.run().await.iter().all(|done| done.counts.written == 0));
    // They need the key now.
    let (spec, work) = work_of(Operation::Reseal);
    let reseal = Running::plan_with(&database.url(), "reseal", spec, work, 25).await;
    reseal.run().await;
    assert_eq!(reseal.faults().await, []);
}

indexes! {
    for Person as "jobs.person" {
        ByName = "person.name": family(name: FamilyName), bits 16;
    }
}

#[derive(PhiRecord)]
#[phi(record = "jobs.person", derive(serde::Serialize, serde::Deserialize))]
struct Person {
    #[phi(id)]
    id: uuid::Uuid,
    #[phi(seal = Migrates<FamilyName>, index = ByName)]
    name: String,
}

/// A program's own types: plaintext is sealed with its index columns, and these are computed anew under another index root.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn a_program_runs_jobs_with_its_own_types() {
    let keys = Keys::new();
    let database = Database::new().await;
    database
        .run("CREATE TABLE people (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name bytea NOT NULL, by_name bytea)")
        .await;
    database
        .run(&format!(
            "INSERT INTO people (name) SELECT convert_to('{CANARY} ' || i, 'UTF8') FROM generate_series(1, 300) AS i"
        ))
        .await;
    let schema = schema_of::<SealedPerson>();
    let map = map_of(&format!(
        "at = '{}'\nrecord = \"jobs.person\"\nid = \"id\"\nsealed = {{ name = \"{}\" }}\nindex = {{ by_name = \"person.name\" }}",
        database.at("people"),
        <FamilyName as rxseal::Field>::ID.as_str()
    ));
    let ring = unlock(&keys.folder).read_through::<FamilyName>(&ReadThrough::until(2099, 1, 1, "CHG-1234").unwrap());
    let spec = Spec::new(Operation::Backfill, source(&map), &schema, &ring).unwrap();
    let refused = DeclaredWork::new(&spec, &schema, &ring).unwrap_err();
    assert!(std::error::Error::source(&refused).unwrap().to_string().contains("rxseal_jobs::TypedWork"));
    let work = TypedWork::<SealedPerson>::new(&spec, &ring).unwrap().with_access(access());
    let backfill = Running::plan_with(&database.url(), "backfill", spec, Arc::new(work), 100).await;
    backfill.run().await;
    assert_eq!(backfill.faults().await, []);
    assert!(backfill.job.finish(&backfill.spec).await.unwrap().is_clean());
    let indexed = "SELECT count(*) FROM people WHERE by_name IS NOT NULL AND substring(name FROM 1 FOR 2) = '\\xaf1b'";
    assert_eq!(database.count(indexed).await, 300);
    backfill.job.reopen(&backfill.spec).await.unwrap();
    assert!(backfill.run().await.iter().all(|done| done.counts.written == 0));

    database.run("UPDATE people SET by_name = NULL WHERE id IN (SELECT id FROM people LIMIT 50)").await;
    let spec = Spec::new(Operation::Reindex, source(&map), &schema, &ring).unwrap();
    let work = TypedWork::<SealedPerson>::new(&spec, &ring).unwrap().with_access(access());
    let reindex = Running::plan_with(&database.url(), "reindex", spec, Arc::new(work), 100).await;
    assert_eq!(reindex.run().await.iter().map(|done| done.counts.written).sum::<u64>(), 50);
    assert!(reindex.job.finish(&reindex.spec).await.unwrap().is_clean());
    assert_eq!(database.count(indexed).await, 300);

    keys.rotate();
    let ring = unlock(&keys.folder);
    let spec = Spec::new(Operation::Reseal, source(&map), &schema, &ring).unwrap();
    let work = TypedWork::<SealedPerson>::new(&spec, &ring).unwrap();
    let reseal = Running::plan_with(&database.url(), "reseal", spec, Arc::new(work), 100).await;
    assert_eq!(reseal.run().await.iter().map(|done| done.counts.written).sum::<u64>(), 300);
    assert!(reseal.job.finish(&reseal.spec).await.unwrap().is_clean());
    let mut db = database.connect().await;
    let keys_left: i64 =
        sqlx::query_scalar(AssertSqlSafe("SELECT count(DISTINCT substring(name FROM 4 FOR 6)) FROM people".to_owned()))
            .fetch_one(&mut db)
            .await
            .unwrap();
    assert_eq!(keys_left, 1);
}
