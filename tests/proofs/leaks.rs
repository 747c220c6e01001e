//! Proves that rxseal's output contains neither a sealed value nor a key: errors and all their causes, `Debug`, panic
//! messages (T40), tokens and the keyring file (T1, T19); not as text, in hex or in base64.
//!
//! Each canary is in use when something goes wrong. Leaking controls show that the search finds it. A format may print
//! a field that is not sealed, which is not rxseal's concern (T40), so every field here is sealed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt::{self, Debug};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LazyLock, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rxseal::forms::NotWiped;
use rxseal::keys::{KeyState, KeyringFile, Suite};
use rxseal::page::{open_page, seal_page};
use rxseal::root::{LocalRootKey, RootKeyFile, RootKeys};
use rxseal::subjects::WrappedSubjectKey;
use rxseal::{
    Access, Class, Each, Error, KeyId, Keyring, Parts, Phi, Purpose, Record, RecordReader, Sealed, Sealing, Token,
    accept_plaintext, expose_plaintext, run_local, testing,
};
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde::ser::{Error as _, SerializeStruct};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use support::keys;

/// A value as a patient has it, and as nothing else in this test has.
const CANARY: &str = "Xanthippe Zyzzogeton, fentanyl 77 ug";
const CANARY_NUMBER: u64 = 9_182_736_450_918_273_645;

rxseal::fields! {
    Name = "leaks.name" in Identity;
    Note = "leaks.note" in Clinical;
    Short = "leaks.short" in Medication { max: 20 };
}

#[test]
fn errors_say_nothing_of_the_value() {
    let mut said = Said::default();
    sealing_failures(&mut said);
    opening_failures(&mut said);
    plaintext_where_a_token_belongs(&mut said);
    plaintext_of_another_type(&mut said);
    unreadable_input(&mut said);
    said.assert_clean("errors", 1500);
}

#[test]
fn debug_says_nothing_of_the_value() {
    let mut said = Said::default();
    debug_of_everything(&mut said);
    said.assert_clean("Debug", 60);
}

#[test]
fn panics_say_nothing_of_the_value() {
    let said = panic_messages();
    said.assert_clean("panic messages", 20);
}

#[test]
fn tokens_and_keyring_files_show_nothing() {
    let world = World::new();
    let mut said = Said::default();
    let root = keys::root_key(&world.root_line);
    let rec = world.rec();
    for rec in [rec.part("line", 1).unwrap(), world.rec().wide(), world.keys.unbound("prescription").unwrap(), rec] {
        let token = rec.seal::<Name>(CANARY).unwrap();
        said.text("a token", token.to_string());
        said.bytes("a token's bytes", token.as_bytes());
        said.text("a token of JSON", rec.seal_text::<Note>(&(CANARY, CANARY_NUMBER)).unwrap());
        said.text("a sealed record", serde_json::to_string(&rec.sealing(&Forms::new(&rec))).unwrap());
    }
    let rotated = run_local(rxseal::testing::rotate_keyring("pharmacy-17", &world.roots, &world.file)).unwrap();
    for file in [&world.file, &rotated] {
        said.text("a keyring file", file.to_string());
        let unlocked = keys::unlock(&root, &file.to_string());
        said.needles.extend([unlocked.root_wrap, unlocked.kek, unlocked.body_key].iter().flat_map(|key| needles(key)));
        for (_, dek) in &unlocked.body {
            said.needles.extend(needles(dek));
            for class in [Class::IDENTITY, Class::CLINICAL] {
                said.needles.extend(needles(&keys::class_key(dek, "seal", "pharmacy-17", b'X', class.as_str())));
            }
        }
    }
    said.needles.extend(needles(&root));
    said.assert_clean("tokens and keyring files", 18);
}

/// What ordinary code says, each of which the same search must find.
#[test]
fn leaking_controls_are_caught() {
    #[derive(Debug)]
    #[allow(dead_code)]
    struct Plain {
        name: String,
    }
    #[derive(Debug, Deserialize)]
    enum Drug {
        #[serde(rename = "aspirin")]
        Aspirin,
    }
    let quoting = serde_json::from_str::<u64>(&json(CANARY)).unwrap_err();
    let variant = serde_json::from_str::<Drug>(&json(CANARY)).unwrap_err();
    let utf8 = String::from_utf8([CANARY.as_bytes(), &[0xFF]].concat()).unwrap_err();
    let caused = Error::refused(CANARY);
    let controls = [
        ("a derived Debug", format!("{:?}", Plain { name: CANARY.to_owned() })),
        ("serde_json's own error", quoting.to_string()),
        ("a derived enum's error", variant.to_string()),
        ("FromUtf8Error's Debug", format!("{utf8:?}")),
        ("an error's cause", chain(&caused).join("\n")),
        ("hex", hex(CANARY.as_bytes())),
        ("hex in capitals", hex(CANARY.as_bytes()).to_uppercase()),
        ("base64", STANDARD_NO_PAD.encode(CANARY)),
        ("base64url, shifted by one", URL_SAFE_NO_PAD.encode(format!("-{CANARY}"))),
        ("base64, shifted by two", STANDARD_NO_PAD.encode(format!("--{CANARY}"))),
        ("a list of numbers", format!("{:?}", CANARY.as_bytes())),
        ("the number", format!("{:?}", Some(CANARY_NUMBER))),
        ("a part of it", format!("invalid: {}...", &CANARY[..12])),
    ];
    for (what, text) in controls {
        let mut said = Said::default();
        said.text(what, text);
        assert_eq!(said.found().len(), 1, "the control `{what}` was not caught");
    }
    let _ = Drug::Aspirin;
}

