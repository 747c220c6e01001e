//! The golden files open for ever: tokens of every letter, kind and binding, of every field of the vocabulary, whole
//! records, keyring files, a root key and wrapped subject keys. The crate made all of them before its first release
//! (FORMAT, first paragraph: no byte described there changes; T18).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rxseal::keys::{KeyState, KeyUse, KeyringFile, Suite};
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::{
    Access, Each, Error, Field, Keyring, Parts, Phi, Purpose, Record, Sealed, Sealing, Token, phi, run_local,
};
use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The files and the SHA-256 of each. They never change, and new ones come beside them: see tests/golden/README.md. Those whose name
/// begins with `tokens` are lists of tokens.
const FILES: [(&str, &str); 9] = [
    ("keyring-c.json", "fc17a2e7cfeebcf806495e076ad7ce2dd989b7e3e425c00113b0efc6af79200c"),
    ("keyring-states.json", "9a91474a548fd95d61181d3537896fca18a3b77ede45fa89087d05948aa9dfe5"),
    ("keyring-x.json", "546fcf811d1e3f0b9ef0b8ed9826bb94c8a378b2e83533a1aaa8bcd504919814"),
    ("record.json", "d14faa9cc3011e5ae258f9be70146b2cc2adf570300a8f6f04393f3939800bd5"),
    ("record.postcard.hex", "14954167bf9bc9962517fa472824cddcc5d4e9c631972e8f616a6c960b008d03"),
    ("root-key.txt", "7137376470734144a25623e9e41c5574961c2adaae6040e846cbe6692a1ee553"),
    ("subject-keys.json", "9ee45a0b281e1e6474cd5aba554edf7b68862cd508293f023ed5d1c732f366df"),
    ("tokens-0.2.json", "21c2130151aac7a7e73fcac586c6b836d51571d7f8132f09d983644e002638f6"),
    ("tokens.json", "18fbed519ad7f64ab7f2a6f0153a7c26aac27c7a6b3fe0c80c81b5fc0d75573f"),
];

const KEYSPACE: &str = "golden";
const SUBJECT: &str = "patient-88";

rxseal::fields! {
    Raw = "golden.raw" in Identity { block: 64 };
    Text = "golden.text" in Clinical;
    Json = "golden.json" in Medication { block: 16 };
    New = "golden.new" in Coverage, was "golden.old" in Contact;
}

/// What `New` was before it got another id and class.
mod before {
    rxseal::fields! { pub(crate) Old = "golden.old" in Contact; }
}

/// The vocabulary. Its ids and classes are for ever, so there is a token of each.
macro_rules! with_vocabulary {
    ($macro:ident) => {
        $macro! {
            PatientName FamilyName GivenName BirthDate Mrn Ssn License Photo Phone Email Address Drug Ndc Strength Directions Quantity
            DaysSupply FillDate PrescriberName Npi DeaNumber Diagnosis Allergy Note Scan Plan MemberId GroupNumber
            Account
        }
    };
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden")
}

fn read(file: &str) -> String {
    fs::read_to_string(folder().join(file)).unwrap()
}

fn access() -> Access {
    Access::new("job:golden", Purpose::HOPERAT).unwrap()
}

#[test]
fn no_file_changed() {
    let found = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut found: Vec<_> = found.filter(|name| name != "README.md").collect();
    found.sort();
    assert_eq!(found, FILES.map(|(file, _)| file));
    for (file, digest) in FILES {
        assert_eq!(
            hex(&Sha256::digest(read(file))),
            digest,
            "{file} changed: golden files never do, see tests/golden/README.md"
        );
    }
}

#[test]
fn keyring_files_unlock() {
    let expected = [
        ("keyring-x.json", 1, [("active", 1)].as_slice()),
        ("keyring-c.json", 1, &[("active", 1)]),
        ("keyring-states.json", 6, &[("active", 1), ("compromised", 1), ("deactivated", 1), ("destroyed", 1)]),
    ];
    for (name, generation, states) in expected {
        let file: KeyringFile = read(name).parse().unwrap();
        assert_eq!(file.to_string(), read(name), "{name} is canonical (FORMAT 8.1)");
        let keys = unlock(name);
        assert_eq!((keys.keyspace(), keys.generation()), (KEYSPACE, generation), "{name}");
        let mut found = BTreeMap::new();
        for key in keys.keys().iter().filter(|key| key.usage() == KeyUse::Seal) {
            *found.entry(key.state().as_str()).or_insert(0) += 1;
        }
        assert_eq!(found, states.iter().copied().collect(), "{name}");
    }
}

