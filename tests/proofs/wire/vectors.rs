//! Runs every vector of tests/vectors that the public API can express, through every entry point that reaches it. An
//! independent implementation of docs/FORMAT.md (tests/python) says what must open, and it opens to the same bytes. It
//! also says what must be refused, and every entry point refuses it with the same code (FORMAT 1 to 10; T6 to T12, T15,
//! T16, T18, T31, T43).
//!
//! src/vector_tests.rs has the vectors that need the crate's inside (`derive`, `frame`, `context`, `payload`, `aead`,
//! key bytes) or much time (`open_large`). Run with `--nocapture` to see how much ran and what did not.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;
use std::process::Command;
use std::str::FromStr;
use std::sync::{Arc, Mutex, Once};

use crate::files::{Keyrings, Run, Scratch, Vector, access, all_vectors, folder, hex, keyring_text, vectors};
use rxseal::keys::{KeyUse, KeyringFile, Suite, UnlockOptions};
use rxseal::observe::{Observer, OpenEvent};
use rxseal::provider::{Kek, KekContext, ProviderFuture};
use rxseal::root::{LocalRootKey, RootKey, RootKeys};
use rxseal::subjects::{SubjectKey, WrappedSubjectKey};
use rxseal::{Class, Error, FieldId, Identifier, Keyring, Record, Sealing, Token, phi::PatientName, run_local};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// How many files there are of each type. A file that gets lost, or one that nobody runs, fails here.
const FILES: [(&str, usize); 22] = [
    ("aead", 12),
    ("clear_text", 30),
    ("context", 26),
    ("derive", 40),
    ("frame", 18),
    ("identifier", 89),
    ("index_definition", 62),
    ("index_query", 17),
    ("index_stored", 5),
    ("index_value", 208),
    ("index_verify", 36),
    ("name", 33),
    ("normal_form", 347),
    ("open", 475),
    ("open_large", 2),
    ("payload", 78),
    ("record_tag", 155),
    ("root_key", 37),
    ("subject_key", 64),
    ("token", 145),
    ("unlock", 448),
    ("write", 47),
];

#[test]
fn no_file_is_lost() {
    let mut found = BTreeMap::new();
    for vector in all_vectors() {
        *found.entry(vector.text("test").to_owned()).or_insert(0) += 1;
    }
    assert_eq!(found, FILES.map(|(test, count)| (test.to_owned(), count)).into());
    assert_eq!(found.values().sum::<usize>(), 2374);
}

/// T20 to T25, T27.
#[test]
fn unlock_vectors() {
    let mut run = Run::of("unlock");
    let scratch = Scratch::new("unlock");
    for vector in vectors("unlock") {
        let asked = Arc::default();
        let Some(roots) = roots(&scratch, &vector, &asked) else {
            run.skip(&vector, "`RootKeys` cannot be empty");
            continue;
        };
        let bytes =
            if vector.has("keyring_hex") { vector.bytes("keyring_hex") } else { keyring_text(&vector).into_bytes() };
        let file = KeyringFile::try_from(bytes.as_slice());
        let text = String::from_utf8(bytes);
        if let Ok(text) = &text {
            let from_text = KeyringFile::from_str(text);
            assert_eq!(
                file.as_ref().map_err(|error| error.code().as_str()),
                from_text.as_ref().map_err(|error| error.code().as_str()),
                "{}",
                vector.file
            );
        }

        let mut options = UnlockOptions::default();
        if vector.has("min_generation") {
            options = options.min_generation(vector.number("min_generation"));
        }
        if vector.has("pin") {
            options = options.pin(vector.bytes("pin").try_into().unwrap());
        }
        let is_readable = file.is_ok();
        let unlocked = file.and_then(|file| {
            let unlocked = run_local(Keyring::unlock_with(options, vector.text("keyspace"), &roots, &file))?;
            Ok((unlocked.unobserved(), file))
        });
        vector.check_code("unlock_with", &unlocked);
        if let Ok((keys, file)) = unlocked {
            check_unlocked(&vector, &keys, &file, &text.unwrap(), &asked);
        }
        // FORMAT 8.1 and 8.5: all of these are told before a provider is called.
        let early = ["invalid-keyring", "invalid-id", "keyring-mismatch", "keyring-too-old"];
        assert!(!early.contains(&vector.text("expect")) || asked.lock().unwrap().is_empty(), "{}", vector.file);
        run.count(if is_readable { "unlock_with" } else { "refused by the reader" });
    }
    run.check(&[("refused by the reader", 257), ("unlock_with", 190)], &[("`RootKeys` cannot be empty", 1)]);
}

