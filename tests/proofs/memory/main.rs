//! Proves that the memory that rxseal frees holds no plaintext and no key (T42), over every way through its API, and
//! that the search finds what ordinary code leaves behind.
//!
//! It looks for keys as bytes, and expanded: as the round keys of AES and the powers of GHASH. A thread frees what it
//! keeps for its next call (scratch buffers, the room of wiped ciphers) when it ends, and that is searched then.
//!
//! The promise is about heap memory that rxseal allocated. These are left out, each for its reason:
//!
//! - The caller wipes what a call returns (a `String` from `open`, bytes in the caller's `Vec`), and so does the test.
//!   The sealed values are constants here, so nobody frees them.
//! - The output of a sealing serializer (serde_json's growing `Vec`, postcard's) only ever holds tokens, so it is *not*
//!   left out.
//! - serde_json's own scratch for strings with escapes is out of reach, and so is what a derived `Deserialize` drops if
//!   a later member fails (N24). `known_limits` shows both, so that this list stays true.
//! - The stack is not wiped (N24). `stack_statement` counts what stays there and claims nothing about it. Old stack
//!   content can reach the heap in the unused room of an enum that is moved there. These paths were searched at all
//!   levels of optimisation, with and without fat LTO, until none was left.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unsafe_code)]

mod recorder;
mod search;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, LazyLock, Mutex, OnceLock};

use recorder::{Recorder, Watching, watch};
use rxseal::forms::NotWiped;
use rxseal::index::{self, Definition, Forms, IndexValue, Kind, SlotOwner, SlotTable};
use rxseal::keys::{KeyState, KeyringFile, Suite, UnlockOptions};
use rxseal::observe::{Observer, OpenEvent};
use rxseal::page::{reseal_page, seal_page};
use rxseal::provider::{Kek, KekContext, ProviderFuture};
use rxseal::root::{LocalRootKey, RootKey, RootKeyFile, RootKeys};
use rxseal::schema::{FieldSchema, Plain, Schema};
use rxseal::subjects::WrappedSubjectKey;
use rxseal::{
    Access, Class, Each, Error, Field, FieldId, Keyring, Parts, Phi, PhiRecord, Purpose, Record, RecordReader, Sealed,
    Sealing, Token, run_local,
};
use rxseal_search::{Find, plan};
use search::{Index, Needle};
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Error as _, SerializeStruct, Serializer};
use serde::{Serialize, de::DeserializeSeed};
use support::keys;
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
/// How often it stands in a large value: one whose buffer no thread keeps for its next call (over 64 KiB).
const LARGE: usize = 1500;
const NUMBER: u64 = 9_182_736_450_918_273_645;
const NUMBER_TEXT: &str = "9182736450918273645";
const KEYSPACE: &str = "pharmacy-17";
const SUBJECT: &str = "patient-88";

rxseal::fields! {
    Name = "memory.name" in Identity { search: whole };
    Phone = "memory.phone" in Contact { block: 64 };
    Drug = "memory.drug" in Medication { block: 1 };
    Prescriber = "memory.prescriber" in Prescriber;
    Note = "memory.note" in Clinical { block: 4096 };
    Plan = "memory.plan" in Coverage;
    Renamed = "memory.renamed" in Clinical, was "memory.old-name" in Identity, was "memory.older-name" in Contact;
    Short = "memory.short" in Clinical { max: 60 };
}

/// A record struct, whose name is opened for nobody: to index it again, and as a stranger of a search.
#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct Searched {
    #[phi(id)]
    id: String,
    #[phi(seal = Name, index = NamedBy)]
    name: String,
}

rxseal_search::indexes! {
    for Searched as "prescription" {
        NamedBy = "memory.searched": exact(name: Name), bits 14;
    }
}

/// Fields as they were declared before.
mod before {
    rxseal::fields! {
        pub OlderName = "memory.older-name" in Contact;
        pub Long = "memory.short" in Clinical;
    }
}

static SLOTS: SlotTable = SlotTable::new("memory/1", &[("smith", 42)]);

macro_rules! index {
    ($name:ident of $form:expr, $definition:expr) => {
        enum $name {}

        impl index::Index for $name {
            type Record = ();
            type Stored = Option<IndexValue<Self>>;
            const DEFINITION: Definition = $definition;
            const CLASSES: &'static [Class] = &[Class::IDENTITY];
            const FIELDS: &'static [FieldId] = &[Name::ID];

            fn forms(_: &(), _: &Definition, forms: &mut Forms) -> Result<(), Error> {
                forms.push(&[$form.as_bytes()])
            }
        }
    };
}

const INDEXES: [&str; 2] = ["memory.indexed", "memory.slotted"];
index!(Indexed of TEXT, Definition::new("prescription", INDEXES[0], Kind::Whole, 14, &["exact/1"]));
index!(Slotted of "smith", Definition::new("prescription", INDEXES[1], Kind::Whole, 14, &["exact/1"]).with_slots(&SLOTS, SlotOwner::Record));

const CLASSES: [Class; 6] =
    [Class::IDENTITY, Class::CONTACT, Class::MEDICATION, Class::PRESCRIBER, Class::CLINICAL, Class::COVERAGE];

/// What a path leaves to be looked into after it was watched: whatever new keys can be computed from.
#[derive(Default)]
struct After {
    /// Lines of root key files, with the keyring files wrapped by them.
    files: Vec<(String, String)>,
    /// Wrapped subject keys under the keys of the world.
    wrapped: Vec<Vec<u8>>,
    /// Tokens, whose message keys follow from their nonces where the letter is `x` or `c`.
    tokens: Vec<Vec<u8>>,
}

/// A path that left nothing of that kind.
fn done() -> After {
    After::default()
}

