//! The vectors of tests/vectors of search. Run with `--nocapture` to see how much ran.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::declared::check_former;
use super::owner::Owner;
use super::prepared::Prepared;
use super::{Definition, Forms, Index, IndexSet, IndexValue, Indexer, Kind, SlotOwner, SlotTable, StoredIndex};
use crate::backend::Backend;
use crate::error::{Error, ErrorKind};
use crate::id::{Class, FieldId, Identifier, KeyId};
use crate::key::{IndexRoot, KeyInfo, KeyState, KeyUse};
use crate::keyring::UnlockOptions;
use crate::record::{IndexOnly, Record};
use crate::secret::SecretBytes;
use crate::vector_tests::{Vector, unlock, vectors};

mod python;

/// Runs `$body` with `$index` as the index of a vector, which must be declared as the vector says.
macro_rules! with_index {
    ($vector:ident, $owner:expr, $index:ident => $body:block) => {
        match ($vector.text("index"), $owner) {
            ("patient.born", _) => with_index!(@ $vector, Born, $index => $body),
            ("patient.last", "person") => with_index!(@ $vector, LastByPerson, $index => $body),
            ("patient.last", _) => with_index!(@ $vector, LastByRecord, $index => $body),
            ("patient.names", _) => with_index!(@ $vector, Names, $index => $body),
            ("patient.lastdob", _) => with_index!(@ $vector, LastAndBorn, $index => $body),
            (other, _) => panic!("{}: index {other}", $vector.file),
        }
    };
    (@ $vector:ident, $declared:ident, $index:ident => $body:block) => {{
        type $index = $declared;
        let digest = |definition: &Definition| definition.digest(Backend::RustCrypto);
        let former: Vec<_> = $vector.get("former").as_array().unwrap().iter().map(|one| digest(&definition(one, "record"))).collect();
        assert_eq!(digest(&$index::DEFINITION), digest(&definition($vector.get("definition"), "record")), "{}", $vector.file);
        assert_eq!($index::FORMER.iter().map(digest).collect::<Vec<_>>(), former, "{}", $vector.file);
        $body
    }};
}

#[test]
fn value_vectors() {
    let mut values = 0;
    for vector in vectors("index_value", 208) {
        for backend in Backend::ALL {
            let outcome = computed(*backend, &vector.json);
            vector.check_code(&outcome);
            let Ok(Computed { key, digest, prefix, table, values: made, stored }) = outcome else { continue };
            vector.check_bytes("key_hex", key.expose_bytes());
            assert_eq!(Sha256::digest(vector.bytes("definition_hex")).as_slice(), vector.bytes("digest_hex"));
            vector.check_bytes("digest_hex", &digest);
            vector.check_bytes("prefix_hex", &prefix);
            if let Some(table) = table {
                vector.check_bytes("table_hex", &table);
            }
            let expected = vector.get("values").as_array().unwrap();
            assert_eq!(made.len(), expected.len(), "{}", vector.file);
            for ((slots, slot, value), expected) in made.iter().zip(expected) {
                assert_eq!(slots.map(u64::from), expected["slots"].as_u64(), "{}", vector.file);
                assert_eq!(slot.map(u64::from), expected["slot"].as_u64(), "{}", vector.file);
                assert_eq!(value.to_string(), expected["text"].as_str().unwrap(), "{}", vector.file);
                assert_eq!(hex(value.as_bytes()), expected["value_hex"].as_str().unwrap(), "{}", vector.file);
                values += 1;
            }
            assert_eq!(texts(stored.as_slice()), list(vector.get("stored")), "{}", vector.file);
        }
    }
    println!("index_value: {values} values");
}

