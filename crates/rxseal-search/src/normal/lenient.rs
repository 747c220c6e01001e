//! Numbers with a check digit, and taking them without checking it.

use std::marker::PhantomData;

use rxseal::Error;

use super::dea::Dea;
use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes};
use super::npi::Npi;

/// [`Npi`] or [`Dea`] whose check digit may be wrong, for numbers that were stored before anybody checked them. The shape must be right.
///
/// ```
/// use rxseal_search::normal::{Lenient, NormalForm, Normalizes, Npi};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// Lenient::<Npi>::write("1234567890", &mut form)?;
/// assert_eq!(form.as_bytes(), b"1234567890");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Lenient<N>(PhantomData<N>);

/// A number with a check digit.
pub(super) trait Checked: Normalizer {
    /// What it is, with its article.
    const WHAT: &'static str;

    /// Adds the form to an empty one, without a look at the check digit.
    fn write_unchecked(text: &str, form: &mut NormalForm) -> Result<(), Error>;

    /// Whether the check digit of a form is right.
    fn is_right(form: &[u8]) -> bool;

    fn write_checked(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        form.clear();
        Self::write_unchecked(text, form)
            .and_then(|()| {
                let is_right = form.is_empty() || Self::is_right(form.as_bytes());
                if is_right { Ok(()) } else { Err(Error::bad_check_digit(Self::WHAT)) }
            })
            .inspect_err(|_| form.clear())
    }
}

macro_rules! lenient {
    ($($number:ty)*) => {$(
        impl Normalizer for Lenient<$number> {
            const ID: &'static str = <$number>::ID;
        }

        impl Normalizes<str> for Lenient<$number> {
            fn write(text: &str, form: &mut NormalForm) -> Result<(), Error> {
                form.clear();
                <$number>::write_unchecked(text, form).inspect_err(|_| form.clear())
            }
        }
    )*};
}

lenient!(Npi Dea);
