//! `family/1`: last names.

use std::marker::PhantomData;

use rxseal::Error;

use super::fold::{Folded, fold_ascii, write_composed};
use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes, NormalizesParts};
use super::placeholders::{Placeholders, UsualPlaceholders};
use super::words::Words;

/// Last names: `family/1`. Case, accents, apostrophes, hyphens, spaces and suffixes such as `Jr.` make no difference, so `De La Cruz`,
/// `DeLaCruz` and `de-la-Cruz` have one form, and so have `Peña` and `PENA`.
///
/// Its [parts](NormalizesParts) are the whole form, and each word with the particles before it: `Smith-Jones` is found by `Smith`, by
/// `Jones` and by `Smith Jones`, and `García de la Cruz` by `de la Cruz`.
///
/// `P` is the list of texts that stand for a missing name, such as `unknown`.
///
/// ```
/// use rxseal_search::normal::{Family, NormalForm, Normalizes, NormalizesParts};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// for name in ["García de la Cruz", "GARCIA DE LA CRUZ", "Garcia-DelaCruz, M.D."] {
///     <Family>::write(name, &mut form)?;
///     assert_eq!(form.as_bytes(), b"garciadelacruz");
/// }
///
/// let mut parts = Vec::new();
/// <Family>::write_parts("García de la Cruz", &mut |part| {
///     parts.push(part.to_vec());
///     Ok(())
/// })?;
/// assert_eq!(parts, [b"garciadelacruz".as_slice(), b"garcia", b"delacruz"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Family<P = UsualPlaceholders>(PhantomData<P>);

impl<P> Normalizer for Family<P> {
    const ID: &'static str = "family/1";
}

impl<P: Placeholders> Normalizes<str> for Family<P> {
    fn write(name: &str, form: &mut NormalForm) -> Result<(), Error> {
        form.clear();
        let written = if name.is_ascii() { write_ascii(name, form) } else { write_any(name, form) };
        if written.is_err() || P::is_name(form.as_bytes()) {
            form.clear();
        }
        written
    }
}

impl<P: Placeholders> NormalizesParts<str> for Family<P> {
    fn write_parts(name: &str, each: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let mut folded = Folded::new();
        folded.read(name)?;
        let words = folded.words().without_suffixes();
        let mut form = NormalForm::new();
        write_composed(words.letters(), &mut form)?;
        if form.is_empty() || P::is_name(form.as_bytes()) {
            return Ok(());
        }
        each(form.as_bytes())?;
        for part in words.parts().filter(|part| part.len() < words.letters().len()) {
            form.clear();
            write_composed(part, &mut form)?;
            each(form.as_bytes())?;
        }
        Ok(())
    }
}

fn write_ascii(name: &str, form: &mut NormalForm) -> Result<(), Error> {
    let starts = fold_ascii(name, form)?;
    let len = Words::new(form.as_bytes(), &starts).without_suffixes().letters().len();
    form.truncate(len);
    Ok(())
}

fn write_any(name: &str, form: &mut NormalForm) -> Result<(), Error> {
    let mut folded = Folded::new();
    folded.read(name)?;
    write_composed(folded.words().without_suffixes().letters(), form)
}