/// With one form, everything else that differs makes another HMAC (FORMAT 15.2).
#[test]
fn vectors_of_other_definitions_have_no_value_in_common() {
    let mut seen = BTreeMap::new();
    let mut alike = 0;
    for vector in vectors("index_value", 208).iter().filter(|vector| vector.file.contains("-index-apart-")) {
        for value in vector.get("values").as_array().unwrap() {
            let of = format!("{} {} {}", vector.text("key_hex"), vector.text("digest_hex"), value["slot"]);
            let former = seen.insert(value["mac_hex"].as_str().unwrap().to_owned(), of.clone());
            assert!(former.as_ref().is_none_or(|former| *former == of), "{}", vector.file);
            alike += usize::from(former.is_some());
        }
    }
    println!("{} HMACs, {alike} owners in the slot of another one", seen.len());
    assert!(seen.len() >= 30);
}

#[test]
fn definition_vectors() {
    let mut refused = 0;
    for vector in vectors("index_definition", 62) {
        let former = vector.get("former").as_array().unwrap();
        let checked = catch_unwind(AssertUnwindSafe(|| {
            let present = definition(vector.get("definition"), "record");
            let former: Vec<_> = former.iter().map(|former| definition(former, "record")).collect();
            check_former(&present, &former);
            (present, former)
        }));
        refused += usize::from(checked.is_err());
        let code = checked.as_ref().map_or("invalid-definition", |_| "ok");
        assert_eq!(code, vector.text("expect"), "{}", vector.file);
        let Ok((present, former)) = checked else { continue };
        for backend in Backend::ALL {
            vector.check_bytes("digest_hex", &present.digest(*backend));
            let digests: Vec<_> = former.iter().map(|former| hex(&former.digest(*backend))).collect();
            assert_eq!(digests, list(vector.get("former_hex")), "{}", vector.file);
        }
    }
    println!("index_definition: {refused} do not compile");
    assert_eq!(refused, 55);
}

#[test]
fn query_vectors() {
    for vector in vectors("index_query", 17) {
        with_index!(vector, "record", I => {
            let indexer = indexer(&vector);
            let asked = indexer.asked::<I>(|_, out| push(&forms(&vector.json), out));
            vector.check_code(&asked);
            let Ok(asked) = asked else { continue };
            assert_eq!(texts(&asked), list(vector.get("asked")), "{}", vector.file);
            let mut expected: Vec<_> = vector.get("prefixes").as_array().unwrap().iter().map(|prefix| {
                let text = |member: &str| prefix[member].as_str().unwrap().to_owned();
                (text("root"), text("state"), text("prefix"), prefix["written"].as_bool().unwrap())
            }).collect();
            let mut prefixes: Vec<_> = indexer.prefixes::<I>().unwrap().iter().map(|prefix| {
                let text = crate::codec::text::encode(prefix.as_bytes());
                (prefix.root().to_string(), prefix.state().to_string(), text, prefix.is_current())
            }).collect();
            expected.sort();
            prefixes.sort();
            assert_eq!(prefixes, expected, "{}", vector.file);
        });
    }
}

#[test]
fn stored_vectors() {
    for vector in vectors("index_stored", 5) {
        with_index!(vector, owner_kind(&vector), I => {
            let indexer = indexer(&vector);
            let stored = indexer.stored::<I>(&record(&indexer, &vector), &Given::of(&vector));
            vector.check_code(&stored);
            assert_eq!(texts(stored.unwrap().values()), list(vector.get("stored")), "{}", vector.file);
        });
    }
}

#[test]
fn verify_vectors() {
    for vector in vectors("index_verify", 36) {
        with_index!(vector, owner_kind(&vector), I => {
            let indexer = indexer(&vector);
            let value = match (vector.json.get("value_hex"), vector.json.get("value").and_then(Value::as_str)) {
                (Some(_), _) => IndexValue::<I>::from_bytes(&vector.bytes("value_hex")).map(Some),
                (None, Some(text)) => text.parse().map(Some),
                (None, None) => Ok(None),
            };
            let outcome = value.and_then(|value| {
                let stored = <I as Index>::Stored::of_values(value.iter().copied());
                indexer.verify::<I>(&record(&indexer, &vector), &Given::of(&vector), &stored)
            });
            vector.check_code(&outcome);
        });
    }
}

