//! `npi/1`: National Provider Identifiers.

use rxseal::Error;

use super::checked::Checked;
use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes};
use super::tidy::{values, write_digits};

/// National Provider Identifiers, 10 digits: `npi/1`. Spaces and hyphens are dropped. The last digit is a check digit, by Luhn over `80840`
/// and the number; `Lenient` leaves that out.
///
/// ```
/// use rxseal_search::normal::{NormalForm, Normalizes, Npi};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// Npi::write("1234567893", &mut form)?;
/// assert_eq!(form.as_bytes(), b"1234567893");
/// assert_eq!(Npi::write("1234567890", &mut form).unwrap_err().code(), rxseal::ErrorCode::BadCheckDigit);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Npi;

impl Normalizer for Npi {
    const ID: &'static str = "npi/1";
}

impl Normalizes<str> for Npi {
    fn write(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        Self::write_checked(text, form)
    }
}

impl Checked for Npi {
    const WHAT: &'static str = "an NPI";

    fn write_unchecked(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        write_digits(text, 10, form, || Error::not_indexable("an NPI has 10 digits"))
    }

    /// Luhn: every second digit from the right is doubled, and all digits add up to a multiple of 10. `80840` adds 24.
    fn is_right(form: &[u8]) -> bool {
        let doubled =
            |value: u32| if value < 5 { value.saturating_mul(2) } else { value.saturating_mul(2).saturating_sub(9) };
        let odd: u32 = values(form).rev().step_by(2).sum();
        let even: u32 = values(form).rev().skip(1).step_by(2).map(doubled).sum();
        odd.saturating_add(even).saturating_add(24).is_multiple_of(10)
    }
}
