//! Every error that a program can meet: its stable code, its predicates, and that none of its texts contains a value,
//! record id or key byte (T16, T17, T38, T40 of docs/THREAT-MODEL.md; FORMAT 7.4).

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::fmt::Debug;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use crate::support::{CANARY, Problem, access, contains, keyring, leaks, texts};
use proptest::prelude::*;
use rxseal::count::count_by_key;
use rxseal::keys::{KeyState, KeyringAdmin, KeyringFile, RemainingUse, Suite, UnlockOptions};
use rxseal::observe::{Observer, OpenEvent, Opening};
use rxseal::page::open_page;
use rxseal::provider::{Kek, KekContext, ProviderFuture};
use rxseal::records::TaggedRecord;
use rxseal::root::{LocalRootKey, RootKey, RootKeyFile, RootKeys};
use rxseal::schema::{FieldSchema, Plain, Schema};
use rxseal::store::{
    FileStore, KeyringStore, MemoryStore, MemorySubjectStore, Retention, StoreFuture, SubjectKeyStore,
};
use rxseal::subjects::{ShredLog, SubjectAdmin, SubjectKeys, WrappedSubjectKey};
use rxseal::{
    Access, Class, Each, Error, Keyring, Parts, Phi, PhiRecord, Purpose, Record, RecordTag, Sealed, Sealing, Token,
    accept_plaintext, phi, run_local,
};
use serde::{Deserialize, Serialize};

/// Ids that must be in no text of an error: they often name a patient.
const RECORD_ID: &str = "MRN-Zoraida-0042";
const SUBJECT_ID: &str = "patient-Zoraida-0042";

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(with = "Sealing::<phi::Drug>")]
    drug: String,
}

/// A record with a tag, of a type that a later release covers more of.
macro_rules! tagged {
    ($name:ident, $since:literal) => {
        #[derive(PhiRecord)]
        #[phi(record = "refill", derive(Clone))]
        struct $name {
            #[phi(id)]
            id: u64,
            #[phi(seal = phi::Drug)]
            drug: String,
            #[phi(clear, bind = "refill.price", since = $since)]
            price: rust_decimal::Decimal,
            #[phi(record_tag)]
            tag: RecordTag,
        }

        impl $name {
            fn new(id: u64) -> Self {
                Self { id, drug: CANARY.into(), price: rust_decimal::Decimal::new(15, 1), tag: RecordTag::new() }
            }
        }
    };
}

tagged!(Refill, 2);
tagged!(LaterRefill, 3);

struct World {
    roots: RootKeys,
    /// Generation 1, with one DEK.
    first: KeyringFile,
    /// Generation 2, after a rotation.
    second: KeyringFile,
    keys: Keyring,
    /// Sealed under the DEK of generation 1.
    token: Token,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let (roots, first) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    let second = run_local(rxseal::testing::rotate_keyring("pharmacy-17", &roots, &first)).unwrap();
    let old = unlock(&roots, &first);
    let token = old.record("refill", RECORD_ID).unwrap().seal::<phi::Drug>(CANARY).unwrap();
    let keys = unlock(&roots, &second);
    World { roots, first, second, keys, token }
});

fn unlock(roots: &RootKeys, file: &KeyringFile) -> Keyring {
    run_local(Keyring::unlock("pharmacy-17", roots, file)).unwrap().unobserved()
}

fn record() -> Record {
    WORLD.keys.record("refill", RECORD_ID).unwrap()
}

fn in_state(state: KeyState) -> Keyring {
    let id = WORLD.token.key_id();
    let file =
        run_local(rxseal::testing::force_key_state("pharmacy-17", &WORLD.roots, &WORLD.second, id, state)).unwrap();
    unlock(&WORLD.roots, &file)
}

fn open(keys: &Keyring, token: &Token) -> Error {
    fails(keys.record("refill", RECORD_ID).unwrap().opened_by(&access()).open::<phi::Drug, String>(token))
}

#[track_caller]
fn fails<T>(result: Result<T, Error>) -> Error {
    match result {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error,
    }
}

/// A folder of this test process.
fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("rxseal-errors-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn file(name: &str, content: &str, mode: u32) -> RootKeyFile {
    let path = folder().join(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    RootKeyFile::new(path)
}

/// What a provider of the user's own does.
enum Service {
    Waits,
    Unavailable,
    Refuses,
    GivesAnother,
}

impl RootKey for Service {
    fn provider(&self) -> &str {
        "service"
    }

    fn name(&self) -> &str {
        "root-1"
    }

    fn wrap_kek<'a>(&'a self, _: &'a Kek, _: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        match self {
            Self::Waits => Box::pin(std::future::pending()),
            Self::Unavailable => Box::pin(std::future::ready(Err(Error::from_provider(true, "timeout")))),
            Self::Refuses => Box::pin(std::future::ready(Err(Error::from_provider(false, "denied")))),
            Self::GivesAnother => Box::pin(std::future::ready(Ok(vec![7; 32]))),
        }
    }

    fn unwrap_kek<'a>(&'a self, _: &'a [u8], _: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(std::future::ready(Kek::from_bytes(&[7; 32])))
    }
}

struct Nobody;

impl Observer for Nobody {
    fn before_open(&self, _: &Opening<'_>) -> Result<(), Error> {
        Err(Error::refused("after hours"))
    }

    fn opened(&self, _: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        Ok(())
    }
}

macro_rules! classes {
    ($($field:ident $class:ident $id:literal)*) => {
        $(const $class: Class = Class::new($id);)*
        rxseal::fields! { $(pub $field = $id in $class;)* }

        /// Seals a field of each class under one keyring.
        fn seal_in_every_class(record: &Record) -> Result<(), Error> {
            $(record.seal::<$field>("x")?;)*
            Ok(())
        }
    };
}

