//! Repeated structs of a record, each in a context of its own.

use super::describe::Describer;
use super::open::RecordOpener;
use super::seal::RecordSealer;
use super::traits::{PhiFields, PhiPart, SealedFields, SealedPart};
use super::unique::assert_unique;
use super::walk::{TokenChange, TokenVisit};
use crate::error::Error;

/// What the parts of type `T` are in the row: `Vec<SealedLine>` for a `Vec<Line>`.
pub type PartsTwin<T> = <T as PhiParts>::Sealed;

/// A field of parts: a [`PhiPart`], or a `Vec` or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no parts of a record",
    note = "`#[phi(part = \"name\")]` is for a `P`, a `Vec<P>` or an `Option<P>`, whose `P` has `#[derive(rxseal::PhiRecord)]` and \
            `#[phi(part)]`"
)]
pub trait PhiParts: Sized {
    /// The same in the row.
    type Sealed: Clone;
    /// The highest cover number in the parts.
    #[doc(hidden)]
    const COVER: u8;

    /// How many contexts the parts are sealed in.
    #[doc(hidden)]
    fn contexts(&self) -> usize;

    #[doc(hidden)]
    fn wipe_parts(&mut self);

    /// Says what the fields of a part are.
    #[doc(hidden)]
    fn describe_part(describer: &mut Describer);

    #[doc(hidden)]
    fn seal_parts(&self, name: &str, sealer: &mut RecordSealer<'_>) -> Result<Self::Sealed, Error>;

    #[doc(hidden)]
    fn open_parts(sealed: &Self::Sealed, name: &str, opener: &mut RecordOpener<'_>) -> Result<Self, Error>;

    #[doc(hidden)]
    fn visit_parts(sealed: &Self::Sealed, name: &str, visit: &mut impl TokenVisit) -> Result<(), Error>;

    #[doc(hidden)]
    fn change_parts(sealed: &mut Self::Sealed, name: &str, change: &mut impl TokenChange) -> Result<(), Error>;
}

impl<P: PhiPart> PhiParts for P {
    type Sealed = <P as PhiFields>::Sealed;
    const COVER: u8 = <<P as PhiFields>::Sealed as SealedFields>::COVER;

    fn contexts(&self) -> usize {
        PhiFields::contexts(self).saturating_add(1)
    }

    fn wipe_parts(&mut self) {
        self.wipe_sealed();
    }

    fn describe_part(describer: &mut Describer) {
        P::describe(describer);
    }

    fn seal_parts(&self, name: &str, sealer: &mut RecordSealer<'_>) -> Result<Self::Sealed, Error> {
        const { assert_unique(&P::FIELDS) };
        sealer.part(name, &self.part_id()?, |sealer| self.seal_fields(sealer))
    }

    fn open_parts(sealed: &Self::Sealed, name: &str, opener: &mut RecordOpener<'_>) -> Result<Self, Error> {
        opener.part(name, &sealed.part_id()?, |opener| sealed.open_fields(opener))
    }

    fn visit_parts(sealed: &Self::Sealed, name: &str, visit: &mut impl TokenVisit) -> Result<(), Error> {
        visit.enter(name, &sealed.part_id()?)?;
        sealed.visit_tokens(visit)?;
        visit.leave();
        Ok(())
    }

    fn change_parts(sealed: &mut Self::Sealed, name: &str, change: &mut impl TokenChange) -> Result<(), Error> {
        change.enter(name, &sealed.part_id()?)?;
        sealed.change_tokens(change)?;
        change.leave();
        Ok(())
    }
}

/// A `Vec` and an `Option` of parts are gone through alike.
macro_rules! collections {
    ($($collection:ident $(.$all:ident())+;)*) => {$(
        impl<P: PhiPart> PhiParts for $collection<P> {
            type Sealed = $collection<<P as PhiFields>::Sealed>;
            const COVER: u8 = <P as PhiParts>::COVER;

            fn contexts(&self) -> usize {
                self.iter().map(PhiParts::contexts).fold(0, usize::saturating_add)
            }

            fn wipe_parts(&mut self) {
                self.iter_mut().for_each(PhiParts::wipe_parts);
            }

            fn describe_part(describer: &mut Describer) {
                P::describe(describer);
            }

            fn seal_parts(&self, name: &str, sealer: &mut RecordSealer<'_>) -> Result<Self::Sealed, Error> {
                self.iter().map(|part| part.seal_parts(name, sealer))$(.$all())+
            }

            fn open_parts(sealed: &Self::Sealed, name: &str, opener: &mut RecordOpener<'_>) -> Result<Self, Error> {
                sealed.iter().map(|part| P::open_parts(part, name, opener))$(.$all())+
            }

            fn visit_parts(sealed: &Self::Sealed, name: &str, visit: &mut impl TokenVisit) -> Result<(), Error> {
                sealed.iter().try_for_each(|part| P::visit_parts(part, name, visit))
            }

            fn change_parts(sealed: &mut Self::Sealed, name: &str, change: &mut impl TokenChange) -> Result<(), Error> {
                sealed.iter_mut().try_for_each(|part| P::change_parts(part, name, change))
            }
        }
    )*};
}

collections! {
    Vec .collect();
    Option .next() .transpose();
}

/// The sum of numbers of contexts.
#[must_use]
pub fn sum(contexts: &[usize]) -> usize {
    contexts.iter().copied().fold(0, usize::saturating_add)
}
