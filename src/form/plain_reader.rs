//! Reads plaintext that a client sent, and refuses a token anywhere in it.
//!
//! If the value does not fit, the error of its own `Deserialize` would quote it, so it is replaced.

use serde::de::{Deserialize, Deserializer, Error as DeError};

use crate::error::{Error, ErrorKind};
use crate::id::FieldId;
use crate::payload::{Even, Watch};
use crate::scope;
use crate::token;

/// Reads a `T`.
pub(super) fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    field: FieldId,
) -> Result<T, D::Error> {
    T::deserialize(Even::new(deserializer, NoToken { field })).map_err(|_| mismatch(field))
}

/// The client sent a value that is not of the field's type.
pub(super) fn mismatch<E: DeError>(field: FieldId) -> E {
    scope::keep(Error::from(ErrorKind::ValueMismatch).at_field(field), |_| {
        E::custom(format_args!("the value is not of the declared type (field {})", field.as_str()))
    })
}

/// Refuses every token that passes.
#[derive(Clone, Copy)]
struct NoToken {
    field: FieldId,
}

impl NoToken {
    fn refused<E: DeError>(self) -> E {
        let error = Error::from(ErrorKind::TokenAsPlaintext).at_field(self.field);
        scope::keep(error, |text| E::custom(text))
    }
}

impl Watch for NoToken {
    fn text<E: DeError>(self, text: &str) -> Result<(), E> {
        if token::is_text_token(text) { Err(self.refused()) } else { Ok(()) }
    }

    fn bytes<E: DeError>(self, bytes: &[u8]) -> Result<(), E> {
        if token::Header::parse(bytes).is_ok() { Err(self.refused()) } else { Ok(()) }
    }

    /// The input is read only once, as it comes: what does not fit cannot be read again.
    fn rounds(self) -> bool {
        false
    }
}
