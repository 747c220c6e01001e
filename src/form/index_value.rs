//! Index values in any format: text, or bytes in a binary one; a set is a list of them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::token_reader::{Place, Wanted, read_container, read_token};
use crate::index::{Index, IndexSet, IndexValue, MAX_VALUES};
use crate::record::TokenForm;
use crate::scope;

/// Text, or bytes in a binary format.
impl<I> Serialize for IndexValue<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(self.as_bytes())
        }
    }
}

/// From its text, or its bytes. Anything else is `index-unreadable`.
impl<'de, I: Index> Deserialize<'de> for IndexValue<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_token(deserializer, Wanted::INDEX_VALUE, |value| match value {
            TokenForm::Text(text) => text.parse(),
            TokenForm::Bytes(bytes) => Self::from_bytes(bytes),
        })
    }
}

/// A list of its values.
impl<I> Serialize for IndexSet<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.as_slice())
    }
}

/// From a list of at most 8 values, in any order. Anything else is `index-unreadable`.
impl<'de, I: Index> Deserialize<'de> for IndexSet<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_container::<false, _, _>(deserializer, Place::IndexSet, SetVisitor(PhantomData))
    }
}

struct SetVisitor<I>(PhantomData<I>);

impl<'de, I: Index> Visitor<'de> for SetVisitor<I> {
    type Value = IndexSet<I>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("index values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<IndexSet<I>, A::Error> {
        let mut values = Vec::new();
        while values.len() <= MAX_VALUES
            && let Some(value) = seq.next_element::<IndexValue<I>>()?
        {
            values.push(value);
        }
        IndexSet::from_values(values).map_err(|error| scope::keep(error, |text| A::Error::custom(text)))
    }
}
