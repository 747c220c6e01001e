//! Index columns of the twin: what fills them, and what a row has after each change.

use rxseal::index::{Index, IndexSet, IndexValue, Kind};
use rxseal::phi::{BirthDate, FamilyName, Note, Phone};
use rxseal::{Class, Keyring, PhiRecord, SealedRecord};
use serde::{Deserialize, Serialize};

use crate::support::{access, keyring, round_trip};

#[derive(PhiRecord, PartialEq, Clone)]
#[phi(record = "patient", derive(Debug, PartialEq, Serialize, Deserialize))]
#[serde(rename_all = "camelCase")]
pub struct Patient {
    #[phi(id)]
    pub patient_id: String,
    #[phi(subject)]
    pub owner: Option<String>,
    #[phi(seal = BirthDate, index = BornOn, index = LastAndBorn as last_born_ix)]
    pub birth_date: String,
    #[phi(seal = FamilyName, index = LastAndBorn, index = LastNameIs, index = AnyName)]
    pub(crate) last_name: String,
    #[phi(seal = Option<Note>)]
    pub note: Option<String>,
    #[phi(nested, index = PhoneIs)]
    pub contact: Contact,
}

#[derive(PhiRecord, PartialEq, Clone)]
#[phi(nested, derive(Debug, PartialEq, Serialize, Deserialize))]
pub struct Contact {
    #[phi(seal = Option<Phone>)]
    pub phone: Option<String>,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
        pub LastAndBorn = "patient.lastdob": (family(last_name: FamilyName), date(birth_date: BirthDate)), bits 17;
        pub LastNameIs = "patient.last": family(last_name: FamilyName), bits 64, slots us_surnames_1 by record;
        pub AnyName = "patient.names": family_parts(last_name: FamilyName), bits 14;
        pub PhoneIs = "patient.phone": phone(contact.phone: Phone), bits 17;
    }
}

pub(crate) fn patient(id: &str) -> Patient {
    Patient {
        patient_id: id.to_owned(),
        owner: None,
        birth_date: "1970-01-31".to_owned(),
        last_name: "Smith".to_owned(),
        note: Some("Canary".to_owned()),
        contact: Contact { phone: Some("555-212-0100".to_owned()) },
    }
}

/// What an `Indexer` computes of the same record: the columns of the row must have it.
fn expect(keys: &Keyring, plain: &Patient, row: &SealedPatient) {
    let (indexer, record) = (keys.indexer().unwrap(), keys.record("patient", plain.patient_id.as_str()).unwrap());
    assert_eq!(row.born_on, indexer.stored::<BornOn>(&record, plain).unwrap());
    assert_eq!(row.last_born_ix, indexer.stored::<LastAndBorn>(&record, plain).unwrap());
    assert_eq!(row.last_name_is, indexer.stored::<LastNameIs>(&record, plain).unwrap());
    assert_eq!(row.any_name, indexer.stored::<AnyName>(&record, plain).unwrap());
    assert_eq!(row.phone_is, indexer.stored::<PhoneIs>(&record, plain).unwrap());
}

#[test]
fn sealing_fills_each_column() {
    let keys = keyring();
    let mut all = vec![patient("P-1"), patient("P-2")];
    all[1].last_name = "Smith-Jones".to_owned();
    for (plain, row) in all.iter().zip(keys.seal_all(&all).unwrap()) {
        expect(&keys, plain, &row);
        assert!(keys.open(&row.clone(), &access()).unwrap() == *plain);
    }
    let (first, second) = (keys.sealer().seal(&all[0]).unwrap(), keys.seal(&all[1]).unwrap());
    assert_eq!((first.born_on, first.phone_is), (second.born_on, second.phone_is));
    assert_ne!(first.last_born_ix, second.last_born_ix);
    assert_eq!((first.any_name.as_slice().len(), second.any_name.as_slice().len()), (1, 3));
}

#[test]
fn what_has_no_normal_form_is_null() {
    let keys = keyring();
    let mut plain = patient("P-1");
    (plain.contact.phone, plain.last_name) = (None, " ".to_owned());
    let row = keys.seal(&plain).unwrap();
    assert!(row.phone_is.is_none() && row.last_name_is.is_none() && row.last_born_ix.is_none());
    assert!(row.any_name.as_slice().is_empty() && row.born_on.is_some());
}

#[test]
fn the_twin_lists_its_columns() {
    let columns: Vec<_> =
        SealedPatient::INDEX_COLUMNS.iter().map(|column| (column.name(), column.index_id(), column.kind())).collect();
    let expected = [
        ("born_on", "patient.born", Kind::Whole),
        ("last_born_ix", "patient.lastdob", Kind::Compound),
        ("last_name_is", "patient.last", Kind::Whole),
        ("any_name", "patient.names", Kind::Parts),
        ("phone_is", "patient.phone", Kind::Whole),
    ];
    assert_eq!(columns, expected);
}

