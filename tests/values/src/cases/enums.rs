//! Enums: four taggings by four kinds of variants, and what is peculiar in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Cases;

#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
pub enum Route {
    Oral,
    #[serde(rename = "by ear & eye")]
    Otic,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Body {
    drug: String,
    refills: u8,
}

fn body() -> Body {
    Body { drug: "a".into(), refills: 3 }
}

#[derive(Serialize, Deserialize, PartialEq)]
enum External {
    Unit,
    Newtype(String),
    Number(u64),
    Of(Body),
    Tuple(u8, String),
    Struct { drug: String, refills: Option<u8> },
    Empty {},
    Optional(Option<u32>),
    Nested(Box<External>),
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(tag = "type")]
enum Internal {
    Unit,
    Of(Body),
    Struct { drug: String, refills: Option<u8> },
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(tag = "type", content = "of")]
enum Adjacent {
    Unit,
    Newtype(String),
    Of(Body),
    Tuple(u8, String),
    Struct { drug: String, refills: Option<u8> },
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(untagged)]
enum Untagged {
    Struct { drug: String, refills: Option<u8> },
    Number(u64),
    Text(String),
    Tuple(u8, String),
    Unit,
}

/// As serde tries them: an integer that is none must not become a float, nor a number text.
#[derive(Serialize, Deserialize, PartialEq)]
#[serde(untagged)]
enum Quantity {
    Whole(u64),
    Real(f64),
    Yes(bool),
    Text(String),
    Map(BTreeMap<String, String>),
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(tag = "type")]
enum Tagged<T> {
    Of { value: T },
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(untagged)]
enum Loose<T> {
    Of { value: T },
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(untagged)]
enum Bare<T> {
    Of(T),
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(tag = "type", content = "of")]
enum Beside<T> {
    Of(T),
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
enum Renamed {
    FirstOne,
    SecondOne(u8),
}

#[derive(Serialize, Deserialize, PartialEq)]
enum WithOther {
    Known,
    #[serde(other)]
    Other,
}

/// As `serde_repr` does it.
#[derive(Serialize, Deserialize, PartialEq, Clone, Copy)]
#[serde(into = "u8", try_from = "u8")]
enum Numbered {
    One = 1,
    Two = 2,
}

impl From<Numbered> for u8 {
    fn from(value: Numbered) -> Self {
        match value {
            Numbered::One => 1,
            Numbered::Two => 2,
        }
    }
}

impl TryFrom<u8> for Numbered {
    type Error = String;

