//! `ssn/1`: Social Security numbers.

use rxseal::Error;

use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes};
use super::tidy::write_digits;

/// Social Security numbers and taxpayer numbers, 9 digits: `ssn/1`. Hyphens and spaces are dropped. No range of numbers is refused.
///
/// ```
/// use rxseal_search::normal::{NormalForm, Normalizes, Ssn};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// Ssn::write("999-12-3456", &mut form)?;
/// assert_eq!(form.as_bytes(), b"999123456");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Ssn;

impl Normalizer for Ssn {
    const ID: &'static str = "ssn/1";
}

impl Normalizes<str> for Ssn {
    fn write(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        form.clear();
        write_digits(text, 9, form, || Error::not_indexable("a Social Security number has 9 digits"))
            .inspect_err(|_| form.clear())
    }
}