classes! {
    F0 C0 "c.0" F1 C1 "c.1" F2 C2 "c.2" F3 C3 "c.3" F4 C4 "c.4" F5 C5 "c.5" F6 C6 "c.6" F7 C7 "c.7" F8 C8 "c.8"
    F9 C9 "c.9" F10 C10 "c.10" F11 C11 "c.11" F12 C12 "c.12" F13 C13 "c.13" F14 C14 "c.14" F15 C15 "c.15"
    F16 C16 "c.16" F17 C17 "c.17" F18 C18 "c.18" F19 C19 "c.19" F20 C20 "c.20" F21 C21 "c.21" F22 C22 "c.22"
    F23 C23 "c.23" F24 C24 "c.24" F25 C25 "c.25" F26 C26 "c.26" F27 C27 "c.27" F28 C28 "c.28" F29 C29 "c.29"
    F30 C30 "c.30" F31 C31 "c.31"
}

rxseal::fields! { pub Short = "short.text" in Clinical { max: 8 }; }

/// What an error of each kind is about, and how it comes about. Several ways where they differ.
fn all() -> Vec<(&'static str, Error)> {
    let world = &*WORLD;
    let rec = record();
    let opener = rec.opened_by(&access());
    let forged = serde_json::json!({ "drug": CANARY }).to_string();
    let read = |json: &str| serde_json::from_str::<Row>(json);
    let subject = |id: &str| world.keys.create_subject_key(id).unwrap();
    let wrapped = subject(SUBJECT_ID).1;
    let seal = |value: &str| fails(rec.seal::<Short>(value));
    let nan = f64::NAN;
    let primary = world.keys.primary_key();
    let state = |id, state| {
        fails(run_local(rxseal::testing::force_key_state("pharmacy-17", &world.roots, &world.second, id, state)))
    };
    let create = |service: Service| {
        fails(run_local(rxseal::testing::create_keyring("pharmacy-17", &RootKeys::from(service), Suite::default())))
    };
    let with = |options| fails(run_local(Keyring::unlock_with(options, "pharmacy-17", &world.roots, &world.second)));
    let damaged = {
        let text = world.first.to_string();
        let at = text.find("\"body\": \"").unwrap() + 40;
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &text[..at], &text[at + 1..]).parse::<KeyringFile>().unwrap()
    };
    let refill = world.keys.seal(&Refill::new(7)).unwrap();
    let later = world.keys.seal(&LaterRefill::new(7)).unwrap();
    let with_tag = |tag| SealedRefill { tag, ..refill.clone() };
    vec![
        ("tag-missing", fails("".parse::<RecordTag>())),
        ("tag-missing", fails(world.keys.open(&with_tag(RecordTag::new()), &access()))),
        ("not-a-tag", fails(CANARY.parse::<RecordTag>())),
        ("not-a-tag", fails(RecordTag::try_from(CANARY.as_bytes()))),
        ("tag-refused", fails(world.keys.open(&SealedRefill { id: 8, ..refill.clone() }, &access()))),
        ("tag-refused", fails(SealedRefill { price: 2.into(), ..refill.clone() }.verified(&world.keys))),
        ("tag-too-old", fails(refill.verified(&world.keys).and_then(|verified| verified.min_version(2)))),
        ("cover-unknown", fails(world.keys.open(&with_tag(later.tag), &access()))),
        (
            "clear-refused",
            fails(world.keys.seal(&Refill { price: rust_decimal::Decimal::new(150, 2), ..Refill::new(7) })),
        ),
        ("cell-refused", fails(rec.seal_fields(|pass| pass.seal_declared(&declared_number(), Plain::Text(CANARY))))),
        ("invalid-schema", fails(Schema::parse(CANARY))),
        ("not-a-token", fails(CANARY.parse::<Token>())),
        ("not-a-token", fails(Token::try_from(CANARY.as_bytes()))),
        ("not-a-token", fails(opener.open_text::<phi::Drug, String>(CANARY))),
        ("not-a-token", fails(opener.run_opening(|| read(&forged)))),
        ("open-failed", fails(opener.open::<phi::PatientName, String>(&world.token))),
        ("unknown-key", open(&keyring(), &world.token)),
        ("unknown-key", fails(keyring().needs_reseal(&world.token))),
        ("key-compromised", open(&in_state(KeyState::Compromised), &world.token)),
        (
            "key-compromised",
            fails(
                in_state(KeyState::Compromised).record("refill", RECORD_ID).unwrap().reseal::<phi::Drug>(&world.token),
            ),
        ),
        ("key-destroyed", open(&in_state(KeyState::Destroyed), &world.token)),
        ("type-mismatch", fails(opener.open::<phi::Drug, u64>(&world.token))),
        ("too-large", seal(CANARY)),
        ("too-large", fails(rec.seal::<phi::Note>(&"x".repeat(16 * 1024 * 1024 + 1)))),
        ("not-finite", fails(rec.seal::<phi::Strength>(&nan))),
        ("unrepresentable", fails(rec.seal::<phi::Note>(&BTreeMap::from([(vec![CANARY], 1)])))),
        ("token-as-plaintext", fails(rec.seal::<phi::Drug>(&world.token.to_string()))),
        ("token-inside", fails(rec.seal::<phi::Drug>(&[world.token.to_string()]))),
        ("token-inside", fails(rec.seal::<phi::Drug>(&[Row { drug: CANARY.into() }]))),
        (
            "token-as-plaintext",
            fails(accept_plaintext(|| read(&serde_json::json!({ "drug": world.token.to_string() }).to_string()))),
        ),
        ("value-mismatch", fails(accept_plaintext(|| read(r#"{"drug":["Zoraida Quimby"]}"#)))),
        ("scope-missing", scope_missing()),
        ("wrong-direction", fails(rec.run_sealing(|| read(&forged)))),
        ("wrong-direction", fails(opener.run_opening(|| serde_json::to_string(&Row { drug: CANARY.into() })))),
        (
            "class-locked",
            fails(world.keys.sealer().only([]).record("refill", RECORD_ID).unwrap().seal::<phi::Drug>(CANARY)),
        ),
        (
            "class-locked",
            fails(
                world
                    .keys
                    .opener()
                    .only([])
                    .record("refill", RECORD_ID)
                    .unwrap()
                    .opened_by(&access())
                    .open::<phi::Drug, String>(&world.token),
            ),
        ),
        (
            "refused-by-observer",
            open(
                &run_local(Keyring::unlock("pharmacy-17", &world.roots, &world.first)).unwrap().observed_by(Nobody),
                &world.token,
            ),
        ),
        ("work-failed", fails(opener.run_opening(|| Err::<(), _>(Problem("the program's own".into()))))),
        ("invalid-input", fails(opener.run_opening(|| serde_json::from_str::<Row>("{")))),
        (
            "field-repeated",
            fails(rec.seal_fields(|pass| {
                pass.seal::<phi::Drug>(CANARY)?;
                pass.seal::<phi::Drug>(CANARY)
            })),
        ),
        ("too-many-classes", {
            let record = keyring().record("refill", RECORD_ID).unwrap();
            seal_in_every_class(&record).unwrap();
            fails(record.seal::<phi::Drug>(CANARY))
        }),
        ("plaintext-nested", fails(rec.run_sealing(|| accept_plaintext(|| read(&forged))))),
        ("runtime-needed", create(Service::Waits)),
        ("subject-mismatch", fails(rec.subject(&keyring_of("other").create_subject_key(SUBJECT_ID).unwrap().0))),
        (
            "keyspace-mismatch",
            fails(rec.rebind::<phi::Drug>(
                &keyring_of("other").record("refill", 1).unwrap(),
                &world.token,
                &Access::new("user:kim", Purpose::TREAT).unwrap(),
            )),
        ),
        ("invalid-id", fails(world.keys.record("refill", "MRN Zoraida Quimby"))),
        ("invalid-id", fails(world.keys.record("Zoraida Quimby", 1))),
        ("invalid-id", fails(rec.part("line", ""))),
        ("invalid-id", fails(world.keys.create_subject_key("{Zoraida Quimby}"))),
        ("invalid-id", fails("Zoraida Quimby".parse::<rxseal::KeyId>())),
        ("invalid-id", fails(rxseal::testing::insecure_keyring("Zoraida Quimby"))),
        ("invalid-access", fails(Access::new("Zoraida Quimby", Purpose::TREAT))),
        ("invalid-access", fails("Zoraida Quimby".parse::<Purpose>())),
        ("invalid-access", fails(access().request_id("Zoraida Quimby"))),
        ("invalid-keyring", fails("Zoraida Quimby".parse::<KeyringFile>())),
        (
            "invalid-keyring",
            fails(world.first.to_string().replace("\"full\"", "\"Zoraida Quimby\"").parse::<KeyringFile>()),
        ),
        ("keyring-mismatch", fails(run_local(Keyring::unlock("other", &world.roots, &world.first)))),
        ("keyring-too-old", with(UnlockOptions::default().min_generation(3))),
        ("pin-mismatch", with(UnlockOptions::default().pin([7; 32]))),
        (
            "unlock-failed",
            fails(run_local(Keyring::unlock(
                "pharmacy-17",
                &rxseal::testing::insecure_keyring_file("x").unwrap().0,
                &world.first,
            ))),
        ),
        ("unlock-failed", fails(run_local(Keyring::unlock("pharmacy-17", &world.roots, &damaged)))),
        ("unlock-failed", create(Service::GivesAnother)),
        ("state-refused", state(primary, KeyState::Compromised)),
        ("state-refused", state(world.token.key_id(), KeyState::Active)),
        ("unknown-key", state(keyring().primary_key(), KeyState::Destroyed)),
        ("invalid-map", Error::invalid_map("line 2, source.at: it is missing")),
        ("invalid-root-key", fails(LocalRootKey::from_env("RXSEAL_NO_SUCH_VARIABLE"))),
        ("invalid-root-key", fails(file("short.key", "rxseal-root-v1:Zoraida Quimby\n", 0o600).load())),
        ("invalid-root-key", fails(RootKeyFile::new(folder()).load())),
        ("root-key-permissions", fails(file("open.key", "rxseal-root-v1:x\n", 0o644).load())),
        ("root-key-io", fails(RootKeyFile::new(folder().join("missing.key")).load())),
        ("invalid-subject-key", fails(CANARY.parse::<WrappedSubjectKey>())),
        ("subject-key-refused", fails(world.keys.unwrap_subject_key("somebody-else", &wrapped))),
        ("provider-unavailable", create(Service::Unavailable)),
        ("provider-refused", create(Service::Refuses)),
        ("stored-unread", fails(run_local(admin(GoneAfterPut::default()).create("pharmacy-17", Suite::default())))),
        ("keyring-missing", fails(run_local(admin(MemoryStore::default()).stored("pharmacy-17")))),
        ("store-conflict", fails(run_local(stored().create("pharmacy-17", Suite::default())))),
        ("key-in-use", {
            let one_left = RemainingUse::new(1, 0);
            fails(run_local(stored().destroy(
                "pharmacy-17",
                world.token.key_id(),
                one_left,
                SystemTime::now(),
                Duration::ZERO,
            )))
        }),
        ("not-counted", fails(count_by_key([CANARY]).confirmed_empty())),
        ("state-refused", fails(run_local(stored().force_destroy("pharmacy-17", primary)))),
        ("state-refused", {
            let admin = stored();
            run_local(admin.rotate("pharmacy-17")).unwrap();
            let wait = KeyringAdmin::UNUSED_FOR;
            fails(run_local(admin.destroy("pharmacy-17", primary, RemainingUse::new(0, 0), SystemTime::now(), wait)))
        }),
        ("clock-skew", {
            let clock = rxseal::testing::TestClock::default();
            clock.set_back(Duration::from_secs(3600));
            fails(run_local(stored().clock(&clock).rotate("pharmacy-17")))
        }),
        ("store-unavailable", Error::from_store(true, "timeout")),
        ("job-refused", Error::job_refused("the table has no primary key")),
        ("job-mismatch", Error::job_mismatch("the map is another")),
        ("job-stopped", Error::job_stopped()),
        ("subject-retained", {
            let (subjects, held) = (MemorySubjectStore::default(), Retention::default().legal_hold(true));
            run_local(subjects.retain("pharmacy-17", SUBJECT_ID, Retention::default(), held)).unwrap();
            fails(run_local(subjects.shred("pharmacy-17", SUBJECT_ID, 1)))
        }),
        ("retention-past", {
            let subjects = SubjectAdmin::new(MemorySubjectStore::default()).unknown_too();
            fails(run_local(subjects.set_retain_until("pharmacy-17", SUBJECT_ID, Some(1))))
        }),
        ("cleared-too-early", {
            let subjects = SubjectAdmin::new(MemorySubjectStore::default()).unknown_too();
            let log = ShredLog::new(folder().join("cleared.log"), Duration::ZERO);
            let receipt = run_local(subjects.shred("pharmacy-17", SUBJECT_ID, &log)).unwrap();
            fails(subjects.indexes_cleared(receipt, Duration::ZERO))
        }),
        ("subject-shredded", of_subject(true)),
        ("subject-missing", of_subject(false)),
        ("store-refused", fails(run_local(FileStore::new("/dev/null/rings").put(&world.first, None)))),
        ("keyring-missing", local_start("locally-lost", Some("root.key"))),
        ("root-key-missing", local_start("locally-made", None)),
        ("keys-together", fails(Keyring::unlock_or_create_local(folder().join("x/r.key"), folder().join("x"), "p"))),
    ]
}

/// Of a subject that was shredded, or that has no key.
fn of_subject(shredded: bool) -> Error {
    let store = MemorySubjectStore::default();
    if shredded {
        run_local(store.shred("pharmacy-17", SUBJECT_ID, 1)).unwrap();
    }
    fails(run_local(SubjectKeys::new(store).load(&WORLD.keys, [SUBJECT_ID])).unwrap().get(SUBJECT_ID))
}

/// A store that has nothing when it is read again.
#[derive(Default)]
struct GoneAfterPut(MemoryStore);

impl KeyringStore for GoneAfterPut {
    fn get<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<KeyringFile>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn put<'a>(&'a self, file: &'a KeyringFile, over: Option<u64>) -> StoreFuture<'a, ()> {
        self.0.put(file, over)
    }

    fn keyspaces(&self) -> StoreFuture<'_, Vec<String>> {
        self.0.keyspaces()
    }
}

fn admin(store: impl KeyringStore + 'static) -> KeyringAdmin {
    KeyringAdmin::new(store, WORLD.roots.clone())
}

/// With the keyring of generation 2 in its store.
fn stored() -> KeyringAdmin {
    let store = MemoryStore::default();
    run_local(store.put(&WORLD.second, None)).unwrap();
    admin(store)
}

fn keyring_of(keyspace: &str) -> Keyring {
    rxseal::testing::insecure_keyring(keyspace).unwrap().unobserved()
}

/// A second local start, with a root key that is there and a folder that has nothing, or the other way round.
fn local_start(name: &str, root_key: Option<&str>) -> Error {
    let (place, keyspace) = (folder().join(name), "pharmacy-17");
    drop(Keyring::unlock_or_create_local(place.join("root.key"), place.join("rings"), keyspace).unwrap().unobserved());
    let rings = if root_key.is_some() { "other-rings" } else { "rings" };
    fails(Keyring::unlock_or_create_local(place.join(root_key.unwrap_or("other.key")), place.join(rings), keyspace))
}

/// Outside of every scope the format's error is all there is, so ours comes from a thread that sees none.
fn scope_missing() -> Error {
    let open = record().opened_by(&access());
    let error =
        fails(open.run_opening(|| {
            std::thread::spawn(|| serde_json::to_string(&Row { drug: CANARY.into() })).join().unwrap()
        }));
    assert!(error.is_scope_missing());
    error
}

/// Every code that there is.
fn codes() -> BTreeSet<&'static str> {
    rxseal::ErrorCode::ALL.iter().map(|code| code.as_str()).collect()
}

/// A field without a type, which holds a number.
fn declared_number() -> FieldSchema {
    let json = r#"{"rxseal_schema": 1, "records": [{"record": "refill", "ids": [], "fields": [
        {"member": "drug", "id": "phi.rx.drug", "class": "medication", "block": 32, "max": 100, "content": "u8"}]}]}"#;
    Schema::parse(json).unwrap().records()[0].fields()[0].clone()
}

