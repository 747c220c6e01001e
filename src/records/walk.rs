//! Going through the tokens of a row.

use crate::error::Error;
use crate::field::Declaration;
use crate::id::{FieldId, Identifier};
use crate::token::Token;

/// Sees every token of a row. What has no need of a part or of a clear value ignores it.
pub trait TokenVisit {
    /// A token of a field, the only one of it here.
    ///
    /// # Errors
    ///
    /// As the implementation says.
    fn token(&mut self, field: &'static Declaration, token: &Token) -> Result<(), Error>;

    /// A token of a list, which has several of a field.
    ///
    /// # Errors
    ///
    /// As the implementation says.
    fn element(&mut self, field: &'static Declaration, token: &Token) -> Result<(), Error> {
        self.token(field, token)
    }

    /// A readable value that a record tag covers, as its canonical text; `None` is null.
    ///
    /// # Errors
    ///
    /// As the implementation says.
    fn clear(&mut self, id: FieldId, text: Option<&str>) -> Result<(), Error> {
        let _ = (id, text);
        Ok(())
    }

    /// The next fields are covered by a record tag from this cover number on: 1, unless the field says `since`.
    fn since(&mut self, number: u8) {
        let _ = number;
    }

    /// The fields from here to `leave` are of this part.
    ///
    /// # Errors
    ///
    /// As the implementation says.
    fn enter(&mut self, name: &str, id: &Identifier<'_>) -> Result<(), Error> {
        let _ = (name, id);
        Ok(())
    }

    /// The part ends.
    fn leave(&mut self) {}
}

/// Replaces every token of a row.
pub trait TokenChange {
    /// What the token of a field becomes, the only one of it here.
    ///
    /// # Errors
    ///
    /// As the implementation says.
    fn token(&mut self, field: &'static Declaration, token: &Token) -> Result<Token, Error>;

    /// A list or a map of a field begins, the only one of it here.
    ///
    /// # Errors
    ///
    /// As the implementation says.
    fn container(&mut self, field: FieldId) -> Result<(), Error>;

    /// What a token of the list becomes.
    ///
    /// # Errors
    ///
    /// As the implementation says.
    fn element(&mut self, field: &'static Declaration, token: &Token) -> Result<Token, Error>;

    /// The fields from here to `leave` are of this part.
    ///
    /// # Errors
    ///
    /// As the implementation says.
    fn enter(&mut self, name: &str, id: &Identifier<'_>) -> Result<(), Error>;

    /// The part ends.
    fn leave(&mut self);
}