#[test]
fn setting_a_field_that_no_index_is_made_of_keeps_the_columns() {
    let keys = keyring();
    let row = keys.seal(&patient("P-1")).unwrap();
    let set = row.set::<Note>(&keys, &Some("seen".to_owned())).unwrap();
    assert_eq!(set.born_on, row.born_on);
    expect(&keys, &patient("P-1"), &set);
}

/// T64.
#[test]
fn a_reseal_keeps_index_values() {
    let keys = keyring();
    let row = keys.seal(&patient("P-1")).unwrap();
    let resealed = keys.reseal(&row).unwrap();
    assert_ne!(resealed.birth_date, row.birth_date);
    expect(&keys, &patient("P-1"), &resealed);
}

#[test]
fn a_rebound_row_has_the_values_of_the_record_that_it_became() {
    let keys = keyring();
    let row = keys.seal(&patient("P-1")).unwrap();
    let moved = keys.rebind(&row, |row| "P-2".clone_into(&mut row.patient_id), &access()).unwrap();
    expect(&keys, &patient("P-2"), &moved);
    // The slot is of the record: it may be the same by chance, 1 in 42.
    let values: std::collections::HashSet<_> = (0..8)
        .map(|at| keys.rebind(&row, |row| row.patient_id = format!("P-{at}"), &access()).unwrap().last_name_is)
        .collect();
    assert!(values.len() > 1 && moved.born_on == row.born_on);
}

/// T64: a slot is a person's.
#[test]
fn a_merged_patient_has_the_slots_of_the_one_that_remains() {
    let keys = keyring();
    let (first, _) = keys.create_subject_key("S-1").unwrap();
    let (second, _) = keys.create_subject_key("S-2").unwrap();
    let of = |subject: &str| Patient { owner: Some(subject.to_owned()), ..patient("P-1") };
    let both = [first, second];
    let with = keys.with_subjects(&both);
    let (row, expected) = (with.seal(&of("S-1")).unwrap(), with.seal(&of("S-2")).unwrap());
    let merged = with.rebind(&row, |row| row.owner = Some("S-2".to_owned()), &access()).unwrap();
    assert_eq!((merged.last_name_is, merged.born_on), (expected.last_name_is, expected.born_on));
    assert!(with.open(&merged, &access()).unwrap() == of("S-2"));
}

/// T64: nor does a person get a second slot because an indexer was given the record without its subject.
#[test]
fn a_record_struct_names_the_subject_whose_slot_it_is() {
    let keys = keyring();
    let subjects = [keys.create_subject_key("S-1").unwrap().0];
    let indexer = keys.indexer().unwrap();
    let slots: std::collections::HashSet<_> = (0..8)
        .map(|at| {
            let plain = Patient { owner: Some("S-1".to_owned()), ..patient(&format!("P-{at}")) };
            let row = keys.with_subjects(&subjects).seal(&plain).unwrap();
            let record = indexer.record("patient", plain.patient_id.as_str()).unwrap();
            assert_eq!(indexer.stored::<LastNameIs>(&record, &plain).unwrap(), row.last_name_is);
            indexer.verify::<LastNameIs>(&record, &plain, &row.last_name_is).unwrap();
            row.last_name_is
        })
        .collect();
    assert_eq!(slots.len(), 1, "8 records of one person");
}

/// T69.
#[test]
fn cleared_columns_hold_no_value() {
    let keys = keyring();
    let mut row = keys.seal(&patient("P-1")).unwrap();
    row.clear_indexes();
    assert!(
        row.born_on.is_none() && row.last_born_ix.is_none() && row.last_name_is.is_none() && row.phone_is.is_none()
    );
    assert!(row.any_name.as_slice().is_empty());
    assert!(keys.open(&row, &access()).is_ok(), "its tokens are as they were");
}

/// T68: a record without a list of indexes is sealed with any keyring, and one with indexes only where index roots are.
#[test]
fn a_keyring_without_index_roots_seals_no_record_with_indexes() {
    use rxseal::keys::UnlockOptions;
    let (roots, file) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    let unlock = |options| rxseal::run_local(Keyring::unlock_with(options, "pharmacy-17", &roots, &file)).unwrap();
    let without = unlock(UnlockOptions::default()).unobserved();
    let error = without.seal(&patient("P-1")).unwrap_err();
    assert_eq!(error.code().as_str(), "index-roots-missing");
    assert!(unlock(UnlockOptions::default().with_index_roots()).unobserved().seal(&patient("P-1")).is_ok());
}