fn unlock(file: &str) -> Keyring {
    let file = read(file).parse().unwrap();
    run_local(Keyring::unlock(KEYSPACE, &root(), &file)).unwrap().unobserved()
}

/// The golden root key. Git keeps no modes, so it is loaded from a copy that only its owner may read.
fn root() -> RootKeys {
    let name = format!("rxseal-golden-{}-{:?}.key", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name);
    let _ = fs::remove_file(&path);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    std::io::Write::write_all(&mut file, read("root-key.txt").as_bytes()).unwrap();
    let root = RootKeyFile::new(&path).load();
    fs::remove_file(&path).unwrap();
    RootKeys::from(root.unwrap())
}

/// One golden token and all that it takes to open it.
#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    keyring: String,
    binding: String,
    record_type: String,
    record_id: Option<String>,
    parts: Vec<(String, String)>,
    subject: Option<String>,
    field: String,
    class: String,
    former: Vec<(String, String)>,
    expect: String,
    value: Value,
    token: String,
}

/// The lists of tokens.
pub fn token_files() -> impl Iterator<Item = &'static str> {
    FILES.into_iter().map(|(file, _)| file).filter(|file| file.starts_with("tokens"))
}

fn entries() -> Vec<Entry> {
    token_files().flat_map(|file| serde_json::from_str::<Vec<Entry>>(&read(file)).unwrap()).collect()
}

#[test]
fn tokens_open() {
    let entries = entries();
    let keyrings = ["keyring-x.json", "keyring-c.json", "keyring-states.json"].map(|file| (file, unlock(file)));
    let keyrings = BTreeMap::from(keyrings);
    let mut counts = BTreeMap::new();
    for (number, entry) in entries.iter().enumerate() {
        let record = record(&keyrings[entry.keyring.as_str()], entry).unwrap();
        let outcome = open(&record, entry);
        let code = outcome.as_ref().map_or_else(|error| error.code().as_str(), |_| "ok");
        assert_eq!(code, entry.expect, "token {number}");
        assert!(outcome.is_err() || outcome.unwrap() == entry.value, "token {number}: another value");
        *counts.entry((&entry.token[..4], entry.binding.as_str())).or_insert(0) += 1;
        if entry.expect == "key-compromised" {
            let token = entry.token.parse().unwrap();
            let opened = record.opened_by(&access()).open_compromised::<Text, String>(&token).unwrap();
            assert!(opened.expose_not_authentic() == entry.value, "token {number}: another value");
        }
    }
    let expected = [
        (("rxsX", "bound"), 63),
        (("rxsc", "bound"), 30),
        (("rxsc", "unbound"), 30),
        (("rxsc", "wide"), 30),
        (("rxsx", "unbound"), 30),
        (("rxsx", "wide"), 30),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

fn record(keys: &Keyring, entry: &Entry) -> Result<Record, Error> {
    let mut record = match (entry.binding.as_str(), &entry.record_id) {
        ("bound", Some(id)) => keys.record(&entry.record_type, id)?,
        ("wide", Some(id)) => keys.record(&entry.record_type, id)?.wide(),
        ("unbound", None) => keys.unbound(&entry.record_type)?,
        _ => panic!("no such binding"),
    };
    if let Some(subject) = &entry.subject {
        let wrapped: BTreeMap<String, String> = serde_json::from_str(&read("subject-keys.json")).unwrap();
        let key = keys.unwrap_subject_key(subject, &wrapped[&entry.keyring].parse()?)?;
        record = record.subject(&key)?;
    }
    for (name, id) in &entry.parts {
        record = record.part(name, id)?;
    }
    Ok(record)
}

fn open(record: &Record, entry: &Entry) -> Result<Value, Error> {
    match entry.field.as_str() {
        "golden.raw" => open_as::<Raw, RawBytes>(record, entry).map(|bytes| json!(bytes.0)),
        "golden.text" => open_as::<Text, String>(record, entry).map(Value::from),
        "golden.json" => open_as::<Json, Value>(record, entry),
        "golden.new" => open_as::<New, String>(record, entry).map(Value::from),
        field => open_vocabulary(record, entry, field),
    }
}

fn former<F: Field>() -> Vec<(String, String)> {
    F::FORMER.iter().map(|(id, class)| (id.as_str().to_owned(), class.as_str().to_owned())).collect()
}

/// From the text and from the binary form, which are two columns of one value.
fn open_as<F: Field, T: DeserializeOwned + PartialEq>(record: &Record, entry: &Entry) -> Result<T, Error> {
    assert_eq!((F::CLASS.as_str(), former::<F>()), (entry.class.as_str(), entry.former.clone()), "{}", entry.field);
    let token: Token = entry.token.parse().unwrap();
    assert_eq!(token.to_string(), entry.token);
    let open = record.opened_by(&access());
    let opened = open.open_text::<F, T>(&entry.token)?;
    assert!(opened == open.open::<F, T>(&Token::try_from(token.as_bytes())?)?);
    Ok(opened)
}

fn open_vocabulary(record: &Record, entry: &Entry, field: &str) -> Result<Value, Error> {
    macro_rules! open {
        ($($marker:ident)*) => {
            $(if field == phi::$marker::ID.as_str() {
                return open_as::<phi::$marker, String>(record, entry).map(Value::from);
            })*
        };
    }
    with_vocabulary!(open);
    panic!("{field} is gone from the vocabulary");
}

/// The list in this file is the whole vocabulary: what is new in it needs a golden token too.
#[test]
fn every_field_of_the_vocabulary_has_a_token() {
    macro_rules! ids {
        ($($marker:ident)*) => { [$(phi::$marker::ID.as_str()),*] };
    }
    let mut listed = with_vocabulary!(ids).to_vec();
    listed.sort_unstable();
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/phi.rs")).unwrap();
    let declared = source.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split('"').nth(1));
    let mut declared: Vec<_> = declared.collect();
    declared.sort_unstable();
    assert_eq!(listed, declared);
    let entries = entries();
    for id in listed {
        let is_there = entries.iter().any(|entry| entry.field == id);
        assert!(is_there, "no golden token of {id}: `write_golden_files_of_new_fields` makes one");
    }
}

/// A value that serializes as bytes.
#[derive(Clone, PartialEq)]
struct RawBytes(Vec<u8>);

impl Serialize for RawBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for RawBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;

        impl Visitor<'_> for BytesVisitor {
            type Value = RawBytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<RawBytes, E> {
                Ok(RawBytes(bytes.to_vec()))
            }
        }

        deserializer.deserialize_bytes(BytesVisitor)
    }
}

