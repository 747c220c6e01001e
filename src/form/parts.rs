//! Entry by entry, each bound to its key.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::{self, Display};
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};

use super::sealing::{OpenAs, SealAs, read_field, write_field};
use super::token_reader::{Place, read_container};
use crate::error::Error;
use crate::field::{Declaration, Field};
use crate::record::Claim;
use crate::scope::{self, Reading, Writing};

/// Seals every value of a map as a token of its own, bound to its key: `#[serde(with = "Sealing::<Parts<F>>")]`.
///
/// Each value is sealed in the context of a part of the record. The part's name is the field's id, and its id is the entry's key
/// (FORMAT 4.7). So values cannot be exchanged between keys, but an entry can be deleted. `F` must not have former ids: to move the
/// values of a renamed field, use [`Record::rebind`](crate::Record::rebind) part by part.
///
/// Keys stay readable. They are text, integers or UUIDs, and their written form must not change. A key is an identifier (FORMAT 1.4
/// to 1.6). If a key is empty, contains a space or a letter outside of ASCII, or is a UUID in upper case, the error is `invalid-id`,
/// and the map is not sealed.
pub struct Parts<F>(PhantomData<fn() -> F>);

impl<F> fmt::Debug for Parts<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts")
    }
}

/// The maps of the standard library, as for `Each`.
macro_rules! maps {
    ($($map:ty where [$($bound:ident),+] $(, $hasher:ident)?;)*) => {$(
        impl<F: Field, K: Display + Serialize, V: Serialize $(, $hasher)?> SealAs<$map> for Parts<F> {
            fn seal_as<S: Serializer>(map: &$map, serializer: S) -> Result<S::Ok, S::Error> {
                write_map::<F, K, V, S>(map.iter(), serializer)
            }
        }

        impl<'de, F: Field, K: Display + DeserializeOwned $(+ $bound)+, V: DeserializeOwned $(, $hasher: BuildHasher + Default)?>
            OpenAs<'de, $map> for Parts<F>
        {
            fn open_as<D: Deserializer<'de>>(deserializer: D) -> Result<$map, D::Error> {
                read_map::<F, K, V, $map, D>(deserializer)
            }
        }
    )*};
}

maps! {
    BTreeMap<K, V> where [Ord];
    HashMap<K, V, H> where [Eq, Hash], H;
}

fn write_map<'a, F: Field, K: Display + Serialize + 'a, V: Serialize + 'a, S: Serializer>(
    entries: impl ExactSizeIterator<Item = (&'a K, &'a V)>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    const { check_parts::<F>() };
    let refused = |error: Error| scope::keep(error.at_field(F::ID), |text| S::Error::custom(text));
    let writing = scope::writing().map_err(refused)?;
    let write = || {
        let mut map = serializer.serialize_map(Some(entries.len()))?;
        let mut ids = HashSet::new();
        for (key, value) in entries {
            let id = key.to_string();
            // Two keys that are written alike would be one part, and their values could be exchanged (FORMAT 4.5).
            if matches!(writing, Writing::Seal) && !ids.insert(id.clone()) {
                let reason = "two keys of the map are written alike";
                return Err(refused(Error::invalid_id("part id", reason)));
            }
            map.serialize_entry(key, &Value::<F, V> { id, value, field: PhantomData })?;
        }
        map.end()
    };
    scope::claim_container(F::ID, write).map_err(refused)?
}

fn read_map<'de, F, K, V, M, D>(deserializer: D) -> Result<M, D::Error>
where
    F: Field,
    K: Display + DeserializeOwned,
    V: DeserializeOwned,
    M: FromIterator<(K, V)>,
    D: Deserializer<'de>,
{
    scope::reading().map_err(|error| scope::keep(error.at_field(F::ID), |text| D::Error::custom(text)))?;
    read_container::<true, _, _>(deserializer, Place::Fields(F::ID), EntriesVisitor::<F, K, V, M>(PhantomData))
}

/// FORMAT 4.7: the part's name is the field's current id, so a former id would open nothing.
pub(crate) const fn check_parts<F: Field>() {
    assert!(
        F::FORMER.is_empty(),
        "a field with former ids cannot be sealed entry by entry: rebind its values one by one"
    );
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
        let write = |serializer: S| write_field(Declaration::of::<F>(), self.value, Claim::Token, serializer);
        match scope::writing().map_err(refused)? {
            Writing::Seal => scope::seal_part(F::ID.as_str(), &self.id, || write(serializer)).map_err(refused)?,
            Writing::Expose => write(serializer),
        }
    }
}

struct EntriesVisitor<F, K, V, M>(PhantomData<fn() -> (F, K, V, M)>);

impl<'de, F, K, V, M> Visitor<'de> for EntriesVisitor<F, K, V, M>
where
    F: Field,
    K: Display + DeserializeOwned,
    V: DeserializeOwned,
    M: FromIterator<(K, V)>,
{
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of sealed fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M, A::Error> {
        let mut next = || -> Result<Option<(K, V)>, A::Error> {
            let Some(key) = map.next_key::<K>()? else { return Ok(None) };
            let id = key.to_string();
            let value = map.next_value_seed(ValueSeed::<F, V> { id, value: PhantomData })?;
            Ok(Some((key, value)))
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
                scope::open_part(F::ID.as_str(), &self.id, || read_field(Declaration::of::<F>(), deserializer))
                    .map_err(refused)?
            }
            Reading::Accept => read_field(Declaration::of::<F>(), deserializer),
        }
    }
}