#[test]
fn every_code_can_be_produced_and_none_of_its_texts_names_a_value() {
    let mut produced = BTreeSet::new();
    for (code, error) in all().into_iter().chain(crate::search::errors()) {
        assert_eq!(error.code().as_str(), code);
        assert_silent(&error);
        produced.insert(code);
    }
    // Two prefixes of 24 bits are alike by accident: src/index/prepared.rs makes it happen.
    produced.insert("index-prefix-collision");
    // A generator that fails is made to fail in src/random.rs.
    produced.insert("random-failed");
    // AWS-LC's, where it has no memory for a key or its self-test failed: nothing here can make it fail.
    produced.insert("backend-failed");
    // Debug builds alone look whether a value comes back: tests/api/records/refusals.rs.
    produced.insert("not-read-back");
    assert_eq!(produced, codes());
}

/// FORMAT 13
#[test]
fn every_code_that_the_format_names_exists() {
    let format = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/FORMAT.md")).unwrap();
    let section = format.split("\n## ").find(|section| section.starts_with("13. ")).unwrap();
    let named: BTreeSet<_> = section.split('`').skip(1).step_by(2).collect();
    assert!(named.len() > 15, "{named:?}");
    let unknown: Vec<_> = named.difference(&codes()).copied().collect();
    assert!(unknown.is_empty(), "docs/FORMAT.md names codes that there are not: {unknown:?}");
}

