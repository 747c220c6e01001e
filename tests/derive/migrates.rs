//! Fields whose columns are being migrated: one value, one that may be absent, a list and a map.

use std::collections::BTreeMap;

use rxseal::migrating::{Read, ReadThrough};
use rxseal::records::Migrates;
use rxseal::schema::{Schema, Shape};
use rxseal::{Each, ErrorCode, Keyring, Parts, PhiRecord};
use serde_json::{Value, json};

use crate::support::{access, keyring as keys};

rxseal::fields! {
    Drug = "mig.drug" in Medication;
    Note = "mig.note" in Medication;
    Hidden = "mig.hidden" in Medication;
    Tag = "mig.tag" in Medication;
    Answer = "mig.answer" in Medication;
}

#[derive(PhiRecord)]
#[phi(record = "mig.rx", derive(serde::Serialize, serde::Deserialize))]
struct Rx {
    #[phi(id)]
    number: u64,
    #[phi(seal = Migrates<Drug>)]
    drug: String,
    #[phi(seal = Option<Migrates<Note>>)]
    note: Option<String>,
    #[phi(seal = Migrates<Hidden>)]
    hidden: Option<String>,
    #[phi(seal = Each<Migrates<Tag>>)]
    tags: Vec<String>,
    #[phi(seal = Parts<Migrates<Answer>>)]
    answers: BTreeMap<String, String>,
}

/// The same after the migration.
#[derive(PhiRecord)]
#[phi(record = "mig.rx", derive(serde::Serialize, serde::Deserialize))]
struct Strict {
    #[phi(id)]
    number: u64,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Option<Note>)]
    note: Option<String>,
    #[phi(seal = Hidden)]
    hidden: Option<String>,
    #[phi(seal = Each<Tag>)]
    tags: Vec<String>,
    #[phi(seal = Parts<Answer>)]
    answers: BTreeMap<String, String>,
}

fn permitted(keys: &Keyring, write_plain: bool) -> Keyring {
    let permit = ReadThrough::until(2099, 3, 1, "CHG-1234").unwrap();
    let permit = if write_plain { permit.write_plain() } else { permit };
    let keys = keys.read_through::<Drug>(&permit).read_through::<Note>(&permit);
    keys.read_through::<Hidden>(&permit).read_through::<Tag>(&permit).read_through::<Answer>(&permit)
}

fn plain(hidden: &Value) -> Value {
    json!({
        "number": 7, "drug": "warfarin", "note": null, "hidden": hidden, "tags": ["a", "b"], "answers": {"q1": "yes", "q2": "no"},
    })
}

#[test]
fn a_row_of_plaintext_is_opened_and_sealed() {
    for hidden in [Value::Null, json!("seen")] {
        let keys = permitted(&keys(), false);
        let old: SealedRx = serde_json::from_value(plain(&hidden)).unwrap();
        let rx = keys.open(&old, &access()).unwrap();
        assert_eq!(rx.hidden.as_deref(), hidden.as_str());
        assert_eq!(
            (rx.drug.as_str(), rx.note.as_deref(), rx.tags.as_slice()),
            ("warfarin", None, ["a", "b"].map(String::from).as_slice())
        );
        let new = serde_json::to_value(keys.seal(&rx).unwrap()).unwrap();
        for cell in [&new["drug"], &new["hidden"], &new["tags"][0], &new["tags"][1], &new["answers"]["q1"]] {
            assert!(cell.as_str().unwrap().starts_with("rxs"), "{cell}");
        }
        assert_eq!(new["note"], Value::Null);
        // Programs read both, and at the end the types that read no plaintext.
        let row: SealedRx = serde_json::from_value(new.clone()).unwrap();
        let strict: SealedStrict = serde_json::from_value(new).unwrap();
        let (one, other) = (keys.open(&row, &access()).unwrap(), keys.open(&strict, &access()).unwrap());
        assert_eq!(
            (&one.drug, &one.note, &one.hidden, &one.tags, &one.answers),
            (&other.drug, &other.note, &other.hidden, &other.tags, &other.answers)
        );
        assert_eq!(one.answers["q2"], "no");
        assert!(keys.reseal(&row).is_ok());
        let reader = keys.record_of(&row).unwrap().opened_by(&access());
        let read: Read<Option<String>> = row.hidden.as_ref().unwrap().read_or_null(&reader).unwrap();
        assert!(!read.is_plain());
        assert_eq!(read.expose_value().as_deref(), hidden.as_str());
    }
}

#[test]
fn without_a_permit_nothing_is_read_not_even_an_absence() {
    let keys = keys();
    let permitted = permitted(&keys, false);
    let row = |cells: Value| -> SealedRx { serde_json::from_value(cells).unwrap() };
    let whole = permitted.seal(&permitted.open(&row(plain(&Value::Null)), &access()).unwrap()).unwrap();
    let whole = serde_json::to_value(whole).unwrap();
    for (member, cell) in [
        ("drug", json!("warfarin")),
        ("hidden", Value::Null),
        ("hidden", json!("seen")),
        ("tags", json!([whole["tags"][0], "b"])),
        ("answers", json!({"q1": "yes"})),
    ] {
        let mut cells = whole.clone();
        cells[member] = cell;
        let row = row(cells);
        let error = keys.open(&row, &access()).map(drop).unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotAToken, "{member}");
        // No tool takes plaintext for a token.
        assert_eq!(keys.reseal(&row).map(drop).unwrap_err().code(), ErrorCode::NotAToken, "{member}");
        let rx = permitted.open(&row, &access()).unwrap();
        assert!(permitted.seal(&rx).is_ok());
    }
}

#[test]
fn in_the_first_step_plaintext_is_written_as_it_was() {
    for hidden in [Value::Null, json!("seen")] {
        let keys = permitted(&keys(), true);
        let row: SealedRx = serde_json::from_value(plain(&hidden)).unwrap();
        let row = keys.seal(&keys.open(&row, &access()).unwrap()).unwrap();
        assert_eq!(serde_json::to_value(row).unwrap(), plain(&hidden));
    }
}

#[test]
fn the_schema_is_that_of_the_strict_struct() {
    let of = |schema: Schema| {
        let fields = schema.record("mig.rx").unwrap().fields().to_vec();
        fields
            .iter()
            .map(|field| (field.id(), field.shape(), field.is_optional(), field.seals_null(), field.content()))
            .collect::<Vec<_>>()
    };
    let migrating = of(Schema::new().with::<Rx>().unwrap());
    assert_eq!(migrating, of(Schema::new().with::<Strict>().unwrap()));
    assert_eq!((migrating[2].3, migrating[3].1, migrating[4].1), (true, Shape::Each, Shape::Parts));
}
