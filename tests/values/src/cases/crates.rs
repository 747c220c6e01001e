//! Types of crates that records are made of.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use indexmap::{IndexMap, IndexSet};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value, json};
use serde_with::base64::Base64;
use serde_with::hex::Hex;
use serde_with::{DisplayFromStr, DurationSeconds, OneOrMany, serde_as, skip_serializing_none};
use smallvec::{SmallVec, smallvec};
use uuid::Uuid;

use super::Cases;

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Raw(Box<RawValue>);

impl Raw {
    fn new(json: &str) -> Self {
        Self(RawValue::from_string(json.to_owned()).expect("JSON"))
    }
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Holder<T> {
    value: T,
}

/// As crate secrecy does it: serializable where its owner says so.
#[derive(PartialEq)]
struct Secret(String);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// As humantime_serde does it: a module for `with`.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}s", value.as_secs()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.strip_suffix('s').and_then(|number| number.parse().ok());
        number.map(Duration::from_secs).ok_or_else(|| serde::de::Error::custom("seconds"))
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
struct WithModule {
    #[serde(with = "seconds")]
    every: std::time::Duration,
}

#[serde_as]
#[derive(Serialize, Deserialize, PartialEq)]
struct Adapted {
    #[serde_as(as = "Hex")]
    hash: Vec<u8>,
    #[serde_as(as = "Base64")]
    scan: Vec<u8>,
    #[serde_as(as = "DisplayFromStr")]
    number: u64,
    #[serde_as(as = "DurationSeconds<u64>")]
    every: std::time::Duration,
    #[serde_as(as = "OneOrMany<_>")]
    codes: Vec<String>,
    #[serde_as(as = "BTreeMap<DisplayFromStr, _>")]
    lines: BTreeMap<u32, String>,
}

#[serde_as]
#[derive(Serialize, Deserialize, PartialEq)]
#[serde(transparent)]
struct HexText(#[serde_as(as = "Hex")] Vec<u8>);

#[serde_as]
#[derive(Serialize, Deserialize, PartialEq)]
#[serde(transparent)]
struct PairList(#[serde_as(as = "Vec<(_, _)>")] BTreeMap<(u8, u8), u8>);

#[serde_as]
#[derive(Serialize, Deserialize, PartialEq)]
#[serde(transparent)]
struct AsBytes(#[serde_as(as = "serde_with::Bytes")] [u8; 4]);

/// `null` and absence told apart, as an HTTP PATCH has it.
#[derive(Serialize, Deserialize, PartialEq)]
struct Patch {
    #[serde(default, skip_serializing_if = "Option::is_none", with = "serde_with::rust::double_option")]
    note: Option<Option<String>>,
}

#[skip_serializing_none]
#[derive(Serialize, Deserialize, PartialEq)]
struct SkipsNone {
    a: Option<u32>,
    b: Option<String>,
}

pub fn add(cases: &mut Cases) {
    let number = |text: &str| text.parse::<Number>().expect("a number");
    cases.add(
        "serde_json::Value",
        vec![json!({"a": [1, -2, 0.5, "b", true, {}], "c": {"d": [], "e": ""}}), json!("text"), json!(7), json!([])],
    );
    cases.add("serde_json::Value: null", vec![Value::Null]);
    cases.add("serde_json::Value: null inside", vec![json!({"a": null, "b": [null]})]);
    cases.add("Option<serde_json::Value>", vec![None, Some(json!({"a": 1}))]);
    cases.add("Option<serde_json::Value>: Some(null)", vec![Some(Value::Null)]);
    cases.add("serde_json::Map", vec![json!({"b": 1, "a": 2}).as_object().expect("a map").clone(), Map::new()]);
    cases.add("serde_json::Number", vec![number("7"), number("-7"), number("0.5")]);
    cases.add("serde_json::Value: a long float", vec![json!(0.1), json!(1.0e300), json!({"value": [0.1]})]);
    let digits: Value = serde_json::from_str("{\"value\": 1.50, \"n\": 123456789012345678901234567890}").expect("JSON");
    cases.add("serde_json::Value: digits as they were written", vec![digits]);
    cases.add("serde_json RawValue", vec![Raw::new("{\"a\": 1.50, \"b\": null}")]);
    cases.add("struct: RawValue", vec![Holder { value: Raw::new("[1.50,  2]") }]);
    cases.add("struct: serde_json::Value", vec![Holder { value: json!({"a": [1, 2.5]}) }]);
    cases.add("uuid", vec![Uuid::nil(), Uuid::from_u128(7)]);
    cases.add("struct: uuid", vec![Holder { value: Uuid::from_u128(7) }]);
    cases.add("Option<Uuid>", vec![None, Some(Uuid::nil())]);
    cases.add("map: uuid keys", vec![BTreeMap::from([(Uuid::from_u128(7), 1_u8)])]);
    let date = NaiveDate::from_ymd_opt(1970, 2, 28).expect("a date");
    let time = NaiveTime::from_hms_micro_opt(23, 59, 59, 7).expect("a time");
    cases.add("chrono: NaiveDate", vec![date]);
    cases.add("chrono: NaiveTime", vec![time]);
    cases.add("chrono: NaiveDateTime", vec![NaiveDateTime::new(date, time)]);
    cases.add("chrono: DateTime<Utc>", vec![Utc.from_utc_datetime(&NaiveDateTime::new(date, time))]);
    let east = FixedOffset::east_opt(3600).expect("an offset");
    cases.add(
        "chrono: DateTime<FixedOffset>",
        vec![DateTime::<FixedOffset>::from_naive_utc_and_offset(date.into(), east)],
    );
    cases.add("Option<NaiveDate>", vec![None, Some(date)]);
    cases.add("struct: NaiveDate", vec![Holder { value: date }]);
    cases.add("time: Date", vec![time::Date::from_ordinal_date(1970, 59).expect("a date")]);
    cases.add("time: OffsetDateTime", vec![time::OffsetDateTime::from_unix_timestamp(1_700_000_000).expect("a time")]);
    cases.add("struct: time's Date", vec![Holder { value: time::Date::MIN }]);
    cases.add("rust_decimal", vec![Decimal::new(1_050, 2), Decimal::MAX, Decimal::new(-1, 28), Decimal::ZERO]);
    cases.add("struct: rust_decimal", vec![Holder { value: Decimal::new(1_050, 2) }]);
    cases.add("as secrecy does it", vec![Secret("a".into())]);
    cases.add("module for `with`", vec![WithModule { every: std::time::Duration::from_secs(7) }]);
    cases.add(
        "serde_with: adapters",
        vec![Adapted {
            hash: vec![1, 255],
            scan: vec![2, 254],
            number: u64::MAX,
            every: std::time::Duration::from_secs(7),
            codes: vec!["a".into()],
            lines: [(7, "b".to_owned())].into(),
        }],
    );
    cases.add("serde_with: hex", vec![HexText(vec![]), HexText(vec![1, 255])]);
    cases.add("serde_with: map as list of pairs", vec![PairList([((1, 2), 3)].into())]);
    cases.add("serde_with: bytes", vec![AsBytes([1, 2, 3, 4])]);
    cases.add("serde_with: double_option", vec![Patch { note: None }, Patch { note: Some(Some("a".into())) }]);
    cases.add("serde_with: double_option, null", vec![Patch { note: Some(None) }]);
    cases.add("serde_with: skip_serializing_none", vec![SkipsNone { a: None, b: Some(String::new()) }]);
    cases.add("smallvec", vec![SmallVec::<[u32; 2]>::new(), smallvec![1, 2, 3]]);
    cases.add("indexmap", vec![IndexMap::from([("b".to_owned(), 1_u8), ("a".to_owned(), 2)])]);
    cases.add("indexset", vec![IndexSet::from([2_u32, 1])]);
}
