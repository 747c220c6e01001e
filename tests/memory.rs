//! Proves that what rxseal gives back to the allocator holds no plaintext and no key (T42), over every way through its API,
//! and that the search finds what ordinary code leaves behind.
//!
//! What is promised is heap memory that rxseal allocated. Left out, each for its reason:
//!
//! - what a call hands to its caller (a `String` from `open`, bytes in the caller's `Vec`) is the caller's to wipe, as the test
//!   does. The values that are sealed are constants here, so nobody gives them back;
//! - the output of a sealing serializer (serde_json's growing `Vec`, postcard's) only ever holds tokens, so it is *not* left
//!   out;
//! - serde_json's own scratch for strings with escapes, and what a derived `Deserialize` drops when a later member fails, are
//!   out of reach (N24). `known_limits` shows both, so that this list stays true;
//! - the stack is not wiped (N24). `stack_statement` counts what stays there and claims nothing about it. What lay there can
//!   reach the heap in the unused room of an enum that is moved there; the paths were looked through at all levels of
//!   optimisation, with and without fat LTO, until that was gone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unsafe_code)]

#[path = "memory/keys.rs"]
mod keys;
#[path = "memory/recorder.rs"]
mod recorder;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use recorder::{Recorder, watch};
use rxseal::{
    Access, Class, Each, Error, Kek, KekContext, KeyFile, KeyState, Keyring, KeyringFile, LocalRootKey, NotWiped,
    Parts, Phi, ProviderFuture, Purpose, Record, RecordAccess, RootKey, RootKeys, Sealed, Sealing, Suite, Token,
    WrappedSubjectKey, run_local,
};
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Error as _, SerializeStruct, Serializer};
use serde::{Serialize, de::DeserializeSeed};
use zeroize::Zeroize;

#[global_allocator]
static ALLOCATOR: Recorder = Recorder;

macro_rules! canary {
    () => {
        "CANARY-Jane-Doe-warfarin-5mg-#Q7x!zK2v9LmPt4RwYs"
    };
}

