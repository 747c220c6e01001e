//! Laws that hold for arbitrary values, ids and sequences of administrative calls.
//!
//! `PROPTEST_CASES` sets the number of cases. A debug build runs only a few by default.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use rxseal::keys::{KeyState, KeyUse, KeyringFile, Suite};
use rxseal::root::RootKeys;
use rxseal::subjects::SubjectKey;
use rxseal::{
    Access, Each, Error, KeyId, Keyring, Parts, Phi, Purpose, Record, RecordReader, Sealed, Sealing, Token, run_local,
    testing,
};
use serde::{Deserialize, Serialize};

rxseal::fields! {
    Block1 = "properties.block-1" in Identity { block: 1 };
    Block16 = "properties.block-16" in Contact { block: 16 };
    Block32 = "properties.block-32" in Medication;
    Block100 = "properties.block-100" in Clinical { block: 100 };
    Block4096 = "properties.block-4096" in Coverage { block: 4096 };
}

fn cases() -> ProptestConfig {
    // Nothing is written beside the tests; a failing case is printed.
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = if cfg!(debug_assertions) { 64 } else { 2000 };
    }
    config
}

// What may be sealed

proptest! {
    #![proptest_config(cases())]

    /// FORMAT 7: what was sealed comes back, whatever it is, wherever it belongs, however it is padded and carried.
    #[test]
    fn every_value_comes_back(place in place(), value in value()) {
        let rec = place.record();
        let access = rec.opened_by(&ACCESS);
        macro_rules! round_trip {
            ($($field:ident)*) => {$(
                let token = value.seal::<$field>(&rec).unwrap();
                value.assert_opens::<$field>(&access, &token);
                // In both forms, and also from what was resealed.
                let text: Token = token.to_string().parse().unwrap();
                prop_assert_eq!(&text, &token);
                value.assert_opens::<$field>(&access, &Token::try_from(text.as_bytes()).unwrap());
                let again = rec.reseal::<$field>(&token).unwrap();
                prop_assert_ne!(&again, &token);
                value.assert_opens::<$field>(&access, &again);
            )*};
        }
        round_trip!(Block1 Block16 Block32 Block100 Block4096);
    }

    /// T3: the length of a token tells the number of blocks, and nothing else.
    #[test]
    fn a_token_is_as_long_as_its_padded_content(place in place(), a in value(), b in value()) {
        let rec = place.record();
        macro_rules! lengths {
            ($($field:ident $block:literal,)*) => {$(
                let padded = |value: &Value| (1 + value.content().len() + 1).div_ceil($block) * $block;
                let [a_token, b_token] = [&a, &b].map(|value| value.seal::<$field>(&rec).unwrap());
                let around = 9 + if place.letter() == 'X' { 12 } else { 24 } + 16;
                prop_assert_eq!(a_token.as_bytes().len(), around + padded(&a));
                prop_assert_eq!(a_token.as_bytes().len() == b_token.as_bytes().len(), padded(&a) == padded(&b));
                prop_assert_eq!(&a_token.to_string()[..4], format!("rxs{}", place.letter()));
            )*};
        }
        lengths!(Block1 1, Block16 16, Block32 32, Block100 100, Block4096 4096,);
    }

    /// T8, T11: a token opens where it was sealed and nowhere else, unless the two places are one (FORMAT 4.3).
    #[test]
    fn places_that_differ_do_not_share_tokens(a in place(), b in place(), keep in any::<[bool; 5]>(), value in value()) {
        let b = b.keeping(&a, keep);
        let token = value.seal::<Block32>(&a.record()).unwrap();
        let opened = value.opens::<Block32>(&b.record().opened_by(&ACCESS), &token);
        prop_assert_eq!(opened, a.is_same_place(&b), "{:?} and {:?}", a, b);
    }

    /// The forms of a field, together in one struct, through a text format and a binary one.
    #[test]
    fn every_record_comes_back(place in place(), row in row()) {
        // A map of parts is one step deeper, and there are at most 8 (FORMAT 4.1).
        let mut place = place;
        place.parts.truncate(7);
        let rec = place.record();
        let access = rec.opened_by(&ACCESS);
        let sealed = row.forms(&rec);
        let json = serde_json::to_string(&rec.sealing(&sealed)).unwrap();
        let read: Forms = access.run_opening(|| serde_json::from_str(&json)).unwrap();
        prop_assert!(row.is_in(&read, &access));
        let bytes = rec.run_sealing(|| postcard::to_stdvec(&sealed)).unwrap();
        let read: Forms = access.run_opening(|| postcard::from_bytes(&bytes)).unwrap();
        prop_assert!(row.is_in(&read, &access));
        // T13, T34: without a scope neither is read.
        prop_assert!(serde_json::from_str::<Forms>(&json).is_err());
        prop_assert!(postcard::from_bytes::<Forms>(&bytes).is_err());
    }

    /// FORMAT 1.4, 1.6: an id is taken as it is, or refused.
    #[test]
    fn ids_are_taken_or_refused(id in prop_oneof![any::<String>(), "[!-~]{0,300}", "[ -~]{1,8}"]) {
        let legal = (1..=255).contains(&id.len()) && id.bytes().all(|byte| (0x21..=0x7E).contains(&byte));
        let spelled = id.to_ascii_lowercase().starts_with("urn:uuid:");
        match KEYS[0].record("prescription", &id) {
            Ok(_) => prop_assert!(legal && !spelled),
            Err(error) => prop_assert!(error.code().as_str() == "invalid-id" && (!legal || spelled || id.len() >= 36)),
        }
    }

    /// T7, T15: no text but the canonical one is a token, and none makes the parser panic.
    #[test]
    fn tokens_have_one_spelling(text in prop_oneof![any::<String>(), "rxs[Xxc][A-Za-z0-9_-]{40,120}=?"]) {
        if let Ok(token) = text.parse::<Token>() {
            prop_assert_eq!(token.to_string(), text);
        }
    }
}

