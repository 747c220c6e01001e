//! The traps of serde that the design met, each as a test: quoted values, lying formats, swallowed refusals, evolution,
//! floats, nesting (T13, T17, T40 and T45 of docs/THREAT-MODEL.md; FORMAT 4.5, 6.4, 7).

#[path = "traps/evened.rs"] // For tests/values, which includes this file too.
mod evened;

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::LazyLock;

use crate::support::{CANARY, Format, NUMBER, Problem, access, contains, keyring, leaks, texts};
use proptest::prelude::*;
use rxseal::{
    Class, Each, Error, Keyring, Parts, Phi, Record, Sealing, Token, accept_plaintext, expose_plaintext, phi,
};
use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Refill {
    id: u32,
    #[serde(with = "Sealing::<phi::PatientName>")]
    name: String,
}

/// What a table held before it was sealed, or what a thief puts there.
#[derive(Serialize, Deserialize)]
struct Forged<T> {
    id: u32,
    name: T,
}

/// A record of one keyring for all tests here: making one costs more than most of them.
fn record() -> Record {
    static KEYS: LazyLock<Keyring> = LazyLock::new(keyring);
    KEYS.record("refill", "RX-1").unwrap()
}

fn open<T: DeserializeOwned>(record: &Record, format: Format, bytes: &[u8]) -> Result<T, Error> {
    record.opened_by(&access()).run_opening(|| format.read(bytes))
}

fn refill() -> Refill {
    Refill { id: 7, name: CANARY.into() }
}

/// The error of something that must fail, without showing what it gave where it did not.
#[track_caller]
fn refused<T, E>(result: Result<T, E>) -> E {
    match result {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error,
    }
}

/// No canary in any text of the error.
#[track_caller]
fn assert_silent(error: &Error) {
    assert!(!leaks(texts(error).as_bytes()), "the error {} quotes a value", error.code().as_str());
}

// Trap 1

