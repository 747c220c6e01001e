//! What a record tag covers of a row (FORMAT 14.4, 14.5).

use super::walk::TokenVisit;
use crate::error::Error;
use crate::field::Declaration;
use crate::id::{FieldId, Identifier};
use crate::record_tag::Cover;
use crate::token::Token;

impl TokenVisit for Cover {
    fn token(&mut self, field: &'static Declaration, token: &Token) -> Result<(), Error> {
        self.sealed(field.id, field.former, token);
        Ok(())
    }

    fn clear(&mut self, id: FieldId, text: Option<&str>) -> Result<(), Error> {
        // FORMAT 14.5: null makes no element.
        if let Some(text) = text {
            Self::clear(self, id, text);
        }
        Ok(())
    }

    fn since(&mut self, number: u8) {
        Self::since(self, number);
    }

    fn enter(&mut self, name: &str, id: &Identifier<'_>) -> Result<(), Error> {
        Self::enter(self, name, id)
    }

    fn leave(&mut self) {
        Self::leave(self);
    }
}
