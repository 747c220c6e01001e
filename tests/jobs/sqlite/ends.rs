//! What the count at the end finds although the list of chunks is complete. `postgres/ends.rs` has the same.

use std::sync::Arc;

use rxseal::run_local;
use rxseal::store::{MemorySubjectStore, SubjectKeyStore as _};
use rxseal::subjects::SubjectKeys;
use rxseal_jobs::sqlite::preflight;
use rxseal_jobs::{DeclaredWork, Ended, Operation, Spec};
use rxseal_map::Map;

use super::{Database, Running};
use crate::rows::{CANARY, Drug, SealedOrder, SealedStay, access, map_of, map_text, schema, schema_of, source};
use crate::support::KEYSPACE;

fn end(running: &Running) -> Ended {
    running.job.finish_with(&running.spec, &*running.work).unwrap()
}

#[test]
fn what_was_written_behind_a_job_is_found() {
    let database = Database::filled(20, 1);
    let seal = database.plan("seal", Operation::Backfill, 10);
    seal.run();
    assert!(end(&seal).is_clean());
    let db = database.connect();
    db.execute_batch(&format!("UPDATE rx SET drug = 'see ' || drug || ' for {CANARY}' WHERE id IN (3, 4)")).unwrap();
    let ended = end(&seal);
    assert_eq!((ended.plaintext, ended.under_target, ended.plaintext_rose), (2, 100, true), "{ended:?}");
    db.execute_batch("DELETE FROM rx WHERE id IN (3, 4)").unwrap();

    let unseal = database.plan("unseal", Operation::Unseal, 10);
    unseal.run();
    assert!(end(&unseal).is_clean());
    db.execute_batch("UPDATE rx SET drug = 'rxsX of the week' WHERE id = 5").unwrap();
    let ended = end(&unseal);
    assert!(!ended.is_clean() && ended.look_alikes == 1, "{ended:?}");
}

#[test]
fn null_in_a_field_that_seals_null_is_not_sealed() {
    let database = Database::new(
        "CREATE TABLE stay (id INTEGER PRIMARY KEY, drug TEXT); INSERT INTO stay VALUES (1, NULL), (2, 'd')",
    );
    let map = map_of(&format!(
        "at = 'sqlite:{}#stay'\nrecord = \"jobs.stay\"\nid = \"id\"\nsealed = {{ drug = \"jobs.drug\" }}",
        database.path().display()
    ));
    let (keys, schema) = (database.keys.unlocked(), schema_of::<SealedStay>());
    let spec = Spec::new(Operation::Backfill, source(&map), &schema, &keys).unwrap();
    let work = Arc::new(DeclaredWork::new(&spec, &schema, &keys).unwrap());
    let seal = database.plan_with("seal", spec, work, 10);
    seal.run();
    assert!(end(&seal).is_clean());
    database.connect().execute_batch("UPDATE stay SET drug = NULL WHERE id = 2").unwrap();
    let ended = end(&seal);
    assert!(!ended.is_clean() && ended.left[0].starts_with("1 values are null"), "{ended:?}");
}

#[test]
fn rows_of_no_keyspace_are_named() {
    let database = Database::filled(20, 1);
    let db = database.connect();
    db.execute_batch(
        "ALTER TABLE rx ADD tenant DEFAULT 'pharmacy-17';
         UPDATE rx SET tenant = NULL WHERE id = 2; UPDATE rx SET tenant = '' WHERE id = 4; UPDATE rx SET tenant = 'Pharmacy 17' WHERE id = 6;
         UPDATE rx SET tenant = 'PHARMACY-17' WHERE id = 7; UPDATE rx SET tenant = 'pharmacy-18' WHERE id = 8; UPDATE rx SET tenant = 9 WHERE id = 9",
    )
    .unwrap();
    let at = format!("sqlite:{}#rx", database.path().display());
    let map = map_text(&at, "\"id\"").replace("\"pharmacy-17\"", "{ column = \"tenant\" }");
    let map = Map::parse(&map).unwrap();
    let spec = Spec::new(Operation::Backfill, source(&map), &schema(), &database.keys.unlocked()).unwrap();
    let found = preflight(database.path(), &spec, &[]).unwrap();
    let said: Vec<_> = found.concerns().iter().map(ToString::to_string).collect();
    for begins in ["no-keyspace of column \"tenant\" (4 rows)", "other-keyspaces of column \"tenant\" (2 rows)"] {
        assert!(said.iter().any(|said| said.starts_with(begins)), "{said:?}");
    }
    let seal = database.plan_of("seal", &map, Operation::Backfill, 10);
    seal.run();
    let ended = end(&seal);
    assert_eq!((ended.rows_without_keyspace, ended.rows_of_other_keyspaces), (4, 2), "{ended:?}");
    assert!(!ended.is_clean() && ended.left[0].starts_with("4 rows name no keyspace"), "{ended:?}");
    db.execute_batch("UPDATE rx SET tenant = 'pharmacy-17' WHERE id IN (2, 4); DELETE FROM rx WHERE id IN (6, 7)")
        .unwrap();
    seal.job.reopen(&seal.spec).unwrap();
    seal.run();
    assert!(end(&seal).is_clean());
}

#[test]
fn the_end_of_add_subject_opens_with_the_subjects_keys() {
    let database = Database::new("CREATE TABLE orders (number INTEGER PRIMARY KEY, patient TEXT, drug TEXT)");
    let (keys, db) = (database.keys.unlocked(), database.connect());
    let store = Arc::new(MemorySubjectStore::default());
    for patient in ["P-0", "P-1"] {
        let (_, wrapped) = keys.create_subject_key(patient).unwrap();
        run_local(store.insert(KEYSPACE, patient, &wrapped)).unwrap();
    }
    let sealed = |number: i64| keys.record("jobs.order", number).unwrap().seal_text::<Drug>("warfarin").unwrap();
    for number in 1..=1_201_i64 {
        let patient = format!("P-{}", number % 2);
        db.execute("INSERT INTO orders VALUES (?1, ?2, ?3)", (number, patient, sealed(number))).unwrap();
    }
    let map = map_of(&format!(
        "at = 'sqlite:{}#orders'\nrecord = \"jobs.order\"\nid = \"number\"\nsubject = \"patient\"\nsealed = {{ drug = \"jobs.drug\" }}",
        database.path().display()
    ));
    let schema = schema_of::<SealedOrder>();
    let spec = Spec::new(Operation::AddSubject, source(&map), &schema, &keys).unwrap();
    let work = DeclaredWork::new(&spec, &schema, &keys).unwrap();
    let work = work.with_subjects(SubjectKeys::new(Arc::clone(&store))).with_access(access());
    let add = database.plan_with("add", spec, Arc::new(work), 400);
    add.run();
    assert!(end(&add).is_clean());
    let counted = add.job.finish(&add.spec).unwrap();
    assert!(!counted.is_clean(), "a count alone proves nothing: {counted:?}");
    db.execute("UPDATE orders SET drug = ?1 WHERE number = 3", [sealed(3)]).unwrap();
    db.execute("UPDATE orders SET patient = 'P-0' WHERE number = 1201", ()).unwrap();
    let ended = end(&add);
    assert_eq!((ended.plaintext, ended.under_target), (0, 1_201), "{ended:?}");
    assert_eq!(ended.left, ["2 rows do not open with the key of their subject"]);
}
