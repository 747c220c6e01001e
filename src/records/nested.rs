//! A nested struct that may be absent: its fields are sealed in the same context if it is there.

use super::describe::Describer;
use super::open::RecordOpener;
use super::seal::RecordSealer;
use super::traits::{PhiFields, SealedFields};
use super::unique::FieldIds;
use super::walk::{TokenChange, TokenVisit};
use crate::error::Error;

impl<P: PhiFields> PhiFields for Option<P> {
    type Sealed = Option<P::Sealed>;
    const FIELDS: FieldIds = P::FIELDS;

    fn contexts(&self) -> usize {
        self.as_ref().map_or(0, P::contexts)
    }

    fn wipe_sealed(&mut self) {
        self.iter_mut().for_each(P::wipe_sealed);
    }

    fn seal_fields(&self, sealer: &mut RecordSealer<'_>) -> Result<Self::Sealed, Error> {
        self.as_ref().map(|nested| nested.seal_fields(sealer)).transpose()
    }

    fn describe(describer: &mut Describer) {
        describer.optional(P::describe);
    }
}

impl<S: SealedFields> SealedFields for Option<S> {
    type Open = Option<S::Open>;
    const COVER: u8 = S::COVER;

    fn open_fields(&self, opener: &mut RecordOpener<'_>) -> Result<Self::Open, Error> {
        self.as_ref().map(|nested| nested.open_fields(opener)).transpose()
    }

    fn visit_tokens(&self, visit: &mut impl TokenVisit) -> Result<(), Error> {
        self.as_ref().map_or(Ok(()), |nested| nested.visit_tokens(visit))
    }

    fn change_tokens(&mut self, change: &mut impl TokenChange) -> Result<(), Error> {
        self.as_mut().map_or(Ok(()), |nested| nested.change_tokens(change))
    }
}
