//! Whether a value comes back.

use std::any::type_name;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::insecure_keyring;
use crate::access::{Access, Purpose};
use crate::error::Error;
use crate::field::Field;
use crate::form::{Each, Sealed, Sealing};
use crate::record::{Record, RecordReader};

/// Fails unless `value` comes back equal after it was sealed as field `F` and opened again.
///
/// rxseal writes and reads values through their own serde implementations, and some types cannot read what they wrote: for example,
/// integers of 128 bits under `#[serde(flatten)]` (docs/SERDE.md lists such types). Sealing cannot detect that. So test one value of
/// each type that you seal, with every option set and every list filled.
///
/// The check seals and opens with the calls for one field: from bytes, from text and after a reseal. It also seals and opens the value
/// as a field of a struct in JSON, under `Sealing<F>`, `Sealing<Each<F>>` and `Sealed`.
///
/// ```
/// use rxseal::phi;
/// use rxseal::testing::assert_round_trips;
/// #[derive(serde::Serialize, serde::Deserialize, PartialEq)]
/// struct Dose { amount: f64, unit: Option<String> }
///
/// assert_round_trips::<phi::Strength, _>(&Dose { amount: 2.5, unit: Some("mg".into()) });
/// ```
///
/// # Panics
///
/// If the value is refused, cannot be read, or is read as another value. The message names the type, the field and the reason, never
/// the value.
#[track_caller]
pub fn assert_round_trips<F: Field, T: Serialize + DeserializeOwned + PartialEq>(value: &T) {
    let problem = round_trips::<F, T>(value).err();
    assert!(problem.is_none(), "{} as field {}: {}", type_name::<T>(), F::ID.as_str(), problem.unwrap_or_default());
}

fn round_trips<F: Field, T: Serialize + DeserializeOwned + PartialEq>(value: &T) -> Result<(), String> {
    let (record, open) = record().map_err(|error| format!("no keyring to test with: {error}"))?;
    let check = |way: &str, read: Result<T, Error>| match read {
        Ok(read) if read == *value => Ok(()),
        Ok(_) => Err(format!("{way}, it was read as another value")),
        Err(error) => Err(format!("{way}, it cannot be read: {error}")),
    };
    let refused = |error: Error| format!("it cannot be sealed: {error}");

    let token = record.seal::<F>(value).map_err(refused)?;
    check("sealed as one field", open.open::<F, T>(&token))?;
    check("as the text of a token", open.open_text::<F, T>(&token.to_string()))?;
    let resealed = record.reseal::<F>(&token).map_err(refused)?;
    check("after a reseal", open.open::<F, T>(&resealed))?;

    let row = Row::<F, &T> { one: value, token: Sealed::from(token) };
    let json = record.run_sealing(|| serde_json::to_string(&row)).map_err(refused)?;
    let unreadable = |error: Error| format!("in a struct, it cannot be read: {error}");
    let read: Row<F, T> = open.run_opening(|| serde_json::from_str(&json)).map_err(unreadable)?;
    check("under `Sealing<F>`", Ok(read.one))?;
    check("under `Sealed`", read.token.open(&open))?;

    let tree = record.run_sealing(|| serde_json::to_value(&row)).map_err(refused)?;
    let read: Row<F, T> = open.run_opening(|| serde_json::from_value(tree)).map_err(unreadable)?;
    check("in a `serde_json::Value`", Ok(read.one))?;

    let json = record
        .run_sealing(|| serde_json::to_string(&List::<F, &T> { many: vec![value, value], field: PhantomData }))
        .map_err(refused)?;
    let read: List<F, T> = open.run_opening(|| serde_json::from_str(&json)).map_err(unreadable)?;
    read.many.into_iter().try_for_each(|read| check("under `Each`", Ok(read)))
}

/// A value in each form that a marker allows for any type.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "V: Serialize, F: Field", deserialize = "V: DeserializeOwned, F: Field"))]
struct Row<F, V> {
    #[serde(with = "Sealing::<F>")]
    one: V,
    token: Sealed<V, F>,
}

/// A value in a list. It has a struct of its own, because a field id is sealed once per record.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "V: Serialize, F: Field", deserialize = "V: DeserializeOwned, F: Field"))]
struct List<F, V> {
    #[serde(with = "Sealing::<Each<F>>")]
    many: Vec<V>,
    #[serde(skip)]
    field: PhantomData<F>,
}

/// A record with new keys, and its reader.
fn record() -> Result<(Record, RecordReader), Error> {
    let record = insecure_keyring("round-trips")?.unobserved().record("round-trip", 1_u64)?;
    let open = record.opened_by(&Access::new("svc:round-trip", Purpose::TREAT)?);
    Ok((record, open))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::panic::{UnwindSafe, catch_unwind};

    use super::*;
    use crate::phi;

    #[derive(Serialize, Deserialize, PartialEq)]
    struct Around<T> {
        name: String,
        #[serde(flatten)]
        inner: Inner<T>,
    }

    #[derive(Serialize, Deserialize, PartialEq)]
    struct Inner<T> {
        value: T,
    }

    /// A value that is read as another one than was written.
    #[derive(Serialize, Deserialize, PartialEq)]
    struct Forgetful {
        name: String,
        #[serde(skip)]
        dose: u32,
    }

    #[derive(PartialEq)]
    struct Failing;

    impl Serialize for Failing {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("Zoraida"))
        }
    }

    impl<'de> Deserialize<'de> for Failing {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }

    fn message(work: impl FnOnce() + UnwindSafe) -> String {
        let panic = catch_unwind(work).unwrap_err();
        panic.downcast_ref::<String>().cloned().unwrap()
    }

    fn around<T>(value: T) -> Around<T> {
        Around { name: "Zoraida".into(), inner: Inner { value } }
    }

    #[test]
    fn what_comes_back_passes() {
        assert_round_trips::<phi::Drug, _>(&String::new());
        assert_round_trips::<phi::Drug, _>(&Some(7_u8));
        assert_round_trips::<phi::Drug, Option<u8>>(&None);
        assert_round_trips::<phi::Drug, _>(&around(vec![0.5, 7.0]));
        assert_round_trips::<phi::Drug, _>(&i128::MIN);
    }

    #[test]
    fn what_is_lost_is_told_by_type_and_reason_and_never_by_value() {
        let large = message(|| assert_round_trips::<phi::Drug, _>(&around(i128::MAX)));
        let keys = message(|| assert_round_trips::<phi::Drug, _>(&around(BTreeMap::from([(1_u32, 4711)]))));
        for message in [&large, &keys] {
            assert!(message.contains("Around<"), "{message}");
            assert!(message.contains("as field phi.rx.drug: sealed as one field, it cannot be read"), "{message}");
        }
        let float = message(|| assert_round_trips::<phi::Drug, _>(&f64::NAN));
        assert!(float.starts_with("f64 as field phi.rx.drug: it cannot be sealed: a float"), "{float}");
        let changed = message(|| assert_round_trips::<phi::Drug, _>(&Forgetful { name: "Zoraida".into(), dose: 4711 }));
        assert!(
            changed.ends_with("Forgetful as field phi.rx.drug: sealed as one field, it was read as another value"),
            "{changed}"
        );
        let failing = message(|| assert_round_trips::<phi::Drug, _>(&Failing));
        assert!(failing.contains("Failing as field phi.rx.drug: it cannot be sealed: "), "{failing}");
        for message in [large, keys, float, changed, failing] {
            assert!(!message.contains("Zoraida"), "{message}");
            assert!(!message.contains("4711"), "{message}");
        }
    }
}
