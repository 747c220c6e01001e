//! A value may be written in another form than its type asks for: bytes and lists, and numbers in the forms of
//! serde_json's features. tests/values runs this with all of those features on.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};

use proptest::prelude::*;
use rxseal::{Error, Sealing, accept_plaintext, expose_plaintext, phi};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::{access, record};

/// A value that was sealed alone, opened.
fn through<T: DeserializeOwned>(value: &impl Serialize) -> Result<T, Error> {
    let record = record();
    record.opened_by(&access()).open::<phi::Note, T>(&record.seal::<phi::Note>(value)?)
}

#[track_caller]
fn keeps<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    match through::<T>(&value) {
        Ok(opened) => assert_eq!(opened, value),
        Err(error) => panic!("{value:?}: {error:?}"),
    }
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Row<T> {
    one: T,
    some: Option<T>,
    list: Vec<T>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Newtype<T>(T);

/// Alone, and wherever a value can stand in another one; and the same through an authorised client.
#[track_caller]
fn keeps_everywhere<T: Serialize + DeserializeOwned + PartialEq + Debug + Clone>(value: T) {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Posted<T: Serialize + DeserializeOwned> {
        #[serde(with = "Sealing::<phi::Note>")]
        value: T,
    }

    let row = || Row { one: value.clone(), some: Some(value.clone()), list: vec![value.clone(); 2] };
    keeps(value.clone());
    keeps(Some(value.clone()));
    keeps(Newtype(value.clone()));
    keeps(Some(Newtype(value.clone())));
    keeps(vec![value.clone()]);
    keeps((value.clone(), 1_u8));
    keeps(BTreeMap::from([(1_u8, value.clone())]));
    keeps(row());

    let posted = Posted { value: row() };
    let json = serde_json::to_string(&expose_plaintext(&posted)).unwrap();
    assert_eq!(accept_plaintext(|| serde_json::from_str::<Posted<Row<T>>>(&json)).unwrap(), posted);
}

// Bytes and lists

/// Written as bytes or as a list, and read as whatever the type asks for: signatures, digests, encoded images.
macro_rules! asks {
    ($($name:ident writes $written:ident reads $read:ident $(($len:literal))?;)*) => {$(
        #[derive(Clone, PartialEq, Debug)]
        struct $name(Vec<u8>);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $written(&self.0, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.$read($($len,)? $read).map(Self)
            }
        }
    )*};
}

fn bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

fn list<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(bytes)
}

/// Takes bytes and nothing else.
macro_rules! takes_bytes {
    ($($name:ident $method:ident $type:ty;)*) => {$(
        #[allow(non_camel_case_types)]
        struct $name;

        impl Visitor<'_> for $name {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn $method<E>(self, bytes: $type) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
    )*};
}

takes_bytes! {
    deserialize_bytes visit_bytes &[u8];
    deserialize_byte_buf visit_byte_buf Vec<u8>;
}

/// Takes a list and nothing else.
macro_rules! takes_list {
    ($($name:ident)*) => {$(
        #[allow(non_camel_case_types)]
        struct $name;

        impl<'de> Visitor<'de> for $name {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<u8>, A::Error> {
                std::iter::from_fn(|| list.next_element().transpose()).collect()
            }
        }
    )*};
}

takes_list! { deserialize_seq deserialize_tuple }

asks! {
    BytesAsBytes writes bytes reads deserialize_bytes;
    BytesAsList writes bytes reads deserialize_seq;
    BytesAsTuple writes bytes reads deserialize_tuple(4);
    ListAsBytes writes list reads deserialize_bytes;
    ListAsByteBuf writes list reads deserialize_byte_buf;
    ListAsList writes list reads deserialize_seq;
}

#[test]
fn bytes_are_a_list_and_a_list_is_bytes_where_a_type_asks_for_it() {
    for bytes in [vec![], vec![0, 255, 3, 0x80], vec![0; 300]] {
        keeps_everywhere(BytesAsBytes(bytes.clone()));
        keeps_everywhere(BytesAsList(bytes.clone()));
        keeps_everywhere(ListAsBytes(bytes.clone()));
        keeps_everywhere(ListAsByteBuf(bytes.clone()));
        keeps_everywhere(ListAsList(bytes));
    }
    keeps_everywhere(BytesAsTuple(vec![1, 2, 3, 4]));
}

#[test]
fn what_is_no_list_of_bytes_is_not_one() {
    for error in [
        through::<ListAsBytes>(&vec![1_u16, 256]),
        through::<ListAsBytes>(&vec![-1]),
        through::<ListAsBytes>(&vec!["a"]),
        through::<ListAsBytes>(&BTreeMap::from([("a", 1)])),
    ] {
        assert!(error.unwrap_err().is_type_mismatch());
    }
    // As many as the type asks for, neither more nor fewer.
    for bytes in [vec![1_u8, 2, 3], vec![1; 5]] {
        assert!(through::<[u8; 4]>(&BytesAsBytes(bytes)).unwrap_err().is_type_mismatch());
    }
    assert_eq!(through::<[u8; 4]>(&BytesAsBytes(vec![1; 4])).unwrap(), [1; 4]);
}

// Numbers

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Measured {
    wide: f64,
    narrow: f32,
    some: Option<f64>,
    list: Vec<f64>,
    whole: (u64, i64),
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    measured: Measured,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(tag = "kind")]
enum Tagged {
    Struct { wide: f64, narrow: Vec<f32> },
    Newtype(Measured),
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(tag = "kind", content = "of")]
enum Adjacent {
    Struct { wide: f64 },
    Newtype(f64),
    Tuple(f64, f32),
}

