//! Entry by entry, each bound to its key.

use std::fmt::{self, Display};
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};

use super::sealing::{OpenAs, SealAs, read_field, write_field};
use crate::error::Error;
use crate::field::Field;
use crate::record::Repeat;
use crate::scope::{self, Reading, Writing};

/// Seals every value of a map as a token of its own, bound to its key: `#[serde(with = "Sealing::<Parts<F>>")]`.
///
/// Each value is sealed in the context of a part of the record whose name is the field's id and whose id is the entry's key
/// (FORMAT 4.7), so values cannot be exchanged among keys, though an entry can be deleted. Keys stay readable; they are text,
/// integers or UUIDs, and what they are written as must not change.
pub struct Parts<F>(PhantomData<fn() -> F>);

impl<F> fmt::Debug for Parts<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts")
    }
}

/// An entry of a map, as iterating over it gives it.
pub trait Entry {
    /// The key.
    type Key: Display + Serialize;
    /// The value.
    type Value: Serialize;
    #[doc(hidden)]
    fn entry(&self) -> (&Self::Key, &Self::Value);
}

impl<K: Display + Serialize, V: Serialize> Entry for (&K, &V) {
    type Key = K;
    type Value = V;

    fn entry(&self) -> (&K, &V) {
        *self
    }
}

/// An entry of a map that is being read.
pub trait OwnedEntry: Sized {
    /// The key.
    type Key: Display + DeserializeOwned;
    /// The value.
    type Value: DeserializeOwned;
    #[doc(hidden)]
    fn of(key: Self::Key, value: Self::Value) -> Self;
}

impl<K: Display + DeserializeOwned, V: DeserializeOwned> OwnedEntry for (K, V) {
    type Key = K;
    type Value = V;

    fn of(key: K, value: V) -> Self {
        (key, value)
    }
}

impl<F: Field, M: ?Sized> SealAs<M> for Parts<F>
where
    for<'a> &'a M: IntoIterator<Item: Entry>,
{
    fn seal_as<S: Serializer>(map: &M, serializer: S) -> Result<S::Ok, S::Error> {
        scope::writing().map_err(|error| scope::keep(error.at_field(F::ID), |text| S::Error::custom(text)))?;
        let entries = map.into_iter();
        let len = match entries.size_hint() {
            (low, Some(high)) if low == high => Some(low),
            _ => None,
        };
        let mut writer = serializer.serialize_map(len)?;
        for entry in entries {
            let (key, value) = entry.entry();
            writer.serialize_entry(key, &Value::<F, _> { id: key.to_string(), value, field: PhantomData })?;
        }
        writer.end()
    }
}

/// A value of a map, on its way out.
struct Value<'a, F, V> {
    id: String,
    value: &'a V,
    field: PhantomData<F>,
}

impl<F: Field, V: Serialize> Serialize for Value<'_, F, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let refused = |error: Error| scope::keep(error.at_field(F::ID), |text| S::Error::custom(text));
        let write = |serializer: S| write_field::<F, V, S>(self.value, Repeat::Refused, serializer);
        match scope::writing().map_err(refused)? {
            Writing::Seal => {
                scope::seal_part(F::ID.as_str(), &self.id, || write(serializer), S::Error::custom).map_err(refused)?
            }
            Writing::Expose => write(serializer),
        }
    }
}

impl<'de, F: Field, M> OpenAs<'de, M> for Parts<F>
where
    M: IntoIterator<Item: OwnedEntry> + FromIterator<<M as IntoIterator>::Item>,
{
    fn open_as<D: Deserializer<'de>>(deserializer: D) -> Result<M, D::Error> {
        scope::reading().map_err(|error| scope::keep(error.at_field(F::ID), |text| D::Error::custom(text)))?;
        deserializer.deserialize_map(EntriesVisitor::<F, M>(PhantomData))
    }
}

struct EntriesVisitor<F, M>(PhantomData<fn() -> (F, M)>);

impl<'de, F: Field, M> Visitor<'de> for EntriesVisitor<F, M>
where
    M: IntoIterator<Item: OwnedEntry> + FromIterator<<M as IntoIterator>::Item>,
{
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of sealed fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M, A::Error> {
        let mut next = || -> Result<Option<M::Item>, A::Error> {
            let Some(key) = map.next_key::<<M::Item as OwnedEntry>::Key>()? else { return Ok(None) };
            let id = key.to_string();
            let seed = ValueSeed::<F, <M::Item as OwnedEntry>::Value> { id, value: PhantomData };
            Ok(Some(OwnedEntry::of(key, map.next_value_seed(seed)?)))
        };
        std::iter::from_fn(|| next().transpose()).collect()
    }
}

struct ValueSeed<F, V> {
    id: String,
    value: PhantomData<fn() -> (F, V)>,
}

impl<'de, F: Field, V: DeserializeOwned> DeserializeSeed<'de> for ValueSeed<F, V> {
    type Value = V;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V, D::Error> {
        let refused = |error: Error| scope::keep(error.at_field(F::ID), |text| D::Error::custom(text));
        match scope::reading().map_err(refused)? {
            Reading::Open => {
                scope::open_part(F::ID.as_str(), &self.id, || read_field::<F, V, D>(deserializer)).map_err(refused)?
            }
            Reading::Accept => read_field::<F, V, D>(deserializer),
        }
    }
}
