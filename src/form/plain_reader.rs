//! Reading plaintext that a client sent, in which a token is refused wherever it stands.
//!
//! A deserializer around the format's own, so that it works wherever plain serde does. What the value's own `Deserialize`
//! says of a mismatch quotes the value, and is replaced.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error as DeError, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use crate::error::{Error, ErrorKind};
use crate::id::FieldId;
use crate::scope;
use crate::token;

/// Reads a `T`.
pub(super) fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    field: FieldId,
) -> Result<T, D::Error> {
    T::deserialize(Checked { inner: deserializer, field }).map_err(|_| mismatch(field))
}

/// What the client sent is not of the type of the field.
pub(super) fn mismatch<E: DeError>(field: FieldId) -> E {
    scope::keep(Error::from(ErrorKind::ValueMismatch).at_field(field), |_| {
        E::custom(format_args!("the value is not of the declared type (field {})", field.as_str()))
    })
}

/// Something of serde's, with every text that passes looked at.
struct Checked<I> {
    inner: I,
    field: FieldId,
}

impl<I> Checked<I> {
    fn text<E: DeError>(&self, text: &str) -> Result<(), E> {
        if token::is_text_token(text) { Err(self.refused()) } else { Ok(()) }
    }

    fn bytes<E: DeError>(&self, bytes: &[u8]) -> Result<(), E> {
        if token::Header::parse(bytes).is_ok() { Err(self.refused()) } else { Ok(()) }
    }

    fn refused<E: DeError>(&self) -> E {
        let error = Error::from(ErrorKind::TokenAsPlaintext).at_field(self.field);
        scope::keep(error, |text| E::custom(text))
    }
}

macro_rules! forward {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let field = self.field;
            self.inner.$method($($name,)* Checked { inner: visitor, field })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Checked<D> {
    type Error = D::Error;

    forward! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
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

macro_rules! visit_checked {
    ($($method:ident: $type:ty, $check:ident;)*) => {$(
        fn $method<E: DeError>(self, value: $type) -> Result<V::Value, E> {
            self.$check(value.as_ref())?;
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Checked<V> {
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

    visit_checked! {
        visit_str: &str, text;
        visit_borrowed_str: &'de str, text;
        visit_string: String, text;
        visit_bytes: &[u8], bytes;
        visit_borrowed_bytes: &'de [u8], bytes;
        visit_byte_buf: Vec<u8>, bytes;
    }

    fn visit_none<E: DeError>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: DeError>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let field = self.field;
        self.inner.visit_some(Checked { inner, field })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let field = self.field;
        self.inner.visit_newtype_struct(Checked { inner, field })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let field = self.field;
        self.inner.visit_seq(Checked { inner, field })
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let field = self.field;
        self.inner.visit_map(Checked { inner, field })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let field = self.field;
        self.inner.visit_enum(Checked { inner, field })
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Checked<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let field = self.field;
        self.inner.deserialize(Checked { inner, field })
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Checked<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, inner: S) -> Result<Option<S::Value>, A::Error> {
        let field = self.field;
        self.inner.next_element_seed(Checked { inner, field })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Checked<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, inner: S) -> Result<Option<S::Value>, A::Error> {
        let field = self.field;
        self.inner.next_key_seed(Checked { inner, field })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, inner: S) -> Result<S::Value, A::Error> {
        let field = self.field;
        self.inner.next_value_seed(Checked { inner, field })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Checked<A> {
    type Error = A::Error;
    type Variant = Checked<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, inner: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let field = self.field;
        let (value, variant) = self.inner.variant_seed(Checked { inner, field })?;
        Ok((value, Checked { inner: variant, field }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Checked<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, inner: S) -> Result<S::Value, A::Error> {
        let field = self.field;
        self.inner.newtype_variant_seed(Checked { inner, field })
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, inner: V) -> Result<V::Value, A::Error> {
        let field = self.field;
        self.inner.tuple_variant(len, Checked { inner, field })
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], inner: V) -> Result<V::Value, A::Error> {
        let field = self.field;
        self.inner.struct_variant(fields, Checked { inner, field })
    }
}
