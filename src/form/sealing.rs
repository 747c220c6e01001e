//! `#[serde(with = "Sealing::<F>")]`: the field is plain in memory and a token in every format.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};

use super::plain_reader;
use super::token_reader::{Wanted, read_token};
use crate::error::Error;
use crate::field::{Declaration, Field};
use crate::record::Claim;
use crate::scope::{self, Reading, Writing};

/// Seals a field when its struct is written and opens it when it is read, in the scope of a record.
///
/// `F` is a field marker, or one of `Option<F>`, [`Each<F>`](crate::Each), [`Parts<F>`](crate::Parts):
///
/// ```
/// use std::collections::BTreeMap;
/// use rxseal::{Each, Parts, Sealing, phi};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Prescription {
///     rx_number: u64,                                         // stays readable
///     #[serde(with = "Sealing::<phi::PatientName>")]
///     patient_name: String,
///     #[serde(with = "Sealing::<Option<phi::Directions>>", default)]
///     directions: Option<String>,                             // None stays null: its absence is visible
///     #[serde(with = "Sealing::<phi::Note>")]
///     note: Option<String>,                                   // None is sealed too: its absence is hidden
///     #[serde(with = "Sealing::<phi::Allergy>")]
///     allergies: Vec<String>,                                 // one token: order and members are bound
///     #[serde(with = "Sealing::<Each<phi::Diagnosis>>")]
///     diagnoses: Vec<String>,                                 // one token each: an unordered set
///     #[serde(with = "Sealing::<Parts<phi::Drug>>")]
///     drugs_by_line: BTreeMap<u32, String>,                   // one token each, bound to its key
/// }
/// ```
///
/// **Nothing is sealed again inside a sealed value**, because no count, reseal or destruction of a key could see a token there. So
/// the type under a marker must be plain throughout. If it contains a marked field, a `Phi`, a `Sealed`, or the text of a token in a
/// list, the error is `token-inside`. Use a plain type, or put the sealed fields beside each other. You can also seal
/// [`expose_plaintext(&value)`](crate::expose_plaintext), which writes those fields as plaintext into the sealed value; read it
/// with [`accept_plaintext`](crate::accept_plaintext) around the opening.
///
/// In one record, a marker belongs to one field, one list or one map. A second use is the error `field-repeated`.
///
/// Outside of a scope the field can neither be written nor read, so it never becomes plaintext by accident. If a field under
/// `Sealing::<Option<F>>` may be missing, write `default` too: serde requires it with `with`.
///
/// If a binary format has a size limit, set it when you read rows (`bincode::config::standard().with_limit::<..>()`). Without it, a
/// forged length makes the format allocate that much before rxseal sees anything.
///
/// In memory the value is plain, and a derived `Debug` prints it. [`Phi`](crate::Phi) does not.
pub struct Sealing<F>(PhantomData<fn() -> F>);

/// A marker that can seal a `T`. It is implemented for every [`Field`], `Option<F>`, [`Each<F>`](crate::Each) and
/// [`Parts<F>`](crate::Parts).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how to seal a `{T}`",
    label = "not a field marker for this type",
    note = "declare the marker with `rxseal::fields!`, or take one of `rxseal::phi`; use `Option<Marker>` only for an `Option` field, \
            `Each<Marker>` for a list and `Parts<Marker>` for a map"
)]
pub trait SealAs<T: ?Sized> {
    #[doc(hidden)]
    fn seal_as<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error>;
}

/// A marker that can open a `T`. It is implemented for every [`Field`], `Option<F>`, [`Each<F>`](crate::Each) and
/// [`Parts<F>`](crate::Parts).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how to open a `{T}`",
    label = "not a field marker for this type",
    note = "declare the marker with `rxseal::fields!`, or take one of `rxseal::phi`; use `Option<Marker>` only for an `Option` field, \
            `Each<Marker>` for a list and `Parts<Marker>` for a map"
)]
pub trait OpenAs<'de, T> {
    #[doc(hidden)]
    fn open_as<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error>;
}

impl<F> Sealing<F> {
    /// For `#[serde(with = ..)]`.
    ///
    /// # Errors
    ///
    /// The format's error with rxseal's text: there is no scope, the scope has the other direction, or the value cannot be sealed.
    pub fn serialize<T: ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        F: SealAs<T>,
    {
        F::seal_as(value, serializer)
    }

    /// For `#[serde(with = ..)]`.
    ///
    /// # Errors
    ///
    /// The format's error with rxseal's text: there is no scope, the scope has the other direction, or there is no token or one that
    /// does not open.
    pub fn deserialize<'de, T, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error>
    where
        F: OpenAs<'de, T>,
    {
        F::open_as(deserializer)
    }
}

impl<F> fmt::Debug for Sealing<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing")
    }
}

impl<F: Field, T: Serialize + ?Sized> SealAs<T> for F {
    fn seal_as<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        write_field(Declaration::of::<F>(), value, Claim::Token, serializer)
    }
}

impl<'de, F: Field, T: DeserializeOwned> OpenAs<'de, T> for F {
    fn open_as<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        read_field(Declaration::of::<F>(), deserializer)
    }
}

impl<F: SealAs<T>, T> SealAs<Option<T>> for Option<F> {
    fn seal_as<S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        struct Present<'a, F, T>(&'a T, PhantomData<F>);

        impl<F: SealAs<T>, T> Serialize for Present<'_, F, T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                F::seal_as(self.0, serializer)
            }
        }

        match value {
            Some(value) => serializer.serialize_some(&Present::<F, T>(value, PhantomData)),
            // A null needs no protection, but writing the struct without a scope is still a mistake.
            None => match scope::writing() {
                Ok(_) => serializer.serialize_none(),
                Err(error) => Err(scope::keep(error, |text| S::Error::custom(text))),
            },
        }
    }
}

impl<'de, F: OpenAs<'de, T>, T> OpenAs<'de, Option<T>> for Option<F> {
    fn open_as<D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        struct OptionVisitor<F, T>(PhantomData<fn() -> (F, T)>);

        impl<'de, F: OpenAs<'de, T>, T> Visitor<'de> for OptionVisitor<F, T> {
            type Value = Option<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sealed field or nothing")
            }

            fn visit_none<E>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_unit<E>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
                F::open_as(deserializer).map(Some)
            }
        }

        scope::reading().map_err(|error| scope::keep(error, |text| D::Error::custom(text)))?;
        deserializer.deserialize_option(OptionVisitor::<F, T>(PhantomData))
    }
}

/// Writes `value` as the active scope requires.
pub(super) fn write_field<T: Serialize + ?Sized, S: Serializer>(
    field: &Declaration,
    value: &T,
    claim: Claim,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let refused = |error: Error| scope::keep(error.at_field(field.id), |text| S::Error::custom(text));
    match scope::writing().map_err(refused)? {
        Writing::Seal => scope::seal_field(field, value, claim, serializer).map_err(refused)?,
        Writing::Expose => value.serialize(serializer),
    }
}

/// Reads a value as the active scope requires.
pub(super) fn read_field<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    field: &Declaration,
    deserializer: D,
) -> Result<T, D::Error> {
    let refused = |error: Error| scope::keep(error.at_field(field.id), |text| D::Error::custom(text));
    match scope::reading().map_err(refused)? {
        Reading::Open => read_token(deserializer, Wanted::token(field.id), |token| scope::open_field(field, token)),
        Reading::Accept => plain_reader::read(deserializer, field.id),
    }
}
