//! The vectors of tests/vectors that need the inside of the crate: derivations, frames, contexts, payloads and the bytes of
//! keys. The others are in tests/proofs/wire/vectors.rs. Run with `--nocapture` to see how much ran and what did not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::access::{Access, Purpose};
use crate::aead::{ClassCipher, Letter};
use crate::backend::Backend;
use crate::codec::frame::FrameWriter;
use crate::error::Error;
use crate::field::{Declaration, Field};
use crate::id::{Class, FieldId};
use crate::kdf::{self, KeyPurpose};
use crate::key::WrappedSubjectKey;
use crate::keyring::{Keyring, UnlockOptions};
use crate::payload::{self, Content, Limits, PayloadPlace, Plaintext};
use crate::record::{Record, with_aad};
use crate::root_key::LocalRootKey;
use crate::root_key::{RootKey, RootKeys, run_local};
use crate::secret::SecretBytes;

pub(crate) struct Vector {
    pub(crate) file: String,
    pub(crate) json: Value,
}

impl Vector {
    pub(crate) fn has(&self, member: &str) -> bool {
        self.json.get(member).is_some()
    }

    #[track_caller]
    pub(crate) fn get(&self, member: &str) -> &Value {
        self.json.get(member).unwrap_or_else(|| panic!("{}: no member {member}", self.file))
    }

    #[track_caller]
    pub(crate) fn text(&self, member: &str) -> &str {
        self.get(member).as_str().unwrap_or_else(|| panic!("{}: {member} is no text", self.file))
    }

    #[track_caller]
    pub(crate) fn number(&self, member: &str) -> u64 {
        self.get(member).as_u64().unwrap_or_else(|| panic!("{}: {member} is no number", self.file))
    }

    pub(crate) fn bytes(&self, member: &str) -> Vec<u8> {
        unhex(self.text(member))
    }

    pub(crate) fn key(&self, member: &str) -> SecretBytes<32> {
        SecretBytes::copy_of(&self.bytes(member).try_into().unwrap())
    }

    #[track_caller]
    pub(crate) fn check_code<T>(&self, outcome: &Result<T, Error>) {
        let code = outcome.as_ref().map_or_else(|error| error.code().as_str(), |_| "ok");
        assert_eq!(code, self.text("expect"), "{}", self.file);
    }

    /// Compares bytes without showing them, since many of them are keys.
    #[track_caller]
    pub(crate) fn check_bytes(&self, member: &str, bytes: &[u8]) {
        assert!(bytes == self.bytes(member), "{}: another {member}", self.file);
    }
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// All vectors of a type: exactly `expected` of them, so that none gets lost.
pub(crate) fn vectors(test: &str, expected: usize) -> Vec<Vector> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let mut found: Vec<_> = files
        .map(|path| Vector {
            file: path.file_name().unwrap().to_string_lossy().into_owned(),
            json: serde_json::from_slice(&fs::read(&path).unwrap()).unwrap(),
        })
        .filter(|vector| vector.text("test") == test)
        .collect();
    found.sort_by(|a, b| a.file.cmp(&b.file));
    assert_eq!(found.len(), expected, "vectors of type {test}");
    found
}

fn letter(text: &str) -> Letter {
    Letter::ALL.into_iter().find(|letter| text.as_bytes() == [letter.as_byte()]).unwrap()
}

#[test]
fn derive_vectors() {
    let mut ran = BTreeMap::new();
    for vector in vectors("derive", 40) {
        let purpose = vector.text("purpose");
        *ran.entry(purpose.to_owned()).or_insert(0) += 1;
        let purpose = purpose_of(&vector);
        let with_subject = vector.has("field_key_hex");
        for backend in Backend::ALL {
            let derived = kdf::derive(*backend, &vector.key("key_hex"), purpose).unwrap();
            vector.check_bytes("derived_hex", derived.expose_bytes());
            if with_subject {
                let (keyspace, class) = (vector.text("keyspace"), vector.text("class"));
                let subject = vector.key("subject_key_hex");
                let (letter, id) = (letter(vector.text("letter")), vector.text("subject_id"));
                let key = kdf::derive_with_subject(*backend, &subject, &derived, keyspace, letter, class, id).unwrap();
                vector.check_bytes("field_key_hex", key.expose_bytes());
            }
        }
        if with_subject {
            *ran.entry("with a subject key".to_owned()).or_insert(0) += 1;
        }
    }
    println!("derive: {ran:?}");
    let counts = [
        ("body", 5),
        ("fingerprint", 5),
        ("index", 2),
        ("record", 2),
        ("root-name", 3),
        ("root-wrap", 3),
        ("seal", 9),
        ("subject", 9),
        ("with a subject key", 6),
        ("wrap", 2),
    ];
    assert_eq!(ran, counts.map(|(purpose, count)| (purpose.to_owned(), count)).into());
}

