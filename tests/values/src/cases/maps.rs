//! Maps, by what their keys are.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::Cases;
use super::enums::Route;

#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Code(String);

#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Line(u32);

#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Coordinates {
    x: u8,
    y: u8,
}

/// Two keys that JSON writes alike.
#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(untagged)]
enum Loose {
    Number(u32),
    Text(String),
}

/// Fields that JSON writes under one name.
#[derive(Serialize, PartialEq)]
struct Doubled {
    a: u32,
    #[serde(flatten)]
    rest: BTreeMap<String, u32>,
}

impl<'de> Deserialize<'de> for Doubled {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut rest = BTreeMap::<String, u32>::deserialize(deserializer)?;
        Ok(Self { a: rest.remove("a").unwrap_or_default(), rest })
    }
}

fn map<K: Ord, V>(entries: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    entries.into_iter().collect()
}

pub fn add(cases: &mut Cases) {
    let text = |text: &str| text.to_owned();
    cases.add("map: text keys", vec![map([]), map([(text("a"), text("b")), (text(" & "), text(""))])]);
    cases.add("map: an empty key", vec![map([(text(""), text("a"))])]);
    cases.add("map: text keys to numbers", vec![map([(text("a"), 7_u64)])]);
    cases.add("map: text keys to lists", vec![map([(text("a"), vec![1_u8, 2]), (text("b"), vec![])])]);
    cases.add("map: text keys to options", vec![map([(text("a"), None), (text("b"), Some(7_u8))])]);
    cases.add("map: text keys to maps", vec![map([(text("a"), map([(text("b"), text("c"))]))])]);
    cases.add("map: u32 keys", vec![map([(1_u32, text("a")), (20, text("b"))])]);
    cases.add("map: i64 keys", vec![map([(i64::MIN, 1_u8), (0, 2), (i64::MAX, 3)])]);
    cases.add("map: u8 keys", vec![map([(0_u8, text("a"))])]);
    cases.add("map: u64 keys", vec![map([(u64::MAX, text("a"))])]);
    cases.add("map: i128 keys", vec![map([(i128::MIN, text("a"))])]);
    cases.add("map: u128 keys", vec![map([(u128::MAX, text("a"))])]);
    cases.add("map: bool keys", vec![map([(true, 1_u8), (false, 2)])]);
    cases.add("map: char keys", vec![map([('a', 1_u8), ('é', 2)])]);
    cases.add("map: enum keys", vec![map([(Route::Oral, 1_u8), (Route::Otic, 2)])]);
    cases.add("map: newtype keys", vec![map([(Code(text("a")), 1_u8)])]);
    cases.add("map: newtype keys of u32", vec![map([(Line(7), 1_u8)])]);
    cases.add("map: untagged keys", vec![map([(Loose::Text(text("a")), 1_u8), (Loose::Text(text("b")), 2)])]);
    cases.add("map: untagged keys of numbers", vec![map([(Loose::Number(7), 1_u8)])]);
    cases.add("map: keys that are written alike", vec![map([(Loose::Number(1), 1_u8), (Loose::Text(text("1")), 2)])]);
    cases.add("map: struct keys", vec![map([(Coordinates { x: 1, y: 2 }, 1_u8)])]);
    cases.add("map: tuple keys", vec![map([((1_u8, 2_u8), 1_u8)])]);
    cases.add("map: list keys", vec![map([(vec![1_u8], 1_u8)])]);
    cases.add("map: option keys", vec![map([(Some(text("a")), 1_u8)])]);
    cases.add("map: option keys, None", vec![map([(None::<String>, 1_u8), (Some(text("a")), 2)])]);
    cases.add("map: unit keys", vec![map([((), 1_u8)])]);
    cases.add("map: 200 entries", vec![map((0..200_u32).map(|key| (format!("k{key}"), key)))]);
    cases.add("HashMap<String, String>", vec![HashMap::from([(text("a"), text("b")), (text("c"), text("d"))])]);
    cases.add("flatten: a name written twice", vec![Doubled { a: 1, rest: map([(text("a"), 2)]) }]);
    cases.add("Vec of maps", vec![vec![map([(text("a"), 1_u8)]), map([])]]);
}
