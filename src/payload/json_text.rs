//! JSON text that is sealed or given back as it is, without a Rust type.

use std::fmt;
use std::io;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json_check::MAX_DEPTH;
use super::json_keys::Keys;
use crate::error::{Error, ErrorKind};
use crate::secret::reserve_wiping;

/// Whether `json` is one JSON value that a writer may seal (FORMAT 7.7, 7.8, 7.10): no deeper than 100 levels, and no member twice.
pub(crate) fn is_sealable_json(json: &str) -> bool {
    is_whole(json, |reader| Level(0).deserialize(reader).is_ok())
}

/// Whether `json` is one JSON value (FORMAT 7.8).
pub(crate) fn is_json_value(json: &str) -> bool {
    is_whole(json, |reader| IgnoredAny::deserialize(reader).is_ok())
}

/// Appends the text of a JSON string; `None` for any other JSON. On an error the caller wipes what was appended.
pub(crate) fn unescape(json: &str, out: &mut Vec<u8>) -> Option<()> {
    is_whole(json, |reader| reader.deserialize_str(Append(out)).is_ok()).then_some(())
}

/// Appends `text` as a JSON string.
pub(crate) fn escape(text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    serde_json::to_writer(Wiping(out), text).map_err(|_| ErrorKind::Unrepresentable.into())
}

/// Appends the bytes of a JSON list of integers from 0 to 255 (FORMAT 7.13). On an error the caller wipes what was appended.
pub(crate) fn bytes_of_list(json: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    if is_whole(json, |reader| reader.deserialize_seq(Append(out)).is_ok()) {
        Ok(())
    } else {
        Err(ErrorKind::TypeMismatch.into())
    }
}

/// Appends a text, or a list of bytes.
struct Append<'o>(&'o mut Vec<u8>);

impl<'de> Visitor<'de> for Append<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a list of bytes")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        reserve_wiping(self.0, text.len());
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<(), A::Error> {
        while let Some(byte) = bytes.next_element()? {
            reserve_wiping(self.0, 1);
            self.0.push(byte);
        }
        Ok(())
    }
}

/// Appends, and wipes what it moves.
struct Wiping<'o>(&'o mut Vec<u8>);

impl io::Write for Wiping<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        reserve_wiping(self.0, bytes.len());
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Reader<'j> = serde_json::Deserializer<serde_json::de::StrRead<'j>>;

fn is_whole(json: &str, read: impl FnOnce(&mut Reader<'_>) -> bool) -> bool {
    let mut reader = serde_json::Deserializer::from_str(json);
    read(&mut reader) && reader.end().is_ok()
}

/// A value inside of so many others.
#[derive(Clone, Copy)]
struct Level(usize);

impl Level {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let level = self.0.saturating_add(1);
        if level > MAX_DEPTH { Err(E::custom("too deep")) } else { Ok(Self(level)) }
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

macro_rules! accepts {
    ($($method:ident($type:ty);)*) => {$(
        fn $method<E>(self, _: $type) -> Result<(), E> {
            Ok(())
        }
    )*};
}

impl<'de> Visitor<'de> for Level {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    accepts! {
        visit_bool(bool);
        visit_i64(i64);
        visit_u64(u64);
        visit_f64(f64);
        visit_str(&str);
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let inside = self.deeper()?;
        while values.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let inside = self.deeper()?;
        let mut names = Keys::default();
        while members.next_key_seed(Name(&mut names))?.is_some() {
            members.next_value_seed(inside)?;
        }
        Ok(())
    }
}

/// The name of a member, which is a new one.
struct Name<'k>(&'k mut Keys);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<(), D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<(), E> {
        if self.0.is_new(name) { Ok(()) } else { Err(E::custom("twice")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_writer_would_not_write_is_not_sealed() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for good in ["null", " 1 ", "1.50", "-0", "\"a\"", "[1,[2]]", r#"{"a":1,"b":{"a":2}}"#, &nested(100)] {
            assert!(is_sealable_json(good) && is_json_value(good), "{good}");
        }
        for bad in ["", "a", "1 2", "[1,]", "{\"a\"}", "\u{FEFF}1", "NaN", "1e400", "\"\\ud800\"", "\"\n\"", "01"] {
            assert!(!is_sealable_json(bad), "{bad}");
        }
        for only_read in [r#"{"a":1,"\u0061":2}"#, r#"[{"a":1,"a":1}]"#, &nested(101)] {
            assert!(!is_sealable_json(only_read) && is_json_value(only_read), "{only_read}");
        }
    }
}
