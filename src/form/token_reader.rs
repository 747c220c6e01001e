//! Reads a token from any format.

use std::any::type_name;
use std::fmt;

use serde::de::{Deserializer, Error as DeError, Visitor};

use super::plain_reader;
use crate::error::{Error, ErrorKind};
use crate::id::FieldId;
use crate::payload;
use crate::record::TokenForm;
use crate::scope::{self, Reading};

/// Reads a token and passes it to `open`.
///
/// A human-readable format is asked for a string, as a plain `String` would do: every format that can hold text answers this, and
/// XML has no other way to say that an element is text. Only serde_json is asked for any value, because its own error for a string
/// would quote the value that it found. Binary formats are asked for bytes.
///
/// Errors of the format are replaced, except serde_json's syntax errors, which quote nothing and give the place. One visitor takes
/// text and bytes, because `is_human_readable` is wrong under `flatten`, `tag` and `untagged` (serde issues 1183 and 2172).
pub(crate) fn read_token<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    wanted: Wanted,
    open: impl FnOnce(TokenForm<'_>) -> Result<T, Error>,
) -> Result<T, D::Error> {
    let mut refusal = None;
    let asks_anything = asks_anything(&deserializer);
    let read = ask(deserializer, TokenVisitor { wanted, open, refusal: &mut refusal });
    match read {
        Ok(value) => Ok(value),
        Err(error) => Err(failed::<D>(error, refusal, wanted, asks_anything)),
    }
}

/// Ours comes first; some formats drop its text.
#[cold]
#[inline(never)]
fn failed<'de, D: Deserializer<'de>>(
    error: D::Error,
    refusal: Option<String>,
    wanted: Wanted,
    asks_anything: bool,
) -> D::Error {
    if is_absent::<D>() {
        return error;
    }
    let text = refusal.unwrap_or_else(|| wanted.refuse(wanted.unreadable, str::to_owned));
    if asks_anything { error } else { D::Error::custom(text) }
}

/// What is to be read, and which errors say that it is not there.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    field: Option<FieldId>,
    missing: ErrorKind,
    other: ErrorKind,
    unreadable: ErrorKind,
}

impl Wanted {
    /// The tag of a record.
    pub(super) const RECORD_TAG: Self =
        Self { field: None, missing: ErrorKind::TagMissing, other: ErrorKind::NotATag, unreadable: ErrorKind::NotATag };

    /// A value of an index.
    pub(super) const INDEX_VALUE: Self = {
        let unreadable = ErrorKind::IndexUnreadable;
        Self { field: None, missing: unreadable, other: unreadable, unreadable }
    };

    /// A token of this field.
    pub(crate) fn token(field: FieldId) -> Self {
        let (missing, other) = (ErrorKind::NotAToken, ErrorKind::NotAToken);
        Self { field: Some(field), missing, other, unreadable: ErrorKind::Unreadable }
    }

    fn locate(self, error: Error) -> Error {
        match self.field {
            Some(field) => error.at_field(field),
            None => error,
        }
    }

    fn refuse<E>(self, kind: ErrorKind, report: impl FnOnce(&str) -> E) -> E {
        scope::keep(self.locate(kind.into()), report)
    }
}

/// Asks for a token.
fn ask<'de, V: Visitor<'de>, D: Deserializer<'de>>(deserializer: D, visitor: V) -> Result<V::Value, D::Error> {
    if asks_anything(&deserializer) {
        deserializer.deserialize_any(visitor)
    } else if deserializer.is_human_readable() {
        deserializer.deserialize_string(visitor)
    } else {
        deserializer.deserialize_byte_buf(visitor)
    }
}

fn asks_anything<'de, D: Deserializer<'de>>(deserializer: &D) -> bool {
    payload::is_json::<D::Error>() && deserializer.is_human_readable()
}

/// Whether `D` is the deserializer from which serde reads a missing field. That is not a refusal, because an untagged enum looks for
/// its variant like this. Only the type's name tells: if it had another name, such an enum would be refused.
fn is_absent<D>() -> bool {
    type_name::<D>().contains("::MissingFieldDeserializer<")
}

/// Of what a list or a map is.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Fields(FieldId),
    IndexSet,
}

