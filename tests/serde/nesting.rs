//! Nothing sealed contains a token, since no count, reseal or destruction of a key could see it there (T45 of
//! docs/THREAT-MODEL.md; FORMAT 7.5, 7.6). Every call that seals refuses it, in every form and spelling. Such a value
//! that release 0.1.0 sealed opens, is found, and is not passed on. One law follows: seal anything, reseal what a
//! reader of the stored bytes can see, destroy the old key, and everything opens.
//!
//! 300 random documents in a debug build, 10,000 in a release build; `RXSEAL_FULL=1` runs 100,000.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use crate::support::{Format, access};
use proptest::prelude::*;
use rxseal::forms::NotWiped;
use rxseal::keys::{KeyState, KeyringFile};
use rxseal::page::seal_page;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::{
    Each, Error, Field, KeyId, Keyring, Parts, Phi, Record, RecordReader, Sealed, Sealing, Token, accept_plaintext,
    expose_plaintext, phi, run_local, testing,
};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

rxseal::fields! {
    With = "nesting.with" in Clinical;
    Hidden = "nesting.hidden" in Clinical { block: 64 };
    Silent = "nesting.silent" in Identity;
    Kept = "nesting.kept" in Medication;
    List = "nesting.list" in Clinical { block: 1 };
    Map = "nesting.map" in Medication;
    Inner = "nesting.inner" in Medication;
    InnerList = "nesting.inner-list" in Clinical;
    InnerMap = "nesting.inner-map" in Identity;
}

/// One keyspace before a rotation, after it, and when the old key is destroyed.
struct World {
    before: Keyring,
    between: Keyring,
    after: Keyring,
    /// Under the old key.
    token: Token,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let (roots, file) = testing::insecure_keyring_file("pharmacy-17").unwrap();
    World::new("pharmacy-17", &roots, &file)
});

impl World {
    fn new(keyspace: &str, roots: &RootKeys, file: &KeyringFile) -> Self {
        let unlock = |file: &KeyringFile| run_local(Keyring::unlock(keyspace, roots, file)).unwrap().unobserved();
        let before = unlock(file);
        let rotated = run_local(rxseal::testing::rotate_keyring(keyspace, roots, file)).unwrap();
        let destroy =
            rxseal::testing::force_key_state(keyspace, roots, &rotated, before.primary_key(), KeyState::Destroyed);
        let after = unlock(&run_local(destroy).unwrap());
        let token = record_of(&before).seal::<Inner>("warfarin 5 MG").unwrap();
        Self { before, between: unlock(&rotated), after, token }
    }

    fn old(&self) -> KeyId {
        self.before.primary_key()
    }
}

fn record_of(keys: &Keyring) -> Record {
    keys.record("refill", "RX-1").unwrap()
}

fn opener_of(keys: &Keyring) -> RecordReader {
    record_of(keys).opened_by(&access())
}

fn record() -> Record {
    record_of(&WORLD.before)
}

fn token() -> Token {
    WORLD.token.clone()
}

#[track_caller]
fn code<T>(result: Result<T, Error>) -> &'static str {
    result.map_or_else(|error| error.code().as_str(), |_| "ok")
}

/// A value of which every part may be sealed on its own, be a token, or come about in a roundabout way.
#[derive(Clone, Debug)]
enum Node {
    Plain(Value),
    Items(Vec<Self>),
    Entries(BTreeMap<String, Self>),
    /// As the key of a map.
    Key(Box<Self>),
    Present(Box<Self>),
    /// With the forms of a field inside.
    Field(Box<Self>),
    Absent,
    Each(Vec<Self>),
    Parts(BTreeMap<String, Self>),
    Kept,
    /// A token or a wrapped subject key, as one or the other thing.
    Text(Vec<u8>),
    Displayed(Vec<u8>),
    Bytes(Vec<u8>),
    Numbers(Vec<u8>),
    /// Sealed for a record while it is written.
    Scope(Box<Self>),
    Call,
    /// The text of JSON, written on the way.
    JsonText(Box<Self>),
    /// Nothing where it cannot be written.
    Swallowed(Box<Self>),
    Exposed(Box<Self>),
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(serializer),
            Self::Items(items) => items.serialize(serializer),
            Self::Entries(entries) => entries.serialize(serializer),
            Self::Key(key) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(key, &1)?;
                map.end()
            }
            Self::Present(value) => serializer.serialize_some(value),
            Self::Field(value) => Sealing::<Inner>::serialize(&**value, serializer),
            Self::Absent => Sealing::<Option<Inner>>::serialize(&None::<String>, serializer),
            Self::Each(items) => Sealing::<Each<InnerList>>::serialize(items, serializer),
            Self::Parts(entries) => Sealing::<Parts<InnerMap>>::serialize(entries, serializer),
            Self::Kept => Sealed::<String, Inner>::from(token()).serialize(serializer),
            Self::Text(bytes) => serializer.serialize_str(&text(bytes)),
            Self::Displayed(bytes) => serializer.collect_str(&text(bytes)),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::Numbers(bytes) => {
                let mut items = serializer.serialize_seq(None)?;
                bytes.iter().try_for_each(|byte| items.serialize_element(&i64::from(*byte)))?;
                items.end()
            }
            Self::Scope(value) => record().sealing(value).serialize(serializer),
            Self::Call => {
                let token = record().seal_text::<Inner>("x").map_err(S::Error::custom)?;
                serializer.serialize_str(&format!("see {token}"))
            }
            Self::JsonText(value) => serializer.serialize_str(&serde_json::to_string(value).map_err(S::Error::custom)?),
            Self::Swallowed(value) => serde_json::to_value(value).unwrap_or_default().serialize(serializer),
            Self::Exposed(value) => expose_plaintext(value).serialize(serializer),
        }
    }
}

