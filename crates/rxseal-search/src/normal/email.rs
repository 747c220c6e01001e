//! `email/1`: addresses of electronic mail.

use rxseal::Error;

use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes};

/// Addresses of electronic mail: `email/1`. White space around is dropped, and letters become small on both sides of the `@`. What is before
/// a `+` or between dots stays. An address without `@`, with spaces inside or with letters outside of ASCII is refused.
///
/// ```
/// use rxseal_search::normal::{Email, NormalForm, Normalizes};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// Email::write(" Jane.Doe@Example.ORG ", &mut form)?;
/// assert_eq!(form.as_bytes(), b"jane.doe@example.org");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Email;

impl Normalizer for Email {
    const ID: &'static str = "email/1";
}

impl Normalizes<str> for Email {
    fn write(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        form.clear();
        let text = text.trim_ascii();
        let is_address = text.rsplit_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
        if text.is_empty() {
            return Ok(());
        }
        if !is_address || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::not_indexable(
                "an address of electronic mail is user@host, in ASCII and without spaces",
            ));
        }
        text.bytes().try_for_each(|byte| form.push_byte(byte.to_ascii_lowercase())).inspect_err(|_| form.clear())
    }
}
