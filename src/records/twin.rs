//! What each kind of field is sealed to.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::walk::{TokenChange, TokenVisit};
use crate::error::Error;
use crate::field::Field;
use crate::form::{Phi, Sealed, Wipe};
use crate::record::{OpenPass, SealPass};

/// A marker that says what a field of type `T` is sealed to: a [`Field`], `Option<F>`, `Each<F>` or `Parts<F>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a field marker for `{T}`",
    label = "not a field marker for this type",
    note = "declare it with `rxseal::fields! {{ pub {Self} = \"stable.id\" in Class; }}`; write `Option<Marker>` for an `Option`, and the \
            marker alone for any other type"
)]
pub trait TwinOf<T> {
    /// What is stored.
    type Twin;

    /// Seals the value.
    ///
    /// # Errors
    ///
    /// Those of [`SealPass::seal`].
    fn seal_twin(value: &T, pass: &mut SealPass<'_>) -> Result<Self::Twin, Error>;

    /// Opens the value.
    ///
    /// # Errors
    ///
    /// Those of [`OpenPass::open`].
    fn open_twin(twin: &Self::Twin, pass: &mut OpenPass<'_>) -> Result<T, Error>;

    /// Shows the tokens.
    ///
    /// # Errors
    ///
    /// Those of the visit.
    fn visit_twin(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error>;

    /// Gives the tokens to be replaced.
    ///
    /// # Errors
    ///
    /// Those of the change.
    fn change_twin(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error>;
}

impl<F: Field, T: Serialize + DeserializeOwned> TwinOf<T> for F {
    type Twin = Sealed<T, F>;

    fn seal_twin(value: &T, pass: &mut SealPass<'_>) -> Result<Self::Twin, Error> {
        pass.seal::<F>(value).map(Sealed::from)
    }

    fn open_twin(twin: &Self::Twin, pass: &mut OpenPass<'_>) -> Result<T, Error> {
        pass.open::<F, T>(twin.token())
    }

    fn visit_twin(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
        visit.token::<F>(twin.token())
    }

    fn change_twin(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
        *twin = Sealed::from(change.token::<F>(twin.token())?);
        Ok(())
    }
}

impl<F: TwinOf<T>, T> TwinOf<Option<T>> for Option<F> {
    type Twin = Option<F::Twin>;

    fn seal_twin(value: &Option<T>, pass: &mut SealPass<'_>) -> Result<Self::Twin, Error> {
        value.as_ref().map(|value| F::seal_twin(value, pass)).transpose()
    }

    fn open_twin(twin: &Self::Twin, pass: &mut OpenPass<'_>) -> Result<Option<T>, Error> {
        twin.as_ref().map(|twin| F::open_twin(twin, pass)).transpose()
    }

    fn visit_twin(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
        twin.as_ref().map_or(Ok(()), |twin| F::visit_twin(twin, visit))
    }

    fn change_twin(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
        twin.as_mut().map_or(Ok(()), |twin| F::change_twin(twin, change))
    }
}

/// A type that knows its own marker: `Phi<T, F>` and `Option<Phi<T, F>>`. A field of such a type says `#[phi(seal)]` and nothing more.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not know its marker",
    note = "write `#[phi(seal = Marker)]`; only `Phi<T, Marker>` and `Option<Phi<T, Marker>>` know theirs"
)]
pub trait Sealable: Sized {
    /// Its marker, as one of [`TwinOf`] the value inside.
    type Marker: TwinOf<Self::Value>;
    /// The value inside.
    type Value;

    /// Seals the value.
    ///
    /// # Errors
    ///
    /// Those of [`SealPass::seal`].
    fn seal_value(&self, pass: &mut SealPass<'_>) -> Result<<Self::Marker as TwinOf<Self::Value>>::Twin, Error>;

    /// Opens the value.
    ///
    /// # Errors
    ///
    /// Those of [`OpenPass::open`].
    fn open_value(twin: &<Self::Marker as TwinOf<Self::Value>>::Twin, pass: &mut OpenPass<'_>) -> Result<Self, Error>;
}

impl<F: Field, T: Wipe + Serialize + DeserializeOwned> Sealable for Phi<T, F> {
    type Marker = F;
    type Value = T;

    fn seal_value(&self, pass: &mut SealPass<'_>) -> Result<Sealed<T, F>, Error> {
        F::seal_twin(self.expose_phi(), pass)
    }

    fn open_value(twin: &Sealed<T, F>, pass: &mut OpenPass<'_>) -> Result<Self, Error> {
        F::open_twin(twin, pass).map(Self::new)
    }
}

impl<F: Field, T: Wipe + Serialize + DeserializeOwned> Sealable for Option<Phi<T, F>> {
    type Marker = Option<F>;
    type Value = Option<T>;

    fn seal_value(&self, pass: &mut SealPass<'_>) -> Result<Option<Sealed<T, F>>, Error> {
        self.as_ref().map(|value| value.seal_value(pass)).transpose()
    }

    fn open_value(twin: &Option<Sealed<T, F>>, pass: &mut OpenPass<'_>) -> Result<Self, Error> {
        twin.as_ref().map(|twin| Phi::open_value(twin, pass)).transpose()
    }
}