/// What was plain comes back; which form it had is known to who wrote it.
impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::Plain)
    }
}

fn text(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

impl Node {
    /// Whether it must not be sealed: where it is plaintext by name no field is sealed, but a token is one.
    fn is_refused(&self, exposed: bool) -> bool {
        match self {
            Self::Text(_) | Self::Displayed(_) | Self::Bytes(_) | Self::Numbers(_) => true,
            _ => self.seals(exposed) || self.members().any(|member| member.is_refused(exposed || self.exposes())),
        }
    }

    /// Whether something is sealed, or a token written by itself, when it is written.
    fn seals(&self, exposed: bool) -> bool {
        match self {
            Self::Field(_) | Self::Absent | Self::Each(_) | Self::Parts(_) if !exposed => true,
            Self::Kept | Self::Call => true,
            // A piece of a longer text is text.
            Self::JsonText(value) => value.seals(exposed),
            _ => self.members().any(|member| member.seals(exposed || self.exposes())),
        }
    }

    /// Whether it enters a scope when it is written: none nests in one for plaintext.
    fn enters_a_scope(&self) -> bool {
        let members = || match self {
            Self::JsonText(value) => value.enters_a_scope(),
            _ => self.members().any(Self::enters_a_scope),
        };
        matches!(self, Self::Scope(_) | Self::Exposed(_)) || members()
    }

    fn exposes(&self) -> bool {
        matches!(self, Self::Exposed(_))
    }

    fn members(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match self {
            Self::Items(items) | Self::Each(items) => Box::new(items.iter()),
            Self::Entries(entries) | Self::Parts(entries) => Box::new(entries.values()),
            Self::Key(value)
            | Self::Present(value)
            | Self::Field(value)
            | Self::Scope(value)
            | Self::Swallowed(value)
            | Self::Exposed(value) => Box::new(std::iter::once(&**value)),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// What a reader gets.
    fn plain(&self) -> Value {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Items(items) | Self::Each(items) => items.iter().map(Self::plain).collect(),
            Self::Entries(entries) | Self::Parts(entries) => entries
                .iter()
                .map(|(key, value)| (key.clone(), value.plain()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Self::Key(key) => json!({ key.plain().as_str().unwrap(): 1 }),
            Self::Present(value)
            | Self::Field(value)
            | Self::Scope(value)
            | Self::Swallowed(value)
            | Self::Exposed(value) => value.plain(),
            Self::Absent => Value::Null,
            Self::JsonText(value) => serde_json::to_string(&value.plain()).unwrap().into(),
            Self::Text(bytes) | Self::Displayed(bytes) => text(bytes).into(),
            Self::Bytes(bytes) | Self::Numbers(bytes) => json!(bytes),
            Self::Kept | Self::Call => unreachable!("never sealed"),
        }
    }
}

// Every call, every form

/// A document with one field in each form.
#[derive(Serialize)]
struct Row<'n> {
    #[serde(with = "Sealing::<With>", skip_serializing_if = "Option::is_none")]
    with: Option<&'n Node>,
    #[serde(with = "Sealing::<Option<Hidden>>", skip_serializing_if = "Option::is_none")]
    hidden: Option<&'n Node>,
    #[serde(skip_serializing_if = "Option::is_none")]
    silent: Option<Phi<NotWiped<&'n Node>, Silent>>,
    #[serde(with = "Sealing::<Each<List>>")]
    list: Vec<&'n Node>,
    #[serde(with = "Sealing::<Parts<Map>>")]
    map: BTreeMap<u8, &'n Node>,
}

impl Row<'static> {
    const EMPTY: Self = Row { with: None, hidden: None, silent: None, list: Vec::new(), map: BTreeMap::new() };
}

/// A call that seals a value.
type Way = fn(&Node) -> Result<(), Error>;

#[rustfmt::skip]
const WAYS: [(&str, Way); 17] = [
    ("seal", |node| record().seal::<With>(node).map(drop)),
    ("seal_text", |node| record().seal_text::<With>(node).map(drop)),
    ("SealPass::seal", |node| record().seal_fields(|pass| pass.seal::<With>(node)).map(drop)),
    ("SealPass::seal_text", |node| record().seal_fields(|pass| pass.seal_text::<With>(node)).map(drop)),
    ("SealPass::seal_into", |node| record().seal_fields(|pass| pass.seal_into::<With>(node, &mut Vec::new()))),
    ("SealPass::seal_text_into", |node| {
        record().seal_fields(|pass| pass.seal_text_into::<With>(node, &mut String::new()))
    }),
    ("Sealed::seal", |node| Sealed::<Node, With>::seal(&record(), node).map(drop)),
    ("seal_page", |node| seal_page(&[record()], |_, pass| pass.seal::<With>(node)).map(drop)),
    ("with", |node| in_scope(&Row { with: Some(node), ..Row::EMPTY })),
    ("Option", |node| in_scope(&Row { hidden: Some(node), ..Row::EMPTY })),
    ("Phi", |node| in_scope(&Row { silent: Some(NotWiped(node).into()), ..Row::EMPTY })),
    ("Each", |node| in_scope(&Row { list: vec![node], ..Row::EMPTY })),
    ("Parts", |node| in_scope(&Row { map: [(1, node)].into(), ..Row::EMPTY })),
    ("a part", |node| {
        let row = Row { with: Some(node), ..Row::EMPTY };
        let part = record().part("line", 1)?;
        record().run_sealing(|| part.run_sealing(|| Format::Cbor.write(&row))).map(drop)
    }),
    ("sealing", |node| {
        let row = Row { with: Some(node), ..Row::EMPTY };
        let part = record().part("line", 1)?;
        let error = Format::JsonText.write(&part.sealing(&row)).err().map(|error| error.0);
        match error {
            Some(text) if text.contains("inside a sealed value") => part.run_sealing(|| Format::Postcard.write(&row)).map(drop),
            Some(text) => panic!("another reason: {text}"),
            None => Ok(()),
        }
    }),
    ("a pass inside of a scope", |node| record().run_sealing(|| record().seal::<With>(node)).map(drop)),
    ("a pass inside of an opening", |node| opener_of(&WORLD.before).run_opening(|| record().seal::<With>(node)).map(drop)),
];

fn in_scope(row: &Row<'_>) -> Result<(), Error> {
    let all = [Format::JsonText, Format::JsonValue, Format::Cbor, Format::Postcard, Format::Bincode, Format::RmpNamed];
    let codes: Vec<_> = all.iter().map(|format| code(record().run_sealing(|| format.write(row)))).collect();
    assert!(codes.iter().all(|code| *code == codes[0]), "{codes:?}");
    record().run_sealing(|| Format::JsonText.write(row)).map(drop)
}

fn wrapped_key() -> Vec<u8> {
    WORLD.before.create_subject_key("P-1").unwrap().1.as_bytes().to_vec()
}

fn plain() -> Box<Node> {
    Box::new(Node::Plain("warfarin".into()))
}

/// What seals, or is a token, in itself.
fn leaves() -> Vec<Node> {
    let forms = [token().into_bytes(), wrapped_key()];
    let spelled = forms.into_iter().flat_map(|bytes| {
        [Node::Text(bytes.clone()), Node::Displayed(bytes.clone()), Node::Bytes(bytes.clone()), Node::Numbers(bytes)]
    });
    let sealing = [
        Node::Field(plain()),
        Node::Field(Box::new(Node::Field(plain()))),
        Node::Absent,
        Node::Each(vec![]),
        Node::Each(vec![*plain()]),
        Node::Parts(BTreeMap::new()),
        Node::Parts([("1".to_owned(), *plain())].into()),
        Node::Kept,
        Node::Call,
        Node::Scope(Box::new(Node::Field(plain()))),
        Node::JsonText(Box::new(Node::Field(plain()))),
        Node::JsonText(Box::new(Node::Kept)),
        Node::JsonText(Box::new(Node::Scope(Box::new(Node::Field(plain()))))),
        Node::Swallowed(Box::new(Node::Field(plain()))),
        Node::Swallowed(Box::new(Node::Kept)),
    ];
    sealing.into_iter().chain(spelled).collect()
}

/// Where it may be in a value.
fn around(node: &Node) -> Vec<Node> {
    let inside = || Box::new(node.clone());
    let mut all = vec![
        Node::Items(vec![*plain(), node.clone()]),
        Node::Entries([("a".to_owned(), node.clone())].into()),
        Node::Items(vec![Node::Items(vec![Node::Entries([("a".to_owned(), node.clone())].into())])]),
        Node::Items(vec![Node::Present(inside())]),
        Node::Items(vec![Node::Swallowed(inside())]),
    ];
    if matches!(node, Node::Text(_) | Node::Displayed(_) | Node::Kept | Node::Field(_)) {
        all.push(Node::Key(inside()));
    }
    all
}

#[test]
fn no_call_seals_a_value_that_holds_a_token() {
    for leaf in leaves() {
        for node in around(&leaf) {
            for (name, way) in WAYS {
                assert_eq!(code(way(&node)), "token-inside", "{name}: {node:?}");
            }
        }
        // Alone: a token is refused as such; bytes that are written as a list are a list.
        let is_token = matches!(leaf, Node::Text(_) | Node::Displayed(_) | Node::Bytes(_));
        let expected = if is_token { "token-as-plaintext" } else { "token-inside" };
        for (name, way) in WAYS {
            if name != "sealing" {
                assert_eq!(code(way(&leaf)), expected, "{name}: {leaf:?}");
            }
        }
    }
    for scan in [token().into_bytes(), wrapped_key()] {
        let mut buffer = scan.clone();
        let refused = record().seal_fields(|pass| pass.seal_in_place::<With>(&mut buffer));
        assert_eq!(code(refused), "token-as-plaintext");
        assert!(buffer == scan, "what was refused is as it was");
    }
}

#[test]
fn what_is_no_token_is_sealed() {
    let foreign = testing::insecure_keyring("pharmacy-18").unwrap().unobserved();
    let foreign = record_of(&foreign).seal::<Inner>("x").unwrap();
    for node in [
        Node::Plain(json!({ "rxs": "rxsX", "rxk": [175, 27, 23], "x": format!("see {}", token()) })),
        Node::Plain(json!([format!(" {}", token())])),
        Node::JsonText(Box::new(Node::Text(token().into_bytes()))),
        Node::Numbers(foreign.as_bytes().to_vec()),
        Node::Items(vec![Node::Exposed(plain()), Node::Exposed(Box::new(Node::Field(plain())))]),
        Node::Exposed(Box::new(Node::Each(vec![Node::Field(plain())]))),
        Node::Scope(plain()),
    ] {
        for (name, way) in WAYS {
            assert_eq!(code(way(&node)), "ok", "{name}: {node:?}");
        }
        let token = record().seal::<With>(&node).unwrap();
        assert!(opener_of(&WORLD.before).open::<With, Node>(&token).unwrap().plain() == node.plain());
    }
    // The text of another keyring's token is a token, whoever can open it.
    let node = Node::Items(vec![Node::Text(foreign.into_bytes())]);
    assert_eq!(code(record().seal::<With>(&node)), "token-inside");
}

#[test]
fn the_error_says_where_and_what_to_do() {
    let node = Node::Items(vec![Node::Field(plain())]);
    let error = record().seal::<With>(&node).unwrap_err();
    assert_eq!((error.field_id(), error.record_type()), (Some("nesting.with"), Some("refill")));
    assert!(error.is_value_refused() && !error.is_api_misuse(), "a client may have sent it");
    assert!(error.to_string().contains("expose_plaintext"));
    // In a scope, the field that is inside.
    let error = in_scope(&Row { with: Some(&node), ..Row::EMPTY }).unwrap_err();
    assert_eq!((error.code().as_str(), error.field_id()), ("token-inside", Some("nesting.inner")));
}

/// A value whose `Serialize` panics, or is refused, leaves nothing behind.
#[test]
fn afterwards_everything_is_sealed_as_before() {
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("in the value's own code")
        }
    }

    let works = || {
        assert!(record().run_sealing(|| serde_json::to_string(&Node::Field(plain()))).is_ok());
        assert!(serde_json::to_string(&Node::Kept).is_ok());
        assert!(
            matches!(serde_json::to_string(&Node::Field(plain())), Err(error) if error.to_string().contains("scope"))
        );
    };
    works();
    assert!(catch_unwind(AssertUnwindSafe(|| record().seal::<With>(&Panics))).is_err());
    works();
    assert!(record().seal::<With>(&Node::Items(vec![Node::Kept])).is_err());
    works();
}