#[derive(Serialize, Deserialize)]
struct EachRow {
    id: u32,
    #[serde(with = "Sealing::<Each<phi::Allergy>>")]
    name: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct PartsRow {
    id: u32,
    #[serde(with = "Sealing::<Parts<phi::Drug>>")]
    name: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct OptionRow {
    id: u32,
    #[serde(with = "Sealing::<Option<phi::Directions>>")]
    name: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct PhiRow {
    id: u32,
    name: Phi<String, phi::PatientName>,
}

#[derive(Serialize, Deserialize)]
struct SealedRow {
    id: u32,
    name: rxseal::Sealed<String, phi::PatientName>,
}

/// Reads a forged row as a `T` in every format and both ways of opening.
fn quotes_nothing<T: DeserializeOwned, V: Serialize>(forged: V) {
    let record = record();
    let row = Forged { id: 7, name: forged };
    for format in Format::ALL {
        let Ok(bytes) = format.write(&row) else { continue };
        let result = open::<T>(&record, format, &bytes);
        // What does not describe itself may be misread before a field of ours is asked: a float as an empty list.
        if matches!(format, Format::Postcard | Format::Bincode) {
            if let Err(error) = result {
                assert_silent(&error);
            }
            continue;
        }
        let error = refused(result);
        assert_silent(&error);
        assert_eq!(error.code().as_str(), "not-a-token", "{} {}", std::any::type_name::<T>(), format.name());
    }
    let json = serde_json::to_string(&row).unwrap();
    let mut reader = serde_json::Deserializer::from_str(&json);
    let error = refused(record.opened_by(&access()).opening::<T>().deserialize(&mut reader));
    assert!(!leaks(format!("{error} {error:?}").as_bytes()), "the seed quotes a value");
}

fn quotes_no_plaintext<V: Serialize + Clone>(forged: V) {
    quotes_nothing::<Refill, _>(forged.clone());
    quotes_nothing::<PhiRow, _>(forged.clone());
    quotes_nothing::<SealedRow, _>(forged.clone());
    quotes_nothing::<OptionRow, _>(forged);
}

#[test]
fn trap_1_a_plaintext_where_a_token_belongs_is_never_quoted() {
    quotes_no_plaintext(CANARY);
    quotes_no_plaintext(NUMBER);
    quotes_no_plaintext(NUMBER as f64);
    quotes_no_plaintext(true);
    quotes_no_plaintext('Z');
    quotes_no_plaintext(vec![CANARY, CANARY]);
    quotes_no_plaintext(BTreeMap::from([(CANARY, CANARY)]));
    quotes_no_plaintext(BTreeMap::from([(CANARY, NUMBER)]));
    quotes_no_plaintext(Some(CANARY));
    quotes_no_plaintext((CANARY, 1_u8));
}

#[test]
fn trap_1_a_null_is_no_token() {
    quotes_nothing::<Refill, _>(());
    quotes_nothing::<PhiRow, _>(());
    quotes_nothing::<SealedRow, _>(());
}

#[test]
fn trap_1_a_plaintext_where_a_list_or_map_of_tokens_belongs_is_never_quoted() {
    for forged in [json!(CANARY), json!(NUMBER), json!(1.5), json!(true), json!(null)] {
        quotes_nothing::<EachRow, _>(forged.clone());
        quotes_nothing::<PartsRow, _>(forged);
    }
    quotes_nothing::<EachRow, _>(json!({ CANARY: CANARY }));
    quotes_nothing::<EachRow, _>(json!([CANARY]));
    quotes_nothing::<EachRow, _>(json!([NUMBER, CANARY]));
    quotes_nothing::<PartsRow, _>(json!([CANARY]));
    quotes_nothing::<PartsRow, _>(json!({ "line-1": CANARY }));
    quotes_nothing::<PartsRow, _>(json!({ "line-1": [NUMBER] }));
}

#[test]
fn trap_1_what_a_client_sends_is_never_quoted() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Form {
        #[serde(with = "Sealing::<phi::DaysSupply>")]
        name: u16,
    }

    #[derive(Deserialize, Debug)]
    enum Route {
        Oral,
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Choice {
        #[serde(with = "Sealing::<phi::Directions>")]
        name: Route,
    }

    fn silent<T: DeserializeOwned>(name: serde_json::Value) {
        let body = json!({ "id": 7, "name": name }).to_string();
        let error = refused(accept_plaintext(|| serde_json::from_str::<T>(&body)));
        assert_silent(&error);
        let error =
            refused(accept_plaintext(|| serde_json::from_value::<T>(body.parse().map_err(Problem::new).unwrap())));
        assert_silent(&error);
    }

    silent::<Form>(json!(CANARY));
    silent::<Form>(json!(NUMBER));
    silent::<Form>(json!({ CANARY: NUMBER }));
    silent::<Choice>(json!(CANARY));
    silent::<Choice>(json!({ CANARY: 1 }));
    silent::<Refill>(json!(NUMBER));
    silent::<EachRow>(json!(CANARY));
    silent::<EachRow>(json!([NUMBER]));
    silent::<PartsRow>(json!(CANARY));
    silent::<PartsRow>(json!({ "line-1": NUMBER }));
    silent::<OptionRow>(json!(NUMBER));
}

// Trap 2

/// A deserializer that says that it is for people, as those under `flatten` and `untagged` do, and has bytes.
#[test]
fn trap_2_text_and_bytes_are_taken_whatever_the_format_says_of_itself() {
    let record = record();
    let token = record.seal::<phi::PatientName>(CANARY).unwrap();
    let open = record.opened_by(&access());
    let read = |result: Result<String, serde::de::value::Error>| result;

    let bytes = serde::de::value::BytesDeserializer::<serde::de::value::Error>::new(token.as_bytes());
    assert!(open.run_opening(|| read(Sealing::<phi::PatientName>::deserialize(bytes))).unwrap() == CANARY);
    let text = token.to_string();
    let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = text.as_str().into_deserializer();
    assert!(open.run_opening(|| read(Sealing::<phi::PatientName>::deserialize(text))).unwrap() == CANARY);

    // A binary format that holds the text form, as after a conversion by another tool. (ciborium asked for bytes refuses text
    // before our visitor sees it: that fails closed.)
    for format in [Format::RmpCompact, Format::RmpNamed] {
        let bytes = format.write(&Forged { id: 7, name: token.to_string() }).unwrap();
        assert!(self::open::<Refill>(&record, format, &bytes).unwrap() == refill(), "{}", format.name());
    }
}

#[test]
fn trap_2_flatten_tag_and_untagged_work_in_binary_formats() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Outer {
        kind: u8,
        #[serde(flatten)]
        inner: Tagged,
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "type")]
    enum Tagged {
        New { of: Untagged },
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(untagged)]
    enum Untagged {
        Refill(Refill),
    }

    let record = record();
    let value = Outer { kind: 1, inner: Tagged::New { of: Untagged::Refill(refill()) } };
    for format in [Format::JsonText, Format::JsonStream, Format::JsonValue, Format::Cbor, Format::RmpNamed] {
        let bytes = format.write(&record.sealing(&value)).unwrap();
        assert!(!leaks(&bytes));
        assert!(open::<Outer>(&record, format, &bytes).unwrap() == value, "{}", format.name());
    }
}

// Trap 3

#[test]
fn trap_3_a_value_of_another_type_is_never_quoted() {
    #[derive(Deserialize, Debug)]
    #[allow(dead_code)]
    enum Drug {
        Warfarin,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Strict {
        dose: u8,
    }

    fn silent<T: DeserializeOwned>(value: impl Serialize) {
        let record = record();
        let token = record.seal::<phi::Drug>(&value).unwrap();
        let error = refused(record.opened_by(&access()).open::<phi::Drug, T>(&token));
        assert!(error.is_type_mismatch() && error.field_id() == Some("phi.rx.drug"));
        assert!(std::error::Error::source(&error).is_none(), "serde's own error is dropped");
        assert_silent(&error);

        #[derive(Serialize, Deserialize)]
        struct Row<T> {
            id: u32,
            drug: T,
        }

        #[derive(Deserialize)]
        #[serde(bound = "T: DeserializeOwned")]
        #[allow(dead_code)]
        struct Typed<T> {
            id: u32,
            #[serde(with = "Sealing::<phi::Drug>")]
            drug: T,
        }

        for format in Format::ALL {
            let bytes = if format.is_json() {
                format.write(&Row { id: 7, drug: token.to_string() })
            } else {
                format.write(&Row { id: 7, drug: rxseal::Sealed::<(), phi::Drug>::from(token.clone()) })
            };
            let error = refused(open::<Typed<T>>(&record, format, &bytes.unwrap()));
            assert!(error.is_type_mismatch(), "{} in {}", error.code().as_str(), format.name());
            assert!(error.field_id() == Some("phi.rx.drug") && error.record_type() == Some("refill"));
            assert_silent(&error);
        }
    }

    silent::<u64>(CANARY);
    silent::<Drug>(CANARY);
    silent::<Strict>(CANARY);
    silent::<Strict>(BTreeMap::from([(CANARY, NUMBER)]));
    silent::<Strict>(json!({ "dose": NUMBER }));
    silent::<String>(NUMBER);
    silent::<bool>(vec![CANARY]);
    silent::<Vec<u8>>(vec![NUMBER]);
    silent::<char>(CANARY);
    silent::<BTreeMap<u8, u8>>(BTreeMap::from([(CANARY, NUMBER)]));
}

// Trap 4

/// What careless code does: an error becomes the default.
mod swallow {
    use super::*;
    use serde::{Deserializer, Serializer};

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        Ok(Sealing::<phi::PatientName>::deserialize(deserializer).unwrap_or_default())
    }

    pub fn serialize<S: Serializer>(name: &String, serializer: S) -> Result<S::Ok, S::Error> {
        Sealing::<phi::PatientName>::serialize(name, serializer)
    }
}

#[derive(Serialize, Deserialize)]
struct Swallowed {
    id: u32,
    #[serde(with = "swallow")]
    name: String,
}

#[serde_with::serde_as]
#[derive(Serialize, Deserialize)]
struct DefaultedOnError {
    id: u32,
    #[serde_as(as = "serde_with::DefaultOnError<Sealing<phi::PatientName>>")]
    name: String,
}

#[serde_with::serde_as]
#[derive(Serialize, Deserialize)]
struct DefaultedEach {
    id: u32,
    #[serde_as(as = "serde_with::DefaultOnError<Sealing<Each<phi::Allergy>>>")]
    name: Vec<String>,
}

#[serde_with::serde_as]
#[derive(Serialize, Deserialize)]
struct DefaultedParts {
    id: u32,
    #[serde_as(as = "serde_with::DefaultOnError<Sealing<Parts<phi::Drug>>>")]
    name: BTreeMap<String, String>,
}

#[serde_with::serde_as]
#[derive(Serialize, Deserialize)]
struct DefaultedOption {
    id: u32,
    #[serde_as(as = "serde_with::DefaultOnError<Sealing<Option<phi::Directions>>>")]
    name: Option<String>,
}

/// A reader that would rather take a plain row than none.
#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code)]
enum Lenient {
    Sealed(Refill),
    Plain(Forged<serde_json::Value>),
    Empty {},
}

/// That the reading fails as a whole with this code, though serde may have said Ok.
#[track_caller]
fn sticks<T: DeserializeOwned>(record: &Record, code: &str, name: impl Serialize) {
    let row = Forged { id: 7, name };
    for format in [Format::JsonText, Format::JsonStream, Format::JsonValue, Format::Cbor, Format::RmpNamed] {
        let bytes = format.write(&row).unwrap();
        let error = refused(open::<T>(record, format, &bytes));
        assert_eq!(error.code().as_str(), code, "{} in {}", std::any::type_name::<T>(), format.name());
        assert_silent(&error);
    }
    let json = serde_json::to_string(&row).unwrap();
    let mut reader = serde_json::Deserializer::from_str(&json);
    let error = refused(record.opened_by(&access()).opening::<T>().deserialize(&mut reader));
    assert!(!leaks(error.to_string().as_bytes()));
}

#[track_caller]
fn all_stick(record: &Record, code: &str, name: impl Serialize + Clone) {
    sticks::<Swallowed>(record, code, name.clone());
    sticks::<DefaultedOnError>(record, code, name.clone());
    sticks::<Lenient>(record, code, name);
}

#[test]
fn trap_4_a_forged_plaintext_row_is_not_swallowed() {
    let record = record();
    all_stick(&record, "not-a-token", CANARY);
    all_stick(&record, "not-a-token", NUMBER);
    all_stick(&record, "not-a-token", ());
    all_stick(&record, "not-a-token", [CANARY]);
    sticks::<DefaultedOption>(&record, "not-a-token", CANARY);
    sticks::<DefaultedOption>(&record, "not-a-token", [CANARY]);
}

#[test]
fn trap_4_a_forged_list_or_map_is_not_swallowed() {
    let record = record();
    for forged in [json!(CANARY), json!(NUMBER), json!(null), json!([CANARY]), json!({ "line-1": CANARY })] {
        sticks::<DefaultedEach>(&record, "not-a-token", &forged);
        sticks::<DefaultedParts>(&record, "not-a-token", &forged);
    }
}

/// A genuine token as formats have it: text for people, bytes for machines.
type Stored = rxseal::Sealed<String, phi::Drug>;

#[test]
fn trap_4_a_failed_opening_is_not_swallowed() {
    let keys = keyring();
    let record = keys.record("refill", "RX-1").unwrap();
    let other: rxseal::Sealed<String, phi::PatientName> =
        rxseal::Sealed::seal(&keys.record("refill", "RX-2").unwrap(), CANARY).unwrap();
    all_stick(&record, "open-failed", &other);
    let field = Stored::seal(&record, CANARY).unwrap();
    all_stick(&record, "open-failed", &field);
    let foreign = Stored::seal(&self::record(), CANARY).unwrap(); // of another keyring
    all_stick(&record, "unknown-key", &foreign);
    sticks::<DefaultedEach>(&record, "open-failed", [&other]);
    let drug = Stored::seal(&record.part("phi.rx.drug", "line-2").unwrap(), CANARY).unwrap();
    sticks::<DefaultedParts>(&record, "open-failed", BTreeMap::from([("line-1", &drug)]));
}

#[test]
fn trap_4_a_locked_class_is_not_swallowed() {
    let keys = keyring();
    let token = keys.record("refill", "RX-1").unwrap().seal_text::<phi::PatientName>(CANARY).unwrap();
    let json = serde_json::to_string(&Forged { id: 7, name: token }).unwrap();
    let limited = keys.opener().only([Class::MEDICATION]).record("refill", "RX-1").unwrap();
    let error = refused(limited.opened_by(&access()).run_opening(|| serde_json::from_str::<Swallowed>(&json)));
    assert!(error.is_locked_out() && error.field_id() == Some("phi.patient.name"));
}

#[test]
fn trap_4_a_wrong_direction_is_not_swallowed() {
    let record = record();
    let json = serde_json::to_string(&record.sealing(&refill())).unwrap();
    let error = refused(record.run_sealing(|| serde_json::from_str::<Swallowed>(&json)));
    assert_eq!(error.code().as_str(), "wrong-direction");
    let error = refused(accept_plaintext(|| serde_json::from_str::<Swallowed>(&json)));
    assert_eq!(error.code().as_str(), "token-as-plaintext");
}

#[test]
fn trap_4_a_refusal_to_seal_is_not_swallowed() {
    /// Writes null where its content cannot be written.
    struct Careless<T>(T);

    impl<T: Serialize> Serialize for Careless<T> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serde_json::to_value(&self.0).unwrap_or_default().serialize(serializer)
        }
    }

    #[derive(Serialize)]
    struct Row {
        #[serde(with = "Sealing::<phi::Strength>")]
        strength: f64,
    }

    #[derive(Serialize)]
    struct Lines {
        #[serde(with = "Sealing::<Parts<phi::Strength>>")]
        strength: BTreeMap<u8, f64>,
    }

    let record = record();
    let row = Careless(Row { strength: f64::NAN });
    assert_eq!(refused(record.run_sealing(|| serde_json::to_string(&row))).code().as_str(), "not-finite");
    assert!(serde_json::to_string(&record.sealing(&row)).is_err());
    let lines = Careless(Lines { strength: [(1, f64::NAN)].into() });
    assert_eq!(refused(record.run_sealing(|| serde_json::to_string(&lines))).code().as_str(), "not-finite");
    assert!(serde_json::to_string(&record.sealing(&lines)).is_err());
}

