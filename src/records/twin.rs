//! What each kind of field is sealed to.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::open::RecordOpener;
use super::seal::RecordSealer;
use super::walk::{TokenChange, TokenVisit};
use crate::error::Error;
use crate::field::{Declaration, Field};
use crate::form::{Phi, Sealed, Wipe};
use crate::schema::Shape;

/// What a field of type `T` is in the row, by its marker:
///
/// | marker | in the row |
/// |---|---|
/// | `F` | `Sealed<T, F>` |
/// | `Option<F>`, for an `Option<T>` | `Option<Sealed<T, F>>` |
/// | [`Each<F>`](crate::Each), for a list of `T` | `Vec<Sealed<T, F>>` |
/// | [`Parts<F>`](crate::Parts), for a map of `T` | the map, of `Sealed<T, F>` |
/// | [`Own`], for a `Phi<T, F>` | `Sealed<T, F>` |
/// | [`Migrates<F>`](super::Migrates), while a column is migrated | [`Migrating<T, F>`](crate::migrating::Migrating); in an `Option`, a list or a map, if the field is one |
pub type Twin<T, M> = <M as TwinOf<T>>::Twin;

/// A marker that says what a field of type `T` is sealed to: a [`Field`], `Option<F>`, [`Each<F>`](crate::Each), [`Parts<F>`](crate::Parts)
/// or [`Own`]. [`Twin`] has the table.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a field marker for `{T}`",
    label = "not a field marker for this type",
    note = "declare it with `rxseal::fields! {{ pub {Self} = \"stable.id\" in Class; }}`; write `Option<Marker>` for an `Option`, and the \
            marker alone for any other type"
)]
pub trait TwinOf<T> {
    /// What is in the row.
    type Twin: Clone;
    /// The field whose tokens it has.
    type Field: Field;
    /// What each token holds.
    #[doc(hidden)]
    type Value;
    /// Whether there may be no token.
    #[doc(hidden)]
    const IS_OPTIONAL: bool = false;
    #[doc(hidden)]
    const SHAPE: Shape = Shape::One;

    /// How many contexts of its own the value is sealed in.
    #[doc(hidden)]
    fn contexts(value: &T) -> usize {
        let _ = value;
        0
    }

