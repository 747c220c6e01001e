//! Bytes: written and read as bytes, as lists, or one way and the other.

use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::{ByteArray, ByteBuf};

use super::Cases;

/// A visitor of bytes, of a list of them, or of both.
struct BytesVisitor {
    bytes: bool,
    list: bool,
}

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        if self.bytes { Ok(bytes.to_vec()) } else { Err(E::custom("a list was asked for")) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
        if !self.list {
            return Err(A::Error::custom("bytes were asked for"));
        }
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element::<u8>()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

macro_rules! bytes_type {
    ($name:ident, $write:ident, $hint:ident $(($len:literal))?, bytes: $bytes:literal, list: $list:literal) => {
        #[derive(PartialEq, Clone)]
        struct $name(Vec<u8>);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $write(&self.0, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.$hint($($len,)? BytesVisitor { bytes: $bytes, list: $list }).map(Self)
            }
        }
    };
}

fn as_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

fn as_list<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    bytes.serialize(serializer)
}

fn as_tuple<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    <[u8; 4]>::try_from(bytes).map_err(serde::ser::Error::custom)?.serialize(serializer)
}

bytes_type!(Both, as_bytes, deserialize_byte_buf, bytes: true, list: true);
bytes_type!(Strict, as_bytes, deserialize_bytes, bytes: true, list: false);
bytes_type!(BytesThenList, as_bytes, deserialize_seq, bytes: false, list: true);
bytes_type!(BytesThenTuple, as_bytes, deserialize_tuple(4), bytes: false, list: true);
bytes_type!(BytesThenAny, as_bytes, deserialize_any, bytes: false, list: true);
bytes_type!(BytesHintList, as_bytes, deserialize_bytes, bytes: false, list: true);
bytes_type!(ListThenBytes, as_list, deserialize_bytes, bytes: true, list: false);
bytes_type!(ListHintBytes, as_list, deserialize_byte_buf, bytes: true, list: true);
bytes_type!(TupleThenBytes, as_tuple, deserialize_bytes, bytes: true, list: false);

#[derive(Serialize, Deserialize, PartialEq)]
struct Holder<T> {
    signature: T,
    by: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Newtype<T>(T);

/// Hex for people, bytes for machines: as crates of hashes and signatures do it.
#[derive(PartialEq)]
struct Readable([u8; 4]);

impl Serialize for Readable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&format_args!("{:08x}", u32::from_be_bytes(self.0)))
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            u32::from_str_radix(&text, 16).map(|number| Self(number.to_be_bytes())).map_err(D::Error::custom)
        } else {
            let bytes = ByteBuf::deserialize(deserializer)?;
            bytes.as_slice().try_into().map(Self).map_err(D::Error::custom)
        }
    }
}

pub fn add(cases: &mut Cases) {
    let four = || vec![1_u8, 2, 254, 255];
    cases.add("bytes", vec![Both(vec![]), Both(four()), Both((0..=255).collect()), Both(b"text".to_vec())]);
    cases.add("bytes, read as bytes only", vec![Strict(four())]);
    cases.add("bytes, read as a list", vec![BytesThenList(four()), BytesThenList(vec![])]);
    cases.add("bytes, read as a tuple", vec![BytesThenTuple(four())]);
    cases.add("bytes, read as any, which takes a list only", vec![BytesThenAny(four())]);
    cases.add("bytes, hint of bytes, which takes a list only", vec![BytesHintList(four())]);
    cases.add("list, read as bytes only", vec![ListThenBytes(four())]);
    cases.add("list, read as bytes or list", vec![ListHintBytes(four())]);
    cases.add("tuple, read as bytes only", vec![TupleThenBytes(four())]);
    cases.add("struct: bytes", vec![holder(Both(four()))]);
    cases.add("struct: bytes, read as bytes only", vec![holder(Strict(four()))]);
    cases.add("struct: bytes, read as a list", vec![holder(BytesThenList(four()))]);
    cases.add("struct: bytes, read as a tuple", vec![holder(BytesThenTuple(four()))]);
    cases.add("struct: list, read as bytes only", vec![holder(ListThenBytes(four()))]);
    cases.add("Option: bytes, read as a list", vec![None, Some(BytesThenList(four()))]);
    cases.add("Option: bytes, read as a tuple", vec![None, Some(BytesThenTuple(four()))]);
    cases.add("newtype: bytes, read as a list", vec![Newtype(BytesThenList(four()))]);
    cases.add("Vec: bytes, read as a list", vec![vec![BytesThenList(four()), BytesThenList(vec![])]]);
    cases.add("Vec: bytes, read as bytes only", vec![vec![Strict(four())]]);
    cases.add("hex for people, bytes for machines", vec![Readable([1, 2, 3, 4])]);
    cases.add("struct: hex for people, bytes for machines", vec![holder(Readable([0, 0, 0, 4]))]);
    cases.add("serde_bytes::ByteBuf", vec![ByteBuf::new(), ByteBuf::from(four())]);
    cases.add("serde_bytes::ByteArray", vec![ByteArray::new([1_u8, 2, 3])]);
    cases.add("Option<ByteBuf>", vec![None, Some(ByteBuf::new()), Some(ByteBuf::from(four()))]);
    cases.add("struct: ByteArray", vec![holder(ByteArray::new([1_u8, 2, 3]))]);
    cases.add("bytes::Bytes", vec![bytes::Bytes::new(), bytes::Bytes::from(four())]);
}

fn holder<T>(signature: T) -> Holder<T> {
    Holder { signature, by: "a".into() }
}