/// A JSON document in which nothing but the keyring's own members is written, and nothing is written as an array that is an
/// object (FORMAT 8, 8.1; T21).
#[test]
fn a_keyring_file_is_written_with_its_members_only() {
    let (_, file) = testing::insecure_keyring_file("pharmacy-17").unwrap();
    let text = file.to_string();
    assert_eq!(text.parse::<KeyringFile>().unwrap(), file);
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    let members = ["rxseal_keyring", "kind", "keyspace", "generation", "kek", "keys", "wraps", "body"];
    let as_array = |value: &serde_json::Value, members: &[&str]| {
        serde_json::Value::from(members.iter().map(|member| value[member].clone()).collect::<Vec<_>>())
    };
    let whole = as_array(&read, &members);
    let mut key = read.clone();
    key["keys"][0] =
        as_array(&read["keys"][0], &["id", "fingerprint", "use", "state", "primary", "suite", "created", "changed"]);
    let mut wrap = read.clone();
    wrap["wraps"][0] = as_array(&read["wraps"][0], &["provider", "root_key", "wrapped"]);
    for (what, changed) in [("the file", whole), ("a key", key), ("a wrap", wrap)] {
        let error = changed.to_string().parse::<KeyringFile>().err();
        assert_eq!(error.map(|error| error.code().as_str()), Some("invalid-keyring"), "{what} as an array");
    }
}

// Administrative calls

