//! Counting the tokens and the contexts of a row.

use super::traits::{SealedFields, SealedRecord};
use super::walk::TokenVisit;
use crate::count::KeyCounts;
use crate::error::Error;
use crate::field::Declaration;
use crate::id::Identifier;
use crate::record_tag::RecordTag;
use crate::token::Token;

/// How many contexts a row has, its own included. One that cannot be told is found when the row is gone through again.
pub(super) fn contexts_of(row: &impl SealedFields) -> usize {
    let mut count = Count(1);
    let _ = row.visit_tokens(&mut count);
    count.0
}

struct Count(usize);

impl TokenVisit for Count {
    fn token(&mut self, _: &Declaration, _: &Token) -> Result<(), Error> {
        Ok(())
    }

    fn enter(&mut self, _: &str, _: &Identifier<'_>) -> Result<(), Error> {
        self.0 = self.0.saturating_add(1);
        Ok(())
    }
}

impl KeyCounts {
    /// Counts the tokens of a row, those of its parts included, and its record tag.
    ///
    /// # Errors
    ///
    /// `invalid-id` if the id of a part cannot be told. The tokens before it are counted then.
    pub fn add_record(&mut self, row: &impl SealedRecord) -> Result<(), Error> {
        if let Some(key) = row.record_tag().and_then(RecordTag::key_id) {
            self.add_key(key, 1);
        }
        row.visit_tokens(&mut Counted(self))
    }
}

struct Counted<'c>(&'c mut KeyCounts);

impl TokenVisit for Counted<'_> {
    fn token(&mut self, _: &Declaration, token: &Token) -> Result<(), Error> {
        self.0.add(token);
        Ok(())
    }
}
