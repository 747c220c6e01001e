//! `sounds/1`: how a name sounds in English.

mod metaphone;

use rxseal::Error;

use super::family::Family;
use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes, NormalizesParts};
use metaphone::{Codes, write_codes};

/// How a name sounds, as one or two codes of at most 4 signs: `sounds/1`. `Meyer` and `Meier` share a code, and so do `Smith` and `Schmidt`.
///
/// The codes are those of Double Metaphone, by Lawrence Philips, of the whole form of [`Family`]. A form with anything but the letters a to z
/// has no code, so a name in another script is not found by its sound.
///
/// ```
/// use rxseal_search::normal::{NormalizesParts, Sounds};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut codes = Vec::new();
/// Sounds::write_parts("Schmidt", &mut |code| {
///     codes.push(code.to_vec());
///     Ok(())
/// })?;
/// assert_eq!(codes, [b"XMT", b"SMT"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sounds;

impl Normalizer for Sounds {
    const ID: &'static str = "sounds/1";
}

impl NormalizesParts<str> for Sounds {
    fn write_parts(name: &str, each: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let mut form = NormalForm::new();
        <Family>::write(name, &mut form)?;
        let mut codes = Codes::default();
        write_codes_of(&form, &mut codes);
        codes.iter().try_for_each(each)
    }
}

impl NormalForm {
    /// Whether two names sound alike: they share a code of [`Sounds`]. If one of them has no code, they do not.
    ///
    /// ```
    /// use rxseal_search::normal::{Given, NormalForm, Normalizes};
    ///
    /// # fn main() -> Result<(), rxseal::Error> {
    /// let (mut one, mut other) = (NormalForm::new(), NormalForm::new());
    /// <Given>::write("Catherine", &mut one)?;
    /// <Given>::write("Kathryn", &mut other)?;
    /// assert!(one.sounds_like(&other));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sounds_like(&self, other: &Self) -> bool {
        let (mut own, mut others) = (Codes::default(), Codes::default());
        write_codes_of(self, &mut own);
        write_codes_of(other, &mut others);
        own.iter().any(|code| others.iter().any(|other| code == other))
    }
}

fn write_codes_of(form: &NormalForm, codes: &mut Codes) {
    let letters = form.as_bytes();
    if letters.iter().all(u8::is_ascii_lowercase) {
        write_codes(letters, codes);
    }
}
