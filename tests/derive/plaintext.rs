//! `#[phi(plaintext)]`: the struct itself in a request or a response.

use rxseal::migrating::ReadThrough;
use rxseal::phi::{Directions, Drug, Note, PatientName};
use rxseal::records::Migrates;
use rxseal::{Phi, PhiRecord, Sealing, accept_plaintext, expose_plaintext};
use serde::{Deserialize, Serialize};

use crate::support::{access, keyring};

rxseal::fields! {
    LineDrug = "line.drug" in Medication;
}

mod upper {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        text.to_uppercase().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer).map(|text| text.to_lowercase())
    }
}

#[derive(PhiRecord, PartialEq)]
#[phi(record = "prescription", plaintext, derive(Serialize, Deserialize))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Prescription {
    #[phi(id)]
    rx_number: u64,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Option<Directions>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    directions: Option<String>,
    #[phi(seal)]
    patient_name: Phi<String, PatientName>,
    #[phi(seal = Option<Note>, with = "upper")]
    note: Option<String>,
    #[phi(clear)]
    #[serde(default)]
    refills: u8,
    #[phi(part = "line")]
    lines: Vec<Line<String>>,
}

#[derive(PhiRecord, PartialEq)]
#[phi(part, plaintext, derive(Serialize, Deserialize))]
struct Line<T: Serialize + serde::de::DeserializeOwned> {
    #[phi(id)]
    number: u32,
    #[phi(seal = LineDrug)]
    drug: T,
}

const BODY: &str = r#"{"rxNumber":7,"drug":"Canary","patientName":"Canary","note":"CANARY","refills":0,"lines":[{"number":1,"drug":"Canary"}]}"#;

#[test]
fn a_request_becomes_a_row_and_a_row_a_response() {
    let keys = keyring();
    let rx: Prescription = accept_plaintext(|| serde_json::from_str(BODY)).unwrap();
    assert_eq!((rx.drug.as_str(), rx.note.as_deref()), ("Canary", Some("canary")));
    let row = serde_json::to_string(&keys.seal(&rx).unwrap()).unwrap();
    assert!(!row.contains("Canary") && !row.contains("CANARY"));
    let row: SealedPrescription = serde_json::from_str(&row).unwrap();
    let opened = keys.open(&row, &access()).unwrap();
    assert!(opened == rx);
    assert_eq!(serde_json::to_string(&expose_plaintext(&opened)).unwrap(), BODY);
}

#[test]
fn an_optional_field_may_be_missing_and_others_may_not() {
    let short = r#"{"rxNumber":7,"drug":"x","patientName":"y","lines":[]}"#;
    let rx: Prescription = accept_plaintext(|| serde_json::from_str(short)).unwrap();
    assert_eq!((rx.directions, rx.note, rx.refills), (None, None, 0));
    for refused in [short.replace("\"drug\"", "\"drugs\""), short.replace(",\"drug\":\"x\"", "")] {
        assert!(accept_plaintext(|| serde_json::from_str::<Prescription>(&refused)).is_err());
    }
}

#[test]
fn outside_of_a_scope_nothing_is_written_or_read() {
    let rx: Prescription = accept_plaintext(|| serde_json::from_str(BODY)).unwrap();
    let error = serde_json::to_string(&rx).unwrap_err().to_string();
    assert!(!error.contains("Canary"), "{error}");
    let error = serde_json::from_str::<Prescription>(BODY).err().unwrap().to_string();
    assert!(!error.contains("Canary"), "{error}");
    let token = keyring().seal(&rx).unwrap().drug.token().to_string();
    let error =
        accept_plaintext(|| serde_json::from_str::<Prescription>(&BODY.replacen("Canary", &token, 1))).err().unwrap();
    assert_eq!(error.code(), rxseal::ErrorCode::TokenAsPlaintext);
}

#[test]
fn an_enum_and_a_struct_with_a_parameter() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "event", plaintext, derive(Serialize, Deserialize))]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Event {
        Visit {
            #[phi(id)]
            number: u64,
            #[phi(seal = Note)]
            #[serde(rename = "text")]
            note: String,
        },
    }
    let body = r#"{"kind":"visit","number":1,"text":"Canary"}"#;
    let event: Event = accept_plaintext(|| serde_json::from_str(body)).unwrap();
    assert_eq!(serde_json::to_string(&expose_plaintext(&event)).unwrap(), body);
    assert!(serde_json::to_string(&event).is_err());

    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "visit", plaintext)]
    struct Visit<S> {
        #[phi(id)]
        number: u64,
        #[phi(clear)]
        status: S,
    }
    let visit: Visit<u8> = accept_plaintext(|| serde_json::from_str(r#"{"number":1,"status":2}"#)).unwrap();
    assert_eq!((visit.number, visit.status), (1, 2));
}

#[test]
fn a_column_that_is_migrated_is_in_a_body_too() {
    #[derive(PhiRecord)]
    #[phi(record = "prescription", plaintext, derive(Serialize, Deserialize))]
    struct Old {
        #[phi(id)]
        rx_number: u64,
        #[phi(seal = Migrates<Drug>)]
        drug: String,
        #[phi(seal = Option<Migrates<Directions>>)]
        directions: Option<String>,
    }
    let body = r#"{"rx_number":7,"drug":"Canary","directions":"Canary"}"#;
    let permit = ReadThrough::until(2099, 3, 1, "CHG-1234").unwrap();
    let keys = keyring().read_through::<Drug>(&permit).read_through::<Directions>(&permit);
    let rx: Old = accept_plaintext(|| serde_json::from_str(body)).unwrap();
    let sealed = serde_json::to_string(&keys.seal(&rx).unwrap()).unwrap();
    assert!(!sealed.contains("Canary"), "{sealed}");
    for row in [body, sealed.as_str()] {
        let row: SealedOld = serde_json::from_str(row).unwrap();
        let rx = keys.open(&row, &access()).unwrap();
        assert_eq!(serde_json::to_string(&expose_plaintext(&rx)).unwrap(), body);
        assert!(serde_json::to_string(&rx).is_err());
    }

    // The permit is the row's. Under `Sealing` the marker is as `Drug`, which reads tokens alone.
    #[derive(Serialize, Deserialize)]
    struct Given {
        #[serde(with = "Sealing::<Migrates<Drug>>")]
        drug: String,
    }
    let record = keys.record("prescription", 7).unwrap();
    let sealed = serde_json::to_string(&record.sealing(&Given { drug: rx.drug })).unwrap();
    assert!(!sealed.contains("Canary"), "{sealed}");
    let reader = record.opened_by(&access());
    assert!(reader.run_opening(|| serde_json::from_str::<Given>(body)).is_err());
    assert_eq!(reader.run_opening(|| serde_json::from_str::<Given>(&sealed)).unwrap().drug, "Canary");
}
