//! Reading a token from any format.

use std::fmt;

use serde::de::{Deserializer, Error as DeError, Visitor};

use super::plain_reader;
use crate::error::{Error, ErrorKind};
use crate::id::FieldId;
use crate::record::TokenForm;
use crate::scope::{self, Reading};

/// Reads a token and hands it to `open`.
///
/// `deserialize_any` where the format says that it is for people: asked for a string, serde_json quotes the offending value
/// in an error of its own. Binary formats are asked for bytes, and what they report is replaced. One visitor takes text and
/// bytes, since `is_human_readable` is wrong under `flatten`, `tag` and `untagged` (serde issues 1183 and 2172).
pub(super) fn read_token<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    field: FieldId,
    open: impl FnOnce(TokenForm<'_>) -> Result<T, Error>,
) -> Result<T, D::Error> {
    let visitor = TokenVisitor { field, open };
    if deserializer.is_human_readable() {
        return deserializer.deserialize_any(visitor);
    }
    let mut refusal = None;
    let read = deserializer.deserialize_byte_buf(Remembering { visitor, refusal: &mut refusal });
    read.map_err(|_| {
        // Ours comes first; a format that found no bytes at all has its own text replaced, which may quote the value.
        let text = refusal.unwrap_or_else(|| refuse::<String>(ErrorKind::NotAToken, field, str::to_owned));
        D::Error::custom(text)
    })
}

/// Reads a list of fields, or with `MAP` a map of them.
///
/// As for a token: asked for a list, serde_json quotes what stands there instead, and such an error of the format's own
/// would not fail the scope where a type swallows it.
pub(super) fn read_container<'de, const MAP: bool, V: Visitor<'de>, D: Deserializer<'de>>(
    deserializer: D,
    field: FieldId,
    visitor: V,
) -> Result<V::Value, D::Error> {
    let for_people = deserializer.is_human_readable();
    let mut found = false;
    let container = Container::<V, MAP> { visitor, field, found: &mut found };
    let read = match (for_people, MAP) {
        (true, _) => deserializer.deserialize_any(container),
        (false, false) => deserializer.deserialize_seq(container),
        (false, true) => deserializer.deserialize_map(container),
    };
    read.map_err(|error| if found || for_people { error } else { misplaced(field) })
}

/// What stands where a field belongs is none, nor a list or a map of them.
fn misplaced<E: DeError>(field: FieldId) -> E {
    match scope::reading() {
        Ok(Reading::Accept) => plain_reader::mismatch(field),
        _ => refuse(ErrorKind::NotAToken, field, |text| E::custom(text)),
    }
}

fn refuse<E>(kind: ErrorKind, field: FieldId, report: impl FnOnce(&str) -> E) -> E {
    scope::keep(Error::from(kind).at_field(field), report)
}

struct TokenVisitor<O> {
    field: FieldId,
    open: O,
}

impl<O> TokenVisitor<O> {
    fn opened<T>(self, token: TokenForm<'_>) -> Result<T, String>
    where
        O: FnOnce(TokenForm<'_>) -> Result<T, Error>,
    {
        (self.open)(token).map_err(|error| scope::keep(error.at_field(self.field), str::to_owned))
    }
}

/// Everything that is neither text nor bytes, refused without looking at it.
macro_rules! refuse_others {
    ($($method:ident($($type:ty)?);)*) => {$(
        fn $method<E: DeError>(self $(, _: $type)?) -> Result<Self::Value, E> {
            Err(self.refused())
        }
    )*};
}

impl<O> TokenVisitor<O> {
    fn refused<E: DeError>(self) -> E {
        refuse(ErrorKind::NotAToken, self.field, |text| E::custom(text))
    }
}

impl<'de, T, O: FnOnce(TokenForm<'_>) -> Result<T, Error>> Visitor<'de> for TokenVisitor<O> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sealed field")
    }

    fn visit_str<E: DeError>(self, text: &str) -> Result<T, E> {
        self.opened(TokenForm::Text(text)).map_err(E::custom)
    }

    fn visit_bytes<E: DeError>(self, bytes: &[u8]) -> Result<T, E> {
        self.opened(TokenForm::Bytes(bytes)).map_err(E::custom)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(self.refused())
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(self.refused())
    }

    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(self.refused())
    }

    refuse_others! {
        visit_bool(bool);
        visit_i64(i64);
        visit_i128(i128);
        visit_u64(u64);
        visit_u128(u128);
        visit_f64(f64);
        visit_none();
        visit_unit();
    }
}

/// A list or a map and nothing else. `found` tells that there was one.
struct Container<'f, V, const MAP: bool> {
    visitor: V,
    field: FieldId,
    found: &'f mut bool,
}

impl<V, const MAP: bool> Container<'_, V, MAP> {
    fn refused<E: DeError>(self) -> E {
        misplaced(self.field)
    }
}

impl<'de, V: Visitor<'de>, const MAP: bool> Visitor<'de> for Container<'_, V, MAP> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        if MAP {
            return Err(self.refused());
        }
        *self.found = true;
        self.visitor.visit_seq(seq)
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        if !MAP {
            return Err(self.refused());
        }
        *self.found = true;
        self.visitor.visit_map(map)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, _: A) -> Result<V::Value, A::Error> {
        Err(self.refused())
    }

    refuse_others! {
        visit_bool(bool);
        visit_i64(i64);
        visit_i128(i128);
        visit_u64(u64);
        visit_u128(u128);
        visit_f64(f64);
        visit_str(&str);
        visit_bytes(&[u8]);
        visit_none();
        visit_unit();
    }
}

/// The same as `TokenVisitor` for binary formats, some of which drop the text of an error.
struct Remembering<'r, O> {
    visitor: TokenVisitor<O>,
    refusal: &'r mut Option<String>,
}

impl<'de, T, O: FnOnce(TokenForm<'_>) -> Result<T, Error>> Visitor<'de> for Remembering<'_, O> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sealed field")
    }

    fn visit_str<E: DeError>(self, text: &str) -> Result<T, E> {
        let opened = self.visitor.opened(TokenForm::Text(text));
        opened.map_err(|text| E::custom(self.refusal.insert(text)))
    }

    fn visit_bytes<E: DeError>(self, bytes: &[u8]) -> Result<T, E> {
        let opened = self.visitor.opened(TokenForm::Bytes(bytes));
        opened.map_err(|text| E::custom(self.refusal.insert(text)))
    }
}
