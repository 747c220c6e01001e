//! What is left to do for a patient who was shredded: index values outlive the patient's key.

use std::time::Duration;

use rusqlite::Connection;
use rxseal::index::{IndexColumn, IndexValue};
use rxseal::keys::{KeyringAdmin, UnlockOptions};
use rxseal::store::{KeyringStore, MemoryStore, MemorySubjectStore};
use rxseal::subjects::{ShredLog, SubjectAdmin};
use rxseal::testing::TestClock;
use rxseal::{ErrorCode, Keyring, SealedRecord, run_local};
use rxseal_search::Find;

use crate::indexed::{AnyName, BornOn, LastAndBorn, LastNameIs, PhoneIs, SealedPatient, patient};
use crate::support::keyring;

const DAY: u64 = 86_400;
/// For so long, a program may still hold the patient's key.
const HELD: u64 = 300;

fn log(name: &str) -> (std::path::PathBuf, ShredLog) {
    let folder = std::env::temp_dir().join(format!("rxseal-derive-shredding-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let log = ShredLog::new(folder.join("shredded.log"), Duration::from_secs(30 * DAY));
    (folder, log)
}

#[test]
fn a_receipt_is_not_complete_until_the_index_columns_are_cleared() {
    let (folder, log) = log("receipt");
    let clock = TestClock::default();
    let plain = SubjectAdmin::new(MemorySubjectStore::default()).unknown_too().clock(&clock);
    let receipt = run_local(plain.shred("pharmacy-17", "P-1", &log)).unwrap();
    let began = receipt.shredded_at();
    assert_eq!((receipt.to_clear(), receipt.complete_at()), (&[][..], Some(began + 30 * DAY)));

    let admin = SubjectAdmin::new(MemorySubjectStore::default()).unknown_too().clock(&clock).indexed::<SealedPatient>();
    let receipt = run_local(admin.shred("pharmacy-17", "P-1", &log)).unwrap();
    assert_eq!(receipt.complete_at(), None);
    let listed: Vec<_> =
        receipt.to_clear().iter().map(|left| (left.record_type(), left.index_id(), left.column().name())).collect();
    let expected: Vec<_> =
        SealedPatient::INDEX_COLUMNS.iter().map(|column| ("patient", column.index_id(), column.name())).collect();
    assert_eq!(listed, expected);
    assert_eq!(listed.len(), 5);

    // A program that holds the key may write a row with index values once more.
    let too_early = admin.indexes_cleared(receipt.clone(), Duration::ZERO).unwrap_err();
    assert_eq!(too_early.code(), ErrorCode::ClearedTooEarly);
    clock.advance(Duration::from_secs(HELD));
    let soon = admin.indexes_cleared(receipt.clone(), Duration::ZERO).unwrap();
    assert!(soon.to_clear().is_empty() && soon.complete_at().unwrap().abs_diff(began + 30 * DAY) <= 60);
    let late = admin.indexes_cleared(receipt, Duration::from_secs(400 * DAY)).unwrap();
    assert!(late.complete_at().unwrap().abs_diff(began + HELD + 400 * DAY) <= 60, "the clock of a test moves on");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_replay_lists_whose_rows_must_be_cleared_again() {
    let (folder, log) = log("replay");
    let admin = || SubjectAdmin::new(MemorySubjectStore::default()).unknown_too();
    let first = admin();
    for subject in ["P-1", "P-2"] {
        run_local(first.shred("pharmacy-17", subject, &log)).unwrap();
    }
    // The subject store was not restored, and the table of patients was.
    let same = first.indexed::<SealedPatient>();
    let reapplied = run_local(same.reapply(&log)).unwrap();
    assert_eq!(reapplied.shredded_before(), 2);
    assert_eq!(reapplied.to_clear().collect::<Vec<_>>(), [("pharmacy-17", "P-1"), ("pharmacy-17", "P-2")]);
    // Both were.
    let restored = admin().indexed::<SealedPatient>();
    run_local(restored.set_legal_hold("pharmacy-17", "P-2", true)).unwrap();
    let reapplied = run_local(restored.reapply(&log)).unwrap();
    assert_eq!(reapplied.shredded(), 1);
    assert_eq!(reapplied.to_clear().collect::<Vec<_>>(), [("pharmacy-17", "P-1")], "who is held keeps everything");
    // No record type has an index.
    assert_eq!(run_local(admin().reapply(&log)).unwrap().to_clear().count(), 0);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The rows of a patient who was shredded do not open any more, and are cleared even so.
#[test]
fn a_row_that_nobody_can_open_is_cleared() {
    let keys = keyring();
    let (key, _) = keys.create_subject_key("P-1").unwrap();
    let mut plain = patient("P-1");
    plain.owner = Some("P-1".to_owned());
    let mut row = keys.with_subjects(&key).seal(&plain).unwrap();
    drop(key);
    row.clear_indexes();
    let values =
        [row.born_on.is_some(), row.last_born_ix.is_some(), row.last_name_is.is_some(), row.phone_is.is_some()];
    assert!(values == [false; 4] && row.any_name.as_slice().is_empty());
}

/// A database of patients: a table with a column for each index, one beside it for the index of several values, and documents.
struct Database(Connection);

impl Database {
    fn new() -> Self {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "CREATE TABLE patient (id TEXT, born_on BLOB, last_born_ix BLOB, last_name_is BLOB, phone_is BLOB);
             CREATE TABLE patient_names (ix BLOB, id TEXT);
             CREATE TABLE document (id TEXT, body TEXT);",
        )
        .unwrap();
        Self(db)
    }

    fn put(&self, row: &SealedPatient) {
        let id = &row.patient_id;
        let columns = (id, bytes(row.born_on), bytes(row.last_born_ix), bytes(row.last_name_is), bytes(row.phone_is));
        self.0.execute("INSERT INTO patient VALUES (?1, ?2, ?3, ?4, ?5)", columns).unwrap();
        for value in row.any_name.as_slice() {
            self.0.execute("INSERT INTO patient_names VALUES (?1, ?2)", (value.as_bytes(), id)).unwrap();
        }
        let body = serde_json::to_string(row).unwrap();
        self.0.execute("INSERT INTO document VALUES (?1, ?2)", (id, body)).unwrap();
    }

    /// What an operator does for a shredded patient.
    fn clear(&self, id: &str) {
        let columns: Vec<_> = SealedPatient::INDEX_COLUMNS.iter().map(IndexColumn::name).collect();
        let columns = columns.into_iter().filter(|column| *column != "any_name");
        let set = columns.map(|column| format!("{column} = NULL")).collect::<Vec<_>>().join(", ");
        self.0.execute(&format!("UPDATE patient SET {set} WHERE id = ?1"), [id]).unwrap();
        self.0.execute("DELETE FROM patient_names WHERE id = ?1", [id]).unwrap();
        let mut bodies = self.0.prepare("SELECT rowid, body FROM document WHERE id = ?1").unwrap();
        let bodies: Vec<(i64, String)> =
            bodies.query_map([id], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
        for (rowid, body) in bodies {
            let mut row: SealedPatient = serde_json::from_str(&body).unwrap();
            row.clear_indexes();
            let body = serde_json::to_string(&row).unwrap();
            self.0.execute("UPDATE document SET body = ?1 WHERE rowid = ?2", (body, rowid)).unwrap();
        }
    }

    /// In how many places a patient's rows have one of these values, as bytes or as text.
    fn places(&self, id: &str, values: &[(Vec<u8>, String)]) -> i64 {
        let count = |sql: &str, value: &dyn rusqlite::ToSql| {
            self.0.query_row(sql, [&id as &dyn rusqlite::ToSql, value], |row| row.get::<_, i64>(0)).unwrap()
        };
        let table =
            "SELECT count(*) FROM patient WHERE id = ?1 AND ?2 IN (born_on, last_born_ix, last_name_is, phone_is)";
        let side = "SELECT count(*) FROM patient_names WHERE id = ?1 AND ix = ?2";
        let document = "SELECT count(*) FROM document WHERE id = ?1 AND instr(body, ?2) > 0";
        values.iter().map(|(bytes, text)| count(table, bytes) + count(side, bytes) + count(document, text)).sum()
    }
}

fn bytes<I>(value: Option<IndexValue<I>>) -> Option<Vec<u8>> {
    value.map(|value| value.as_bytes().to_vec())
}

/// All values by which a search would find the patient, under every index root and in every slot.
fn guesses(keys: &Keyring) -> Vec<(Vec<u8>, String)> {
    let indexer = keys.indexer().unwrap();
    let mut all = Vec::new();
    let mut add = |bytes: &[u8], text: String| all.push((bytes.to_vec(), text));
    let born = indexer.find::<BornOn>("1970-01-31").unwrap();
    born.values().iter().for_each(|value| add(value.as_bytes(), value.to_string()));
    let both = indexer.find::<LastAndBorn>(("Smith", "1970-01-31")).unwrap();
    both.values().iter().for_each(|value| add(value.as_bytes(), value.to_string()));
    let last = indexer.find::<LastNameIs>("Smith").unwrap();
    last.values().iter().for_each(|value| add(value.as_bytes(), value.to_string()));
    let any = indexer.find::<AnyName>("Smith").unwrap();
    any.values().iter().for_each(|value| add(value.as_bytes(), value.to_string()));
    let phone = indexer.find::<PhoneIs>("555-212-0100").unwrap();
    phone.values().iter().for_each(|value| add(value.as_bytes(), value.to_string()));
    all
}

#[test]
fn after_clearing_no_guess_is_confirmed_in_table_side_table_and_array() {
    let (roots, first) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    let store = std::sync::Arc::new(MemoryStore::default());
    run_local(store.put(&first, None)).unwrap();
    let unlock = |file| {
        let options = UnlockOptions::default().with_index_roots();
        run_local(Keyring::unlock_with(options, "pharmacy-17", &roots, file)).unwrap().unobserved()
    };
    let old = unlock(&first);
    let admin = KeyringAdmin::new(std::sync::Arc::clone(&store), roots.clone());
    let (second, _) = run_local(admin.rotate_index_root("pharmacy-17")).unwrap();
    let new = unlock(&second);

    let database = Database::new();
    for keys in [&old, &new] {
        for id in ["P-1", "P-2"] {
            database.put(&keys.seal(&patient(id)).unwrap());
        }
    }
    let guesses = guesses(&new);
    // Of each root: five columns, where the name has one of its slots, and the same five in the document.
    assert_eq!((database.places("P-1", &guesses), database.places("P-2", &guesses)), (20, 20));
    database.clear("P-1");
    assert_eq!((database.places("P-1", &guesses), database.places("P-2", &guesses)), (0, 20));
}
