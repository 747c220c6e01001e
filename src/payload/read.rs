//! Reads a payload: strictly, and with one error for everything that is wrong (FORMAT 7.3, 7.4).

use std::cell::Cell;
use std::fmt::{self, Display};

use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::even::{Even, Watch, visit_as_list};
use super::one_value::around_one_value;
use super::{KIND_BYTES, KIND_JSON, KIND_TEXT, PAD_START};
use crate::error::{Error, ErrorKind, Reason};
use crate::field::MAX_CONTENT;

/// What a payload holds.
#[derive(Clone, Copy)]
pub(crate) enum Content<'p> {
    Bytes(&'p [u8]),
    Text(&'p str),
    Json(&'p str),
}

impl<'p> Content<'p> {
    /// The text or bytes themselves.
    pub(crate) fn scalar(self) -> Option<&'p [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Text(text) => Some(text.as_bytes()),
            Self::Json(_) => None,
        }
    }
}

/// Removes the kind and the padding.
pub(crate) fn content(payload: &[u8]) -> Result<Content<'_>, Error> {
    parse(payload).ok_or_else(|| ErrorKind::OpenFailed.into())
}

fn parse(payload: &[u8]) -> Option<Content<'_>> {
    let end = last_that_is_not_zero(payload)?;
    let (content, padding) = payload.split_at_checked(end)?;
    if *padding.first()? != PAD_START {
        return None;
    }
    let (kind, content) = content.split_first()?;
    // Everything that makes a payload longer than this is padding (FORMAT 7.1).
    if content.len() > MAX_CONTENT {
        return None;
    }
    match *kind {
        KIND_BYTES => Some(Content::Bytes(content)),
        KIND_TEXT => std::str::from_utf8(content).ok().map(Content::Text),
        KIND_JSON => std::str::from_utf8(content).ok().map(Content::Json),
        _ => None,
    }
}

/// Eight bytes at a time, since all of the padding but its first byte is zero.
fn last_that_is_not_zero(payload: &[u8]) -> Option<usize> {
    let mut rest = payload;
    while let Some((before, eight)) = rest.split_last_chunk() {
        let eight = u64::from_le_bytes(*eight);
        if eight != 0 {
            let zeros = usize::try_from(eight.leading_zeros() / 8).ok()?;
            return before.len().saturating_add(7).checked_sub(zeros);
        }
        rest = before;
    }
    rest.iter().rposition(|byte| *byte != 0)
}

/// The value in `content`. Serde's text about a mismatch quotes the value, and is dropped.
pub(crate) fn decode<T: DeserializeOwned>(content: Content<'_>) -> Result<T, Error> {
    let value = match content {
        Content::Bytes(bytes) => T::deserialize(One(Scalar::Bytes(bytes))).ok(),
        Content::Text(text) => T::deserialize(One(Scalar::Text(text))).ok(),
        Content::Json(json) => decode_json(json),
    };
    value.ok_or_else(|| mismatch(std::any::type_name::<T>()))
}

/// A type that is or contains a `Phi` cannot be read from a sealed value. The name of a type is all that is known of it here.
#[cold]
fn mismatch(type_name: &str) -> Error {
    const PHI: &str = concat!(env!("CARGO_CRATE_NAME"), "::form::phi_value::Phi<");
    const REASON: Reason = "a `Phi` is opened with `sealed.open_phi(&reader)`, and sealed with `phi.seal(&record)`";
    if type_name.contains(PHI) { ErrorKind::TypeMismatch.because(REASON) } else { ErrorKind::TypeMismatch.into() }
}

/// The value in `json`. Exact numbers are tried first, so that a type that holds them, such as some forms of
/// `serde_json::Value`, gets back what was sealed. If that does not fit, rounded numbers are tried, which every other
/// program reads.
fn decode_json<T: DeserializeOwned>(json: &str) -> Option<T> {
    let left_exact = Cell::new(false);
    let decoded = |rounds| {
        let mut json = serde_json::Deserializer::from_str(json);
        let value = T::deserialize(Even::new(&mut json, Numbers { rounds, left_exact: &left_exact })).ok()?;
        json.end().ok()?;
        Some(value)
    };
    decoded(false).or_else(|| if left_exact.get() { decoded(true) } else { None })
}

#[derive(Clone, Copy)]
struct Numbers<'c> {
    rounds: bool,
    left_exact: &'c Cell<bool>,
}

impl Watch for Numbers<'_> {
    fn text<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn bytes<E: de::Error>(self, _: &[u8]) -> Result<(), E> {
        Ok(())
    }

    fn rounds(self) -> bool {
        self.rounds
    }

    fn left_exact(self) {
        self.left_exact.set(true);
    }
}

/// The value is not of the requested type. It has no details, so that it quotes nothing.
#[derive(Debug)]
struct Mismatch;

impl Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not of the asked type")
    }
}

impl std::error::Error for Mismatch {}

impl de::Error for Mismatch {
    fn custom<M: Display>(_: M) -> Self {
        Self
    }
}

/// Text or bytes as one value. It also becomes an option or a newtype around it, so that `String`, `Option<String>` and
/// a newtype can evolve into each other. Bytes also become a list.
struct One<'p>(Scalar<'p>);

enum Scalar<'p> {
    Bytes(&'p [u8]),
    Text(&'p str),
}

impl<'de> Deserializer<'de> for One<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Scalar::Bytes(bytes) => visitor.visit_bytes(bytes),
            Scalar::Text(text) => visitor.visit_str(text),
        }
    }

    around_one_value!(Mismatch);

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.0 {
            Scalar::Text(text) => {
                IntoDeserializer::<Mismatch>::into_deserializer(text).deserialize_enum(name, variants, visitor)
            }
            Scalar::Bytes(bytes) => visitor.visit_bytes(bytes),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Scalar::Bytes(bytes) => visit_as_list(bytes, visitor),
            Scalar::Text(text) => visitor.visit_str(text),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_seq(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_byte_is_found_at_every_place() {
        for len in 0..40 {
            assert_eq!(last_that_is_not_zero(&vec![0; len]), None);
            for at in 0..len {
                for byte in [1, 0x80, 0xFF] {
                    let mut payload = vec![0x55; at];
                    payload.push(byte);
                    payload.resize(len, 0);
                    assert_eq!(last_that_is_not_zero(&payload), Some(at), "{byte} at {at} of {len}");
                }
            }
        }
    }
}