/// The remedy for a struct that has fields of its own: plaintext by name inside the sealed value, and back.
#[test]
fn a_struct_with_fields_is_sealed_as_plaintext_by_name() {
    #[derive(Serialize, Deserialize, PartialEq)]
    struct Summary {
        drug: Phi<String, phi::Drug>,
        #[serde(with = "Sealing::<Each<phi::Allergy>>")]
        allergies: Vec<String>,
    }

    #[derive(Serialize)]
    struct Chart {
        #[serde(serialize_with = "exposed")]
        summary: Summary,
    }

    fn exposed<S: Serializer>(summary: &Summary, serializer: S) -> Result<S::Ok, S::Error> {
        Sealing::<phi::Note>::serialize(&expose_plaintext(summary), serializer)
    }

    #[derive(Deserialize)]
    struct Plain {
        drug: String,
        allergies: Vec<String>,
    }

    let summary = || Summary { drug: "warfarin".to_owned().into(), allergies: vec!["penicillin".into()] };
    assert_eq!(code(record().seal::<phi::Note>(&summary())), "token-inside");
    let alone = record().seal::<phi::Note>(&expose_plaintext(&summary())).unwrap();
    let json = serde_json::to_value(record().sealing(&Chart { summary: summary() })).unwrap();
    for token in [alone, json["summary"].as_str().unwrap().parse().unwrap()] {
        let resealed = record_of(&WORLD.between).reseal::<phi::Note>(&token).unwrap();
        let opener = opener_of(&WORLD.after);
        let plain = opener.open::<phi::Note, Plain>(&resealed).unwrap();
        assert!(plain.drug == "warfarin" && plain.allergies == ["penicillin"]);
        let read = accept_plaintext(|| opener.open::<phi::Note, Summary>(&resealed)).unwrap();
        assert!(read == summary());
    }
    // Nowhere else does a plaintext scope nest.
    let nested = record().run_sealing(|| serde_json::to_string(&expose_plaintext(&summary())));
    assert!(nested.is_err());
}