/// A root key that writes down when it is asked, so that a test sees which one unlocked, and that none was asked at all.
struct Spy {
    root: LocalRootKey,
    asked: Arc<Mutex<Vec<String>>>,
}

impl RootKey for Spy {
    fn provider(&self) -> &str {
        self.root.provider()
    }

    fn name(&self) -> &str {
        self.root.name()
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        self.root.wrap_kek(kek, context)
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        self.asked.lock().unwrap().push(self.root.name().to_owned());
        self.root.unwrap_kek(wrapped, context)
    }
}

fn roots(scratch: &Scratch, vector: &Vector, asked: &Arc<Mutex<Vec<String>>>) -> Option<RootKeys> {
    let files = vector.get("root_key_files").as_array().unwrap().iter();
    let mut spies =
        files.map(|file| Spy { root: scratch.load_root_key(file.as_str().unwrap()), asked: Arc::clone(asked) });
    let first = RootKeys::from(spies.next()?);
    Some(spies.fold(first, RootKeys::and))
}

fn check_unlocked(vector: &Vector, keys: &Keyring, file: &KeyringFile, text: &str, asked: &Mutex<Vec<String>>) {
    assert_eq!(keys.generation(), vector.number("generation"), "{}", vector.file);
    assert_eq!(keys.primary_key().to_string(), vector.text("primary"), "{}", vector.file);
    let index = keys.keys().iter().find(|key| key.usage() == KeyUse::Index && key.is_primary()).unwrap();
    assert_eq!(index.id().to_string(), vector.text("primary_index"), "{}", vector.file);
    let states = keys.keys().iter().map(|key| (key.id().to_string(), key.state().as_str().into()));
    assert_eq!(states.collect::<serde_json::Map<_, _>>(), *vector.get("keys").as_object().unwrap(), "{}", vector.file);
    assert_eq!(asked.lock().unwrap().last().unwrap(), vector.text("unlocked_by"), "{}", vector.file);

    // FORMAT 8.1: whatever way it was written, it is written back in one way.
    let written = file.to_string();
    let json: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(json["kek"], *vector.get("kek"), "{}", vector.file);
    assert_eq!(json["keyspace"], *vector.get("keyspace"), "{}", vector.file);
    assert_eq!(written == text, vector.get("canonical").as_bool().unwrap(), "{}: canonical", vector.file);
    assert!(written.parse::<KeyringFile>().unwrap() == *file, "{}: read back", vector.file);
}

/// FORMAT 3.7: a token selects a DEK. The id of an index root, in whatever state, is unknown to it, as `open` vectors say
/// of active and deactivated ones; only this keyring has a destroyed one.
#[test]
fn an_index_root_is_no_dek_in_any_state() {
    let scratch = Scratch::new("index-root");
    let vectors = vectors("unlock");
    let vector = vectors.iter().find(|vector| vector.file == "0531-unlock-index-states.json").unwrap();
    let roots = RootKeys::from(scratch.load_root_key("root-a.txt"));
    let file: KeyringFile = vector.text("keyring").parse().unwrap();
    let keys = run_local(Keyring::unlock(vector.text("keyspace"), &roots, &file)).unwrap().unobserved();
    let record = keys.record("patient", 4711_u32).unwrap();
    let token = record.seal::<PatientName>("x").unwrap();
    let mut states = Vec::new();
    for key in keys.keys().iter().filter(|key| key.usage() == KeyUse::Index) {
        let mut bytes = token.as_bytes().to_vec();
        bytes[3..9].copy_from_slice(key.id().as_bytes());
        let token = Token::try_from(bytes).unwrap();
        let error = record.opened_by(&access()).open::<PatientName, String>(&token).unwrap_err();
        assert_eq!((error.code().as_str(), error.key_id()), ("unknown-key", Some(key.id())), "{}", key.state());
        assert_eq!(keys.needs_reseal(&token).unwrap_err().code().as_str(), "unknown-key", "{}", key.state());
        states.push(key.state().as_str());
    }
    states.sort_unstable();
    assert_eq!(states, ["active", "active", "compromised", "deactivated", "destroyed", "pre-active"]);
}

#[test]
fn token_vectors() {
    let mut run = Run::of("token");
    for vector in vectors("token") {
        let outcome = if vector.has("token") {
            run.count("FromStr");
            vector.text("token").parse::<Token>()
        } else {
            let mut bytes = vector.bytes("token_hex");
            if vector.has("zeros_after") {
                bytes.resize(bytes.len() + usize::try_from(vector.number("zeros_after")).unwrap(), 0);
            }
            run.count("TryFrom, borrowed and owned");
            let borrowed = Token::try_from(bytes.as_slice());
            let owned = Token::try_from(bytes);
            assert_eq!(
                borrowed.as_ref().map_err(|error| error.code().as_str()),
                owned.as_ref().map_err(|error| error.code().as_str()),
                "{}",
                vector.file
            );
            owned
        };
        vector.check_code("Token", &outcome);
        if let Ok(token) = outcome {
            check_token(&vector, &token);
        }
    }
    run.check(&[("FromStr", 98), ("TryFrom, borrowed and owned", 47)], &[]);
}

