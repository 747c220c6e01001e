//! Evens out differences between formats, and between the features of serde_json that a user's program turns on, while
//! a value is read. Bytes are offered as a list if the type asks for a list, and a list as bytes. A number is a number
//! in whatever form serde_json passes it on.
//!
//! This is a deserializer around the format's own, so it works wherever plain serde does.

use std::fmt;
use std::iter;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as DeError, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use zeroize::Zeroizing;

use super::number::{self, Begun, Key, KeySeed, PRIVATE_KEY};
use crate::secret::{PlainBuffer, reserve_wiping};

/// Hooks that are called while a value is read.
pub(crate) trait Watch: Copy {
    /// Every text that is read.
    fn text<E: DeError>(self, text: &str) -> Result<(), E>;

    /// All bytes that are read.
    fn bytes<E: DeError>(self, bytes: &[u8]) -> Result<(), E>;

    /// Whether to round a number that no `f64` holds exactly, even for a type that might hold it in another form.
    fn rounds(self) -> bool;

    /// Called for a number that was not rounded.
    fn left_exact(self) {}
}

/// A part of serde's machinery, watched and evened out.
pub(crate) struct Even<I, W> {
    inner: I,
    watch: W,
    asked: Asked,
}

/// What the type of a visitor asked the format for.
#[derive(Clone, Copy)]
enum Asked {
    Anything,
    Bytes,
    ByteBuf,
    List,
    Other,
}

impl<I, W> Even<I, W> {
    pub(crate) fn new(inner: I, watch: W) -> Self {
        Self { inner, watch, asked: Asked::Other }
    }
}

/// Bytes as the list of numbers that `visitor` asked for.
pub(super) fn visit_as_list<'de, V: Visitor<'de>, E: DeError>(bytes: &[u8], visitor: V) -> Result<V::Value, E> {
    let mut list = SeqDeserializer::<_, E>::new(bytes.iter().copied());
    let value = visitor.visit_seq(&mut list)?;
    list.end()?;
    Ok(value)
}

macro_rules! forward {
    ($($asked:ident: $method:ident($($name:ident: $type:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let Self { inner, watch, .. } = self;
            inner.$method($($name,)* Even { inner: visitor, watch, asked: Asked::$asked })
        }
    )*};
}

impl<'de, D: Deserializer<'de>, W: Watch> Deserializer<'de> for Even<D, W> {
    type Error = D::Error;

    forward! {
        Anything: deserialize_any();
        Other: deserialize_bool();
        Other: deserialize_i8();
        Other: deserialize_i16();
        Other: deserialize_i32();
        Other: deserialize_i64();
        Other: deserialize_i128();
        Other: deserialize_u8();
        Other: deserialize_u16();
        Other: deserialize_u32();
        Other: deserialize_u64();
        Other: deserialize_u128();
        Other: deserialize_f32();
        Other: deserialize_f64();
        Other: deserialize_char();
        Other: deserialize_str();
        Other: deserialize_string();
        Bytes: deserialize_bytes();
        ByteBuf: deserialize_byte_buf();
        Other: deserialize_option();
        Other: deserialize_unit();
        Other: deserialize_unit_struct(name: &'static str);
        Other: deserialize_newtype_struct(name: &'static str);
        List: deserialize_seq();
        List: deserialize_tuple(len: usize);
        List: deserialize_tuple_struct(name: &'static str, len: usize);
        Other: deserialize_map();
        Other: deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        Other: deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        Other: deserialize_identifier();
        Other: deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident: $type:ty;)*) => {$(
        fn $method<E: DeError>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

macro_rules! visit_text {
    ($($method:ident: $type:ty;)*) => {$(
        fn $method<E: DeError>(self, value: $type) -> Result<V::Value, E> {
            self.watch.text(value.as_ref())?;
            self.inner.$method(value)
        }
    )*};
}

macro_rules! visit_bytes {
    ($($method:ident: $type:ty;)*) => {$(
        fn $method<E: DeError>(self, value: $type) -> Result<V::Value, E> {
            self.watch.bytes(value.as_ref())?;
            match self.asked {
                Asked::List => visit_as_list(value.as_ref(), self.inner),
                _ => self.inner.$method(value),
            }
        }
    )*};
}

impl<'de, V: Visitor<'de>, W: Watch> Visitor<'de> for Even<V, W> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool: bool;
        visit_i8: i8;
        visit_i16: i16;
        visit_i32: i32;
        visit_i64: i64;
        visit_i128: i128;
        visit_u8: u8;
        visit_u16: u16;
        visit_u32: u32;
        visit_u64: u64;
        visit_u128: u128;
        visit_f32: f32;
        visit_f64: f64;
        visit_char: char;
    }

    visit_text! {
        visit_str: &str;
        visit_borrowed_str: &'de str;
        visit_string: String;
    }

    visit_bytes! {
        visit_bytes: &[u8];
        visit_borrowed_bytes: &'de [u8];
    }

    fn visit_byte_buf<E: DeError>(self, value: Vec<u8>) -> Result<V::Value, E> {
        self.watch.bytes(&value)?;
        match self.asked {
            // Nobody else has these bytes, so they are wiped here.
            Asked::List => visit_as_list(&Zeroizing::new(value), self.inner),
            _ => self.inner.visit_byte_buf(value),
        }
    }

    fn visit_none<E: DeError>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: DeError>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Even::new(inner, self.watch))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Even::new(inner, self.watch))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut inner: A) -> Result<V::Value, A::Error> {
        let Self { inner: visitor, watch, asked } = self;
        if !matches!(asked, Asked::Bytes | Asked::ByteBuf) {
            return visitor.visit_seq(Even::new(inner, watch));
        }
        let mut listed = PlainBuffer::default();
        while let Some(byte) = inner.next_element()? {
            reserve_wiping(listed.vec(), 1);
            listed.vec().push(byte);
        }
        watch.bytes(listed.as_mut_slice())?;
        match asked {
            Asked::ByteBuf => visitor.visit_byte_buf(std::mem::take(listed.vec())),
            _ => visitor.visit_bytes(listed.as_mut_slice()),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { inner: visitor, watch, asked } = self;
        match asked {
            Asked::Anything if is_json::<A::Error>() => visit_number_or_map(inner, visitor, watch),
            _ => visitor.visit_map(Even::new(inner, watch)),
        }
    }

    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Even::new(inner, self.watch))
    }
}