#[track_caller]
fn assert_silent(error: &Error) {
    let text = texts(error);
    let code = error.code().as_str();
    assert!(!leaks(text.as_bytes()) && !text.contains("Zoraida"), "the error {code} names a value or an id");
    assert!(!contains(text.as_bytes(), RECORD_ID.as_bytes()), "the error {code} names a record id");
    assert!(!contains(text.as_bytes(), SUBJECT_ID.as_bytes()), "the error {code} names a subject id");
    assert!(!text.contains("rxsX"), "the error {code} names a token or a key");
}

/// The bytes of a root key and of a subject key stand in no text, whatever is done with them.
#[test]
fn no_error_names_key_bytes() {
    let key = "ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8";
    let root = RootKeys::from(file("good.key", &format!("rxseal-root-v1:{key}\n"), 0o600).load().unwrap());
    let good = RootKeyFile::new(folder().join("good.key"));
    let errors = [
        fails(run_local(Keyring::unlock("pharmacy-17", &root, &WORLD.first))),
        fails(file("long.key", &format!("rxseal-root-v1:{key}A\n"), 0o600).load()),
        fails(file("cut.key", &format!("rxseal-root-v1:{}", &key[..42]), 0o600).load()),
        fails(file("other.key", &format!("rxseal-root-v2:{key}"), 0o600).load()),
        fails(file("shown.key", &format!("rxseal-root-v1:{key}"), 0o666).load()),
        fails(good.create()),
    ];
    for error in &errors {
        let text = texts(error);
        assert!(
            !text.contains(&key[..8]) && !text.contains("00112233"),
            "the error {} names a key",
            error.code().as_str()
        );
    }
    let debug = format!("{root:?} {good:?} {:?}", good.load().unwrap());
    assert!(!debug.contains(&key[..8]) && !debug.contains("00112233"));
}