/// T68.
#[test]
fn a_sealer_of_other_classes_computes_no_index() {
    let keys = keyring();
    let sealer = keys.sealer().only([Class::IDENTITY]);
    let error = sealer.seal(&patient("P-1")).unwrap_err();
    assert_eq!(error.code().as_str(), "class-locked");
}

#[test]
fn the_twin_is_stored_in_each_format() {
    let mut plain = patient("P-1");
    round_trip(&plain);
    (plain.contact.phone, plain.last_name) = (None, "Smith-Jones".to_owned());
    round_trip(&plain);
    let keys = keyring();
    let row = keys.seal(&plain).unwrap();

    let json = serde_json::to_value(&row).unwrap();
    assert_eq!(json["bornOn"], row.born_on.unwrap().to_string());
    assert!(json["phoneIs"].is_null());
    assert_eq!(json["anyName"].as_array().unwrap().len(), 3);
    assert_eq!(serde_json::from_value::<SealedPatient>(json).unwrap(), row);
    let bytes = postcard::to_stdvec(&row).unwrap();
    let value = row.born_on.unwrap();
    assert!(bytes.windows(value.as_bytes().len()).any(|window| window == value.as_bytes()));
    assert_eq!(postcard::from_bytes::<SealedPatient>(&bytes).unwrap(), row);
}

/// The index was added later: the row opens, and is not found.
#[test]
fn a_row_of_before_its_index_is_read() {
    let keys = keyring();
    let mut row = serde_json::to_value(keys.seal(&patient("P-1")).unwrap()).unwrap();
    for column in ["bornOn", "lastBornIx", "lastNameIs", "anyName", "phoneIs"] {
        assert!(row.as_object_mut().unwrap().remove(column).is_some());
    }
    let row: SealedPatient = serde_json::from_value(row).unwrap();
    assert!(row.born_on.is_none() && row.any_name.as_slice().is_empty());
    assert!(keys.open(&row, &access()).unwrap() == patient("P-1"));
}

#[test]
fn a_value_of_another_index_is_no_value_of_the_column() {
    let keys = keyring();
    let mut row = serde_json::to_value(keys.seal(&patient("P-1")).unwrap()).unwrap();
    row["bornOn"] = row["lastNameIs"].clone();
    let error = serde_json::from_value::<SealedPatient>(row).unwrap_err().to_string();
    assert!(!error.contains("1970") && !error.contains("Smith"), "{error}");
}

#[test]
fn what_cannot_be_normalised_is_refused_without_the_value() {
    let keys = keyring();
    let mut plain = patient("P-1");
    "01/02/1970".clone_into(&mut plain.birth_date);
    let error = keys.seal(&plain).unwrap_err();
    assert_eq!((error.code().as_str(), error.record_type()), ("not-indexable", Some("patient")));
    assert!(!format!("{error} {error:?}").contains("1970"));
}

/// An import stores what it gets, and counts what nobody will find.
#[test]
fn what_cannot_be_normalised_is_stored_with_null() {
    let keys = keyring();
    let mut plain = patient("P-1");
    "01/02/1970".clone_into(&mut plain.birth_date);
    let (row, refused) = keys.seal_or_null(&plain).unwrap();
    let refused: Vec<_> = refused.iter().map(|one| (one.index(), one.error().code().as_str())).collect();
    assert_eq!(refused, [("patient.born", "not-indexable"), ("patient.lastdob", "not-indexable")]);
    assert!(row.born_on.is_none() && row.last_born_ix.is_none() && row.last_name_is.is_some());
    assert!(keys.open(&row, &access()).unwrap() == plain);
    // Such a row can be merged too, and says again what nobody will find.
    let to_second = |row: &mut SealedPatient| "P-2".clone_into(&mut row.patient_id);
    let error = keys.rebind(&row, to_second, &access()).unwrap_err();
    assert_eq!((error.code().as_str(), error.index_id()), ("not-indexable", Some("patient.born")));
    let (moved, refused) = keys.rebind_or_null(&row, to_second, &access()).unwrap();
    assert!(moved.born_on.is_none() && moved.last_name_is.is_some());
    assert_eq!(
        refused.iter().map(rxseal::index::NotIndexed::index).collect::<Vec<_>>(),
        ["patient.born", "patient.lastdob"]
    );
    let (_, refused) = keys.sealer().seal_or_null(&patient("P-1")).unwrap();
    assert!(refused.is_empty());
}

/// What the rows are made of, as a person writes it.
#[test]
fn a_column_is_of_the_type_that_its_index_says() {
    fn is_column<I: Index>(_: &I::Stored) {}
    let row = keyring().seal(&patient("P-1")).unwrap();
    let _: &Option<IndexValue<BornOn>> = &row.born_on;
    let _: &IndexSet<AnyName> = &row.any_name;
    is_column::<PhoneIs>(&row.phone_is);
}
