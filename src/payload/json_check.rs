//! While a value is written, refuses what JSON would lose or could not read again. Floats that are not finite would
//! become `null` for ever. An option that holds `null` would be read as absent. Of two keys that are written alike, one
//! would be lost. More than 128 levels of nesting cannot be read back.
//!
//! This is a wrapper and not a separate pass before writing: a value may contain sealed fields, and serializing them
//! has an effect, so they would be sealed twice.

use std::cell::Cell;
use std::fmt::Display;

use serde::ser::{self, Serialize, Serializer};

use super::json_keys::Keys;
use crate::error::ErrorKind;

/// serde_json reads 127 levels, and a value stays well below.
const MAX_DEPTH: usize = 100;

/// How many nested tagged enums are checked.
const TAGS: usize = 4;

/// serde_json's name for its `RawValue`, whose only field is text that is written unchanged.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// Forwards to `inner` and checks each value. A refusal is stored in `problem`.
pub(super) struct Checked<'p, S> {
    inner: S,
    depth: usize,
    place: Place,
    problem: &'p Cell<Option<ErrorKind>>,
}

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Anywhere,
    /// In a present option, which would be read as absent if it held `null`.
    InOption,
    /// The text of a present `RawValue`.
    RawInOption,
}

impl<'p, S> Checked<'p, S> {
    pub(super) fn new(inner: S, problem: &'p Cell<Option<ErrorKind>>) -> Self {
        Self { inner, depth: 0, place: Place::Anywhere, problem }
    }

    /// For the value of an option that is present.
    pub(super) fn in_option(self) -> Self {
        Self { place: Place::InOption, ..self }
    }

    fn refuse<E: ser::Error>(&self, problem: ErrorKind) -> E {
        self.problem.set(Some(problem));
        E::custom("refused")
    }

    /// `levels` deeper, for the members to come.
    fn enter<C, E: ser::Error>(self, levels: usize, open: impl FnOnce(S) -> Result<C, E>) -> Result<Checked<'p, C>, E> {
        let depth = self.depth.saturating_add(levels);
        if depth > MAX_DEPTH {
            return Err(self.refuse(ErrorKind::Unrepresentable));
        }
        Ok(Checked { inner: open(self.inner)?, depth, place: Place::Anywhere, problem: self.problem })
    }

    fn member<'v, T: ?Sized>(&self, value: &'v T, place: Place) -> Member<'p, 'v, T> {
        Member { value, depth: self.depth, place, problem: self.problem }
    }

    /// A value that JSON writes as `null`.
    fn null<T, E: ser::Error>(self, write: impl FnOnce(S) -> Result<T, E>) -> Result<T, E> {
        match self.place {
            Place::InOption => Err(self.refuse(ErrorKind::Unrepresentable)),
            Place::Anywhere | Place::RawInOption => write(self.inner),
        }
    }
}

/// A value inside a checked one.
struct Member<'p, 'v, T: ?Sized> {
    value: &'v T,
    depth: usize,
    place: Place,
    problem: &'p Cell<Option<ErrorKind>>,
}

impl<T: Serialize + ?Sized> Serialize for Member<'_, '_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { value, depth, place, problem } = self;
        value.serialize(Checked { inner: serializer, depth: *depth, place: *place, problem })
    }
}

macro_rules! forward {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {$(
        fn $method(self, $($name: $type),*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($name),*)
        }
    )*};
}

macro_rules! forward_compound {
    ($($levels:literal: $method:ident($($name:ident: $type:ty),*) -> $compound:ident;)*) => {$(
        fn $method(self, $($name: $type),*) -> Result<Self::$compound, S::Error> {
            self.enter($levels, |inner| inner.$method($($name),*))
        }
    )*};
}

