//! Records with a tag: what makes a new one, and what is refused.

use rxseal::count::KeyCounts;
use rxseal::keys::KeyringAdmin;
use rxseal::phi::{Directions, Drug};
use rxseal::records::TaggedRecord;
use rxseal::schema::Schema;
use rxseal::store::{KeyringStore, MemoryStore};
use rxseal::testing::insecure_keyring_file;
use rxseal::{ErrorCode, Keyring, PhiRecord, RecordTag, SealedRecord, run_local};

use crate::support::{access, keyring};

rxseal::fields! {
    pub LineDrug = "line.drug" in Medication;
}

#[derive(PhiRecord, PartialEq)]
#[phi(record = "prescription", was = "rx", derive(Debug, PartialEq))]
struct Prescription {
    #[phi(id)]
    rx_number: u64,
    #[phi(subject)]
    patient: Option<String>,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Option<Directions>)]
    directions: Option<String>,
    #[phi(clear, bind = "rx.status")]
    status: String,
    #[phi(clear)]
    note: String,
    #[phi(part = "line")]
    lines: Vec<Line>,
    #[phi(record_tag)]
    tag: RecordTag,
}

#[derive(PhiRecord, PartialEq)]
#[phi(part, derive(Debug, PartialEq))]
struct Line {
    #[phi(id)]
    line_no: u32,
    #[phi(seal = LineDrug)]
    drug: String,
}

/// The same record as it was named before.
#[derive(PhiRecord)]
#[phi(record = "rx")]
struct Rx {
    #[phi(id)]
    rx_number: u64,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Option<Directions>)]
    directions: Option<String>,
    #[phi(clear, bind = "rx.status")]
    status: String,
    #[phi(part = "line")]
    lines: Vec<Line>,
    #[phi(record_tag)]
    tag: RecordTag,
}

/// Two columns of it.
#[derive(PhiRecord)]
#[phi(record = "prescription", projection)]
struct Label {
    #[phi(id)]
    rx_number: u64,
    #[phi(subject)]
    patient: Option<String>,
    #[phi(seal = Drug)]
    drug: String,
}

fn prescription() -> Prescription {
    Prescription {
        rx_number: 1001,
        patient: None,
        drug: "warfarin".into(),
        directions: Some("one daily".into()),
        status: "active".into(),
        note: "readable".into(),
        lines: vec![Line { line_no: 1, drug: "warfarin".into() }, Line { line_no: 2, drug: "aspirin".into() }],
        tag: RecordTag::new(),
    }
}

type Row = SealedPrescription;

/// What docs/RECORDS.md tells a service: how a bound field changes, how a record is replaced, and what a forgotten tag does.
#[test]
fn a_bound_field_is_changed_and_a_record_is_replaced() {
    let keys = keyring();
    let row = keys.seal(&prescription()).unwrap();
    let mut rx = keys.open(&row, &access()).unwrap();
    rx.status = "filled".into();
    let filled = keys.seal(&rx).unwrap();
    assert_eq!(keys.open(&filled, &access()).unwrap().status, "filled");

    let from_client = Prescription { tag: filled.tag, ..prescription() };
    assert_eq!(keys.seal(&from_client).unwrap().verified(&keys).unwrap().version(), 3);
    assert_eq!(keys.seal(&prescription()).unwrap().verified(&keys).unwrap().version(), 1);

    let set = row.set::<Directions>(&keys, &Some("two daily".into())).unwrap();
    for forgotten in [Row { tag: row.tag, ..set }, Row { status: "filled".into(), ..row.clone() }] {
        assert_eq!(keys.open(&forgotten, &access()).unwrap_err().code(), ErrorCode::TagRefused);
    }
}

/// A record as it was before its type had a tag.
#[derive(PhiRecord)]
#[phi(record = "order")]
struct Untagged {
    #[phi(id)]
    number: u64,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(clear)]
    status: String,
}

#[derive(PhiRecord)]
#[phi(record = "order")]
struct Tagged {
    #[phi(id)]
    number: u64,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(clear, bind = "order.status")]
    status: String,
    #[phi(record_tag)]
    tag: RecordTag,
}

/// A struct without the tag beside one with it would write rows that the other refuses.
#[test]
fn a_schema_has_one_struct_of_a_type() {
    let schema = Schema::new().with::<Tagged>().unwrap();
    assert_eq!(schema.record("order").unwrap().tag().unwrap().member(), "tag");
    assert_eq!(schema.with::<Untagged>().unwrap_err().code().as_str(), "invalid-schema");
}