// What is said, and the search in it

/// Everything that was said, each text once, with what it was first said of.
struct Said {
    texts: BTreeMap<Vec<u8>, String>,
    count: usize,
    needles: Vec<Vec<u8>>,
}

impl Default for Said {
    fn default() -> Self {
        let mut all = needles(CANARY.as_bytes());
        all.push(CANARY_NUMBER.to_string().into_bytes());
        Self { texts: BTreeMap::new(), count: 0, needles: all }
    }
}

impl Said {
    fn text(&mut self, what: &str, text: String) {
        self.bytes(what, text.as_bytes());
    }

    fn bytes(&mut self, what: &str, bytes: &[u8]) {
        self.count += 1;
        if !self.texts.contains_key(bytes) {
            self.texts.insert(bytes.to_vec(), what.to_owned());
        }
    }

    /// An error in all its forms, with its causes. What did not fail says nothing.
    fn error<T, E: StdError + 'static>(&mut self, what: &str, result: Result<T, E>) -> bool {
        let Err(error) = result else { return false };
        chain(&error).into_iter().for_each(|text| self.text(what, text));
        true
    }

    /// What must fail.
    fn refused<T, E: StdError + 'static>(&mut self, what: &str, result: Result<T, E>) {
        assert!(self.error(what, result), "{what}: it was to fail");
    }

    fn debug(&mut self, what: &str, value: &dyn Debug) {
        self.text(what, format!("{value:?}"));
        self.text(what, format!("{value:#?}"));
    }

    /// Whose text has a canary in it. The text itself is not shown.
    fn found(&self) -> Vec<&str> {
        let leaks =
            |text: &[u8]| self.needles.iter().any(|needle| text.windows(needle.len()).any(|window| window == needle));
        self.texts.iter().filter(|(text, _)| leaks(text)).map(|(_, what)| what.as_str()).collect()
    }

    fn assert_clean(&self, kind: &str, at_least: usize) {
        let found = self.found();
        println!("{} texts of {kind}, {} of them different, {} hits", self.count, self.texts.len(), found.len());
        assert!(found.is_empty(), "a canary was said in {kind} of:\n{}", found.join("\n"));
        assert!(self.count >= at_least, "only {} texts were looked at", self.count);
    }
}

/// An error and its causes, as text and as `Debug`.
fn chain(error: &(dyn StdError + 'static)) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        texts.extend([error.to_string(), format!("{error:?}"), format!("{error:#?}")]);
        next = error.source();
    }
    texts
}

/// `bytes` in the forms in which they might be said, whole or a piece of 10.
fn needles(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = bytes.windows(10).map(<[u8]>::to_vec).collect();
    found.push(hex(&bytes[..8]).into_bytes());
    found.push(hex(&bytes[..8]).to_uppercase().into_bytes());
    found.push(hex(&bytes[bytes.len() - 8..]).into_bytes());
    let numbers = format!("{:?}", &bytes[..6]);
    found.push(numbers.trim_matches(['[', ']']).as_bytes().to_vec());
    for codec in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for shift in 0..3 {
            // What is before and behind changes the characters at the ends: those are left out.
            let text = codec.encode([&vec![0; shift], bytes].concat());
            found.push(text.as_bytes()[4..text.len() - 4].to_vec());
        }
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

// What goes wrong

struct World {
    roots: RootKeys,
    root_line: String,
    file: KeyringFile,
    keys: Keyring,
    access: Access,
}

impl World {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!(
            "rxseal-leaks-{}-{:?}.key",
            std::process::id(),
            std::thread::current().id()
        ));
        let _ = std::fs::remove_file(&path);
        let roots = RootKeys::from(RootKeyFile::new(&path).create().unwrap());
        let root_line = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        let file = run_local(rxseal::testing::create_keyring("pharmacy-17", &roots, Suite::default())).unwrap();
        let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &file)).unwrap().unobserved();
        Self { roots, root_line, file, keys, access: Access::new("user:kim.rph", Purpose::TREAT).unwrap() }
    }

    fn rec(&self) -> Record {
        self.keys.record("prescription", "RX-1").unwrap()
    }

    fn open(&self) -> RecordReader {
        self.rec().opened_by(&self.access)
    }
}