    fn try_from(value: u8) -> Result<Self, String> {
        match value {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            _ => Err("no such number".to_owned()),
        }
    }
}

macro_rules! large {
    ($($variant:ident)*) => {
        #[derive(Serialize, Deserialize, PartialEq, Clone, Copy)]
        enum Large { $($variant),* }

        const LARGE: &[Large] = &[$(Large::$variant),*];
    };
}

large! {
    A0 A1 A2 A3 A4 A5 A6 A7 A8 A9 B0 B1 B2 B3 B4 B5 B6 B7 B8 B9 C0 C1 C2 C3 C4 C5 C6 C7 C8 C9 D0 D1 D2 D3 D4 D5 D6 D7 D8 D9
}

pub fn add(cases: &mut Cases) {
    cases.add("unit enum", vec![Route::Oral, Route::Otic]);
    cases.add("Vec of a unit enum", vec![vec![Route::Oral, Route::Otic]]);
    cases.add("Option of a unit enum", vec![None, Some(Route::Otic)]);
    cases.add("external tag: unit", vec![External::Unit]);
    cases.add("external tag: newtype", vec![External::Newtype("a".into()), External::Number(7)]);
    cases.add("external tag: newtype of a struct", vec![External::Of(body())]);
    cases.add("external tag: tuple", vec![External::Tuple(1, "a".into())]);
    cases.add("external tag: struct", vec![External::Struct { drug: "a".into(), refills: None }]);
    cases.add("external tag: struct without fields", vec![External::Empty {}]);
    cases.add("external tag: Option", vec![External::Optional(None), External::Optional(Some(7))]);
    cases.add("external tag: nested", vec![External::Nested(Box::new(External::Unit))]);
    cases.add("Vec of enums", vec![vec![External::Unit, External::Number(7)]]);
    cases.add("internal tag: unit", vec![Internal::Unit]);
    cases.add("internal tag: newtype of a struct", vec![Internal::Of(body())]);
    cases.add("internal tag: struct", vec![Internal::Struct { drug: "a".into(), refills: Some(3) }]);
    cases.add("adjacent tag: unit", vec![Adjacent::Unit]);
    cases.add("adjacent tag: newtype", vec![Adjacent::Newtype("a".into())]);
    cases.add("adjacent tag: newtype of a struct", vec![Adjacent::Of(body())]);
    cases.add("adjacent tag: tuple", vec![Adjacent::Tuple(1, "a".into())]);
    cases.add("adjacent tag: struct", vec![Adjacent::Struct { drug: "a".into(), refills: None }]);
    cases.add("untagged: unit", vec![Untagged::Unit]);
    cases.add("untagged: newtype", vec![Untagged::Number(7), Untagged::Text("a".into())]);
    cases.add("untagged: tuple", vec![Untagged::Tuple(1, "a".into())]);
    cases.add("untagged: struct", vec![Untagged::Struct { drug: "a".into(), refills: Some(3) }]);
    cases.add(
        "untagged: FHIR's quantity",
        vec![
            Quantity::Whole(7),
            Quantity::Real(0.25),
            Quantity::Real(7.0),
            Quantity::Yes(true),
            Quantity::Text("7".into()),
        ],
    );
    cases.add("untagged: map", vec![Quantity::Map([("a".to_owned(), "b".to_owned())].into())]);
    cases.add("untagged: f64", vec![Loose::Of { value: 0.1_f64 }, Loose::Of { value: 1.0e300 }]);
    cases.add("untagged: f64 alone", vec![Bare::Of(0.1_f64)]);
    cases.add("untagged: Option<f64>", vec![Loose::Of { value: Some(0.1_f64) }, Loose::Of { value: None }]);
    cases.add("untagged: i128, small", vec![Loose::Of { value: 7_i128 }]);
    cases.add("untagged: i128, large", vec![Loose::Of { value: i128::MIN }]);
    cases.add("untagged: u128 alone, large", vec![Bare::Of(u128::MAX)]);
    cases.add("untagged: integer keys", vec![Loose::Of { value: BTreeMap::from([(1_u32, 2_u32)]) }]);
    cases.add("untagged: bytes", vec![Loose::Of { value: serde_bytes::ByteBuf::from(vec![1, 2]) }]);
    cases.add("untagged: Vec<u8>", vec![Bare::Of(vec![1_u8, 2])]);
    cases.add("internal tag: f64", vec![Tagged::Of { value: 0.1_f64 }, Tagged::Of { value: 7.0 }]);
    cases.add("internal tag: u64", vec![Tagged::Of { value: u64::MAX }]);
    cases.add("internal tag: i128, large", vec![Tagged::Of { value: i128::MAX }]);
    cases.add("internal tag: u128, large", vec![Tagged::Of { value: u128::MAX }]);
    cases.add("internal tag: integer keys", vec![Tagged::Of { value: BTreeMap::from([(1_i64, true)]) }]);
    cases.add("internal tag: enum keys", vec![Tagged::Of { value: BTreeMap::from([(Route::Oral, 1_u8)]) }]);
    cases.add("adjacent tag: f64", vec![Beside::Of(0.1_f64)]);
    cases.add("adjacent tag: i128, large", vec![Beside::Of(i128::MAX)]);
    cases.add("adjacent tag: integer keys", vec![Beside::Of(BTreeMap::from([(1_u8, 2_u8)]))]);
    cases.add("enum, renamed", vec![Renamed::FirstOne, Renamed::SecondOne(2)]);
    cases.add("enum with `other`", vec![WithOther::Known, WithOther::Other]);
    cases.add("enum as number", vec![Numbered::One, Numbered::Two]);
    cases.add("enum of 40 variants", LARGE.to_vec());
    cases.add("Result<u32, String>", vec![Ok(7_u32), Err("a".to_owned())]);
    cases.add("Result<(), ()>", vec![Ok::<(), ()>(()), Err(())]);
}