/// postcard and bincode drop or replace what a field says: the slot of the scope carries the typed error past them.
#[test]
fn trap_4_the_typed_error_survives_every_format() {
    let keys = keyring();
    let (one, two) = (keys.record("refill", "RX-1").unwrap(), keys.record("refill", "RX-2").unwrap());
    for format in Format::ALL {
        let bytes = format.write(&one.sealing(&refill())).unwrap();
        let error = refused(open::<Refill>(&two, format, &bytes));
        let seen = (error.code().as_str(), error.field_id(), error.record_type(), error.key_id());
        let key = keys.primary_key();
        let wanted = ("open-failed", Some("phi.patient.name"), Some("refill"), Some(key));
        assert_eq!(seen, wanted, "{}", format.name());

        #[derive(Serialize)]
        struct Twice {
            a: Refill,
            b: Refill,
        }
        let error = refused(one.run_sealing(|| format.write(&Twice { a: refill(), b: refill() })));
        assert_eq!(
            (error.code().as_str(), error.field_id()),
            ("field-repeated", Some("phi.patient.name")),
            "{}",
            format.name()
        );

        #[derive(Serialize)]
        struct Lines {
            #[serde(with = "Sealing::<Parts<phi::Strength>>")]
            strength: BTreeMap<u8, f64>,
        }
        let lines = Lines { strength: [(1, 1.0), (2, f64::INFINITY)].into() };
        let error = refused(one.run_sealing(|| format.write(&lines)));
        assert_eq!(
            (error.code().as_str(), error.field_id()),
            ("not-finite", Some("phi.rx.strength")),
            "{}",
            format.name()
        );
    }
}

