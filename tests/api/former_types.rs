//! Proves what `Record::was` promises (FORMAT 4.8): what was sealed under a former record type opens in every call, nothing is sealed
//! under one, and what does not open fails as if there were none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rxseal::observe::{Observer, OpenEvent};
use rxseal::page::{open_page, reseal_page};
use rxseal::{Access, Each, Error, Keyring, Parts, Phi, Purpose, Record, Sealed, Sealing, Token, testing};
use serde::{Deserialize, Serialize};

rxseal::fields! {
    Drug = "former.drug" in Medication;
    Note = "former.note" in Clinical;
    Allergy = "former.allergy" in Clinical;
    Dose = "former.dose" in Medication;
}
mod before {
    rxseal::fields! { pub Remark = "former.remark" in Identity; }
}
mod now {
    rxseal::fields! { pub Remark = "former.comment" in Clinical, was "former.remark" in Identity; }
}

const TEXT: &str = "warfarin 5 MG";

/// Fields, former types and former pairs of each event.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<[usize; 3]>>>);

impl Observer for Heard {
    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        self.0.lock().unwrap().push([event.fields(), event.former_types(), event.former_fields()]);
        Ok(())
    }
}

impl Heard {
    fn take(&self) -> Vec<[usize; 3]> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn keyring() -> (Keyring, Heard) {
    let heard = Heard::default();
    (testing::insecure_keyring("pharmacy-17").unwrap().observed_by(heard.clone()), heard)
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

/// A kind of context: its name, and how it is made from a plain record.
type Kind = (&'static str, Box<dyn Fn(Record) -> Record>);

/// The contexts that a record can have.
fn contexts(keys: &Keyring) -> Vec<Kind> {
    let [(subject, _), (other, _)] = ["P-7", "P-8"].map(|id| keys.create_subject_key(id).unwrap());
    vec![
        ("plain", Box::new(|record| record)),
        ("wide", Box::new(Record::wide)),
        ("part", Box::new(|record| record.part("line", 1).unwrap())),
        ("part of a part", Box::new(|record| record.part("line", 1).unwrap().part("fill", 2).unwrap())),
        ("subject", Box::new(move |record| record.subject(&subject).unwrap())),
        ("part with a subject", Box::new(move |record| record.part("line", 1).unwrap().subject(&other).unwrap())),
    ]
}

#[test]
fn a_token_of_a_former_type_opens_in_every_context() {
    let (keys, heard) = keyring();
    for (name, context) in contexts(&keys) {
        let old = context(keys.record("rx", 1001).unwrap());
        let oldest = context(keys.record("script", 1001).unwrap());
        let present = keys.record("prescription", 1001).unwrap();
        let derived_after = context(present.was("rx").unwrap().was("script").unwrap());
        let present = context(keys.record("prescription", 1001).unwrap());
        let derived_before = present.was("rx").unwrap().was("script").unwrap();
        for record in [derived_after, derived_before] {
            assert_eq!(record.record_type(), "prescription");
            for (from, former) in [(&record, 0), (&old, 1), (&oldest, 1)] {
                let token = from.seal::<Drug>(TEXT).unwrap();
                let opened: String = record.opened_by(&access()).open::<Drug, _>(&token).unwrap();
                assert_eq!(opened, TEXT, "{name}");
                assert_eq!(heard.take(), [[1, former, 0]], "{name}");
            }
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Row {
    drug: Phi<String, Drug>,
    #[serde(with = "Sealing::<Each<Allergy>>")]
    allergies: Vec<String>,
    #[serde(with = "Sealing::<Parts<Dose>>")]
    doses: BTreeMap<u8, u32>,
}

#[test]
fn every_call_opens_it() {
    let (keys, heard) = keyring();
    let old = keys.record("rx", 1001).unwrap();
    let record = keys.record("prescription", 1001).unwrap().was("rx").unwrap();
    let reader = record.opened_by(&access());
    let token = old.seal::<Drug>(TEXT).unwrap();
    let text = token.to_string();

    assert_eq!(reader.open_text::<Drug, String>(&text).unwrap(), TEXT);
    assert_eq!(Sealed::<String, Drug>::from(token.clone()).open(&reader).unwrap(), TEXT);
    assert_eq!(reader.open_compromised::<Drug, String>(&token).unwrap().expose_not_authentic(), TEXT);
    assert_eq!(reader.nested_keys::<Drug>(&token).unwrap(), []);
    assert_eq!(heard.take(), [[1, 1, 0]; 4]);

    reader
        .open_fields(|pass| {
            assert_eq!(pass.open::<Drug, String>(&token)?, TEXT);
            assert_eq!(pass.open_text::<Drug, String>(&text)?, TEXT);
            let mut out = b"<".to_vec();
            pass.open_into::<Drug>(token.as_bytes(), &mut out)?;
            assert_eq!(out, [b"<", TEXT.as_bytes()].concat());
            let mut buffer = token.as_bytes().to_vec();
            pass.open_in_place::<Drug>(&mut buffer)?;
            assert_eq!(buffer, TEXT.as_bytes());
            assert_eq!(
                pass.open_by_id::<String>(rxseal::FieldId::new("former.drug"), rxseal::Class::MEDICATION, &token)?,
                TEXT
            );
            Ok(())
        })
        .unwrap();
    assert_eq!(heard.take(), [[5, 5, 0]]);
    let page = open_page(&[record.part("line", 1).unwrap(), record], &access(), |at, pass| {
        if at == 0 { Ok(String::new()) } else { pass.open::<Drug, String>(&token) }
    });
    assert_eq!(page.unwrap(), ["", TEXT]);
    assert_eq!(heard.take(), [[1, 1, 0]]);

    let row = Row {
        drug: TEXT.to_owned().into(),
        allergies: vec!["penicillin".to_owned(), "latex".to_owned()],
        doses: BTreeMap::from([(1, 5), (2, 10)]),
    };
    let json = serde_json::to_string(&old.sealing(&row)).unwrap();
    let read: Row = reader.run_opening(|| serde_json::from_str(&json)).unwrap();
    assert_eq!((read.drug.expose_phi().as_str(), read.allergies.len(), read.doses[&2]), (TEXT, 2, 10));
    assert_eq!(heard.take(), [[5, 5, 0]]);
}

#[test]
fn resealing_and_rebinding_move_it_to_the_present_type() {
    let (keys, _) = keyring();
    let old = keys.record("rx", 1001).unwrap();
    let present = keys.record("prescription", 1001).unwrap();
    let record = keys.record("prescription", 1001).unwrap().was("rx").unwrap();
    let token = old.seal::<Drug>(TEXT).unwrap();
    let is_present = |token: &Token| {
        assert_eq!(present.opened_by(&access()).open::<Drug, String>(token).unwrap(), TEXT);
        old.opened_by(&access()).open::<Drug, String>(token).unwrap_err();
    };
    is_present(&record.seal::<Drug>(TEXT).unwrap());
    is_present(&record.reseal::<Drug>(&token).unwrap());
    is_present(&record.reseal_fields(|pass| pass.reseal_text::<Drug>(&token.to_string())).unwrap().parse().unwrap());
    let record = [record];
    is_present(&reseal_page(&record, |_, pass| pass.reseal::<Drug>(&token)).unwrap()[0]);
    let other = keys.record("prescription", 1002).unwrap();
    let moved = record[0].rebind::<Drug>(&other, &token, &access()).unwrap();
    assert_eq!(other.opened_by(&access()).open::<Drug, String>(&moved).unwrap(), TEXT);
    let json = serde_json::to_string(&record[0].sealing(&Phi::<_, Drug>::new(TEXT.to_owned()))).unwrap();
    is_present(&serde_json::from_str::<String>(&json).unwrap().parse().unwrap());
}

#[test]
fn each_context_is_tried_with_the_fields_own_pairs() {
    let (keys, heard) = keyring();
    let old = keys.record("rx", 1001).unwrap().seal::<before::Remark>(TEXT).unwrap();
    let record = keys.record("prescription", 1001).unwrap().was("script").unwrap().was("rx").unwrap();
    assert_eq!(record.opened_by(&access()).open::<now::Remark, String>(&old).unwrap(), TEXT);
    assert_eq!(heard.take(), [[1, 1, 1]]);
    let renamed = keys.record("prescription", 1001).unwrap().seal::<before::Remark>(TEXT).unwrap();
    assert_eq!(record.opened_by(&access()).open::<now::Remark, String>(&renamed).unwrap(), TEXT);
    assert_eq!(heard.take(), [[1, 0, 1]]);
    // A former pair of a class that the handle lacks stays closed.
    let opener = keys.opener().only([rxseal::Class::CLINICAL]);
    let limited = opener.record("prescription", 1001).unwrap().was("rx").unwrap();
    assert!(limited.opened_by(&access()).open::<now::Remark, String>(&old).unwrap_err().is_open_failure());
}

#[test]
fn what_does_not_open_fails_as_without_former_types() {
    let (keys, heard) = keyring();
    let plain = keys.record("prescription", 1001).unwrap();
    let record = keys.record("prescription", 1001).unwrap().was("rx").unwrap();
    let of = |record_type: &str, id: u32| keys.record(record_type, id).unwrap().seal::<Drug>(TEXT).unwrap();
    let mut forged = of("rx", 1001).as_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let other_keyring = testing::insecure_keyring("pharmacy-18").unwrap().unobserved();
    let tokens = [
        of("rx", 1002),
        of("prescription", 1002),
        of("refill", 1001),
        keys.record("rx", 1001).unwrap().seal::<Note>(TEXT).unwrap(),
        keys.record("rx", 1001).unwrap().part("line", 1).unwrap().seal::<Drug>(TEXT).unwrap(),
        keys.unbound("rx").unwrap().seal::<Drug>(TEXT).unwrap(),
        Token::try_from(forged.as_slice()).unwrap(),
        other_keyring.record("rx", 1001).unwrap().seal::<Drug>(TEXT).unwrap(),
    ];
    for token in tokens {
        let failed = |record: &Record| {
            let error = record.opened_by(&access()).open::<Drug, String>(&token).unwrap_err();
            let mut buffer = token.as_bytes().to_vec();
            record.opened_by(&access()).open_fields(|pass| pass.open_in_place::<Drug>(&mut buffer)).unwrap_err();
            assert_eq!(buffer, token.as_bytes(), "as it was");
            (error.code(), error.to_string(), format!("{error:?}"))
        };
        assert_eq!(failed(&record), failed(&plain));
    }
    assert!(heard.take().iter().all(|event| *event == [0, 0, 0]));
    // One that opens and is no text is put back as the token it was.
    let number = keys.record("rx", 1001).unwrap().seal::<Drug>(&vec![7_u8]).unwrap();
    let mut buffer = number.as_bytes().to_vec();
    let error = record.opened_by(&access()).open_fields(|pass| pass.open_in_place::<Drug>(&mut buffer)).unwrap_err();
    assert_eq!((error.code().as_str(), buffer.as_slice()), ("type-mismatch", number.as_bytes()));
}

#[test]
fn a_former_type_is_a_name_of_its_own_and_there_are_four() {
    let (keys, _) = keyring();
    let record = || keys.record("prescription", 1001).unwrap();
    let refused = |result: Result<Record, Error>| {
        let error = result.unwrap_err();
        assert_eq!(error.code().as_str(), "invalid-id");
        error.to_string()
    };
    refused(record().was(""));
    refused(record().was("Rx 7"));
    assert!(refused(record().was("prescription")).contains("former record type"));
    assert!(refused(record().was("rx").unwrap().was("rx")).contains("named twice"));
    let four = ["a", "b", "c", "d"].into_iter().try_fold(record(), Record::was).unwrap();
    let token = keys.record("d", 1001).unwrap().seal::<Drug>(TEXT).unwrap();
    assert_eq!(four.opened_by(&access()).open::<Drug, String>(&token).unwrap(), TEXT);
    // Its reader keeps the former types while the record gets one more.
    let reader = four.opened_by(&access());
    assert!(refused(four.was("e")).contains("at most 4"));
    assert_eq!(reader.open::<Drug, String>(&token).unwrap(), TEXT);
}
