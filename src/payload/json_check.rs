//! What JSON would lose or could not read again is refused while it is written: floats that are not finite become
//! `null` for ever, and more than 128 levels of nesting are not read back.
//!
//! A wrapper and not a pass of its own before the writing, since a value may hold sealed fields, and serializing those
//! has an effect: they would be sealed twice.

use std::cell::Cell;
use std::fmt::Display;

use serde::ser::{self, Serialize, Serializer};

use crate::error::ErrorKind;

/// serde_json reads 127 levels; a value keeps well below.
const MAX_DEPTH: usize = 100;

/// Forwards to `inner`, checking on the way. What was refused is left in `problem`.
pub(super) struct Checked<'p, S> {
    inner: S,
    depth: usize,
    problem: &'p Cell<Option<ErrorKind>>,
}

impl<'p, S> Checked<'p, S> {
    pub(super) fn new(inner: S, problem: &'p Cell<Option<ErrorKind>>) -> Self {
        Self { inner, depth: 0, problem }
    }

    fn refuse<E: ser::Error>(&self, problem: ErrorKind) -> E {
        self.problem.set(Some(problem));
        E::custom("refused")
    }

    /// `levels` deeper, with the members still to come.
    fn enter<C, E: ser::Error>(self, levels: usize, open: impl FnOnce(S) -> Result<C, E>) -> Result<Checked<'p, C>, E> {
        let depth = self.depth.saturating_add(levels);
        if depth > MAX_DEPTH {
            return Err(self.refuse(ErrorKind::Unrepresentable));
        }
        Ok(Checked { inner: open(self.inner)?, depth, problem: self.problem })
    }

    fn member<'v, T: ?Sized>(&self, value: &'v T) -> Member<'p, 'v, T> {
        Member { value, depth: self.depth, problem: self.problem }
    }
}

/// A value inside a checked one.
struct Member<'p, 'v, T: ?Sized> {
    value: &'v T,
    depth: usize,
    problem: &'p Cell<Option<ErrorKind>>,
}

impl<T: Serialize + ?Sized> Serialize for Member<'_, '_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Checked { inner: serializer, depth: self.depth, problem: self.problem })
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
    type SerializeMap = Checked<'p, S::SerializeMap>;
    type SerializeStruct = Checked<'p, S::SerializeStruct>;
    type SerializeStructVariant = Checked<'p, S::SerializeStructVariant>;

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        if value.is_finite() { self.inner.serialize_f32(value) } else { Err(self.refuse(ErrorKind::NotFinite)) }
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        if value.is_finite() { self.inner.serialize_f64(value) } else { Err(self.refuse(ErrorKind::NotFinite)) }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let member = self.member(value);
        self.inner.serialize_some(&member)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        let member = self.member(value);
        self.inner.serialize_newtype_struct(name, &member)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let Checked { inner, depth, problem } = self.enter(1, Ok::<S, S::Error>)?;
        inner.serialize_newtype_variant(name, index, variant, &Member { value, depth, problem })
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
        serialize_str(v: &str);
        serialize_bytes(v: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    // With the levels of JSON that each is written as: a variant is an object around its content.
    forward_compound! {
        1: serialize_seq(len: Option<usize>) -> SerializeSeq;
        1: serialize_tuple(len: usize) -> SerializeTuple;
        1: serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct;
        2: serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> SerializeTupleVariant;
        1: serialize_map(len: Option<usize>) -> SerializeMap;
        1: serialize_struct(name: &'static str, len: usize) -> SerializeStruct;
        2: serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> SerializeStructVariant;
    }
}

macro_rules! members {
    ($($compound:ident: $method:ident($($name:ident: $type:ty)?);)*) => {$(
        impl<C: ser::$compound> ser::$compound for Checked<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $($name: $type,)? value: &T) -> Result<(), C::Error> {
                let member = self.member(value);
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
    SerializeStruct: serialize_field(key: &'static str);
    SerializeStructVariant: serialize_field(key: &'static str);
}

impl<C: ser::SerializeMap> ser::SerializeMap for Checked<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        let member = self.member(key);
        self.inner.serialize_key(&member)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let member = self.member(value);
        self.inner.serialize_value(&member)
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}
