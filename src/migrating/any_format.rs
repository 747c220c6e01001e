//! `Migrating` in serde's formats: a token as `Sealed` writes it, or plaintext.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};

use super::{Held, Migrating, PlainColumn};
use crate::error::Error;
use crate::field::Field;
use crate::form::{Sealed, Wanted, read_token};
use crate::record::TokenForm;
use crate::scope;

impl<T: PlainColumn, F> Serialize for Migrating<T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let refused = |error: Error| scope::keep(error, |text| S::Error::custom(text));
        match &self.held {
            Held::Token(token) => Sealed::<T, F>::from(token.clone()).serialize(serializer),
            Held::Plain { .. } if T::IS_TEXT => serializer.serialize_str(&self.to_text().map_err(refused)?),
            Held::Plain { .. } => serializer.serialize_bytes(self.as_bytes().map_err(refused)?),
        }
    }
}

impl<'de, T, F: Field> Deserialize<'de> for Migrating<T, F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scope::refuses_tokens().map_err(|error| scope::keep(error, |text| D::Error::custom(text)))?;
        read_token(deserializer, Wanted::token(F::ID), |found| match found {
            TokenForm::Text(text) => Self::from_text(text.as_bytes()),
            TokenForm::Bytes(bytes) => Self::from_bytes(bytes),
        })
    }
}