/// What docs/RECORDS.md says of rows that exist when their type gets a tag.
#[test]
fn rows_that_exist_get_a_tag() {
    let keys = keyring();
    let old = keys.seal(&Untagged { number: 7, drug: "warfarin".into(), status: "active".into() }).unwrap();
    let SealedUntagged { number, drug, status } = old.clone();
    let without = SealedTagged { number, drug, status, tag: RecordTag::new() };
    assert_eq!(keys.open(&without, &access()).unwrap_err().code(), ErrorCode::TagMissing);

    let Untagged { number, drug, status } = keys.open(&old, &access()).unwrap();
    let row = keys.seal(&Tagged { number, drug, status, tag: RecordTag::new() }).unwrap();
    assert_eq!(row.verified(&keys).unwrap().version(), 1);
    assert_eq!(keys.open(&row, &access()).unwrap().drug, "warfarin");
}

#[test]
fn every_way_of_writing_makes_the_next_tag() {
    let keys = keyring();
    let row = keys.seal(&prescription()).unwrap();
    assert_eq!(row.verified(&keys).unwrap().version(), 1);
    row.check(&keys).unwrap();

    let set = row.set::<Directions>(&keys, &Some("two daily".into())).unwrap();
    assert_eq!(set.verified(&keys.opener().only([])).unwrap().version(), 2);
    assert_ne!(set.tag, row.tag);
    let opened = keys.open(&set, &access()).unwrap();
    assert_eq!(opened.directions.as_deref(), Some("two daily"));

    // What was opened is sealed again: the version after that one.
    let again = keys.seal(&opened).unwrap();
    assert_eq!(again.verified(&keys).unwrap().version(), 3);
    assert_eq!(keys.reseal(&again).unwrap().verified(&keys).unwrap().version(), 4);
    let moved = keys.rebind(&again, |row| row.rx_number = 1002, &access()).unwrap();
    assert_eq!(moved.verified(&keys).unwrap().version(), 4);
    assert_eq!(keys.open(&moved, &access()).unwrap().rx_number, 1002);
    // What is not bound may change.
    let mut noted = row.clone();
    noted.note = "changed".into();
    keys.open(&noted, &access()).unwrap();

    assert_eq!(again.verified(&keys).unwrap().min_version(3).unwrap().version(), 3);
    let error = row.verified(&keys).unwrap().min_version(2).unwrap_err();
    assert_eq!((error.code(), error.record_type()), (ErrorCode::TagTooOld, Some("prescription")));
}

#[test]
fn nothing_is_built_on_a_broken_record() {
    let keys = keyring();
    let row = keys.seal(&prescription()).unwrap();
    let newer = row.set::<Directions>(&keys, &Some("two daily".into())).unwrap();
    let mut broken: Vec<Row> = vec![
        Row { directions: row.directions.clone(), ..newer.clone() },
        Row { directions: None, ..newer.clone() },
        Row { status: "cancelled".into(), ..newer.clone() },
        Row { lines: newer.lines[..1].to_vec(), ..newer.clone() },
        Row { tag: row.tag, ..newer.clone() },
        Row { rx_number: 1002, ..newer.clone() },
    ];
    let untagged = Row { tag: RecordTag::new(), ..newer.clone() };
    for (row, code) in
        broken.drain(..).map(|row| (row, ErrorCode::TagRefused)).chain([(untagged, ErrorCode::TagMissing)])
    {
        let results = [
            row.verified(&keys).map(drop),
            row.check(&keys),
            keys.open(&row, &access()).map(drop),
            keys.open_all([&row], &access()).remove(0).map(drop),
            row.set::<Drug>(&keys, &"heparin".into()).map(drop),
            keys.reseal(&row).map(drop),
            keys.reseal_all([&row]).remove(0).map(drop),
            keys.rebind(&row, |row| row.rx_number += 1, &access()).map(drop),
        ];
        for (at, result) in results.into_iter().enumerate() {
            let error = result.unwrap_err();
            assert_eq!((error.code(), error.record_type()), (code, Some("prescription")), "call {at}");
        }
    }
    // Field by field it still opens where it is bound.
    let torn = Row { directions: row.directions.clone(), ..newer };
    assert_eq!(keys.open_unverified(&torn, &access()).unwrap().directions.as_deref(), Some("one daily"));
    assert!(keys.open_all_unverified([&torn], &access()).remove(0).is_ok());
}