/// What an `index_value` vector asks for.
struct Computed {
    key: SecretBytes<32>,
    digest: [u8; 32],
    prefix: [u8; 3],
    table: Option<[u8; 32]>,
    /// Slots and slot, if there are slots.
    values: Vec<(Option<u16>, Option<u16>, IndexValue<()>)>,
    stored: IndexSet<()>,
}

fn computed(backend: Backend, given: &Value) -> Result<Computed, Error> {
    let text = |member: &str| given[member].as_str().unwrap();
    let owner = given["owner"].as_array().map(|owner| [0, 1].map(|at| owner[at].as_str().unwrap()));
    let definition = definition(&given["definition"], owner.map_or("record", |[kind, _]| kind));
    let secret = SecretBytes::copy_of(&crate::vector_tests::unhex(text("index_root_hex")).try_into().unwrap());
    let root = IndexRoot::new(&info(), secret);
    let key = root.index_key(backend, text("keyspace"), definition.id())?;
    let digest = definition.digest(backend);
    let prepared = Prepared::new(backend, &root, &key, &definition, &digest)?;
    let mut out = Forms::of_record(&definition);
    push(&forms(given), &mut out)?;
    let mut values = Vec::new();
    for framed in out.framed() {
        let slots = definition.slots().map(|_| prepared.slots_of(framed));
        let slot = match slots {
            Some(slots) => Some(prepared.slot(parsed(owner)?, slots)),
            None => None,
        };
        values.push((slots, slot, prepared.value(slot.unwrap_or_default(), framed)));
    }
    let only: Vec<_> = values.iter().map(|(_, _, value)| *value).collect();
    let table = definition.slots().map(|table| table.digest(backend));
    Ok(Computed {
        key,
        digest,
        prefix: prepared.prefix,
        table,
        values,
        stored: IndexSet::of_values(only.iter().copied()),
    })
}

fn info() -> KeyInfo {
    let (id, fingerprint, usage, state) = (KeyId::from_bytes([0; 6]), [0; 32], KeyUse::Index, KeyState::Active);
    KeyInfo { id, fingerprint, usage, state, primary: true, suite: None, created: 0, changed: 0 }
}

fn parsed(owner: Option<[&str; 2]>) -> Result<Owner<'_>, Error> {
    let [kind, id] = owner.ok_or(ErrorKind::IndexOwnerMissing)?;
    Identifier::from(id).parse("owner id")?;
    let kind = ["subject", "record", "person"].into_iter().find(|known| *known == kind).unwrap();
    Ok(Owner { kind, id })
}

fn forms(given: &Value) -> Vec<Vec<String>> {
    given["forms"].as_array().unwrap().iter().map(list).collect()
}

fn push(forms: &[Vec<String>], out: &mut Forms) -> Result<(), Error> {
    forms.iter().try_for_each(|form| out.push(&form.iter().map(String::as_bytes).collect::<Vec<_>>()))
}