/// Values that cannot be sealed, in every form and through every way in.
fn sealing_failures(said: &mut Said) {
    let world = World::new();
    let rec = world.rec();
    let token = rec.seal_text::<Name>(CANARY).unwrap();
    let deep = (0..200).fold(serde_json::Value::from(CANARY), |inner, _| serde_json::Value::from(vec![inner]));
    macro_rules! seal {
        ($($what:literal $field:ty: $value:expr;)*) => {$(
            let value = &$value;
            said.refused($what, rec.seal::<$field>(value));
            said.refused($what, rec.seal_text::<$field>(value));
            said.refused($what, rec.seal_fields(|pass| pass.seal_into::<$field>(value, &mut Vec::new())));
            said.refused($what, serde_json::to_string(&rec.sealing(&Written::<_, $field>::new(value))));
            said.refused($what, rec.run_sealing(|| serde_json::to_value(Written::<_, $field>::new(value))));
            said.refused($what, rec.run_sealing(|| postcard::to_stdvec(&Written::<_, $field>::new(value))));
            said.refused($what, serde_json::to_string(&Written::<_, $field>::new(value)));
            said.error($what, seal_page(&[world.rec()], |_, pass| pass.seal::<$field>(value)));
        )*};
    }
    seal! {
        "too large" Short: CANARY;
        "too large a JSON" Short: [CANARY, CANARY];
        "too large a number" Short: [CANARY_NUMBER; 3];
        "too large bytes" Short: Raw(CANARY.as_bytes().to_vec());
        "too large a Display" Short: Shown;
        "not finite" Note: (CANARY, f64::INFINITY);
        "quotes itself" Note: Quotes;
        "quotes itself in a list" Note: vec![Quotes];
        "a map with impossible keys" Note: BTreeMap::from([((CANARY, 1), CANARY)]);
        "too deep" Note: deep;
        "a token" Note: token;
    }
    said.refused(
        "sealed twice",
        rec.seal_fields(|pass| {
            pass.seal::<Name>(CANARY)?;
            pass.seal::<Name>(CANARY)
        }),
    );
    let locked = world.keys.sealer().only([Class::CONTACT]).record("prescription", "RX-1").unwrap();
    said.refused("a locked class", locked.seal::<Name>(CANARY));
    said.refused("a locked class in a scope", serde_json::to_string(&locked.sealing(&Forms::new(&rec))));
    said.refused("an opening scope", world.open().run_opening(|| serde_json::to_string(&Forms::new(&rec))));
    said.refused("a token exposed", serde_json::to_string(&expose_plaintext(&Forms::new(&rec))));
    said.refused("exposed in a scope", rec.run_sealing(|| serde_json::to_string(&expose_plaintext(&Forms::new(&rec)))));
    said.refused("work of one's own", rec.run_sealing(|| Err::<(), _>(fmt::Error)));
}

