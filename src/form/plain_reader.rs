//! Reading plaintext that a client sent, in which a token is refused wherever it stands.
//!
//! What the value's own `Deserialize` says of a mismatch quotes the value, and is replaced.

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

/// What the client sent is not of the type of the field.
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

    /// What was sent is read once, as it comes: there is no second time for what does not fit.
    fn rounds(self) -> bool {
        false
    }
}
