//! The buffer of one normal form.

use std::fmt;

use rxseal::Error;
use zeroize::{Zeroize, optimization_barrier};

/// A normal form: at most 256 bytes, which are wiped when the next one is written and when it is dropped.
///
/// It is in line, so a caller who keeps one for many values allocates nothing. **An empty form means that there is nothing to index**:
/// the index column is then null, and a query of it is refused. Its `Debug` shows nothing of the form.
///
/// ```
/// use rxseal_search::normal::{Family, NormalForm, Normalizes};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// <Family>::write("O'Brien-Smith, Jr.", &mut form)?;
/// assert_eq!(form.as_bytes(), b"obriensmith");
///
/// <Family>::write("unknown", &mut form)?;
/// assert!(form.is_empty());
/// # Ok(())
/// # }
/// ```
pub struct NormalForm {
    bytes: [u8; NormalForm::MAX_LEN],
    len: usize,
}

impl NormalForm {
    /// How long a normal form may be, in bytes.
    pub const MAX_LEN: usize = 256;

    /// An empty form.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; Self::MAX_LEN], len: 0 }
    }

    /// The bytes of the form.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Whether there is nothing to index.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Wipes the form, and leaves it empty.
    pub fn clear(&mut self) {
        // The whole of it: a wipe of a length that the compiler does not know is a call, and takes longer.
        self.bytes = [0; Self::MAX_LEN];
        optimization_barrier(&self.bytes);
        self.len = 0;
    }

    /// Adds bytes to the form, for a normaliser of yours.
    ///
    /// ```
    /// use rxseal_search::normal::{NormalForm, Normalizer, Normalizes};
    ///
    /// /// The first three digits of a postal code.
    /// struct Zip3;
    ///
    /// impl Normalizer for Zip3 {
    ///     const ID: &'static str = "acme.zip3/1";
    /// }
    ///
    /// impl Normalizes<str> for Zip3 {
    ///     fn write(zip: &str, form: &mut NormalForm) -> Result<(), rxseal::Error> {
    ///         form.clear();
    ///         let digits = zip.as_bytes().get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit));
    ///         form.push(digits.ok_or_else(|| rxseal::Error::not_indexable("a ZIP code begins with 3 digits"))?)
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), rxseal::Error> {
    /// let mut form = NormalForm::new();
    /// Zip3::write(&Some("94110".to_owned()), &mut form)?;
    /// assert_eq!(form.as_bytes(), b"941");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `not-indexable` if the form would be longer than 256 bytes; nothing is added.
    pub fn push(&mut self, more: &[u8]) -> Result<(), Error> {
        let end = self.len.saturating_add(more.len());
        let Some(room) = self.bytes.get_mut(self.len..end) else { return Err(too_long()) };
        room.copy_from_slice(more);
        self.len = end;
        Ok(())
    }

    pub(crate) fn push_byte(&mut self, byte: u8) -> Result<(), Error> {
        let Some(place) = self.bytes.get_mut(self.len) else { return Err(too_long()) };
        *place = byte;
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    pub(crate) fn push_char(&mut self, c: char) -> Result<(), Error> {
        let mut buffer = [0; 4];
        let pushed = self.push(c.encode_utf8(&mut buffer).as_bytes());
        buffer.zeroize();
        pushed
    }

    /// Shortens the form to its first bytes, and wipes the rest.
    pub(crate) fn truncate(&mut self, len: usize) {
        if let Some(rest) = self.bytes.get_mut(len..self.len) {
            rest.zeroize();
            self.len = len;
        }
    }
}

impl Default for NormalForm {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for NormalForm {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for NormalForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NormalForm(..)")
    }
}

pub(crate) fn too_long() -> Error {
    Error::not_indexable("its normal form is longer than 256 bytes")
}
