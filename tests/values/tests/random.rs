//! Random values: what plain serde keeps of them in a format, rxseal keeps or refuses while it seals.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rxseal_values::erased::{Leaf, Read, read_leaf};
use rxseal_values::formats::Format;
use rxseal_values::matrix::{Bench, Outcome, Place, Way};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_json::{Map, Value};

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
struct Row {
    name: String,
    dose: f64,
    note: Option<String>,
    lines: Vec<Line>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    codes: BTreeMap<String, i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
enum Line {
    Unit,
    Newtype(String),
    Tuple(u8, bool),
    Struct { a: u64, b: Option<char> },
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(tag = "type")]
enum Tagged {
    Whole { value: i64 },
    Real { value: f64, unit: Option<String> },
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    inner: Inner,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
struct Inner {
    value: f64,
    text: String,
    list: Vec<Option<u32>>,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
struct Rest {
    id: u32,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
enum Tree {
    Leaf(i32),
    Node(Vec<Tree>),
}

/// A value, and what type it is read as.
#[derive(Debug, Clone)]
struct Sample(Leaf, Read<Leaf>);

fn of<T>(values: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Sample>
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + 'static,
{
    values.prop_map(|value| Sample(Leaf::new(value), read_leaf::<T>)).boxed()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "\\PC{0,12}", 2 => "[ \t\r\n\"'<>&;,\\\\]{0,6}", 1 => any::<String>(), 1 => "[a-z]{60,300}"]
}

fn real() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        2 => (-1000_i32..1000).prop_map(|tenths| f64::from(tenths) / 10.0),
        1 => any::<f32>().prop_map(f64::from),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        Just(Line::Unit),
        text().prop_map(Line::Newtype),
        any::<(u8, bool)>().prop_map(|(a, b)| Line::Tuple(a, b)),
        any::<(u64, Option<char>)>().prop_map(|(a, b)| Line::Struct { a, b }),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let lines = prop::collection::vec(line(), 0..4);
    let codes = prop::collection::btree_map(text(), any::<i64>(), 0..3);
    (text(), real(), prop::option::of(text()), lines, codes).prop_map(|(name, dose, note, lines, codes)| Row {
        name,
        dose,
        note,
        lines,
        codes,
    })
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        real().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn tree() -> impl Strategy<Value = Tree> {
    any::<i32>()
        .prop_map(Tree::Leaf)
        .prop_recursive(6, 24, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Tree::Node))
}

fn sample() -> impl Strategy<Value = Sample> {
    let tagged = prop_oneof![
        any::<i64>().prop_map(|value| Tagged::Whole { value }),
        (real(), prop::option::of(text())).prop_map(|(value, unit)| Tagged::Real { value, unit }),
    ];
    let inner = (real(), text(), any::<Vec<Option<u32>>>()).prop_map(|(value, text, list)| Inner { value, text, list });
    prop_oneof![
        of(text()),
        of(real()),
        of(any::<f32>()),
        of(any::<(i64, u64, i128, u128)>()),
        of(any::<Vec<u8>>().prop_map(ByteBuf::from)),
        of(any::<Vec<u8>>()),
        of(prop::option::of(prop::option::of(any::<u32>()))),
        of(prop::collection::vec(prop::option::of(text()), 0..5)),
        of(prop::collection::btree_map(any::<i64>(), text(), 0..5)),
        of(prop::collection::btree_map(text(), real(), 0..5)),
        of(any::<(char, bool, [u8; 3], Option<()>)>()),
        of(row()),
        of(line()),
        of(tagged),
        of((any::<u32>(), inner).prop_map(|(id, inner)| Flat { id, inner })),
        of((any::<u32>(), prop::collection::btree_map(text(), json(), 0..4)).prop_map(|(id, rest)| Rest { id, rest })),
        of(json()),
        of(tree()),
        of(any::<Result<u8, String>>()),
    ]
}

#[test]
fn what_plain_serde_keeps_of_random_values_is_kept_or_refused() {
    let cases = if std::env::var_os("RXSEAL_FULL").is_some() { 100_000 } else { 2_000 };
    let bench = Bench::new();
    let (mut plain, mut kept, mut refused) = (0_u32, 0_u32, 0_u32);
    let places = prop::sample::select(&[Place::Alone, Place::Alone, Place::Flatten, Place::Tag, Place::Untagged][..]);
    let cells = (prop::sample::select(&Format::ALL[..]), places, prop::sample::select(&Way::ALL[..]), sample());
    let counts = std::cell::RefCell::new((&mut plain, &mut kept, &mut refused));
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let run = runner.run(&cells, |(format, place, way, Sample(value, read))| {
        let cell = bench.cell(format, place, way, std::slice::from_ref(&value), read);
        let mut counts = counts.borrow_mut();
        if cell.plain {
            *counts.0 += 1;
            match &cell.sealed {
                Some(Outcome::Kept) => *counts.1 += 1,
                Some(Outcome::Refused(_)) => *counts.2 += 1,
                other => return Err(TestCaseError::fail(format!("{}: {other:?}", cell.name()))),
            }
        }
        Ok(())
    });
    if let Err(problem) = run {
        panic!("{problem}");
    }
    println!("{cases} random cells: plain serde keeps {plain}, rxseal {kept}, and refuses {refused}");
    assert!(plain > cases / 3 && kept > plain * 9 / 10, "plain serde keeps {plain} of {cases}, rxseal {kept}");
}
