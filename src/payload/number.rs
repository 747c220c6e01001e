//! Numbers as serde_json passes them on if the user's program turns its feature `arbitrary_precision` on: a map with
//! one private key. Only serde_json's own `Number` and `Value`, and some decimal types, accept that as a number.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::io::Cursor;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error as DeError, IntoDeserializer, MapAccess, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use zeroize::Zeroize;

use super::one_value::around_one_value;
use crate::secret::wipe;

/// The key of the map that is a number.
pub(super) const PRIVATE_KEY: &str = "$serde_json::private::Number";

/// The number `text` in the form that a `T` is made from, if that is not serde_json's private form.
///
/// Serde reads flattened, tagged and untagged values into its own buffer, `Content`, and only a number in it becomes a
/// number. Text that serde_json itself writes for an `f64` or an `f32` loses nothing there.
pub(super) fn number<T>(text: &str, rounds: bool) -> Option<f64> {
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    let taken = if rounds {
        !is::<serde_json::Value, T>() && !is::<serde_json::Number, T>()
    } else {
        is_buffer::<T>() && (is_written(number, text) || is_written(text.parse::<f32>().ok()?, text))
    };
    taken.then_some(number)
}

/// Whether `T` is serde's buffer, by its name as in `is_json`. Some versions of Rust write a lifetime after it.
fn is_buffer<T>() -> bool {
    let name = type_name::<T>();
    name.strip_suffix("<'_>").unwrap_or(name).ends_with("::Content")
}

/// The same as in `is_json`.
fn is<T, U>() -> bool {
    type_name::<T>() == type_name::<U>()
}

/// Whether serde_json writes `text` for `number`.
fn is_written(number: impl Serialize, text: &str) -> bool {
    let mut room = [0; 32];
    let mut written = Cursor::new(room.as_mut_slice());
    let same = serde_json::to_writer(&mut written, &number).is_ok() && {
        let len = usize::try_from(written.position()).ok();
        len.and_then(|len| written.get_ref().get(..len)) == Some(text.as_bytes())
    };
    wipe(&mut room);
    same
}

/// The first key of a map.
pub(super) enum Key<'de> {
    PrivateNumber,
    Text(Cow<'de, str>),
}

/// Tells the private key from the same text in JSON: when asked for an option, serde_json answers `Some` for a key that
/// was read, and gives its own key as text.
pub(super) struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key<'de>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Key<'de>, D::Error> {
        key.deserialize_option(KeyVisitor { read: false })
    }
}

struct KeyVisitor {
    read: bool,
}

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_some<D: Deserializer<'de>>(self, key: D) -> Result<Key<'de>, D::Error> {
        key.deserialize_str(Self { read: true })
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(if !self.read && key == PRIVATE_KEY { Key::PrivateNumber } else { Key::Text(Cow::Borrowed(key)) })
    }

    fn visit_str<E: DeError>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key::Text(Cow::Owned(key.to_owned())))
    }
}

/// A map whose first key was read.
pub(super) struct Begun<'de, A> {
    first: Option<Cow<'de, str>>,
    map: A,
}

impl<'de, A> Begun<'de, A> {
    pub(super) fn new(first: Cow<'de, str>, map: A) -> Self {
        Self { first: Some(first), map }
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Begun<'de, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        match self.first.take() {
            Some(key) => seed.deserialize(FirstKey { key, error: PhantomData }).map(Some),
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.map.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        let rest = self.map.size_hint()?;
        Some(rest.saturating_add(usize::from(self.first.is_some())))
    }
}

/// A JSON key. It also becomes a number if its text is one.
struct FirstKey<'de, E> {
    key: Cow<'de, str>,
    error: PhantomData<E>,
}

impl<E> Drop for FirstKey<'_, E> {
    fn drop(&mut self) {
        if let Cow::Owned(key) = &mut self.key {
            key.zeroize();
        }
    }
}

macro_rules! numeric {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
            let no_number = |_| E::custom("a key of another type");
            if self.key.trim_ascii() != self.key {
                return Err(E::custom("a key of another type"));
            }
            let mut number = serde_json::Deserializer::from_reader(self.key.as_bytes());
            let value = number.$method(visitor).map_err(no_number)?;
            number.end().map_err(no_number)?;
            Ok(value)
        }
    )*};
}

