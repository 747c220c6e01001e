//! Sealing, opening, resealing and counting of whole records.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use rxseal::count::KeyCounts;
use rxseal::keys::KeyringAdmin;
use rxseal::observe::{Observer, OpenEvent, Opening, Outcome};
use rxseal::store::{KeyringStore, MemoryStore};
use rxseal::testing::insecure_keyring_file;
use rxseal::{ErrorCode, run_local};

use super::*;

#[test]
fn a_record_struct_is_sealed_and_opened() {
    let keys = keyring();
    let rx = prescription(1001);
    let row = keys.seal(&rx).unwrap();
    let json = serde_json::to_string(&row).unwrap();
    for canary in ["Jane", "daily", "penicillin", "I10", "Irvin", "warfarin", "Main"] {
        assert!(!json.contains(canary) && !format!("{row:?}").contains(canary), "{canary}");
    }
    let row: SealedPrescription = serde_json::from_str(&json).unwrap();
    assert_same(&keys.open(&row, &access()).unwrap(), &rx);
    // One field on the screen.
    let reader = keys.record_of(&row).unwrap().opened_by(&access());
    assert_eq!(row.patient_name.open(&reader).unwrap(), "Jane Doe");
    assert_same(&keys.opener().open(&keys.sealer().seal(&rx).unwrap(), &access()).unwrap(), &rx);
}

/// What an observer heard: the number of records and of fields, and the outcome.
type Heard = Arc<Mutex<Vec<(usize, usize, Outcome)>>>;

struct Listener {
    heard: Heard,
    refuses: bool,
}

impl Observer for Listener {
    fn before_open(&self, _: &Opening<'_>) -> Result<(), Error> {
        if self.refuses { Err(Error::refused("not now")) } else { Ok(()) }
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        self.heard.lock().unwrap().push((event.opening().records().len(), event.fields(), event.outcome()));
        Ok(())
    }
}

fn observed(refuses: bool) -> (Keyring, Heard) {
    let heard = Heard::default();
    let listener = Listener { heard: Arc::clone(&heard), refuses };
    (insecure_keyring("pharmacy-17").unwrap().observed_by(listener), heard)
}

/// How many fields `prescription` has: name, directions, allergies, 2 diagnoses, 2 quantities, prescriber, 2 drugs and a street.
const FIELDS: usize = 11;

#[test]
fn a_list_is_one_opening_and_a_bad_record_does_not_end_it() {
    let (keys, heard) = observed(false);
    let rxs: Vec<_> = (1..=4).map(prescription).collect();
    let mut rows = keys.seal_all(&rxs).unwrap();
    rows[1].rx_number = 99;
    rows[2].patient = Some("P-7".into());
    let opened = keys.open_all(&rows, &access());
    assert_same(opened[0].as_ref().ok().unwrap(), &rxs[0]);
    assert_same(opened[3].as_ref().ok().unwrap(), &rxs[3]);
    let error = opened[1].as_ref().err().unwrap();
    assert_eq!((error.code(), error.record_type()), (ErrorCode::OpenFailed, Some("prescription")));
    assert_eq!(error.field_id(), Some("phi.patient.name"));
    let error = opened[2].as_ref().err().unwrap();
    assert_eq!((error.code(), error.record_type()), (ErrorCode::SubjectMissing, Some("prescription")));
    // The row without its subject's key is in no opening; the failure is noted.
    let events = heard.lock().unwrap().clone();
    assert_eq!(events, [(3, 2 * FIELDS, Outcome::Failed(ErrorCode::OpenFailed))]);
    drop(keys.open(&rows[0], &access()).unwrap());
    assert_eq!(heard.lock().unwrap()[1..], [(1, FIELDS, Outcome::Opened)]);
    assert!(keys.open_all(&Vec::<SealedPrescription>::new(), &access()).is_empty());
    assert_eq!(heard.lock().unwrap().len(), 2, "nothing to open, nothing to tell");
}

#[test]
fn a_refusal_is_the_error_of_every_record() {
    let (keys, heard) = observed(true);
    let mut rows = keys.seal_all(&[prescription(1), prescription(2), prescription(3)]).unwrap();
    rows[2].patient = Some("P-7".into());
    let codes: Vec<_> = keys.open_all(&rows, &access()).into_iter().map(|one| one.err().unwrap().code()).collect();
    assert_eq!(codes, [ErrorCode::RefusedByObserver, ErrorCode::RefusedByObserver, ErrorCode::SubjectMissing]);
    assert_eq!(*heard.lock().unwrap(), [(2, 0, Outcome::Failed(ErrorCode::RefusedByObserver))]);
}

