//! Proves what a record type promises that is named once: its records have its former names, and nothing is sealed in them without the
//! subject that it requires. That nothing is drawn either is proven in src/record/seal.rs.

use std::collections::BTreeMap;

use rxseal::roles::MaySeal;
use rxseal::testing::insecure_keyring;
use rxseal::{Access, Error, Keyring, Parts, Phi, Purpose, Record, Sealed, Sealing, Token, phi};
use serde::Serialize;

const TEXT: &str = "warfarin 5 MG";

fn keyring() -> Keyring {
    insecure_keyring("pharmacy-17").unwrap().unobserved()
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.err().expect("an error").code().as_str()
}

#[test]
fn its_records_are_those_of_the_keyring() {
    let keys = keyring();
    let prescriptions = keys.record_type("prescription").unwrap().was("rx").unwrap();
    assert_eq!(prescriptions.name(), "prescription");
    let token = prescriptions.record(1001).unwrap().seal::<phi::Drug>(TEXT).unwrap();
    let plain = keys.record("prescription", 1001).unwrap();
    assert_eq!(plain.opened_by(&access()).open::<phi::Drug, String>(&token).unwrap(), TEXT);
    let old = keys.record("rx", 1001).unwrap().seal::<phi::Drug>(TEXT).unwrap();
    for record in [prescriptions.record(1001).unwrap(), prescriptions.clone().record("1001").unwrap()] {
        assert_eq!(record.opened_by(&access()).open::<phi::Drug, String>(&old).unwrap(), TEXT);
    }
    let opener = keys.opener().record_type("prescription").unwrap().was("rx").unwrap();
    assert_eq!(opener.record(1001).unwrap().opened_by(&access()).open::<phi::Drug, String>(&old).unwrap(), TEXT);
    assert!(format!("{opener:?}").contains("\"rx\""));
}

#[test]
fn names_are_checked_when_they_are_given() {
    let keys = keyring();
    let refused = |former: &str| code(keys.record_type("prescription").unwrap().was("rx").unwrap().was(former));
    assert_eq!(code(keys.record_type("Prescription 7")), "invalid-id");
    assert_eq!(["", "Rx 7", "prescription", "rx"].map(refused), ["invalid-id"; 4]);
    let four = ["a", "b", "c", "d"].into_iter().try_fold(keys.record_type("e").unwrap(), |known, name| known.was(name));
    assert_eq!(code(four.unwrap().was("f")), "invalid-id");
    assert_eq!(code(keys.record_type("prescription").unwrap().record("")), "invalid-id");
}

#[derive(Serialize)]
struct Row {
    drug: Phi<String, phi::Drug>,
}

#[derive(Serialize)]
struct Entries {
    #[serde(with = "Sealing::<Parts<phi::Note>>")]
    notes: BTreeMap<u8, String>,
}

/// Every way to seal in a record fails with `subject-missing`.
fn nothing_is_sealed<R: MaySeal>(record: &Record<R>) {
    let row = Row { drug: TEXT.to_owned().into() };
    let entries = Entries { notes: BTreeMap::from([(1, TEXT.to_owned())]) };
    let results = [
        record.seal::<phi::Drug>(TEXT).map(drop),
        record.seal_text::<phi::Drug>(TEXT).map(drop),
        row.drug.seal(record).map(drop),
        Sealed::<String, phi::Drug>::seal(record, TEXT).map(drop),
        record.seal_fields(|pass| pass.seal_into::<phi::Drug>(TEXT, &mut Vec::new())),
        record.run_sealing(|| serde_json::to_string(&row)).map(drop),
        record.run_sealing(|| serde_json::to_string(&entries)).map(drop),
        rxseal::page::seal_page(std::slice::from_ref(record), |_, pass| pass.seal::<phi::Drug>(TEXT)).map(drop),
    ];
    for result in results {
        let error = result.unwrap_err();
        assert_eq!(error.code().as_str(), "subject-missing");
        assert!(error.is_api_misuse() && error.to_string().contains("`record.subject(&key)`"), "{error}");
    }
}

#[test]
fn nothing_is_sealed_without_the_subject_that_a_type_requires() {
    let keys = keyring();
    let prescriptions = keys.record_type("prescription").unwrap().requires_subject();
    let (patient, _) = keys.create_subject_key("P-7").unwrap();
    let lacks = || prescriptions.record(1001).unwrap();
    nothing_is_sealed(&lacks());
    nothing_is_sealed(&lacks().wide());
    nothing_is_sealed(&lacks().part("line", 1).unwrap());
    nothing_is_sealed(&lacks().was("rx").unwrap());
    nothing_is_sealed(&keys.sealer().record_type("prescription").unwrap().requires_subject().record(1001).unwrap());

    let plain = keys.record("prescription", 1001).unwrap();
    let token = plain.seal::<phi::Drug>(TEXT).unwrap();
    assert_eq!(code(lacks().reseal::<phi::Drug>(&token)), "subject-missing");
    assert_eq!(code(plain.rebind::<phi::Drug>(&lacks(), &token, &access())), "subject-missing");
    // What was sealed before still opens, with any handle.
    let open = |token: &Token| lacks().opened_by(&access()).open::<phi::Drug, String>(token);
    assert_eq!(open(&token).unwrap(), TEXT);
    let opener = keys.opener().record_type("prescription").unwrap().requires_subject();
    assert_eq!(opener.record(1001).unwrap().opened_by(&access()).open::<phi::Drug, String>(&token).unwrap(), TEXT);

    // With the subject it is sealed, and needs the subject from then on.
    let sealer = keys.sealer().record_type("prescription").unwrap().requires_subject();
    let tokens = [
        prescriptions.record_with(1001, &patient).unwrap().seal::<phi::Drug>(TEXT).unwrap(),
        lacks().subject(&patient).unwrap().seal::<phi::Drug>(TEXT).unwrap(),
        sealer.record_with(1001, &patient).unwrap().seal::<phi::Drug>(TEXT).unwrap(),
    ];
    for token in &tokens {
        assert!(open(token).unwrap_err().is_open_failure());
        let reader = opener.record_with(1001, &patient).unwrap().opened_by(&access());
        assert_eq!(reader.open::<phi::Drug, String>(token).unwrap(), TEXT);
    }
    let moved = plain.rebind::<phi::Drug>(&prescriptions.record_with(1001, &patient).unwrap(), &token, &access());
    assert!(open(&moved.unwrap()).unwrap_err().is_open_failure());
    let part = lacks().part("line", 1).unwrap().subject(&patient).unwrap();
    part.seal::<phi::Drug>(TEXT).unwrap();
    let (elsewhere, _) = insecure_keyring("pharmacy-18").unwrap().unobserved().create_subject_key("P-7").unwrap();
    assert_eq!(code(prescriptions.record_with(1001, &elsewhere)), "subject-mismatch");
}
