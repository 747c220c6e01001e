//! What texts an access may have.

use crate::error::{Error, ErrorKind, Reason};

/// 1 to 255 characters of printable ASCII without space.
pub(super) fn is_id(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A text of a person: `least` to 200 characters, none of them a control character. `rule` says so in the error.
pub(super) fn printable(text: &str, least: usize, rule: Reason) -> Result<Box<str>, Error> {
    let is_good = (least..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_good { Ok(text.into()) } else { Err(ErrorKind::InvalidAccess.because(rule)) }
}
