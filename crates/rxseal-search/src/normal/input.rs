//! Types that hold what a normaliser takes.

use rxseal::forms::Wipe;
use rxseal::{Error, Phi};
use zeroize::{Zeroize, Zeroizing};

use super::form::NormalForm;
use super::normalizer::{Normalizes, NormalizesParts};

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