#[test]
fn trap_4_an_authentic_value_of_another_type_may_be_swallowed() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(untagged)]
    enum Amount {
        Count(u64),
        Text(String),
        Range { from: u64, to: u64 },
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(untagged)]
    enum Row {
        Number {
            #[serde(with = "Sealing::<phi::Quantity>")]
            quantity: u64,
        },
        Other {
            #[serde(with = "Sealing::<phi::Quantity>")]
            quantity: Amount,
        },
    }

    let record = record();
    for format in [Format::JsonText, Format::Cbor, Format::RmpNamed] {
        for quantity in [Amount::Text(CANARY.into()), Amount::Range { from: 1, to: 2 }] {
            let row = Row::Other { quantity };
            let bytes = format.write(&record.sealing(&row)).unwrap();
            assert!(open::<Row>(&record, format, &bytes).unwrap() == row, "{}", format.name());
        }
    }
    // `DefaultOnError` over a genuine value of another type is serde's business: T17.
    let token = record.seal_text::<phi::PatientName>(&NUMBER).unwrap();
    let json = serde_json::to_string(&Forged { id: 7, name: token }).unwrap();
    assert_eq!(open::<Swallowed>(&record, Format::JsonText, json.as_bytes()).unwrap().name, "");
}

#[test]
fn trap_4_without_a_scope_a_swallowed_field_is_neither_plaintext_nor_a_token() {
    let record = record();
    for tree in [
        serde_json::to_value(&Forged { id: 7, name: CANARY }).unwrap(),
        serde_json::to_value(record.sealing(&refill())).unwrap(),
    ] {
        assert_eq!(serde_json::from_value::<Swallowed>(tree).unwrap().name, "");
    }
}

// Trap 5

