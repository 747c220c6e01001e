//! The shortest program.
use rxseal::{Access, Phi, Purpose, Sealed, Sealing, phi};

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Rx {
    n: u64,
    #[serde(with = "Sealing::<phi::PatientName>")]
    name: String,
    #[serde(with = "Sealing::<Option<phi::Directions>>", default)]
    dir: Option<String>,
    drug: Phi<String, phi::Drug>,
    prescriber: Sealed<String, phi::PrescriberName>,
}

#[test]
fn round_trip() {
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    let rec = keys.record("prescription", 7_u64).unwrap();
    let rx = Rx {
        n: 1,
        name: "Jane Doe".into(),
        dir: None,
        drug: "warfarin".to_owned().into(),
        prescriber: Sealed::seal(&rec, "Dr. No").unwrap(),
    };
    let json = serde_json::to_string(&rec.sealing(&rx)).unwrap();
    println!("{json}");
    let access = Access::new("user:kim", Purpose::TREAT).unwrap();
    let open = rec.opened_by(&access);
    let back: Rx = open.run_opening(|| serde_json::from_str(&json)).unwrap();
    assert_eq!(back.name, "Jane Doe");
    assert_eq!(back.drug.expose_phi(), "warfarin");
    assert_eq!(back.prescriber.open(&open).unwrap(), "Dr. No");
    assert!(serde_json::from_str::<Rx>(&json).is_err());
}
