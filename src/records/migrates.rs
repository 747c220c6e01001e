//! The marker of a field whose column is being migrated.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserializer, Serialize, Serializer};

use super::containers::ElementOf;
use super::open::RecordOpener;
use super::seal::RecordSealer;
use super::twin::TwinOf;
use super::walk::{TokenChange, TokenVisit};
use crate::error::{Error, ErrorKind};
use crate::field::{Declaration, Field};
use crate::form::{Each, OpenAs, Parts, SealAs};
use crate::migrating::{Migrating, PlainColumn};
use crate::token::Token;

/// The marker of a field whose column is being [migrated](crate::migrating): `#[phi(seal = Migrates<Drug>)]`. Its row has a
/// [`Migrating<T, F>`].
///
/// | marker | field | in the row |
/// |---|---|---|
/// | `Migrates<F>` | `T` | `Migrating<T, F>` |
/// | `Option<Migrates<F>>` | `Option<T>`, whose absence stays null | `Option<Migrating<T, F>>` |
/// | `Migrates<F>` | `Option<T>`, whose absence is sealed too | `Option<Migrating<T, F>>`, which is `None` until the absence is sealed |
/// | `Each<Migrates<F>>` | a list of `T` | `Vec<Migrating<T, F>>` |
/// | `Parts<Migrates<F>>` | a map of `T` | the map, of `Migrating<T, F>` |
///
/// Sealing and opening the struct need the keyring's permit for plaintext, as the calls of `Migrating` do. Opening joins what was sealed
/// and what was not: to tell them apart, read the row's field. Resealing, rebinding and a record tag are for rows without plaintext:
/// with it, they are the error `not-a-token`.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use rxseal::migrating::ReadThrough;
/// use rxseal::records::Migrates;
/// use rxseal::{Access, PhiRecord, Purpose, phi::Drug};
///
/// #[derive(PhiRecord)]
/// #[phi(record = "prescription", derive(serde::Deserialize))]
/// struct Prescription {
///     #[phi(id)]
///     rx_number: u64,
///     #[phi(seal = Migrates<Drug>)]
///     drug: String,
/// }
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let keys = keys.read_through::<Drug>(&ReadThrough::until(2099, 3, 1, "CHG-1234")?);
/// let old: SealedPrescription = serde_json::from_str(r#"{"rx_number": 7, "drug": "warfarin 5 MG"}"#)?;
/// let rx = keys.open(&old, &Access::new("job:backfill", Purpose::TREAT)?)?;
/// assert_eq!(rx.drug, "warfarin 5 MG");
/// assert!(!keys.seal(&rx)?.drug.is_plain());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Migrates<F>(PhantomData<fn() -> F>);

impl<F> fmt::Debug for Migrates<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Migrates")
    }
}

