//! The three forms of a field and the types around them: `Each`, `Parts`, `Phi`, `Sealed`; what they implement, what they must
//! not, and what they print (T17, T40, T41 of docs/THREAT-MODEL.md; FORMAT 4.6, 4.7, 7.2).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::LazyLock;

use crate::support::{CANARY, Format, access, keyring, leaks};
use rxseal::forms::{ExposedPlaintext, NotWiped, RecordOpening, RecordSealing};
use rxseal::keys::{KeyringFile, Unlocked};
use rxseal::page::{OpenPass, SealPass};
use rxseal::provider::Kek;
use rxseal::roles::NotAuthentic;
use rxseal::root::{LocalRootKey, RootKeyFile, RootKeys};
use rxseal::subjects::{SubjectKey, WrappedSubjectKey};
use rxseal::testing::assert_no_plaintext;
use rxseal::{
    Access, Class, Each, Error, Keyring, Opener, Parts, Phi, Record, RecordReader, Sealed, Sealer, Sealing, Token, phi,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

static KEYS: LazyLock<Keyring> = LazyLock::new(keyring);

fn record(id: &str) -> Record {
    KEYS.record("refill", id).unwrap()
}

fn opener(id: &str) -> RecordReader {
    record(id).opened_by(&access())
}

// What the types are

/// Fails to compile where a type implements the trait.
macro_rules! assert_not {
    ($($type:ty: $trait:path),* $(,)?) => {$(
        const _: fn() = || {
            trait Ambiguous<A> {
                fn item() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct Implemented;
            impl<T: ?Sized + $trait> Ambiguous<Implemented> for T {}
            let _ = <$type as Ambiguous<_>>::item;
        };
    )*};
}

/// T41
macro_rules! assert_is_a_key {
    ($($type:ty),* $(,)?) => {$(
        assert_not!(
            $type: Clone, $type: Copy, $type: Default, $type: PartialEq, $type: Ord, $type: Hash, $type: Serialize,
            $type: DeserializeOwned, $type: std::fmt::Display, $type: AsRef<[u8]>, $type: std::ops::Deref
        );
    )*};
}

assert_is_a_key!(SubjectKey, Kek, LocalRootKey, Unlocked);

// A handle to keys is `Clone`, and gives away no more than that.
assert_not!(
    Keyring: Copy, Keyring: Default, Keyring: PartialEq, Keyring: Ord, Keyring: Hash, Keyring: Serialize,
    Keyring: DeserializeOwned, Keyring: std::fmt::Display, Keyring: AsRef<[u8]>, Keyring: std::ops::Deref
);

type Drug = Phi<String, phi::Drug>;

assert_not!(
    Drug: Clone, Drug: Copy, Drug: Default, Drug: PartialOrd, Drug: Hash, Drug: std::fmt::Display, Drug: AsRef<str>,
    Drug: std::ops::Deref, Drug: std::borrow::Borrow<String>,
    Sealed<String, phi::Drug>: Default, Sealed<String, phi::Drug>: PartialOrd, Token: Default, Token: Serialize,
    Record: Clone, RecordReader: Serialize, Opener: Serialize, Sealer: Serialize, NotAuthentic<String>: Clone,
    NotAuthentic<String>: std::ops::Deref, SealPass<'static>: Clone, OpenPass<'static>: Clone,
    RecordSealing<'static, String>: Clone, RecordOpening<'static, String>: Clone,
    ExposedPlaintext<'static, String>: Clone, Keyring: Iterator
);

#[test]
fn what_crosses_threads_does() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<Keyring>();
    crosses::<Unlocked>();
    crosses::<Sealer>();
    crosses::<Opener>();
    crosses::<Record>();
    crosses::<Record<rxseal::roles::SealOnly>>();
    crosses::<Record<rxseal::roles::OpenOnly>>();
    crosses::<RecordReader>();
    crosses::<Token>();
    crosses::<Error>();
    crosses::<Access>();
    crosses::<Class>();
    crosses::<SubjectKey>();
    crosses::<WrappedSubjectKey>();
    crosses::<KeyringFile>();
    crosses::<RootKeyFile>();
    crosses::<LocalRootKey>();
    crosses::<RootKeys>();
    crosses::<Kek>();
    crosses::<Phi<String, phi::Drug>>();
    // A form is as thread-safe as its value, whatever its marker is; a token always is.
    crosses::<Sealed<std::rc::Rc<String>, phi::Drug>>();

    fn shared<T: Clone + Send + Sync>() {}
    shared::<Sealer>();
    shared::<Opener>();
    shared::<RecordReader>();
    shared::<Access>();
    shared::<Sealed<String, phi::Drug>>();
}

assert_not!(Phi<NotWiped<std::rc::Rc<String>>, phi::Drug>: Send);

#[test]
fn every_debug_is_redacted() {
    let keys = keyring();
    let record = keys.record("refill", "MRN-Zoraida-Quimby").unwrap();
    let token = record.seal::<phi::Drug>(CANARY).unwrap();
    let (subject, wrapped) = keys.create_subject_key("patient-Zoraida-Quimby").unwrap();
    let canaries = [CANARY, "Zoraida", "Quimby", &token.to_string()[12..], &wrapped.to_string()[12..]];
    let row = Row { drug: CANARY.into() };
    let open = record.opened_by(&access());
    let file = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    let root = Kek::from_bytes(&[0xAB; 32]).unwrap();
    let all: [&dyn std::fmt::Debug; 19] = [
        &keys,
        &record,
        &record.subject(&subject).unwrap(),
        &open,
        &token,
        &Sealed::<String, phi::Drug>::from(token.clone()),
        &subject,
        &wrapped,
        &Phi::<_, phi::Drug>::new(CANARY.to_owned()),
        &NotWiped(CANARY),
        &record.sealing(&row),
        &open.opening::<Row>(),
        &rxseal::expose_plaintext(&row),
        &open.open_compromised::<phi::Drug, String>(&token).unwrap(),
        &file,
        &keys.sealer().only([Class::IDENTITY]),
        &keys.opener(),
        &root,
        &rxseal::testing::insecure_keyring("pharmacy-17").unwrap(),
    ];
    for value in all {
        assert_no_plaintext(value, &canaries);
        let text = format!("{value:?}");
        assert!(!text.contains("171") && !text.to_lowercase().contains("abab"), "bytes of a key");
    }
    record
        .seal_fields(|pass| Ok::<_, Error>(format!("{pass:?}")))
        .map(|text| assert_eq!(text, "SealPass { .. }"))
        .unwrap();
    open.open_fields(|pass| Ok::<_, Error>(format!("{pass:?}")))
        .map(|text| assert_eq!(text, "OpenPass { .. }"))
        .unwrap();
}

// Phi

#[derive(Serialize, Deserialize, PartialEq)]
struct Row {
    #[serde(with = "Sealing::<phi::Drug>")]
    drug: String,
}

#[test]
fn a_phi_gives_its_value_only_by_name() {
    let mut drug = Drug::from(CANARY.to_owned());
    assert!(drug.expose_phi() == CANARY && drug == Phi::new(CANARY.to_owned()));
    drug.expose_phi_mut().push('!');
    assert!(drug != Phi::new(CANARY.to_owned()));
    assert!(drug.expose_into_inner() == format!("{CANARY}!"));
}

#[test]
fn phi_takes_every_marker_that_sealing_takes() {
    #[derive(Serialize, Deserialize, PartialEq)]
    struct Chart {
        one: Phi<String, phi::Drug>,
        visible: Phi<Option<String>, Option<phi::Note>>,
        hidden: Phi<Option<String>, phi::Directions>,
        list: Phi<Vec<String>, Each<phi::Allergy>>,
        map: Phi<NotWiped<BTreeMap<u8, String>>, phi::Diagnosis>,
        both: Phi<Option<Vec<String>>, Option<Each<phi::Phone>>>,
    }

    let text = || CANARY.to_owned();
    let chart = |some: bool| Chart {
        one: text().into(),
        visible: some.then(text).into(),
        hidden: some.then(text).into(),
        list: vec![text(); usize::from(some)].into(),
        map: NotWiped([(1, text())].into()).into(),
        both: some.then(|| vec![text(), text()]).into(),
    };
    for some in [true, false] {
        let value = chart(some);
        for format in Format::ALL {
            let bytes = format.write(&record("RX-1").sealing(&value)).unwrap();
            assert!(!leaks(&bytes));
            assert!(opener("RX-1").run_opening(|| format.read::<Chart>(&bytes)).unwrap() == value, "{}", format.name());
        }
    }
    let json = serde_json::to_value(record("RX-1").sealing(&chart(false))).unwrap();
    assert!(
        json["visible"].is_null() && json["both"].is_null() && json["hidden"].is_string(),
        "what shows and what does not"
    );
}

/// T4: no value is as long as a short one.
#[test]
fn a_hidden_none_is_as_long_as_a_short_value() {
    let record = record("RX-1");
    let length = |value: Option<&str>| record.seal::<phi::Directions>(&value).unwrap().as_bytes().len();
    assert_eq!(length(None), length(Some("one daily")));
    assert_eq!(length(None), length(Some("")));
}

// Each

fn each_of<C>(list: C)
where
    C: PartialEq,
    Each<phi::Allergy>: rxseal::forms::SealAs<C> + for<'de> rxseal::forms::OpenAs<'de, C>,
{
    #[derive(Serialize, Deserialize, PartialEq)]
    #[serde(bound = "Each<phi::Allergy>: rxseal::forms::SealAs<C> + for<'a> rxseal::forms::OpenAs<'a, C>")]
    struct List<C> {
        #[serde(with = "Sealing::<Each<phi::Allergy>>")]
        list: C,
    }

    let list = List { list };
    for format in Format::ALL {
        let bytes = format.write(&record("RX-1").sealing(&list)).unwrap();
        assert!(!leaks(&bytes));
        assert!(opener("RX-1").run_opening(|| format.read::<List<C>>(&bytes)).unwrap() == list, "{}", format.name());
    }
}

#[test]
fn each_takes_every_list_of_the_standard_library() {
    let text = |at: u8| format!("{CANARY} {at}");
    each_of::<Vec<String>>(vec![]);
    each_of(vec![text(1), text(1), text(2)]);
    each_of(VecDeque::from([text(1), text(2)]));
    each_of(BTreeSet::from([text(1), text(2)]));
    each_of(HashSet::from([text(1), text(2)]));
    each_of(vec![Some(1_u64), None, Some(u64::MAX)]);
    each_of(vec![vec![text(1)], vec![]]);
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Allergies {
    #[serde(with = "Sealing::<Each<phi::Allergy>>")]
    allergies: Vec<String>,
}

/// What `Each` promises and what it does not (N4).
#[test]
fn the_elements_of_each_are_an_unordered_set_of_one_field_of_one_record() {
    let row = Allergies { allergies: vec!["latex".into(), CANARY.into(), "penicillin".into()] };
    let json = serde_json::to_value(record("RX-1").sealing(&row)).unwrap();
    let tokens = json["allergies"].as_array().unwrap();
    assert_eq!(tokens.len(), 3);
    let with = |tokens: Vec<&serde_json::Value>| serde_json::json!({ "allergies": tokens });
    let opens = |id, json| opener(id).run_opening(|| serde_json::from_value::<Allergies>(json));
    let shuffled = opens("RX-1", with(vec![&tokens[2], &tokens[2]])).unwrap().allergies;
    assert!(shuffled == ["penicillin", "penicillin"]);
    assert!(opens("RX-1", with(vec![])).unwrap().allergies.is_empty());
    assert!(opens("RX-2", with(vec![&tokens[0]])).err().unwrap().is_open_failure());
    let other = serde_json::json!(record("RX-1").seal_text::<phi::Drug>(CANARY).unwrap());
    assert!(opens("RX-1", with(vec![&tokens[0], &other])).err().unwrap().is_open_failure());
}

// Parts

fn parts_of<M>(map: M)
where
    M: PartialEq,
    Parts<phi::Note>: rxseal::forms::SealAs<M> + for<'de> rxseal::forms::OpenAs<'de, M>,
{
    #[derive(Serialize, Deserialize, PartialEq)]
    #[serde(bound = "Parts<phi::Note>: rxseal::forms::SealAs<M> + for<'a> rxseal::forms::OpenAs<'a, M>")]
    struct Map<M> {
        #[serde(with = "Sealing::<Parts<phi::Note>>")]
        map: M,
    }

    let map = Map { map };
    for format in Format::ALL {
        let bytes = format.write(&record("RX-1").sealing(&map)).unwrap();
        assert!(!leaks(&bytes));
        assert!(opener("RX-1").run_opening(|| format.read::<Map<M>>(&bytes)).unwrap() == map, "{}", format.name());
    }
}

#[test]
fn parts_take_every_map_of_the_standard_library_and_keys_of_text_and_integers() {
    let text = || CANARY.to_owned();
    parts_of::<BTreeMap<u8, String>>([].into());
    parts_of(BTreeMap::from([(1_u32, text()), (2, text())]));
    parts_of(BTreeMap::from([(-1_i64, text())]));
    parts_of(HashMap::from([("a".to_owned(), text()), ("b".to_owned(), String::new())]));
    parts_of(HashMap::from([(7_u64, vec![Some(text()), None])]));
}

// Sealed

#[test]
fn a_sealed_is_its_token_and_nothing_else() {
    let record = record("RX-1");
    let sealed: Sealed<String, phi::Drug> = Sealed::seal(&record, CANARY).unwrap();
    let copy = sealed.clone();
    assert!(copy == sealed && copy.token() == sealed.token());
    assert!(HashSet::from([sealed.clone(), copy]).len() == 1);
    assert!(sealed.open(&opener("RX-1")).unwrap() == CANARY);
    assert!(sealed.open(&opener("RX-2")).unwrap_err().is_open_failure());
    assert!(sealed.clone().into_token() == *sealed.token());
    let wrong = Sealed::<u64, phi::Drug>::from(sealed.into_token());
    assert!(wrong.open(&opener("RX-1")).unwrap_err().is_type_mismatch());
}

#[test]
fn the_three_forms_are_one_wire_form() {
    #[derive(Serialize, Deserialize)]
    struct Silent {
        drug: Phi<String, phi::Drug>,
    }
    #[derive(Serialize, Deserialize)]
    struct Token {
        drug: Sealed<String, phi::Drug>,
    }

    let (record, open) = (record("RX-1"), opener("RX-1"));
    for format in Format::ALL {
        let written = [
            format.write(&record.sealing(&Row { drug: CANARY.into() })).unwrap(),
            format.write(&record.sealing(&Silent { drug: CANARY.to_owned().into() })).unwrap(),
            format.write(&Token { drug: Sealed::seal(&record, CANARY).unwrap() }).unwrap(),
        ];
        for bytes in &written {
            assert_eq!(bytes.len(), written[0].len());
            assert!(open.run_opening(|| format.read::<Row>(bytes)).unwrap().drug == CANARY);
            assert!(open.run_opening(|| format.read::<Silent>(bytes)).unwrap().drug.expose_phi() == CANARY);
            assert!(format.read::<Token>(bytes).unwrap().drug.open(&open).unwrap() == CANARY);
        }
    }
}

/// The design's promise: a failed open never becomes a null that the next save writes over the token (T17).
#[test]
fn a_row_whose_field_cannot_be_opened_is_saved_back_intact() {
    #[derive(Serialize, Deserialize)]
    struct Mixed {
        #[serde(with = "Sealing::<phi::Drug>")]
        drug: String,
        prescriber: Option<Sealed<String, phi::PrescriberName>>,
    }

    let foreign: Sealed<String, phi::PrescriberName> =
        Sealed::seal(&keyring().record("refill", "RX-1").unwrap(), CANARY).unwrap();
    let row = Mixed { drug: CANARY.into(), prescriber: Some(foreign.clone()) };
    let json = serde_json::to_string(&record("RX-1").sealing(&row)).unwrap();
    let mut row: Mixed = opener("RX-1").run_opening(|| serde_json::from_str(&json)).unwrap();
    assert!(row.prescriber.as_ref().unwrap().open(&opener("RX-1")).is_err());
    row.drug.push_str(" XR");
    let json = serde_json::to_value(record("RX-1").sealing(&row)).unwrap();
    assert_eq!(json["prescriber"], serde_json::json!(foreign.token().to_string()));
}

#[test]
fn a_sealed_field_takes_tokens_only() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Holder {
        drug: Sealed<String, phi::Drug>,
    }

    let good = record("RX-1").seal_text::<phi::Drug>(CANARY).unwrap();
    let bad = [
        serde_json::json!(CANARY),
        serde_json::json!(format!("{good}=")),
        serde_json::json!(format!(" {good}")),
        serde_json::json!(good[1..]),
        serde_json::json!(null),
        serde_json::json!(1),
        serde_json::json!([good]),
        serde_json::json!({ "token": good }),
    ];
    for drug in bad {
        let json = serde_json::json!({ "drug": drug });
        let error = serde_json::from_value::<Holder>(json.clone()).err().unwrap();
        assert!(error.to_string().starts_with("this is not an rxseal token") && !leaks(error.to_string().as_bytes()));
        let error = opener("RX-1").run_opening(|| serde_json::from_value::<Holder>(json)).err().unwrap();
        assert_eq!((error.code().as_str(), error.field_id()), ("not-a-token", Some("phi.rx.drug")));
    }
}

// Fields

mod before {
    rxseal::fields! {
        pub Reason = "rx.indication" in Medication { block: 16 };
        pub Comment = "rx.comment" in Clinical;
    }
}

mod after {
    rxseal::fields! { pub Reason = "rx.reason" in Clinical, was "rx.indication" in Medication, was "rx.why" in Clinical { block: 256 }; }
}

/// FORMAT 4.6: a renamed and reclassed field opens its old tokens, and only those.
#[test]
fn former_ids_open_in_every_form_and_never_seal() {
    #[derive(Serialize, Deserialize)]
    struct Old {
        #[serde(with = "Sealing::<before::Reason>")]
        reason: String,
    }
    #[derive(Serialize, Deserialize)]
    struct New {
        #[serde(with = "Sealing::<after::Reason>")]
        reason: String,
    }

    let (record, open) = (record("RX-1"), opener("RX-1"));
    let old = serde_json::to_string(&record.sealing(&Old { reason: CANARY.into() })).unwrap();
    let row: New = open.run_opening(|| serde_json::from_str(&old)).unwrap();
    assert!(row.reason == CANARY);
    let new = serde_json::to_string(&record.sealing(&row)).unwrap();
    assert!(open.run_opening(|| serde_json::from_str::<Old>(&new)).err().unwrap().is_open_failure());
    let comment = record.seal::<before::Comment>(CANARY).unwrap();
    assert!(open.open::<after::Reason, String>(&comment).unwrap_err().is_open_failure());
    // An opener without the former class opens new tokens only.
    let limited = KEYS.opener().only([Class::CLINICAL]).record("refill", "RX-1").unwrap().opened_by(&access());
    assert!(limited.run_opening(|| serde_json::from_str::<New>(&new)).is_ok());
    assert!(limited.run_opening(|| serde_json::from_str::<New>(&old)).is_err());
}

/// Its name says that it is not wiped, and not that it is not sealed.
#[test]
fn a_not_wiped_alone_is_never_written() {
    #[derive(Serialize)]
    struct Bare {
        id: u32,
        born: NotWiped<String>,
        others: Vec<NotWiped<String>>,
    }
    #[derive(Serialize)]
    struct Marked {
        born: Phi<NotWiped<String>, phi::BirthDate>,
        #[serde(with = "rxseal::Sealing::<phi::Note>")]
        note: NotWiped<Vec<NotWiped<String>>>,
        #[serde(with = "rxseal::Sealing::<rxseal::Each<phi::Allergy>>")]
        allergies: Vec<NotWiped<String>>,
        #[serde(with = "rxseal::Sealing::<Parts<phi::Drug>>")]
        drugs: BTreeMap<u8, NotWiped<String>>,
    }
    let value = || NotWiped(CANARY.to_owned());
    let bare = Bare { id: 7, born: value(), others: vec![value()] };
    assert_eq!(bare.id, 7);
    assert!(serde_json::to_string(&value()).is_err());
    assert!(serde_json::to_string(&Some(value())).is_err());
    assert!(serde_json::to_string(&bare).is_err());
    assert!(serde_json::to_string(&Bare { others: Vec::new(), ..bare }).is_err());
    let bare = Bare { id: 7, born: value(), others: Vec::new() };
    // A scope makes no field of it.
    assert!(serde_json::to_string(&record("1").sealing(&bare)).is_err());
    let swallowed: Result<(), _> = record("1").run_sealing(|| {
        let _ = serde_json::to_string(&bare);
        Ok::<_, rxseal::Error>(())
    });
    assert_eq!(swallowed.unwrap_err().code().as_str(), "scope-missing");

    let marked = Marked {
        born: value().into(),
        note: NotWiped(vec![value()]),
        allergies: vec![value()],
        drugs: [(1, value())].into(),
    };
    assert!(!serde_json::to_string(&record("1").sealing(&marked)).unwrap().contains(CANARY));
    assert_eq!(serde_json::to_string(&rxseal::expose_plaintext(&marked)).unwrap().matches(CANARY).count(), 4);
    let token = record("1").seal::<phi::Note>(&value()).unwrap();
    assert_eq!(opener("1").open::<phi::Note, NotWiped<String>>(&token).unwrap().0, CANARY);
    // Nothing of the scope is left.
    assert!(serde_json::to_string(&value()).is_err());
}
