//! What people put between the digits of a number.

/// Whether it only groups digits: a space, a hyphen or a dash.
pub(super) fn is_grouping(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{A0}' | '\u{202F}' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}