/// FORMAT 3.2. What the vector's `info_hex` says is part of what is derived.
fn purpose_of(vector: &Vector) -> KeyPurpose<'_> {
    let keyspace = || vector.text("keyspace");
    let letter = || letter(vector.text("letter"));
    let class = || vector.text("class");
    match vector.text("purpose") {
        "fingerprint" => KeyPurpose::Fingerprint { keyspace: keyspace() },
        "seal" => KeyPurpose::Seal { keyspace: keyspace(), letter: letter(), class: class() },
        "subject" => KeyPurpose::Subject { keyspace: keyspace(), letter: letter(), class: class() },
        "wrap" => KeyPurpose::Wrap { keyspace: keyspace() },
        "record" => KeyPurpose::Record { keyspace: keyspace() },
        "body" => KeyPurpose::Body { keyspace: keyspace(), generation: vector.number("generation") },
        "root-wrap" => KeyPurpose::RootWrap,
        "root-name" => KeyPurpose::RootName,
        "index" => KeyPurpose::Index { keyspace: keyspace(), index: vector.text("index") },
        other => panic!("{}: purpose {other}", vector.file),
    }
}

#[test]
fn frame_vectors() {
    for vector in vectors("frame", 18) {
        let parts = vector.get("parts").as_array().unwrap().iter();
        let mut parts = parts.map(|part| (part[0].as_u64().unwrap(), part[1].as_str().map(unhex)));
        let Some((0, Some(domain))) = parts.next() else { panic!("{}: no part 0", vector.file) };
        // Domains are constants of the crate; those of vectors live as long as the test.
        let domain: &'static str = String::from_utf8(domain).unwrap().leak();
        let mut out = b"before".to_vec();
        parts.fold(FrameWriter::new(domain, &mut out), |writer, (tag, bytes)| {
            writer.optional_part(tag.try_into().unwrap(), bytes.as_deref())
        });
        vector.check_bytes("frame_hex", out.strip_prefix(b"before").unwrap());
    }
    println!("frame: 18 ran");
}

#[test]
fn context_vectors() {
    let mut of_fields = 0;
    for vector in vectors("context", 26) {
        // The keys are of no matter: contexts hold none.
        let keys = crate::testing::insecure_keyring(vector.text("keyspace")).map(crate::keys::Unlocked::unobserved);
        let outcome = keys.and_then(|keys| record(&keys, &vector));
        vector.check_code(&outcome);
        let Ok(record) = outcome else { continue };
        let context = record.core().context();
        vector.check_bytes("context_hex", context.context_bytes());
        vector.check_bytes("digest_hex", &context.context_digest());
        assert_eq!(context.nonce_prefix(), context.context_digest()[..12]);
        if vector.has("field_id") {
            let field = FieldId::new(vector.text("field_id").to_owned().leak());
            let header = vector.bytes("header_hex").try_into().unwrap();
            with_aad(record.core().context(), &header, field, |aad| vector.check_bytes("aad_hex", aad));
            of_fields += 1;
        }
    }
    println!("context: 26 ran, {of_fields} of them with the AAD of a field");
    assert_eq!(of_fields, 3);
}

fn record(keys: &Keyring, vector: &Vector) -> Result<Record, Error> {
    let record_type = vector.text("record_type");
    let mut record = match vector.text("binding") {
        "bound" => keys.record(record_type, vector.text("record_id"))?,
        "wide" => keys.record(record_type, vector.text("record_id"))?.wide(),
        "unbound" => keys.unbound(record_type)?,
        other => panic!("{}: binding {other}", vector.file),
    };
    if let Some(id) = vector.get("subject_id").as_str() {
        let (key, _) = keys.create_subject_key(id)?;
        record = record.subject(&key)?;
    }
    for part in vector.get("parts").as_array().unwrap() {
        record = record.part(part[0].as_str().unwrap(), part[1].as_str().unwrap())?;
    }
    Ok(record)
}

/// A field of each block that vectors pad to.
enum Padded<const BLOCK: u16> {}

