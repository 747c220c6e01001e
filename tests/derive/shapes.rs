//! Shapes of structs and enums, each sealed and opened in each format.

use std::collections::BTreeMap;

use rxseal::phi::{Allergy, Diagnosis, Directions, Drug, PatientName, PrescriberName, Quantity};
use rxseal::{Each, Parts, Phi, PhiRecord};
use serde::{Deserialize, Serialize};

use crate::support::round_trip;

rxseal::fields! {
    pub Street = "address.street" in Contact;
    pub LineDrug = "line.drug" in Medication;
}

#[test]
fn plain() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "prescription", derive(Clone, Debug, Serialize, Deserialize))]
    struct Prescription {
        #[phi(id)]
        rx_number: u64,
        #[phi(seal = Drug)]
        drug: String,
        #[phi(seal = Option<Directions>)]
        directions: Option<String>,
        #[phi(clear)]
        refills: u8,
    }
    round_trip(&Prescription { rx_number: 7, drug: "Canary".into(), directions: None, refills: 1 });
    round_trip(&Prescription { rx_number: 7, drug: "Canary".into(), directions: Some("Canary".into()), refills: 1 });
}

#[test]
fn with_parts_nested_structs_and_collections() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "prescription", was = "rx", derive(Debug, Serialize, Deserialize))]
    #[serde(rename_all = "camelCase")]
    struct Prescription {
        #[phi(id)]
        rx_number: u64,
        #[phi(seal = PatientName)]
        patient_name: String,
        #[phi(seal = Allergy)]
        allergies: Vec<String>,
        #[phi(seal = Each<Diagnosis>)]
        diagnoses: Vec<String>,
        #[phi(seal = Parts<Quantity>)]
        quantities: BTreeMap<u32, String>,
        #[phi(seal)]
        prescriber: Phi<String, PrescriberName>,
        #[phi(part = "line")]
        lines: Vec<Line>,
        #[phi(nested)]
        address: Address,
    }

    #[derive(PhiRecord, PartialEq)]
    #[phi(part, derive(Debug, Serialize, Deserialize))]
    struct Line {
        #[phi(id)]
        line_no: u32,
        #[phi(seal = LineDrug)]
        drug: String,
    }

    #[derive(PhiRecord, PartialEq)]
    #[phi(nested, derive(Debug, Serialize, Deserialize))]
    struct Address {
        #[phi(seal = Street)]
        street: String,
        #[phi(clear)]
        city: String,
    }

    let line = |line_no| Line { line_no, drug: format!("Canary {line_no}") };
    round_trip(&Prescription {
        rx_number: 7,
        patient_name: "Canary".into(),
        allergies: vec!["Canary".into()],
        diagnoses: vec!["Canary a".into(), "Canary b".into()],
        quantities: BTreeMap::from([(1, "Canary".into())]),
        prescriber: Phi::new("Canary".into()),
        lines: vec![line(1), line(2)],
        address: Address { street: "Canary".into(), city: "Springfield".into() },
    });
}