/// Passes `map`, which serde_json returned when any type was allowed, to `visitor`: as a number if it is one.
fn visit_number_or_map<'de, A: MapAccess<'de>, V: Visitor<'de>, W: Watch>(
    mut map: A,
    visitor: V,
    watch: W,
) -> Result<V::Value, A::Error> {
    match map.next_key_seed(KeySeed)? {
        None => visitor.visit_map(Even::new(map, watch)),
        Some(Key::PrivateNumber) => {
            let text: Zeroizing<String> = Zeroizing::new(map.next_value()?);
            match number::number::<V::Value>(&text, watch.rounds()) {
                Some(number) => visitor.visit_f64(number),
                None => {
                    watch.left_exact();
                    visitor.visit_map(MapDeserializer::new(iter::once((PRIVATE_KEY, text.as_str()))))
                }
            }
        }
        Some(Key::Text(first)) => visitor.visit_map(Even::new(Begun::new(first, map), watch)),
    }
}

/// Whether errors of type `E` are serde_json's. Serde shows nothing of a format except its error type, and that type
/// may have a lifetime, so `TypeId` is not available. Two types with one name would be confused, so this only decides
/// between two ways that are both sound.
pub(crate) fn is_json<E>() -> bool {
    std::any::type_name::<E>() == std::any::type_name::<serde_json::Error>()
}

impl<'de, S: DeserializeSeed<'de>, W: Watch> DeserializeSeed<'de> for Even<S, W> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Even::new(inner, self.watch))
    }
}

impl<'de, A: SeqAccess<'de>, W: Watch> SeqAccess<'de> for Even<A, W> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, inner: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_element_seed(Even::new(inner, self.watch))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>, W: Watch> MapAccess<'de> for Even<A, W> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, inner: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_key_seed(Even::new(inner, self.watch))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, inner: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(Even::new(inner, self.watch))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>, W: Watch> EnumAccess<'de> for Even<A, W> {
    type Error = A::Error;
    type Variant = Even<A::Variant, W>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, inner: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.inner.variant_seed(Even::new(inner, self.watch))?;
        Ok((value, Even::new(variant, self.watch)))
    }
}

impl<'de, A: VariantAccess<'de>, W: Watch> VariantAccess<'de> for Even<A, W> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, inner: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(Even::new(inner, self.watch))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, inner: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, Even::new(inner, self.watch))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], inner: V) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Even::new(inner, self.watch))
    }
}