#[test]
fn predicates_say_what_they_mean() {
    type Predicate = (&'static str, fn(&Error) -> bool, &'static [&'static str]);
    let predicates: [Predicate; 14] = [
        ("is_open_failure", Error::is_open_failure, &["open-failed", "subject-key-refused", "tag-refused"]),
        ("is_not_a_token", Error::is_not_a_token, &["not-a-token"]),
        ("is_unknown_key", Error::is_unknown_key, &["unknown-key"]),
        ("is_key_state", Error::is_key_state, &["key-compromised", "key-destroyed"]),
        ("is_locked_out", Error::is_locked_out, &["class-locked", "refused-by-observer"]),
        ("is_scope_missing", Error::is_scope_missing, &["scope-missing", "wrong-direction"]),
        ("is_invalid_input", Error::is_invalid_input, &["invalid-input"]),
        ("is_type_mismatch", Error::is_type_mismatch, &["type-mismatch"]),
        (
            "is_value_refused",
            Error::is_value_refused,
            &[
                "too-large",
                "not-finite",
                "unrepresentable",
                "token-as-plaintext",
                "token-inside",
                "value-mismatch",
                "clear-refused",
                "cell-refused",
            ],
        ),
        ("is_invalid_id", Error::is_invalid_id, &["invalid-id"]),
        ("is_retryable", Error::is_retryable, &["provider-unavailable", "store-unavailable"]),
        ("is_shredded", Error::is_shredded, &["subject-shredded"]),
        ("is_conflict", Error::is_conflict, &["store-conflict"]),
        (
            "is_api_misuse",
            Error::is_api_misuse,
            &[
                "field-repeated",
                "too-many-classes",
                "plaintext-nested",
                "runtime-needed",
                "subject-mismatch",
                "keyspace-mismatch",
            ],
        ),
    ];
    for (_, error) in all() {
        for (name, predicate, codes) in predicates {
            assert_eq!(
                predicate(&error),
                codes.contains(&error.code().as_str()),
                "{name} of {}",
                error.code().as_str()
            );
        }
    }
}

/// The field, the record type and the key stand in the error and in its text.
#[test]
fn an_error_names_field_record_type_and_key_by_every_way_of_opening() {
    let other = WORLD.keys.record("refill", "RX-2").unwrap().opened_by(&access());
    let token = &WORLD.token;
    let json = serde_json::json!({ "drug": token.to_string() }).to_string();
    let errors = [
        fails(other.open::<phi::Drug, String>(token)),
        fails(other.open_text::<phi::Drug, String>(&token.to_string())),
        fails(other.open_fields(|pass| pass.open::<phi::Drug, String>(token))),
        fails(other.open_fields(|pass| pass.open_into::<phi::Drug>(token.as_bytes(), &mut Vec::new()))),
        fails(other.open_compromised::<phi::Drug, String>(token)),
        fails(other.run_opening(|| serde_json::from_str::<Row>(&json))),
        fails(other.run_opening(|| other.open::<phi::Drug, String>(token))),
        fails(Sealed::<String, phi::Drug>::from(token.clone()).open(&other)),
        fails(open_page(&[WORLD.keys.record("refill", "RX-2").unwrap()], &access(), |_, pass| {
            pass.open::<phi::Drug, String>(token)
        })),
        fails(WORLD.keys.record("refill", "RX-2").unwrap().reseal::<phi::Drug>(token)),
    ];
    for (at, error) in errors.iter().enumerate() {
        let seen = (error.code().as_str(), error.field_id(), error.record_type(), error.key_id());
        assert_eq!(seen, ("open-failed", Some("phi.rx.drug"), Some("refill"), Some(token.key_id())), "way {at}");
        assert_eq!(error.to_string(), errors[0].to_string(), "one text by every way");
    }
}

#[test]
fn a_plaintext_refused_by_any_way_of_opening_names_its_field() {
    let open = record().opened_by(&access());
    let errors = [
        fails(open.open_text::<phi::Drug, String>(CANARY)),
        fails(open.open_fields(|pass| pass.open_text::<phi::Drug, String>(CANARY))),
        fails(open.open_fields(|pass| pass.open_into::<phi::Drug>(CANARY.as_bytes(), &mut Vec::new()))),
        fails(open.run_opening(|| open.open_text::<phi::Drug, String>(CANARY))),
        fails(open.run_opening(|| serde_json::from_value::<Row>(serde_json::json!({ "drug": CANARY })))),
        fails(open.run_opening(|| serde_json::from_value::<Row>(serde_json::json!({ "drug": 1 })))),
    ];
    for (at, error) in errors.iter().enumerate() {
        assert_eq!((error.code().as_str(), error.field_id()), ("not-a-token", Some("phi.rx.drug")), "way {at}");
    }
}

// One error for everything that is wrong with a token (T16)

rxseal::fields! { pub VectorName = "vector.name" in Identity; pub VectorOther = "vector.other" in Identity; }

/// The text member `name` of a vector.
fn vector(file: &str, name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(file);
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(json["keyring_file"], "main.json");
    json[name].as_str().unwrap().to_owned()
}

#[test]
fn bad_tag_bad_padding_and_wrong_context_are_one_error() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let line = std::fs::read_to_string(vectors.join("root_keys/root-a.txt")).unwrap();
    let roots = RootKeys::from(file("vector.key", &line, 0o600).load().unwrap());
    let stored: KeyringFile = std::fs::read_to_string(vectors.join("keyrings/main.json")).unwrap().parse().unwrap();
    let keys = run_local(Keyring::unlock("vectors", &roots, &stored)).unwrap().unobserved();
    let patient = |id: &str| keys.record("patient", id).unwrap().opened_by(&access());
    let open = |id: &str, token: &str| fails(patient(id).open_text::<VectorName, String>(token));

    let good = vector("0001-bound-upper-x.json", "token");
    assert!(patient("4711").open_text::<VectorName, String>(&good).is_ok());
    let mut flipped = good.parse::<Token>().unwrap().into_bytes();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    let bad_tag = open("4711", &Token::try_from(flipped.clone()).unwrap().to_string());
    flipped[last] ^= 1;
    flipped[30] ^= 1;

    let payloads = [
        "0320-payload-no-marker.json",
        "0322-payload-zeros.json",
        "0324-payload-marker-only.json",
        "0330-payload-kind-3.json",
        "0337-payload-utf8-lone-continuation.json",
        "0349-payload-json-utf8.json",
    ];
    let mut errors: Vec<_> = payloads.iter().map(|file| open("4711", &vector(file, "token"))).collect();
    errors.push(open("4711", &Token::try_from(flipped).unwrap().to_string()));
    errors.push(open("4712", &good));
    for error in &errors {
        assert!(error.is_open_failure());
        assert_eq!(error.to_string(), bad_tag.to_string());
        assert_eq!(format!("{error:?}"), format!("{bad_tag:?}"));
        assert!(error.source().is_none() && error.key_id() == bad_tag.key_id());
    }
    // Another field of the same record differs in the field's name only, which the program knows.
    let other = fails(patient("4711").open_text::<VectorOther, String>(&good)).to_string();
    assert_eq!(other.replace("vector.other", "vector.name"), bad_tag.to_string());
}

/// What the text says beside follows from how the caller made the record, and so is the same for every token.
#[test]
fn open_failed_says_that_there_was_no_subject_and_nothing_of_the_token() {
    let (keys, token) = (&WORLD.keys, &WORLD.token);
    let (key, _) = keys.create_subject_key(SUBJECT_ID).unwrap();
    let (other, _) = keys.create_subject_key("patient-2").unwrap();
    let plain = |id: &str| keys.record("refill", id).unwrap();
    let with = |id: &str, key| plain(id).subject(key).unwrap();
    let bound = with(RECORD_ID, &key).seal::<phi::Drug>(CANARY).unwrap();
    let second = plain(RECORD_ID).seal::<phi::Drug>(CANARY).unwrap();
    let changed = |token: &Token| {
        let mut bytes = token.as_bytes().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        Token::try_from(bytes).unwrap()
    };
    let text = |record: Record, token: &Token| {
        let error = fails(record.opened_by(&access()).open::<phi::Drug, String>(token));
        assert!(error.is_open_failure());
        let in_scope = {
            let row = serde_json::json!({ "drug": token.to_string() }).to_string();
            fails(record.opened_by(&access()).run_opening(|| serde_json::from_str::<Row>(&row)))
        };
        let resealed = fails(record.reseal::<phi::Drug>(token));
        assert_eq!([in_scope.to_string(), resealed.to_string()], [error.to_string(), error.to_string()]);
        error.to_string()
    };

    let without = [
        text(plain("RX-2"), &second),
        text(plain("RX-2"), &bound),
        text(plain(RECORD_ID), &bound),
        text(plain(RECORD_ID), &changed(&second)),
        text(plain(RECORD_ID), &changed(&bound)),
    ];
    let given = [
        text(with("RX-2", &key), &second),
        text(with("RX-2", &key), &bound),
        text(with(RECORD_ID, &key), &second),
        text(with(RECORD_ID, &other), &bound),
        text(with(RECORD_ID, &key), &changed(&bound)),
    ];
    assert!(without.iter().all(|text| *text == without[0] && text.contains("opened without a subject")), "{without:?}");
    assert!(given.iter().all(|text| *text == given[0] && !text.contains("opened without")), "{given:?}");
    // An error that is none of opening does not say it.
    assert!(!fails(plain(RECORD_ID).opened_by(&access()).open::<phi::Drug, u8>(token)).to_string().contains("subject"));
}

// What was read is not valid

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(with = "Sealing::<phi::Drug>")]
    drug: String,
    refills: u8,
    #[serde(with = "Sealing::<Each<phi::Diagnosis>>")]
    diagnoses: Vec<String>,
    #[serde(with = "Sealing::<Parts<phi::Note>>")]
    notes: BTreeMap<String, String>,
}