    #[doc(hidden)]
    fn seal_twin(value: &T, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error>;

    #[doc(hidden)]
    fn open_twin(twin: &Self::Twin, opener: &mut RecordOpener<'_>) -> Result<T, Error>;

    #[doc(hidden)]
    fn visit_twin(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error>;

    #[doc(hidden)]
    fn change_twin(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error>;
}

/// A row with a sealed field `F`, which [`SealedRecord::set`](super::SealedRecord::set) can replace. `#[derive(PhiRecord)]` implements it
/// for each sealed field of a struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no sealed field `{F}`",
    note = "name the marker of one of the struct's own fields; a field of a part or of a nested struct is not one of them"
)]
pub trait HasField<F: Field> {
    /// The field's type in plaintext.
    type Value;
    /// The field's marker.
    type Marker: TwinOf<Self::Value>;
    /// An index that is made of the field, or `()`. A field with an index cannot be set alone. Generic code that sets fields asks for
    /// `HasField<F, Index = ()>`.
    type Index;

    #[doc(hidden)]
    fn twin_mut(&mut self) -> &mut Twin<Self::Value, Self::Marker>;
}

impl<F: Field, T: Serialize + DeserializeOwned> TwinOf<T> for F {
    type Twin = Sealed<T, F>;
    type Field = F;
    type Value = T;

    fn seal_twin(value: &T, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error> {
        // No closure: the compiler makes this for each field of a program.
        match sealer.field::<T>(Declaration::of::<F>(), value) {
            Ok(token) => Ok(Sealed::from(token)),
            Err(error) => Err(error),
        }
    }

    fn open_twin(twin: &Self::Twin, opener: &mut RecordOpener<'_>) -> Result<T, Error> {
        opener.field(Declaration::of::<F>(), twin.token())
    }

    fn visit_twin(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
        visit.token(Declaration::of::<F>(), twin.token())
    }

    fn change_twin(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
        change.token(Declaration::of::<F>(), twin.token()).map(|token| *twin = Sealed::from(token))
    }
}

impl<F: TwinOf<T>, T> TwinOf<Option<T>> for Option<F> {
    type Twin = Option<F::Twin>;
    type Field = F::Field;
    type Value = F::Value;
    const IS_OPTIONAL: bool = true;
    const SHAPE: Shape = F::SHAPE;

    fn contexts(value: &Option<T>) -> usize {
        value.as_ref().map_or(0, F::contexts)
    }

    fn seal_twin(value: &Option<T>, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error> {
        value.as_ref().map(|value| F::seal_twin(value, sealer)).transpose()
    }

    fn open_twin(twin: &Self::Twin, opener: &mut RecordOpener<'_>) -> Result<Option<T>, Error> {
        twin.as_ref().map(|twin| F::open_twin(twin, opener)).transpose()
    }

    fn visit_twin(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
        twin.as_ref().map_or(Ok(()), |twin| F::visit_twin(twin, visit))
    }

    fn change_twin(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
        twin.as_mut().map_or(Ok(()), |twin| F::change_twin(twin, change))
    }
}

/// The marker of a field whose type has one: `Phi<T, F>` and `Option<Phi<T, F>>`. `#[phi(seal)]` without a marker means it.
pub enum Own {}

impl fmt::Debug for Own {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl<T: Sealable> TwinOf<T> for Own {
    type Twin = Twin<T::Value, T::Marker>;
    type Field = <T::Marker as TwinOf<T::Value>>::Field;
    type Value = <T::Marker as TwinOf<T::Value>>::Value;
    const IS_OPTIONAL: bool = <T::Marker as TwinOf<T::Value>>::IS_OPTIONAL;
    const SHAPE: Shape = <T::Marker as TwinOf<T::Value>>::SHAPE;

    fn seal_twin(value: &T, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error> {
        value.seal_value(sealer)
    }

    fn open_twin(twin: &Self::Twin, opener: &mut RecordOpener<'_>) -> Result<T, Error> {
        T::open_value(twin, opener)
    }

    fn visit_twin(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
        T::Marker::visit_twin(twin, visit)
    }

    fn change_twin(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
        T::Marker::change_twin(twin, change)
    }
}

/// A type that has its own marker: `Phi<T, F>` and `Option<Phi<T, F>>`. A field of such a type says `#[phi(seal)]` and nothing more.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no marker of its own",
    note = "write `#[phi(seal = Marker)]`; only `Phi<T, Marker>` and `Option<Phi<T, Marker>>` have one"
)]
pub trait Sealable: Sized {
    /// Its marker.
    type Marker: TwinOf<Self::Value>;
    /// The value inside.
    type Value;

    #[doc(hidden)]
    fn seal_value(&self, sealer: &mut RecordSealer<'_>) -> Result<Twin<Self::Value, Self::Marker>, Error>;

    #[doc(hidden)]
    fn open_value(twin: &Twin<Self::Value, Self::Marker>, opener: &mut RecordOpener<'_>) -> Result<Self, Error>;
}

impl<F: Field, T: Wipe + Serialize + DeserializeOwned> Sealable for Phi<T, F> {
    type Marker = F;
    type Value = T;

    fn seal_value(&self, sealer: &mut RecordSealer<'_>) -> Result<Sealed<T, F>, Error> {
        F::seal_twin(self.expose_phi(), sealer)
    }

    fn open_value(twin: &Sealed<T, F>, opener: &mut RecordOpener<'_>) -> Result<Self, Error> {
        F::open_twin(twin, opener).map(Self::new)
    }
}

impl<F: Field, T: Wipe + Serialize + DeserializeOwned> Sealable for Option<Phi<T, F>> {
    type Marker = Option<F>;
    type Value = Option<T>;

    fn seal_value(&self, sealer: &mut RecordSealer<'_>) -> Result<Option<Sealed<T, F>>, Error> {
        self.as_ref().map(|value| value.seal_value(sealer)).transpose()
    }

    fn open_value(twin: &Option<Sealed<T, F>>, opener: &mut RecordOpener<'_>) -> Result<Self, Error> {
        twin.as_ref().map(|twin| Phi::open_value(twin, opener)).transpose()
    }
}