/// Seals a value as one type and opens it as another.
fn evolves<A: Serialize, B: DeserializeOwned + PartialEq>(written: A, read: &B) {
    let record = record();
    let token = record.seal::<phi::Note>(&written).unwrap();
    let opened: B = record.opened_by(&access()).open::<phi::Note, _>(&token).unwrap();
    assert!(opened == *read, "{} to {}", std::any::type_name::<A>(), std::any::type_name::<B>());
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Name(String);

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(transparent)]
struct Alias {
    name: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Count(u64);

#[derive(Serialize, Deserialize, PartialEq)]
enum Route {
    Oral,
    Other(String),
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Detail {
    first: String,
    last: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct WiderDetail {
    last: String,
    first: String,
    #[serde(default)]
    middle: Option<String>,
}

#[test]
fn trap_5_string_option_and_newtype_evolve_into_each_other() {
    let text = || CANARY.to_owned();
    evolves(text(), &Some(text()));
    evolves(text(), &Some(Some(text())));
    evolves(text(), &Name(text()));
    evolves(text(), &Some(Name(text())));
    evolves(text(), &Name(text()));
    evolves(text(), &Alias { name: text() });
    evolves(text(), &Box::new(text()));
    evolves(Some(text()), &text());
    evolves(Some(text()), &Name(text()));
    evolves(Name(text()), &text());
    evolves(Name(text()), &Some(text()));
    evolves(Alias { name: text() }, &Name(text()));
    evolves(Some(Name(text())), &text());
    evolves(String::new(), &Some(String::new()));
    evolves(None::<String>, &None::<Name>);
    evolves(NUMBER, &Some(NUMBER));
    evolves(NUMBER, &Count(NUMBER));
    evolves(Some(Count(NUMBER)), &NUMBER);
    evolves(Route::Oral, &"Oral".to_owned());
    evolves("Oral", &Route::Oral);
    evolves("Oral", &Some(Route::Oral));
    evolves('x', &"x".to_owned());
    evolves("x", &'x');
    evolves(Route::Other(text()), &Some(Route::Other(text())));
}

/// Measured with postcard and bincode as the payload: reordered fields of one type were swapped without a word.
#[test]
fn trap_5_fields_are_found_by_name() {
    let text = || CANARY.to_owned();
    let before = || Detail { first: text(), last: "Q".into() };
    evolves(before(), &WiderDetail { last: "Q".into(), first: text(), middle: None });
    evolves(WiderDetail { last: "Q".into(), first: text(), middle: Some("M".into()) }, &before());
}

#[test]
fn trap_5_evolution_holds_for_fields_of_a_struct() {
    #[derive(Serialize, Deserialize)]
    struct Before {
        #[serde(with = "Sealing::<phi::Note>")]
        note: String,
    }

    #[derive(Serialize, Deserialize)]
    struct Hidden {
        #[serde(with = "Sealing::<phi::Note>")]
        note: Option<Name>,
    }

    #[derive(Serialize, Deserialize)]
    struct Visible {
        #[serde(with = "Sealing::<Option<phi::Note>>", default)]
        note: Option<String>,
    }

    let record = record();
    // Formats that do not describe themselves tell an option from none by a byte of their own: no business of ours.
    for format in [Format::JsonText, Format::JsonStream, Format::JsonValue, Format::Cbor, Format::RmpNamed] {
        let bytes = format.write(&record.sealing(&Before { note: CANARY.into() })).unwrap();
        assert!(open::<Hidden>(&record, format, &bytes).unwrap().note.unwrap().0 == CANARY);
        assert!(open::<Visible>(&record, format, &bytes).unwrap().note.unwrap() == CANARY);
        let bytes = format.write(&record.sealing(&Visible { note: Some(CANARY.into()) })).unwrap();
        assert!(open::<Before>(&record, format, &bytes).unwrap().note == CANARY);
        let bytes = format.write(&record.sealing(&Hidden { note: None })).unwrap();
        assert!(open::<Hidden>(&record, format, &bytes).unwrap().note.is_none());
        assert!(refused(open::<Before>(&record, format, &bytes)).is_type_mismatch());
    }
}

// Trap 6

#[test]
fn trap_6_a_missing_field_needs_default() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Strict {
        #[serde(with = "Sealing::<Option<phi::Note>>")]
        note: Option<String>,
    }

    #[derive(Deserialize)]
    struct Lenient {
        #[serde(with = "Sealing::<Option<phi::Note>>", default)]
        note: Option<String>,
    }

    #[derive(Deserialize)]
    struct Typed {
        note: Option<Phi<String, phi::Note>>,
    }

    let open = record().opened_by(&access());
    let error = refused(open.run_opening(|| serde_json::from_str::<Strict>("{}")));
    assert!(error.is_invalid_input());
    assert!(texts(&error).contains("missing") && texts(&error).contains("(line 1, column 2)"), "it says what is wrong");
    assert!(open.run_opening(|| serde_json::from_str::<Lenient>("{}")).unwrap().note.is_none());
    assert!(open.run_opening(|| serde_json::from_str::<Typed>("{}")).unwrap().note.is_none());
    let null = r#"{"note":null}"#;
    assert!(open.run_opening(|| serde_json::from_str::<Strict>(null)).unwrap().note.is_none());
}

#[test]
fn trap_6_a_missing_field_that_is_no_option_is_an_error() {
    let error = refused(record().opened_by(&access()).run_opening(|| serde_json::from_str::<Refill>(r#"{"id":7}"#)));
    assert!(error.is_invalid_input());
}

// Trap 7

#[derive(Serialize, Deserialize, Clone)]
struct Dose {
    amounts: Vec<f64>,
    at_most: Option<f64>,
    single: f32,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn trap_7_every_finite_float_comes_back_to_the_bit(bits in any::<u64>(), small in any::<u32>()) {
        let (real, single) = (f64::from_bits(bits), f32::from_bits(small));
        prop_assume!(real.is_finite() && single.is_finite());
        let record = record();
        let open = record.opened_by(&access());
        let (first, second) = record
            .seal_fields(|pass| Ok::<_, Error>((pass.seal::<phi::Strength>(&real)?, pass.seal::<phi::Quantity>(&single)?)))
            .unwrap();
        prop_assert_eq!(open.open::<phi::Strength, f64>(&first).unwrap().to_bits(), real.to_bits());
        prop_assert_eq!(open.open::<phi::Quantity, f32>(&second).unwrap().to_bits(), single.to_bits());

        let dose = Dose { amounts: vec![real, -real], at_most: Some(real), single };
        let token = record.seal::<phi::Strength>(&dose).unwrap();
        let back: Dose = open.open::<phi::Strength, _>(&token).unwrap();
        prop_assert_eq!(back.amounts[0].to_bits(), real.to_bits());
        prop_assert_eq!(back.amounts[1].to_bits(), (-real).to_bits());
        prop_assert_eq!(back.at_most.unwrap().to_bits(), real.to_bits());
        prop_assert_eq!(back.single.to_bits(), single.to_bits());
    }
}

#[test]
fn trap_7_a_float_that_json_would_lose_is_refused_wherever_it_stands() {
    #[derive(Serialize)]
    enum Amount {
        Newtype(f64),
        Tuple(u8, f64),
        Struct { amount: f64 },
    }

    #[derive(Serialize)]
    struct Wrapped(f64);

    fn is_refused(value: impl Serialize) {
        let error = refused(record().seal::<phi::Strength>(&value));
        assert_eq!((error.code().as_str(), error.field_id()), ("not-finite", Some("phi.rx.strength")));
    }

    for real in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        is_refused(real);
        is_refused(real as f32);
        is_refused(Some(real));
        is_refused(Wrapped(real));
        is_refused(vec![1.0, real]);
        is_refused((1_u8, real));
        is_refused([[0.0, real]]);
        is_refused(BTreeMap::from([("dose", real)]));
        is_refused(Dose { amounts: vec![], at_most: Some(real), single: 0.0 });
        is_refused(Dose { amounts: vec![], at_most: None, single: real as f32 });
        is_refused(Amount::Newtype(real));
        is_refused(Amount::Tuple(1, real));
        is_refused(Amount::Struct { amount: real });
        is_refused(vec![Some(Box::new(Amount::Struct { amount: real }))]);
    }
}

#[test]
fn trap_7_the_largest_integers_come_back() {
    evolves(i128::MIN, &i128::MIN);
    evolves(u128::MAX, &u128::MAX);
    evolves(vec![i128::MAX], &vec![i128::MAX]);
    evolves(u64::MAX, &u64::MAX);
    evolves(i64::MIN, &i64::MIN);
    evolves(HashMap::from([(u64::MAX, true)]), &HashMap::from([(u64::MAX, true)]));
}

// Trap 8

#[derive(Debug)]
#[allow(dead_code)]
struct Loud {
    name: String,
}

#[derive(Debug)]
#[allow(dead_code)]
struct Silent {
    name: Phi<String, phi::PatientName>,
    hidden: Option<Phi<Option<String>, phi::Note>>,
}

#[test]
fn trap_8_the_debug_of_phi_is_redacted() {
    let silent = Silent { name: Phi::new(CANARY.into()), hidden: Some(Phi::new(Some(CANARY.into()))) };
    rxseal::testing::assert_no_plaintext(&silent, &[CANARY]);
    assert_eq!(format!("{silent:?}"), "Silent { name: Phi([REDACTED]), hidden: Some(Phi([REDACTED])) }");
    let row = Refill { id: 7, name: CANARY.into() };
    rxseal::testing::assert_no_plaintext(&record().sealing(&row), &[CANARY]);
    rxseal::testing::assert_no_plaintext(&expose_plaintext(&row), &[CANARY]);
    rxseal::testing::assert_no_plaintext(&rxseal::forms::NotWiped(CANARY), &[CANARY]);
}

#[test]
#[should_panic(expected = "the Debug text contains canary number 1")]
fn trap_8_a_plain_string_is_caught_by_the_check() {
    rxseal::testing::assert_no_plaintext(&Loud { name: CANARY.into() }, &["nothing", CANARY]);
}

// Trap 9

/// serde_json's reader leaves scratch behind that nobody wipes. What we do is best effort, and the threat model says so (N24).
#[test]
fn trap_9_the_threat_model_claims_no_more_than_best_effort() {
    let model = include_str!("../../docs/THREAT-MODEL.md");
    let gap = model.lines().find(|line| line.contains("**N24**")).unwrap();
    assert!(gap.contains("best effort") && gap.contains("serde_json's own working memory"));
}

// Trap 10

#[test]
fn trap_10_a_token_is_text_for_people_and_bytes_for_machines() {
    let record = record();
    let size = record.seal::<phi::PatientName>(CANARY).unwrap().as_bytes().len();
    for format in Format::ALL {
        let bytes = format.write(&record.sealing(&refill())).unwrap();
        let text = contains_token_text(&bytes);
        assert_eq!(text, format.is_json(), "{}", format.name());
        let overhead = if text { size * 4 / 3 + 48 } else { size + 16 };
        assert!(bytes.len() <= overhead, "{} bytes in {}", bytes.len(), format.name());
    }
}

fn contains_token_text(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|window| window == b"rxsX")
}

// Beside the traps: what one token binds, and how deep a value may nest

#[test]
fn a_list_under_one_token_keeps_its_order_and_members() {
    #[derive(Serialize, Deserialize, PartialEq)]
    struct Row {
        #[serde(with = "Sealing::<phi::Allergy>")]
        allergies: Vec<String>,
    }

    let record = record();
    let row = Row { allergies: vec!["latex".into(), CANARY.into(), "penicillin".into()] };
    let json = serde_json::to_value(record.sealing(&row)).unwrap();
    let token: Token = json["allergies"].as_str().expect("one token").parse().unwrap();
    assert!(open::<Row>(&record, Format::JsonText, json.to_string().as_bytes()).unwrap() == row);
    // T14: nothing can be taken out of it or exchanged in it.
    for at in 9..token.as_bytes().len() {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] ^= 1;
        let changed = json!({ "allergies": Token::try_from(bytes).unwrap().to_string() }).to_string();
        assert!(refused(open::<Row>(&record, Format::JsonText, changed.as_bytes())).is_open_failure());
    }
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Chain {
    End,
    Newtype(Box<Chain>),
    Tuple(u8, Box<Chain>),
    Struct { next: Box<Chain> },
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Link {
    next: Option<Box<Link>>,
}

fn list(levels: usize) -> serde_json::Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

fn map(levels: usize) -> serde_json::Value {
    (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }))
}

fn chain(levels: usize, link: fn(Box<Chain>) -> Chain) -> Chain {
    (0..levels).fold(Chain::End, |inner, _| link(Box::new(inner)))
}

fn links(levels: usize) -> Link {
    (0..levels).fold(Link { next: None }, |inner, _| Link { next: Some(Box::new(inner)) })
}

/// What is sealed must open: `None` where sealing refused it, else whether it came back.
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Option<bool> {
    let record = record();
    match record.seal::<phi::Note>(value) {
        Ok(token) => Some(record.opened_by(&access()).open::<phi::Note, T>(&token).is_ok_and(|back| back == *value)),
        Err(error) => {
            assert_eq!(error.code().as_str(), "unrepresentable");
            None
        }
    }
}

/// serde_json reads 127 levels and no more: what nests deeper would be sealed and lost.
#[test]
fn what_nests_too_deep_to_be_read_again_is_refused() {
    for levels in 1..=200 {
        let forms = [
            survives(&list(levels)),
            survives(&map(levels)),
            survives(&links(levels)),
            survives(&chain(levels, Chain::Newtype)),
            survives(&chain(levels, |next| Chain::Tuple(1, next))),
            survives(&chain(levels, |next| Chain::Struct { next })),
        ];
        assert!(forms.iter().all(|form| *form != Some(false)), "sealed and lost at {levels} levels: {forms:?}");
        if levels <= 40 {
            assert!(forms.iter().all(Option::is_some), "{levels} levels: {forms:?}");
        }
        if levels == 64 {
            // Tuple and struct variants are two levels of JSON each.
            assert_eq!(forms, [Some(true), Some(true), Some(true), Some(true), None, None]);
        }
        if levels == 200 {
            assert_eq!(forms, [None; 6]);
        }
    }
}

#[test]
fn a_key_that_json_cannot_hold_is_refused() {
    let error = refused(record().seal::<phi::Note>(&BTreeMap::from([(vec![CANARY], 1)])));
    assert_eq!(error.code().as_str(), "unrepresentable");
    assert_silent(&error);
}

/// JSON writes an option that is present with nothing in it as one that is absent.
#[test]
fn an_option_that_would_come_back_absent_is_refused() {
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone, Copy)]
    struct Unit;
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct Newtype<T>(T);
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Field<T> {
        value: T,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(untagged)]
    enum Untagged {
        Nothing,
        Number(u8),
        Maybe(Option<u8>),
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum Tagged {
        Maybe(Option<u8>),
        Nothing,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug, Default)]
    struct Double {
        #[serde(default, with = "serde_with::rust::double_option", skip_serializing_if = "Option::is_none")]
        value: Option<Option<u8>>,
    }

