//! One wire form: what serde's adapters write opens as a row, and the reverse.

use rxseal::Sealing;

use super::*;

/// [`Prescription`] as it was written before there was a derive.
#[derive(Serialize, Deserialize)]
struct BySerde {
    rx_number: u64,
    patient: Option<String>,
    #[serde(with = "Sealing::<PatientName>")]
    patient_name: String,
    #[serde(with = "Sealing::<Option<Directions>>", default)]
    directions: Option<String>,
    #[serde(with = "Sealing::<Allergy>")]
    allergies: Vec<String>,
    #[serde(with = "Sealing::<Each<Diagnosis>>")]
    diagnoses: Vec<String>,
    #[serde(with = "Sealing::<Parts<Quantity>>")]
    quantities: BTreeMap<u32, u64>,
    prescriber: Phi<String, PrescriberName>,
    refills: u8,
}

/// Its tokens alone, without the parts and the nested struct: these have no adapter.
#[derive(Serialize, Deserialize)]
struct Tokens {
    rx_number: u64,
    patient: Option<String>,
    patient_name: Twin<String, PatientName>,
    directions: Twin<Option<String>, Option<Directions>>,
    allergies: Twin<Vec<String>, Allergy>,
    diagnoses: Twin<Vec<String>, Each<Diagnosis>>,
    quantities: Twin<BTreeMap<u32, u64>, Parts<Quantity>>,
    prescriber: Twin<Phi<String, PrescriberName>, Own>,
    refills: u8,
}

#[test]
fn a_document_of_serdes_adapters_is_a_row() {
    let keys = keyring();
    let (rx, rec) = (prescription(1001), keys.record("prescription", 1001).unwrap());
    let row = keys.seal(&rx).unwrap();
    for directions in [None, Some("two daily".to_owned())] {
        let by_serde = BySerde {
            rx_number: 1001,
            patient: None,
            patient_name: rx.patient_name.clone(),
            directions: directions.clone(),
            allergies: rx.allergies.clone(),
            diagnoses: rx.diagnoses.clone(),
            quantities: rx.quantities.clone(),
            prescriber: Phi::new("Dr. Irvin Emard".into()),
            refills: 2,
        };
        let json = serde_json::to_string(&rec.sealing(&by_serde)).unwrap();
        let tokens: Tokens = serde_json::from_str(&json).unwrap();
        let Tokens { patient_name, directions: token, allergies, diagnoses, quantities, prescriber, .. } = tokens;
        let row = SealedPrescription {
            patient_name,
            directions: token,
            allergies,
            diagnoses,
            quantities,
            prescriber,
            ..row.clone()
        };
        let opened = keys.open(&row, &access()).unwrap();
        assert_same(&opened, &Prescription { directions, ..prescription(1001) });
    }

    let json = serde_json::to_string(&row).unwrap();
    let read: BySerde = rec.opened_by(&access()).run_opening(|| serde_json::from_str(&json)).unwrap();
    assert_eq!(read.patient_name, rx.patient_name);
    assert_eq!(read.directions, rx.directions);
    assert_eq!((read.allergies, read.diagnoses), (rx.allergies, rx.diagnoses));
    assert_eq!(read.quantities, rx.quantities);
    assert_eq!(read.prescriber.expose_phi(), "Dr. Irvin Emard");
    // A line is what `Record::part` seals.
    let line = rec.part("line", 2).unwrap();
    assert_eq!(row.lines[1].drug.open(&line.opened_by(&access())).unwrap(), "lisinopril");
}
