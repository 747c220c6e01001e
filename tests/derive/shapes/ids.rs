//! What may be an id, and record types that changed.

use rxseal::phi::{Drug, Note, PatientName};
use rxseal::records::AsRecordId;
use rxseal::{Identifier, PhiRecord, SealedRecord};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::support::{access, keyring, round_trip};

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct RxNumber(u64);

impl AsRecordId for RxNumber {
    fn as_record_id(&self) -> Identifier<'_> {
        self.0.into()
    }
}

macro_rules! id_of {
    ($($test:ident: $id:ty = $value:expr;)*) => {$(
        #[test]
        fn $test() {
            #[derive(PhiRecord, PartialEq)]
            #[phi(record = "visit", derive(Debug, Serialize, Deserialize))]
            struct Visit {
                #[phi(id)]
                id: $id,
                #[phi(seal = Note)]
                note: String,
            }
            round_trip(&Visit { id: $value, note: "Canary".into() });
        }
    )*};
}

id_of! {
    a_number: i64 = -7;
    a_text: String = "V-7".into();
    a_uuid: Uuid = Uuid::from_u128(7);
    a_type_of_the_users: RxNumber = RxNumber(7);
    a_boxed_text: Box<str> = "V-7".into();
}

#[test]
fn an_id_of_three_fields() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "visit", derive(Debug, Serialize, Deserialize))]
    struct Visit {
        #[phi(id)]
        store: u16,
        #[phi(seal = Note)]
        note: String,
        #[phi(id)]
        day: String,
        #[phi(id)]
        number: RxNumber,
    }
    let visit = |day: &str| Visit { store: 3, note: "Canary".into(), day: day.into(), number: RxNumber(9) };
    round_trip(&visit("2026-11-29"));

    let keys = keyring();
    let row = keys.seal(&visit("2026-11-29")).unwrap();
    let reader = keys.record("visit", "3/2026-11-29/9").unwrap().opened_by(&access());
    assert_eq!(row.note.open(&reader).unwrap(), "Canary");
    assert_eq!(keys.seal(&visit("2026/11/29")).err().unwrap().code(), rxseal::ErrorCode::InvalidId);
}

#[test]
fn a_former_record_type_opens_and_never_seals() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "rx", derive(Debug, Serialize, Deserialize))]
    struct Old {
        #[phi(id)]
        id: u64,
        #[phi(seal = Drug)]
        drug: String,
    }
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "prescription", was = "script", was = "rx", derive(Debug, Serialize, Deserialize))]
    struct New {
        #[phi(id)]
        id: u64,
        #[phi(seal = Drug)]
        drug: String,
    }
    round_trip(&New { id: 1, drug: "Canary".into() });
    assert_eq!((SealedNew::RECORD_TYPE, SealedNew::FORMER_TYPES), ("prescription", &["script", "rx"][..]));

    let keys = keyring();
    let old = serde_json::to_string(&keys.seal(&Old { id: 1, drug: "Canary".into() }).unwrap()).unwrap();
    let row: SealedNew = serde_json::from_str(&old).unwrap();
    assert_eq!(keys.open(&row, &access()).unwrap().drug, "Canary");
    let new = serde_json::to_string(&keys.seal(&New { id: 1, drug: "Canary".into() }).unwrap()).unwrap();
    let row: SealedOld = serde_json::from_str(&new).unwrap();
    assert!(keys.open(&row, &access()).is_err());
}

#[test]
fn a_patient_is_the_subject_of_its_own_record() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "patient", derive(Debug, Serialize, Deserialize))]
    struct Patient {
        #[phi(id, subject)]
        patient: String,
        #[phi(seal = PatientName)]
        name: String,
    }
    let keys = keyring();
    let patient = Patient { patient: "P-7".into(), name: "Canary".into() };
    assert_eq!(keys.seal(&patient).err().unwrap().code(), rxseal::ErrorCode::SubjectMissing);
    let (key, _) = keys.create_subject_key("P-7").unwrap();
    let keys = keys.with_subjects(&key);
    let row = keys.seal(&patient).unwrap();
    assert!(keys.open(&row, &access()).unwrap() == patient);
}

#[test]
fn a_subject_that_may_be_absent() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "visit", derive(Debug, Serialize, Deserialize))]
    struct Visit {
        #[phi(id)]
        id: u64,
        #[phi(subject)]
        patient: Option<String>,
        #[phi(seal = Note)]
        note: String,
    }
    round_trip(&Visit { id: 1, patient: None, note: "Canary".into() });
    let visit = Visit { id: 1, patient: Some("P-7".into()), note: "Canary".into() };
    let keys = keyring();
    assert_eq!(keys.seal(&visit).err().unwrap().code(), rxseal::ErrorCode::SubjectMissing);
    let (key, _) = keys.create_subject_key("P-7").unwrap();
    let with = keys.with_subjects(&key);
    let row = with.seal(&visit).unwrap();
    assert!(with.open(&row, &access()).unwrap() == visit);
    // Without the patient the fields do not open.
    let mut row = row;
    row.patient = None;
    assert!(keys.open(&row, &access()).is_err());
}