    fn everywhere<T: Serialize + DeserializeOwned + PartialEq + Debug + Clone>(value: T) -> [Option<bool>; 6] {
        [
            survives(&value),
            survives(&vec![value.clone()]),
            survives(&BTreeMap::from([("a".to_owned(), value.clone())])),
            survives(&Field { value: value.clone() }),
            survives(&Newtype(value.clone())),
            survives(&(1, (value,))),
        ]
    }

    for lost in [
        everywhere(Some(None::<u8>)),
        everywhere(Some(Some(None::<u8>))),
        everywhere(Some(())),
        everywhere(Some(Unit)),
        everywhere(Some(Newtype(Unit))),
        everywhere(Some(Newtype(None::<u8>))),
        everywhere(Some(Box::new(None::<String>))),
        everywhere(Some(serde_json::Value::Null)),
        everywhere(Newtype(Some(Newtype(())))),
    ] {
        assert_eq!(lost, [None; 6]);
    }
    assert_eq!([survives(&Some(Untagged::Nothing)), survives(&Some(Untagged::Maybe(None)))], [None; 2]);
    for kept in [
        everywhere(None::<u8>),
        everywhere(()),
        everywhere(Unit),
        everywhere(None::<Option<u8>>),
        everywhere(Some(Some(1))),
        everywhere(Newtype(None::<u8>)),
        everywhere(serde_json::Value::Null),
        everywhere(Some(json!([null, { "a": null }]))),
        everywhere(Some(vec![None::<u8>])),
        everywhere(Some("null".to_owned())),
        everywhere(Some(String::new())),
    ] {
        assert_eq!(kept, [Some(true); 6]);
    }
    let variants = [survives(&Some(Tagged::Maybe(None))), survives(&Some(Tagged::Nothing)), survives(&Tagged::Nothing)];
    assert_eq!(variants, [Some(true); 3]);
    assert_eq!([survives(&vec![Untagged::Nothing]), survives(&Some(Untagged::Number(1)))], [Some(true); 2]);
    // A type that tells them apart by leaving out what is absent.
    for value in [None, Some(None), Some(Some(1))] {
        assert_eq!(survives(&Double { value }), Some(true));
    }
    // Under a marker that shows absence, the inner option is the value.
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Shown {
        #[serde(with = "Sealing::<Option<phi::Note>>", default)]
        value: Option<Option<u8>>,
    }
    for value in [None, Some(None), Some(Some(1))] {
        for format in Format::ALL {
            let row = Shown { value };
            let bytes = format.write(&record().sealing(&row)).unwrap();
            assert_eq!(open::<Shown>(&record(), format, &bytes).unwrap(), row, "{}", format.name());
        }
    }
}