/// Tokens that do not open, or not as what was asked for.
fn opening_failures(said: &mut Said) {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    enum Choice {
        Aspirin,
        Other { name: u8 },
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        dose: u8,
    }

    let world = World::new();
    let (rec, open) = (world.rec(), world.open());
    let text = rec.seal::<Name>(CANARY).unwrap();
    let structured = rec.seal::<Name>(&BTreeMap::from([(CANARY, CANARY)])).unwrap();
    let number = rec.seal::<Name>(&CANARY_NUMBER).unwrap();
    let bytes = rec.seal::<Name>(&Raw([CANARY.as_bytes(), &[0xFF]].concat())).unwrap();
    let mut changed = text.clone().into_bytes();
    *changed.last_mut().unwrap() ^= 1;
    let changed = Token::try_from(changed).unwrap();
    macro_rules! open_as {
        ($($type:ty,)*) => {$(for token in [&text, &structured, &number, &bytes, &changed] {
            let what = concat!("opened as ", stringify!($type));
            said.error(what, open.open::<Name, $type>(token));
            said.error(what, open.open_text::<Name, $type>(&token.to_string()));
            said.error(what, open.open_compromised::<Name, $type>(token));
            said.error(what, open.open_fields(|pass| pass.open::<Name, $type>(token)));
            said.error(what, open_page(&[world.rec()], &world.access, |_, pass| pass.open::<Name, $type>(token)));
            said.error(what, Sealed::<$type, Name>::from(token.clone()).open(&open));
            let json = format!(r#"{{"value":"{token}"}}"#);
            said.error(what, open.run_opening(|| serde_json::from_str::<Read<$type>>(&json)));
            said.error(what, open.opening::<Read<$type>>().deserialize(&mut serde_json::Deserializer::from_str(&json)));
            said.error(what, open.run_opening(|| serde_json::from_value::<Read<$type>>(serde_json::from_str(&json)?)));
        })*};
    }
    open_as!(u8, bool, char, f64, Vec<u64>, BTreeMap<u8, u8>, Choice, Vec<Choice>, Shape, Option<Shape>, (u8, u8), (),
        std::net::IpAddr,);
    said.refused("opened as text", open.open::<Name, String>(&changed));
    said.refused(
        "into a buffer",
        open.open_fields(|pass| pass.open_into::<Name>(structured.as_bytes(), &mut Vec::new())),
    );
    said.refused("another field", open.open::<Note, String>(&text));
    said.refused(
        "another record",
        world.keys.record("prescription", "RX-2").unwrap().opened_by(&world.access).open::<Name, String>(&text),
    );
    said.refused("resealed", rec.reseal::<Note>(&text));
    said.refused(
        "rebound",
        world.keys.record("prescription", "RX-2").unwrap().rebind::<Name>(&rec, &text, &world.access),
    );
    said.refused(
        "work of one's own",
        open.open_fields(|pass| {
            pass.open::<Name, String>(&text)?;
            pass.open::<Name, String>(&changed)
        }),
    );
}

/// Plaintext, of any type, in the place of a token: in every form of a field, in every format, in every scope.
fn plaintext_where_a_token_belongs(said: &mut Said) {
    for value in [
        serde_json::json!(CANARY),
        serde_json::json!(CANARY_NUMBER),
        serde_json::json!([CANARY, CANARY]),
        serde_json::json!([[CANARY]]),
        serde_json::json!({ "1": CANARY }),
        serde_json::json!({ "1": { "2": CANARY } }),
        serde_json::json!({ "1": CANARY_NUMBER }),
        serde_json::json!([CANARY_NUMBER]),
        serde_json::json!(format!("rxsX{CANARY}")),
        serde_json::json!(-1.5),
        serde_json::json!(true),
        serde_json::json!(null),
    ] {
        in_every_form(said, &value);
    }
}

fn in_every_form(said: &mut Said, value: &serde_json::Value) {
    macro_rules! forms {
        ($($form:ident)*) => {$( in_every_format::<$form>(said, stringify!($form), value); )*};
    }
    forms!(AsSealing AsOption AsEach AsSet AsParts AsPhi AsSealed Flattened FlattenedEach Untagged Tagged Adjacent);
    if value.is_array() {
        // Where a list of sealed fields should be, and there is none, the list is a clear field.
        forms!(Inside);
    }
}

fn in_every_format<T: DeserializeOwned>(said: &mut Said, form: &str, value: &serde_json::Value) {
    static WORLD: LazyLock<World> = LazyLock::new(World::new);
    let open = WORLD.open();
    let rows = [
        serde_json::json!({ "value": value }),
        serde_json::json!({ "kind": "Row", "content": { "value": value }, "value": value }),
    ];
    for row in rows {
        let text = row.to_string();
        let mut cbor = Vec::new();
        ciborium::into_writer(&row, &mut cbor).unwrap();
        let named = rmp_serde::to_vec_named(&row).unwrap();
        let bare = postcard::to_stdvec(&Bare(value)).unwrap();
        // Without a limit of its own bincode takes as much memory as a length in the input says.
        let limited = bincode::config::standard().with_limit::<65536>();
        let bincode = bincode::serde::encode_to_vec(Bare(value), bincode::config::standard()).unwrap();
        let mut read = |format: &str, read: &dyn Fn() -> Result<T, Box<dyn StdError + Send + Sync>>| {
            let what = format!("{form} from {format}");
            let carried = || read().map_err(Carried);
            said.error(&what, open.run_opening(carried));
            said.error(&what, carried());
            said.error(&what, WORLD.rec().run_sealing(carried));
        };
        read("JSON text", &|| Ok(serde_json::from_str(&text)?));
        read("a JSON reader", &|| Ok(serde_json::from_reader(text.as_bytes())?));
        read("a JSON value", &|| Ok(serde_json::from_value(row.clone())?));
        read("CBOR", &|| Ok(ciborium::from_reader(cbor.as_slice())?));
        read("MessagePack", &|| Ok(rmp_serde::from_slice(&named)?));
        read("postcard", &|| Ok(postcard::from_bytes(&bare)?));
        read("bincode", &|| Ok(bincode::serde::decode_from_slice(&bincode, limited)?.0));
        let seed = open.opening::<T>().deserialize(&mut serde_json::Deserializer::from_str(&text));
        said.error(&format!("{form} as a seed"), seed);
    }
}

/// Values that a client sent, of another type than declared, and tokens among them.
fn plaintext_of_another_type(said: &mut Said) {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Typed {
        #[serde(with = "Sealing::<Name>", default)]
        value: u8,
        #[serde(with = "Sealing::<Option<Note>>", default)]
        option: Option<bool>,
        #[serde(with = "Sealing::<Each<Short>>", default)]
        each: Vec<u8>,
        #[serde(with = "Sealing::<Parts<Name>>", default)]
        parts: BTreeMap<String, u8>,
    }

    let token = World::new().rec().seal_text::<Name>(CANARY).unwrap();
    for member in ["value", "option", "each", "parts"] {
        for value in [
            serde_json::json!(CANARY),
            serde_json::json!(CANARY_NUMBER),
            serde_json::json!([CANARY]),
            serde_json::json!([[CANARY_NUMBER]]),
            serde_json::json!({ "1": CANARY }),
            serde_json::json!({ "1": [CANARY_NUMBER] }),
            serde_json::json!({ "1": token }),
            serde_json::json!([token]),
            serde_json::json!(token),
        ] {
            let row = serde_json::json!({ (member): value });
            let what = format!("{member} as plaintext");
            said.refused(&what, accept_plaintext(|| serde_json::from_value::<Typed>(row.clone())));
            said.refused(&what, accept_plaintext(|| serde_json::from_str::<Typed>(&row.to_string())));
            let named = rmp_serde::to_vec_named(&row).unwrap();
            said.refused(&what, accept_plaintext(|| rmp_serde::from_slice::<Typed>(&named)));
        }
    }
    let row = format!(r#"{{"value":{}}}"#, json(CANARY));
    said.refused("a Sealed as plaintext", accept_plaintext(|| serde_json::from_str::<AsSealed>(&row)));
}

/// Text and files that are nothing of ours, and the names and ids of things.
fn unreadable_input(said: &mut Said) {
    let world = World::new();
    let key_text = world.root_line.trim_end().strip_prefix("rxseal-root-v1:").unwrap().to_owned();
    said.needles.extend(needles(&keys::root_key(&world.root_line)));
    said.needles.extend(needles(key_text.as_bytes()));

    said.refused("a token's text", CANARY.parse::<Token>());
    said.refused("a token's text", format!("rxsX{CANARY}").parse::<Token>());
    said.refused("a token's bytes", Token::try_from(CANARY.as_bytes()));
    said.refused("a key id", CANARY.parse::<KeyId>());
    said.refused("a wrapped subject key", CANARY.parse::<WrappedSubjectKey>());
    said.refused("a wrapped subject key", WrappedSubjectKey::try_from(CANARY.as_bytes()));
    said.refused("an actor", Access::new(CANARY, Purpose::TREAT));
    said.refused("a request id", world.access.clone().request_id(CANARY));
    said.refused("a keyspace", rxseal::testing::insecure_keyring(CANARY));
    said.refused("a record type", world.keys.record(CANARY, 1));
    said.refused("a record id", world.keys.record("prescription", CANARY));
    said.refused("a part name", world.rec().part(CANARY, 1));
    said.refused("a part id", world.rec().part("line", CANARY));
    said.refused("a subject id", world.keys.create_subject_key(CANARY));

    let file = world.file.to_string();
    let read: serde_json::Value = serde_json::from_str(&file).unwrap();
    said.refused("a keyring file", CANARY.parse::<KeyringFile>());
    said.refused("a keyring file", json(CANARY).parse::<KeyringFile>());
    said.refused("a keyring file that is cut off", file[..file.len() - 3].parse::<KeyringFile>());
    for member in read.as_object().unwrap().keys() {
        for value in [
            serde_json::json!(CANARY),
            serde_json::json!(CANARY_NUMBER),
            serde_json::json!([CANARY]),
            serde_json::json!({ CANARY: CANARY }),
        ] {
            let mut changed = read.clone();
            changed[member] = value;
            let parsed = changed.to_string().parse::<KeyringFile>();
            said.error(
                "a member of a keyring file",
                parsed.and_then(|file| run_local(Keyring::unlock("pharmacy-17", &world.roots, &file))),
            );
        }
    }
    for (list, member) in [
        ("keys", "id"),
        ("keys", "state"),
        ("keys", "use"),
        ("keys", "suite"),
        ("keys", "fingerprint"),
        ("wraps", "provider"),
        ("wraps", "wrapped"),
    ] {
        let mut changed = read.clone();
        changed[list][0][member] = CANARY.into();
        said.refused("a member of a key", changed.to_string().parse::<KeyringFile>());
    }
    let mut unknown = read.clone();
    unknown[CANARY] = CANARY.into();
    said.refused("an unknown member", unknown.to_string().parse::<KeyringFile>());

    // Root keys that are damaged: what is wrong is said, and what is there is not.
    let path = std::env::temp_dir().join(format!("rxseal-leaks-{}-damaged.key", std::process::id()));
    RootKeyFile::new(&path).create().unwrap();
    for text in [
        format!("{}A", world.root_line),
        format!("{} ", world.root_line.trim_end()),
        world.root_line[..world.root_line.len() - 2].to_owned(),
        world.root_line.replace("-v1", "-v2"),
        key_text.clone(),
        CANARY.to_owned(),
    ] {
        std::fs::write(&path, &text).unwrap();
        said.refused("a root key file", RootKeyFile::new(&path).load());
    }
    std::fs::remove_file(&path).unwrap();
    said.refused("a root key file that is not there", RootKeyFile::new(&path).load());
    said.refused("an environment variable", LocalRootKey::from_env("RXSEAL_LEAKS_TEST_NOT_SET"));
    said.refused("a damaged variable", LocalRootKey::from_env("PATH"));

    let (foreign, _) = testing::insecure_keyring_file("pharmacy-17").unwrap();
    said.refused("a foreign root key", run_local(Keyring::unlock("pharmacy-17", &foreign, &world.file)));
    said.refused("another keyspace", run_local(Keyring::unlock("pharmacy-18", &world.roots, &world.file)));
    said.refused(
        "a state",
        run_local(rxseal::testing::force_key_state(
            "pharmacy-17",
            &world.roots,
            &world.file,
            world.keys.primary_key(),
            KeyState::Destroyed,
        )),
    );
}

/// `Debug` of every type that has or had a value or a key in it.
fn debug_of_everything(said: &mut Said) {
    let world = World::new();
    let root = LocalRootKey::from_env("RXSEAL_LEAKS_TEST_NOT_SET");
    assert!(root.is_err());
    let (rec, open) = (world.rec(), world.open());
    said.needles.extend(needles(&keys::root_key(&world.root_line)));
    let unlocked = keys::unlock(&keys::root_key(&world.root_line), &world.file.to_string());
    unlocked.body.iter().for_each(|(_, key)| said.needles.extend(needles(key)));
    said.needles.extend(needles(&unlocked.kek));
    let (subject, wrapped) = world.keys.create_subject_key("patient-1").unwrap();
    let id: &[u8] = &wrapped.as_bytes()[3..9];
    let dek = unlocked.body.iter().find(|(key_id, _)| key_id == id).unwrap().1;
    said.needles.extend(needles(&keys::subject_key(&dek, "pharmacy-17", "patient-1", wrapped.as_bytes()).1));

    let forms = Forms::new(&rec);
    let token = rec.seal::<Name>(CANARY).unwrap();
    let suspect = open.open_compromised::<Name, String>(&token).unwrap();
    said.debug("Keyring", &world.keys);
    said.debug("Unlocked", &run_local(Keyring::unlock("pharmacy-17", &world.roots, &world.file)).unwrap());
    said.debug("KeyringFile", &world.file);
    said.debug("KeyInfo", &world.file.keys());
    said.debug("WrapInfo", &world.file.wraps().collect::<Vec<_>>());
    said.debug("RootKeys", &world.roots);
    said.debug("SubjectKey", &subject);
    said.debug("WrappedSubjectKey", &wrapped);
    said.debug("Record", &rec);
    said.debug("Record with a subject", &rec.subject(&subject).unwrap());
    said.debug("RecordReader", &open);
    said.debug("Sealer", &world.keys.sealer().only([Class::IDENTITY]));
    said.debug("Opener", &world.keys.opener().only([Class::IDENTITY]));
    said.debug("Token", &token);
    said.debug("Phi", &Phi::<String, Name>::new(CANARY.to_owned()));
    said.debug("Phi of a list", &Phi::<Vec<String>, Name>::new(vec![CANARY.to_owned()]));
    said.debug("NotWiped", &NotWiped(CANARY.to_owned()));
    said.debug("Phi of NotWiped", &Phi::<NotWiped<u64>, Name>::new(NotWiped(CANARY_NUMBER)));
    said.debug("Sealed", &Sealed::<String, Name>::seal(&rec, CANARY).unwrap());
    said.debug("NotAuthentic", &suspect);
    said.debug("RecordSealing", &rec.sealing(&forms));
    said.debug("RecordOpening", &open.opening::<AsSealing>());
    said.debug("ExposedPlaintext", &expose_plaintext(&forms));
    said.debug(
        "SealPass",
        &rec.seal_fields(|pass| {
            pass.seal::<Name>(CANARY)?;
            Ok::<_, Error>(format!("{pass:?}"))
        })
        .unwrap(),
    );
    said.debug(
        "OpenPass",
        &open
            .open_fields(|pass| {
                pass.open::<Name, String>(&token)?;
                Ok::<_, Error>(format!("{pass:?}"))
            })
            .unwrap(),
    );
    said.debug("a Result of a Record", &world.keys.record("prescription", "RX-1"));
    said.debug("events", &events(&world));

    struct Tells;
    impl rxseal::root::RootKey for Tells {
        fn provider(&self) -> &str {
            "tells"
        }
        fn name(&self) -> &str {
            "one"
        }
        fn wrap_kek<'a>(
            &'a self,
            kek: &'a rxseal::provider::Kek,
            context: rxseal::provider::KekContext<'a>,
        ) -> rxseal::provider::ProviderFuture<'a, Vec<u8>> {
            let said = format!("{kek:?} {context:?}");
            let bytes = needles(kek.expose_bytes());
            assert!(
                bytes.iter().all(|needle| !said.as_bytes().windows(needle.len()).any(|window| window == needle)),
                "Debug of a Kek"
            );
            Box::pin(std::future::ready(Err(Error::from_provider(false, said))))
        }
        fn unwrap_kek<'a>(
            &'a self,
            _: &'a [u8],
            _: rxseal::provider::KekContext<'a>,
        ) -> rxseal::provider::ProviderFuture<'a, rxseal::provider::Kek> {
            Box::pin(std::future::ready(Err(Error::from_provider(true, "constant"))))
        }
    }
    said.refused(
        "a provider",
        run_local(rxseal::testing::create_keyring("pharmacy-17", &RootKeys::from(Tells), Suite::default())),
    );
}

