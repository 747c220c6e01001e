//! The tag of a row: made when the row is sealed, verified before it is opened (FORMAT 14).

use super::walk::TokenVisit;
use crate::error::Error;
use crate::field::Field;
use crate::id::{FieldId, Identifier};
use crate::record::RecordCore;
use crate::record_tag::{Cover, RecordTag, tag_record, verify_record};
use crate::token::Token;

/// Verifies the tag of a row, whose type has this cover number. `visit` goes through the row.
pub(super) fn verify(
    core: &RecordCore,
    (tag, number): (&RecordTag, u8),
    visit: impl FnOnce(&mut Cover) -> Result<(), Error>,
) -> Result<(), Error> {
    let verify = |cover: &mut _| verify_record(&core.shared().keys, core.context(), cover, number, tag, core.former());
    let mut cover = Cover::default();
    visit(&mut cover).and_then(|()| verify(&mut cover)).map_err(|error| error.in_record(core.context().record_type()))
}

/// The tag of a row after `former`.
pub(super) fn renew(
    core: &RecordCore,
    (former, number): (&RecordTag, u8),
    visit: impl FnOnce(&mut Cover) -> Result<(), Error>,
) -> Result<RecordTag, Error> {
    let renew = |cover: &mut _| tag_record(&core.shared().keys, core.context(), cover, number, former);
    let mut cover = Cover::default();
    visit(&mut cover).and_then(|()| renew(&mut cover)).map_err(|error| error.in_record(core.context().record_type()))
}

impl TokenVisit for Cover {
    fn token<F: Field>(&mut self, token: &Token) -> Result<(), Error> {
        self.sealed(F::ID, F::FORMER, token);
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
