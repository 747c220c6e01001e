//! Numbers with a check digit.

use rxseal::Error;

use super::form::NormalForm;
use super::normalizer::Normalizer;

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
