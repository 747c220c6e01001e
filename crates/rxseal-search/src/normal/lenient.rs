//! Numbers whose check digit is not checked.

use std::marker::PhantomData;

use rxseal::Error;

use super::checked::Checked;
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