#[test]
fn a_subject_needs_its_key() {
    let keys = keyring();
    let mut rx = prescription(1001);
    rx.patient = Some("P-7".into());
    let error = keys.seal(&rx).unwrap_err();
    assert_eq!((error.code(), error.record_type()), (ErrorCode::SubjectMissing, Some("prescription")));
    assert!(error.to_string().contains("with_subjects"), "{error}");
    let (jane, _) = keys.create_subject_key("P-7").unwrap();
    let (joe, _) = keys.create_subject_key("P-8").unwrap();
    assert_eq!(keys.with_subjects(&joe).seal(&rx).unwrap_err().code(), ErrorCode::SubjectMissing);
    let row = keys.with_subjects(&jane).seal(&rx).unwrap();
    assert!(keys.open(&row, &access()).is_err());
    let both = [joe, jane];
    assert_same(&keys.with_subjects(&both).open(&row, &access()).unwrap(), &rx);
    assert_same(&keys.opener().with_subjects(&both).open(&row, &access()).unwrap(), &rx);
    keys.sealer().with_subjects(&both).seal(&rx).unwrap();
    assert!(row.check(&keys.with_subjects(&both)).is_ok());
    // The row says that it has no subject, and its tokens disagree.
    let shifted = SealedPrescription { patient: None, ..row.clone() };
    assert_eq!(keys.open(&shifted, &access()).err().unwrap().code(), ErrorCode::OpenFailed);
    let [joe, jane] = both;
    let map = HashMap::from([("P-7".to_owned(), jane), ("P-8".to_owned(), joe)]);
    assert_same(&keys.with_subjects(&map).open(&row, &access()).unwrap(), &rx);
    let map: BTreeMap<_, _> = map.into_iter().collect();
    assert_same(&keys.with_subjects(&map).open(&row, &access()).unwrap(), &rx);
    // A key under the name of another subject.
    let map = BTreeMap::from([("P-7".to_owned(), map.into_iter().nth(1).unwrap().1)]);
    let error = keys.with_subjects(&map).open(&row, &access()).err().unwrap();
    assert_eq!(error.code(), ErrorCode::SubjectMismatch);
}

#[test]
fn two_parts_of_one_id_are_refused() {
    let keys = keyring();
    let mut rx = prescription(1001);
    rx.lines[1].line_no = 1;
    let error = keys.seal(&rx).unwrap_err();
    assert_eq!((error.code(), error.record_type()), (ErrorCode::InvalidId, Some("prescription")));
    assert!(error.to_string().contains("two parts"), "{error}");
    // Two records may have the same line, and so may one record that is in a list twice.
    keys.seal_all(&[prescription(1), prescription(2), prescription(1)]).unwrap();
}

#[test]
fn lines_do_not_swap() {
    let keys = keyring();
    let mut row = keys.seal(&prescription(1001)).unwrap();
    row.lines.swap(0, 1);
    keys.open(&row, &access()).unwrap();
    let (one, two) = (row.lines[0].drug.clone(), row.lines[1].drug.clone());
    (row.lines[0].drug, row.lines[1].drug) = (two, one);
    let error = keys.open(&row, &access()).err().unwrap();
    assert_eq!((error.code(), error.field_id()), (ErrorCode::OpenFailed, Some("line.drug")));
    assert!(row.check(&keys).unwrap_err().is_open_failure());
}

#[test]
fn rows_move_to_the_new_key() {
    let (roots, first) = insecure_keyring_file("pharmacy-17").unwrap();
    let store = MemoryStore::default();
    run_local(store.put(&first, None)).unwrap();
    let old = run_local(Keyring::unlock("pharmacy-17", &roots, &first)).unwrap().unobserved();
    let rxs: Vec<_> = (1..=3).map(prescription).collect();
    let mut rows = old.seal_all(&rxs).unwrap();
    let (stored, new_key) = run_local(KeyringAdmin::new(store, roots.clone()).rotate("pharmacy-17")).unwrap();
    let heard = Heard::default();
    let listener = Listener { heard: Arc::clone(&heard), refuses: true };
    let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &stored)).unwrap().observed_by(listener);
    assert!(rows[0].needs_reseal(&keys).unwrap() && !rows[0].needs_reseal(&old).unwrap());

    let resealed = keys.reseal(&rows[0]).unwrap();
    assert!(!resealed.needs_reseal(&keys).unwrap());
    let mut counts = KeyCounts::default();
    counts.add_record(&rows[0]).unwrap();
    counts.add_record(&resealed).unwrap();
    assert_eq!((counts.of(old.primary_key()), counts.of(new_key)), (FIELDS as u64, FIELDS as u64));
    assert_eq!(counts.not_tokens(), 0);

    rows[1].rx_number = 99;
    let resealed = keys.reseal_all(&rows);
    let error = resealed[1].as_ref().err().unwrap();
    assert_eq!((error.code(), error.record_type()), (ErrorCode::OpenFailed, Some("prescription")));
    assert!(heard.lock().unwrap().is_empty(), "resealing is no opening");
    let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &stored)).unwrap().unobserved();
    for at in [0, 2] {
        assert_same(&keys.open(resealed[at].as_ref().ok().unwrap(), &access()).unwrap(), &rxs[at]);
    }
    assert!(rows[0].needs_reseal(&keyring()).is_err_and(|error| error.is_unknown_key()));
}

