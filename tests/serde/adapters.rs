//! Proves that `Sealing<F>` works as an adapter of serde_with and around its other adapters, and that none of them
//! weakens the rules: no value without a scope (T34, T35); a field id once in a record (FORMAT 4.5, T14); a refusal
//! that serde_with swallows still fails the reading (T17); plaintext only in the plaintext scopes (T46).

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use rxseal::phi::{Allergy, Diagnosis, Directions, Drug, Note, PatientName, Strength};
use rxseal::{Access, Each, Error, Keyring, Parts, Purpose, Record, Sealing, accept_plaintext, expose_plaintext};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_with::{DefaultOnError, Same, serde_as};

#[serde_as]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Everything {
    #[serde_as(as = "Sealing<PatientName>")]
    name: String,
    #[serde_as(as = "Option<Sealing<Directions>>")]
    directions: Option<String>,
    #[serde_as(as = "Sealing<Option<Strength>>")]
    strength: Option<u16>,
    #[serde_as(as = "Rc<Sealing<Drug>>")]
    drug: Rc<String>,
    #[serde_as(as = "Sealing<Allergy>")]
    allergies: Vec<String>,
    #[serde_as(as = "Sealing<Each<Diagnosis>>")]
    diagnoses: Vec<String>,
    #[serde_as(as = "Option<Arc<Sealing<Parts<Note>>>>")]
    notes: Option<Arc<BTreeMap<u32, String>>>,
}

const CANARIES: [&str; 7] =
    ["Canary-Name", "Canary-Sig", "4711", "Canary-Drug", "Canary-Nuts", "Canary-I10", "Canary-Note"];

fn everything() -> Everything {
    Everything {
        name: CANARIES[0].into(),
        directions: Some(CANARIES[1].into()),
        strength: Some(4711),
        drug: Rc::new(CANARIES[3].into()),
        allergies: vec![CANARIES[4].into(); 2],
        diagnoses: vec![CANARIES[5].into(); 2],
        notes: Some(Arc::new(BTreeMap::from([(1, CANARIES[6].into()), (2, CANARIES[6].into())]))),
    }
}

#[test]
fn every_composition_round_trips_as_tokens() {
    let rec = record();
    for value in [everything(), Everything::default()] {
        let json = seal(&rec, &value).unwrap();
        assert!(CANARIES.iter().all(|canary| !json.contains(canary)), "plaintext was written");
        assert!(open::<Everything>(&rec, &json).unwrap() == value);

        let mut cbor = Vec::new();
        rec.run_sealing(|| ciborium::into_writer(&value, &mut cbor)).unwrap();
        let read: Everything = rec.opened_by(&access()).run_opening(|| ciborium::from_reader(&cbor[..])).unwrap();
        assert!(read == value);
        let postcard = rec.run_sealing(|| postcard::to_stdvec(&value)).unwrap();
        let read: Everything = rec.opened_by(&access()).run_opening(|| postcard::from_bytes(&postcard)).unwrap();
        assert!(read == value);
    }
}

#[test]
fn without_a_scope_nothing_is_written_or_read() {
    let rec = record();
    let json = seal(&rec, &everything()).unwrap();
    assert!(serde_json::to_string(&everything()).is_err());
    assert!(serde_json::from_str::<Everything>(&json).is_err());
    // Nor in a scope of the other direction.
    let sealed_in_opening = rec.opened_by(&access()).run_opening(|| serde_json::to_string(&everything()));
    assert_eq!(code(sealed_in_opening), "wrong-direction");
    assert_eq!(code(rec.run_sealing(|| serde_json::from_str::<Everything>(&json))), "wrong-direction");
}