/// What is done to a keyring, one call after the other.
#[derive(Clone, Debug)]
enum Step {
    Seal,
    Rotate,
    /// The key by its place among all keys, index roots included.
    SetState(prop::sample::Index, KeyState),
    Reseal(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let states = [
        KeyState::PreActive,
        KeyState::Active,
        KeyState::Deactivated,
        KeyState::Compromised,
        KeyState::Destroyed,
        KeyState::Destroyed,
    ];
    prop_oneof![
        2 => Just(Step::Seal),
        2 => Just(Step::Rotate),
        4 => (any::<prop::sample::Index>(), prop::sample::select(states.to_vec())).prop_map(|(key, state)| Step::SetState(key, state)),
        2 => any::<prop::sample::Index>().prop_map(Step::Reseal),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases().cases / 4, ..cases() })]

    /// FORMAT 8.1, 8.7, 8.8; T26 to T30: whatever the order of rotations and states.
    #[test]
    fn a_keyring_keeps_its_rules(suite in suite(), steps in prop::collection::vec(step(), 1..16)) {
        let mut model = Model::new(suite);
        for step in steps {
            model.take(&step);
            model.check();
        }
    }
}

/// What a keyring should be, kept beside the one that is.
struct Model {
    roots: RootKeys,
    file: KeyringFile,
    keys: Keyring,
    states: BTreeMap<KeyId, KeyState>,
    primary: KeyId,
    generation: u64,
    tokens: Vec<Token>,
    resealed: usize,
}

impl Model {
    fn new(suite: Suite) -> Self {
        let roots = testing::insecure_keyring_file("pharmacy-17").unwrap().0;
        let file = run_local(rxseal::testing::create_keyring("pharmacy-17", &roots, suite)).unwrap();
        let keys = unlock(&roots, &file);
        let primary = keys.primary_key();
        let states = file.keys().iter().map(|key| (key.id(), key.state())).collect();
        let tokens = vec![seal(&keys)];
        Self { roots, file, keys, states, primary, generation: 1, tokens, resealed: 0 }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Seal => self.tokens.push(seal(&self.keys)),
            Step::Rotate => {
                let file = run_local(rxseal::testing::rotate_keyring("pharmacy-17", &self.roots, &self.file)).unwrap();
                self.states.insert(self.primary, KeyState::Deactivated);
                // T30: the keyring in use stays what it was until the new file is unlocked.
                assert_eq!(seal(&self.keys).key_id(), self.primary);
                self.adopt(file);
                self.primary = self.keys.primary_key();
                assert!(self.states.insert(self.primary, KeyState::Active).is_none(), "a new key has a new id");
            }
            Step::SetState(key, state) => {
                let id = *key.get(&self.states.keys().copied().collect::<Vec<_>>());
                let result =
                    run_local(rxseal::testing::force_key_state("pharmacy-17", &self.roots, &self.file, id, *state));
                let is_primary = self.file.keys().iter().any(|key| key.id() == id && key.is_primary());
                if is_primary || !may_follow(self.states[&id], *state) {
                    let error = result.err().unwrap();
                    assert_eq!((error.code().as_str(), error.key_id()), ("state-refused", Some(id)));
                } else {
                    self.states.insert(id, *state);
                    self.adopt(result.unwrap());
                }
            }
            Step::Reseal(token) => self.reseal(token.index(self.tokens.len())),
        }
    }

    fn reseal(&mut self, at: usize) {
        let token = &self.tokens[at];
        let rec = record(&self.keys);
        let result = match self.states[&token.key_id()] {
            KeyState::Compromised => {
                assert_eq!(rec.reseal::<Block32>(token).unwrap_err().code().as_str(), "key-compromised");
                rec.reseal_compromised::<Block32>(token)
            }
            _ => rec.reseal::<Block32>(token),
        };
        match result {
            Ok(resealed) => {
                assert_eq!(resealed.key_id(), self.primary);
                assert!(!self.keys.needs_reseal(&resealed).unwrap());
                self.tokens[at] = resealed;
                self.resealed += 1;
            }
            Err(error) => {
                assert_eq!(error.code().as_str(), "key-destroyed");
                assert_eq!(self.states[&token.key_id()], KeyState::Destroyed);
            }
        }
    }

    /// What a careful program does with a new file: store it, read it back, unlock it, then use it.
    fn adopt(&mut self, file: KeyringFile) {
        self.generation += 1;
        let older = std::mem::replace(&mut self.file, file);
        let options = || rxseal::keys::UnlockOptions::default().min_generation(self.generation);
        let old = run_local(Keyring::unlock_with(options(), "pharmacy-17", &self.roots, &older));
        assert_eq!(old.err().unwrap().code().as_str(), "keyring-too-old");
        let _ = run_local(Keyring::unlock_with(options(), "pharmacy-17", &self.roots, &self.file)).unwrap();
        self.keys = unlock(&self.roots, &self.file);
    }

    fn check(&self) {
        let text = self.file.to_string();
        let again: KeyringFile = text.parse().unwrap();
        assert!(again == self.file && again.to_string() == text, "the file parses back identical");
        assert_eq!((self.file.generation(), self.keys.generation()), (self.generation, self.generation));

        let states: BTreeMap<_, _> = self.file.keys().iter().map(|key| (key.id(), key.state())).collect();
        assert_eq!(states, self.states);
        for usage in [KeyUse::Seal, KeyUse::Index] {
            let primary: Vec<_> =
                self.file.keys().iter().filter(|key| key.usage() == usage && key.is_primary()).collect();
            assert!(matches!(primary[..], [key] if key.state() == KeyState::Active), "one primary for each use");
        }
        // T28: of all keys only the primary seals.
        assert_eq!(self.keys.primary_key(), self.primary);
        assert_eq!(seal(&self.keys).key_id(), self.primary);
        self.tokens.iter().for_each(|token| self.check_token(token));
    }

    fn check_token(&self, token: &Token) {
        let access = record(&self.keys).opened_by(&ACCESS);
        let opened = access.open::<Block32, String>(token);
        let compromised =
            access.open_compromised::<Block32, String>(token).map(|suspect| suspect.expose_not_authentic());
        match self.states[&token.key_id()] {
            KeyState::Compromised => {
                assert_eq!(opened.unwrap_err().code().as_str(), "key-compromised");
                assert_eq!(compromised.unwrap(), "warfarin 5 MG");
            }
            KeyState::Destroyed => {
                assert_eq!(opened.unwrap_err().code().as_str(), "key-destroyed");
                assert_eq!(compromised.unwrap_err().code().as_str(), "key-destroyed");
            }
            _ => {
                assert_eq!(opened.unwrap(), "warfarin 5 MG");
                assert_eq!(self.keys.needs_reseal(token).unwrap(), token.key_id() != self.primary);
            }
        }
    }
}

