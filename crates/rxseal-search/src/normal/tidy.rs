//! What numbers are read through: digits, and what people put between them.

use rxseal::Error;

use super::form::NormalForm;

/// Whether it only groups digits or letters: a space, a hyphen or a dash.
pub(super) fn is_grouping(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{A0}' | '\u{202F}' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Writes `count` digits, or none if there is nothing but grouping.
pub(super) fn write_digits(
    text: &str,
    count: usize,
    form: &mut NormalForm,
    refused: fn() -> Error,
) -> Result<(), Error> {
    for c in text.chars().filter(|c| !is_grouping(*c)) {
        if !c.is_ascii_digit() || form.as_bytes().len() >= count {
            return Err(refused());
        }
        form.push_char(c)?;
    }
    if form.is_empty() || form.as_bytes().len() == count { Ok(()) } else { Err(refused()) }
}

/// The values of ASCII digits.
pub(super) fn values(digits: &[u8]) -> impl DoubleEndedIterator<Item = u32> {
    digits.iter().map(|digit| u32::from(digit & 0x0F))
}
