//! `given/1`: first names.

use std::marker::PhantomData;

use rxseal::Error;

use super::fold::{Folded, fold_ascii, write_composed};
use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes, NormalizesParts};
use super::placeholders::{Placeholders, UsualPlaceholders};
use super::words::Words;

/// First names: `given/1`. As [`Family`](super::Family), but the form is that of the first word, with particles before it: `José Eduardo`
/// and `Jose` have one form, and so have `La Toya` and `LaToya`. There are no suffixes.
///
/// Its [parts](NormalizesParts) are those of all words: `José Eduardo` is found by `Eduardo` too.
///
/// ```
/// use rxseal_search::normal::{Given, NormalForm, Normalizes};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// <Given>::write("José Eduardo", &mut form)?;
/// assert_eq!(form.as_bytes(), b"jose");
///
/// <Given>::write("Baby Boy", &mut form)?;
/// assert!(form.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Given<P = UsualPlaceholders>(PhantomData<P>);

impl<P> Normalizer for Given<P> {
    const ID: &'static str = "given/1";
}

impl<P: Placeholders> Normalizes<str> for Given<P> {
    fn write(name: &str, form: &mut NormalForm) -> Result<(), Error> {
        form.clear();
        let written = if name.is_ascii() { write_ascii::<P>(name, form) } else { write_any::<P>(name, form) };
        if written.is_err() {
            form.clear();
        }
        written
    }
}

impl<P: Placeholders> NormalizesParts<str> for Given<P> {
    fn write_parts(name: &str, each: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let mut folded = Folded::new();
        folded.read(name)?;
        let words = folded.words();
        let mut form = NormalForm::new();
        write_composed(words.letters(), &mut form)?;
        if P::is_name(form.as_bytes()) {
            return Ok(());
        }
        for part in words.parts() {
            form.clear();
            write_composed(part, &mut form)?;
            each(form.as_bytes())?;
        }
        Ok(())
    }
}

fn write_ascii<P: Placeholders>(name: &str, form: &mut NormalForm) -> Result<(), Error> {
    let starts = fold_ascii(name, form)?;
    let words = Words::new(form.as_bytes(), &starts);
    let len = if P::is_name(words.letters()) { 0 } else { words.parts().next().unwrap_or_default().len() };
    form.truncate(len);
    Ok(())
}

fn write_any<P: Placeholders>(name: &str, form: &mut NormalForm) -> Result<(), Error> {
    let mut folded = Folded::new();
    folded.read(name)?;
    let words = folded.words();
    write_composed(words.letters(), form)?;
    let is_placeholder = P::is_name(form.as_bytes());
    form.clear();
    if is_placeholder {
        return Ok(());
    }
    write_composed(words.parts().next().unwrap_or_default(), form)
}