/// Reads a list, or with `MAP` a map.
///
/// As with a token, serde_json is asked for any value, and every other format for the list or the map. If a type swallows an error
/// of the format, it must not be lost.
pub(super) fn read_container<'de, const MAP: bool, V: Visitor<'de>, D: Deserializer<'de>>(
    deserializer: D,
    place: Place,
    visitor: V,
) -> Result<V::Value, D::Error> {
    let asks_anything = asks_anything(&deserializer);
    let mut found = false;
    let container = Container::<V, MAP> { visitor, place, found: &mut found };
    let read = match (asks_anything, MAP) {
        (true, _) => deserializer.deserialize_any(container),
        (false, false) => deserializer.deserialize_seq(container),
        (false, true) => deserializer.deserialize_map(container),
    };
    read.map_err(|error| {
        if found || is_absent::<D>() {
            return error;
        }
        let ours = misplaced(place);
        if asks_anything { error } else { ours }
    })
}

/// The input is not a list or a map of what it should be of.
fn misplaced<E: DeError>(place: Place) -> E {
    match (place, scope::reading()) {
        (Place::Fields(field), Ok(Reading::Accept)) => plain_reader::mismatch(field),
        (Place::Fields(field), _) => Wanted::token(field).refuse(ErrorKind::Unreadable, |text| E::custom(text)),
        (Place::IndexSet, _) => Wanted::INDEX_VALUE.refuse(ErrorKind::IndexUnreadable, |text| E::custom(text)),
    }
}

struct TokenVisitor<'r, O> {
    wanted: Wanted,
    open: O,
    /// The error with which rxseal refused: some formats drop the text of an error.
    refusal: &'r mut Option<String>,
}

impl<O> TokenVisitor<'_, O> {
    fn opened<T, E: DeError>(self, token: TokenForm<'_>) -> Result<T, E>
    where
        O: FnOnce(TokenForm<'_>) -> Result<T, Error>,
    {
        let Self { wanted, open, refusal } = self;
        open(token)
            .map_err(|error| scope::keep(wanted.locate(error), |text| E::custom(refusal.insert(text.to_owned()))))
    }

    fn refused<E: DeError>(self) -> E {
        self.wanted.refuse(self.wanted.other, |text| E::custom(self.refusal.insert(text.to_owned())))
    }

    fn missing<E: DeError>(self) -> E {
        self.wanted.refuse(self.wanted.missing, |text| E::custom(self.refusal.insert(text.to_owned())))
    }
}

/// Refuses everything that is neither text nor bytes, without looking at it. `refuse_others! { visit_str(&str); }` refuses text too.
macro_rules! refuse_others {
    ($($method:ident($($type:ty)?);)*) => {
        refuse_others! { @each
            visit_bool(bool);
            visit_i64(i64);
            visit_i128(i128);
            visit_u64(u64);
            visit_u128(u128);
            visit_f64(f64);
            $($method($($type)?);)*
        }
    };
    (@each $($method:ident($($type:ty)?);)*) => {$(
        fn $method<E: DeError>(self $(, _: $type)?) -> Result<Self::Value, E> {
            Err(self.refused())
        }
    )*};
}

impl<'de, T, O: FnOnce(TokenForm<'_>) -> Result<T, Error>> Visitor<'de> for TokenVisitor<'_, O> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sealed field")
    }

    fn visit_str<E: DeError>(self, text: &str) -> Result<T, E> {
        self.opened(TokenForm::Text(text))
    }

    fn visit_bytes<E: DeError>(self, bytes: &[u8]) -> Result<T, E> {
        self.opened(TokenForm::Bytes(bytes))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        ask(deserializer, self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        ask(deserializer, self)
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

    fn visit_none<E: DeError>(self) -> Result<T, E> {
        Err(self.missing())
    }

    fn visit_unit<E: DeError>(self) -> Result<T, E> {
        Err(self.missing())
    }

    refuse_others! {}
}

/// Accepts a list or a map and nothing else. `found` tells whether there was one.
struct Container<'f, V, const MAP: bool> {
    visitor: V,
    place: Place,
    found: &'f mut bool,
}

impl<V, const MAP: bool> Container<'_, V, MAP> {
    fn refused<E: DeError>(self) -> E {
        misplaced(self.place)
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
        visit_none();
        visit_unit();
        visit_str(&str);
        visit_bytes(&[u8]);
    }
}