/// What an observer can print of its events.
fn events(world: &World) -> Vec<String> {
    struct Prints(std::sync::Arc<Mutex<Vec<String>>>);
    impl rxseal::observe::Observer for Prints {
        fn before_open(&self, opening: &rxseal::observe::Opening<'_>) -> Result<(), Error> {
            self.0.lock().unwrap().push(format!("{opening:?} {:?}", opening.records()));
            Ok(())
        }
        fn opened(&self, event: &rxseal::observe::OpenEvent<'_>) -> Result<(), rxseal::Error> {
            self.0.lock().unwrap().push(format!("{event:?} {event:#?}"));
            Ok(())
        }
    }
    let printed = std::sync::Arc::new(Mutex::new(Vec::new()));
    let unlocked = run_local(Keyring::unlock("pharmacy-17", &world.roots, &world.file)).unwrap();
    let keys = unlocked.observed_by(Prints(std::sync::Arc::clone(&printed)));
    let rec = keys.record("prescription", "RX-1").unwrap();
    let token = rec.seal::<Name>(CANARY).unwrap();
    rec.opened_by(&world.access).open::<Name, String>(&token).unwrap();
    let _ = rec.opened_by(&world.access).open::<Name, u8>(&token);
    let printed = printed.lock().unwrap();
    assert_eq!(printed.len(), 4);
    printed.clone()
}

