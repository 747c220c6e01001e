//! Numbers as another country writes them at home.

use std::marker::PhantomData;
use std::ops::RangeInclusive;

use rxseal::Error;

use super::super::form::NormalForm;
use super::super::normalizer::{Normalizer, Normalizes};
use super::write;

/// Phone numbers of a program in another country than those of North America: `phone/1`, so the form is that of [`Phone`](super::super::Phone)
/// for the number with its `+`.
///
/// ```
/// use std::ops::RangeInclusive;
///
/// use rxseal_search::normal::{Country, NormalForm, Normalizes, PhoneIn};
///
/// struct Germany;
///
/// impl Country for Germany {
///     const CODE: &'static str = "49";
///     const TRUNK: &'static str = "0";
///     const DIGITS: RangeInclusive<usize> = 5..=12;
/// }
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// for number in ["030 1234567", "(030) 123-4567", "+49 30 1234567", "0049 30 1234567"] {
///     PhoneIn::<Germany>::write(number, &mut form)?;
///     assert_eq!(form.as_bytes(), b"+49301234567");
/// }
/// // Without its area code it is of no place.
/// assert!(PhoneIn::<Germany>::write("1234567", &mut form).unwrap_err().is_not_indexable());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PhoneIn<C>(PhantomData<C>);

/// How a country dials.
pub trait Country {
    /// The code of the country, such as `49`.
    const CODE: &'static str;
    /// What callers at home dial before an area code, and callers from abroad leave out, such as `0`. Empty if the country has no such
    /// prefix.
    const TRUNK: &'static str;
    /// What is dialled before a number abroad.
    const ABROAD: &'static str = "00";
    /// How many digits a number has, with its area code and without the trunk prefix.
    const DIGITS: RangeInclusive<usize>;
}

impl<C> Normalizer for PhoneIn<C> {
    const ID: &'static str = "phone/1";
}

impl<C: Country> Normalizes<str> for PhoneIn<C> {
    fn write(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        write(text, form, |digits| {
            if let Some(abroad) = digits.strip_prefix(C::ABROAD.as_bytes()) {
                return Some(("", abroad)).filter(|_| !abroad.starts_with(b"0"));
            }
            let number = digits.strip_prefix(C::TRUNK.as_bytes())?;
            C::DIGITS.contains(&number.len()).then_some((C::CODE, number))
        })
    }
}