/// Whatever is not read as the number falls into a variant that takes everything.
#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(untagged)]
enum Wide {
    Number(f64),
    Map(BTreeMap<String, String>),
    Any(Value),
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(untagged)]
enum Narrow {
    Number(f32),
    Map(BTreeMap<String, String>),
    Any(Value),
}

#[track_caller]
fn keeps_floats(wide: f64, narrow: f32) {
    let measured = Measured { wide, narrow, some: Some(wide), list: vec![wide, 2.0], whole: (u64::MAX, i64::MIN) };
    keeps_everywhere(wide);
    keeps_everywhere(narrow);
    keeps_everywhere(measured.clone());
    keeps_everywhere(Flat { id: 1, measured: measured.clone() });
    keeps_everywhere(Tagged::Struct { wide, narrow: vec![narrow] });
    keeps_everywhere(Tagged::Newtype(measured));
    keeps_everywhere(Adjacent::Struct { wide });
    keeps_everywhere(Adjacent::Newtype(wide));
    keeps_everywhere(Adjacent::Tuple(wide, narrow));
    keeps_everywhere(Wide::Number(wide));
    keeps_everywhere(Narrow::Number(narrow));
    keeps_everywhere(Value::from(wide));
}

#[test]
fn floats_are_floats_wherever_serde_buffers_them() {
    for wide in [0.0, -0.0, 1.0, 1.5, 0.1, 1e14, 1e15, 1e16, 1e22, 1e-7, -1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324] {
        keeps_floats(wide, 0.1);
    }
    for narrow in [-0.0, 1.5, 0.1, 1e10, 1e13, 1e14, 1e-7, f32::MAX, f32::MIN_POSITIVE, 1e-45] {
        keeps_floats(0.1, narrow);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("RXSEAL_FULL").is_some() { 100_000 } else { 100 }))]

    #[test]
    fn floats_are_floats_of_any_value(
        wide in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO,
        narrow in proptest::num::f32::NORMAL | proptest::num::f32::SUBNORMAL | proptest::num::f32::ZERO,
    ) {
        keeps_floats(wide, narrow);
    }

    /// A `Value` holds with `arbitrary_precision` the text of a number, and gets it back.
    #[test]
    fn a_number_that_is_a_value_is_kept_digit_by_digit(text in "-?(0|[1-9][0-9]{0,25})([.][0-9]{1,25})?([eE][-+]?[0-9]{1,2})?") {
        let value: Value = serde_json::from_str(&text).unwrap();
        let many = serde_json::json!({ "in": [value], "z": { "a": value }, "a": null });
        for value in [value, many] {
            let opened: Value = through(&value).unwrap();
            prop_assert_eq!(opened.to_string(), value.to_string());
        }
    }
}

#[test]
fn numbers_wider_than_64_bits_are_kept() {
    keeps_everywhere(i128::MIN);
    keeps_everywhere(u128::MAX);
}

/// What looks like serde_json's private form, and was a map.
#[test]
fn a_map_with_the_private_key_is_a_map() {
    let private = "$serde_json::private::Number";
    for text in ["1.5", "x"] {
        keeps(BTreeMap::from([(private.to_owned(), text.to_owned())]));
        keeps(Wide::Map(BTreeMap::from([(private.to_owned(), text.to_owned())])));
    }
}

/// A type that asks for anything and finds a map whose keys are numbers: its first key is looked at, and must still be one.
#[test]
fn keys_of_a_map_that_anything_was_asked_for_are_what_their_type_asks_for() {
    #[derive(Clone, PartialEq, Debug)]
    struct TextOrMap<K>(BTreeMap<K, u8>);

    impl<K: Serialize> Serialize for TextOrMap<K> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.serialize(serializer)
        }
    }

    impl<'de, K: Deserialize<'de> + Ord> Deserialize<'de> for TextOrMap<K> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Either<K>(std::marker::PhantomData<K>);

            impl<'de, K: Deserialize<'de> + Ord> Visitor<'de> for Either<K> {
                type Value = BTreeMap<K, u8>;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("text or a map")
                }

                fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
                    Err(E::custom("not written here"))
                }

                fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                    BTreeMap::deserialize(MapAccessDeserializer::new(map))
                }
            }

            let map = deserializer.deserialize_any(Either(std::marker::PhantomData)).map_err(D::Error::custom)?;
            Ok(Self(map))
        }
    }

    #[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
    enum Unit {
        Tablet,
        Capsule,
    }

    keeps_everywhere(TextOrMap(BTreeMap::from([(-1_i64, 1), (7, 2)])));
    keeps_everywhere(TextOrMap(BTreeMap::from([(u128::MAX, 1), (7, 2)])));
    keeps_everywhere(TextOrMap(BTreeMap::from([(false, 1), (true, 2)])));
    keeps_everywhere(TextOrMap(BTreeMap::from([('a', 1), ('b', 2)])));
    keeps_everywhere(TextOrMap(BTreeMap::from([("\n\"".to_owned(), 1), ("b".to_owned(), 2)])));
    keeps_everywhere(TextOrMap(BTreeMap::from([(Some(1_u8), 1), (Some(2), 2)])));
    keeps_everywhere(TextOrMap(BTreeMap::from([(Unit::Tablet, 1), (Unit::Capsule, 2)])));
    keeps_everywhere(TextOrMap(BTreeMap::<u8, u8>::new()));
    assert!(through::<TextOrMap<u8>>(&BTreeMap::from([("1 ", 1)])).unwrap_err().is_type_mismatch());
}
