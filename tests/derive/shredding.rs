//! What is left to do for a patient who was shredded: index values outlive the patient's key.

use std::time::Duration;

use rxseal::store::MemorySubjectStore;
use rxseal::subjects::{ShredLog, SubjectAdmin};
use rxseal::testing::TestClock;
use rxseal::{ErrorCode, SealedRecord, run_local};

use crate::indexed::{SealedPatient, patient};
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
