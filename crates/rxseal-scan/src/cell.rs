//! What a value is, in a place where tokens should be.

use rxseal::KeyId;
use rxseal::schema::{FieldSchema, Shape};
use rxseal_map::Value;

use crate::sealed::{Blocks, Form, each_in_list};

/// A place where the map says that tokens are: how long they are there, and whether a value may be a list of them.
///
/// ```
/// use rxseal_map::Value;
/// use rxseal_scan::{SealedCell, SealedPlace};
///
/// let mut found = Vec::new();
/// SealedPlace::of_field(None).each(Value::Text("Jane Doe"), &mut |cell| found.push(cell));
/// assert_eq!(found, [SealedCell::Plaintext]);
/// ```
#[derive(Clone, Debug)]
pub struct SealedPlace {
    blocks: Blocks,
    many: bool,
    is_tag: bool,
}

/// What a value is, in a [`SealedPlace`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealedCell {
    /// A token, or a record tag, under this key.
    Token(KeyId),
    /// A token of a length that no whole token of the field has: it was cut off, or the field had another block.
    OfOddLength(KeyId),
    /// It begins as a token does, and is not a whole one.
    Damaged,
    /// Something else.
    Plaintext,
}

impl SealedPlace {
    /// A place with tokens of a field. Without what the program says of the field, a value may be a list of tokens.
    #[must_use]
    pub fn of_field(field: Option<&FieldSchema>) -> Self {
        let many = field.is_none_or(|field| field.shape() != Shape::One);
        Self { blocks: Blocks::new(field.map(FieldSchema::block)), many, is_tag: false }
    }

    /// The place with record tags.
    #[must_use]
    pub fn of_tags() -> Self {
        Self { blocks: Blocks::any(), many: false, is_tag: true }
    }

    /// Calls `each` with what the value is, and with each element of a list. A row without a value has nothing.
    pub fn each(&self, value: Value<'_>, each: &mut dyn FnMut(SealedCell)) {
        let text = match value {
            Value::Null => return,
            Value::Text(text) => Some(text),
            Value::Json(json) => Some(json.letters().unwrap_or(json.as_written())),
            _ => None,
        };
        let form = match (text, value) {
            (Some(text), _) => Form::of_text(text),
            (None, Value::Bytes(bytes)) => Form::of_bytes(bytes),
            _ => Form::Other,
        };
        match text.filter(|text| self.many && form == Form::Other && text.starts_with(['[', '{'])) {
            Some(list) => each_in_list(list, &mut |piece| each(self.cell(Form::of_text(piece)))),
            None => each(self.cell(form)),
        }
    }

    fn cell(&self, form: Form) -> SealedCell {
        match form {
            Form::Token(key, payload) if !self.is_tag => {
                if self.blocks.fit(payload) {
                    SealedCell::Token(key)
                } else {
                    SealedCell::OfOddLength(key)
                }
            }
            Form::Tag(key) if self.is_tag => SealedCell::Token(key),
            Form::Other => SealedCell::Plaintext,
            // A tag where a token should be is no better than a damaged one.
            _ => SealedCell::Damaged,
        }
    }
}
