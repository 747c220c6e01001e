//! One wire form: what `Sealing` and `Phi` write opens through the twin, and the reverse.

use rxseal::phi::{Allergy, Directions, Drug, PatientName, Quantity};
use rxseal::{Each, Parts, Phi, PhiRecord, Sealing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::support::{access, keyring};

#[derive(PhiRecord, PartialEq)]
#[phi(record = "prescription", derive(Debug, Serialize, Deserialize))]
#[serde(rename_all = "camelCase")]
struct Prescription {
    #[phi(id)]
    rx_number: u64,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Option<Directions>)]
    directions: Option<String>,
    #[phi(seal = Each<Allergy>)]
    allergies: Vec<String>,
    #[phi(seal = Parts<Quantity>)]
    quantities: BTreeMap<u32, u64>,
    #[phi(seal)]
    name: Phi<String, PatientName>,
}

/// The same by hand, as a document whose id is known outside.
#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Document {
    rx_number: u64,
    #[serde(with = "Sealing::<Drug>")]
    drug: String,
    #[serde(with = "Sealing::<Option<Directions>>", default)]
    directions: Option<String>,
    #[serde(with = "Sealing::<Each<Allergy>>")]
    allergies: Vec<String>,
    #[serde(with = "Sealing::<Parts<Quantity>>")]
    quantities: BTreeMap<u32, u64>,
    name: Phi<String, PatientName>,
}

fn values(directions: Option<&str>) -> (Prescription, Document) {
    let directions = || directions.map(str::to_owned);
    let drug = || "Canary".to_owned();
    let allergies = || vec!["Canary a".to_owned(), "Canary b".to_owned()];
    let quantities = || BTreeMap::from([(1, 30), (2, 60)]);
    let name = || Phi::new("Canary".to_owned());
    (
        Prescription {
            rx_number: 7,
            drug: drug(),
            directions: directions(),
            allergies: allergies(),
            quantities: quantities(),
            name: name(),
        },
        Document {
            rx_number: 7,
            drug: drug(),
            directions: directions(),
            allergies: allergies(),
            quantities: quantities(),
            name: name(),
        },
    )
}

#[test]
fn what_the_twin_writes_the_document_reads() {
    let keys = keyring();
    let record = keys.record("prescription", 7_u64).unwrap().opened_by(&access());
    for directions in [None, Some("Canary")] {
        let (rx, document) = values(directions);
        let row = keys.seal(&rx).unwrap();
        let json = serde_json::to_string(&row).unwrap();
        assert!(record.run_opening(|| serde_json::from_str::<Document>(&json)).unwrap() == document);
        let bytes = postcard::to_stdvec(&row).unwrap();
        assert!(record.run_opening(|| postcard::from_bytes::<Document>(&bytes)).unwrap() == document);
    }
}

#[test]
fn what_the_document_writes_the_twin_reads() {
    let keys = keyring();
    let record = keys.record("prescription", 7_u64).unwrap();
    for directions in [None, Some("Canary")] {
        let (rx, document) = values(directions);
        let json = serde_json::to_string(&record.sealing(&document)).unwrap();
        let row: SealedPrescription = serde_json::from_str(&json).unwrap();
        assert!(keys.open(&row, &access()).unwrap() == rx);
        let mut bytes = Vec::new();
        ciborium::into_writer(&record.sealing(&document), &mut bytes).unwrap();
        let row: SealedPrescription = ciborium::from_reader(bytes.as_slice()).unwrap();
        assert!(keys.open(&row, &access()).unwrap() == rx);
    }
}

#[test]
fn a_field_opens_by_itself() {
    let keys = keyring();
    let row = keys.seal(&values(Some("Canary")).0).unwrap();
    let reader = keys.record_of(&row).unwrap().opened_by(&access());
    assert_eq!(row.drug.open(&reader).unwrap(), "Canary");
    assert_eq!(
        row.directions.as_ref().map(|token| token.open(&reader)).transpose().unwrap().as_deref(),
        Some("Canary")
    );
    assert_eq!(row.name.open_phi(&reader).unwrap().expose_phi(), "Canary");
    assert_eq!(row.allergies[1].open(&reader).unwrap(), "Canary b");
}
