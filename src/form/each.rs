//! Element by element.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeSeq, Serializer};

use super::sealing::{OpenAs, SealAs, read_field, write_field};
use crate::field::Field;
use crate::record::Repeat;
use crate::scope;

/// Seals every element of a list as a token of its own: `#[serde(with = "Sealing::<Each<F>>")]`.
///
/// For lists whose elements are added and removed one by one in the database. The elements are an *unordered set*: whoever
/// can write to the database can reorder, repeat or delete them unnoticed. Where that matters, seal the list as one value
/// (`Sealing::<F>`) or give each element an id (`Sealing::<Parts<F>>`).
pub struct Each<F>(PhantomData<fn() -> F>);

impl<F> fmt::Debug for Each<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Each")
    }
}

impl<F: Field, C: ?Sized> SealAs<C> for Each<F>
where
    for<'a> &'a C: IntoIterator<Item: Serialize>,
{
    fn seal_as<S: Serializer>(list: &C, serializer: S) -> Result<S::Ok, S::Error> {
        struct Element<F, T>(T, PhantomData<F>);

        impl<F: Field, T: Serialize> Serialize for Element<F, T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                write_field::<F, T, S>(&self.0, Repeat::Allowed, serializer)
            }
        }

        // An empty list has no element to be refused.
        scope::writing().map_err(|error| scope::keep(error.at_field(F::ID), |text| S::Error::custom(text)))?;
        let elements = list.into_iter();
        let len = match elements.size_hint() {
            (low, Some(high)) if low == high => Some(low),
            _ => None,
        };
        let mut seq = serializer.serialize_seq(len)?;
        for element in elements {
            seq.serialize_element(&Element::<F, _>(element, PhantomData))?;
        }
        seq.end()
    }
}

impl<'de, F: Field, C> OpenAs<'de, C> for Each<F>
where
    C: IntoIterator<Item: DeserializeOwned> + FromIterator<<C as IntoIterator>::Item>,
{
    fn open_as<D: Deserializer<'de>>(deserializer: D) -> Result<C, D::Error> {
        scope::reading().map_err(|error| scope::keep(error.at_field(F::ID), |text| D::Error::custom(text)))?;
        deserializer.deserialize_seq(ListVisitor::<F, C>(PhantomData))
    }
}

struct ListVisitor<F, C>(PhantomData<fn() -> (F, C)>);

impl<'de, F: Field, C> Visitor<'de> for ListVisitor<F, C>
where
    C: IntoIterator<Item: DeserializeOwned> + FromIterator<<C as IntoIterator>::Item>,
{
    type Value = C;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of sealed fields")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<C, A::Error> {
        std::iter::from_fn(|| seq.next_element_seed(ElementSeed::<F, C::Item>(PhantomData)).transpose()).collect()
    }
}

struct ElementSeed<F, T>(PhantomData<fn() -> (F, T)>);

impl<'de, F: Field, T: DeserializeOwned> DeserializeSeed<'de> for ElementSeed<F, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        read_field::<F, T, D>(deserializer)
    }
}