/// Which state may follow on which, where the key is not primary.
fn may_follow(now: KeyState, then: KeyState) -> bool {
    use KeyState::{Active, Compromised, Deactivated, Destroyed, PreActive};
    matches!(
        (now, then),
        (PreActive | Active, Deactivated)
            | (PreActive | Active | Deactivated, Compromised)
            | (PreActive | Deactivated | Compromised, Destroyed)
    )
}

fn unlock(roots: &RootKeys, file: &KeyringFile) -> Keyring {
    run_local(Keyring::unlock("pharmacy-17", roots, file)).unwrap().unobserved()
}

fn record(keys: &Keyring) -> Record {
    keys.record("prescription", "RX-1").unwrap()
}

fn seal(keys: &Keyring) -> Token {
    record(keys).seal::<Block32>("warfarin 5 MG").unwrap()
}

fn suite() -> impl Strategy<Value = Suite> {
    prop::sample::select(vec![Suite::Xaes256Gcm, Suite::XChaCha20Poly1305])
}

// Places

static KEYS: LazyLock<[Keyring; 2]> = LazyLock::new(|| {
    [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305].map(|suite| {
        let (roots, _) = testing::insecure_keyring_file("pharmacy-17").unwrap();
        unlock(&roots, &run_local(rxseal::testing::create_keyring("pharmacy-17", &roots, suite)).unwrap())
    })
});

const SUBJECTS: [&str; 2] = ["patient-1", "patient-2"];

static SUBJECT_KEYS: LazyLock<[[SubjectKey; 2]; 2]> =
    LazyLock::new(|| [0, 1].map(|suite| SUBJECTS.map(|subject| KEYS[suite].create_subject_key(subject).unwrap().0)));