impl<const BLOCK: u16> Field for Padded<BLOCK> {
    const ID: FieldId = FieldId::new("vector.padded");
    const CLASS: Class = Class::CLINICAL;
    const BLOCK: u16 = BLOCK;
}

fn limits(block: u64) -> Limits {
    macro_rules! of {
        ($($known:literal)*) => {
            match block {
                $($known => Limits::of(Declaration::of::<Padded<$known>>()),)*
                other => panic!("no field of block {other} in this test"),
            }
        };
    }
    of!(1 2 3 8 16 32 64 255 256 1024)
}

#[test]
fn payload_vectors() {
    let (mut padded, mut unpadded) = (0, 0);
    for vector in vectors("payload", 78) {
        if vector.has("block") {
            check_padding(&vector);
            padded += 1;
        } else {
            unpadded += 1;
        }
        // What was padded is taken off again too.
        let payload = if vector.has("payload_repeated") {
            repeated(vector.get("payload_repeated").as_array().unwrap())
        } else {
            vector.bytes("payload_hex")
        };
        let outcome = payload::content(&payload).map(kind_and_content);
        vector.check_code(&outcome);
        if let Ok((kind, content)) = outcome {
            assert_eq!(u64::from(kind), vector.number("kind"), "{}", vector.file);
            if vector.has("content_repeated") {
                assert!(content == repeated([vector.get("content_repeated")]), "{}: another content", vector.file);
            } else {
                vector.check_bytes("content_hex", content);
            }
        }
    }
    println!("payload: {padded} padded, {unpadded} unpadded");
    assert_eq!((padded, unpadded), (30, 48));
}

/// FORMAT 7.1: `[hex, count]`, each repeated so often, since no file has room for 16 MiB.
fn repeated<'v>(pieces: impl IntoIterator<Item = &'v Value>) -> Vec<u8> {
    let piece = |piece: &Value| unhex(piece[0].as_str().unwrap()).repeat(piece[1].as_u64().unwrap() as usize);
    pieces.into_iter().flat_map(piece).collect()
}

/// FORMAT 7.1 in whole tokens, which are made here.
#[test]
#[cfg_attr(debug_assertions, ignore = "takes long in a debug build; run it with --release")]
fn large_vectors() {
    for vector in vectors("open_large", 2) {
        let token = made(&vector);
        let record = record(&keyring(&vector), &vector).unwrap();
        let access = Access::new("job:vectors", Purpose::HOPERAT).unwrap();
        let mut content = Vec::new();
        let outcome = record.opened_by(&access).open_fields(|pass| pass.open_into::<Photo>(&token, &mut content));
        vector.check_code(&outcome);
        if outcome.is_ok() {
            assert!(content == repeated([vector.get("content_repeated")]), "{}: another content", vector.file);
        } else {
            assert!(content.is_empty(), "{}: content of a token that is refused", vector.file);
        }
    }
    println!("open_large: 2 ran");
}

enum Photo {}

impl Field for Photo {
    const ID: FieldId = FieldId::new("vector.photo");
    const CLASS: Class = Class::IDENTITY;
    const BLOCK: u16 = 4096;
}

fn made(vector: &Vector) -> Vec<u8> {
    let made = Vector { file: vector.file.clone(), json: vector.get("made").clone() };
    let mut text = repeated(made.get("payload_repeated").as_array().unwrap());
    let nonce: [u8; 12] = made.bytes("nonce_hex").try_into().unwrap();
    let cipher = Aes256Gcm::new(made.bytes("message_key_hex").as_slice().try_into().unwrap());
    let aad = made.bytes("aad_hex");
    let tag = cipher.encrypt_inout_detached(&nonce.into(), &aad, text.as_mut_slice().into()).unwrap();
    let token = [&made.bytes("header_hex"), &nonce[..], &text, &tag].concat();
    made.check_bytes("token_sha256", &Sha256::digest(&token));
    token
}

