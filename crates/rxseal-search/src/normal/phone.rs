//! `phone/1`: phone numbers.

mod country;

pub use country::{Country, PhoneIn};

use rxseal::Error;
use zeroize::Zeroize;

use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes};
use super::tidy::is_grouping;

/// Phone numbers, as E.164: `phone/1`.
///
/// - A number of North America is 10 digits, or 1 and 10 digits. Its area code and its exchange begin with 2 to 9.
/// - `+` and 8 to 15 digits is taken as it is, from any country.
/// - Spaces, hyphens, dots, slashes and brackets make no difference. An extension at the end, such as `x12` or `ext. 12`, is dropped.
/// - A number of one digit only, such as `999-999-9999` or `1-999-999-9999`, is a placeholder and has an empty form.
/// - Letters, 7 digits and numbers of other countries without `+` are refused. [`PhoneIn`] takes those of one of them. `+44 (0)20 …` is refused too, since the `(0)` is not
///   dialled with the `+`.
///
/// ```
/// use rxseal_search::normal::{NormalForm, Normalizes, Phone};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// for number in ["(555) 212-8845", "1-555-212-8845 ext. 12", "+1 555.212.8845"] {
///     Phone::write(number, &mut form)?;
///     assert_eq!(form.as_bytes(), b"+15552128845");
/// }
/// assert!(Phone::write("212-8845", &mut form).unwrap_err().is_not_indexable());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Phone;

impl Normalizer for Phone {
    const ID: &'static str = "phone/1";
}

impl Normalizes<str> for Phone {
    fn write(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        write(text, form, |digits| {
            let number = without_code(digits);
            is_north_american(number).then_some(("1", number))
        })
    }
}

/// Writes a number with `+`, or what `national` takes of one without: the code of the country, and the number in it.
fn write(
    text: &str,
    form: &mut NormalForm,
    national: impl FnOnce(&[u8]) -> Option<(&'static str, &[u8])>,
) -> Result<(), Error> {
    form.clear();
    let text = text.trim_matches(is_grouping);
    let (is_international, dialled) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut digits = Digits::default();
    digits.read(dialled)?;
    let all = digits.as_slice();
    if text.is_empty() || is_placeholder(without_code(all)) {
        return Ok(());
    }
    let found = if is_international {
        Some(("", all)).filter(|_| !all.starts_with(b"0") && !dialled.contains("(0)"))
    } else {
        national(all)
    };
    let Some((code, number)) = found else { return Err(refused()) };
    if is_placeholder(number) {
        return Ok(());
    }
    if !(8..=15).contains(&code.len().saturating_add(number.len())) {
        return Err(refused());
    }
    form.push(b"+")?;
    form.push(code.as_bytes())?;
    form.push(number)
}

/// Whether it is one digit only.
fn is_placeholder(digits: &[u8]) -> bool {
    digits.split_first().is_some_and(|(first, rest)| rest.iter().all(|digit| digit == first))
}

/// Without the 1 of North America before 10 digits.
fn without_code(digits: &[u8]) -> &[u8] {
    match digits {
        [b'1', number @ ..] if number.len() == 10 => number,
        _ => digits,
    }
}

/// At most 15 digits, as E.164 has them.
#[derive(Default)]
struct Digits {
    digits: [u8; 15],
    len: usize,
}

impl Digits {
    /// Reads digits up to the extension, and checks that.
    fn read(&mut self, text: &str) -> Result<(), Error> {
        for (at, c) in text.char_indices() {
            match c {
                '0'..='9' => {
                    *self.digits.get_mut(self.len).ok_or_else(refused)? = u8::try_from(c).unwrap_or_default();
                    self.len = self.len.saturating_add(1);
                }
                '(' | ')' | '.' | '/' => {}
                c if is_grouping(c) => {}
                _ if is_extension(text.get(at..).unwrap_or_default()) => return Ok(()),
                _ => return Err(refused()),
            }
        }
        Ok(())
    }

    fn as_slice(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }
}

impl Drop for Digits {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

/// An area code and an exchange that begin with 2 to 9, and 4 digits.
fn is_north_american(number: &[u8]) -> bool {
    matches!(number, [b'2'..=b'9', _, _, b'2'..=b'9', _, _, _, _, _, _])
}

/// `x12`, `ext. 12`, `extension 12`, `#12`, `;ext=12`: 1 to 8 digits.
fn is_extension(text: &str) -> bool {
    let starts = [";ext=", "extension", "ext.", "ext", "x", "#"];
    let begins = |start: &&str| text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    let Some(start) = starts.iter().find(|start| begins(start)) else { return false };
    let digits = text.get(start.len()..).unwrap_or_default().trim_matches(is_grouping);
    (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn refused() -> Error {
    Error::not_indexable(
        "a phone number has 10 digits with its area code, or + and the code of its country, and no letters",
    )
}
