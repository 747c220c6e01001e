//! Reading stored index values, which needs no key (FORMAT 15.12).

use std::str::FromStr;

use super::declared::Index;
use super::definition::Definition;
use super::value::{IndexSet, IndexValue, MAX_LEN, MAX_VALUES, used_bits};
use crate::codec::text;
use crate::error::{Error, ErrorKind};

impl<I: Index> IndexValue<I> {
    /// A value as it is stored.
    ///
    /// # Errors
    ///
    /// `index-unreadable` if no definition of the index makes values of this length.
    pub fn from_bytes(stored: &[u8]) -> Result<Self, Error> {
        let has_shape = |definition: &Definition| {
            let unused = !used_bits(definition.bits());
            stored.len() == definition.value_len() && stored.last().is_some_and(|last| last & unused == 0)
        };
        let known = std::iter::once(&I::DEFINITION).chain(I::FORMER).any(has_shape);
        let mut bytes = [0; MAX_LEN];
        match bytes.get_mut(..stored.len()).filter(|_| known) {
            Some(room) => room.copy_from_slice(stored),
            None => return Err(Error::from(ErrorKind::IndexUnreadable).of_index(I::DEFINITION.id())),
        }
        Ok(Self::of_padded(bytes, u8::try_from(stored.len()).unwrap_or_default()))
    }
}

/// From its text.
impl<I: Index> FromStr for IndexValue<I> {
    type Err = Error;

    fn from_str(stored: &str) -> Result<Self, Error> {
        let bytes = text::decode(stored).unwrap_or_default();
        Self::from_bytes(&bytes)
    }
}

impl<I: Index> IndexSet<I> {
    /// A set of values as they are stored.
    ///
    /// # Errors
    ///
    /// `index-unreadable` if there are more than 8.
    pub fn from_values(values: impl IntoIterator<Item = IndexValue<I>>) -> Result<Self, Error> {
        let mut values = values.into_iter();
        let set = Self::of(values.by_ref().take(MAX_VALUES));
        match values.next() {
            None => Ok(set),
            Some(_) => Err(Error::from(ErrorKind::IndexUnreadable).of_index(I::DEFINITION.id())),
        }
    }
}