fn stored_row() -> (String, String) {
    let row = Stored {
        drug: CANARY.into(),
        refills: 3,
        diagnoses: vec![CANARY.into()],
        notes: [("a".into(), CANARY.into())].into(),
    };
    let sealed = serde_json::to_string_pretty(&record().sealing(&row)).unwrap();
    (sealed, serde_json::to_string_pretty(&rxseal::expose_plaintext(&row)).unwrap())
}

/// Reads `json` in every way that says where, and asserts that each error does and that none quotes.
fn places(json: &str) -> Vec<Error> {
    let open = record().opened_by(&access());
    let by_line = [
        fails(open.run_opening(|| serde_json::from_str::<Stored>(json))),
        fails(open.run_opening(|| serde_json::from_slice::<Stored>(json.as_bytes()))),
        fails(open.run_opening(|| serde_json::from_reader::<_, Stored>(json.as_bytes()))),
    ];
    for error in &by_line {
        assert_silent(error);
        assert!(error.source().is_none());
    }
    by_line.into()
}

#[test]
fn json_that_is_cut_off_anywhere_is_invalid_input() {
    let (sealed, posted) = stored_row();
    for len in 0..sealed.len() {
        for error in places(&sealed[..len]) {
            assert!(error.is_invalid_input(), "{len}: {error}");
            let line = sealed[..len].lines().count().max(1);
            let text = error.to_string();
            // At a line's end serde_json may be on the next one already.
            let lines = [line.saturating_sub(1), line, line + 1].map(|line| format!("(line {line}, column "));
            assert!(lines.iter().any(|place| text.contains(place)), "{len}: {text}");
        }
    }
    for len in 0..posted.len() {
        let error = fails(accept_plaintext(|| serde_json::from_str::<Stored>(&posted[..len])));
        assert_silent(&error);
        assert!(matches!(error.code().as_str(), "invalid-input" | "value-mismatch"), "{len}: {error}");
    }
}

