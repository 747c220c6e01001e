//! What a code point is to a normaliser.

/// What a normaliser does with a code point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A letter, a mark or a number: general categories L, M and N.
    Letter,
    /// Whatever else can be seen: it is between words.
    Separator,
    /// A format character (Cf), such as the soft hyphen: it is not part of a name.
    Ignored,
    /// A control character, or a code point for private use or not assigned in Unicode 16.
    Refused,
}
