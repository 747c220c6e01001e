//! Types that hold what a normaliser takes.

use rxseal::forms::Wipe;
use rxseal::{Error, Phi};
use zeroize::{Zeroize, Zeroizing};

use super::date::Date;
use super::dea::Dea;
use super::email::Email;
use super::exact::Exact;
use super::form::NormalForm;
use super::id::{CheckId, Id};
use super::lenient::Lenient;
use super::ndc::Ndc;
use super::normalizer::{Normalizes, NormalizesParts};
use super::npi::Npi;
use super::phone::{Country, Phone, PhoneIn};
use super::placeholders::Placeholders;
use super::ssn::Ssn;

/// Goes through to the value inside: one form, or its parts.
macro_rules! goes_through {
    ($([$($bounds:tt)*] $outer:ty => $inner:ty: |$value:ident| $through:expr;)*) => {$(
        impl<N: Normalizes<$inner>, $($bounds)*> Normalizes<$outer> for N {
            fn write($value: &$outer, form: &mut NormalForm) -> Result<(), Error> {
                N::write($through, form)
            }
        }

        impl<N: NormalizesParts<$inner>, $($bounds)*> NormalizesParts<$outer> for N {
            fn write_parts(
                $value: &$outer,
                each: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
            ) -> Result<(), Error> {
                N::write_parts($through, each)
            }
        }
    )*};
}

goes_through! {
    [] String => str: |value| value;
    [T: ?Sized] &T => T: |value| *value;
    [T: ?Sized] Box<T> => T: |value| &**value;
    [T: Zeroize] Zeroizing<T> => T: |value| &**value;
    [T: Wipe, F] Phi<T, F> => T: |value| value.expose_phi();
}

impl<N: Normalizes<T>, T> Normalizes<Option<T>> for N {
    fn write(value: &Option<T>, form: &mut NormalForm) -> Result<(), Error> {
        match value {
            Some(value) => N::write(value, form),
            None => {
                form.clear();
                Ok(())
            }
        }
    }
}

impl<N: NormalizesParts<T>, T> NormalizesParts<Option<T>> for N {
    fn write_parts(value: &Option<T>, each: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        value.iter().try_for_each(|value| N::write_parts(value, each))
    }
}

impl<N: NormalizesParts<T>, T> NormalizesParts<Vec<T>> for N {
    fn write_parts(values: &Vec<T>, each: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        values.iter().try_for_each(|value| N::write_parts(value, each))
    }
}

/// One form of a value is its only part, so a list of numbers can be indexed too.
macro_rules! has_one_part {
    ($([$($bounds:tt)*] $normalizer:ty,)*) => {$(
        impl<$($bounds)*> NormalizesParts<str> for $normalizer {
            fn write_parts(value: &str, each: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
                let mut form = NormalForm::new();
                <Self as Normalizes<str>>::write(value, &mut form)?;
                if form.is_empty() { Ok(()) } else { each(form.as_bytes()) }
            }
        }
    )*};
}

has_one_part! {
    [P: Placeholders] Date<P>,
    [C: CheckId] Id<C>,
    [C: Country] PhoneIn<C>,
    [] Dea,
    [] Email,
    [] Exact,
    [] Lenient<Dea>,
    [] Lenient<Npi>,
    [] Ndc,
    [] Npi,
    [] Phone,
    [] Ssn,
}