#[test]
fn what_is_wrong_in_a_field_without_a_mark_is_invalid_input() {
    let (sealed, posted) = stored_row();
    for (from, to) in [
        ("\"refills\": 3", "\"refills\": 999"),
        ("\"refills\": 3", "\"refills\": \"Canary-Jane-Doe-metformin\""),
        ("\"refills\": 3", "\"Canary-Jane-Doe-metformin\": 3"),
        ("\"refills\": 3", "\"refills\": 3, \"refills\": 3"),
        ("\"refills\": 3", "\"refills\": 3 Canary-Jane-Doe-metformin"),
        ("\"diagnoses\"", "\"Canary\""),
    ] {
        for error in places(&sealed.replace(from, to)) {
            assert_eq!(error.code().as_str(), "invalid-input", "{to}: {error}");
            assert!(error.to_string().contains("(line "), "{error}");
        }
        let error = fails(accept_plaintext(|| serde_json::from_str::<Stored>(&posted.replace(from, to))));
        assert_eq!(error.code().as_str(), "invalid-input", "{to}: {error}");
        assert_silent(&error);
    }
    // From a value in memory, and from a browser's form, without a line.
    let open = record().opened_by(&access());
    let value = || serde_json::json!({ "drug": WORLD.token.to_string(), "refills": CANARY });
    let form = format!("drug={}&refills={CANARY}", WORLD.token);
    for error in [
        fails(open.run_opening(|| serde_json::from_value::<Stored>(value()))),
        fails(open.run_opening(|| serde_urlencoded::from_str::<Stored>(&form))),
    ] {
        assert_eq!(error.code().as_str(), "invalid-input");
        assert!(error.to_string().contains("in which line is not known"), "{error}");
        assert_silent(&error);
    }
}

#[test]
fn what_is_not_known_to_be_input_stays_failed_work() {
    struct Broken;

    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk"))
        }
    }

    let open = record().opened_by(&access());
    let input = || serde_json::from_str::<u8>("{").map(drop);
    for error in [
        fails(open.run_opening(|| serde_json::from_reader::<_, Stored>(Broken))),
        fails(accept_plaintext(|| serde_json::from_reader::<_, Stored>(Broken))),
        fails(record().run_sealing(input)),
        fails(open.run_opening(|| input().map_err(std::io::Error::from).map_err(|_| Problem("another type".into())))),
    ] {
        assert_eq!(error.code().as_str(), "work-failed");
        assert!(error.source().is_some());
    }
    // A refusal comes before what the input is like after it.
    let (sealed, _) = stored_row();
    for forged in [format!("\"{CANARY}\""), "5".to_owned(), "null".to_owned(), "[{}]".to_owned()] {
        let text = serde_json::json!({ "refills": 3 }).to_string();
        let broken = format!("{{\"drug\": {forged}, {}", &text[1..text.len() - 2]);
        assert_eq!(fails(open.run_opening(|| serde_json::from_str::<Stored>(&broken))).code().as_str(), "not-a-token");
    }
    assert!(open.run_opening(|| serde_json::from_str::<Stored>(&sealed)).is_ok());
}

/// A number that serde_json cannot read is its own error, which reaches no field; a type that forgives every error must not
/// hide it.
#[test]
fn what_the_format_could_not_read_is_not_forgiven() {
    fn lenient<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
        Ok(Sealing::<phi::Drug>::deserialize(deserializer).ok())
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Lenient {
        #[serde(deserialize_with = "lenient")]
        drug: Option<String>,
    }

    let open = record().opened_by(&access());
    for forged in ["1e999", "5", "\"x\"", "null", "[]", "{}"] {
        let row = format!("{{\"drug\": {forged}}}");
        let error = open.run_opening(|| serde_json::from_str::<Lenient>(&row)).err();
        assert_eq!(error.map(|error| error.is_not_a_token() || error.is_invalid_input()), Some(true), "{forged}");
    }
}

// What a type mismatch does (FORMAT has no word on it: the value is authentic)

