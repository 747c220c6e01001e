//! Lists, tuples and structs.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashSet, LinkedList, VecDeque};

use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, serde_as};

use super::Cases;
use super::scalars::Bits;

#[derive(Serialize, Deserialize, PartialEq, Default, Clone)]
struct Address {
    street: String,
    zip: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Person {
    name: String,
    address: Address,
    others: Vec<Address>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct UnitStruct;

#[derive(Serialize, Deserialize, PartialEq)]
struct Empty {}

#[derive(Serialize, Deserialize, PartialEq)]
struct Mrn(String);

#[derive(Serialize, Deserialize, PartialEq)]
struct Count(u32);

#[derive(Serialize, Deserialize, PartialEq)]
struct OfNewtype(Mrn);

#[derive(Serialize, Deserialize, PartialEq)]
struct OfOption(Option<String>);

#[derive(Serialize, Deserialize, PartialEq)]
struct OfStruct(Address);

#[derive(Serialize, Deserialize, PartialEq)]
struct Pair(String, u32);

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(transparent)]
struct Transparent {
    value: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Flattened {
    id: u32,
    #[serde(flatten)]
    address: Address,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct FlattenedRest {
    id: u32,
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Integers<K: Ord> {
    lines: BTreeMap<K, String>,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(bound(deserialize = "T: serde::de::DeserializeOwned"))]
struct Around<T> {
    id: u32,
    #[serde(flatten)]
    inner: Inner<T>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Inner<T> {
    value: T,
}

/// What docs/SERDE.md advises.
#[serde_as]
#[derive(Serialize, Deserialize, PartialEq)]
#[serde(transparent)]
struct KeysAsText(#[serde_as(as = "BTreeMap<DisplayFromStr, _>")] BTreeMap<u32, String>);

#[serde_as]
#[derive(Serialize, Deserialize, PartialEq)]
#[serde(transparent)]
struct AsText(#[serde_as(as = "DisplayFromStr")] i128);

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Renamed {
    rx_number: u32,
    #[serde(rename = "PATIENT", alias = "patient_name")]
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Skips {
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    list: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    note: Option<String>,
    #[serde(skip)]
    cached: u32,
    last: u8,
}

#[derive(Serialize, Deserialize, PartialEq, Default)]
#[serde(default)]
struct Defaults {
    a: Option<u32>,
    b: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(from = "String", into = "String")]
struct Converted(u32);

impl Clone for Converted {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl From<String> for Converted {
    fn from(text: String) -> Self {
        Self(u32::try_from(text.len()).unwrap_or_default())
    }
}

impl From<Converted> for String {
    fn from(value: Converted) -> Self {
        "x".repeat(value.0 as usize)
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Strict {
    only: u32,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Chain {
    next: Option<Box<Chain>>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Options {
    missing: Option<String>,
    empty: Option<String>,
    number: Option<f64>,
    list: Option<Vec<Option<u32>>>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Nested {
    value: Option<Option<u32>>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct NoteOfUnit {
    value: Option<()>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Generic<A, B> {
    a: A,
    b: B,
}

fn address() -> Address {
    Address { street: " 1 Main St <&> ".into(), zip: 2139, unit: None }
}

pub fn add(cases: &mut Cases) {
    cases.add("Vec<String>", vec![vec![], vec!["a".to_owned(), String::new(), " ".to_owned()]]);
    cases.add("Vec<u32>", vec![vec![], vec![1_u32], vec![1, 2, 3]]);
    cases.add("Vec<u8>", vec![vec![], (0..=255).collect::<Vec<u8>>()]);
    cases.add("Vec<f64>", vec![vec![0.5_f64, -0.1]]);
    cases.add("Vec<f64>: NaN", vec![vec![Bits(1.0), Bits(f64::NAN)]]);
    cases.add("Vec<bool>", vec![vec![true, false]]);
    cases.add("Vec<Option<u32>>", vec![vec![None, Some(7_u32), None]]);
    cases.add("Vec<Option<Option<u32>>>: Some(None)", vec![vec![Some(None::<u32>)]]);
    cases.add("Vec<Vec<u32>>", vec![vec![vec![], vec![1_u32], vec![]]]);
    cases.add("Vec<()>", vec![vec![(), ()]]);
    cases.add("Vec of structs", vec![vec![], vec![address(), address()]]);
    cases.add("Box<[u32]>", vec![Box::<[u32]>::from([1, 2])]);
    cases.add("[u8; 4]", vec![[0_u8, 1, 2, 255]]);
    cases.add("[u32; 0]", vec![[0_u32; 0]]);
    cases.add("[[u8; 2]; 2]", vec![[[1_u8, 2], [3, 4]]]);
    cases.add("[String; 1]", vec![["a".to_owned()]]);
    cases.add("(String, u64, bool)", vec![("a".to_owned(), 7_u64, true)]);
    cases.add("(String,)", vec![("a".to_owned(),)]);
    cases.add("(u8, (u8, Option<u8>))", vec![(1_u8, (2_u8, None::<u8>))]);
    cases.add("VecDeque", vec![VecDeque::from([1_u32, 2])]);
    cases.add("LinkedList", vec![LinkedList::from([1_u32, 2])]);
    cases.add("BTreeSet<String>", vec![BTreeSet::from(["a".to_owned(), "b".to_owned()])]);
    cases.add("HashSet<u32>", vec![HashSet::from([1_u32, 2, 3])]);
    cases.add("BinaryHeap, as a sorted list", vec![BinaryHeap::from([3_u32, 1, 2]).into_sorted_vec()]);
    cases.add("struct", vec![address(), Address { unit: Some("b".into()), ..address() }]);
    cases.add(
        "struct of structs",
        vec![Person { name: "a".into(), address: address(), others: vec![address(), Address::default()] }],
    );
    cases.add("unit struct", vec![UnitStruct]);
    cases.add("struct without fields", vec![Empty {}]);
    cases.add("newtype of String", vec![Mrn("a".into()), Mrn(String::new())]);
    cases.add("newtype of u32", vec![Count(7)]);
    cases.add("newtype of a newtype", vec![OfNewtype(Mrn("a".into()))]);
    cases.add("newtype of Option", vec![OfOption(None), OfOption(Some("a".into()))]);
    cases.add("newtype of a struct", vec![OfStruct(address())]);
    cases.add("Vec of newtypes", vec![vec![Mrn("a".into()), Mrn("b".into())]]);
    cases.add("Option of a newtype", vec![None, Some(Count(7))]);
    cases.add("tuple struct", vec![Pair("a".into(), 7)]);
    cases.add("transparent", vec![Transparent { value: "a".into() }]);
    cases.add("flatten: struct", vec![Flattened { id: 7, address: address() }]);
    cases.add("flatten: map", vec![FlattenedRest { id: 7, rest: [("a".to_owned(), "b".to_owned())].into() }]);
    cases.add("flatten: f64", vec![around(0.1_f64), around(-1.0e-7), around(1.0e300), around(7.0)]);
    cases.add("flatten: f32", vec![around(0.1_f32)]);
    cases.add("flatten: u64", vec![around(u64::MAX), around(7_u64)]);
    cases.add("flatten: i64", vec![around(i64::MIN)]);
    cases.add("flatten: Option<f64>", vec![around(None::<f64>), around(Some(0.25))]);
    cases.add("flatten: Vec<f64>", vec![around(vec![0.25_f64, 7.0])]);
    cases.add("flatten: i128, small", vec![around(7_i128)]);
    cases.add("flatten: i128, large", vec![around(i128::MAX)]);
    cases.add("flatten: u128, large", vec![around(u128::MAX)]);
    cases.add("flatten: integer keys", vec![around(BTreeMap::from([(1_u32, "a".to_owned())]))]);
    cases.add("flatten: bool keys", vec![around(BTreeMap::from([(true, "a".to_owned())]))]);
    cases.add("flatten: integer keys as text", vec![around(KeysAsText([(1, "a".to_owned())].into()))]);
    cases.add("flatten: i128 as text", vec![around(AsText(i128::MAX))]);
    cases.add("flatten: char", vec![around('a')]);
    cases.add("flatten: bytes", vec![around(serde_bytes::ByteBuf::from(vec![1, 2]))]);
    cases.add(
        "integer keys in a struct",
        vec![Integers { lines: [(1_u32, "a".to_owned()), (20, "b".to_owned())].into() }],
    );
    cases.add("rename, alias", vec![Renamed { rx_number: 7, name: "a".into(), kind: "b".into() }]);
    cases.add(
        "skip_serializing_if, skip",
        vec![
            Skips { list: vec![], note: None, cached: 0, last: 1 },
            Skips { list: vec!["a".into()], note: Some(String::new()), cached: 0, last: 1 },
        ],
    );
    cases.add("default", vec![Defaults::default(), Defaults { a: Some(7), b: "a".into() }]);
    cases.add("from, into", vec![Converted(3)]);
    cases.add("deny_unknown_fields", vec![Strict { only: 7 }]);
    let leaf = || Tree { name: "leaf".into(), children: vec![] };
    cases.add("recursive", vec![Tree { name: "root".into(), children: vec![leaf(), leaf()] }]);
    cases.add("recursive options", vec![Chain { next: None }, Chain { next: Some(Box::new(Chain { next: None })) }]);
    cases.add(
        "struct of options",
        vec![
            Options { missing: None, empty: Some(String::new()), number: Some(0.5), list: Some(vec![None, Some(7)]) },
            Options { missing: None, empty: None, number: None, list: None },
        ],
    );
    cases.add("struct: Some(None) in it", vec![Nested { value: Some(None) }]);
    cases.add("struct: Some(()) in it", vec![NoteOfUnit { value: Some(()) }]);
    cases.add("generic struct", vec![Generic { a: "a".to_owned(), b: vec![1_u8] }]);
    cases.add("struct: NaN in it", vec![Generic { a: Bits(f64::NAN), b: 1_u8 }]);
    cases.add("struct: f64: infinite in it", vec![Generic { a: Bits(f64::INFINITY), b: 1_u8 }]);
    cases.add("nested lists: 50 levels", vec![deep(50)]);
    cases.add("nested lists: 110 levels", vec![deep(110)]);
}

fn around<T>(value: T) -> Around<T> {
    Around { id: 7, inner: Inner { value } }
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Deep(Vec<Deep>);

fn deep(levels: usize) -> Deep {
    (1..levels).fold(Deep(vec![]), |inner, _| Deep(vec![inner]))
}
