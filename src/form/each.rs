//! Element by element.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeSeq, Serializer};

use super::sealing::{OpenAs, SealAs, read_field, write_field};
use super::token_reader::{Place, read_container};
use crate::error::Error;
use crate::field::{Declaration, Field};
use crate::record::Claim;
use crate::scope;

/// Seals every element of a list as a token of its own: `#[serde(with = "Sealing::<Each<F>>")]`.
///
/// Use it for lists whose elements are added and removed one by one in the database. The elements are an *unordered set*: anyone
/// who can write to the database can reorder, repeat or delete them unnoticed. If that matters, seal the list as one value
/// (`Sealing::<F>`) or give each element an id (`Sealing::<Parts<F>>`).
///
/// In one record, a marker belongs to one list. A second list is the error `field-repeated`, because its elements could be
/// exchanged with those of the first. Give each list its own marker. If the lines of a list contain such lists, give each line its
/// own [part](crate::Record::part).
pub struct Each<F>(PhantomData<fn() -> F>);

impl<F> fmt::Debug for Each<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Each")
    }
}

/// The lists of the standard library. They are named one by one, because with a bound on every iterable type derived code could
/// not infer a type.
macro_rules! lists {
    ($($list:ty $(where [$($bound:ident),+])? $(, $hasher:ident)?;)*) => {$(
        impl<F: Field, T: Serialize $(, $hasher)?> SealAs<$list> for Each<F> {
            fn seal_as<S: Serializer>(list: &$list, serializer: S) -> Result<S::Ok, S::Error> {
                write_list::<F, T, S>(list.iter(), serializer)
            }
        }

        impl<'de, F: Field, T: DeserializeOwned $($(+ $bound)+)? $(, $hasher: BuildHasher + Default)?> OpenAs<'de, $list> for Each<F> {
            fn open_as<D: Deserializer<'de>>(deserializer: D) -> Result<$list, D::Error> {
                read_list::<F, T, $list, D>(deserializer)
            }
        }
    )*};
}

lists! {
    Vec<T>;
    VecDeque<T>;
    BTreeSet<T> where [Ord];
    HashSet<T, H> where [Eq, Hash], H;
}

struct Element<'a, F, T>(&'a T, PhantomData<F>);

impl<F: Field, T: Serialize> Serialize for Element<'_, F, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_field(Declaration::of::<F>(), self.0, Claim::List, serializer)
    }
}

fn write_list<'a, F: Field, T: Serialize + 'a, S: Serializer>(
    elements: impl ExactSizeIterator<Item = &'a T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let refused = |error: Error| scope::keep(error.at_field(F::ID), |text| S::Error::custom(text));
    // An empty list has no element to be refused.
    scope::writing().map_err(refused)?;
    let write = || {
        let mut seq = serializer.serialize_seq(Some(elements.len()))?;
        for element in elements {
            seq.serialize_element(&Element::<F, T>(element, PhantomData))?;
        }
        seq.end()
    };
    scope::claim_container(F::ID, write).map_err(refused)?
}

fn read_list<'de, F: Field, T: DeserializeOwned, C: FromIterator<T>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<C, D::Error> {
    scope::reading().map_err(|error| scope::keep(error.at_field(F::ID), |text| D::Error::custom(text)))?;
    read_container::<false, _, _>(deserializer, Place::Fields(F::ID), ListVisitor::<F, T, C>(PhantomData))
}

struct ListVisitor<F, T, C>(PhantomData<fn() -> (F, T, C)>);

impl<'de, F: Field, T: DeserializeOwned, C: FromIterator<T>> Visitor<'de> for ListVisitor<F, T, C> {
    type Value = C;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of sealed fields")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<C, A::Error> {
        std::iter::from_fn(|| seq.next_element_seed(ElementSeed::<F, T>(PhantomData)).transpose()).collect()
    }
}

struct ElementSeed<F, T>(PhantomData<fn() -> (F, T)>);

impl<'de, F: Field, T: DeserializeOwned> DeserializeSeed<'de> for ElementSeed<F, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        read_field(Declaration::of::<F>(), deserializer)
    }
}