/// Unwinds through every scope and every pass, with the canary in flight.
fn panic_messages() -> Said {
    static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let world = World::new();
    let (rec, open) = (world.rec(), world.open());
    let token = rec.seal::<Name>(CANARY).unwrap();
    let row = format!(r#"{{"value":"{token}"}}"#);
    let plain = format!(r#"{{"value":{}}}"#, json(CANARY));
    let name: Phi<Panics, Name> = Phi::new(Panics(CANARY.to_owned()));

    let unwinds: &[(&str, &dyn Fn())] = &[
        ("seal", &|| drop(rec.seal::<Name>(&Panics(CANARY.to_owned())))),
        ("seal_text", &|| drop(rec.seal_text::<Name>(&Panics(CANARY.to_owned())))),
        ("seal_fields", &|| {
            drop(rec.seal_fields(|pass| {
                pass.seal::<Name>(CANARY).unwrap();
                stop::<Error>()
            }))
        }),
        ("seal_into", &|| {
            drop(rec.seal_fields(|pass| pass.seal_into::<Name>(&Panics(CANARY.to_owned()), &mut Vec::new())))
        }),
        ("seal_page", &|| {
            drop(seal_page(&[world.rec()], |_, pass| {
                pass.seal::<Name>(CANARY).unwrap();
                stop::<Error>()
            }))
        }),
        ("sealing", &|| drop(serde_json::to_string(&rec.sealing(&name)))),
        ("sealing, in a list", &|| drop(serde_json::to_string(&rec.sealing(&[&name])))),
        ("run_sealing", &|| {
            drop(rec.run_sealing(|| {
                serde_json::to_string(&Forms::new(&rec)).unwrap();
                stop::<fmt::Error>()
            }))
        }),
        ("open", &|| drop(open.open::<Name, Panics>(&token))),
        ("open_text", &|| drop(open.open_text::<Name, Panics>(&token.to_string()))),
        ("open_compromised", &|| drop(open.open_compromised::<Name, Panics>(&token))),
        ("open_fields", &|| {
            drop(open.open_fields(|pass| {
                pass.open::<Name, String>(&token).unwrap();
                stop::<Error>()
            }))
        }),
        ("open_page", &|| {
            drop(open_page(&[world.rec()], &world.access, |_, pass| {
                pass.open::<Name, String>(&token).unwrap();
                stop::<Error>()
            }))
        }),
        ("run_opening", &|| {
            drop(open.run_opening(|| {
                serde_json::from_str::<AsSealing>(&row).unwrap();
                stop::<fmt::Error>()
            }))
        }),
        ("run_opening, in a value", &|| drop(open.run_opening(|| serde_json::from_str::<Read<Panics>>(&row)))),
        ("opening", &|| {
            drop(open.opening::<Read<Panics>>().deserialize(&mut serde_json::Deserializer::from_str(&row)))
        }),
        ("expose_plaintext", &|| drop(serde_json::to_string(&expose_plaintext(&name)))),
        ("accept_plaintext", &|| {
            drop(accept_plaintext(|| {
                serde_json::from_str::<AsSealing>(&plain).unwrap();
                stop::<fmt::Error>()
            }))
        }),
        ("accept_plaintext, in a value", &|| drop(accept_plaintext(|| serde_json::from_str::<Read<Panics>>(&plain)))),
        ("Sealed::open", &|| drop(Sealed::<Panics, Name>::from(token.clone()).open(&open))),
        ("a failed unwrap of a result", &|| drop(open.open::<Name, Vec<u8>>(&token).unwrap())),
        ("a failed expect in a scope", &|| {
            drop(open.run_opening(|| serde_json::from_str::<Read<Vec<u8>>>(&row)).map(|read| read.value).unwrap())
        }),
        ("a failed unwrap of plaintext", &|| {
            drop(accept_plaintext(|| serde_json::from_str::<Read<Vec<u8>>>(&plain)).map(|read| read.value).unwrap())
        }),
        ("assert_no_plaintext", &|| testing::assert_no_plaintext(&CANARY, &[CANARY])),
        ("assert_round_trips", &|| testing::assert_round_trips::<Name, _>(&Panics(CANARY.to_owned()))),
    ];
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| HEARD.lock().unwrap().push(info.to_string())));
    let mut said = Said::default();
    let mut silent = Vec::new();
    for (what, unwind) in unwinds {
        let payload = catch_unwind(AssertUnwindSafe(unwind)).err();
        if payload.is_none() {
            silent.push(*what);
        }
        for heard in std::mem::take(&mut *HEARD.lock().unwrap()) {
            said.text(what, heard);
        }
    }
    // T36: after a panic no scope is left behind.
    let leftover = serde_json::from_str::<AsSealing>(&row).is_ok();
    std::panic::set_hook(hook);
    assert!(silent.is_empty() && !leftover, "did not panic: {silent:?}");
    said
}

