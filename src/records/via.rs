//! Fields that serde writes with functions of another module: `#[phi(seal = F, with = "time::serde::rfc3339")]`.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::open::RecordOpener;
use super::seal::RecordSealer;
use super::twin::TwinOf;
use super::walk::{TokenChange, TokenVisit};
use crate::error::Error;
use crate::field::{Declaration, Field};
use crate::form::{OpenAs, SealAs, Sealed};

/// How a `T` is written into a token and read from it, if not by its own serde impls. `#[phi(seal = F, with = "module")]` implements it
/// for a type of its own, with `module::serialize` and `module::deserialize`.
pub trait SerdeWith<T>: 'static {
    /// Writes the value.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    fn serialize<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// Those of the deserializer.
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error>;
}

/// The marker of a field that `W` writes into the token: in the row it is a `Sealed<Via<T, W>, F>`.
pub struct With<F, W>(PhantomData<fn() -> (F, W)>);

impl<F, W> fmt::Debug for With<F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("With")
    }
}

/// A value that `W` writes and reads. Opening a single field that says `with` gives one.
pub struct Via<T, W> {
    value: T,
    with: PhantomData<fn() -> W>,
}

impl<T, W> Via<T, W> {
    /// A value, to be sealed.
    pub const fn new(value: T) -> Self {
        Self { value, with: PhantomData }
    }

    /// The value.
    pub fn expose_into_inner(self) -> T {
        self.value
    }
}

impl<T, W> fmt::Debug for Via<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Via([REDACTED])")
    }
}

impl<T, W: SerdeWith<T>> Serialize for Via<T, W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        W::serialize(&self.value, serializer)
    }
}

impl<'de, T, W: SerdeWith<T>> Deserialize<'de> for Via<T, W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        W::deserialize(deserializer).map(Self::new)
    }
}

struct ViaRef<'v, T, W>(&'v T, PhantomData<W>);

impl<T, W: SerdeWith<T>> Serialize for ViaRef<'_, T, W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        W::serialize(self.0, serializer)
    }
}

impl<F: Field, T, W: SerdeWith<T>> TwinOf<T> for With<F, W> {
    type Twin = Sealed<Via<T, W>, F>;
    type Field = F;
    type Value = Via<T, W>;

    fn seal_twin(value: &T, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error> {
        sealer.field::<Via<T, W>>(Declaration::of::<F>(), &ViaRef::<T, W>(value, PhantomData)).map(Sealed::from)
    }

    fn open_twin(twin: &Self::Twin, opener: &mut RecordOpener<'_>) -> Result<T, Error> {
        <F as TwinOf<Via<T, W>>>::open_twin(twin, opener).map(Via::expose_into_inner)
    }

    fn visit_twin(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
        <F as TwinOf<Via<T, W>>>::visit_twin(twin, visit)
    }

    fn change_twin(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
        <F as TwinOf<Via<T, W>>>::change_twin(twin, change)
    }
}

/// For `Sealing::<With<F, W>>`: in the scopes of a record, and as plaintext.
impl<F: Field, T, W: SerdeWith<T>> SealAs<T> for With<F, W> {
    fn seal_as<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        F::seal_as(&ViaRef::<T, W>(value, PhantomData), serializer)
    }
}

impl<'de, F: Field, T, W: SerdeWith<T>> OpenAs<'de, T> for With<F, W> {
    fn open_as<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        <F as OpenAs<'de, Via<T, W>>>::open_as(deserializer).map(Via::expose_into_inner)
    }
}
