//! Tokens that stand where they were not sealed.

use rxseal::phi::{Directions, Drug, Note, PatientName};
use rxseal::{PhiRecord, SealedRecord};

use crate::support::{access, keyring};

rxseal::fields! {
    LineDrug = "line.drug" in Medication;
}

#[derive(PhiRecord, PartialEq)]
#[phi(record = "prescription", derive(Debug))]
struct Prescription {
    #[phi(id)]
    store: u32,
    #[phi(id)]
    number: u64,
    #[phi(subject)]
    patient: Option<String>,
    #[phi(seal = PatientName)]
    name: String,
    #[phi(seal = Option<Directions>)]
    directions: Option<String>,
    #[phi(part = "line")]
    lines: Vec<Line>,
    #[phi(part = "spare")]
    spare: Option<Line>,
    #[phi(nested)]
    remark: Remark,
}

#[derive(PhiRecord, PartialEq)]
#[phi(part, derive(Debug))]
struct Line {
    #[phi(id)]
    number: u32,
    #[phi(seal = LineDrug)]
    drug: String,
}

#[derive(PhiRecord, PartialEq)]
#[phi(nested, derive(Debug))]
struct Remark {
    #[phi(seal = Note)]
    note: String,
}

#[derive(PhiRecord, PartialEq)]
#[phi(record = "refill", derive(Debug))]
struct Refill {
    #[phi(id)]
    number: u64,
    #[phi(seal = Drug)]
    drug: String,
}

#[derive(PhiRecord, PartialEq)]
#[phi(record = "return", derive(Debug))]
struct Return {
    #[phi(id)]
    number: u64,
    #[phi(seal = Drug)]
    drug: String,
}

fn prescription(number: u64) -> Prescription {
    let line = |line| Line { number: line, drug: format!("Canary {number} {line}") };
    Prescription {
        store: 1,
        number,
        patient: None,
        name: format!("Canary {number}"),
        directions: Some(format!("Canary {number}")),
        lines: vec![line(1), line(2)],
        spare: Some(line(1)),
        remark: Remark { note: format!("Canary {number}") },
    }
}

type Change = fn(&mut SealedPrescription, &mut SealedPrescription);

#[test]
fn nothing_opens_where_it_was_not_sealed() {
    let changes: &[(&str, Change)] = &[
        ("the names of two records", |one, other| std::mem::swap(&mut one.name, &mut other.name)),
        ("the directions of two records", |one, other| one.directions = other.directions.clone()),
        ("the drugs of two lines", |one, _| {
            let drug = one.lines[0].drug.clone();
            one.lines[0].drug = one.lines[1].drug.clone();
            one.lines[1].drug = drug;
        }),
        ("the drugs of two records' lines", |one, other| one.lines[0].drug = other.lines[0].drug.clone()),
        ("a line and a spare line of one id", |one, _| {
            one.spare.as_mut().unwrap().drug = one.lines[0].drug.clone();
        }),
        ("the notes of two records", |one, other| one.remark = other.remark.clone()),
        ("the record's number", |one, _| one.number += 1),
        ("a part of the record's id", |one, _| one.store += 1),
        ("a line's number", |one, _| one.lines[0].number = 3),
        ("a subject that was not there", |one, _| one.patient = Some("P-7".into())),
    ];
    let keys = keyring();
    let (key, _) = keys.create_subject_key("P-7").unwrap();
    let keys = keys.with_subjects(&key);
    for (what, change) in changes {
        let mut rows = keys.seal_all(&[prescription(1), prescription(2)]).unwrap();
        let [one, other] = rows.as_mut_slice() else { panic!("two rows") };
        assert!(keys.open(one, &access()).is_ok() && one.check(&keys).is_ok());
        change(one, other);
        let error = keys.open(one, &access()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("Canary"), "{what}: {error}");
        assert!(one.check(&keys).is_err(), "{what}");
    }
}

#[test]
fn nothing_opens_as_another_record_type() {
    let keys = keyring();
    let refill = keys.seal(&Refill { number: 7, drug: "Canary".into() }).unwrap();
    let other = SealedReturn { number: 7, drug: refill.drug };
    assert!(keys.open(&other, &access()).is_err());
}

#[test]
fn nothing_opens_with_another_subject() {
    let keys = keyring();
    let (seven, _) = keys.create_subject_key("P-7").unwrap();
    let (eight, _) = keys.create_subject_key("P-8").unwrap();
    let mut rx = prescription(1);
    rx.patient = Some("P-7".into());
    let mut row = keys.with_subjects(&seven).seal(&rx).unwrap();
    assert!(keys.with_subjects(&seven).open(&row, &access()).unwrap() == rx);
    row.patient = Some("P-8".into());
    assert!(keys.with_subjects(&eight).open(&row, &access()).is_err());
}

#[test]
fn one_field_is_set_alone() {
    let keys = keyring();
    let row = keys.seal(&prescription(1)).unwrap();
    let new = row.set::<Directions>(&keys, &Some("two daily".into())).unwrap();
    assert_eq!(new.name, row.name, "the other tokens pass through");
    let opened = keys.open(&new, &access()).unwrap();
    assert_eq!(opened.directions.as_deref(), Some("two daily"));
    assert_eq!(opened.name, "Canary 1");
    assert_eq!(keys.open(&new.set::<Directions>(&keys, &None).unwrap(), &access()).unwrap().directions, None);
}

#[test]
fn debug_of_the_struct_hides_what_is_sealed() {
    let text = format!("{:?}", prescription(7));
    assert!(!text.contains("Canary"), "{text}");
    let start = "Prescription { store: 1, number: 7, patient: None, name: [PHI phi.patient.name], directions: [PHI phi.rx.directions], \
                 lines: [Line { number: 1, drug: [PHI line.drug] }";
    assert!(text.starts_with(start), "{text}");
}