static ACCESS: LazyLock<Access> = LazyLock::new(|| Access::new("job:test", Purpose::HOPERAT).unwrap());

/// Where a token belongs.
#[derive(Clone, Debug)]
struct Place {
    suite: usize,
    record_type: String,
    record_id: Option<String>,
    wide: bool,
    subject: Option<usize>,
    parts: Vec<(String, String)>,
}

fn place() -> impl Strategy<Value = Place> {
    let name = || "[a-z0-9][a-z0-9._-]{0,3}";
    // Ids that look like numbers, and neighbours of the characters that frames are made of.
    let id = || prop_oneof!["[0-9+.-]{1,3}", "[!-~]{1,20}"];
    let parts = prop::collection::vec((name(), id()), 0..=8);
    let subject = prop::option::of(0..2_usize);
    (0..2_usize, name(), prop::option::weighted(0.9, id()), any::<bool>(), subject, parts).prop_map(
        |(suite, record_type, record_id, wide, subject, parts)| Place {
            suite,
            record_type,
            record_id,
            wide,
            subject,
            parts,
        },
    )
}

impl Place {
    fn record(&self) -> Record {
        let keys = &KEYS[self.suite];
        let mut rec = match &self.record_id {
            Some(id) => keys.record(&self.record_type, id).unwrap(),
            None => keys.unbound(&self.record_type).unwrap(),
        };
        if self.wide {
            rec = rec.wide();
        }
        // A subject before or after the parts is the same.
        let key = self.subject.map(|at| &SUBJECT_KEYS[self.suite][at]);
        if let Some(key) = key.filter(|_| self.wide) {
            rec = rec.subject(key).unwrap();
        }
        for (name, id) in &self.parts {
            rec = rec.part(name, id).unwrap();
        }
        if let Some(key) = key.filter(|_| !self.wide) {
            rec = rec.subject(key).unwrap();
        }
        rec
    }

    fn letter(&self) -> char {
        match (self.suite, self.wide || self.record_id.is_none()) {
            (0, false) => 'X',
            (0, true) => 'x',
            _ => 'c',
        }
    }

    /// This place, but for what `keep` takes from the other one.
    fn keeping(mut self, other: &Self, keep: [bool; 5]) -> Self {
        // Another keyring is another matter: tokens of it are of unknown keys.
        self.suite = other.suite;
        let other = other.clone();
        if keep[0] {
            self.record_type = other.record_type;
        }
        if keep[1] {
            self.record_id = other.record_id;
        }
        if keep[2] {
            self.wide = other.wide;
        }
        if keep[3] {
            self.subject = other.subject;
        }
        if keep[4] {
            self.parts = other.parts;
        }
        self
    }

    fn is_same_place(&self, other: &Self) -> bool {
        // FORMAT 4.3: wide binds nothing less.
        Self { wide: false, ..self.clone() }.bound() == Self { wide: false, ..other.clone() }.bound()
    }

    fn bound(self) -> (usize, String, Option<String>, Option<usize>, Vec<(String, String)>) {
        (self.suite, self.record_type, self.record_id, self.subject, self.parts)
    }
}

// Values

/// What a field may hold: text, bytes, or anything that JSON can say.
#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Bytes(Vec<u8>),
    Json(serde_json::Value),
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::Text),
        "[a-z \u{e4}\u{1f48a}]{0,200}".prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Value::Bytes),
        // Content that ends like padding.
        prop::collection::vec(prop::sample::select(vec![0x00, 0x80]), 0..70).prop_map(Value::Bytes),
        json().prop_map(Value::Json),
    ]
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(serde_json::Value::from),
        any::<u64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(serde_json::Value::from),
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        number,
        any::<String>().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        let map = prop::collection::hash_map(any::<String>(), inner.clone(), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(serde_json::Value::from),
            map.prop_map(|map| map.into_iter().collect()),
        ]
    })
}

