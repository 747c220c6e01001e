//! Lists and maps of tokens, and parts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use rxseal::phi::{Allergy, Diagnosis, Directions, Drug, Quantity};
use rxseal::{Each, Parts, PhiRecord};
use serde::{Deserialize, Serialize};

use crate::support::round_trip;

rxseal::fields! {
    Line1 = "line.drug" in Medication;
    Fill1 = "fill.pharmacist" in Identity;
    A = "list.a" in Clinical;
    B = "list.b" in Clinical;
    C = "list.c" in Clinical;
    D = "list.d" in Clinical;
}

#[test]
fn lists_element_by_element() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "lists", derive(Debug, Serialize, Deserialize))]
    struct Lists {
        #[phi(id)]
        id: u32,
        #[phi(seal = Each<A>)]
        vec: Vec<String>,
        #[phi(seal = Each<B>)]
        deque: VecDeque<u8>,
        #[phi(seal = Each<C>)]
        tree: BTreeSet<String>,
        #[phi(seal = Each<D>)]
        hash: HashSet<String>,
        #[phi(seal = Option<Each<Allergy>>)]
        maybe: Option<Vec<String>>,
    }
    let texts = || ["Canary a".to_owned(), "Canary b".to_owned()];
    round_trip(&Lists {
        id: 1,
        vec: texts().into(),
        deque: VecDeque::from([1, 2, 3]),
        tree: texts().into(),
        hash: texts().into(),
        maybe: Some(texts().into()),
    });
    let none = || Lists {
        id: 1,
        vec: Vec::new(),
        deque: VecDeque::new(),
        tree: BTreeSet::new(),
        hash: HashSet::new(),
        maybe: None,
    };
    round_trip(&none());
}

#[test]
fn maps_entry_by_entry() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "maps", derive(Debug, Serialize, Deserialize))]
    struct Maps {
        #[phi(id)]
        id: u32,
        #[phi(seal = Parts<Quantity>)]
        tree: BTreeMap<u32, u64>,
        #[phi(seal = Parts<Diagnosis>)]
        hash: HashMap<String, String>,
        #[phi(seal = Option<Parts<Drug>>)]
        maybe: Option<BTreeMap<String, String>>,
    }
    round_trip(&Maps {
        id: 1,
        tree: BTreeMap::from([(1, 30), (2, 60)]),
        hash: HashMap::from([("a".into(), "Canary".into()), ("b".into(), "Canary".into())]),
        maybe: Some(BTreeMap::from([("x".into(), "Canary".into())])),
    });
    round_trip(&Maps { id: 1, tree: BTreeMap::new(), hash: HashMap::new(), maybe: None });
}

#[derive(PhiRecord, PartialEq)]
#[phi(part, derive(Debug, Serialize, Deserialize))]
struct Line {
    #[phi(id)]
    line_no: u32,
    #[phi(seal = Line1)]
    drug: String,
    #[phi(part = "fill")]
    fills: Vec<Fill>,
}

#[derive(PhiRecord, PartialEq)]
#[phi(part, derive(Debug, Serialize, Deserialize))]
struct Fill {
    #[phi(id)]
    store: u16,
    #[phi(id)]
    number: u16,
    #[phi(seal = Fill1)]
    pharmacist: String,
}

fn line(line_no: u32) -> Line {
    let fill = |number| Fill { store: 1, number, pharmacist: "Canary".into() };
    Line { line_no, drug: "Canary".into(), fills: vec![fill(1), fill(2)] }
}

#[test]
fn parts_in_parts() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "order", derive(Debug, Serialize, Deserialize))]
    struct Order {
        #[phi(id)]
        id: u32,
        #[phi(part = "line")]
        lines: Vec<Line>,
    }
    for count in [0, 1, 20] {
        round_trip(&Order { id: 1, lines: (0..count).map(line).collect() });
    }
}

#[test]
fn one_part_and_one_that_may_be_absent() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "order", derive(Debug, Serialize, Deserialize))]
    struct Order {
        #[phi(id)]
        id: u32,
        #[phi(part = "first")]
        first: Line,
        #[phi(part = "second")]
        second: Option<Line>,
        #[phi(seal = Directions)]
        directions: String,
    }
    round_trip(&Order { id: 1, first: line(1), second: Some(line(1)), directions: "Canary".into() });
    round_trip(&Order { id: 1, first: line(1), second: None, directions: "Canary".into() });
}

#[test]
fn two_parts_of_one_id_are_refused() {
    #[derive(PhiRecord)]
    #[phi(record = "order")]
    struct Order {
        #[phi(id)]
        id: u32,
        #[phi(part = "line")]
        lines: Vec<Line>,
    }
    let error = crate::support::keyring().seal(&Order { id: 1, lines: vec![line(1), line(1)] }).err().unwrap();
    assert_eq!(error.code(), rxseal::ErrorCode::InvalidId);
}
