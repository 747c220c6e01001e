//! Reading a token from any format.

use std::fmt;

use serde::de::{Deserializer, Error as DeError, Visitor};

use crate::error::{Error, ErrorKind};
use crate::id::FieldId;
use crate::record::TokenForm;
use crate::scope;

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
        fn $method<E: DeError>(self $(, _: $type)?) -> Result<T, E> {
            Err(self.not_a_token())
        }
    )*};
}

impl<O> TokenVisitor<O> {
    fn not_a_token<E: DeError>(self) -> E {
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
        Err(self.not_a_token())
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(self.not_a_token())
    }

    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(self.not_a_token())
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

/// The same for binary formats, some of which drop the text of an error.
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