#[test]
fn a_type_mismatch_is_not_sticky_and_still_typed_where_nothing_swallows_it() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(untagged)]
    enum Loose {
        Number(u32),
        List(Vec<u8>),
        Text(String),
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Any {
        #[serde(with = "Sealing::<phi::Drug>")]
        drug: Loose,
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Number {
        #[serde(with = "Sealing::<phi::Drug>")]
        drug: u32,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Either {
        Number(Number),
        Row(Row),
    }

    let open = record().opened_by(&access());
    let json = serde_json::json!({ "drug": WORLD.token.to_string() }).to_string();
    assert!(
        matches!(open.run_opening(|| serde_json::from_str::<Any>(&json)).unwrap().drug, Loose::Text(text) if text == CANARY)
    );
    let either = open.run_opening(|| serde_json::from_str::<Either>(&json)).unwrap();
    assert!(matches!(either, Either::Row(row) if row.drug == CANARY));
    let error = fails(open.run_opening(|| serde_json::from_str::<Number>(&json)));
    assert_eq!((error.code().as_str(), error.field_id()), ("type-mismatch", Some("phi.rx.drug")));
    assert_silent(&error);
}

// The program's own error

#[test]
fn the_error_of_the_work_is_kept_as_source_and_ours_stays_itself() {
    #[derive(Debug, PartialEq)]
    struct Own(u8);
    impl std::fmt::Display for Own {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("own")
        }
    }
    impl std::error::Error for Own {}

    let open = record().opened_by(&access());
    let error = fails(open.run_opening(|| Err::<(), _>(Own(7))));
    assert_eq!(error.code().as_str(), "work-failed");
    assert_eq!(error.source().unwrap().downcast_ref::<Own>(), Some(&Own(7)));
    assert_eq!(fails(record().run_sealing(|| Err::<(), _>(Own(7)))).code().as_str(), "work-failed");
    assert_eq!(fails(accept_plaintext(|| Err::<(), _>(Own(7)))).code().as_str(), "work-failed");
    let error = fails(open.run_opening(|| open.open::<phi::PatientName, String>(&WORLD.token)));
    assert!(error.is_open_failure(), "one of ours stays what it is");
    // A refusal comes first: the work's own error may only be what follows from it.
    let error = fails(open.run_opening(|| {
        let _ = serde_json::from_str::<Row>(r#"{"drug":"x"}"#);
        Err::<(), _>(Own(7))
    }));
    assert_eq!(error.code().as_str(), "not-a-token");
}

/// The Debug of an error leaves its cause out, which may quote what the program was parsing.
#[test]
fn debug_does_not_show_the_cause() {
    let open = record().opened_by(&access());
    let error = fails(open.run_opening(|| Err::<(), _>(Problem(format!("at {CANARY}")))));
    assert!(!leaks(format!("{error} {error:?} {error:#?}").as_bytes()));
    assert_eq!(format!("{error:?}"), "Error[work-failed]: the work inside the scope failed");
}

// Untrusted data is never the program's mistake

#[derive(Serialize, Deserialize)]
#[allow(dead_code)]
struct Everything {
    #[serde(with = "Sealing::<phi::Drug>", default)]
    text: String,
    #[serde(with = "Sealing::<Option<phi::Note>>", default)]
    maybe: Option<String>,
    #[serde(with = "Sealing::<Each<phi::Allergy>>", default)]
    list: Vec<String>,
    #[serde(with = "Sealing::<Parts<phi::Directions>>", default)]
    map: BTreeMap<String, u64>,
    #[serde(default)]
    silent: Option<Phi<u64, phi::Quantity>>,
    #[serde(default)]
    sealed: Option<Sealed<String, phi::Plan>>,
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["text", "maybe", "list", "map", "silent", "sealed"]).prop_map(str::to_owned),
        ".{0,12}"
    ]
}

/// Text: a good token, a damaged one, or anything.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(WORLD.token.to_string()),
        (0..200_usize, any::<u8>()).prop_map(|(at, byte)| {
            let mut bytes = WORLD.token.to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte & 0x7F;
            String::from_utf8(bytes).unwrap()
        }),
        (0..200_usize).prop_map(|cut| WORLD.token.to_string().chars().take(cut).collect()),
        ".{0,40}",
        "rxs[Xxc][A-Za-z0-9_-]{0,90}",
    ]
}

fn tree() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(|real| serde_json::json!(real)),
        text().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec((names(), inner), 0..5)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

#[track_caller]
fn not_misuse<T>(result: Result<T, Error>) {
    if let Err(error) = result {
        assert!(!error.is_api_misuse(), "untrusted data gave {}", error.code().as_str());
        assert!(codes().contains(error.code().as_str()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn untrusted_data_is_never_the_programs_mistake(tree in tree(), text in text(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let record = record();
        let open = record.opened_by(&access());
        let json = tree.to_string();
        not_misuse(open.run_opening(|| serde_json::from_str::<Everything>(&json)));
        not_misuse(open.run_opening(|| serde_json::from_value::<Everything>(tree.clone())));
        not_misuse(open.run_opening(|| serde_json::from_str::<Everything>(&text)));
        not_misuse(open.run_opening(|| ciborium::from_reader::<Everything, _>(bytes.as_slice()).map_err(Problem::new)));
        not_misuse(open.run_opening(|| rmp_serde::from_slice::<Everything>(&bytes)));
        not_misuse(open.run_opening(|| postcard::from_bytes::<Everything>(&bytes)));
        let accepted = accept_plaintext(|| serde_json::from_str::<Everything>(&json));
        // What a client sent is sealed by the same program.
        if let Ok(form) = &accepted {
            not_misuse(record.run_sealing(|| serde_json::to_string(form)));
        }
        not_misuse(accepted);
        not_misuse(accept_plaintext(|| rmp_serde::from_slice::<Everything>(&bytes)));
        not_misuse(open.open_text::<phi::Drug, String>(&text));
        not_misuse(text.parse::<Token>());
        not_misuse(Token::try_from(bytes.clone()).and_then(|token| open.open::<phi::Drug, serde_json::Value>(&token)));
        not_misuse(text.parse::<KeyringFile>());
        not_misuse(KeyringFile::try_from(bytes.as_slice()));
        not_misuse(text.parse::<WrappedSubjectKey>());
        not_misuse(text.parse::<rxseal::KeyId>());
        not_misuse(text.parse::<Purpose>());
        not_misuse(Access::new(&text, Purpose::TREAT));
        not_misuse(WORLD.keys.record("refill", &text));
        not_misuse(WORLD.keys.record(&text, 1));
        not_misuse(record.part("line", &text));
        not_misuse(WORLD.keys.create_subject_key(&text));
        not_misuse(record.seal::<phi::Note>(&text));
        not_misuse(record.seal::<phi::Note>(&tree));
    }
}

// The type itself

#[test]
fn an_error_is_one_word_and_crosses_threads() {
    fn travels<T: Send + Sync + Debug + std::error::Error + 'static>() {}
    travels::<Error>();
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
}