/// A record with every form of a field.
#[derive(Serialize, Deserialize)]
struct Prescription {
    number: u64,
    #[serde(with = "Sealing::<phi::PatientName>")]
    name: String,
    #[serde(with = "Sealing::<Option<phi::Directions>>")]
    directions: Option<String>,
    #[serde(with = "Sealing::<Option<phi::Strength>>")]
    strength: Option<String>,
    #[serde(with = "Sealing::<phi::Note>")]
    hidden_note: Option<String>,
    #[serde(with = "Sealing::<phi::Allergy>")]
    allergies: Vec<String>,
    #[serde(with = "Sealing::<Each<phi::Diagnosis>>")]
    diagnoses: Vec<String>,
    #[serde(with = "Sealing::<Parts<phi::Quantity>>")]
    quantities: BTreeMap<u32, u32>,
    drug: Phi<String, phi::Drug>,
    prescriber: Sealed<String, phi::PrescriberName>,
}

const RECORD: (&str, &str) = ("prescription", "0193e0f2-7c1a-7d3e-8f00-0123456789ab");

#[test]
fn records_open() {
    let keys = unlock("keyring-x.json");
    let open = keys.record(RECORD.0, RECORD.1).unwrap().opened_by(&access());
    let json = read("record.json");
    let postcard = unhex(read("record.postcard.hex").trim_end());
    let from_json = open.run_opening(|| serde_json::from_str::<Prescription>(&json)).unwrap();
    let from_postcard = open.run_opening(|| postcard::from_bytes::<Prescription>(&postcard)).unwrap();
    for rx in [from_json, from_postcard] {
        assert_eq!((rx.number, rx.name.as_str()), (4711, "Zoë Ångström"));
        assert_eq!((rx.directions.as_deref(), rx.strength, rx.hidden_note), (Some("one daily"), None, None));
        assert_eq!(rx.allergies, ["penicillin", "latex"]);
        assert_eq!(rx.diagnoses, ["I10", "E11.9"]);
        assert_eq!(rx.quantities, BTreeMap::from([(1, 30), (2, 90)]));
        assert_eq!(rx.drug.expose_phi(), "lisinopril 10 MG Oral Tablet");
        assert_eq!(rx.prescriber.open(&open).unwrap(), "Dr. Irvin Emard");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// One field id declared with several blocks, as a program's releases would: FORMAT 7.3, a reader does not know the block.
mod blocks {
    macro_rules! declare {
        ($($name:ident $block:literal;)*) => {
            $(pub(crate) mod $name {
                rxseal::fields! { pub(crate) Drug = "golden.padded" in Medication { block: $block }; }
            })*
        };
    }
    declare! { one 1; two 2; seven 7; sixteen 16; thirty_two 32; sixty_four 64; largest 4096; }
}

#[test]
fn padding_to_one_block_opens_under_every_other() {
    let keys = rxseal::testing::insecure_keyring(KEYSPACE).unwrap().unobserved();
    let record = keys.record("prescription", "4711").unwrap();
    let mut pairs = 0;
    macro_rules! check {
        (@ $written:ident $($read:ident)*) => {
            for len in [0, 1, 5, 6, 14, 15, 30, 31, 62, 63, 100, 4094, 4095] {
                // Content that looks like padding is the hardest to tell from it.
                let value = "\0".repeat(len);
                let token = record.seal::<blocks::$written::Drug>(&value).unwrap();
                let payload = token.as_bytes().len() - 9 - 12 - 16;
                let block = usize::from(blocks::$written::Drug::BLOCK);
                assert_eq!(payload, (value.len() + 2).div_ceil(block) * block, "FORMAT 7.2: the least padding there is");
                $(
                    let opened: String = record.opened_by(&access()).open::<blocks::$read::Drug, _>(&token).unwrap();
                    assert!(opened == value);
                    pairs += 1;
                )*
            }
        };
        ($($written:ident)*) => {
            $(check!(@ $written one two seven sixteen thirty_two sixty_four largest);)*
        };
    }
    check!(one two seven sixteen thirty_two sixty_four largest);
    assert_eq!(pairs, 7 * 7 * 13);
}

// How the files were made, once, and how those for new fields are.

#[test]
#[ignore = "writes the golden files; run by hand once"]
fn write_golden_files() {
    assert!(std::env::var_os("RXSEAL_WRITE_GOLDEN").is_some(), "golden files never change: tests/golden/README.md");
    RootKeyFile::new(folder().join("root-key.txt")).create().unwrap();
    let create = |suite| run_local(rxseal::testing::create_keyring(KEYSPACE, &root(), suite)).unwrap();
    write_new("keyring-x.json", &create(Suite::Xaes256Gcm).to_string());
    write_new("keyring-c.json", &create(Suite::XChaCha20Poly1305).to_string());
    let keyrings = ["keyring-x.json", "keyring-c.json"].map(|name| (name, unlock(name)));
    let wrapped = |keys: &Keyring| keys.create_subject_key(SUBJECT).unwrap().1.to_string();
    let subject_keys: BTreeMap<_, _> = keyrings.iter().map(|(name, keys)| (*name, wrapped(keys))).collect();
    write_json("subject-keys.json", &subject_keys);

    let mut entries: Vec<_> = keyrings.iter().flat_map(|(name, keys)| sealed_in_every_context(name, keys)).collect();
    entries.extend(sealed_vocabulary(&keyrings[0].1));
    entries.extend(sealed_in_every_state(create(Suite::Xaes256Gcm)));
    write_json("tokens.json", &entries);
    write_record(&keyrings[0].1);
}

/// Run it by name, with the new file's name in `RXSEAL_WRITE_GOLDEN`. Then list that file in `FILES`.
#[test]
#[ignore = "writes a golden file; run by hand once for a field that is new in the vocabulary"]
fn write_golden_files_of_new_fields() {
    let file = std::env::var("RXSEAL_WRITE_GOLDEN").expect("RXSEAL_WRITE_GOLDEN is such as tokens-0.3.json");
    assert!(file.starts_with("tokens-") && file.ends_with(".json"), "a name such as tokens-0.3.json");
    let known = entries();
    let mut new = sealed_vocabulary(&unlock("keyring-x.json"));
    new.retain(|entry| known.iter().all(|known| known.field != entry.field));
    assert!(!new.is_empty(), "every field of the vocabulary has a token");
    write_json(&file, &new);
}

/// Never over an existing file.
fn write_new(file: &str, content: &str) {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(folder().join(file)).unwrap();
    std::io::Write::write_all(&mut file, content.as_bytes()).unwrap();
}

fn write_json(file: &str, value: &impl Serialize) {
    write_new(file, &(serde_json::to_string_pretty(value).unwrap() + "\n"));
}

fn sealed_in_every_context(keyring: &str, keys: &Keyring) -> Vec<Entry> {
    let mut entries = Vec::new();
    for binding in ["bound", "wide", "unbound"] {
        for (steps, subject) in [(0, None), (1, None), (2, None), (0, Some(SUBJECT)), (2, Some(SUBJECT))] {
            let parts = [("line", "2"), ("dose", "0193e0f2")].map(|(name, id)| (name.to_owned(), id.to_owned()));
            let blank = Entry {
                binding: binding.to_owned(),
                record_id: (binding != "unbound").then(|| "RX-1001".to_owned()),
                parts: parts[..steps].to_vec(),
                subject: subject.map(str::to_owned),
                ..Entry::blank(keyring)
            };
            let (raw, text) = (RawBytes(vec![0, 0x80, 0xFF, 0x80, 0]), "nüchtern einnehmen\0💊");
            entries.push(blank.sealed::<Raw>(keys, &raw));
            entries.push(blank.sealed::<Text>(keys, text));
            entries
                .push(blank.sealed::<Json>(keys, &json!({"mg": [10, -0.5, 1e300], "as needed": true, "stop": null})));
            entries.push(blank.sealed::<Raw>(keys, &RawBytes(Vec::new())));
            entries.push(blank.sealed::<Text>(keys, ""));
            entries.push(blank.sealed::<before::Old>(keys, "before it was renamed").of_field::<New>());
        }
    }
    entries
}

fn sealed_vocabulary(keys: &Keyring) -> Vec<Entry> {
    let blank = Entry { record_id: Some("0042".to_owned()), ..Entry::blank("keyring-x.json") };
    macro_rules! sealed {
        ($($marker:ident)*) => { vec![$(blank.sealed::<phi::$marker>(keys, concat!("a ", stringify!($marker)))),*] };
    }
    with_vocabulary!(sealed)
}

/// One token under each of four keys, of which one is deactivated, one compromised, one destroyed and one seals.
fn sealed_in_every_state(mut file: KeyringFile) -> Vec<Entry> {
    let mut entries = Vec::new();
    for expect in ["ok", "key-compromised", "key-destroyed", "ok"] {
        if !entries.is_empty() {
            file = run_local(rxseal::testing::rotate_keyring(KEYSPACE, &root(), &file)).unwrap();
        }
        let keys = run_local(Keyring::unlock(KEYSPACE, &root(), &file)).unwrap().unobserved();
        let blank = Entry { expect: expect.to_owned(), ..Entry::blank("keyring-states.json") };
        entries.push(blank.sealed::<Text>(&keys, "of its time"));
    }
    for (at, state) in [(1, KeyState::Compromised), (2, KeyState::Destroyed)] {
        let id = entries[at].token.parse::<Token>().unwrap().key_id();
        file = run_local(rxseal::testing::force_key_state(KEYSPACE, &root(), &file, id, state)).unwrap();
    }
    write_new("keyring-states.json", &file.to_string());
    entries
}

impl Entry {
    fn blank(keyring: &str) -> Self {
        Self {
            keyring: keyring.to_owned(),
            binding: "bound".to_owned(),
            record_type: "prescription".to_owned(),
            record_id: Some("RX-1001".to_owned()),
            parts: Vec::new(),
            subject: None,
            field: String::new(),
            class: String::new(),
            former: Vec::new(),
            expect: "ok".to_owned(),
            value: Value::Null,
            token: String::new(),
        }
    }

    fn sealed<F: Field>(&self, keys: &Keyring, value: &(impl Serialize + ?Sized)) -> Self {
        let record = record(keys, self).unwrap();
        let entry = Self {
            value: serde_json::to_value(value).unwrap(),
            token: record.seal_text::<F>(value).unwrap(),
            ..self.clone()
        };
        entry.of_field::<F>()
    }

    fn of_field<F: Field>(self) -> Self {
        Self { field: F::ID.as_str().to_owned(), class: F::CLASS.as_str().to_owned(), former: former::<F>(), ..self }
    }
}

fn write_record(keys: &Keyring) {
    let record = keys.record(RECORD.0, RECORD.1).unwrap();
    let rx = Prescription {
        number: 4711,
        name: "Zoë Ångström".to_owned(),
        directions: Some("one daily".to_owned()),
        strength: None,
        hidden_note: None,
        allergies: vec!["penicillin".to_owned(), "latex".to_owned()],
        diagnoses: vec!["I10".to_owned(), "E11.9".to_owned()],
        quantities: BTreeMap::from([(1, 30), (2, 90)]),
        drug: "lisinopril 10 MG Oral Tablet".to_owned().into(),
        prescriber: Sealed::seal(&record, "Dr. Irvin Emard").unwrap(),
    };
    write_json("record.json", &record.sealing(&rx));
    let postcard = record.run_sealing(|| postcard::to_stdvec(&rx)).unwrap();
    write_new("record.postcard.hex", &(hex(&postcard) + "\n"));
}