#[test]
fn an_absent_option_is_null_and_may_be_missing() {
    #[serde_as]
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sig {
        #[serde_as(as = "Option<Sealing<Directions>>")]
        directions: Option<String>,
    }
    let rec = record();
    let absent = Sig { directions: None };
    assert_eq!(seal(&rec, &absent).unwrap(), r#"{"directions":null}"#);
    for json in [r#"{"directions":null}"#, "{}"] {
        assert!(open::<Sig>(&rec, json).unwrap() == absent);
    }
    // serde_with handles the absent one by itself, with or without a scope: there is nothing to protect.
    assert_eq!(serde_json::to_string(&absent).unwrap(), r#"{"directions":null}"#);
    assert!(serde_json::from_str::<Sig>("{}").unwrap() == absent);
    assert!(serde_json::to_string(&Sig { directions: Some("daily".into()) }).is_err());

    for plaintext in [r#"{"directions":"Canary-Sig"}"#, r#"{"directions":4711}"#, r#"{"directions":["Canary-Sig"]}"#] {
        let error = open::<Sig>(&rec, plaintext).unwrap_err();
        assert_eq!(error.code().as_str(), "not-a-token");
        assert_eq!(error.field_id(), Some("phi.rx.directions"));
        assert!(!format!("{error} {error:?}").contains("Canary"), "the error quotes the value");
    }
}

/// FORMAT 4.5: `Vec<Sealing<F>>` would make tokens of one record that could be exchanged.
#[test]
fn a_container_of_sealing_repeats_its_field() {
    #[serde_as]
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Drugs {
        #[serde_as(as = "Vec<Sealing<Drug>>")]
        drugs: Vec<String>,
    }
    #[serde_as]
    #[derive(Serialize, Deserialize)]
    struct Notes {
        #[serde_as(as = "BTreeMap<Same, Sealing<Note>>")]
        notes: BTreeMap<String, String>,
    }
    let rec = record();
    for drugs in [vec![], vec!["warfarin".to_owned()]] {
        let value = Drugs { drugs };
        assert!(open::<Drugs>(&rec, &seal(&rec, &value).unwrap()).unwrap() == value);
    }
    for drugs in [2, 3, 100] {
        let error = seal(&rec, &Drugs { drugs: vec!["Canary-Drug".to_owned(); drugs] }).unwrap_err();
        assert_eq!(error.code().as_str(), "field-repeated");
        assert_eq!(error.field_id(), Some("phi.rx.drug"));
        assert!(error.is_api_misuse());
    }
    let notes = ["a", "b"].map(|key| (key.to_owned(), "with food".to_owned())).into();
    assert_eq!(code(seal(&rec, &Notes { notes })), "field-repeated");
}

/// The worst adapter for a sealed field: whatever goes wrong becomes the default, which the next save would write over the
/// token.
#[test]
fn default_on_error_does_not_swallow_a_refusal() {
    #[serde_as]
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Forgiving {
        #[serde_as(as = "DefaultOnError<Sealing<Drug>>")]
        drug: String,
        #[serde_as(as = "DefaultOnError<Option<Sealing<Directions>>>")]
        directions: Option<String>,
    }
    let rec = record();
    let value = Forgiving { drug: "warfarin".into(), directions: Some("daily".into()) };
    let json = seal(&rec, &value).unwrap();
    assert!(open::<Forgiving>(&rec, &json).unwrap() == value);

    let other = rec_of("RX-1002");
    assert_eq!(code(open::<Forgiving>(&other, &json)), "open-failed", "all of another record");
    let elsewhere = seal(&other, &value).unwrap();
    let drug =
        |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap()["drug"].as_str().unwrap().to_owned();
    let one_moved = json.replace(&drug(&json), &drug(&elsewhere));
    assert_eq!(code(open::<Forgiving>(&rec, &one_moved)), "open-failed", "one token of another record");
    let forged = json.replace(&drug(&json), "morphine");
    assert_eq!(code(open::<Forgiving>(&rec, &forged)), "not-a-token", "plaintext");
}

#[test]
fn the_plaintext_side_reaches_through_the_adapters() {
    let text = serde_json::to_string(&expose_plaintext(&everything())).unwrap();
    assert!(CANARIES.iter().all(|canary| text.contains(canary)));
    let read: Everything = accept_plaintext(|| serde_json::from_str(&text)).unwrap();
    assert!(read == everything());

    // T45: a token that a client has seen elsewhere.
    let sealed = seal(&record(), &everything()).unwrap();
    assert_eq!(code(accept_plaintext(|| serde_json::from_str::<Everything>(&sealed))), "token-as-plaintext");
}

fn keyring() -> &'static Keyring {
    static KEYS: std::sync::OnceLock<Keyring> = std::sync::OnceLock::new();
    KEYS.get_or_init(|| rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved())
}

fn record() -> Record {
    rec_of("RX-1001")
}

fn rec_of(id: &str) -> Record {
    keyring().record("prescription", id).unwrap()
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

fn seal<T: Serialize>(rec: &Record, value: &T) -> Result<String, Error> {
    rec.run_sealing(|| serde_json::to_string(value))
}

fn open<T: DeserializeOwned>(rec: &Record, json: &str) -> Result<T, Error> {
    rec.opened_by(&access()).run_opening(|| serde_json::from_str(json))
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.err().map_or("no error", |error| error.code().as_str())
}