fn stop<E>() -> Result<(), E> {
    panic!("constant")
}

// Values

/// A plain value, and it panics when it is half written or read.
#[derive(PartialEq, rxseal::Wipe)]
struct Panics(String);

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = serializer.serialize_struct("Panics", 2)?;
        value.serialize_field("text", &self.0)?;
        panic!("constant")
    }
}

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let _half = String::deserialize(deserializer)?;
        panic!("constant")
    }
}

/// Its own error quotes it.
struct Quotes;

impl Serialize for Quotes {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom(format_args!("{CANARY} is not to be written")))
    }
}

struct Shown;

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CANARY)
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Raw(Vec<u8>);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

/// A row as a format without names has it.
#[derive(Serialize)]
struct Bare<'a>(&'a serde_json::Value);

/// An error of any format, with its own causes.
#[derive(Debug)]
struct Carried(Box<dyn StdError + Send + Sync>);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for Carried {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// A value to be written as field `F`.
struct Written<'a, T: ?Sized, F> {
    value: &'a T,
    field: std::marker::PhantomData<F>,
}

impl<'a, T: ?Sized, F> Written<'a, T, F> {
    fn new(value: &'a T) -> Self {
        Self { value, field: std::marker::PhantomData }
    }
}

impl<T: Serialize + ?Sized, F: rxseal::Field> Serialize for Written<'_, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Sealing::<F>::serialize(self.value, serializer)
    }
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Read<T> {
    #[serde(with = "Sealing::<Name>")]
    value: T,
}