/// Definitions are constants of a program; those of vectors live as long as the test.
fn definition(given: &Value, owner: &str) -> Definition {
    let text = |value: &Value| -> &'static str { value.as_str().unwrap().to_owned().leak() };
    let kinds = [Kind::Whole, Kind::Compound, Kind::Parts, Kind::Sounds];
    let kind = kinds.into_iter().find(|kind| kind.as_str() == given["kind"]).unwrap();
    let normalizers: Vec<_> = given["normalizers"].as_array().unwrap().iter().map(text).collect();
    let bits = given["bits"].as_u64().unwrap().try_into().unwrap();
    let made = Definition::new(text(&given["record_type"]), text(&given["index_id"]), kind, bits, normalizers.leak());
    let slots = &given["slots"];
    if slots.is_null() {
        return made;
    }
    let mut entries: Vec<(&'static str, u16)> = slots["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (text(&entry[0]), entry[1].as_u64().unwrap().try_into().unwrap()))
        .collect();
    entries.sort_unstable();
    let table: &'static SlotTable = Box::leak(Box::new(SlotTable::new(text(&slots["id"]), entries.leak())));
    made.with_slots(table, if owner == "person" { SlotOwner::Person } else { SlotOwner::Record })
}

/// A record that consists of normal forms.
struct Given {
    forms: Vec<Vec<String>>,
    person: Option<String>,
}

impl Given {
    fn of(vector: &Vector) -> Self {
        let owner = vector.get("owner").as_array().filter(|owner| owner[0] == "person");
        Self { forms: forms(&vector.json), person: owner.map(|owner| owner[1].as_str().unwrap().to_owned()) }
    }
}

fn owner_kind(vector: &Vector) -> &str {
    vector.get("owner").as_array().map_or("record", |owner| owner[0].as_str().unwrap())
}

fn indexer(vector: &Vector) -> Indexer {
    unlock(vector, UnlockOptions::default().with_index_roots()).indexer().unwrap()
}

/// The record of the owner; of nobody, one that has no id.
fn record(indexer: &Indexer, vector: &Vector) -> Record<IndexOnly> {
    let owner = vector.get("owner").as_array().map(|owner| [0, 1].map(|at| owner[at].as_str().unwrap()));
    match owner {
        None => indexer.unbound("patient").unwrap(),
        Some(["record", id]) => indexer.record("patient", id).unwrap(),
        Some(["subject", id]) => {
            let (key, _) = unlock(vector, UnlockOptions::default()).create_subject_key(id).unwrap();
            indexer.unbound("patient").unwrap().subject(&key).unwrap()
        }
        Some(_) => indexer.unbound("patient").unwrap(),
    }
}

static NAMES: SlotTable = SlotTable::new("names/1", &[("jones", 23), ("obrien", 16), ("smith", 42)]);

macro_rules! declared {
    ($($name:ident $stored:ident: $definition:expr, former $former:expr;)*) => {$(
        enum $name {}

        impl Index for $name {
            type Record = Given;
            type Stored = declared!(@ $stored $name);
            const DEFINITION: Definition = $definition;
            const FORMER: &'static [Definition] = $former;
            const CLASSES: &'static [Class] = &[Class::IDENTITY];
            const FIELDS: &'static [FieldId] = &[FieldId::new("vector.name")];

            fn forms(given: &Given, _: &Definition, forms: &mut Forms) -> Result<(), Error> {
                push(&given.forms, forms)
            }

            fn person(given: &Given) -> Option<Identifier<'_>> {
                given.person.as_deref().map(Identifier::from)
            }
        }
    )*};
    (@ one $name:ident) => { Option<IndexValue<Self>> };
    (@ set $name:ident) => { IndexSet<Self> };
}

const fn last(bits: u8) -> Definition {
    Definition::new("patient", "patient.last", Kind::Whole, bits, &["family/1"])
}

const fn pair(bits: u8) -> Definition {
    Definition::new("patient", "patient.lastdob", Kind::Compound, bits, &["family/1", "date/1"])
}

declared! {
    Born one: Definition::new("patient", "patient.born", Kind::Whole, 14, &["date/1"]), former &[];
    LastByRecord one: last(14).with_slots(&NAMES, SlotOwner::Record),
        former &[last(11).with_slots(&NAMES, SlotOwner::Record), last(14)];
    LastByPerson one: last(14).with_slots(&NAMES, SlotOwner::Person),
        former &[last(11).with_slots(&NAMES, SlotOwner::Person), last(14)];
    Names set: Definition::new("patient", "patient.names", Kind::Parts, 14, &["family/1"])
        .with_slots(&NAMES, SlotOwner::Record), former &[];
    LastAndBorn one: pair(17), former &[pair(20)];
}

fn texts<I>(values: &[IndexValue<I>]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn list(json: &Value) -> Vec<String> {
    json.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
