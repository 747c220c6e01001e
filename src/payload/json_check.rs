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
pub(super) const MAX_DEPTH: usize = 100;

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
        SerializeTupleVariant,
    };

    use super::*;

    fn written_at(place: Place, value: &impl Serialize) -> Result<String, ErrorKind> {
        let problem = Cell::new(None);
        let mut out = Vec::new();
        let mut json = serde_json::Serializer::new(&mut out);
        let checked = Checked::new(&mut json, &problem);
        let checked = if place == Place::InOption { checked.in_option() } else { checked };
        match value.serialize(checked) {
            Ok(()) => Ok(String::from_utf8(out).unwrap()),
            Err(_) => Err(problem.take().unwrap()),
        }
    }

    fn written(value: &impl Serialize) -> Result<String, ErrorKind> {
        written_at(Place::Anywhere, value)
    }

    fn is_unrepresentable(result: Result<String, ErrorKind>) -> bool {
        result == Err(ErrorKind::Unrepresentable)
    }

    #[derive(Clone, Copy, Debug)]
    enum Kind {
        Seq,
        Tuple,
        TupleStruct,
        TupleVariant,
        NewtypeVariant,
        Map,
        Struct,
        StructVariant,
    }

    /// One inside the other, `left` times.
    struct Deep {
        kind: Kind,
        left: usize,
    }

    impl Serialize for Deep {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let Some(left) = self.left.checked_sub(1) else { return to.serialize_u8(0) };
            let inner = Self { kind: self.kind, left };
            match self.kind {
                Kind::Seq => {
                    let mut to = to.serialize_seq(Some(1))?;
                    to.serialize_element(&inner)?;
                    to.end()
                }
                Kind::Tuple => {
                    let mut to = to.serialize_tuple(1)?;
                    to.serialize_element(&inner)?;
                    to.end()
                }
                Kind::TupleStruct => {
                    let mut to = to.serialize_tuple_struct("T", 1)?;
                    to.serialize_field(&inner)?;
                    to.end()
                }
                Kind::TupleVariant => {
                    let mut to = to.serialize_tuple_variant("E", 0, "V", 1)?;
                    to.serialize_field(&inner)?;
                    to.end()
                }
                Kind::NewtypeVariant => to.serialize_newtype_variant("E", 0, "V", &inner),
                Kind::Map => {
                    let mut to = to.serialize_map(Some(1))?;
                    to.serialize_entry("k", &inner)?;
                    to.end()
                }
                Kind::Struct => {
                    let mut to = to.serialize_struct("S", 1)?;
                    to.serialize_field("k", &inner)?;
                    to.end()
                }
                Kind::StructVariant => {
                    let mut to = to.serialize_struct_variant("E", 0, "V", 1)?;
                    to.serialize_field("k", &inner)?;
                    to.end()
                }
            }
        }
    }

    #[test]
    fn each_kind_counts_the_levels_that_json_has() {
        let one = [Kind::Seq, Kind::Tuple, Kind::TupleStruct, Kind::NewtypeVariant, Kind::Map, Kind::Struct];
        let two = [Kind::TupleVariant, Kind::StructVariant];
        for (kind, levels) in one.map(|kind| (kind, 1)).into_iter().chain(two.map(|kind| (kind, 2))) {
            let most = MAX_DEPTH / levels;
            let text = written(&Deep { kind, left: most }).unwrap();
            assert_eq!(text.matches(['[', '{']).count(), MAX_DEPTH, "{kind:?}");
            assert!(is_unrepresentable(written(&Deep { kind, left: most + 1 })), "{kind:?}");
        }
    }

    #[derive(serde::Serialize)]
    struct Nothing;

    #[derive(serde::Serialize)]
    struct Around<T>(T);

    #[test]
    fn null_is_refused_in_an_option_alone() {
        for result in [written(&None::<u8>), written(&()), written(&Nothing), written(&Around(()))] {
            assert_eq!(result, Ok("null".to_owned()));
        }
        let within = |value| written_at(Place::InOption, value);
        assert!(is_unrepresentable(within(&None::<u8>)) && is_unrepresentable(written(&Some(None::<u8>))));
        assert!(is_unrepresentable(written(&Some(()))) && is_unrepresentable(written(&Some(Nothing))));
        assert!(is_unrepresentable(written(&Some(Around(())))));
        assert_eq!(written(&Some(vec![None::<u8>])), Ok("[null]".to_owned()));
        assert_eq!(written(&Some("null")), Ok("\"null\"".to_owned()));
    }

    /// A struct of one field, which may be as serde_json writes its `RawValue`.
    struct Named(&'static str, &'static str);

    impl Serialize for Named {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let mut to = to.serialize_struct(self.0, 1)?;
            to.serialize_field(self.0, self.1)?;
            to.end()
        }
    }

    #[test]
    fn raw_null_is_refused_in_an_option_alone() {
        assert!(is_unrepresentable(written(&Some(Named(RAW_VALUE, "null")))));
        assert!(is_unrepresentable(written(&Some(Named(RAW_VALUE, " null\n")))));
        for fine in [Named(RAW_VALUE, "nul"), Named(RAW_VALUE, "[null]"), Named("Other", "null")] {
            assert!(written(&Some(&fine)).is_ok(), "{} {}", fine.0, fine.1);
        }
        assert!(written(&Named(RAW_VALUE, "null")).is_ok());
        assert!(written(&Some(vec![Named(RAW_VALUE, "null")])).is_ok());
    }

    #[test]
    fn floats_are_finite() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(written(&value), Err(ErrorKind::NotFinite));
        }
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(written(&value), Err(ErrorKind::NotFinite));
        }
        assert!(written(&1.5_f32).is_ok() && written(&f64::MAX).is_ok());
    }

    struct Keyed(&'static [&'static str]);

    impl Serialize for Keyed {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let mut to = to.serialize_struct("S", self.0.len())?;
            for key in self.0 {
                to.serialize_field(key, &0)?;
            }
            to.end()
        }
    }

    #[test]
    fn no_key_is_written_twice() {
        for keys in [&["t", "t"][..], &["a", "b", "c", "d", "a"], &["a", "b", "c", "d", "e", "d"]] {
            assert!(is_unrepresentable(written(&Keyed(keys))), "{keys:?}");
        }
        assert!(written(&Keyed(&["a", "b", "c", "d", "e", "f"])).is_ok());
        let map = BTreeMap::from([("1", 0), ("2", 0)]);
        assert_eq!(written(&map), Ok(r#"{"1":0,"2":0}"#.to_owned()));

        struct Twice;
        impl Serialize for Twice {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let mut to = to.serialize_map(Some(2))?;
                to.serialize_entry(&1, &0)?;
                to.serialize_entry("1", &0)?;
                to.end()
            }
        }
        assert!(is_unrepresentable(written(&Twice)));
    }
}
