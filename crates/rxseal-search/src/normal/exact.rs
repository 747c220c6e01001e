//! `exact/1`: bytes as they are.

use rxseal::Error;

use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes};

/// Any text or bytes as they are, up to 256 bytes: `exact/1`. Only what is written in the same way is found.
///
/// ```
/// use rxseal_search::normal::{Exact, NormalForm, Normalizes};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// Exact::write("Case-Sensitive", &mut form)?;
/// assert_eq!(form.as_bytes(), b"Case-Sensitive");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Exact;

impl Normalizer for Exact {
    const ID: &'static str = "exact/1";
}

impl Normalizes<str> for Exact {
    fn write(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        Self::write(text.as_bytes(), form)
    }
}

impl Normalizes<[u8]> for Exact {
    fn write(bytes: &[u8], form: &mut NormalForm) -> Result<(), Error> {
        form.clear();
        form.push(bytes)
    }
}
