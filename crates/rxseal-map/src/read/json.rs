//! Values inside a JSON document, without a copy of any: what is found may be plaintext that was left behind.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::place::Place;

/// The step that is every element of a list.
const EVERY: &str = "*";

/// The names and positions of a place's pointer, from the document inwards.
pub(super) fn steps(place: &Place) -> Vec<String> {
    let steps = place.pointer().unwrap_or_default().split('/').skip(1);
    steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// Calls `each` with every member of an object, in its order. Answers whether it is one. A name may come twice.
pub(super) fn each_member<'j>(json: &'j str, each: &mut dyn FnMut(&str, &'j RawValue)) -> bool {
    struct Members<'e, 'j>(&'e mut dyn FnMut(&str, &'j RawValue));
    impl<'j> Visitor<'j> for Members<'_, 'j> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'j>>(self, mut members: A) -> Result<(), A::Error> {
            while let Some(Name(name)) = members.next_key()? {
                (self.0)(&name, members.next_value()?);
            }
            Ok(())
        }
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_map(Members(each)).is_ok() && reader.end().is_ok()
}

/// Calls `each` with every value at this place. A step `*` is every element of a list.
pub(super) fn each_at<'j>(document: &'j RawValue, steps: &[String], each: &mut dyn FnMut(&'j RawValue)) {
    let Some((step, rest)) = steps.split_first() else { return each(document) };
    let json = document.get();
    match json.as_bytes().first() {
        Some(b'{') => {
            // If a name comes twice, programs differ in which one they read: both count.
            each_member(json, &mut |name, value| {
                if name == step {
                    each_at(value, rest, each);
                }
            });
        }
        Some(b'[') => {
            let elements = serde_json::from_str::<Vec<&RawValue>>(json).unwrap_or_default();
            let position = step.parse::<usize>().ok();
            for (at, element) in elements.iter().enumerate() {
                if step == EVERY || position == Some(at) {
                    each_at(element, rest, each);
                }
            }
        }
        _ => {}
    }
}

/// The letters between the quotes of a JSON text, with its escapes as they are: no token has one.
pub(super) fn text_of(value: &RawValue) -> Option<&str> {
    value.get().strip_prefix('"')?.strip_suffix('"')
}

/// The document itself, or none if it is a text or a number.
pub(super) fn document_of(value: &RawValue) -> Option<&RawValue> {
    value.get().starts_with(['{', '[']).then_some(value)
}

/// A member's name, which is borrowed unless it has escapes.
struct Name<'j>(Cow<'j, str>);

impl<'j> serde::Deserialize<'j> for Name<'j> {
    fn deserialize<D: serde::Deserializer<'j>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'j> Visitor<'j> for Text {
            type Value = Name<'j>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'j str) -> Result<Name<'j>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'j>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