/// Looked for in pieces of 12 bytes, so that a block that was wiped in part only is found too.
const TEXT: &str = canary!();
const TWICE: &str = concat!(canary!(), canary!());
const FORM: &str = concat!(r#"{"name":""#, canary!(), r#""}"#);
const BYTES: &[u8; 48] = b"\xC1CANARY\xFE-scan-of-a-driver-licence-\x80-Zk8Uq3Hn6Bd1";
const NUMBER: u64 = 9_182_736_450_918_273_645;
const KEYSPACE: &str = "pharmacy-17";
const SUBJECT: &str = "patient-88";

rxseal::fields! {
    Name = "memory.name" in Identity;
    Phone = "memory.phone" in Contact { block: 64 };
    Drug = "memory.drug" in Medication { block: 1 };
    Prescriber = "memory.prescriber" in Prescriber;
    Note = "memory.note" in Clinical { block: 4096 };
    Plan = "memory.plan" in Coverage;
    Renamed = "memory.renamed" in Clinical { former: ["memory.old-name" in Identity, "memory.older-name" in Contact] };
    Short = "memory.short" in Clinical { max: 60 };
}

const CLASSES: [Class; 6] =
    [Class::IDENTITY, Class::CONTACT, Class::MEDICATION, Class::PRESCRIBER, Class::CLINICAL, Class::COVERAGE];

/// What a path leaves to be looked into after it was watched: whatever new keys can be computed from.
#[derive(Default)]
struct After {
    /// Lines of root key files, with the keyring files wrapped by them.
    files: Vec<(String, String)>,
    /// Wrapped subject keys under the keys of the world.
    wrapped: Vec<Vec<u8>>,
    /// Tokens of letter `x`, whose message keys follow from their nonces.
    tokens: Vec<Vec<u8>>,
}

type Path = (&'static str, fn(&World) -> After);

#[rustfmt::skip]
const PATHS: &[Path] = &[
    // Sealing
    ("seal text", |w| sealed(w.rec().seal::<Name>(TEXT))),
    ("seal bytes", |w| sealed(w.rec().seal::<Name>(&Raw(BYTES)))),
    ("seal a struct", |w| sealed(w.rec().seal::<Note>(&PATIENT))),
    ("seal a number", |w| sealed(w.rec().seal::<Note>(&NUMBER))),
    ("seal through Display", |w| sealed(w.rec().seal::<Name>(&Displayed))),
    ("seal with block 1", |w| sealed(w.rec().seal::<Drug>(TEXT))),
    ("seal 200 KiB of JSON", |w| sealed(w.rec().seal::<Note>(&vec![TEXT; 4000]))),
    ("seal_text", |w| { w.rec().seal_text::<Name>(TEXT).unwrap(); After::default() }),
    ("seal_text 200 KiB", |w| { w.rec().seal_text::<Note>(&vec![TEXT; 4000]).unwrap(); After::default() }),
    ("seal_into a vector that grows", seal_into_growing),
    ("seal_text_into", |w| w.rec().seal_fields(|pass| {
        let mut out = String::new();
        pass.seal_text_into::<Name>(TEXT, &mut out)?;
        pass.seal_text_into::<Note>(&PATIENT, &mut out)?;
        Ok::<_, Error>(After::default())
    }).unwrap()),
    ("seal_fields of all classes, suite X", |w| seal_all(&w.rec())),
    ("seal_fields of all classes, suite c", |w| seal_all(&w.chacha.record("prescription", "RX-1").unwrap())),
    ("seal_fields of all classes, with a subject", |w| seal_all(&w.rec().subject(&w.subject_key()).unwrap())),
    ("seal wide", |w| sealed(w.rec().wide().seal::<Name>(TEXT))),
    ("seal unbound", |w| sealed(w.keys.unbound("prescription").unwrap().seal::<Name>(TEXT))),
    ("seal in a part", |w| sealed(w.rec().part("line", 2).unwrap().seal::<Name>(TEXT))),
    ("a Sealer", |w| sealed(w.keys.sealer().only(CLASSES).record("prescription", "RX-1").unwrap().seal::<Name>(TEXT))),
    ("seal_page", |w| {
        let records: Vec<_> = (0..20_u32).map(|id| w.keys.record("prescription", id).unwrap()).collect();
        rxseal::seal_page(&records, |_, pass| { pass.seal::<Name>(TEXT)?; pass.seal::<Note>(&PATIENT) }).unwrap();
        After::default()
    }),
    ("a Sealed field", |w| { Sealed::<String, Name>::seal(&w.rec(), TEXT).unwrap(); After::default() }),
    // Writing through serde: the outputs hold tokens only
    ("sealing JSON to a string", |w| { serde_json::to_string(&w.rec().sealing(&writes())).unwrap(); After::default() }),
    ("sealing JSON to a value", |w| { serde_json::to_value(w.rec().sealing(&writes())).unwrap(); After::default() }),
    ("run_sealing JSON", |w| { w.rec().run_sealing(|| serde_json::to_vec(&writes())).unwrap(); After::default() }),
    ("run_sealing postcard", |w| { w.rec().run_sealing(|| postcard::to_stdvec(&writes())).unwrap(); After::default() }),
    ("sealing CBOR", |w| { ciborium::into_writer(&w.rec().sealing(&writes()), Vec::new()).unwrap(); After::default() }),
    ("sealing MessagePack", |w| { rmp_serde::to_vec_named(&w.rec().sealing(&writes())).unwrap(); After::default() }),
    ("expose_plaintext to a writer that keeps nothing", |_| {
        serde_json::to_writer(std::io::sink(), &rxseal::expose_plaintext(&writes())).unwrap();
        After::default()
    }),
    // Opening
    ("open text", |w| wiped(w.open().open::<Name, String>(&w.tokens.text))),
    ("open bytes", |w| wiped(w.open().open::<Name, OwnedRaw>(&w.tokens.bytes).map(|raw| raw.0))),
    ("open a struct", |w| wiped(w.open().open::<Note, Owned>(&w.tokens.json))),
    ("open into a Phi", |w| { drop(w.open().open::<Name, String>(&w.tokens.text).map(Phi::<_, Name>::new).unwrap()); After::default() }),
    ("open_text", |w| wiped(w.open().open_text::<Name, String>(&w.tokens.text.to_string()))),
    ("open_into", |w| w.open().open_fields(|pass| {
        // The caller's buffer: what was in it moves when it grows, and that is rxseal's doing.
        let mut out = TEXT.as_bytes().to_vec();
        for _ in 0..20 {
            pass.open_into::<Name>(w.tokens.text.as_bytes(), &mut out)?;
            pass.open_into::<Name>(w.tokens.bytes.as_bytes(), &mut out)?;
        }
        out.zeroize();
        Ok::<_, Error>(After::default())
    }).unwrap()),
    ("open_fields of all classes, suite X", |w| open_all(&w.open(), &w.tokens.all)),
    ("open_fields of all classes, suite c", |w| open_all(&w.chacha_open(), &w.tokens.all_chacha)),
    ("open_fields of all classes, with a subject", |w| {
        open_all(&w.rec().subject(&w.subject_key()).unwrap().access(&w.access), &w.tokens.all_subject)
    }),
    ("open wide", |w| {
        wiped(w.rec().wide().access(&w.access).open::<Name, String>(&w.tokens.wide));
        After { tokens: vec![w.tokens.wide.as_bytes().to_vec()], ..After::default() }
    }),
    ("open under a former id and class", |w| wiped(w.open().open::<Renamed, String>(&w.tokens.former))),
    ("an Opener", |w| {
        let rec = w.keys.opener().only([Class::IDENTITY]).record("prescription", "RX-1").unwrap();
        wiped(rec.access(&w.access).open::<Name, String>(&w.tokens.text))
    }),
    ("open_page", |w| {
        let records: Vec<_> = (0..20_u32).map(|_| w.rec()).collect();
        let opened: Vec<String> = rxseal::open_page(&records, &w.access, |_, pass| pass.open::<Name, _>(&w.tokens.text)).unwrap();
        opened.into_iter().for_each(|mut text| text.zeroize());
        After::default()
    }),
    ("Sealed::open", |w| wiped(Sealed::<String, Name>::from(w.tokens.text.clone()).open(&w.open()))),
    ("open a 200 KiB value", |w| wiped(w.open().open::<Note, Vec<String>>(&w.tokens.large))),
    ("open_compromised", |w| {
        let keys = w.compromised();
        let rec = keys.record("prescription", "RX-1").unwrap().access(&w.access);
        assert_eq!(rec.open::<Name, String>(&w.tokens.text).unwrap_err().code(), "key-compromised");
        wiped(rec.open_compromised::<Name, String>(&w.tokens.text).map(|suspect| suspect.expose_not_authentic()))
    }),
    // Reading through serde, into fields that wipe themselves
    ("run_opening JSON", |w| { drop(w.open().run_opening(|| serde_json::from_str::<Reads>(&w.json)).unwrap()); After::default() }),
    ("opening JSON as a seed", |w| {
        let mut reader = serde_json::Deserializer::from_slice(w.json.as_bytes());
        drop(w.open().opening::<Reads>().deserialize(&mut reader).unwrap());
        After::default()
    }),
    ("run_opening JSON from a reader", |w| { drop(w.open().run_opening(|| serde_json::from_reader::<_, Reads>(w.json.as_bytes())).unwrap()); After::default() }),
    ("run_opening postcard", |w| { drop(w.open().run_opening(|| postcard::from_bytes::<Reads>(&w.postcard)).unwrap()); After::default() }),
    ("accept_plaintext into a Phi", |_| {
        drop(rxseal::accept_plaintext(|| serde_json::from_str::<Form>(FORM)).unwrap());
        After::default()
    }),
    // Moving tokens
    ("reseal", |w| { w.rec().reseal::<Name>(&w.tokens.text).unwrap(); w.rec().reseal::<Note>(&w.tokens.json).unwrap(); After::default() }),
    ("rebind", |w| { w.rec().rebind::<Name>(&w.keys.record("prescription", "RX-2").unwrap(), &w.tokens.text, &w.access).unwrap(); After::default() }),
    ("reseal_compromised", |w| { w.compromised().record("prescription", "RX-1").unwrap().reseal_compromised::<Name>(&w.tokens.text).unwrap(); After::default() }),
    // Keys
    ("Keyring::create", |w| w.file(&run_local(Keyring::create(KEYSPACE, &w.roots, Suite::default())).unwrap())),
    ("Keyring::unlock and drop", |w| { drop(run_local(Keyring::unlock(KEYSPACE, &w.roots, &w.stored)).unwrap()); After::default() }),
    ("a keyring used for all classes, and dropped", |w| {
        let keys = run_local(Keyring::unlock(KEYSPACE, &w.roots, &w.stored)).unwrap().unobserved();
        seal_all(&keys.record("prescription", "RX-1").unwrap());
        seal_all(&keys.record("prescription", "RX-1").unwrap().wide());
        seal_all(&keys.record("prescription", "RX-1").unwrap().subject(&w.subject_key()).unwrap())
    }),
    ("the same of suite c", |w| {
        let keys = run_local(Keyring::unlock(KEYSPACE, &w.roots, &w.chacha_stored)).unwrap().unobserved();
        seal_all(&keys.record("prescription", "RX-1").unwrap())
    }),
    ("Keyring::rotate", |w| w.file(&run_local(Keyring::rotate(KEYSPACE, &w.roots, &w.stored)).unwrap())),
    ("Keyring::set_state to destroyed", |w| {
        let rotated = run_local(Keyring::rotate(KEYSPACE, &w.roots, &w.stored)).unwrap();
        let old = w.tokens.text.key_id();
        w.file(&run_local(Keyring::set_state(KEYSPACE, &w.roots, &rotated, old, KeyState::Destroyed)).unwrap())
    }),
    ("create_subject_key", |w| {
        let (key, wrapped) = w.keys.create_subject_key("patient-89").unwrap();
        drop(key);
        After { wrapped: vec![wrapped.as_bytes().to_vec()], ..After::default() }
    }),
    ("unwrap_subject_key", |w| { drop(w.subject_key()); After::default() }),
    ("rewrap_subject_key", |w| { w.keys.rewrap_subject_key(SUBJECT, &w.wrapped).unwrap(); After::default() }),
    ("a provider of one's own", |w| {
        let roots = RootKeys::from(Outside);
        let file = run_local(Keyring::create(KEYSPACE, &roots, Suite::default())).unwrap();
        drop(run_local(Keyring::unlock(KEYSPACE, &roots, &file)).unwrap());
        let _ = w;
        After::default()
    }),
    // Root keys
    ("KeyFile::load", |w| { drop(KeyFile::new(&w.key_path).load().unwrap()); After::default() }),
    ("KeyFile::create", |w| {
        let path = w.folder.join("created.key");
        let _ = std::fs::remove_file(&path);
        let root = KeyFile::new(&path).create().unwrap();
        let file = run_local(Keyring::create(KEYSPACE, &RootKeys::from(root), Suite::default())).unwrap();
        After { files: vec![(path.to_str().unwrap().to_owned(), file.to_string())], ..After::default() }
    }),
    ("LocalRootKey::from_env", |_| { drop(LocalRootKey::from_env(VARIABLE).unwrap()); After::default() }),
    // Dropping
    ("drop of a Phi", |w| {
        let _ = w;
        drop(Phi::<String, Name>::new(TEXT.to_owned()));
        drop(Phi::<Vec<u8>, Name>::new(BYTES.to_vec()));
        drop(Phi::<Option<String>, Name>::new(Some(TEXT.to_owned())));
        drop(Phi::<Vec<String>, Name>::new(vec![TEXT.to_owned(), TEXT.to_owned()]));
        drop(Phi::<Owned, Name>::new(Owned::from(&PATIENT)));
        After::default()
    }),
    ("drop of a Phi in a panic", |_| {
        quietly(|| { let _phi = Phi::<String, Name>::new(TEXT.to_owned()); panic!("constant") });
        After::default()
    }),
    ("a thread that ends", |w| {
        std::thread::scope(|scope| scope.spawn(|| {
            // To the end of the thread: its scratch buffer goes then.
            std::mem::forget(recorder::Watching::begin());
            sealed(w.rec().seal_text::<Name>(TEXT).map(|text| text.parse().unwrap()));
            wiped(w.open().open::<Name, String>(&w.tokens.text));
        }).join().unwrap());
        After::default()
    }),
    // What fails
    ("open a changed token", |w| failed(w.open().open::<Name, String>(&w.tokens.changed), "open-failed")),
    ("open for another record", |w| {
        let other = w.keys.record("prescription", "RX-2").unwrap();
        failed(other.access(&w.access).open::<Name, String>(&w.tokens.text), "open-failed")
    }),
    ("open another type", |w| failed(w.open().open::<Name, u64>(&w.tokens.text), "type-mismatch")),
    ("open a struct of another type", |w| failed(w.open().open::<Note, Vec<u64>>(&w.tokens.json), "type-mismatch")),
    ("open_into of a struct", |w| failed(w.open().open_fields(|pass| pass.open_into::<Note>(w.tokens.json.as_bytes(), &mut Vec::new())), "type-mismatch")),
    ("open of a locked class", |w| {
        let rec = w.keys.opener().only([Class::CONTACT]).record("prescription", "RX-1").unwrap();
        failed(rec.access(&w.access).open::<Name, String>(&w.tokens.text), "class-locked")
    }),
    ("seal too large a text", |w| failed(w.rec().seal::<Short>(TWICE), "too-large")),
    ("seal too large a JSON", |w| failed(w.rec().seal::<Short>(&[TEXT, TEXT]), "too-large")),
    ("seal too large a JSON as text", |w| failed(w.rec().seal_text::<Short>(&[TEXT, TEXT]), "too-large")),
    ("seal NaN behind a text", |w| failed(w.rec().seal::<Note>(&(TEXT, f64::NAN)), "not-finite")),
    ("seal what fails to serialize", |w| failed(w.rec().seal::<Note>(&Breaks::Fails), "unrepresentable")),
    ("seal a token", |w| failed(w.rec().seal::<Name>(&w.tokens.text.to_string()), "token-as-plaintext")),
    ("seal a field twice", |w| failed(w.rec().seal_fields(|pass| { pass.seal::<Name>(TEXT)?; pass.seal::<Name>(TEXT) }), "field-repeated")),
    ("seal what panics", |w| { quietly(|| w.rec().seal::<Note>(&Breaks::Panics)); After::default() }),
    ("seal_text what panics", |w| { quietly(|| w.rec().seal_text::<Note>(&Breaks::Panics)); After::default() }),
    ("seal_into what panics", |w| {
        let mut out = Vec::new();
        quietly(|| w.rec().seal_fields(|pass| pass.seal_into::<Note>(&Breaks::Panics, &mut out)));
        After::default()
    }),
    ("seal what panics in Display", |w| { quietly(|| w.rec().seal::<Name>(&BreaksInDisplay)); After::default() }),
    ("sealing JSON of what panics", |w| { quietly(|| serde_json::to_string(&w.rec().sealing(&PhiBreaks(Phi::new(Breaks::Panics))))); After::default() }),
    ("open what panics", |w| { quietly(|| w.open().open::<Name, PanicsReading>(&w.tokens.text)); After::default() }),
    ("run_opening with one token changed", |w| {
        let json = w.json.replace(&w.tokens.text_in_json, &w.tokens.changed.to_string());
        assert_eq!(w.open().run_opening(|| serde_json::from_str::<Reads>(&json)).err().unwrap().code(), "open-failed");
        After::default()
    }),
    ("unlock a changed keyring", |w| {
        let changed: KeyringFile = w.stored.to_string().replace("\"generation\": 1", "\"generation\": 2").parse().unwrap();
        failed(run_local(Keyring::unlock(KEYSPACE, &w.roots, &changed)), "unlock-failed")
    }),
    ("unlock a keyring whose wrap was changed", |w| failed(run_local(Keyring::unlock(KEYSPACE, &w.roots, &w.wrong_wrap)), "unlock-failed")),
    ("unwrap a subject key of another subject", |w| failed(w.keys.unwrap_subject_key("patient-1", &w.wrapped), "subject-key-refused")),
    ("load a damaged key file", |w| failed(KeyFile::new(&w.damaged_path).load(), "invalid-root-key")),
];

#[test]
fn rxseal_gives_back_no_plaintext_and_no_key() {
    let world = World::make();
    let mut bad = Vec::new();
    let mut blocks = 0;
    for (name, path) in PATHS {
        // Once unwatched, so that keys that are derived on first use are in place, and once watched.
        for round in 0..2 {
            let (after, given) = watch(|| path(world));
            let mut made = Vec::new();
            add_new_keys(world, &after, &mut made);
            blocks += given.blocks().count();
            let found = hits(given.blocks(), world.needles().iter().chain(&made));
            bad.extend(found.into_iter().map(|what| format!("{name}, round {round}: {what}")));
        }
    }
    println!("{} paths, {blocks} blocks given back, {} hits", PATHS.len(), bad.len());
    assert!(PATHS.len() >= 20);
    assert!(bad.is_empty(), "T42 does not hold:\n{}", bad.join("\n"));
}

/// Ordinary code, each kind of which leaves something behind: the search must find every one.
#[test]
#[rustfmt::skip]
fn leaking_controls_are_caught() {
    let world = World::make();
    let root = keys::root_key(&world.root_line);
    let token = world.tokens.text.to_string();
    let controls: &[(&str, &dyn Fn())] = &[
        ("a String dropped", &|| drop(std::hint::black_box(TEXT.to_owned()))),
        ("a Vec grown by push", &|| {
            let mut grown = Vec::new();
            TEXT.bytes().for_each(|byte| grown.push(byte));
            grown.zeroize();
            drop(grown);
        }),
        ("format!", &|| drop(std::hint::black_box(format!("patient {TEXT} called")))),
        ("serde_json::to_value", &|| drop(std::hint::black_box(serde_json::to_value(&PATIENT).unwrap()))),
        ("serde_json::to_string of the plaintext struct", &|| drop(std::hint::black_box(serde_json::to_string(&PATIENT).unwrap()))),
        ("an unwiped copy of the bytes", &|| drop(std::hint::black_box(BYTES.to_vec()))),
        ("an unwiped copy of a key", &|| drop(std::hint::black_box(Box::new(root)))),
        ("a key file read into a String", &|| drop(std::hint::black_box(std::fs::read_to_string(&world.key_path).unwrap()))),
        ("open into a String that nobody wipes", &|| drop(world.open().open_text::<Name, String>(&token).unwrap())),
        ("a Phi of NotWiped", &|| drop(Phi::<NotWiped<String>, Name>::new(NotWiped(TEXT.to_owned())))),
        ("a clone of a Phi's value", &|| drop(std::hint::black_box(Phi::<String, Name>::new(TEXT.to_owned()).expose_phi().clone()))),
        ("half of it wiped", &|| {
            let mut half = TEXT.as_bytes().to_vec();
            half[..24].zeroize();
            drop(std::hint::black_box(half));
        }),
    ];
    let needles = world.needles();
    for (name, control) in controls {
        let ((), given) = watch(control);
        assert!(!hits(given.blocks(), needles).is_empty(), "the control `{name}` was not caught");
    }
    println!("{} leaking controls, all caught", controls.len());
    assert!(controls.len() >= 6);
}

/// What is left out above, each with what it leaves: where one of these is no longer found, the list at the top is out of date.
#[test]
fn known_limits() {
    let world = World::make();
    let escaped = ["a \"quoted\" \\ ", TEXT].concat();
    let token = world.rec().seal::<Note>(&(escaped.as_str(), 1)).unwrap();
    let limits: &[(&str, &dyn Fn())] = &[
        ("serde_json's scratch for a string with escapes", &|| {
            drop(wiped(world.open().open::<Note, (String, u8)>(&token).map(|(text, _)| text)));
        }),
        ("a derived Deserialize whose later member fails", &|| {
            drop(failed(world.open().open::<Note, (String, String)>(&token), "type-mismatch"));
        }),
    ];
    let needles = world.needles();
    for (name, limit) in limits {
        let ((), given) = watch(limit);
        let found = hits(given.blocks(), needles);
        println!("known limit, {name}: {} pieces left behind", found.len());
        assert!(!found.is_empty(), "`{name}` is no limit any more: say so in the docs and move it to the paths");
        assert!(found.iter().all(|what| what.starts_with("text")), "only the plaintext, never a key: {found:?}");
    }
}

/// What stays on the stack of a thread that sealed and opened. Nothing is promised (N24); it is counted, and the control shows
/// that the count is one.
#[test]
#[cfg(target_os = "linux")]
fn stack_statement() {
    let world = World::make();
    let needles = world.needles();
    let count = |work: &(dyn Fn() + Sync)| {
        std::thread::scope(|scope| {
            let found = scope.spawn(|| {
                work();
                let below = stack_below();
                hits([below.as_slice()], needles)
            });
            found.join().unwrap()
        })
    };
    let planted = count(&|| {
        let mut copy = [0_u8; 4096];
        copy[2000..2048].copy_from_slice(TEXT.as_bytes());
        std::hint::black_box(&mut copy);
    });
    assert!(!planted.is_empty(), "the search of the stack finds nothing");
    let sealing = count(&|| drop(sealed(world.rec().seal::<Name>(TEXT))));
    let opening = count(&|| drop(wiped(world.open().open::<Name, String>(&world.tokens.text))));
    println!("left on the stack (not promised, N24): {} pieces after sealing {sealing:?}", sealing.len());
    println!("left on the stack (not promised, N24): {} pieces after opening {opening:?}", opening.len());
}

/// The 128 KiB below the caller's frame, read through the kernel.
#[cfg(target_os = "linux")]
#[inline(never)]
fn stack_below() -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    const LEN: usize = 128 * 1024;
    let mut below = vec![0; LEN];
    let here = std::ptr::from_ref(&below) as usize;
    let memory = std::fs::File::open("/proc/self/mem").unwrap();
    memory.read_exact_at(&mut below, (here - LEN) as u64).unwrap();
    below
}

/// One thing to look for, cut into pieces.
struct Needle {
    what: String,
    pieces: Vec<Vec<u8>>,
}

impl Needle {
    fn text(what: &str, bytes: &[u8]) -> Self {
        Self { what: what.to_owned(), pieces: bytes.chunks_exact(12).map(<[u8]>::to_vec).collect() }
    }

    fn key(what: impl Into<String>, bytes: &[u8]) -> Self {
        Self { what: what.into(), pieces: bytes.chunks(16).map(<[u8]>::to_vec).collect() }
    }
}

/// What of `needles` is in `blocks`. Only names are given, never a byte.
fn hits<'b, 'n>(
    blocks: impl IntoIterator<Item = &'b [u8]>,
    needles: impl IntoIterator<Item = &'n Needle>,
) -> Vec<String> {
    // By their first 4 bytes, so that each place is looked at once for all of them.
    let mut starts: BTreeMap<[u8; 4], Vec<(&Needle, usize, &[u8])>> = BTreeMap::new();
    let mut first = [false; 256];
    for needle in needles {
        for (at, piece) in needle.pieces.iter().enumerate() {
            let start: [u8; 4] = piece[..4].try_into().unwrap();
            first[usize::from(start[0])] = true;
            starts.entry(start).or_default().push((needle, at, piece));
        }
    }
    let mut found = Vec::new();
    for block in blocks {
        for (at, window) in block.windows(4).enumerate().filter(|(_, window)| first[usize::from(window[0])]) {
            for (needle, piece_at, piece) in starts.get(window).into_iter().flatten() {
                let what = format!("{}, piece {piece_at}, in a block of {} bytes", needle.what, block.len());
                if block[at..].starts_with(piece) && !found.contains(&what) {
                    found.push(what);
                }
            }
        }
    }
    found
}

/// Everything that the paths work on, and every key in it.
struct World {
    folder: PathBuf,
    key_path: PathBuf,
    damaged_path: PathBuf,
    root_line: String,
    roots: RootKeys,
    stored: KeyringFile,
    compromised_stored: KeyringFile,
    wrong_wrap: KeyringFile,
    chacha_stored: KeyringFile,
    keys: Keyring,
    chacha: Keyring,
    wrapped: WrappedSubjectKey,
    access: Access,
    tokens: Tokens,
    json: String,
    postcard: Vec<u8>,
    needles: OnceLock<Vec<Needle>>,
}

struct Tokens {
    text: Token,
    bytes: Token,
    json: Token,
    large: Token,
    wide: Token,
    former: Token,
    changed: Token,
    all: Vec<Token>,
    all_chacha: Vec<Token>,
    all_subject: Vec<Token>,
    text_in_json: String,
}

const VARIABLE: &str = "RXSEAL_MEMORY_TEST_ROOT_KEY";

impl World {
    /// Made once: the environment variable and the files are this process's.
    fn make() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        static MAKING: Mutex<()> = Mutex::new(());
        let _one = MAKING.lock().unwrap();
        WORLD.get_or_init(Self::new)
    }

    fn new() -> Self {
        std::panic::set_hook(Box::new(|info| {
            // Panics with this text are part of the test.
            if info.payload_as_str() != Some("constant") {
                eprintln!("{info}");
            }
        }));
        let folder = std::env::temp_dir().join(format!("rxseal-memory-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let key_path = folder.join("root.key");
        let roots = RootKeys::from(KeyFile::new(&key_path).load_or_create().unwrap());
        let root_line = std::fs::read_to_string(&key_path).unwrap();
        let damaged_path = folder.join("damaged.key");
        std::fs::copy(&key_path, &damaged_path).unwrap();
        std::fs::write(&damaged_path, root_line.trim_end().to_owned() + "A\n").unwrap();
        // Before any thread of this test reads the environment: `make` runs once, under a lock.
        unsafe { std::env::set_var(VARIABLE, root_line.trim_end()) };

        let create = |suite| run_local(Keyring::create(KEYSPACE, &roots, suite)).unwrap();
        let unlock = |file: &KeyringFile| run_local(Keyring::unlock(KEYSPACE, &roots, file)).unwrap().unobserved();
        let stored = create(Suite::Xaes256Gcm);
        let chacha_stored = create(Suite::XChaCha20Poly1305);
        let (keys, chacha) = (unlock(&stored), unlock(&chacha_stored));
        let rotated = run_local(Keyring::rotate(KEYSPACE, &roots, &stored)).unwrap();
        let old = keys.primary_key();
        let compromised_stored =
            run_local(Keyring::set_state(KEYSPACE, &roots, &rotated, old, KeyState::Compromised)).unwrap();
        let wrapped_field = |file: &KeyringFile| {
            let json: serde_json::Value = serde_json::from_str(&file.to_string()).unwrap();
            json["wraps"][0]["wrapped"].as_str().unwrap().to_owned()
        };
        let wrong_wrap = stored.to_string().replace(&wrapped_field(&stored), &wrapped_field(&chacha_stored));

        let (subject_key, wrapped) = keys.create_subject_key(SUBJECT).unwrap();
        let rec = keys.record("prescription", "RX-1").unwrap();
        let text = rec.seal::<Name>(TEXT).unwrap();
        let mut changed = text.clone().into_bytes();
        *changed.last_mut().unwrap() ^= 1;
        let json = serde_json::to_string(&rec.sealing(&writes())).unwrap();
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        let tokens = Tokens {
            bytes: rec.seal::<Name>(&Raw(BYTES)).unwrap(),
            json: rec.seal::<Note>(&PATIENT).unwrap(),
            large: rec.seal::<Note>(&vec![TEXT; 4000]).unwrap(),
            wide: rec.seal_fields(|_| keys.record("prescription", "RX-1")?.wide().seal::<Name>(TEXT)).unwrap(),
            former: formerly(&rec),
            changed: Token::try_from(changed).unwrap(),
            all: all_fields(&rec),
            all_chacha: all_fields(&chacha.record("prescription", "RX-1").unwrap()),
            all_subject: all_fields(&rec.subject(&subject_key).unwrap()),
            text_in_json: read["name"].as_str().unwrap().to_owned(),
            text,
        };
        let postcard = rec.run_sealing(|| postcard::to_stdvec(&writes())).unwrap();
        Self {
            access: Access::new("user:kim.rph", Purpose::TREAT).unwrap(),
            wrong_wrap: wrong_wrap.parse().unwrap(),
            folder,
            key_path,
            damaged_path,
            root_line,
            roots,
            stored,
            compromised_stored,
            chacha_stored,
            keys,
            chacha,
            wrapped,
            tokens,
            json,
            postcard,
            needles: OnceLock::new(),
        }
    }

    fn rec(&self) -> Record {
        self.keys.record("prescription", "RX-1").unwrap()
    }

    fn open(&self) -> RecordAccess {
        self.rec().access(&self.access)
    }

    fn chacha_open(&self) -> RecordAccess {
        self.chacha.record("prescription", "RX-1").unwrap().access(&self.access)
    }

    fn subject_key(&self) -> rxseal::SubjectKey {
        self.keys.unwrap_subject_key(SUBJECT, &self.wrapped).unwrap()
    }

    fn compromised(&self) -> Keyring {
        run_local(Keyring::unlock(KEYSPACE, &self.roots, &self.compromised_stored)).unwrap().unobserved()
    }

    fn file(&self, file: &KeyringFile) -> After {
        After { files: vec![(self.key_path.to_str().unwrap().to_owned(), file.to_string())], ..After::default() }
    }

    fn needles(&self) -> &[Needle] {
        self.needles.get_or_init(|| self.make_needles())
    }

    fn make_needles(&self) -> Vec<Needle> {
        let mut needles = vec![
            Needle::text("text", TEXT.as_bytes()),
            Needle::text("bytes", BYTES),
            Needle::text("number", NUMBER.to_string().as_bytes()),
        ];
        for file in [&self.stored, &self.chacha_stored, &self.compromised_stored] {
            add_keys(&self.root_line, &file.to_string(), &mut needles);
        }
        let deks = keys::unlock(&keys::root_key(&self.root_line), &self.stored.to_string()).body;
        let id = self.wrapped.as_bytes()[3..9].to_vec();
        let dek = deks.iter().find(|(key_id, _)| *key_id == id).unwrap().1;
        let (wrap, subject) = keys::subject_key(&dek, KEYSPACE, SUBJECT, self.wrapped.as_bytes());
        needles.push(Needle::key("wrap key of subject keys", &wrap));
        needles.push(Needle::key("subject key", &subject));
        for class in CLASSES {
            let key = keys::subject_class_key(&dek, &subject, KEYSPACE, b'X', class.as_str(), SUBJECT);
            needles.push(Needle::key(format!("class key {} with subject", class.as_str()), &key));
            let digest = keys::context_digest(KEYSPACE, "prescription", "RX-1", Some(SUBJECT));
            add_message_key(&key, &digest, &format!("{} with subject", class.as_str()), &mut needles);
        }
        needles
    }
}

/// The keys of one keyring file, with the class keys and the record keys of `RX-1`.
fn add_keys(root_line: &str, file: &str, needles: &mut Vec<Needle>) {
    let root = keys::root_key(root_line);
    let unlocked = keys::unlock(&root, file);
    needles.push(Needle::key("root key", &root));
    needles.push(Needle::text(
        "text of the root key",
        root_line.trim_end().trim_start_matches("rxseal-root-v1:").as_bytes(),
    ));
    needles.push(Needle::key("root-wrap key", &unlocked.root_wrap));
    needles.push(Needle::key("KEK", &unlocked.kek));
    needles.push(Needle::key("body key", &unlocked.body_key));
    let digest = keys::context_digest(KEYSPACE, "prescription", "RX-1", None);
    for (_, dek) in &unlocked.body {
        needles.push(Needle::key("DEK or index root", dek));
        for class in CLASSES {
            let class = class.as_str();
            for letter in *b"Xxc" {
                let key = keys::class_key(dek, "seal", KEYSPACE, letter, class);
                needles.push(Needle::key(format!("class key {class} {}", char::from(letter)), &key));
                needles.push(Needle::key(format!("K1 {class} {}", char::from(letter)), &keys::xaes(&key, &digest).1));
            }
            needles.push(Needle::key(
                format!("subject input {class}"),
                &keys::class_key(dek, "subject", KEYSPACE, b'X', class),
            ));
            add_message_key(&keys::class_key(dek, "seal", KEYSPACE, b'X', class), &digest, class, needles);
        }
    }
}

/// An XAES message key, and the GHASH key under it, in both orders of its bytes.
fn add_message_key(class_key: &keys::Key, nonce: &[u8], what: &str, needles: &mut Vec<Needle>) {
    use aes_gcm::KeyInit;
    use aes_gcm::aes::cipher::BlockCipherEncrypt;
    let (kx, k1) = keys::xaes(class_key, nonce);
    let mut h = [0; 16].into();
    aes_gcm::aes::Aes256::new((&kx).into()).encrypt_block(&mut h);
    let mut h: [u8; 16] = h.into();
    needles.push(Needle::key(format!("message key {what}"), &kx));
    needles.push(Needle::key(format!("K1 {what}"), &k1));
    needles.push(Needle::key(format!("GHASH key {what}"), &h));
    h.reverse();
    needles.push(Needle::key(format!("GHASH key reversed {what}"), &h));
}

/// The keys that a path made.
fn add_new_keys(world: &World, after: &After, needles: &mut Vec<Needle>) {
    for (key_path, file) in &after.files {
        add_keys(&std::fs::read_to_string(key_path).unwrap(), file, needles);
    }
    let deks = keys::unlock(&keys::root_key(&world.root_line), &world.stored.to_string()).body;
    let dek_of = |id: &[u8]| deks.iter().find(|(key_id, _)| key_id == id).unwrap().1;
    for wrapped in &after.wrapped {
        let (_, key) = keys::subject_key(&dek_of(&wrapped[3..9]), KEYSPACE, "patient-89", wrapped);
        needles.push(Needle::key("new subject key", &key));
    }
    for token in after.tokens.iter().filter(|token| token.starts_with(&[0xAF, 0x1B, 0x31])) {
        let key = keys::class_key(&dek_of(&token[3..9]), "seal", KEYSPACE, b'x', "identity");
        add_message_key(&key, &token[9..], "of a wide token", needles);
    }
}

// The values

#[derive(Serialize)]
struct Patient {
    name: &'static str,
    lines: [&'static str; 3],
    number: u64,
    dose: f64,
}

const PATIENT: Patient = Patient { name: TEXT, lines: [TEXT, TEXT, TEXT], number: NUMBER, dose: 2.5 };

#[derive(Serialize, serde::Deserialize, Zeroize)]
struct Owned {
    name: String,
    lines: Vec<String>,
    number: u64,
    dose: f64,
}

impl From<&Patient> for Owned {
    fn from(patient: &Patient) -> Self {
        let owned = |text: &&str| (*text).to_owned();
        let lines = patient.lines.iter().map(owned).collect();
        Self { name: patient.name.to_owned(), lines, number: patient.number, dose: patient.dose }
    }
}

/// A struct to write, whose values are constants.
#[derive(Serialize)]
struct Writes {
    rx_number: u64,
    #[serde(with = "Sealing::<Name>")]
    name: &'static str,
    #[serde(with = "Sealing::<Option<Drug>>")]
    drug: Option<&'static str>,
    #[serde(with = "Sealing::<Note>")]
    note: Patient,
    #[serde(with = "Sealing::<Prescriber>")]
    prescriber: Raw,
    #[serde(with = "Sealing::<Each<Plan>>")]
    plans: Vec<&'static str>,
    #[serde(with = "Sealing::<Parts<Phone>>")]
    phones: BTreeMap<u8, &'static str>,
}

fn writes() -> Writes {
    Writes {
        rx_number: 7,
        name: TEXT,
        drug: Some(TEXT),
        note: PATIENT,
        prescriber: Raw(BYTES),
        plans: vec![TEXT, TEXT, TEXT],
        phones: BTreeMap::from([(1, TEXT), (2, TEXT)]),
    }
}

/// The same to read, in types that wipe themselves.
#[derive(serde::Deserialize)]
#[allow(dead_code)] // Read and dropped.
struct Reads {
    rx_number: u64,
    name: Phi<String, Name>,
    drug: Phi<Option<String>, Option<Drug>>,
    note: Phi<Owned, Note>,
    prescriber: Phi<OwnedRaw, Prescriber>,
    // An element of a list wipes itself; the list around it holds none of its bytes.
    #[serde(with = "Sealing::<Each<Plan>>")]
    plans: Vec<Wiping>,
    #[serde(with = "Sealing::<Parts<Phone>>")]
    phones: BTreeMap<u8, Wiping>,
}

#[derive(serde::Deserialize)]
struct Form {
    #[allow(dead_code)]
    name: Phi<String, Name>,
}

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Wiping(String);

impl Drop for Wiping {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

struct Raw(&'static [u8]);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

#[derive(Zeroize)]
struct OwnedRaw(Vec<u8>);

impl<'de> Deserialize<'de> for OwnedRaw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = OwnedRaw;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<OwnedRaw, E> {
                Ok(OwnedRaw(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

/// Serializes through its `Display`, in pieces.
struct Displayed;

impl fmt::Display for Displayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..20).try_for_each(|_| f.write_str(TEXT))
    }
}

impl Serialize for Displayed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Writes the text, and then does not end well.
enum Breaks {
    Fails,
    Panics,
}

impl Serialize for Breaks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = serializer.serialize_struct("Breaks", 2)?;
        value.serialize_field("text", &[TEXT; 10])?;
        match self {
            Self::Fails => Err(S::Error::custom("constant")),
            Self::Panics => panic!("constant"),
        }
    }
}

impl Zeroize for Breaks {
    fn zeroize(&mut self) {}
}

#[derive(Serialize)]
struct PhiBreaks(Phi<Breaks, Note>);

struct BreaksInDisplay;

impl fmt::Display for BreaksInDisplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(TEXT)?;
        panic!("constant")
    }
}

impl Serialize for BreaksInDisplay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct PanicsReading;

impl<'de> Deserialize<'de> for PanicsReading {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = PanicsReading;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_str<E>(self, _: &str) -> Result<PanicsReading, E> {
                panic!("constant")
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// A provider outside the crate: it has the KEK for a moment, and keeps it where nobody looks.
struct Outside;

static KEPT: Mutex<[u8; 32]> = Mutex::new([0; 32]);

impl RootKey for Outside {
    fn provider(&self) -> &str {
        "outside"
    }

    fn name(&self) -> &str {
        "one"
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, _: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        *KEPT.lock().unwrap() = *kek.expose_bytes();
        Box::pin(std::future::ready(Ok(vec![1])))
    }

    fn unwrap_kek<'a>(&'a self, _: &'a [u8], _: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(std::future::ready(Ok(Kek::from(*KEPT.lock().unwrap()))))
    }
}

// What the paths have in common

/// A token made; it is public, and given back as it is.
fn sealed(token: Result<Token, Error>) -> After {
    After { tokens: vec![token.unwrap().into_bytes()], ..After::default() }
}

/// What was opened is the caller's, who wipes it.
fn wiped<T: Zeroize>(opened: Result<T, Error>) -> After {
    opened.unwrap().zeroize();
    After::default()
}

fn failed<T>(result: Result<T, Error>, code: &str) -> After {
    assert_eq!(result.err().map(|error| error.code()), Some(code));
    After::default()
}

/// Runs `work`, which panics.
fn quietly<T>(work: impl FnOnce() -> T) {
    assert!(catch_unwind(AssertUnwindSafe(work)).is_err(), "it was to panic");
}

fn all_fields<R: rxseal::MaySeal>(rec: &Record<R>) -> Vec<Token> {
    rec.seal_fields(|pass| {
        Ok::<_, Error>(vec![
            pass.seal::<Name>(TEXT)?,
            pass.seal::<Phone>(TEXT)?,
            pass.seal::<Drug>(TEXT)?,
            pass.seal::<Prescriber>(&Raw(BYTES))?,
            pass.seal::<Note>(&PATIENT)?,
            pass.seal::<Plan>(TEXT)?,
        ])
    })
    .unwrap()
}

fn seal_all(rec: &Record) -> After {
    drop(all_fields(rec));
    After::default()
}

fn open_all(open: &RecordAccess, tokens: &[Token]) -> After {
    open.open_fields(|pass| {
        pass.open::<Name, String>(&tokens[0])?.zeroize();
        pass.open::<Phone, String>(&tokens[1])?.zeroize();
        pass.open::<Drug, String>(&tokens[2])?.zeroize();
        pass.open::<Prescriber, OwnedRaw>(&tokens[3])?.zeroize();
        pass.open::<Note, Owned>(&tokens[4])?.zeroize();
        pass.open::<Plan, String>(&tokens[5])?.zeroize();
        Ok::<_, Error>(After::default())
    })
    .unwrap()
}

fn seal_into_growing(world: &World) -> After {
    world
        .rec()
        .seal_fields(|pass| {
            let mut out = Vec::new();
            pass.seal_into::<Name>(TEXT, &mut out)?;
            pass.seal_into::<Phone>(&Raw(BYTES), &mut out)?;
            pass.seal_into::<Note>(&PATIENT, &mut out)?;
            pass.seal_into::<Plan>(&Displayed, &mut out)?;
            Ok::<_, Error>(After::default())
        })
        .unwrap()
}

/// A token as it was sealed when `Renamed` still had its older name and class.
fn formerly(rec: &Record) -> Token {
    mod before {
        rxseal::fields! { pub OlderName = "memory.older-name" in Contact; }
    }
    rec.seal::<before::OlderName>(TEXT).unwrap()
}