#[test]
fn a_row_moves_to_another_record() {
    let (keys, heard) = observed(false);
    let mut rx = prescription(1001);
    let row = keys.seal(&rx).unwrap();
    let mut copied = row.clone();
    copied.rx_number = 1002;
    assert!(copied.check(&keys).unwrap_err().is_open_failure());
    assert!(heard.lock().unwrap().is_empty(), "a check is no opening");

    let change = |row: &mut SealedPrescription| {
        row.rx_number = 1002;
        row.lines[0].line_no = 10;
    };
    let moved = keys.rebind(&row, change, &access()).unwrap();
    assert_eq!(*heard.lock().unwrap(), [(1, FIELDS, Outcome::Opened)]);
    moved.check(&keys).unwrap();
    (rx.rx_number, rx.lines[0].line_no) = (1002, 10);
    assert_same(&keys.open(&moved, &access()).unwrap(), &rx);

    let fewer = |row: &mut SealedPrescription| drop(row.lines.pop());
    let more = |row: &mut SealedPrescription| row.lines.push(SealedLine { line_no: 3, ..row.lines[0].clone() });
    for change in [fewer, more] {
        let error = keys.rebind(&row, change, &access()).unwrap_err();
        assert_eq!((error.code(), error.record_type()), (ErrorCode::InvalidId, Some("prescription")), "{error}");
    }
    let error = keys.rebind(&row, |row| row.lines[0].line_no = 2, &access()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidId);
    assert_eq!(heard.lock().unwrap().last().unwrap().2, Outcome::Failed(ErrorCode::InvalidId));
    // To a patient with a key of her own.
    let (jane, _) = keys.create_subject_key("P-7").unwrap();
    let to_jane = |row: &mut SealedPrescription| row.patient = Some("P-7".into());
    let moved = keys.with_subjects(&jane).rebind(&row, to_jane, &access()).unwrap();
    assert!(keys.with_subjects(&jane).open(&moved, &access()).is_ok());
    assert_eq!(keys.rebind(&row, to_jane, &access()).unwrap_err().code(), ErrorCode::SubjectMissing);

    let (refusing, heard) = observed(true);
    let row = refusing.seal(&rx).unwrap();
    assert!(refusing.rebind(&row, |row| row.rx_number = 1, &access()).unwrap_err().is_locked_out());
    assert_eq!(heard.lock().unwrap().len(), 1);
}

/// Takes no event but of an opening that failed.
struct Full;

impl Observer for Full {
    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
        if event.outcome() == Outcome::Opened { Err(Error::refused("the log is full")) } else { Ok(()) }
    }
}

#[test]
fn what_the_observer_takes_no_event_of_is_not_handed_out() {
    let keys = insecure_keyring("pharmacy-17").unwrap().observed_by(Full);
    let rows = keys.seal_all(&[prescription(1), prescription(2)]).unwrap();
    assert_eq!(keys.open(&rows[0], &access()).err().unwrap().code(), ErrorCode::RefusedByObserver);
    let opened = keys.open_all(&rows, &access());
    assert_eq!(opened.len(), 2);
    assert!(opened.iter().all(|row| row.as_ref().err().unwrap().code() == ErrorCode::RefusedByObserver));
    let moved = keys.rebind(&rows[0], |row| row.rx_number = 3, &access());
    assert_eq!(moved.err().unwrap().code(), ErrorCode::RefusedByObserver);
    // What failed anyway keeps its own error.
    let mut other = rows[1].clone();
    other.rx_number = 9;
    assert_eq!(keys.open(&other, &access()).err().unwrap().code(), ErrorCode::OpenFailed);
}