impl Value {
    fn seal<F: rxseal::Field>(&self, rec: &Record) -> Result<Token, Error> {
        match self {
            Self::Text(text) => rec.seal::<F>(text),
            Self::Bytes(bytes) => rec.seal::<F>(&Raw(bytes.clone())),
            Self::Json(json) => rec.seal::<F>(json),
        }
    }

    fn opens<F: rxseal::Field>(&self, access: &RecordReader, token: &Token) -> bool {
        let opened = match self {
            Self::Text(text) => access.open::<F, String>(token).map(|opened| opened == *text),
            Self::Bytes(bytes) => access.open::<F, Raw>(token).map(|opened| opened.0 == *bytes),
            Self::Json(json) => access.open::<F, serde_json::Value>(token).map(|opened| opened == *json),
        };
        match opened {
            Ok(same) => same || panic!("another value came back"),
            Err(error) => !error.is_open_failure() && panic!("{}", error.code().as_str()),
        }
    }

    fn assert_opens<F: rxseal::Field>(&self, access: &RecordReader, token: &Token) {
        assert!(self.opens::<F>(access, token));
    }

    /// FORMAT 7: what stands between the kind and the padding.
    fn content(&self) -> Vec<u8> {
        match self {
            Self::Text(text) | Self::Json(serde_json::Value::String(text)) => text.clone().into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Json(json) => serde_json::to_vec(json).unwrap(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, rxseal::Wipe)]
struct Raw(Vec<u8>);

impl Serialize for Raw {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Raw;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Raw, E> {
                Ok(Raw(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

/// The values of one record.
#[derive(Clone, Debug)]
struct Row {
    text: String,
    phi: Vec<u8>,
    absent: Option<String>,
    hidden: Option<String>,
    list: Vec<String>,
    parts: BTreeMap<String, f64>,
    sealed: String,
}

/// The same in every form of a field.
#[derive(Serialize, Deserialize)]
struct Forms {
    number: u64,
    #[serde(with = "Sealing::<Block1>")]
    text: String,
    phi: Phi<Raw, Block16>,
    #[serde(with = "Sealing::<Option<Block32>>")]
    absent: Option<String>,
    #[serde(with = "Sealing::<Block100>")]
    hidden: Option<String>,
    #[serde(with = "Sealing::<Each<Listed>>")]
    list: Vec<String>,
    #[serde(with = "Sealing::<Parts<Keyed>>")]
    parts: BTreeMap<String, f64>,
    sealed: Sealed<String, Block4096>,
}

rxseal::fields! {
    Listed = "properties.listed" in Prescriber;
    Keyed = "properties.keyed" in Prescriber;
}

fn row() -> impl Strategy<Value = Row> {
    let text = any::<String>;
    let finite = any::<f64>().prop_filter("finite", |float| float.is_finite());
    (
        text(),
        any::<Vec<u8>>(),
        any::<Option<String>>(),
        any::<Option<String>>(),
        prop::collection::vec(text(), 0..4),
        prop::collection::btree_map("[!-~]{1,5}", finite, 0..4),
        text(),
    )
        .prop_map(|(text, phi, absent, hidden, list, parts, sealed)| Row {
            text,
            phi,
            absent,
            hidden,
            list,
            parts,
            sealed,
        })
}

impl Row {
    fn forms(&self, rec: &Record) -> Forms {
        let row = self.clone();
        Forms {
            number: 7,
            text: row.text,
            phi: Raw(row.phi).into(),
            absent: row.absent,
            hidden: row.hidden,
            list: row.list,
            parts: row.parts,
            sealed: Sealed::seal(rec, row.sealed.as_str()).unwrap(),
        }
    }

    fn is_in(&self, read: &Forms, access: &RecordReader) -> bool {
        read.number == 7
            && read.text == self.text
            && read.phi.expose_phi().0 == self.phi
            && read.absent == self.absent
            && read.hidden == self.hidden
            && read.list == self.list
            && read.parts == self.parts
            && read.sealed.open(access).unwrap() == self.sealed
    }
}