/// Fields that no type declares.
static DECLARED: LazyLock<[FieldSchema; 5]> = LazyLock::new(|| {
    let fields = [("name", "memory.name", "identity", "text"), ("note", "memory.note", "clinical", "text")];
    let others = [
        ("json", "memory.json", "clinical", "json"),
        ("n", "memory.n", "clinical", "u64"),
        ("b", "memory.b", "clinical", "bytes"),
    ];
    let fields: Vec<_> = fields
        .iter()
        .chain(&others)
        .map(|(member, id, class, content)| {
            format!(r#"{{"member":"{member}","id":"{id}","class":"{class}","block":32,"max":1000000,"content":"{content}"}}"#)
        })
        .collect();
    let json = format!(
        r#"{{"rxseal_schema":1,"records":[{{"record":"prescription","ids":[],"fields":[{}]}}]}}"#,
        fields.join(",")
    );
    Schema::parse(&json).unwrap().records()[0].fields().to_vec().try_into().unwrap()
});

type Path = (&'static str, fn(&World) -> After);

#[rustfmt::skip]
const PATHS: &[Path] = &[
    // Sealing
    ("seal text", |w| sealed(w.rec().seal::<Name>(TEXT))),
    ("a value that begins as a token does", |w| {
        for text in &*DISGUISED {
            assert!(text.parse::<Token>().is_err() && text.parse::<WrappedSubjectKey>().is_err());
            drop(rxseal::count::count_by_key([text]));
            w.rec().seal::<Name>(text.as_str()).unwrap();
        }
        done()
    }),
    ("a value that has the form of a token", |w| {
        let json = format!(r#"{{"name":"{}"}}"#, &*IMPOSTOR);
        assert_eq!(rxseal::count::count_by_key([IMPOSTOR.as_str(), json.as_str()]).total(), 2);
        failed(w.rec().seal::<Name>(IMPOSTOR.as_str()), "token-as-plaintext");
        failed(w.rec().seal::<Note>(&[IMPOSTOR.as_str()]), "token-inside");
        failed(w.open().open_text::<Name, String>(&IMPOSTOR), "unknown-key");
        failed(w.open().run_opening(|| serde_json::from_str::<Form>(&json)), "unknown-key");
        failed(rxseal::accept_plaintext(|| serde_json::from_str::<Form>(&json)), "token-as-plaintext");
        // What is parsed for the caller is the caller's to wipe.
        IMPOSTOR.parse::<Token>().unwrap().into_bytes().zeroize();
        done()
    }),
    // The first use of a thread's buffer, which grows then.
    ("open_text of a value that has the form of a token", |w| failed(w.open().open_text::<Name, String>(&IMPOSTOR), "unknown-key")),
    ("plaintext that is taken for tokens", |_| {
        assert_eq!(rxseal::count::count_by_key([TEXT, concat!("rxsXAAAA\r\n", canary!(), "=\r\n", canary!())]).not_tokens(), 2);
        failed(Token::try_from(BYTES.to_vec()), "not-a-token")
    }),
    ("seal bytes", |w| sealed(w.rec().seal::<Name>(&Raw(BYTES)))),
    ("seal a struct", |w| sealed(w.rec().seal::<Note>(&PATIENT))),
    ("seal a number", |w| sealed(w.rec().seal::<Note>(&NUMBER))),
    ("seal through Display", |w| sealed(w.rec().seal::<Name>(&Displayed))),
    ("seal with block 1", |w| sealed(w.rec().seal::<Drug>(TEXT))),
    ("seal a large JSON", |w| sealed(w.rec().seal::<Note>(&vec![TEXT; LARGE]))),
    ("seal_text", |w| { w.rec().seal_text::<Name>(TEXT).unwrap(); done() }),
    ("seal_text a large JSON", |w| { w.rec().seal_text::<Note>(&vec![TEXT; LARGE]).unwrap(); done() }),
    ("seal_into a vector that grows", seal_into_growing),
    ("seal_text_into", |w| w.rec().seal_fields(|pass| {
        let mut out = String::new();
        pass.seal_text_into::<Name>(TEXT, &mut out)?;
        pass.seal_text_into::<Note>(&PATIENT, &mut out)?;
        Ok::<_, Error>(done())
    }).unwrap()),
    ("seal_fields of all classes, suite X", |w| seal_all(&w.rec())),
    ("seal_fields of all classes, suite c", |w| seal_all(&w.chacha.record("prescription", "RX-1").unwrap())),
    ("seal_fields of all classes, with a subject", |w| seal_all(&w.rec().subject(&w.subject_key()).unwrap())),
    ("seal wide", |w| sealed(w.rec().wide().seal::<Name>(TEXT))),
    ("seal unbound", |w| sealed(w.keys.unbound("prescription").unwrap().seal::<Name>(TEXT))),
    ("seal in a part", |w| sealed(w.rec().part("line", 2).unwrap().seal::<Name>(TEXT))),
    ("a Sealer", |w| sealed(w.keys.sealer().only(CLASSES).record("prescription", "RX-1").unwrap().seal::<Name>(TEXT))),
    ("seal_page", |w| {
        seal_page(&w.page(), |_, pass| { pass.seal::<Name>(TEXT)?; pass.seal::<Note>(&PATIENT) }).unwrap();
        done()
    }),
    ("a Sealed field", |w| { Sealed::<String, Name>::seal(&w.rec(), TEXT).unwrap(); done() }),
    ("a pass that panics between two fields", |w| {
        quietly(|| w.rec().seal_fields(|pass| -> Result<(), Error> { pass.seal::<Name>(TEXT)?; pass.seal::<Note>(TEXT)?; panic!("constant") }));
        done()
    }),
    // In the caller's own buffer, in which there is a token and nothing else
    ("seal_in_place with room", |w| sealed_in_place(&w.rec(), BYTES, 10_000)),
    ("seal_in_place without room", |w| sealed_in_place(&w.rec(), BYTES, 0)),
    ("seal_in_place of a large value", |w| sealed_in_place(&w.rec(), &w.scan, 10_000)),
    ("seal_in_place of a large value without room", |w| sealed_in_place(&w.rec(), &w.scan, 0)),
    ("seal_in_place wide", |w| sealed_in_place(&w.rec().wide(), BYTES, 0)),
    ("seal_in_place with a subject", |w| sealed_in_place(&w.rec().subject(&w.subject_key()).unwrap(), BYTES, 0)),
    ("seal_in_place, suite c", |w| sealed_in_place(&w.chacha.record("prescription", "RX-1").unwrap(), BYTES, 0)),
    // Writing through serde: the outputs hold tokens only
    ("sealing JSON to a string", |w| { serde_json::to_string(&w.rec().sealing(&writes())).unwrap(); done() }),
    ("sealing JSON to a value", |w| { serde_json::to_value(w.rec().sealing(&writes())).unwrap(); done() }),
    ("run_sealing JSON", |w| { w.rec().run_sealing(|| serde_json::to_vec(&writes())).unwrap(); done() }),
    ("run_sealing postcard", |w| { w.rec().run_sealing(|| postcard::to_stdvec(&writes())).unwrap(); done() }),
    ("sealing CBOR", |w| { ciborium::into_writer(&w.rec().sealing(&writes()), Vec::new()).unwrap(); done() }),
    ("sealing MessagePack", |w| { rmp_serde::to_vec_named(&w.rec().sealing(&writes())).unwrap(); done() }),
    ("expose_plaintext to a writer that keeps nothing", |_| {
        serde_json::to_writer(std::io::sink(), &rxseal::expose_plaintext(&writes())).unwrap();
        done()
    }),
    // Without a type
    ("seal_declared", |w| {
        let [name, note, json, number, bytes] = DECLARED.each_ref();
        w.rec().seal_fields(|pass| {
            pass.seal_declared(name, Plain::Text(TEXT))?;
            pass.seal_declared(note, Plain::Bytes(TEXT.as_bytes()))?;
            pass.seal_declared(json, Plain::Text(FORM))?;
            pass.seal_declared(number, Plain::Text(NUMBER_TEXT))?;
            pass.seal_declared(bytes, Plain::Bytes(BYTES))
        }).unwrap();
        sealed(w.rec().seal_fields(|pass| pass.seal_declared(json, Plain::Text(concat!("\"", canary!(), "\"")))))
    }),
    ("a cell of another type", |w| {
        for field in &DECLARED[3..] {
            failed(w.rec().seal_fields(|pass| pass.seal_declared(field, Plain::Text(TEXT))), "cell-refused");
        }
        failed(w.rec().seal_fields(|pass| pass.seal_declared(&DECLARED[2], Plain::Text(TEXT))), "cell-refused")
    }),
    ("open_declared", |w| {
        let [name, note, ..] = DECLARED.each_ref();
        drop(w.open().open_fields(|pass| pass.open_declared(name, &w.tokens.text)).unwrap());
        drop(w.open().open_fields(|pass| pass.open_declared(note, &w.tokens.scan)));
        failed(w.open().open_fields(|pass| pass.open_declared(name, &w.tokens.bytes)), "type-mismatch")
    }),
    ("open_declared of JSON", |w| {
        for cell in [FORM, concat!("\"", canary!(), "\"")] {
            let token = w.rec().seal_fields(|pass| pass.seal_declared(&DECLARED[2], Plain::Text(cell))).unwrap();
            drop(w.open().open_fields(|pass| pass.open_declared(&DECLARED[2], &token)).unwrap());
        }
        done()
    }),
    ("open_declared_into", |w| {
        let mut out = TEXT.as_bytes().to_vec();
        for _ in 0..20 {
            w.open().open_fields(|pass| {
                pass.open_declared_into(&DECLARED[0], w.tokens.text.as_bytes(), &mut out)?;
                pass.open_declared_text_into(&DECLARED[0], &w.tokens.text.to_string(), &mut out)
            }).unwrap();
        }
        wiped_content(out)
    }),
    ("reseal_declared and backfill_declared", |w| {
        w.rec().reseal_fields(|pass| {
            pass.reseal_declared(&DECLARED[0], &w.tokens.text)?;
            pass.backfill_declared(&DECLARED[1], Plain::Text(TEXT))?;
            pass.backfill_declared(&DECLARED[0], Plain::Bytes(w.tokens.text.as_bytes()))
        }).unwrap();
        failed(w.rec().reseal_fields(|pass| pass.backfill_declared(&DECLARED[0], Plain::Text(&DISGUISED[0]))), "not-a-token")
    }),
    // Opening
    ("open text", |w| wiped(w.open().open::<Name, String>(&w.tokens.text))),
    ("open bytes", |w| wiped(w.open().open::<Name, OwnedRaw>(&w.tokens.bytes).map(|raw| raw.0))),
    ("open a struct", |w| wiped(w.open().open::<Note, Owned>(&w.tokens.json))),
    ("open into a Phi", |w| { drop(w.open().open::<Name, String>(&w.tokens.text).map(Phi::<_, Name>::new).unwrap()); done() }),
    ("open_text", |w| wiped(w.open().open_text::<Name, String>(&w.tokens.text.to_string()))),
    ("open_into", |w| {
        // The caller's buffer: what was in it moves when it grows, and that is rxseal's doing.
        let mut out = TEXT.as_bytes().to_vec();
        for _ in 0..20 {
            w.open().open_fields(|pass| {
                pass.open_into::<Name>(w.tokens.text.as_bytes(), &mut out)?;
                pass.open_into::<Name>(w.tokens.bytes.as_bytes(), &mut out)
            }).unwrap();
        }
        wiped_content(out)
    }),
    ("open_into with room", |w| {
        let mut out = with_room(b"", 1000);
        w.open().open_fields(|pass| pass.open_into::<Name>(w.tokens.text.as_bytes(), &mut out)).unwrap();
        wiped_content(out)
    }),
    ("open_into of a large value", |w| {
        let mut out = Vec::new();
        w.open().open_fields(|pass| pass.open_into::<Note>(w.tokens.scan.as_bytes(), &mut out)).unwrap();
        wiped_content(out)
    }),
    ("40 wide tokens in one opening", |w| {
        w.rec().wide().opened_by(&w.access).open_fields(|pass| {
            w.tokens.many_wide.iter().try_for_each(|token| pass.open::<Name, String>(token).map(|mut text| text.zeroize()))
        }).unwrap();
        After { tokens: w.tokens.many_wide.iter().map(|token| token.as_bytes().to_vec()).collect(), ..After::default() }
    }),
    ("open_fields of all classes, suite X", |w| open_all(&w.open(), &w.tokens.all)),
    ("open_fields of all classes, suite c", |w| open_all(&w.chacha_open(), &w.tokens.all_chacha)),
    ("open_fields of all classes, with a subject", |w| {
        open_all(&w.rec().subject(&w.subject_key()).unwrap().opened_by(&w.access), &w.tokens.all_subject)
    }),
    ("open wide", |w| {
        wiped(w.rec().wide().opened_by(&w.access).open::<Name, String>(&w.tokens.wide));
        After { tokens: vec![w.tokens.wide.as_bytes().to_vec()], ..After::default() }
    }),
    ("open under a former id and class", |w| wiped(w.open().open::<Renamed, String>(&w.tokens.former))),
    ("an Opener", |w| {
        let rec = w.keys.opener().only([Class::IDENTITY]).record("prescription", "RX-1").unwrap();
        wiped(rec.opened_by(&w.access).open::<Name, String>(&w.tokens.text))
    }),
    ("open_page", |w| {
        let records: Vec<_> = (0..20_u32).map(|_| w.rec()).collect();
        let opened: Vec<String> = rxseal::page::open_page(&records, &w.access, |_, pass| pass.open::<Name, _>(&w.tokens.text)).unwrap();
        opened.into_iter().for_each(|mut text| text.zeroize());
        done()
    }),
    ("Sealed::open", |w| wiped(Sealed::<String, Name>::from(w.tokens.text.clone()).open(&w.open()))),
    ("open a large value", |w| wiped(w.open().open::<Note, Vec<String>>(&w.tokens.large))),
    ("open_compromised", |w| {
        let keys = w.compromised();
        let rec = keys.record("prescription", "RX-1").unwrap().opened_by(&w.access);
        assert_eq!(rec.open::<Name, String>(&w.tokens.text).unwrap_err().code().as_str(), "key-compromised");
        wiped(rec.open_compromised::<Name, String>(&w.tokens.text).map(|suspect| suspect.expose_not_authentic()))
    }),
    ("open_in_place of text", |w| opened_in_place::<Name>(&w.open(), &w.tokens.text)),
    ("open_in_place of bytes", |w| opened_in_place::<Name>(&w.open(), &w.tokens.bytes)),
    ("open_in_place of a large value", |w| opened_in_place::<Note>(&w.open(), &w.tokens.scan)),
    ("open_in_place wide", |w| {
        opened_in_place::<Name>(&w.rec().wide().opened_by(&w.access), &w.tokens.wide);
        After { tokens: vec![w.tokens.wide.as_bytes().to_vec()], ..After::default() }
    }),
    ("open_in_place with a subject", |w| {
        opened_in_place::<Phone>(&w.rec().subject(&w.subject_key()).unwrap().opened_by(&w.access), &w.tokens.all_subject[1])
    }),
    ("open_in_place, suite c", |w| {
        opened_in_place::<Phone>(&w.chacha_open(), &w.tokens.all_chacha[1]);
        After { tokens: vec![w.tokens.all_chacha[1].as_bytes().to_vec()], ..After::default() }
    }),
    ("open_in_place under a former id and class", |w| opened_in_place::<Renamed>(&w.open(), &w.tokens.former)),
    ("an opening that panics between two fields", |w| {
        quietly(|| w.open().open_fields(|pass| -> Result<(), Error> {
            pass.open::<Name, String>(&w.tokens.text)?.zeroize();
            pass.open::<Note, Owned>(&w.tokens.json)?.zeroize();
            panic!("constant")
        }));
        done()
    }),
    ("passes inside passes", |w| {
        w.open().open_fields(|outer| {
            outer.open::<Name, String>(&w.tokens.text)?.zeroize();
            w.rec().seal_fields(|pass| {
                pass.seal::<Name>(TEXT)?;
                w.rec().reseal_fields(|pass| pass.reseal::<Note>(&w.tokens.json))?;
                pass.seal::<Note>(TEXT)
            })?;
            outer.open::<Note, Owned>(&w.tokens.json).map(|mut owned| owned.zeroize())
        }).unwrap();
        done()
    }),
    // Reading through serde, into fields that wipe themselves
    ("run_opening JSON", |w| { drop(w.open().run_opening(|| serde_json::from_str::<Reads>(&w.json)).unwrap()); done() }),
    ("opening JSON as a seed", |w| {
        let mut reader = serde_json::Deserializer::from_slice(w.json.as_bytes());
        drop(w.open().opening::<Reads>().deserialize(&mut reader).unwrap());
        done()
    }),
    ("run_opening JSON from a reader", |w| { drop(w.open().run_opening(|| serde_json::from_reader::<_, Reads>(w.json.as_bytes())).unwrap()); done() }),
    ("run_opening postcard", |w| { drop(w.open().run_opening(|| postcard::from_bytes::<Reads>(&w.postcard)).unwrap()); done() }),
    ("accept_plaintext into a Phi", |_| {
        drop(rxseal::accept_plaintext(|| serde_json::from_str::<Form>(FORM)).unwrap());
        done()
    }),
    // Moving tokens
    ("reseal", |w| { w.rec().reseal::<Name>(&w.tokens.text).unwrap(); w.rec().reseal::<Note>(&w.tokens.json).unwrap(); done() }),
    ("reseal_fields of all classes, suite X", |w| reseal_all(&w.rec(), &w.tokens.all)),
    ("reseal_fields of all classes, suite c", |w| reseal_all(&w.chacha.record("prescription", "RX-1").unwrap(), &w.tokens.all_chacha)),
    ("reseal_fields of all classes, with a subject", |w| reseal_all(&w.rec().subject(&w.subject_key()).unwrap(), &w.tokens.all_subject)),
    ("reseal_text", |w| {
        let texts = [&w.tokens.text, &w.tokens.json].map(Token::to_string);
        w.rec().reseal_fields(|pass| { pass.reseal_text::<Name>(&texts[0])?; pass.reseal_text::<Note>(&texts[1]) }).unwrap();
        done()
    }),
    ("reseal_into a vector that grows", |w| {
        let mut out = Vec::new();
        for _ in 0..20 {
            w.rec().reseal_fields(|pass| pass.reseal_into::<Name>(w.tokens.bytes.as_bytes(), &mut out)).unwrap();
        }
        done()
    }),
    ("reseal a large value", |w| sealed(w.rec().reseal::<Note>(&w.tokens.large))),
    ("reseal_text of a large value", |w| {
        w.rec().reseal_fields(|pass| pass.reseal_text::<Note>(&w.tokens.scan.to_string())).unwrap();
        done()
    }),
    ("reseal to wide", |w| sealed(w.rec().wide().reseal::<Name>(&w.tokens.text))),
    ("reseal under a former id and class", |w| sealed(w.rec().reseal::<Renamed>(&w.tokens.former))),
    ("reseal_page", |w| {
        reseal_page(&w.page(), |at, pass| pass.reseal_text::<Name>(&w.tokens.page[at].to_string())).unwrap();
        done()
    }),
    ("reseal_page that stops at an error", |w| failed(
        reseal_page(&w.page(), |at, pass| pass.reseal::<Name>(&w.tokens.page[at / 10])), "open-failed"
    )),
    ("rebind", |w| { w.rec().rebind::<Name>(&w.keys.record("prescription", "RX-2").unwrap(), &w.tokens.text, &w.access).unwrap(); done() }),
    ("reseal_compromised", |w| { w.compromised().record("prescription", "RX-1").unwrap().reseal_compromised::<Name>(&w.tokens.text).unwrap(); done() }),
    // Keys
    ("Keyring::create", |w| w.file(&run_local(rxseal::testing::create_keyring(KEYSPACE, &w.roots, Suite::default())).unwrap())),
    ("Keyring::unlock and drop", |w| { drop(run_local(Keyring::unlock(KEYSPACE, &w.roots, &w.stored)).unwrap()); done() }),
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
    ("Keyring::rotate", |w| w.file(&run_local(rxseal::testing::rotate_keyring(KEYSPACE, &w.roots, &w.stored)).unwrap())),
    ("Keyring::force_state to destroyed", |w| {
        let rotated = run_local(rxseal::testing::rotate_keyring(KEYSPACE, &w.roots, &w.stored)).unwrap();
        let old = w.tokens.text.key_id();
        w.file(&run_local(rxseal::testing::force_key_state(KEYSPACE, &w.roots, &rotated, old, KeyState::Destroyed)).unwrap())
    }),
    ("create_subject_key", |w| {
        let (key, wrapped) = w.keys.create_subject_key("patient-89").unwrap();
        drop(key);
        After { wrapped: vec![wrapped.as_bytes().to_vec()], ..After::default() }
    }),
    ("unwrap_subject_key", |w| { drop(w.subject_key()); done() }),
    ("rewrap_subject_key", |w| { w.keys.rewrap_subject_key(SUBJECT, &w.wrapped).unwrap(); done() }),
    ("a provider of one's own", |w| {
        let roots = RootKeys::from(Outside);
        let file = run_local(rxseal::testing::create_keyring(KEYSPACE, &roots, Suite::default())).unwrap();
        drop(run_local(Keyring::unlock(KEYSPACE, &roots, &file)).unwrap());
        let _ = w;
        done()
    }),
    // Root keys
    ("RootKeyFile::load", |w| { drop(RootKeyFile::new(&w.key_path).load().unwrap()); done() }),
    ("RootKeyFile::create", |w| {
        static CREATED: AtomicUsize = AtomicUsize::new(0);
        let path = w.folder.join(format!("created-{}.key", CREATED.fetch_add(1, Ordering::Relaxed)));
        let root = RootKeyFile::new(&path).create().unwrap();
        let file = run_local(rxseal::testing::create_keyring(KEYSPACE, &RootKeys::from(root), Suite::default())).unwrap();
        After { files: vec![(path.to_str().unwrap().to_owned(), file.to_string())], ..After::default() }
    }),
    ("LocalRootKey::from_env", |_| { drop(LocalRootKey::from_env(VARIABLE).unwrap()); done() }),
    // Dropping
    ("drop of a Phi", |w| {
        let _ = w;
        drop(Phi::<String, Name>::new(TEXT.to_owned()));
        drop(Phi::<Vec<u8>, Name>::new(BYTES.to_vec()));
        drop(Phi::<Option<String>, Name>::new(Some(TEXT.to_owned())));
        drop(Phi::<Vec<String>, Name>::new(vec![TEXT.to_owned(), TEXT.to_owned()]));
        drop(Phi::<Owned, Name>::new(Owned::from(&PATIENT)));
        done()
    }),
    ("drop of a Phi in a panic", |_| {
        quietly(|| { let _phi = Phi::<String, Name>::new(TEXT.to_owned()); panic!("constant") });
        done()
    }),
    ("a record that is dropped on another thread", |w| {
        let rec = w.rec().subject(&w.subject_key()).unwrap();
        seal_all(&rec);
        watched_to_its_end(move || seal_all(&rec))
    }),
    // What fails
    ("open a changed token", |w| failed(w.open().open::<Name, String>(&w.tokens.changed), "open-failed")),
    ("open for another record", |w| {
        let other = w.keys.record("prescription", "RX-2").unwrap();
        failed(other.opened_by(&w.access).open::<Name, String>(&w.tokens.text), "open-failed")
    }),
    ("open another type", |w| failed(w.open().open::<Name, u64>(&w.tokens.text), "type-mismatch")),
    ("open a struct of another type", |w| failed(w.open().open::<Note, Vec<u64>>(&w.tokens.json), "type-mismatch")),
    ("open_into of a struct", |w| failed(w.open().open_fields(|pass| pass.open_into::<Note>(w.tokens.json.as_bytes(), &mut Vec::new())), "type-mismatch")),
    ("open_into of a struct with room", |w| {
        let mut out = with_room(b"before", 10_000);
        failed(w.open().open_fields(|pass| pass.open_into::<Note>(w.tokens.json.as_bytes(), &mut out)), "type-mismatch")
    }),
    ("open_into of a changed token with room", |w| {
        let mut out = with_room(b"before", 1000);
        failed(w.open().open_fields(|pass| pass.open_into::<Name>(w.tokens.changed.as_bytes(), &mut out)), "open-failed")
    }),
    ("open_in_place of a struct", |w| given_back_in_place::<Note>(&w.open(), &w.tokens.json, "type-mismatch")),
    ("open_in_place of a struct under a former id", |w| {
        given_back_in_place::<Renamed>(&w.open(), &w.tokens.former_json, "type-mismatch")
    }),
    ("open_in_place of a changed token", |w| given_back_in_place::<Name>(&w.open(), &w.tokens.changed, "open-failed")),
    ("open of a locked class", |w| {
        let rec = w.keys.opener().only([Class::CONTACT]).record("prescription", "RX-1").unwrap();
        failed(rec.opened_by(&w.access).open::<Name, String>(&w.tokens.text), "class-locked")
    }),
    ("seal too large a text", |w| failed(w.rec().seal::<Short>(TWICE), "too-large")),
    ("seal too large a JSON", |w| failed(w.rec().seal::<Short>(&[TEXT, TEXT]), "too-large")),
    ("seal too large a JSON as text", |w| failed(w.rec().seal_text::<Short>(&[TEXT, TEXT]), "too-large")),
    ("seal NaN behind a text", |w| failed(w.rec().seal::<Note>(&(TEXT, f64::NAN)), "not-finite")),
    ("seal what fails to serialize", |w| failed(w.rec().seal::<Note>(&Breaks::Fails), "unrepresentable")),
    ("seal a token", |w| failed(w.rec().seal::<Name>(&w.tokens.text.to_string()), "token-as-plaintext")),
    ("seal a field twice", |w| failed(w.rec().seal_fields(|pass| { pass.seal::<Name>(TEXT)?; pass.seal::<Name>(TEXT) }), "field-repeated")),
    ("seal_in_place a field twice", |w| refused_in_place(0, "field-repeated", |buffer| {
        w.rec().seal_fields(|pass| { pass.seal::<Name>(TEXT)?; pass.seal_in_place::<Name>(buffer) })
    })),
    ("seal_in_place a field twice with room", |w| refused_in_place(500, "field-repeated", |buffer| {
        w.rec().seal_fields(|pass| { pass.seal::<Name>(TEXT)?; pass.seal_in_place::<Name>(buffer) })
    })),
    ("seal_in_place too large a value", |w| refused_in_place(500, "too-large", |buffer| {
        buffer.extend_from_slice(TEXT.as_bytes());
        w.rec().seal_fields(|pass| pass.seal_in_place::<Short>(buffer))
    })),
    ("seal_in_place in a locked class", |w| refused_in_place(0, "class-locked", |buffer| {
        let rec = w.keys.sealer().only([Class::CONTACT]).record("prescription", "RX-1").unwrap();
        rec.seal_fields(|pass| pass.seal_in_place::<Name>(buffer))
    })),
    ("reseal a changed token", |w| failed(w.rec().reseal::<Name>(&w.tokens.changed), "open-failed")),
    ("reseal what is too large by now", |w| {
        failed(w.rec().reseal::<Short>(&w.tokens.long), "too-large");
        let mut out = with_room(b"before", 1000);
        failed(w.rec().reseal_fields(|pass| pass.reseal_into::<Short>(w.tokens.long.as_bytes(), &mut out)), "too-large")
    }),
    ("reseal_text a field twice", |w| failed(w.rec().reseal_fields(|pass| {
        pass.reseal::<Name>(&w.tokens.bytes)?;
        pass.reseal_text::<Name>(&w.tokens.text.to_string())
    }), "field-repeated")),
    ("seal what panics", |w| { quietly(|| w.rec().seal::<Note>(&Breaks::Panics)); done() }),
    ("seal_text what panics", |w| { quietly(|| w.rec().seal_text::<Note>(&Breaks::Panics)); done() }),
    ("seal_into what panics", |w| {
        let mut out = Vec::new();
        quietly(|| w.rec().seal_fields(|pass| pass.seal_into::<Note>(&Breaks::Panics, &mut out)));
        done()
    }),
    ("seal what panics in Display", |w| { quietly(|| w.rec().seal::<Name>(&BreaksInDisplay)); done() }),
    ("sealing JSON of what panics", |w| { quietly(|| serde_json::to_string(&w.rec().sealing(&PhiBreaks(Phi::new(Breaks::Panics))))); done() }),
    ("open what panics", |w| { quietly(|| w.open().open::<Name, PanicsReading>(&w.tokens.text)); done() }),
    ("run_opening with one token changed", |w| {
        let json = w.json.replace(&w.tokens.text_in_json, &w.tokens.changed.to_string());
        assert_eq!(w.open().run_opening(|| serde_json::from_str::<Reads>(&json)).err().unwrap().code().as_str(), "open-failed");
        done()
    }),
    ("unlock a changed keyring", |w| {
        let changed: KeyringFile = w.stored.to_string().replace("\"generation\": 1", "\"generation\": 2").parse().unwrap();
        failed(run_local(Keyring::unlock(KEYSPACE, &w.roots, &changed)), "unlock-failed")
    }),
    ("unlock a keyring whose wrap was changed", |w| failed(run_local(Keyring::unlock(KEYSPACE, &w.roots, &w.wrong_wrap)), "unlock-failed")),
    ("unwrap a subject key of another subject", |w| failed(w.keys.unwrap_subject_key("patient-1", &w.wrapped), "subject-key-refused")),
    // Search
    ("index values, a query and a drop of the keys", |w| {
        let keys = w.with_index_roots();
        let (indexer, record) = (keys.indexer().unwrap(), keys.record("prescription", "RX-1").unwrap());
        let stored = indexer.stored::<Indexed>(&record, &()).unwrap();
        let slotted = indexer.stored::<Slotted>(&record, &()).unwrap();
        assert!(indexer.asked::<Indexed>(|_, forms| forms.push(&[TEXT.as_bytes()])).unwrap().contains(&stored.unwrap()));
        indexer.verify::<Slotted>(&record, &(), &slotted).unwrap();
        done()
    }),
    ("index too long a text", |w| {
        let indexer = w.with_index_roots().indexer().unwrap();
        failed(indexer.asked::<Indexed>(|_, forms| { forms.push(&[TEXT.as_bytes()])?; forms.push(&[&[b'x'; 257]]) }), "not-indexable")
    }),
    ("index a row again", |w| {
        let row = SealedSearched { id: "RX-1".to_owned(), name: w.tokens.text.clone().into(), named_by: None };
        let indexed = w.with_index_roots().reindex(&row, &w.access).unwrap();
        assert!(indexed.row().named_by.is_some());
        done()
    }),
    ("a stranger of a search", |w| {
        let row = SealedSearched { id: "RX-1".to_owned(), name: w.tokens.text.clone().into(), named_by: None };
        let keys = w.with_index_roots();
        let query = keys.indexer().unwrap().find::<NamedBy>("somebody else").unwrap();
        let mut hits = query.hits(&keys, [row], &w.access);
        assert!(hits.next().is_none() && hits.candidates() == 1);
        done()
    }),
    // A text that many rows have is kept, and the others are not.
    ("a plan of an index", |_| {
        let shape = plan::Shape::new("patient.tried", Kind::Whole, 1, 8).unwrap();
        let mut plan = plan::Plan::new(2000).shape(shape, |text: &str, forms| forms.push(&[text.as_bytes()])).unwrap();
        (0..60).for_each(|_| plan.sample(TEXT));
        assert!(!plan.report().is_accepted());
        done()
    }),
    ("load a damaged key file", |w| failed(RootKeyFile::new(&w.damaged_path).load(), "invalid-root-key")),
];

#[test]
fn rxseal_gives_back_no_plaintext_and_no_key() {
    let found = elsewhere(|| {
        let world = World::make();
        let one_after_the_other = PATHS.iter().map(|(name, path)| looked_into(world, name, || vec![path(world)]));
        one_after_the_other.collect::<Report>()
    });
    println!("{} paths, {} blocks given back, {} hits", PATHS.len(), found.blocks, found.hits.len());
    assert!(PATHS.len() >= 120);
    assert!(found.hits.is_empty(), "T42 does not hold:\n{}", found.hits.join("\n"));
}

/// The same in a thread for each path, twice, so that the second time works with what the thread kept of the first; and what
/// it kept then is given back at its end.
#[test]
fn a_thread_that_ends_gives_back_no_plaintext_and_no_key() {
    let world = elsewhere(World::make);
    let of_its_own = |path: fn(&World) -> After| move || watched_to_its_end(|| vec![path(world), path(world)]);
    let found: Report = PATHS.iter().map(|(name, path)| looked_into(world, name, of_its_own(*path))).collect();
    println!("{} threads, {} blocks given back, {} hits", PATHS.len(), found.blocks, found.hits.len());
    assert!(found.hits.is_empty(), "T42 does not hold:\n{}", found.hits.join("\n"));
}

#[derive(Default)]
struct Report {
    blocks: usize,
    hits: Vec<String>,
}

impl FromIterator<Report> for Report {
    fn from_iter<I: IntoIterator<Item = Report>>(reports: I) -> Self {
        reports.into_iter().fold(Self::default(), |mut all, one| {
            all.blocks += one.blocks;
            all.hits.extend(one.hits);
            all
        })
    }
}

/// What the path `name` gave back while it was watched.
fn looked_into(world: &'static World, name: &str, run: impl FnOnce() -> Vec<After>) -> Report {
    let (after, given) = watch(run);
    elsewhere(|| {
        let mut made = Vec::new();
        after.iter().for_each(|after| add_new_keys(world, after, &mut made));
        let found = [world.index().hits(given.blocks()), Index::of(&made).hits(given.blocks())].concat();
        Report { blocks: given.blocks().count(), hits: found.iter().map(|what| format!("{name}: {what}")).collect() }
    })
}

/// Records and clones hold on to the keys of a keyring, each thread's by a count of its own. The keys are there as long as any record is,
/// on whichever thread, and are wiped with the last one.
#[test]
fn the_last_record_takes_the_keys_with_it() {
    /// Goes with the keys: it is dropped where they are.
    struct Beside(Arc<AtomicBool>);
    impl Observer for Beside {
        fn opened(&self, _: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
            Ok(())
        }
    }
    impl Drop for Beside {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    // More than there are counts, so that some share one.
    const THREADS: usize = 20;

    let world = elsewhere(World::make);
    let gone = Arc::new(AtomicBool::new(false));
    let is_gone = || gone.load(Ordering::SeqCst);
    let ((), given) = watch(|| {
        let keys = watched_to_its_end(|| {
            let unlocked = run_local(Keyring::unlock(KEYSPACE, &world.roots, &world.stored)).unwrap();
            unlocked.observed_by(Beside(Arc::clone(&gone)))
        });
        let (made, dropped) = (Arc::new(Barrier::new(THREADS + 1)), Arc::new(Barrier::new(THREADS + 1)));
        let threads = Vec::from_iter((0..THREADS).map(|thread| {
            let (keys, made, dropped) = (keys.clone(), Arc::clone(&made), Arc::clone(&dropped));
            clean_stack();
            std::thread::spawn(move || {
                clean_stack();
                std::mem::forget(Watching::begin());
                let rec = keys.record("prescription", "RX-1").unwrap();
                let sealer = keys.sealer().only([Class::IDENTITY]).record("prescription", "RX-1").unwrap();
                let open = keys.opener().record("prescription", "RX-1").unwrap().opened_by(&world.access);
                drop(keys);
                made.wait();
                dropped.wait();
                // The keyring is gone, and its records are none the worse.
                let tokens = all_fields(&rec);
                open_all(&open, &tokens);
                sealed(sealer.seal::<Name>(TEXT));
                // One of them leaves its thread.
                (thread == 7).then_some(rec)
            })
        }));
        made.wait();
        drop(keys);
        assert!(!is_gone(), "the records hold on to it");
        dropped.wait();
        let left = threads.into_iter().filter_map(|thread| thread.join().unwrap());
        let [last] = left.collect::<Vec<_>>().try_into().unwrap();
        assert!(!is_gone(), "the last record holds on to it");
        watched_to_its_end(|| {
            seal_all(&last);
            drop(last);
        });
        assert!(is_gone(), "the last record was not the last");
    });
    let found = elsewhere(|| world.index().hits(given.blocks()));
    assert!(found.is_empty(), "keys outlive their records:\n{}", found.join("\n"));
    let wiped = given.blocks().filter(|block| **block == [0; 32]).count();
    assert!(wiped >= 2, "the DEK and the index root lie in blocks of their own, which were given back");
}

/// Ordinary code, each kind of which leaves something behind: the search must find every one.
#[test]
#[rustfmt::skip]
fn leaking_controls_are_caught() {
    let world = World::make();
    let root = keys::root_key(&world.root_line);
    let round_keys = world.round_keys_of_a_message();
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
        ("an expanded AES key", &|| drop(std::hint::black_box(Box::new(round_keys)))),
        ("half of it wiped", &|| {
            let mut half = TEXT.as_bytes().to_vec();
            half[..24].zeroize();
            drop(std::hint::black_box(half));
        }),
    ];
    for (name, control) in controls {
        let ((), given) = watch(control);
        assert!(!world.index().hits(given.blocks()).is_empty(), "the control `{name}` was not caught");
    }
    println!("{} leaking controls, all caught", controls.len());
    assert!(controls.len() >= 6);
}

/// A cipher that is given back as it is: every round key and every power of its GHASH key is found, which shows that they are
/// looked for as the crates of RustCrypto keep them where there are instructions for both.
#[test]
#[cfg(target_arch = "x86_64")]
fn an_expanded_key_is_known_by_every_piece() {
    use aes_gcm::KeyInit;
    if !["aes", "pclmulqdq", "avx"].iter().all(|feature| has(feature)) {
        println!("not looked at: this processor has no instructions for it");
        return;
    }
    let key = [0x5A; 32];
    let mut needles = Vec::new();
    add_message_key("message key", &key, &mut needles);
    let ((), given) = watch(|| {
        let cipher = std::mem::ManuallyDrop::new(aes_gcm::Aes256Gcm::new(&key.into()));
        drop(std::hint::black_box(Box::new(cipher)));
    });
    let found = Index::of(&needles).hits(given.blocks());
    let pieces = |what: &str| found.iter().filter(|found| found.starts_with(what)).count();
    let counted = [pieces("message key"), pieces("round keys"), pieces("powers of the GHASH key")];
    assert_eq!(counted, [2, 13, 8], "{found:?}");

    fn has(feature: &str) -> bool {
        match feature {
            "aes" => is_x86_feature_detected!("aes"),
            "avx" => is_x86_feature_detected!("avx"),
            _ => is_x86_feature_detected!("pclmulqdq"),
        }
    }
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
    for (name, limit) in limits {
        let ((), given) = watch(limit);
        let found = world.index().hits(given.blocks());
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
    let index = world.index();
    let count = |work: &(dyn Fn() + Sync)| {
        std::thread::scope(|scope| {
            let found = scope.spawn(|| {
                work();
                let below = stack_below();
                index.hits([below.as_slice()])
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

/// Base64url that decodes to plaintext: cut off as a token, not canonical at its end, and not base64url there.
static DISGUISED: std::sync::LazyLock<[String; 4]> = std::sync::LazyLock::new(|| {
    use base64::Engine;
    let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(TEXT);
    [format!("rxsX{}", &text[..40]), format!("rxsQ{text}{text}"), format!("rxsX{text}="), format!("rxsX{text}!")]
});

/// Base64url of plaintext that has the whole form of a token, by chance or since a user joined the two.
static IMPOSTOR: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    use base64::Engine;
    format!("rxsX{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(TEXT))
});

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
    /// A large value of bytes.
    scan: Vec<u8>,
    tokens: Tokens,
    json: String,
    postcard: Vec<u8>,
    deks: OnceLock<BTreeMap<Vec<u8>, keys::Key>>,
    needles: OnceLock<Vec<Needle>>,
    index: OnceLock<Index<'static>>,
}

struct Tokens {
    text: Token,
    bytes: Token,
    json: Token,
    large: Token,
    wide: Token,
    many_wide: Vec<Token>,
    former: Token,
    former_json: Token,
    /// Of a limit that was lowered since.
    long: Token,
    /// Of `World::scan`.
    scan: Token,
    /// Of the records of `World::page`.
    page: Vec<Token>,
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
        let roots = RootKeys::from(RootKeyFile::new(&key_path).load_or_create().unwrap());
        let root_line = std::fs::read_to_string(&key_path).unwrap();
        let damaged_path = folder.join("damaged.key");
        std::fs::copy(&key_path, &damaged_path).unwrap();
        std::fs::write(&damaged_path, root_line.trim_end().to_owned() + "A\n").unwrap();
        // Before any thread of this test reads the environment: `make` runs once, under a lock.
        unsafe { std::env::set_var(VARIABLE, root_line.trim_end()) };

        let create = |suite| run_local(rxseal::testing::create_keyring(KEYSPACE, &roots, suite)).unwrap();
        let unlock = |file: &KeyringFile| run_local(Keyring::unlock(KEYSPACE, &roots, file)).unwrap().unobserved();
        let stored = create(Suite::Xaes256Gcm);
        let chacha_stored = create(Suite::XChaCha20Poly1305);
        let (keys, chacha) = (unlock(&stored), unlock(&chacha_stored));
        let rotated = run_local(rxseal::testing::rotate_keyring(KEYSPACE, &roots, &stored)).unwrap();
        let old = keys.primary_key();
        let compromised_stored =
            run_local(rxseal::testing::force_key_state(KEYSPACE, &roots, &rotated, old, KeyState::Compromised))
                .unwrap();
        let wrapped_field = |file: &KeyringFile| {
            let json: serde_json::Value = serde_json::from_str(&file.to_string()).unwrap();
            json["wraps"][0]["wrapped"].as_str().unwrap().to_owned()
        };
        let wrong_wrap = stored.to_string().replace(&wrapped_field(&stored), &wrapped_field(&chacha_stored));

        let (subject_key, wrapped) = keys.create_subject_key(SUBJECT).unwrap();
        let rec = keys.record("prescription", "RX-1").unwrap();
        let scan = TEXT.repeat(LARGE).into_bytes();
        let text = rec.seal::<Name>(TEXT).unwrap();
        let mut changed = text.clone().into_bytes();
        *changed.last_mut().unwrap() ^= 1;
        let json = serde_json::to_string(&rec.sealing(&writes())).unwrap();
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        let tokens = Tokens {
            bytes: rec.seal::<Name>(&Raw(BYTES)).unwrap(),
            json: rec.seal::<Note>(&PATIENT).unwrap(),
            large: rec.seal::<Note>(&vec![TEXT; LARGE]).unwrap(),
            wide: rec.seal_fields(|_| keys.record("prescription", "RX-1")?.wide().seal::<Name>(TEXT)).unwrap(),
            many_wide: (0..40)
                .map(|_| keys.record("prescription", "RX-1").unwrap().wide().seal::<Name>(TEXT).unwrap())
                .collect(),
            former: rec.seal::<before::OlderName>(TEXT).unwrap(),
            former_json: rec.seal::<before::OlderName>(&PATIENT).unwrap(),
            long: rec.seal::<before::Long>(TWICE).unwrap(),
            scan: {
                let mut scan = scan.clone();
                rec.seal_fields(|pass| pass.seal_in_place::<Note>(&mut scan)).unwrap();
                Token::try_from(scan).unwrap()
            },
            page: seal_page(&page_of(&keys), |_, pass| pass.seal::<Name>(TEXT)).unwrap(),
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
            scan,
            tokens,
            json,
            postcard,
            deks: OnceLock::new(),
            needles: OnceLock::new(),
            index: OnceLock::new(),
        }
    }

    fn page(&self) -> Vec<Record> {
        page_of(&self.keys)
    }

    fn rec(&self) -> Record {
        self.keys.record("prescription", "RX-1").unwrap()
    }

    fn open(&self) -> RecordReader {
        self.rec().opened_by(&self.access)
    }

    fn chacha_open(&self) -> RecordReader {
        self.chacha.record("prescription", "RX-1").unwrap().opened_by(&self.access)
    }

    fn subject_key(&self) -> rxseal::subjects::SubjectKey {
        self.keys.unwrap_subject_key(SUBJECT, &self.wrapped).unwrap()
    }

    fn compromised(&self) -> Keyring {
        run_local(Keyring::unlock(KEYSPACE, &self.roots, &self.compromised_stored)).unwrap().unobserved()
    }

    fn file(&self, file: &KeyringFile) -> After {
        After { files: vec![(self.key_path.to_str().unwrap().to_owned(), file.to_string())], ..After::default() }
    }

    fn with_index_roots(&self) -> Keyring {
        let options = UnlockOptions::default().with_index_roots();
        run_local(Keyring::unlock_with(options, KEYSPACE, &self.roots, &self.stored)).unwrap().unobserved()
    }

    fn index(&'static self) -> &'static Index<'static> {
        self.index.get_or_init(|| Index::of(self.needles.get_or_init(|| self.make_needles())))
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
        let dek = self.dek_of(self.wrapped.key_id().as_bytes());
        let (wrap, subject) = keys::subject_key(&dek, KEYSPACE, SUBJECT, self.wrapped.as_bytes());
        add_aes_key("wrap key of subject keys", &wrap, &self.wrapped.as_bytes()[9..], &mut needles);
        needles.push(Needle::key("subject key", &subject));
        for class in CLASSES.map(|class| class.as_str()) {
            let key = keys::subject_class_key(&dek, &subject, KEYSPACE, b'X', class, SUBJECT);
            let digest = keys::context_digest(KEYSPACE, "prescription", "RX-1", Some(SUBJECT));
            add_aes_key(&format!("class key {class} with subject"), &key, &digest, &mut needles);
            let key = keys::class_key(&dek, "seal", KEYSPACE, b'X', class);
            for digest in contexts() {
                add_message_key(&format!("of another record, {class}"), &keys::xaes(&key, &digest).0, &mut needles);
            }
        }
        needles
    }

    /// Round keys without the key itself.
    fn round_keys_of_a_message(&self) -> [u8; 208] {
        let dek = self.dek_of(self.keys.primary_key().as_bytes());
        let class_key = keys::class_key(&dek, "seal", KEYSPACE, b'X', "clinical");
        let digest = keys::context_digest(KEYSPACE, "prescription", "RX-1", None);
        keys::round_keys(&keys::xaes(&class_key, &digest).0).as_flattened().try_into().unwrap()
    }

    fn dek_of(&self, key_id: &[u8]) -> keys::Key {
        let deks = self.deks.get_or_init(|| {
            let root = keys::root_key(&self.root_line);
            let files = [&self.stored, &self.chacha_stored, &self.compromised_stored].map(KeyringFile::to_string);
            files.iter().flat_map(|file| keys::unlock(&root, file).body).collect()
        });
        deks[key_id]
    }
}

/// The records of a page.
fn page_of(keys: &Keyring) -> Vec<Record> {
    (0..20_u32).map(|id| keys.record("prescription", id).unwrap()).collect()
}

/// The digests of every context of the paths but `RX-1`, which all keys are looked for in.
fn contexts() -> Vec<[u8; 32]> {
    let record = |id: &str| keys::context_digest(KEYSPACE, "prescription", id, None);
    let mut contexts = vec![record("RX-2"), keys::part_digest(KEYSPACE, "prescription", "RX-1", ("line", "2"))];
    contexts.extend(["1", "2"].map(|id| keys::part_digest(KEYSPACE, "prescription", "RX-1", ("memory.phone", id))));
    contexts.extend((0..20).map(|id| record(&id.to_string())));
    contexts
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
    let [wrapped, body] = keys::envelopes(file);
    add_aes_key("root-wrap key", &unlocked.root_wrap, &wrapped, needles);
    needles.push(Needle::key("KEK", &unlocked.kek));
    add_aes_key("body key", &unlocked.body_key, &body, needles);
    let digest = keys::context_digest(KEYSPACE, "prescription", "RX-1", None);
    for (_, dek) in &unlocked.body {
        needles.push(Needle::key("DEK or index root", dek));
        let record_key = keys::derive(dek, "record", &[(2, KEYSPACE.as_bytes())]);
        let index_keys = INDEXES.map(|index| keys::index_key(dek, KEYSPACE, index));
        for key in index_keys.iter().chain([&record_key]) {
            needles.push(Needle::key("HMAC key", key));
            for state in keys::hmac_midstates(key) {
                needles.push(Needle::key("state of an HMAC key", &state));
            }
        }
        for class in CLASSES.map(|class| class.as_str()) {
            let key = |letter| keys::class_key(dek, "seal", KEYSPACE, letter, class);
            // With letter `x`, a nonce's own bytes stand in place of the digest: `add_new_keys`.
            for letter in *b"Xx" {
                add_aes_key(&format!("class key {class} {}", char::from(letter)), &key(letter), &digest, needles);
            }
            needles.push(Needle::key(format!("class key {class} c"), &key(b'c')));
            needles.push(Needle::key(
                format!("subject input {class}"),
                &keys::class_key(dek, "subject", KEYSPACE, b'X', class),
            ));
        }
    }
}

/// A key of XAES, expanded, and the key of the messages whose nonce begins as `nonce` does.
fn add_aes_key(what: &str, key: &keys::Key, nonce: &[u8], needles: &mut Vec<Needle>) {
    let (kx, k1) = keys::xaes(key, nonce);
    needles.push(Needle::key(what, key));
    needles.push(Needle::key(format!("K1 under {what}"), &k1));
    needles.push(Needle::key(format!("round keys of {what}"), keys::round_keys(key).as_flattened()));
    add_message_key(&format!("message key under {what}"), &kx, needles);
}

/// A key of AES-256-GCM, expanded, and the GHASH key under it, in both orders of its bytes and as powers.
fn add_message_key(what: &str, kx: &keys::Key, needles: &mut Vec<Needle>) {
    use aes_gcm::KeyInit;
    use aes_gcm::aes::cipher::BlockCipherEncrypt;
    let mut h = [0; 16].into();
    aes_gcm::aes::Aes256::new(kx.into()).encrypt_block(&mut h);
    let mut h: [u8; 16] = h.into();
    needles.push(Needle::key(what, kx));
    needles.push(Needle::key(format!("round keys of {what}"), keys::round_keys(kx).as_flattened()));
    needles.push(Needle::key(format!("powers of the GHASH key of {what}"), keys::ghash_keys(h).as_flattened()));
    needles.push(Needle::key(format!("GHASH key of {what}"), &h));
    h.reverse();
    needles.push(Needle::key(format!("GHASH key of {what}, reversed"), &h));
}

/// The keys that a path made.
fn add_new_keys(world: &World, after: &After, needles: &mut Vec<Needle>) {
    for (key_path, file) in &after.files {
        add_keys(&std::fs::read_to_string(key_path).unwrap(), file, needles);
    }
    for wrapped in &after.wrapped {
        let (_, key) = keys::subject_key(&world.dek_of(&wrapped[3..9]), KEYSPACE, "patient-89", wrapped);
        needles.push(Needle::key("new subject key", &key));
    }
    for token in &after.tokens {
        let (letter, nonce) = (token[2], &token[9..]);
        // With letter `X`, it is one of those of the record.
        if letter == 0x17 {
            continue;
        }
        let dek = world.dek_of(&token[3..9]);
        for class in CLASSES.map(|class| class.as_str()) {
            let key = |letter| keys::class_key(&dek, "seal", KEYSPACE, letter, class);
            if letter == 0x31 {
                add_message_key(&format!("of a wide token, {class}"), &keys::xaes(&key(b'x'), nonce).0, needles);
            } else {
                let key = keys::chacha_key(&key(b'c'), nonce);
                needles.push(Needle::key(format!("ChaCha's key of a token, {class}"), &key));
            }
        }
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

#[derive(Serialize, serde::Deserialize, rxseal::Wipe, Zeroize)]
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

#[derive(rxseal::Wipe, Zeroize)]
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

impl rxseal::forms::Wipe for Breaks {
    fn wipe(&mut self) {}
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
        Box::pin(std::future::ready(Kek::from_bytes(&*KEPT.lock().unwrap())))
    }
}

// What the paths have in common

/// Runs `work` in a thread that is watched to its end: what a thread keeps for its next call goes then.
fn watched_to_its_end<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    elsewhere(|| {
        std::mem::forget(Watching::begin());
        work()
    })
}

/// Runs `work` in another thread.
///
/// The blocks that the standard library makes for a thread have unused room, into which comes what lies on the stack of
/// whoever makes it; and the stack itself may have been another thread's before. So both are cleaned first: what is found then
/// is of `work`.
fn elsewhere<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    clean_stack();
    let on_a_clean_stack = || {
        clean_stack();
        work()
    };
    std::thread::scope(|scope| scope.spawn(on_a_clean_stack).join().unwrap())
}

/// Overwrites what earlier calls left below the caller's frame.
#[inline(never)]
fn clean_stack() {
    std::hint::black_box(&mut [0_u8; 512 * 1024]);
}

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
    assert_eq!(result.err().map(|error| error.code().as_str()), Some(code));
    done()
}

/// Runs `work`, which panics.
fn quietly<T>(work: impl FnOnce() -> T) {
    assert!(catch_unwind(AssertUnwindSafe(work)).is_err(), "it was to panic");
}

fn all_fields<R: rxseal::roles::MaySeal>(rec: &Record<R>) -> Vec<Token> {
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
    After { tokens: all_fields(rec).into_iter().map(Token::into_bytes).collect(), ..After::default() }
}

fn reseal_all(rec: &Record, tokens: &[Token]) -> After {
    let resealed = rec.reseal_fields(|pass| {
        Ok::<_, Error>(vec![
            pass.reseal::<Name>(&tokens[0])?,
            pass.reseal::<Phone>(&tokens[1])?,
            pass.reseal::<Drug>(&tokens[2])?,
            pass.reseal::<Prescriber>(&tokens[3])?,
            pass.reseal::<Note>(&tokens[4])?,
            pass.reseal::<Plan>(&tokens[5])?,
        ])
    });
    let both = tokens.iter().cloned().chain(resealed.unwrap());
    After { tokens: both.map(Token::into_bytes).collect(), ..After::default() }
}

fn open_all(open: &RecordReader, tokens: &[Token]) -> After {
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

fn with_room(content: &[u8], room: usize) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(content.len() + room);
    buffer.extend_from_slice(content);
    buffer
}

/// Wipes what a buffer holds, which is the caller's to do. The room behind it is as rxseal left it.
fn wiped_content(mut buffer: Vec<u8>) -> After {
    buffer.as_mut_slice().zeroize();
    drop(buffer);
    done()
}

fn sealed_in_place(rec: &Record, content: &[u8], room: usize) -> After {
    let mut buffer = with_room(content, room);
    rec.seal_fields(|pass| pass.seal_in_place::<Note>(&mut buffer)).unwrap();
    After { tokens: vec![buffer.clone()], ..After::default() }
}

fn refused_in_place(room: usize, code: &str, seal: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>) -> After {
    let mut buffer = with_room(BYTES, room);
    failed(seal(&mut buffer), code);
    assert!(buffer.starts_with(BYTES));
    wiped_content(buffer)
}

fn opened_in_place<F: Field>(open: &RecordReader, token: &Token) -> After {
    let mut buffer = token.as_bytes().to_vec();
    open.open_fields(|pass| pass.open_in_place::<F>(&mut buffer)).unwrap();
    wiped_content(buffer)
}

/// The buffer holds the token, which is public, and is given back as it is.
fn given_back_in_place<F: Field>(open: &RecordReader, token: &Token, code: &str) -> After {
    let mut buffer = with_room(token.as_bytes(), 300);
    failed(open.open_fields(|pass| pass.open_in_place::<F>(&mut buffer)), code);
    assert_eq!(buffer, token.as_bytes());
    done()
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