fn check_token(vector: &Vector, token: &Token) {
    let bytes = token.as_bytes();
    let text = token.to_string();
    assert_eq!(text[3..4], *vector.text("letter"), "{}", vector.file);
    assert_eq!(token.key_id().to_string(), vector.text("key_id"), "{}", vector.file);
    assert_eq!(text[4..12], *vector.text("key_id"), "{}", vector.file);
    let (header, rest) = bytes.split_at(9);
    assert_eq!(hex(header), vector.text("header_hex"), "{}", vector.file);
    let (nonce, rest) = rest.split_at(vector.text("nonce_hex").len() / 2);
    assert_eq!(hex(nonce), vector.text("nonce_hex"), "{}", vector.file);
    assert_eq!((rest.len() - 16) as u64, vector.number("ciphertext_length"), "{}", vector.file);
    assert_eq!(hex(&rest[rest.len() - 16..]), vector.text("tag_hex"), "{}", vector.file);
    assert!(text.parse::<Token>().unwrap() == *token, "{}: read back", vector.file);
    if vector.has("token") {
        assert_eq!(text, vector.text("token"), "{}: the text form is canonical", vector.file);
    }
}

/// Hears of which record was opened: where the public API shows how an identifier is written (FORMAT 1.5).
#[derive(Default)]
struct LastRecord(Mutex<[Option<String>; 2]>);

impl Observer for LastRecord {
    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        let record = event.opening().records()[0];
        *self.0.lock().unwrap() = [record.record_id(), record.subject_id()].map(|id| id.map(str::to_owned));
        Ok(())
    }
}

#[test]
fn identifier_vectors() {
    let mut run = Run::of("identifier");
    for vector in vectors("identifier") {
        if vector.has("text") {
            let text = vector.text("text");
            check_identifier(&vector, || text);
            check_identifier(&vector, || text.to_owned());
            run.count("text");
        } else if vector.has("integer") {
            assert_ne!(check_integers(&vector), 0, "{}", vector.file);
            run.count("integers");
        } else {
            check_uuid(&vector, &mut run);
        }
    }
    run.check(&[("UUIDs", 3), ("integers", 9), ("text", 77)], &[]);
}

fn check_uuid(vector: &Vector, run: &mut Run) {
    let uuid = uuid::Uuid::from_slice(&vector.bytes("uuid_hex")).unwrap();
    check_identifier(vector, || uuid);
    run.count("UUIDs");
}

/// Runs the vector as every integer type that can hold it, and tells how many these are.
fn check_integers(vector: &Vector) -> usize {
    let mut types = 0;
    macro_rules! run {
        ($($integer:ty)*) => {$(
            if let Ok(number) = vector.text("integer").parse::<$integer>() {
                check_identifier(vector, || number);
                types += 1;
            }
        )*};
    }
    run!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
    types
}

/// As the id of a record, a subject and a part: each takes the same and is the same as its expected text.
fn check_identifier<'a, I: Into<Identifier<'a>>>(vector: &Vector, id: impl Fn() -> I) {
    let last = Arc::new(LastRecord::default());
    let keys = rxseal::testing::insecure_keyring("vectors").unwrap().observed_by(Arc::clone(&last));
    let record = keys.record("patient", id());
    let subject = keys.create_subject_key(id());
    let part = keys.unbound("patient").unwrap().part("line", id());
    vector.check_code("a record id", &record);
    vector.check_code("a subject id", &subject);
    vector.check_code("a part id", &part);
    let (Ok(record), Ok((key, _)), Ok(part)) = (record, subject, part) else { return };

    let expected = vector.text("identifier");
    assert_eq!(key.subject_id(), expected, "{}", vector.file);
    let token = record.subject(&key).unwrap().seal::<PatientName>("x").unwrap();
    let same = keys.record("patient", expected).unwrap().subject(&key).unwrap();
    assert_eq!(same.opened_by(&access()).open::<PatientName, String>(&token).unwrap(), "x", "{}", vector.file);
    let token = part.seal::<PatientName>("y").unwrap();
    let same = keys.unbound("patient").unwrap().part("line", expected).unwrap();
    assert_eq!(same.opened_by(&access()).open::<PatientName, String>(&token).unwrap(), "y", "{}", vector.file);

    // What does not open is an opening too.
    record.subject(&key).unwrap().opened_by(&access()).open::<PatientName, String>(&token).unwrap_err();
    let ids = last.0.lock().unwrap().clone();
    assert_eq!(ids, [Some(expected.to_owned()), Some(expected.to_owned())], "{}", vector.file);
}

