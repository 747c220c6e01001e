//! Index values as bytes and text (FORMAT 15.5). Reading one needs no key.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::codec::text;

/// The bytes by which a value says which index root and definition made it.
pub(super) const PREFIX_LEN: usize = 3;
/// A prefix and 128 bits.
pub(super) const MAX_LEN: usize = 19;
/// FORMAT 15.8
pub(crate) const MAX_VALUES: usize = 8;

/// What a row is found by: 4 to 19 bytes, of which the first 3 say which index root and definition made it.
///
/// It is not secret, and says nothing of the plaintext but that rows with one value may have one normal form. A value of one index is no
/// value of another:
///
/// ```compile_fail
/// use rxseal::index::{Index, IndexValue};
/// fn mixed<BornOn: Index, LastName: Index>(born: IndexValue<BornOn>) -> IndexValue<LastName> {
///     born
/// }
/// ```
///
/// Its [`Display`](fmt::Display) and [`FromStr`](std::str::FromStr) are its text: base64url, whose first 4 characters are the prefix.
pub struct IndexValue<I> {
    /// Zeros behind the value, so that two values compare as a whole.
    bytes: [u8; MAX_LEN],
    len: u8,
    index: PhantomData<fn() -> I>,
}

impl<I> IndexValue<I> {
    /// No value.
    pub(super) const NONE: Self = Self::of_padded([0; MAX_LEN], 0);

    /// A value of this length, with zeros behind it.
    pub(super) const fn of_padded(bytes: [u8; MAX_LEN], len: u8) -> Self {
        Self { bytes, len, index: PhantomData }
    }

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
        Self::of_padded(bytes, len)
    }
}

/// Which bits of a value's last byte are used: the high ones.
pub(super) const fn used_bits(bits: u8) -> u8 {
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

impl<I> Clone for IndexValue<I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I> Copy for IndexValue<I> {}

impl<I> PartialEq for IndexValue<I> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.len == other.len
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
        self.bytes.cmp(&other.bytes).then(self.len.cmp(&other.len))
    }
}

impl<I> fmt::Debug for IndexValue<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndexValue({self})")
    }
}

/// The values of a record in an index of several values, such as the parts of a name: at most 8, in ascending order, each once. So
/// their order says nothing. It takes no allocation.
pub struct IndexSet<I> {
    values: [IndexValue<I>; MAX_VALUES],
    len: u8,
}

impl<I> IndexSet<I> {
    /// The values, in ascending order.
    #[must_use]
    pub fn as_slice(&self) -> &[IndexValue<I>] {
        self.values.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Of at most 8 values in any order.
    pub(super) fn of(list: impl IntoIterator<Item = IndexValue<I>>) -> Self {
        let mut values = [IndexValue::NONE; MAX_VALUES];
        let mut len = 0_u8;
        for (place, value) in values.iter_mut().zip(list) {
            *place = value;
            len = len.saturating_add(1);
        }
        if let Some(values) = values.get_mut(..usize::from(len)) {
            values.sort_unstable();
        }
        let mut set = Self { values, len };
        set.drop_repeated();
        set
    }

    fn drop_repeated(&mut self) {
        let sorted = self.values;
        let mut last = None;
        let mut len = 0_u8;
        for value in sorted.iter().take(usize::from(self.len)).filter(|value| last.replace(**value) != Some(**value)) {
            if let Some(place) = self.values.get_mut(usize::from(len)) {
                *place = *value;
            }
            len = len.saturating_add(1);
        }
        self.len = len;
    }
}

impl<I> Clone for IndexSet<I> {
    fn clone(&self) -> Self {
        Self { values: self.values, len: self.len }
    }
}

impl<I> Default for IndexSet<I> {
    fn default() -> Self {
        Self { values: [IndexValue::NONE; MAX_VALUES], len: 0 }
    }
}

impl<I> PartialEq for IndexSet<I> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<I> Eq for IndexSet<I> {}

impl<I> fmt::Debug for IndexSet<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.as_slice()).finish()
    }
}
