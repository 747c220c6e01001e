//! The opening of the README, as a program: `tests/house/readme.rs` looks for each of its lines here.

use rxseal::{Access, Phi, Purpose, phi};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Prescription {
    rx_number: u64,
    patient_name: Phi<String, phi::PatientName>,
    drug: Phi<String, phi::Drug>,
}

#[test]
fn the_opening_of_the_readme_does_what_it_says() -> Result<(), Box<dyn std::error::Error>> {
    let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    let kim = Access::new("user:kim.rph", Purpose::TREAT)?;
    let id = uuid::Uuid::now_v7();
    let rx = Prescription {
        rx_number: 1001,
        patient_name: "Jane Doe".to_owned().into(),
        drug: "warfarin 5 MG".to_owned().into(),
    };
    let record = keys.record("prescription", id)?;
    let row = serde_json::to_string(&record.sealing(&rx))?;
    assert!(row.contains("1001") && !row.contains("Jane") && !row.contains("warfarin"), "{row}");
    let rx: Prescription = record.opened_by(&kim).run_opening(|| serde_json::from_str(&row))?;
    assert_eq!((rx.rx_number, rx.patient_name.expose_phi().as_str()), (1001, "Jane Doe"));
    assert_eq!(rx.drug.expose_phi(), "warfarin 5 MG");
    Ok(())
}
