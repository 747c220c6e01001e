//! The value of an opened field whose type a test does not know.

use serde::de::{MapAccess, SeqAccess, Visitor, value};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What a field opened to, of whatever type it was sealed as.
#[derive(Clone, PartialEq)]
pub(crate) enum Opened {
    Raw(Vec<u8>),
    /// Text, and what is JSON.
    Value(Value),
}

impl<'de> Deserialize<'de> for Opened {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyVisitor;

        impl<'de> Visitor<'de> for AnyVisitor {
            type Value = Opened;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("anything")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Opened, E> {
                Ok(Opened::Raw(bytes.to_vec()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Opened, E> {
                Ok(Opened::Value(text.into()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Opened, E> {
                Ok(Opened::Value(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Opened, E> {
                Ok(Opened::Value(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Opened, E> {
                Ok(Opened::Value(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Opened, E> {
                Ok(Opened::Value(value.into()))
            }

            fn visit_unit<E>(self) -> Result<Opened, E> {
                Ok(Opened::Value(Value::Null))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Opened, A::Error> {
                Value::deserialize(value::SeqAccessDeserializer::new(seq)).map(Opened::Value)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Opened, A::Error> {
                Value::deserialize(value::MapAccessDeserializer::new(map)).map(Opened::Value)
            }
        }

        deserializer.deserialize_any(AnyVisitor)
    }
}
