//! What serde is told, of the twin.

use std::collections::BTreeMap;

use rxseal::PhiRecord;
use rxseal::phi::{Directions, Drug, Note, PatientName};
use serde::{Deserialize, Serialize};

use crate::support::{access, keyring, round_trip};

#[test]
fn names_and_aliases() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "prescription", derive(Debug, Serialize, Deserialize))]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Prescription {
        #[phi(id)]
        rx_number: u64,
        #[phi(seal = PatientName)]
        #[serde(rename = "patient", alias = "name")]
        patient_name: String,
        #[phi(clear)]
        #[serde(alias = "refillsLeft")]
        refill_count: u8,
    }
    let rx = Prescription { rx_number: 7, patient_name: "Canary".into(), refill_count: 2 };
    round_trip(&rx);
    let keys = keyring();
    let json = serde_json::to_string(&keys.seal(&rx).unwrap()).unwrap();
    assert!(json.starts_with(r#"{"rxNumber":7,"patient":"rxs"#) && json.ends_with(r#","refillCount":2}"#), "{json}");
    let row: SealedPrescription =
        serde_json::from_str(&json.replace("\"patient\"", "\"name\"").replace("refillCount", "refillsLeft")).unwrap();
    assert!(keys.open(&row, &access()).unwrap() == rx);
    assert!(serde_json::from_str::<SealedPrescription>(&json.replace('{', "{\"x\":1,")).is_err());
}

#[test]
fn what_may_be_missing() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "prescription", derive(Debug, Serialize, Deserialize))]
    struct Prescription {
        #[phi(id)]
        rx_number: u64,
        #[phi(seal = Drug)]
        drug: String,
        #[phi(seal = Option<Directions>)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        directions: Option<String>,
        #[phi(clear)]
        #[serde(default = "two")]
        refills: u8,
        #[phi(clear)]
        #[serde(skip)]
        seen: bool,
    }
    fn two() -> u8 {
        2
    }
    let rx = Prescription { rx_number: 7, drug: "Canary".into(), directions: None, refills: 2, seen: false };
    let keys = keyring();
    let json = serde_json::to_string(&keys.seal(&rx).unwrap()).unwrap();
    assert!(!json.contains("directions") && !json.contains("seen"), "{json}");
    let row: SealedPrescription = serde_json::from_str(&json.replace(",\"refills\":2", "")).unwrap();
    assert!(keys.open(&row, &access()).unwrap() == rx);
    let without = json.split(",\"drug\"").next().unwrap().to_owned() + "}";
    let error = serde_json::from_str::<SealedPrescription>(&without).unwrap_err().to_string();
    assert!(error.contains("missing field `drug`"), "{error}");
}

#[test]
fn flattened_clear_fields_and_nested_structs() {
    #[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
    struct Stamp {
        by: String,
    }
    #[derive(PhiRecord, PartialEq)]
    #[phi(nested, derive(Debug, Serialize, Deserialize))]
    struct Remark {
        #[phi(seal = Note)]
        note: String,
    }
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "visit", derive(Debug, Serialize, Deserialize))]
    struct Visit {
        #[phi(id)]
        id: u64,
        #[phi(clear)]
        #[serde(flatten)]
        stamp: Stamp,
        #[phi(nested)]
        #[serde(flatten)]
        remark: Remark,
        #[phi(clear)]
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }
    let keys = keyring();
    let visit = Visit {
        id: 1,
        stamp: Stamp { by: "kim".into() },
        remark: Remark { note: "Canary".into() },
        rest: BTreeMap::from([("x".into(), 1)]),
    };
    let json = serde_json::to_string(&keys.seal(&visit).unwrap()).unwrap();
    assert!(json.starts_with(r#"{"id":1,"by":"kim","note":"rxs"#) && json.ends_with(r#","x":1}"#), "{json}");
    let row: SealedVisit = serde_json::from_str(&json).unwrap();
    assert!(keys.open(&row, &access()).unwrap() == visit);
}

#[test]
fn attributes_of_the_twin_alone() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "visit", attr(allow(dead_code)), derive(Debug, Serialize), derive(Deserialize, PartialEq, Eq, Hash))]
    #[phi(attr(serde(rename_all = "UPPERCASE")), attr(must_use))]
    struct Visit {
        #[phi(id, attr(serde(rename = "number")))]
        id: u64,
        #[phi(seal = Note)]
        note: String,
    }
    let visit = Visit { id: 1, note: "Canary".into() };
    round_trip(&visit);
    let row = keyring().seal(&visit).unwrap();
    assert!(serde_json::to_string(&row).unwrap().starts_with(r#"{"number":1,"NOTE":"rxs"#));
    assert!(std::collections::HashSet::from([row.clone()]).contains(&row));
}

#[test]
fn a_twin_with_a_name_of_its_own() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "visit", sealed = Row, derive(Debug, Serialize, Deserialize))]
    struct Visit {
        #[phi(id)]
        id: u64,
        #[phi(seal = Note)]
        note: String,
    }
    round_trip(&Visit { id: 1, note: "Canary".into() });
    let row: Row = keyring().seal(&Visit { id: 1, note: "Canary".into() }).unwrap();
    assert!(format!("{row:?}").starts_with("Row { id: 1, note: Sealed("), "{row:?}");
}

#[test]
fn fifty_records_in_one_document() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "visit", derive(Debug, Serialize, Deserialize))]
    struct Visit {
        #[phi(id)]
        id: u64,
        #[phi(seal = Note)]
        note: String,
    }
    let keys = keyring();
    let visits: Vec<_> = (0..50).map(|id| Visit { id, note: format!("Canary {id}") }).collect();
    let json = serde_json::to_string(&keys.seal_all(&visits).unwrap()).unwrap();
    assert!(!json.contains("Canary"));
    let mut rows: Vec<SealedVisit> = serde_json::from_str(&json).unwrap();
    let opened: Vec<_> = keys.open_all(&rows, &access()).into_iter().map(Result::unwrap).collect();
    assert!(opened == visits);
    // One bad record does not spoil the list.
    rows[7].id = 8;
    let opened = keys.open_all(&rows, &access());
    assert!(opened.iter().enumerate().all(|(at, visit)| visit.is_ok() == (at != 7)));
}
