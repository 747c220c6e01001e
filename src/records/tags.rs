//! The tag of a row: made when the row is sealed, verified before it is opened (FORMAT 14).

use super::traits::SealedRecord;
use super::walk::TokenVisit;
use crate::error::Error;
use crate::field::Field;
use crate::id::{FieldId, Identifier};
use crate::record::RecordCore;
use crate::record_tag::{Cover, tag_record, verify_record};
use crate::token::Token;

impl TokenVisit for Cover {
    fn token<F: Field>(&mut self, token: &Token) -> Result<(), Error> {
        self.sealed(F::ID, F::FORMER, token);
        Ok(())
    }

    fn clear(&mut self, id: FieldId, text: Option<&str>) -> Result<(), Error> {
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

/// Verifies the tag of a row, if rows of its type have one.
pub(super) fn verify<S: SealedRecord>(core: &RecordCore, row: &S) -> Result<(), Error> {
    let Some(tag) = row.record_tag() else { return Ok(()) };
    let former = || S::FORMER_TYPES.iter().map(|former| core.context().with_type(former)).collect();
    let verified = cover_of(row)
        .and_then(|mut cover| verify_record(&core.shared().keys, core.context(), &mut cover, S::COVER, tag, former));
    verified.map_err(|error| error.in_record(core.context().record_type()))
}

/// Gives a row the tag of its tokens and bound values, if rows of its type have one: of the version after the one that it has.
pub(super) fn renew<S: SealedRecord>(core: &RecordCore, row: &mut S) -> Result<(), Error> {
    let Some(former) = row.record_tag() else { return Ok(()) };
    let renewed = cover_of(row)
        .and_then(|mut cover| tag_record(&core.shared().keys, core.context(), &mut cover, S::COVER, former))
        .map_err(|error| error.in_record(core.context().record_type()))?;
    if let Some(tag) = row.record_tag_mut() {
        *tag = renewed;
    }
    Ok(())
}

fn cover_of<S: SealedRecord>(row: &S) -> Result<Cover, Error> {
    let mut cover = Cover::default();
    row.visit_tokens(&mut cover)?;
    Ok(cover)
}