#[test]
fn a_projection_opens_without_its_tag() {
    let keys = keyring();
    let row = keys.seal(&prescription()).unwrap();
    let label = SealedLabel { rx_number: row.rx_number, patient: None, drug: row.drug.clone() };
    assert_eq!(keys.opener().open_unverified(&label, &access()).unwrap().drug, "warfarin");
    let elsewhere = SealedLabel { rx_number: 1002, ..label };
    assert_eq!(keys.open_unverified(&elsewhere, &access()).unwrap_err().code(), ErrorCode::OpenFailed);
}

#[test]
fn a_renamed_record_type_keeps_its_tags() {
    let keys = keyring();
    let Prescription { rx_number, drug, directions, status, lines, tag, .. } = prescription();
    let old = keys.seal(&Rx { rx_number, drug, directions, status, lines, tag }).unwrap();
    let SealedRx { rx_number, drug, directions, status, lines, tag } = old;
    let row = Row { rx_number, patient: None, drug, directions, status, note: String::new(), lines, tag };
    row.check(&keys).unwrap();
    let opened = keys.open(&row, &access()).unwrap();
    assert_eq!((opened.drug.as_str(), opened.lines[1].drug.as_str()), ("warfarin", "aspirin"));
    // The token of the present type and those of the former one are one record.
    let mixed = row.set::<Directions>(&keys, &None).unwrap();
    assert!(keys.open(&mixed, &access()).unwrap().directions.is_none());
    let resealed = keys.reseal(&mixed).unwrap();
    let reader = keys.record("prescription", 1001).unwrap().opened_by(&access());
    assert!(mixed.drug.open(&reader).is_err());
    assert_eq!(resealed.drug.open(&reader).unwrap(), "warfarin");
    assert_eq!(resealed.verified(&keys).unwrap().version(), 3);
}

#[test]
fn a_tag_is_bound_to_the_subject() {
    let keys = keyring();
    let (jane, _) = keys.create_subject_key("P-7").unwrap();
    let (joe, _) = keys.create_subject_key("P-8").unwrap();
    let both = [jane, joe];
    let keys_of = keys.with_subjects(&both);
    let row = keys_of.seal(&Prescription { patient: Some("P-7".into()), ..prescription() }).unwrap();
    // Verifying needs no key of the subject.
    assert_eq!(row.verified(&keys).unwrap().version(), 1);
    let joes = Row { patient: Some("P-8".into()), ..row.clone() };
    assert_eq!(joes.verified(&keys).unwrap_err().code(), ErrorCode::TagRefused);
    assert_eq!(keys_of.open(&joes, &access()).unwrap_err().code(), ErrorCode::TagRefused);
    let moved = keys_of.rebind(&row, |row| row.patient = Some("P-8".into()), &access()).unwrap();
    assert_eq!(keys_of.open(&moved, &access()).unwrap().drug, "warfarin");
}

#[test]
fn a_tag_moves_to_the_new_key() {
    let (roots, first) = insecure_keyring_file("pharmacy-17").unwrap();
    let store = MemoryStore::default();
    run_local(store.put(&first, None)).unwrap();
    let old = run_local(Keyring::unlock("pharmacy-17", &roots, &first)).unwrap().unobserved();
    let row = old.seal(&prescription()).unwrap();
    let (stored, new_key) = run_local(KeyringAdmin::new(store, roots.clone()).rotate("pharmacy-17")).unwrap();
    let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &stored)).unwrap().unobserved();
    assert!(row.needs_reseal(&keys).unwrap());
    // One field was written under the new key. The tag and the others are under the old one.
    let set = row.set::<Drug>(&keys, &"heparin".into()).unwrap();
    assert_eq!(set.tag.key_id(), Some(new_key));
    assert!(set.needs_reseal(&keys).unwrap());
    let resealed = keys.reseal(&set).unwrap();
    assert!(!resealed.needs_reseal(&keys).unwrap());
    let mut counts = KeyCounts::default();
    counts.add_record(&row).unwrap();
    counts.add_record(&resealed).unwrap();
    // Drug, directions, two lines and the tag.
    assert_eq!((counts.of(old.primary_key()), counts.of(new_key), counts.not_tokens()), (5, 5, 0));
    assert_eq!(keys.open(&resealed, &access()).unwrap().drug, "heparin");
}