#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
#[serde(untagged)]
enum Key {
    Flag(bool),
    Number(i16),
    Letter(char),
    Text(String),
}

/// Of two keys that JSON writes alike a reader takes one.
#[test]
fn keys_that_json_writes_alike_are_refused() {
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct Flat {
        a: u8,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct WithKind {
        kind: String,
        x: u8,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    #[serde(tag = "kind")]
    enum Tagged {
        Struct(WithKind),
        Map(BTreeMap<String, u8>),
    }

    let text = |text: &str| Key::Text(text.into());
    let map = |keys: &[Key]| -> BTreeMap<Key, u8> { keys.iter().cloned().zip(0..).collect() };
    for keys in [
        [Key::Number(1), text("1")],
        [Key::Number(-7), text("-7")],
        [Key::Flag(true), text("true")],
        [Key::Letter('x'), text("x")],
        [Key::Letter('1'), Key::Number(1)],
        [Key::Letter('"'), text("\"")],
    ] {
        let map = map(&keys);
        let lost =
            [survives(&map), survives(&vec![Some(map.clone())]), survives(&BTreeMap::from([("a".to_owned(), map)]))];
        assert_eq!(lost, [None; 3], "{keys:?}");
    }
    let flat = |key: &str| Flat { a: 1, rest: [(key.to_owned(), 2)].into() };
    let tagged = |key: &str| Tagged::Map([(key.to_owned(), 2)].into());
    let with_kind = WithKind { kind: "x".into(), x: 1 };
    assert_eq!(
        [survives(&flat("a")), survives(&tagged("kind")), survives(&Tagged::Struct(with_kind.clone()))],
        [None; 3]
    );
    assert_eq!([survives(&flat("b")), survives(&tagged("other")), survives(&with_kind)], [Some(true); 3]);
    let numbers: BTreeMap<u16, u16> = (0..2000).zip(0..).collect();
    let texts: HashMap<String, Option<bool>> = (0..2000).map(|key| (format!("{key:x}"), None)).collect();
    assert_eq!([survives(&numbers), survives(&texts)], [Some(true); 2]);
    assert_eq!(survives(&BTreeMap::from([(String::new(), 1), (" ".into(), 2), ("\u{0}".into(), 3)])), Some(true));
}

/// The tags of enums in one another stand side by side, and the innermost struct may have a field of each of these names: it is never
/// sealed as something that its own type does not read.
#[test]
fn a_field_named_as_any_of_several_tags_is_refused() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Inner {
        x: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        outer: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        middle: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        inner: Option<String>,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "inner")]
    enum Innermost {
        Of(Inner),
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "middle")]
    enum Middle {
        Of(Innermost),
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "outer")]
    enum Outer {
        Of(Middle),
    }

    let nested = |names: [bool; 3]| {
        let [outer, middle, inner] = names.map(|has| has.then(|| "x".to_owned()));
        Outer::Of(Middle::Of(Innermost::Of(Inner { x: 1, outer, middle, inner })))
    };
    for at in 0..3 {
        let mut names = [false; 3];
        names[at] = true;
        assert_eq!(survives(&nested(names)), None, "{at}");
    }
    assert_eq!(survives(&nested([false; 3])), Some(true));
}

