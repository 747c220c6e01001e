//! The opening of the README, as a program: `tests/house/readme.rs` looks for each of its lines here.

use rxseal::{Access, PhiRecord, Purpose, phi};
use serde::{Deserialize, Serialize};

#[derive(PhiRecord)]
#[phi(record = "prescription", derive(Serialize, Deserialize))]
struct Prescription {
    #[phi(id)]
    rx_number: u32,
    #[phi(seal = phi::PatientName)]
    patient_name: String,
    #[phi(seal = phi::Drug)]
    drug: String,
    #[phi(clear)]
    refills: u8,
}

#[test]
fn the_opening_of_the_readme_does_what_it_says() -> Result<(), Box<dyn std::error::Error>> {
    let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    let kim = Access::new("user:kim.rph", Purpose::TREAT)?;
    let rx =
        Prescription { rx_number: 1001, patient_name: "Jane Doe".into(), drug: "warfarin 5 MG".into(), refills: 2 };
    let row: SealedPrescription = keys.seal(&rx)?;
    let json = serde_json::to_string(&row)?;
    assert!(json.contains("1001") && !json.contains("Jane") && !json.contains("warfarin"), "{json}");
    let row: SealedPrescription = serde_json::from_str(&json)?;
    let rx: Prescription = keys.open(&row, &kim)?;
    assert_eq!((rx.rx_number, rx.refills), (1001, 2));
    assert_eq!((rx.patient_name.as_str(), rx.drug.as_str()), ("Jane Doe", "warfarin 5 MG"));
    let copied = SealedPrescription { rx_number: 1002, ..row };
    assert!(keys.open(&copied, &kim).is_err());
    Ok(())
}
