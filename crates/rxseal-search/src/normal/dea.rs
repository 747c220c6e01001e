//! `dea/1`: registration numbers of the DEA.

use rxseal::Error;

use super::checked::Checked;
use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes};
use super::tidy::{is_grouping, values};

/// Registration numbers of the DEA: two letters, or a letter and 9, then 7 digits: `dea/1`. Letters become capitals, and spaces and hyphens
/// are dropped. The last digit is a check digit, which `Lenient` leaves out: the first, third and fifth digit and twice the
/// second, fourth and sixth add up to a number that ends with it.
///
/// ```
/// use rxseal_search::normal::{Dea, NormalForm, Normalizes};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// Dea::write("ap 5836727", &mut form)?;
/// assert_eq!(form.as_bytes(), b"AP5836727");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Dea;

impl Normalizer for Dea {
    const ID: &'static str = "dea/1";
}

impl Normalizes<str> for Dea {
    fn write(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        Self::write_checked(text, form)
    }
}

impl Checked for Dea {
    const WHAT: &'static str = "a DEA number";

    fn write_unchecked(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        for c in text.chars().filter(|c| !is_grouping(*c)) {
            let fits = match form.as_bytes().len() {
                0 => c.is_ascii_alphabetic(),
                1 => c.is_ascii_alphabetic() || c == '9',
                2..9 => c.is_ascii_digit(),
                _ => false,
            };
            if !fits {
                return Err(refused());
            }
            form.push_char(c.to_ascii_uppercase())?;
        }
        if matches!(form.as_bytes().len(), 0 | 9) { Ok(()) } else { Err(refused()) }
    }

    fn is_right(form: &[u8]) -> bool {
        let digits = form.get(2..).unwrap_or_default();
        let Some((check, others)) = digits.split_last() else { return false };
        let odd: u32 = values(others).step_by(2).sum();
        let even: u32 = values(others).skip(1).step_by(2).sum();
        odd.saturating_add(even.saturating_mul(2)) % 10 == u32::from(check & 0x0F)
    }
}

fn refused() -> Error {
    Error::not_indexable("a DEA number is two letters, or a letter and 9, and then 7 digits")
}