#[test]
fn a_value_that_cannot_be_serialized_is_not_quoted() {
    struct Broken;

    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom(format!("cannot write {CANARY}")))
        }
    }

    for error in [refused(record().seal::<phi::Note>(&Broken)), refused(record().seal::<phi::Note>(&vec![Broken]))] {
        assert_eq!(error.code().as_str(), "unrepresentable");
        assert_silent(&error);
    }
    assert!(!contains(b"control", CANARY.as_bytes()));
}

/// Gives its elements away: the second time there is nothing left.
struct Once(Cell<Option<std::vec::IntoIter<u32>>>);

impl Once {
    fn new(values: &[u32]) -> Self {
        Self(Cell::new(Some(Vec::from(values).into_iter())))
    }
}

impl Serialize for Once {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.take().into_iter().flatten())
    }
}

#[derive(Serialize)]
struct Streamed {
    #[serde(with = "Sealing::<phi::Note>")]
    values: Option<Once>,
}

/// What plain serde keeps: a value whose `Serialize` runs once in each format runs once here too.
#[test]
fn a_value_that_can_be_written_once_is_written_once() {
    let record = record();
    let opener = record.opened_by(&access());
    let token = record.seal::<phi::Note>(&Once::new(&[1, 2, 3])).unwrap();
    assert_eq!(opener.open::<phi::Note, Vec<u32>>(&token).unwrap(), [1, 2, 3]);
    let row = Streamed { values: Some(Once::new(&[4, 5])) };
    let json = serde_json::to_value(record.sealing(&row)).unwrap();
    let token = json["values"].as_str().unwrap();
    assert_eq!(opener.open_text::<phi::Note, Vec<u32>>(token).unwrap(), [4, 5]);
}