#[test]
fn name_vectors() {
    let mut run = Run::of("name");
    let keys = rxseal::testing::insecure_keyring("vectors").unwrap().unobserved();
    let scratch = Scratch::new("name");
    for vector in vectors("name") {
        let text = vector.text("text");
        let root = RootKeys::from(scratch.load_root_key("root-a.txt"));
        vector.check_code("a keyspace", &run_local(rxseal::testing::create_keyring(text, &root, Suite::default())));
        vector.check_code("a keyspace to unlock", &unlock_mini_as(&root, text));
        vector.check_code("a record type", &keys.record(text, 1_u8));
        vector.check_code("a record type, unbound", &keys.unbound(text));
        vector.check_code("a part name", &keys.unbound("patient").unwrap().part(text, 1_u8));
        vector.check_code("a provider", &create_by_provider(scratch.load_root_key("root-a.txt"), text));
        // Ids of a program are constants. Outside of one, the only refusal that a `const fn` has is a panic.
        let leaked: &'static str = text.to_owned().leak();
        assert_eq!(!panics(|| _ = FieldId::new(leaked)), vector.expects_ok(), "{}: a field id", vector.file);
        assert_eq!(!panics(|| _ = Class::new(leaked)), vector.expects_ok(), "{}: a class", vector.file);
        run.count("keyspaces, record types, parts, providers, field ids, classes");
    }
    run.check(&[("keyspaces, record types, parts, providers, field ids, classes", 33)], &[]);
}

/// Whether `work` panics, without a report of it.
fn panics(work: impl FnOnce() + std::panic::UnwindSafe) -> bool {
    thread_local!(static QUIET: Cell<bool> = const { Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                report(info)
            }
        }));
    });
    QUIET.set(true);
    let panicked = catch_unwind(work).is_err();
    QUIET.set(false);
    panicked
}

/// A legal keyspace that is not the file's is refused as that, an illegal one as no name.
fn unlock_mini_as(roots: &RootKeys, keyspace: &str) -> Result<(), Error> {
    let file = fs::read_to_string(folder().join("keyrings/mini.json")).unwrap().parse().unwrap();
    match run_local(Keyring::unlock(keyspace, roots, &file)) {
        Err(error) if error.code().as_str() == "keyring-mismatch" => Ok(()),
        other => other.map(|_| panic!("a keyring of another keyspace was unlocked")),
    }
}

/// A provider of a user's own making. Its name goes into keyring files, which have to be read again.
struct Named {
    provider: String,
    root: LocalRootKey,
}

impl RootKey for Named {
    fn provider(&self) -> &str {
        &self.provider
    }

    fn name(&self) -> &str {
        self.root.name()
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        self.root.wrap_kek(kek, context)
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        self.root.unwrap_kek(wrapped, context)
    }
}

fn create_by_provider(root: LocalRootKey, provider: &str) -> Result<(), Error> {
    let roots = RootKeys::from(Named { provider: provider.to_owned(), root });
    let file = run_local(rxseal::testing::create_keyring("vectors", &roots, Suite::default()))?;
    assert!(file.to_string().parse::<KeyringFile>().unwrap() == file);
    Ok(())
}

#[test]
fn root_key_vectors() {
    let mut run = Run::of("root_key");
    let scratch = Scratch::new("root-key");
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "vectors::root_keys_of_the_environment", "--nocapture"]).env(CHILD, "1");
    for vector in vectors("root_key") {
        let text = vector.text("text");
        let outcome = scratch.root_key(text).load();
        vector.check_code("RootKeyFile", &outcome);
        // The key bytes and the key that wraps are compared in src/vector_tests.rs.
        if let Ok(root) = outcome {
            assert_eq!((root.provider(), root.name()), ("local", vector.text("name")), "{}", vector.file);
        }
        run.count("RootKeyFile");
        if text.contains('\0') {
            run.skip(&vector, "an environment variable cannot hold a NUL");
        } else {
            child.env(variable(&vector), text);
            run.count("an environment variable");
        }
    }
    let output = child.output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && report.contains("36 from the environment"), "{report}");
    run.check(
        &[("RootKeyFile", 37), ("an environment variable", 36)],
        &[("an environment variable cannot hold a NUL", 1)],
    );
}

