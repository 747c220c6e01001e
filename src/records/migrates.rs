//! The marker of a field whose column is being migrated.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserializer, Serialize, Serializer};

use super::open::RecordOpener;
use super::seal::RecordSealer;
use super::twin::TwinOf;
use super::walk::{TokenChange, TokenVisit};
use crate::error::{Error, ErrorKind};
use crate::field::{Declaration, Field};
use crate::form::{OpenAs, SealAs};
use crate::migrating::{Migrating, PlainColumn};

/// The marker of a field whose column is being [migrated](crate::migrating): `#[phi(seal = Migrates<Drug>)]`. Its row has a
/// [`Migrating<T, F>`].
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
        let token = twin.token().ok_or_else(|| Error::from(ErrorKind::PlaintextHeld).at_field(F::ID))?;
        *twin = Migrating::from(change.token(Declaration::of::<F>(), token)?);
        Ok(())
    }
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
