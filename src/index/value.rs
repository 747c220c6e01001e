//! Index values as bytes and text (FORMAT 15.5). Reading one needs no key.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use super::{Definition, Index};
use crate::codec::text;
use crate::error::{Error, ErrorKind};

/// The bytes by which a value says which index root and definition made it.
pub(super) const PREFIX_LEN: usize = 3;
/// A prefix and 128 bits.
const MAX_LEN: usize = 19;
/// FORMAT 15.8
pub(super) const MAX_VALUES: usize = 8;

/// What a row is found by: 4 to 19 bytes, of which the first 3 say which index root and definition made it.
///
/// It is not secret, and says nothing of the plaintext but that rows with one value may have one normal form.
pub struct IndexValue<I> {
    bytes: [u8; MAX_LEN],
    len: u8,
    index: PhantomData<fn() -> I>,
}

impl<I> IndexValue<I> {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The prefix: which index root and definition made it.
    #[must_use]
    pub fn prefix(&self) -> [u8; 3] {
        let [a, b, c, ..] = self.bytes;
        [a, b, c]
    }

    /// A prefix and the leftmost bits of a MAC (FORMAT 15.5).
    pub(super) fn of_mac(prefix: [u8; PREFIX_LEN], mac: &[u8; 32], bits: u8) -> Self {
        let mut bytes = [0; MAX_LEN];
        let (head, tail) = bytes.split_at_mut(PREFIX_LEN);
        head.copy_from_slice(&prefix);
        let whole = usize::from(bits.div_ceil(8));
        for (byte, from) in tail.iter_mut().zip(mac).take(whole) {
            *byte = *from;
        }
        if let Some(last) = tail.get_mut(whole.saturating_sub(1)) {
            *last &= used_bits(bits);
        }
        let len = u8::try_from(PREFIX_LEN.saturating_add(whole)).unwrap_or_default();
        Self { bytes, len, index: PhantomData }
    }
}

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
            None => return Err(ErrorKind::IndexUnreadable.into()),
        }
        Ok(Self { bytes, len: u8::try_from(stored.len()).unwrap_or_default(), index: PhantomData })
    }
}

/// Which bits of a value's last byte are used: the high ones.
const fn used_bits(bits: u8) -> u8 {
    match bits.checked_rem(8) {
        Some(1) => 0x80,
        Some(2) => 0xC0,
        Some(3) => 0xE0,
        Some(4) => 0xF0,
        Some(5) => 0xF8,
        Some(6) => 0xFC,
        Some(7) => 0xFE,
        _ => 0xFF,
    }
}

/// As its text: base64url without padding, whose first 4 characters are the prefix.
impl<I> fmt::Display for IndexValue<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::encode(self.as_bytes()))
    }
}

/// From its text.
impl<I: Index> FromStr for IndexValue<I> {
    type Err = Error;

    fn from_str(stored: &str) -> Result<Self, Error> {
        let bytes = text::decode(stored).ok_or(ErrorKind::IndexUnreadable)?;
        Self::from_bytes(&bytes)
    }
}

impl<I> Clone for IndexValue<I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I> Copy for IndexValue<I> {}

impl<I> PartialEq for IndexValue<I> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<I> Eq for IndexValue<I> {}

impl<I> Hash for IndexValue<I> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<I> PartialOrd for IndexValue<I> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<I> Ord for IndexValue<I> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl<I> fmt::Debug for IndexValue<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndexValue({self})")
    }
}

/// The values of a record in an index of several values, such as the parts of a name: at most 8, in ascending order, each once. So
/// their order says nothing.
pub struct IndexSet<I>(Vec<IndexValue<I>>);

impl<I> IndexSet<I> {
    /// The values, in ascending order.
    #[must_use]
    pub fn as_slice(&self) -> &[IndexValue<I>] {
        &self.0
    }

    pub(super) fn of(mut values: Vec<IndexValue<I>>) -> Self {
        values.sort_unstable();
        values.dedup();
        Self(values)
    }
}

impl<I: Index> IndexSet<I> {
    /// A set of values as they are stored.
    ///
    /// # Errors
    ///
    /// `index-unreadable` if there are more than 8.
    pub fn from_values(values: impl IntoIterator<Item = IndexValue<I>>) -> Result<Self, Error> {
        let values: Vec<_> = values.into_iter().take(MAX_VALUES.saturating_add(1)).collect();
        if values.len() > MAX_VALUES { Err(ErrorKind::IndexUnreadable.into()) } else { Ok(Self::of(values)) }
    }
}

impl<I> Clone for IndexSet<I> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<I> Default for IndexSet<I> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<I> PartialEq for IndexSet<I> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<I> Eq for IndexSet<I> {}

impl<I> fmt::Debug for IndexSet<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.0).finish()
    }
}