/// FORMAT 5.2 and 5.5. What the vector says of the steps in between is part of what comes out.
#[test]
fn aead_vectors() {
    for vector in vectors("aead", 12) {
        let (letter, nonce) = (letter(vector.text("letter")), vector.bytes("nonce_hex").try_into().unwrap());
        let (aad, plaintext) = (vector.bytes("aad_hex"), vector.bytes("plaintext_hex"));
        for backend in Backend::ALL {
            let class = ClassCipher::new(*backend, letter, vector.key("key_hex")).unwrap();
            let cipher = class.for_nonce(&nonce, None).unwrap();
            let mut text = plaintext.clone();
            let tag = cipher.seal(letter, &nonce, &aad, &mut text).unwrap();
            vector.check_bytes("ciphertext_hex", &text);
            vector.check_bytes("tag_hex", &tag);
            cipher.open_in_place(letter, &nonce, &aad, &mut text, &tag).unwrap();
            assert!(text == plaintext, "{}: another plaintext", vector.file);
        }
    }
    println!("aead: 12 ran");
}

fn check_padding(vector: &Vector) {
    let content = vector.bytes("content_hex");
    let place = PayloadPlace { limits: limits(vector.number("block")), head: 0, tail: 0 };
    let text = || std::str::from_utf8(&content).unwrap();
    let moved = match vector.number("kind") {
        0 => Content::Bytes(&content),
        1 => Content::Text(text()),
        2 => Content::Json(text()),
        other => panic!("{}: kind {other}", vector.file),
    };
    let mut out = Vec::new();
    moved.write_payload(place, &mut out).unwrap();
    vector.check_bytes("payload_hex", &out);

    // The same from a value of a user's own, whose `Serialize` decides the kind. JSON text of another writer may have
    // other spaces.
    out.clear();
    match moved {
        Content::Bytes(bytes) => payload::Value(&Bytes(bytes)).write_payload(place, &mut out).unwrap(),
        Content::Text(text) => payload::Value(text).write_payload(place, &mut out).unwrap(),
        Content::Json(_) => return,
    }
    vector.check_bytes("payload_hex", &out);
}

struct Bytes<'b>(&'b [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

fn kind_and_content(content: Content<'_>) -> (u8, &[u8]) {
    match content {
        Content::Bytes(bytes) => (0, bytes),
        Content::Text(text) => (1, text.as_bytes()),
        Content::Json(json) => (2, json.as_bytes()),
    }
}

#[test]
fn root_key_vectors() {
    let mut opened = 0;
    for vector in vectors("root_key", 37) {
        let outcome = LocalRootKey::parse_line(vector.text("text").as_bytes());
        vector.check_code(&outcome);
        let Ok(root) = outcome else { continue };
        assert_eq!(root.name(), vector.text("name"), "{}", vector.file);
        let key = vector.key("key_hex");
        vector.check_bytes(
            "wrap_key_hex",
            kdf::derive(Backend::default(), &key, KeyPurpose::RootWrap).unwrap().expose_bytes(),
        );
        // The line that is written holds the key that was read.
        let line = root.expose_line().as_mut_slice().to_vec();
        assert!(line == format!("{}\n", vector.text("text").trim_end()).into_bytes(), "{}", vector.file);
        opened += 1;
    }
    println!("root_key: 37 ran, {opened} of them with key bytes");
    assert_eq!(opened, 6);
}

#[test]
fn subject_key_vectors() {
    let mut opened = 0;
    for vector in vectors("subject_key", 64) {
        let keys = keyring(&vector);
        let outcome = wrapped(&vector).and_then(|wrapped| keys.unwrap_subject_key(vector.text("subject_id"), &wrapped));
        vector.check_code(&outcome);
        if let Ok(key) = outcome {
            vector.check_bytes("secret_hex", key.secret().expose_bytes());
            opened += 1;
        }
    }
    println!("subject_key: 64 ran, {opened} of them with key bytes");
    assert_eq!(opened, 9);
}

pub(crate) fn keyring(vector: &Vector) -> Keyring {
    unlock(vector, UnlockOptions::default())
}

pub(crate) fn unlock(vector: &Vector, options: UnlockOptions) -> Keyring {
    let read = |kind: &str, member: &str| fs::read(folder().join(kind).join(vector.text(member))).unwrap();
    let root = LocalRootKey::parse_line(&read("root_keys", "root_key_file")).unwrap();
    let file = read("keyrings", "keyring_file").as_slice().try_into().unwrap();
    let roots = RootKeys::from(root);
    run_local(Keyring::unlock_with(options, vector.text("keyspace"), &roots, &file)).unwrap().unobserved()
}

fn wrapped(vector: &Vector) -> Result<WrappedSubjectKey, Error> {
    if vector.has("subject_key") {
        vector.text("subject_key").parse()
    } else {
        vector.bytes("subject_key_hex").as_slice().try_into()
    }
}
