//! No two values are equal by accident: of other keyspaces, roots, record types, indexes and normalisers, or with a byte in another
//! component.

use std::collections::HashSet;

use super::forms::Forms;
use super::prepared::Prepared;
use super::value::IndexValue;
use super::{Definition, Kind};
use crate::backend::Backend;
use crate::id::KeyId;
use crate::key::{IndexRoot, KeyInfo, KeyState, KeyUse};
use crate::secret::SecretBytes;

const TYPES: [&str; 10] = ["patient", "person", "p", "p1", "p-1", "p.1", "rx", "claim", "claims", "patients"];
const IDS: [&str; 10] = ["patient.born", "patient.last", "born", "a", "b", "ab", "a.b", "rx.patient", "1", "patient"];
const NORMALIZERS: [&[&str]; 10] = [
    &["date/1"],
    &["date/2"],
    &["exact/1"],
    &["family/1"],
    &["given/1"],
    &["id/1"],
    &["id/11"],
    &["phone/1"],
    &["email/1"],
    &["ssn/1"],
];
const KEYSPACES: [&str; 10] =
    ["pharmacy-17", "pharmacy-18", "pharmacy-1", "p", "a", "b", "clinic", "clinics", "1", "17"];

fn root(number: u8) -> IndexRoot {
    let (id, fingerprint, usage, state) = (KeyId::from_bytes([0; 6]), [0; 32], KeyUse::Index, KeyState::Active);
    let info = KeyInfo { id, fingerprint, usage, state, primary: true, suite: None, created: 0, changed: 0 };
    IndexRoot::new(&info, SecretBytes::copy_of(&[number; 32]))
}

fn prepared(root: &IndexRoot, keyspace: &str, definition: &Definition) -> Prepared {
    let backend = Backend::RustCrypto;
    let key = root.index_key(backend, keyspace, definition.id()).unwrap();
    Prepared::new(backend, root, &key, definition, &definition.digest(backend)).unwrap()
}

fn value(prepared: &Prepared, components: &[&[u8]]) -> IndexValue<()> {
    let mut forms = Forms::of_record(&prepared.definition);
    forms.push(components).unwrap();
    prepared.value(0, forms.framed().next().unwrap())
}

/// T63. A million with `RXSEAL_FULL`.
#[test]
fn one_input_has_another_value_everywhere() {
    let roots = if std::env::var_os("RXSEAL_FULL").is_some() { 100 } else { 2 };
    let mut seen = HashSet::new();
    for number in 0..roots {
        let root = root(number);
        for keyspace in KEYSPACES {
            for record_type in TYPES {
                for id in IDS {
                    for normalizers in NORMALIZERS {
                        let definition = Definition::new(record_type, id, Kind::Whole, 128, normalizers);
                        let value = value(&prepared(&root, keyspace, &definition), &[b"1970-01-31"]);
                        // Without the prefix, which differs too.
                        seen.insert(<[u8; 16]>::try_from(&value.as_bytes()[3..]).unwrap());
                    }
                }
            }
        }
    }
    assert_eq!(seen.len(), usize::from(roots) * 10_000);
}

/// T63: no two ways to split a text into components have one value.
#[test]
fn a_byte_in_another_component_makes_another_value() {
    let names: [&[&str]; 3] = [&["a/1", "a/1"], &["a/1", "a/1", "a/1"], &["a/1", "a/1", "a/1", "a/1"]];
    let texts = [&b"annasmith"[..], b"aaaaaaaaa", b"\x08\0\0\0\x01a\x09\0\0\0\x01b", b"1970-01-31smith"];
    let mut seen = HashSet::new();
    let mut made = 0;
    for normalizers in names {
        let prepared =
            prepared(&root(7), "pharmacy-17", &Definition::new("patient", "both", Kind::Compound, 128, normalizers));
        for text in texts {
            for cuts in cuts(text.len(), normalizers.len()) {
                let components: Vec<_> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
                seen.insert(value(&prepared, &components));
                made += 1;
            }
        }
    }
    assert!(made > 800);
    assert_eq!(seen.len(), made);
}

/// Every way to cut `len` bytes into so many pieces that are not empty: the beginning and the end of each.
fn cuts(len: usize, pieces: usize) -> Vec<Vec<usize>> {
    if pieces == 1 {
        return vec![vec![0, len]];
    }
    let last = |end: usize| {
        cuts(end, pieces - 1).into_iter().map(move |mut cuts| {
            cuts.push(len);
            cuts
        })
    };
    (pieces - 1..len).flat_map(last).collect()
}

/// What the definition says beside the normaliser makes another value too.
#[test]
fn bits_kind_and_slots_make_another_value() {
    use super::{SlotOwner, SlotTable};
    static ONE: SlotTable = SlotTable::new("one/1", &[("smith", 42)]);
    static TWO: SlotTable = SlotTable::new("two/1", &[("smith", 42)]);
    static OTHER: SlotTable = SlotTable::new("one/1", &[("smith", 41)]);
    let new = |kind, bits| Definition::new("patient", "patient.last", kind, bits, &["family/1"]);
    let all = [
        new(Kind::Whole, 64),
        new(Kind::Whole, 63),
        new(Kind::Parts, 64),
        new(Kind::Sounds, 64),
        new(Kind::Whole, 64).with_slots(&ONE, SlotOwner::Record),
        new(Kind::Whole, 64).with_slots(&TWO, SlotOwner::Record),
        new(Kind::Whole, 64).with_slots(&OTHER, SlotOwner::Record),
    ];
    let values = all.map(|definition| value(&prepared(&root(7), "pharmacy-17", &definition), &[b"smith"]));
    // The first 7 bytes after the prefix: all definitions have these.
    assert_eq!(
        values.map(|value| value.as_bytes()[3..10].to_vec()).into_iter().collect::<HashSet<_>>().len(),
        all.len()
    );
    assert_eq!(values.map(|value| value.prefix()).into_iter().collect::<HashSet<_>>().len(), all.len());
}