/// One of each form, to be written.
#[derive(Serialize)]
struct Forms {
    #[serde(with = "Sealing::<Name>")]
    name: String,
    note: Phi<Vec<String>, Note>,
    #[serde(with = "Sealing::<Each<Short>>")]
    each: Vec<&'static str>,
    #[serde(with = "Sealing::<Parts<Listed>>")]
    parts: BTreeMap<u8, &'static str>,
    sealed: Sealed<String, Name>,
}

rxseal::fields! { Listed = "leaks.listed" in Identity; }

impl Forms {
    fn new(rec: &Record) -> Self {
        Self {
            name: CANARY.to_owned(),
            note: vec![CANARY.to_owned()].into(),
            each: vec!["short"],
            parts: BTreeMap::from([(1, CANARY)]),
            sealed: Sealed::seal(rec, CANARY).unwrap(),
        }
    }
}

// One of each form, to be read

macro_rules! reads {
    ($($(#[$meta:meta])* $name:ident { $(#[$field_meta:meta])* $field:ident: $type:ty })*) => {$(
        #[derive(Deserialize)]
        #[allow(dead_code)]
        $(#[$meta])*
        struct $name {
            $(#[$field_meta])*
            $field: $type,
        }
    )*};
}

reads! {
    AsSealing { #[serde(with = "Sealing::<Name>")] value: String }
    AsOption { #[serde(with = "Sealing::<Option<Name>>", default)] value: Option<String> }
    AsEach { #[serde(with = "Sealing::<Each<Name>>")] value: Vec<String> }
    AsSet { #[serde(with = "Sealing::<Each<Name>>")] value: std::collections::BTreeSet<String> }
    AsParts { #[serde(with = "Sealing::<Parts<Name>>")] value: BTreeMap<String, String> }
    AsPhi { value: Phi<String, Name> }
    AsSealed { value: Sealed<String, Name> }
    Flattened { #[serde(flatten)] inner: AsSealing }
    FlattenedEach { #[serde(flatten)] inner: AsEach }
    Inside { value: Vec<Phi<String, Name>> }
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code)]
enum Untagged {
    Sealing(AsSealing),
    Each(AsEach),
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
#[allow(dead_code)]
enum Tagged {
    Row(AsParts),
}

#[derive(Deserialize)]
#[serde(tag = "kind", content = "content")]
#[allow(dead_code)]
enum Adjacent {
    Row(AsEach),
}