impl<F: Field, T> TwinOf<T> for Migrates<F>
where
    T: PlainColumn + Borrow<T::Borrowed> + Serialize + DeserializeOwned,
{
    type Twin = Migrating<T, F>;
    type Field = F;
    type Value = T;

    fn seal_twin(value: &T, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error> {
        Migrating::write_in(sealer.core(), value.borrow(), || sealer.field::<T>(Declaration::of::<F>(), value))
    }

    fn open_twin(twin: &Self::Twin, opener: &mut RecordOpener<'_>) -> Result<T, Error> {
        match twin.token() {
            Some(token) => opener.field(Declaration::of::<F>(), token),
            None => opener.pass().read_plaintext::<F, T>(|| twin.plain_value()),
        }
    }

    fn visit_twin(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
        twin.token().map_or(Ok(()), |token| visit.token(Declaration::of::<F>(), token))
    }

    fn change_twin(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
        *twin = Migrating::from(change.token(Declaration::of::<F>(), sealed(twin)?)?);
        Ok(())
    }
}

impl<F: Field, T> ElementOf<T> for Migrates<F>
where
    T: PlainColumn + Borrow<T::Borrowed> + Serialize + DeserializeOwned,
{
    fn seal_element(value: &T, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error> {
        Migrating::write_in(sealer.core(), value.borrow(), || sealer.element::<T>(Declaration::of::<F>(), value))
    }

    fn visit_element(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
        twin.token().map_or(Ok(()), |token| visit.element(Declaration::of::<F>(), token))
    }

    fn change_element(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
        *twin = Migrating::from(change.element(Declaration::of::<F>(), sealed(twin)?)?);
        Ok(())
    }
}

/// A field whose absence is sealed too. Null in the column is an absence that is not sealed yet: plaintext, like any other.
impl<F: Field, T> TwinOf<Option<T>> for Migrates<F>
where
    T: PlainColumn + Borrow<T::Borrowed> + Serialize + DeserializeOwned,
{
    type Twin = Option<Migrating<T, F>>;
    type Field = F;
    type Value = Option<T>;

    fn seal_twin(value: &Option<T>, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error> {
        let core = sealer.core();
        let mut seal = || sealer.field::<Option<T>>(Declaration::of::<F>(), value);
        match value {
            Some(value) => Migrating::write_in(core, value.borrow(), seal).map(Some),
            None => Migrating::write_null_in(core, &mut seal),
        }
    }

    fn open_twin(twin: &Self::Twin, opener: &mut RecordOpener<'_>) -> Result<Option<T>, Error> {
        match twin.as_ref().map(|twin| (twin, twin.token())) {
            Some((_, Some(token))) => opener.field(Declaration::of::<F>(), token),
            Some((twin, None)) => opener.pass().read_plaintext::<F, Option<T>>(|| twin.plain_value().map(Some)),
            None => opener.pass().read_plaintext::<F, Option<T>>(|| Ok(None)),
        }
    }

    fn visit_twin(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
        twin.as_ref().and_then(Migrating::token).map_or(Ok(()), |token| visit.token(Declaration::of::<F>(), token))
    }

    fn change_twin(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
        let token = twin.as_ref().ok_or_else(plaintext_held::<F>).and_then(sealed)?;
        *twin = Some(Migrating::from(change.token(Declaration::of::<F>(), token)?));
        Ok(())
    }
}

fn sealed<T, F: Field>(twin: &Migrating<T, F>) -> Result<&Token, Error> {
    twin.token().ok_or_else(plaintext_held::<F>)
}

fn plaintext_held<F: Field>() -> Error {
    Error::from(ErrorKind::PlaintextHeld).at_field(F::ID)
}

/// For `Sealing::<Migrates<F>>`, as a struct with `#[phi(plaintext)]` has it: the value for a client, and otherwise a token as under `F`.
/// Plaintext that is stored is read by the row alone.
impl<F: Field, T: Serialize> SealAs<T> for Migrates<F> {
    fn seal_as<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        F::seal_as(value, serializer)
    }
}

impl<'de, F: Field, T: DeserializeOwned> OpenAs<'de, T> for Migrates<F> {
    fn open_as<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        F::open_as(deserializer)
    }
}

/// For `Sealing::<Each<Migrates<F>>>`: as under `Each<F>`.
impl<F: Field, C> SealAs<C> for Each<Migrates<F>>
where
    Each<F>: SealAs<C>,
{
    fn seal_as<S: Serializer>(value: &C, serializer: S) -> Result<S::Ok, S::Error> {
        Each::<F>::seal_as(value, serializer)
    }
}

impl<'de, F: Field, C> OpenAs<'de, C> for Each<Migrates<F>>
where
    Each<F>: OpenAs<'de, C>,
{
    fn open_as<D: Deserializer<'de>>(deserializer: D) -> Result<C, D::Error> {
        Each::<F>::open_as(deserializer)
    }
}

/// For `Sealing::<Parts<Migrates<F>>>`: as under `Parts<F>`.
impl<F: Field, C> SealAs<C> for Parts<Migrates<F>>
where
    Parts<F>: SealAs<C>,
{
    fn seal_as<S: Serializer>(value: &C, serializer: S) -> Result<S::Ok, S::Error> {
        Parts::<F>::seal_as(value, serializer)
    }
}

impl<'de, F: Field, C> OpenAs<'de, C> for Parts<Migrates<F>>
where
    Parts<F>: OpenAs<'de, C>,
{
    fn open_as<D: Deserializer<'de>>(deserializer: D) -> Result<C, D::Error> {
        Parts::<F>::open_as(deserializer)
    }
}
