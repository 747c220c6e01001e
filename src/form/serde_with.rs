//! `#[serde_as(as = "Sealing<F>")]`: the adapters of serde_with.

use serde::{Deserializer, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use super::sealing::{OpenAs, SealAs, Sealing};

/// For `#[serde_as(as = "Sealing<F>")]` (feature `serde_with_3`), alone or inside serde_with's own adapters.
///
/// ```
/// use std::sync::Arc;
///
/// use rxseal::{Sealing, phi};
/// use serde::{Deserialize, Serialize};
///
/// #[serde_with::serde_as]
/// #[derive(Serialize, Deserialize)]
/// struct Prescription {
///     #[serde_as(as = "Sealing<phi::Drug>")]
///     drug: String,
///     #[serde_as(as = "Option<Sealing<phi::Directions>>")]    // may be missing too, without `default`
///     directions: Option<String>,
///     #[serde_as(as = "Arc<Sealing<phi::Note>>")]
///     note: Arc<String>,
/// }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
/// # let rec = keys.record("prescription", 1001)?;
/// # let rx = Prescription { drug: "warfarin".into(), directions: None, note: Arc::new("x".into()) };
/// # let json = serde_json::to_string(&rec.sealing(&rx))?;
/// # let read: Prescription = rec.opened_by(&access).run_opening(|| serde_json::from_str(&json))?;
/// # assert_eq!((read.drug, read.directions, read.note), (rx.drug, rx.directions, rx.note));
/// # Ok(())
/// # }
/// ```
///
/// A container of it, such as `Vec<Sealing<F>>`, would seal one field id several times in one record, and the tokens could be
/// exchanged unnoticed. So the second element is the error `field-repeated` (FORMAT 4.5). For a list, write `Sealing<F>` around the
/// whole list, or `Sealing<Each<F>>`; for a map, write `Sealing<Parts<F>>`.
///
/// serde_with itself writes and reads the `None` of an `Option<Sealing<F>>`, even outside of a scope, because there is nothing to
/// protect. `Sealing<Option<F>>` needs a scope for it too.
impl<T: ?Sized, F: SealAs<T>> SerializeAs<T> for Sealing<F> {
    fn serialize_as<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        F::seal_as(value, serializer)
    }
}

/// The same as for `SerializeAs`. A refusal fails the whole reading, even under an adapter that replaces errors, such as
/// `DefaultOnError`.
impl<'de, T, F: OpenAs<'de, T>> DeserializeAs<'de, T> for Sealing<F> {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        F::open_as(deserializer)
    }
}