impl<'p, S: Serializer> Serializer for Checked<'p, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Checked<'p, S::SerializeSeq>;
    type SerializeTuple = Checked<'p, S::SerializeTuple>;
    type SerializeTupleStruct = Checked<'p, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Checked<'p, S::SerializeTupleVariant>;
    type SerializeMap = CheckedMap<'p, S::SerializeMap>;
    type SerializeStruct = CheckedStruct<'p, S::SerializeStruct>;
    type SerializeStructVariant = Checked<'p, S::SerializeStructVariant>;

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        if value.is_finite() { self.inner.serialize_f32(value) } else { Err(self.refuse(ErrorKind::NotFinite)) }
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        if value.is_finite() { self.inner.serialize_f64(value) } else { Err(self.refuse(ErrorKind::NotFinite)) }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let member = self.member(value, Place::InOption);
        self.inner.serialize_some(&member)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        let member = self.member(value, self.place);
        self.inner.serialize_newtype_struct(name, &member)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let Checked { inner, depth, place, problem } = self.enter(1, Ok::<S, S::Error>)?;
        inner.serialize_newtype_variant(name, index, variant, &Member { value, depth, place, problem })
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.null(S::serialize_none)
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.null(S::serialize_unit)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.null(|inner| inner.serialize_unit_struct(name))
    }

    fn serialize_str(self, text: &str) -> Result<S::Ok, S::Error> {
        if self.place == Place::RawInOption && text.trim() == "null" {
            return Err(self.refuse(ErrorKind::Unrepresentable));
        }
        self.inner.serialize_str(text)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let entries = self.enter(1, |inner| inner.serialize_map(len))?;
        Ok(CheckedMap { entries, keys: Keys::default() })
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        let raw = self.place == Place::InOption && name == RAW_VALUE;
        let mut fields = self.enter(1, |inner| inner.serialize_struct(name, len))?;
        if raw {
            fields.place = Place::RawInOption;
        }
        Ok(CheckedStruct { fields, tags: [None; TAGS] })
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    forward! {
        serialize_bool(v: bool);
        serialize_i8(v: i8);
        serialize_i16(v: i16);
        serialize_i32(v: i32);
        serialize_i64(v: i64);
        serialize_i128(v: i128);
        serialize_u8(v: u8);
        serialize_u16(v: u16);
        serialize_u32(v: u32);
        serialize_u64(v: u64);
        serialize_u128(v: u128);
        serialize_char(v: char);
        serialize_bytes(v: &[u8]);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    // With the JSON levels that each takes: a variant is an object around its content.
    forward_compound! {
        1: serialize_seq(len: Option<usize>) -> SerializeSeq;
        1: serialize_tuple(len: usize) -> SerializeTuple;
        1: serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct;
        2: serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> SerializeTupleVariant;
        2: serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> SerializeStructVariant;
    }
}

macro_rules! members {
    ($($compound:ident: $method:ident($($name:ident: $type:ty)?);)*) => {$(
        impl<C: ser::$compound> ser::$compound for Checked<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $($name: $type,)? value: &T) -> Result<(), C::Error> {
                let member = self.member(value, Place::Anywhere);
                self.inner.$method($($name,)? &member)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )*};
}

members! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeStructVariant: serialize_field(key: &'static str);
}

/// A map that is being written. A struct with a flattened field becomes one too.
pub(super) struct CheckedMap<'p, C> {
    entries: Checked<'p, C>,
    keys: Keys,
}

impl<C: ser::SerializeMap> ser::SerializeMap for CheckedMap<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        if !self.keys.is_new(key) {
            return Err(self.entries.refuse(ErrorKind::Unrepresentable));
        }
        let member = self.entries.member(key, Place::Anywhere);
        self.entries.inner.serialize_key(&member)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let member = self.entries.member(value, Place::Anywhere);
        self.entries.inner.serialize_value(&member)
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.entries.inner.end()
    }
}

/// A struct that is being written.
pub(super) struct CheckedStruct<'p, C> {
    fields: Checked<'p, C>,
    /// The first keys. serde writes the tags of nested enums there, side by side, and does not know whether the variant
    /// has a field with such a name.
    tags: [Option<&'static str>; TAGS],
}

impl<C: ser::SerializeStruct> ser::SerializeStruct for CheckedStruct<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), C::Error> {
        if self.tags.contains(&Some(key)) {
            return Err(self.fields.refuse(ErrorKind::Unrepresentable));
        }
        if let Some(free) = self.tags.iter_mut().find(|tag| tag.is_none()) {
            *free = Some(key);
        }
        let member = self.fields.member(value, self.fields.place);
        self.fields.inner.serialize_field(key, &member)
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.fields.inner.end()
    }
}
