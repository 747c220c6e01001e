//! Records of patients with keys of their own.

use rxseal::phi::Drug;
use rxseal::store::MemorySubjectStore;
use rxseal::subjects::{ShredLog, SubjectAdmin, SubjectKeys};
use rxseal::{ErrorCode, PhiRecord, run_local};
use std::sync::Arc;

use crate::support::{access, keyring};

#[derive(PhiRecord)]
#[phi(record = "prescription", derive(Debug))]
struct Prescription {
    #[phi(id)]
    rx_number: u64,
    #[phi(subject)]
    patient: Option<uuid::Uuid>,
    #[phi(seal = Drug)]
    drug: String,
}

#[test]
fn the_keys_of_a_page_are_loaded_at_once() {
    let keys = keyring();
    let subjects = SubjectKeys::new(MemorySubjectStore::default());
    let patient = |at: u64| (at > 0).then(|| uuid::Uuid::from_u64_pair(at, 7));
    let rx = |at| Prescription { rx_number: at, patient: patient(at / 2), drug: "warfarin".into() };
    let rxs: Vec<_> = (0..6).map(rx).collect();

    // Nobody has a key yet, and opening would make none.
    let loaded = run_local(subjects.load_or_create_of(&keys, &[] as &[Prescription])).unwrap();
    assert_eq!(keys.with_subjects(&loaded).seal_all(&rxs).unwrap_err().code(), ErrorCode::SubjectMissing);
    let loaded = run_local(subjects.load_or_create_of(&keys, &rxs)).unwrap();
    let rows = keys.with_subjects(&loaded).seal_all(&rxs).unwrap();
    let again = run_local(subjects.load_or_create_of(&keys, &rxs)).unwrap();
    assert!(keys.with_subjects(&again).open_all(&rows, &access()).into_iter().all(|rx| rx.unwrap().drug == "warfarin"));

    let loaded = run_local(subjects.load_of(&keys, &rows[..4])).unwrap();
    let opened = keys.with_subjects(&loaded).open_all(&rows, &access());
    let codes: Vec<_> = opened.into_iter().map(|rx| rx.err().map(|error| error.code())).collect();
    let missing = Some(ErrorCode::SubjectMissing);
    assert_eq!(codes, [None, None, None, None, missing, missing], "two patients were not loaded");
}

#[test]
fn a_shredded_patient_is_the_error_of_its_rows() {
    let keys = keyring();
    let store = Arc::new(MemorySubjectStore::default());
    let rx =
        |rx_number, at| Prescription { rx_number, patient: Some(uuid::Uuid::from_u64_pair(at, 7)), drug: "x".into() };
    let rxs = [rx(1, 1), rx(2, 2)];
    let subjects = SubjectKeys::new(Arc::clone(&store));
    let loaded = run_local(subjects.load_or_create_of(&keys, &rxs)).unwrap();
    let rows = keys.with_subjects(&loaded).seal_all(&rxs).unwrap();
    let shredded = rxs[0].patient.unwrap();
    let path = std::env::temp_dir().join(format!("rxseal-derive-shred-{}", std::process::id()));
    let log = ShredLog::new(&path, std::time::Duration::from_secs(86_400));
    run_local(SubjectAdmin::new(Arc::clone(&store)).shred("pharmacy-17", shredded, &log)).unwrap();
    std::fs::remove_file(&path).unwrap();

    let subjects = SubjectKeys::new(store);
    let loaded = run_local(subjects.load_of(&keys, &rows)).unwrap();
    let opened = keys.with_subjects(&loaded).open_all(&rows, &access());
    assert_eq!(opened[0].as_ref().err().unwrap().code(), ErrorCode::SubjectShredded);
    assert!(opened[1].is_ok());
    // She gets no other key.
    let loaded = run_local(subjects.load_or_create_of(&keys, &rxs)).unwrap();
    assert_eq!(keys.with_subjects(&loaded).seal(&rxs[0]).unwrap_err().code(), ErrorCode::SubjectShredded);
}