impl<'de, E: DeError> Deserializer<'de> for FirstKey<'de, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, E> {
        match std::mem::take(&mut self.key) {
            Cow::Borrowed(key) => visitor.visit_borrowed_str(key),
            Cow::Owned(key) => visitor.visit_string(key),
        }
    }

    numeric! {
        deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    around_one_value!(E);

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, E> {
        self.key.as_ref().into_deserializer().deserialize_enum(name, variants, visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_bytes(self.key.as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_bytes(self.key.as_bytes())
    }

    forward_to_deserialize_any! {
        char str string unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::value::StrDeserializer;

    use super::super::even::{Even, Watch};
    use super::*;

    /// A number as serde_json hands it on with its feature `arbitrary_precision`, which these tests are built without.
    struct Exact<'t>(&'t str);

    struct ExactMap<'t>(Option<&'t str>);

    struct PrivateKey;

    #[derive(Clone, Copy)]
    struct Rounds(bool);

    impl Watch for Rounds {
        fn text<E: DeError>(self, _: &str) -> Result<(), E> {
            Ok(())
        }

        fn bytes<E: DeError>(self, _: &[u8]) -> Result<(), E> {
            Ok(())
        }

        fn rounds(self) -> bool {
            self.0
        }
    }

    macro_rules! any {
        ($self:ident, $visitor:ident => $answer:expr) => {
            type Error = serde_json::Error;

            fn deserialize_any<V: Visitor<'de>>($self, $visitor: V) -> Result<V::Value, serde_json::Error> {
                $answer
            }

            forward_to_deserialize_any! {
                bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
                unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
            }
        };
    }

    impl<'de> Deserializer<'de> for Exact<'_> {
        any!(self, visitor => visitor.visit_map(ExactMap(Some(self.0))));
    }

    impl<'de> Deserializer<'de> for PrivateKey {
        any!(self, visitor => visitor.visit_borrowed_str(PRIVATE_KEY));
    }

    impl<'de> MapAccess<'de> for ExactMap<'_> {
        type Error = serde_json::Error;

        fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, serde_json::Error> {
            self.0.map(|_| seed.deserialize(PrivateKey)).transpose()
        }

        fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, serde_json::Error> {
            let text = self.0.take().unwrap_or_default();
            seed.deserialize::<StrDeserializer<'_, serde_json::Error>>(text.into_deserializer())
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Loose {
        Number(f64),
        Map(std::collections::BTreeMap<String, String>),
    }

    fn read<T: for<'de> Deserialize<'de>>(text: &str, rounds: bool) -> T {
        T::deserialize(Even::new(Exact(text), Rounds(rounds))).unwrap()
    }

    fn exact(text: &str) -> Loose {
        Loose::Map([(PRIVATE_KEY.to_owned(), text.to_owned())].into())
    }

    #[test]
    fn serde_s_buffer_gets_a_number_if_nothing_of_it_is_lost() {
        for number in [1.5, -0.0, 1e300, 0.1, 1e14] {
            let text = serde_json::to_string(&number).unwrap();
            assert_eq!(read::<Loose>(&text, false), Loose::Number(number), "{text}");
        }
        // Only an f32 is written so.
        let text = serde_json::to_string(&1e14_f32).unwrap();
        assert_ne!(text, serde_json::to_string(&1e14).unwrap());
        assert_eq!(read::<Loose>(&text, false), Loose::Number(text.parse().unwrap()), "{text}");
        for text in ["1.50", "1e400", "1234567890.12345678901", "no number", &"9".repeat(40)] {
            assert_eq!(read::<Loose>(text, false), exact(text), "{text}");
        }
        // If an exact number does not fit, it is tried once more with the nearest one.
        assert_eq!(read::<Loose>("1.50", true), Loose::Number(1.5));
        assert_eq!(read::<Loose>("1e400", true), exact("1e400"));
    }

    #[test]
    fn serde_json_s_own_types_get_what_is_theirs() {
        for rounds in [false, true] {
            let value: serde_json::Value = read("1.5", rounds);
            assert_eq!(value, serde_json::json!({ PRIVATE_KEY: "1.5" }));
            assert!(serde_json::Number::deserialize(Even::new(Exact("1.5"), Rounds(rounds))).is_err(), "built without");
        }
    }

    #[test]
    fn a_map_with_that_key_is_a_map() {
        let text = format!("{{\"{PRIVATE_KEY}\":\"1.5\"}}");
        let read =
            |text: &str| Loose::deserialize(Even::new(&mut serde_json::Deserializer::from_str(text), Rounds(false)));
        assert_eq!(read(&text).unwrap(), exact("1.5"));
        assert_eq!(read("{}").unwrap(), Loose::Map([].into()));
        assert_eq!(read("{\"a\":\"b\"}").unwrap(), Loose::Map([("a".to_owned(), "b".to_owned())].into()));
        assert_eq!(read("{\"\\u0061\":\"b\"}").unwrap(), Loose::Map([("a".to_owned(), "b".to_owned())].into()));
    }
}
