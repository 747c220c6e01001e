//! `Phi<T, F>`: a value that `Debug` does not show and that is wiped on drop.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::sealing::{OpenAs, SealAs};
use super::wipe::Wipe;
use crate::scope;

/// A value of PHI: its `Debug` is redacted, it is wiped on drop, and serde seals and opens it as
/// [`Sealing::<F>`](crate::Sealing) does.
///
/// This is the recommended form. It has no `Display`, `Clone`, `Default` or `Ord`, so every copy and every print of the value has to
/// call `expose_phi`.
///
/// ```
/// use rxseal::{Phi, phi};
/// #[derive(Debug, serde::Serialize, serde::Deserialize)]
/// struct Refill {
///     rx_number: u64,
///     drug: Phi<String, phi::Drug>,
/// }
/// let refill = Refill { rx_number: 1001, drug: "warfarin 5 MG".to_owned().into() };
/// assert_eq!(format!("{refill:?}"), "Refill { rx_number: 1001, drug: Phi([REDACTED]) }");
/// assert_eq!(refill.drug.expose_phi(), "warfarin 5 MG");
/// ```
///
/// Without serde, [`seal`](Self::seal) makes the [`Sealed`](crate::Sealed) that is stored, and [`Sealed::open_phi`](crate::Sealed::open_phi) opens it again. Do not use it inside
/// another sealed value: [`Sealing`](crate::Sealing) says why.
///
/// Do not give it a rule of the crate `validator`. The derive of `validator` serializes a value that breaks a rule, which fails outside
/// of a scope, and then panics. Write one `#[validate(schema(function = ..))]` for the struct, and let that function use
/// [`expose_phi`](Self::expose_phi) (docs/SERDE.md).
///
/// In a generic struct serde has to be told the bounds:
///
/// ```
/// # use rxseal::forms::Wipe;
/// # use rxseal::{Phi, phi};
/// #[derive(serde::Serialize, serde::Deserialize)]
/// #[serde(bound(serialize = "T: serde::Serialize", deserialize = "T: serde::de::DeserializeOwned"))]
/// struct Noted<T: Wipe> {
///     note: Phi<T, phi::Note>,
/// }
/// ```
// `seal` is in `form/typed.rs`.
pub struct Phi<T: Wipe, F> {
    /// `None` only while `expose_into_inner` takes the value out.
    value: Option<T>,
    field: PhantomData<fn() -> F>,
}

impl<T: Wipe, F> Phi<T, F> {
    /// Protects a value.
    pub const fn new(value: T) -> Self {
        Self { value: Some(value), field: PhantomData }
    }

    /// The value.
    #[expect(clippy::unreachable, reason = "the value is taken out only by the call that consumes `self`")]
    pub fn expose_phi(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => unreachable!(),
        }
    }

    /// The value, to be changed in place. If you replace it, the old value is not wiped: wipe it first.
    #[expect(clippy::unreachable, reason = "as above")]
    pub fn expose_phi_mut(&mut self) -> &mut T {
        match &mut self.value {
            Some(value) => value,
            None => unreachable!(),
        }
    }

    /// Returns the value. From now on nobody wipes it.
    #[expect(clippy::unreachable, reason = "as above")]
    pub fn expose_into_inner(mut self) -> T {
        match self.value.take() {
            Some(value) => value,
            None => unreachable!(),
        }
    }
}

impl<T: Wipe, F> Drop for Phi<T, F> {
    fn drop(&mut self) {
        if let Some(value) = &mut self.value {
            value.wipe();
        }
    }
}

impl<T: Wipe, F> From<T> for Phi<T, F> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Wipe + PartialEq, F> PartialEq for Phi<T, F> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Wipe + Eq, F> Eq for Phi<T, F> {}

impl<T: Wipe, F> fmt::Debug for Phi<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phi([REDACTED])")
    }
}

impl<T: Wipe, F: SealAs<T>> Serialize for Phi<T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        F::seal_as(self.expose_phi(), serializer).inspect_err(|_| scope::refused_phi())
    }
}

impl<'de, T: Wipe, F: OpenAs<'de, T>> Deserialize<'de> for Phi<T, F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        F::open_as(deserializer).map(Self::new)
    }
}