// What release 0.1.0 sealed

/// Made by release 0.1.0 under the golden keyring, from the types below.
static RELEASE_0_1_0: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("nesting/release-0.1.0.json")).unwrap());

static GOLDEN: LazyLock<World> = LazyLock::new(|| {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    // Git keeps no modes, so the root key is loaded from a copy that only its owner may read.
    let path = std::env::temp_dir().join(format!("rxseal-nesting-{}.key", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let mut copy = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    copy.write_all(include_bytes!("../golden/root-key.txt")).unwrap();
    let roots = RootKeys::from(RootKeyFile::new(&path).load().unwrap());
    std::fs::remove_file(&path).unwrap();
    World::new("golden", &roots, &include_str!("../golden/keyring-x.json").parse().unwrap())
});

#[derive(Serialize, Deserialize, PartialEq)]
struct Refill {
    #[serde(with = "Sealing::<phi::Drug>")]
    drug: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Summary {
    allergy: Phi<String, phi::Allergy>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Ndcs {
    #[serde(with = "Sealing::<Each<phi::Ndc>>")]
    each: Vec<String>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Chart {
    #[serde(with = "Sealing::<phi::Note>")]
    note: Refill,
    #[serde(with = "Sealing::<phi::Diagnosis>")]
    list: Vec<Option<Summary>>,
    #[serde(with = "Sealing::<phi::Directions>")]
    sealed: Vec<Sealed<String, phi::Plan>>,
    #[serde(with = "Sealing::<Parts<phi::Strength>>")]
    parts: BTreeMap<String, Ndcs>,
}

fn chart(keys: &Keyring) -> Result<Chart, Error> {
    opener_of(keys).run_opening(|| serde_json::from_value(RELEASE_0_1_0["chart"].clone()))
}

fn stored(value: &Value) -> Token {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn what_release_0_1_0_nested_opens() {
    let chart = chart(&GOLDEN.before).unwrap();
    assert!(chart.note.drug == "warfarin 5 MG");
    assert!(chart.list == [None, Some(Summary { allergy: "penicillin".to_owned().into() })]);
    assert!(chart.sealed[0].open(&opener_of(&GOLDEN.before)).unwrap() == "gold");
    assert!(chart.parts == [("1".to_owned(), Ndcs { each: vec!["a".into(), "b".into()] })].into());
    for (name, token) in RELEASE_0_1_0["tokens"].as_object().unwrap() {
        assert!(opener_of(&GOLDEN.before).open::<phi::Note, Value>(&stored(token)).is_ok(), "{name}");
    }
}

/// With the keyring of before a rotation and with that of after it; by every call that takes a token along.
fn assert_not_passed_on<F: Field>(part: Option<&str>, token: &Token, expected: &str) {
    for keys in [&GOLDEN.before, &GOLDEN.between] {
        let record = match part {
            Some(id) => record_of(keys).part("phi.rx.strength", id).unwrap(),
            None => record_of(keys),
        };
        assert_eq!(code(record.reseal::<F>(token)), expected);
        assert_eq!(code(record.reseal_fields(|pass| pass.reseal_text::<F>(&token.to_string()))), expected);
        let mut out = b"before".to_vec();
        assert_eq!(code(record.reseal_fields(|pass| pass.reseal_into::<F>(token.as_bytes(), &mut out))), expected);
        assert_eq!(out, b"before");
        let sealed = Sealed::<Value, F>::from(token.clone());
        assert_eq!(code(sealed.reseal(&record)), expected);
        let to = keys.record("refill", "RX-2").unwrap();
        assert_eq!(code(record.rebind::<F>(&to, token, &access())), expected);
        assert_eq!(code(rxseal::page::reseal_page(&[record], |_, pass| pass.reseal::<F>(token))), expected);
    }
}

#[test]
fn what_release_0_1_0_nested_is_not_passed_on() {
    let chart = &RELEASE_0_1_0["chart"];
    assert_not_passed_on::<phi::Note>(None, &stored(&chart["note"]), "token-inside");
    assert_not_passed_on::<phi::Diagnosis>(None, &stored(&chart["list"]), "token-inside");
    assert_not_passed_on::<phi::Directions>(None, &stored(&chart["sealed"]), "token-inside");
    assert_not_passed_on::<phi::Strength>(Some("1"), &stored(&chart["parts"]["1"]), "token-inside");
    for (name, token) in RELEASE_0_1_0["tokens"].as_object().unwrap() {
        let expected = if name == "wrapped subject key" { "token-as-plaintext" } else { "token-inside" };
        assert_not_passed_on::<phi::Note>(None, &stored(token), expected);
    }
}

#[test]
fn what_release_0_1_0_nested_is_found_and_replaced_before_the_old_key_is_destroyed() {
    #[derive(Serialize, Deserialize, PartialEq)]
    struct PlainRefill {
        drug: String,
    }

    let (old, chart_json) = (GOLDEN.old(), &RELEASE_0_1_0["chart"]);
    let opener = opener_of(&GOLDEN.between);
    assert_eq!(opener.nested_keys::<phi::Note>(&stored(&chart_json["note"])).unwrap(), [old]);
    assert_eq!(opener.nested_keys::<phi::Diagnosis>(&stored(&chart_json["list"])).unwrap(), [old]);
    let sealed = Sealed::<Vec<String>, phi::Directions>::from(stored(&chart_json["sealed"]));
    assert_eq!(sealed.nested_keys(&opener).unwrap(), [old]);
    let part = record_of(&GOLDEN.between).part("phi.rx.strength", "1").unwrap().opened_by(&access());
    assert_eq!(part.nested_keys::<phi::Strength>(&stored(&chart_json["parts"]["1"])).unwrap(), [old, old]);
    for (name, token) in RELEASE_0_1_0["tokens"].as_object().unwrap() {
        assert_eq!(opener.nested_keys::<phi::Note>(&stored(token)).unwrap(), [old], "{name}");
    }
    let plain = record().seal::<With>(&["rxs", "175"]).unwrap();
    assert!(opener_of(&WORLD.before).nested_keys::<With>(&plain).unwrap().is_empty());
    assert_eq!(code(opener.nested_keys::<phi::Drug>(&stored(&chart_json["note"]))), "open-failed");

    // Without that: outer tokens that were carried along by hand would open, and inner ones not.
    assert_eq!(chart(&GOLDEN.after).err().map(|error| error.code().as_str()), Some("key-destroyed"));

    let note = chart(&GOLDEN.between).unwrap().note;
    let token = record_of(&GOLDEN.between).seal::<phi::Note>(&PlainRefill { drug: note.drug }).unwrap();
    assert!(opener.nested_keys::<phi::Note>(&token).unwrap().is_empty());
    assert!(opener_of(&GOLDEN.after).open::<phi::Note, PlainRefill>(&token).unwrap().drug == "warfarin 5 MG");
}

// The law

/// A stored document, as a program with other types reads it.
#[derive(Serialize, Deserialize)]
struct Document {
    id: u32,
    #[serde(with = "Sealing::<With>")]
    with: Node,
    #[serde(with = "Sealing::<Option<Hidden>>", default)]
    hidden: Option<Node>,
    silent: Phi<NotWiped<Node>, Silent>,
    kept: Sealed<Node, Kept>,
    #[serde(with = "Sealing::<Each<List>>")]
    list: Vec<Node>,
    #[serde(with = "Sealing::<Parts<Map>>")]
    map: BTreeMap<String, Node>,
}

/// The values of a document.
#[derive(Clone, Debug)]
struct Values {
    with: Node,
    hidden: Option<Node>,
    silent: Node,
    kept: Node,
    list: Vec<Node>,
    map: BTreeMap<String, Node>,
}

impl Values {
    fn all(&self) -> Vec<&Node> {
        let single = [&self.with, &self.silent, &self.kept];
        single.into_iter().chain(&self.hidden).chain(&self.list).chain(self.map.values()).collect()
    }

    fn write(&self, format: Format) -> Result<Vec<u8>, Error> {
        let record = record();
        let values = self.clone();
        let document = Document {
            id: 7,
            with: values.with,
            hidden: values.hidden,
            silent: NotWiped(values.silent).into(),
            kept: Sealed::seal(&record, &values.kept)?,
            list: values.list,
            map: values.map,
        };
        record.run_sealing(|| format.write(&document))
    }

    fn plain(&self) -> Value {
        let list: Value = self.list.iter().map(Node::plain).collect();
        let map: BTreeMap<_, _> = self.map.iter().map(|(key, value)| (key, value.plain())).collect();
        let hidden = self.hidden.as_ref().map(Node::plain);
        json!([self.with.plain(), hidden, self.silent.plain(), self.kept.plain(), list, map])
    }
}

fn read(keys: &Keyring, format: Format, bytes: &[u8]) -> Result<Value, Error> {
    let opener = opener_of(keys);
    let document: Document = opener.run_opening(|| format.read(bytes))?;
    let kept = document.kept.open(&opener)?;
    let values = Values {
        with: document.with,
        hidden: document.hidden,
        silent: document.silent.expose_into_inner().0,
        kept,
        list: document.list,
        map: document.map,
    };
    Ok(values.plain())
}

/// Reseals every token under the old key that somebody sees who reads the stored bytes, and nothing else.
fn reseal_visible(format: Format, bytes: &mut [u8], parts: &[String]) -> usize {
    let header = token().as_bytes()[..9].to_vec();
    let needle = if format.is_json() { text(&header).into_bytes() } else { header };
    let starts: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(&needle)).collect();
    for start in &starts {
        let lengths = if format.is_json() {
            let is_text = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
            vec![bytes[*start..].iter().take_while(|byte| is_text(byte)).count()]
        } else {
            lengths_before(format, &bytes[..*start])
        };
        let resealed = lengths.into_iter().find_map(|len| {
            let stored = bytes.get(*start..start + len)?;
            if format.is_json() {
                let token = std::str::from_utf8(stored).unwrap().parse().unwrap();
                return Some(reseal(&token, parts)?.to_string().into_bytes());
            }
            Some(reseal(&Token::try_from(stored).ok()?, parts)?.into_bytes())
        });
        // The same letter, field and padding: the same length.
        let resealed = resealed.expect("a token that is seen can be resealed");
        bytes[*start..start + resealed.len()].copy_from_slice(&resealed);
    }
    assert!(!bytes.windows(needle.len()).any(|window| window == needle), "a token is under the old key");
    starts.len()
}

/// As long as the number before a token says, in each way in which the format may have written it.
fn lengths_before(format: Format, before: &[u8]) -> Vec<usize> {
    let [.., second, first] = *before else { panic!("a token without a length") };
    let [second, first] = [second, first].map(usize::from);
    match format {
        Format::Cbor | Format::RmpCompact | Format::RmpNamed => vec![first, second << 8 | first],
        Format::Postcard => vec![first, (second & 0x7F) | first << 7],
        Format::Bincode => vec![first, first << 8 | second],
        _ => panic!("not binary"),
    }
}

/// A token of any place of the document.
fn reseal(token: &Token, parts: &[String]) -> Option<Token> {
    let record = record_of(&WORLD.between);
    let calls = [
        Record::reseal::<With>,
        Record::reseal::<Hidden>,
        Record::reseal::<Silent>,
        Record::reseal::<Kept>,
        Record::reseal::<List>,
    ];
    let own = calls.iter().find_map(|call| call(&record, token).ok());
    let part = |id: &String| record.part("nesting.map", id).unwrap().reseal::<Map>(token).ok();
    own.or_else(|| parts.iter().find_map(part))
}

/// A value without any form or token inside, or with some.
fn node(with_forms: bool) -> BoxedStrategy<Node> {
    let number = any::<i32>().prop_map(|number| Node::Plain(number.into()));
    let words =
        "[a-z\\PC]{0,12}|rxs[Xxc][A-Za-z0-9_-]{0,40}|rxk[A-Za-z0-9_-]{0,9}".prop_map(|text| Node::Plain(text.into()));
    let bytes = prop::collection::vec(prop_oneof![Just(175_u8), any::<u8>()], 0..50)
        .prop_map(|bytes| Node::Plain(json!(bytes)));
    let other = any::<bool>().prop_map(|value| Node::Plain(value.into()));
    let plain = prop_oneof![3 => words, 1 => number, 1 => bytes, 1 => other];
    let leaf = if with_forms {
        let leaves = leaves();
        prop_oneof![3 => plain, 1 => prop::sample::select(leaves)].boxed()
    } else {
        plain.boxed()
    };
    let key = "[a-z]{1,3}";
    leaf.prop_recursive(3, 12, 4, move |inner| {
        let items = prop::collection::vec(inner.clone(), 0..4);
        let entries = prop::collection::btree_map(key, inner.clone(), 0..3);
        // Exposed, but for what nests in no plaintext scope.
        let exposed = inner.clone().prop_filter("scopes do not nest there", |node| !node.enters_a_scope());
        let exposed = exposed.prop_map(|node| Node::Exposed(Box::new(node)));
        let fields = exposed.clone().prop_flat_map(|node| {
            let Node::Exposed(value) = node else { unreachable!() };
            let form = prop_oneof![
                Just(Node::Field(value.clone())),
                Just(Node::Each(vec![(*value).clone()])),
                Just(Node::Parts([("1".to_owned(), *value)].into())),
            ];
            form.prop_map(|form| Node::Exposed(Box::new(form)))
        });
        let plain = prop_oneof![
            3 => items.clone().prop_map(Node::Items),
            3 => entries.clone().prop_map(Node::Entries),
            1 => inner.clone().prop_map(|node| Node::JsonText(Box::new(node))),
            1 => exposed,
            1 => fields,
        ];
        if !with_forms {
            return plain.boxed();
        }
        prop_oneof![
            8 => plain,
            1 => inner.clone().prop_map(|node| Node::Field(Box::new(node))),
            1 => inner.clone().prop_map(|node| Node::Scope(Box::new(node))),
            1 => inner.prop_map(|node| Node::Swallowed(Box::new(node))),
            1 => items.prop_map(Node::Each),
            1 => entries.prop_map(Node::Parts),
        ]
        .boxed()
    })
    .boxed()
}

fn values() -> impl Strategy<Value = Values> {
    any::<bool>().prop_flat_map(|with_forms| {
        let node = || node(with_forms);
        let list = prop::collection::vec(node(), 0..3);
        let map = prop::collection::btree_map("[a-z0-9]{1,4}", node(), 0..3);
        (node(), prop::option::of(node()), node(), node(), list, map)
            .prop_map(|(with, hidden, silent, kept, list, map)| Values { with, hidden, silent, kept, list, map })
    })
}

/// Also a document of values that hold none is refused where one does.
fn check(values: &Values, format: Format) -> bool {
    let refused = values.all().iter().any(|node| node.is_refused(false));
    let mut bytes = match values.write(format) {
        Ok(bytes) => bytes,
        Err(error) => {
            assert!(refused, "{error}");
            assert!(["token-inside", "token-as-plaintext"].contains(&error.code().as_str()), "{error}");
            return false;
        }
    };
    assert!(!refused, "it was sealed");
    let parts: Vec<_> = values.map.keys().cloned().collect();
    let seen = reseal_visible(format, &mut bytes, &parts);
    assert_eq!(seen, values.all().len(), "as many tokens as values");
    assert!(read(&WORLD.after, format, &bytes).unwrap() == values.plain());
    true
}

#[test]
fn what_is_sealed_outlives_its_key() {
    let cases = match (std::env::var_os("RXSEAL_FULL"), cfg!(debug_assertions)) {
        (Some(_), _) => 100_000,
        (None, true) => 300,
        (None, false) => 10_000,
    };
    let formats = prop::sample::select(Format::ALL.to_vec());
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let (sealed, refused) = (Cell::new(0), Cell::new(0));
    proptest::test_runner::TestRunner::new(config)
        .run(&(values(), formats), |(values, format)| {
            let count = if check(&values, format) { &sealed } else { &refused };
            count.set(count.get() + 1);
            Ok(())
        })
        .unwrap();
    println!("{} documents sealed, resealed and opened, {} refused", sealed.get(), refused.get());
    assert!(sealed.get() > cases / 3 && refused.get() > cases / 10, "{} and {}", sealed.get(), refused.get());
}
