//! Plaintext as a column holds it.

use std::borrow::Cow;
use std::ops::Deref;

use serde::Serialize;

use crate::form::Wipe;
use crate::secret::wipe;

/// A type that a column held as plaintext, before its migration: `String` as text, `Vec<u8>` as bytes.
///
/// Implement it for a type of your own that the column has as text, such as a date:
///
/// ```
/// use std::borrow::Cow;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Strength(u32);
///
/// impl rxseal::migrating::PlainColumn for Strength {
///     type Borrowed = Self;
///     const IS_TEXT: bool = true;
///
///     fn to_plain(value: &Self) -> Cow<'_, [u8]> {
///         value.0.to_string().into_bytes().into()
///     }
///
///     fn from_plain(plain: &[u8]) -> Option<Self> {
///         std::str::from_utf8(plain).ok()?.parse().ok().map(Self)
///     }
/// }
///
/// impl rxseal::forms::Wipe for Strength {
///     fn wipe(&mut self) {
///         self.0.wipe();
///     }
/// }
/// ```
pub trait PlainColumn: Wipe + Sized {
    /// What a value is given as: `str` for a `String`, otherwise the type itself.
    type Borrowed: Serialize + ?Sized;
    /// Whether it was a column of text, and not of bytes. Drivers that ask the type and not the column write tokens likewise.
    const IS_TEXT: bool;

    /// The value as the column has it; text is UTF-8.
    fn to_plain(value: &Self::Borrowed) -> Cow<'_, [u8]>;

    /// The value in the column, if it is of this type.
    fn from_plain(plain: &[u8]) -> Option<Self>;
}

impl PlainColumn for String {
    type Borrowed = str;
    const IS_TEXT: bool = true;

    fn to_plain(value: &str) -> Cow<'_, [u8]> {
        value.as_bytes().into()
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        std::str::from_utf8(plain).ok().map(str::to_owned)
    }
}

impl PlainColumn for Vec<u8> {
    type Borrowed = Self;
    const IS_TEXT: bool = false;

    fn to_plain(value: &Self) -> Cow<'_, [u8]> {
        value.as_slice().into()
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        Some(plain.to_vec())
    }
}

/// Plaintext, wiped on drop.
#[derive(Clone)]
pub(super) struct PlainBytes(Vec<u8>);

impl PlainBytes {
    pub(super) fn new(bytes: Cow<'_, [u8]>) -> Self {
        Self(bytes.into_owned())
    }

    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl Deref for PlainBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for PlainBytes {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}
