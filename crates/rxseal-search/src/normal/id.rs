//! `id/1`: identifiers, such as medical record numbers.

use std::marker::PhantomData;

use rxseal::Error;

use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes};
use super::tidy::is_grouping;
use super::unicode::decompose;

/// Identifiers of a system: medical record, member and prescription numbers: `id/1`. Letters become capitals, and spaces and hyphens are
/// dropped. **Leading zeros stay**, since many systems count them. Compatible forms such as full-width digits become ASCII; any other
/// letter is refused, and so are more than 64 bytes.
///
/// `C` is a check of yours, such as a check digit; [`NoCheck`] has none.
///
/// ```
/// use rxseal_search::normal::{CheckId, Id, NormalForm, Normalizes};
///
/// struct EvenSum;
///
/// impl CheckId for EvenSum {
///     fn is_right(id: &str) -> bool {
///         id.bytes().map(u32::from).sum::<u32>() % 2 == 0
///     }
/// }
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// <Id>::write("mrn 00-123", &mut form)?;
/// assert_eq!(form.as_bytes(), b"MRN00123");
///
/// assert_eq!(Id::<EvenSum>::write("12", &mut form).unwrap_err().code(), rxseal::ErrorCode::BadCheckDigit);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Id<C = NoCheck>(PhantomData<C>);

/// A check of an identifier, such as its check digit.
pub trait CheckId {
    /// Whether the identifier, in normal form and not empty, can exist. It is not shown in any error.
    fn is_right(id: &str) -> bool;
}

/// Every identifier of the right shape may exist.
#[derive(Debug)]
pub struct NoCheck;

impl CheckId for NoCheck {
    fn is_right(_: &str) -> bool {
        true
    }
}

impl<C> Normalizer for Id<C> {
    const ID: &'static str = "id/1";
}

impl<C: CheckId> Normalizes<str> for Id<C> {
    fn write(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        form.clear();
        text.chars()
            .try_for_each(|c| if c.is_ascii() { keep(c, form) } else { decompose(c, |c| keep(c, form)) })
            .and_then(|()| check::<C>(form.as_bytes()))
            .inspect_err(|_| form.clear())
    }
}

fn check<C: CheckId>(form: &[u8]) -> Result<(), Error> {
    let id = std::str::from_utf8(form).unwrap_or_default();
    if id.is_empty() || C::is_right(id) { Ok(()) } else { Err(Error::bad_check_digit("an identifier")) }
}

/// After NFKD: what is ASCII then is ASCII after NFKC, and what is not is not.
fn keep(c: char, form: &mut NormalForm) -> Result<(), Error> {
    match c {
        c if is_grouping(c) => Ok(()),
        '!'..='~' if form.as_bytes().len() < MAX_LEN => form.push_char(c.to_ascii_uppercase()),
        _ => Err(Error::not_indexable("an identifier is 1 to 64 ASCII letters, digits and signs")),
    }
}

const MAX_LEN: usize = 64;