fn variable(vector: &Vector) -> String {
    format!("RXSEAL_VECTOR_{}", &vector.file[..4])
}

const CHILD: &str = "RXSEAL_VECTORS_CHILD";

/// Does nothing but in the process that `root_key_vectors` starts, whose environment it reads.
#[test]
fn root_keys_of_the_environment() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let mut ran = 0;
    for vector in vectors("root_key").iter().filter(|vector| !vector.text("text").contains('\0')) {
        assert!(std::env::var_os(variable(vector)).is_some());
        let outcome = LocalRootKey::from_env(&variable(vector));
        vector.check_code("from_env", &outcome);
        if let Ok(root) = outcome {
            assert_eq!(root.name(), vector.text("name"), "{}", vector.file);
        }
        ran += 1;
    }
    assert_eq!(LocalRootKey::from_env("RXSEAL_VECTOR_NOT_SET").unwrap_err().code().as_str(), "invalid-root-key");
    println!("{ran} from the environment");
}

#[test]
fn subject_key_vectors() {
    let mut run = Run::of("subject_key");
    let mut keyrings = Keyrings::new("subject-key");
    for vector in vectors("subject_key") {
        let keys = keyrings.of(&vector);
        let wrapped = if vector.has("subject_key") {
            run.count("FromStr");
            WrappedSubjectKey::from_str(vector.text("subject_key"))
        } else {
            run.count("TryFrom");
            WrappedSubjectKey::try_from(vector.bytes("subject_key_hex").as_slice())
        };
        let subject_id = vector.text("subject_id");
        let outcome = wrapped.and_then(|wrapped| Ok((keys.unwrap_subject_key(subject_id, &wrapped)?, wrapped)));
        vector.check_code("unwrap_subject_key", &outcome);
        if let Ok((key, wrapped)) = outcome {
            check_subject_key(&vector, keys, &key, &wrapped);
        }
    }
    run.check(&[("FromStr", 57), ("TryFrom", 7)], &[]);
}

/// The key bytes are compared in src/vector_tests.rs; here, that the key works and survives being wrapped anew
/// (FORMAT 10.4).
fn check_subject_key(vector: &Vector, keys: &Keyring, key: &SubjectKey, wrapped: &WrappedSubjectKey) {
    let subject_id = vector.text("subject_id");
    assert_eq!(key.subject_id(), subject_id, "{}", vector.file);
    assert!(wrapped.to_string().parse::<WrappedSubjectKey>().unwrap() == *wrapped, "{}", vector.file);
    let token = keys.unbound("patient").unwrap().subject(key).unwrap().seal::<PatientName>("x").unwrap();

    let rewrapped = keys.rewrap_subject_key(subject_id, wrapped).unwrap();
    assert_eq!(rewrapped.key_id(), keys.primary_key(), "{}", vector.file);
    let again = keys.unwrap_subject_key(subject_id, &rewrapped).unwrap();
    let record = keys.unbound("patient").unwrap().subject(&again).unwrap();
    assert_eq!(record.opened_by(&access()).open::<PatientName, String>(&token).unwrap(), "x", "{}", vector.file);
}

/// FORMAT 7.5 and 7.6 (T45, T57), as a value alone and as a field of a row.
#[test]
fn write_vectors() {
    let mut run = Run::of("write");
    let mut keyrings = Keyrings::new("write");
    for vector in vectors("write") {
        let record = keyrings.of(&vector).record("patient", 4711_u32).unwrap();
        let content = vector.bytes("content_hex");
        let text = String::from_utf8(content.clone());
        match vector.number("kind") {
            0 => check_write(&vector, &record, &Bytes(&content)),
            1 => check_write(&vector, &record, &text.unwrap()),
            _ => {
                let value: Value = serde_json::from_str(&text.unwrap()).unwrap();
                if value.is_string() {
                    run.skip(&vector, "a string alone is of kind 1");
                    continue;
                }
                check_write(&vector, &record, &value);
            }
        }
        run.count("Record::seal, run_sealing");
    }
    run.check(&[("Record::seal, run_sealing", 45)], &[("a string alone is of kind 1", 2)]);
}

fn check_write<T: Serialize>(vector: &Vector, record: &Record, value: &T) {
    vector.check_code("Record::seal", &record.seal::<PatientName>(value));
    vector.check_code("run_sealing", &record.run_sealing(|| serde_json::to_string(&Row { field: value })));
}

#[derive(Serialize)]
struct Row<'v, T: Serialize> {
    #[serde(with = "Sealing::<PatientName>")]
    field: &'v T,
}

pub struct Bytes<'b>(pub &'b [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}
