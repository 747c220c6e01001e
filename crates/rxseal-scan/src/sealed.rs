//! What a value is to tokens.

use rxseal::{KeyId, RecordTag, Token};

/// What a text or bytes are, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A token, and how long its payload is.
    Token(KeyId, usize),
    Tag(KeyId),
    /// Begins as one of both does.
    Damaged,
    Other,
}

/// FORMAT 6.1 and 6.3: header and tag, and the nonce bytes of letter X and of the others.
const AROUND: usize = 9 + 16;
const NONCE_X: usize = 12;
const NONCE: usize = 24;
/// FORMAT 6.2 and 14.1
const TOKEN_TEXT: &str = "rxs";
const TAG_TEXT: &str = "rxrS";
/// FORMAT 6.1 and 14.1, after the byte that all have.
const FIRST_BYTE: u8 = 0xAF;
const TOKEN_BYTE: u8 = 0x1B;
const TAG_BYTE: u8 = 0x1A;
const X_BYTE: u8 = 0x17;
/// A magic and a key id, as letters.
pub(crate) const HEAD_LETTERS: usize = 12;

impl Form {
    pub(crate) fn of_text(text: &str) -> Self {
        if text.starts_with(TAG_TEXT) {
            let tag = text.parse::<RecordTag>().ok().and_then(|tag| tag.key_id());
            return tag.map_or(Self::Damaged, Self::Tag);
        }
        if !text.starts_with(TOKEN_TEXT) {
            return if begins_as_one(text.trim_start()) { Self::Damaged } else { Self::Other };
        }
        match text.parse::<Token>() {
            Ok(token) => Self::of_token(&token),
            Err(_) if begins_as_one(text) => Self::Damaged,
            Err(_) => Self::Other,
        }
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        match bytes {
            [FIRST_BYTE, TAG_BYTE, ..] => {
                let tag = RecordTag::try_from(bytes).ok().and_then(|tag| tag.key_id());
                tag.map_or(Self::Damaged, Self::Tag)
            }
            [FIRST_BYTE, TOKEN_BYTE, ..] => {
                Token::try_from(bytes).map_or(Self::Damaged, |token| Self::of_token(&token))
            }
            // The text of a token may be in a column of bytes.
            _ => std::str::from_utf8(bytes).map_or(Self::Other, Self::of_text),
        }
    }

    fn of_token(token: &Token) -> Self {
        let bytes = token.as_bytes();
        let nonce = if bytes.get(2) == Some(&X_BYTE) { NONCE_X } else { NONCE };
        Self::Token(token.key_id(), bytes.len().saturating_sub(AROUND.saturating_add(nonce)))
    }
}

/// The magic, followed by a key id.
fn begins_as_one(text: &str) -> bool {
    let head = text.as_bytes().get(..HEAD_LETTERS).unwrap_or_default();
    let begins = matches!(head, [b'r', b'x', b's', b'X' | b'x' | b'c', ..] | [b'r', b'x', b'r', b'S', ..]);
    begins && head.iter().all(|letter| is_letter(*letter))
}

/// Whether it is a letter of base64url.
pub(crate) fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Lengths that payloads have: multiples of a block (FORMAT 7.2).
#[derive(Clone, Debug)]
pub(crate) struct Blocks(Vec<usize>);

impl Blocks {
    /// If no schema says them: the least of the ready vocabulary, of which the others are multiples.
    const UNKNOWN: usize = 16;

    pub(crate) fn new(blocks: impl IntoIterator<Item = u16>) -> Self {
        let blocks: Vec<_> = blocks.into_iter().map(usize::from).collect();
        Self(if blocks.is_empty() { vec![Self::UNKNOWN] } else { blocks })
    }

    /// Every length.
    pub(crate) fn any() -> Self {
        Self(vec![1])
    }

    pub(crate) fn fit(&self, payload: usize) -> bool {
        self.0.iter().any(|block| payload.checked_rem(*block) == Some(0))
    }
}

/// Calls `each` with what may be a token in a list or an object, as JSON or PostgreSQL writes it: everything but names and `null`.
pub(crate) fn each_in_list<'t>(text: &'t str, each: &mut dyn FnMut(&'t str)) {
    let is_between = |char: char| "[]{}\",".contains(char) || char.is_ascii_whitespace();
    let mut pieces = text.split(is_between).filter(|piece| !piece.is_empty()).peekable();
    while let Some(piece) = pieces.next() {
        // A name, or the colon behind it.
        let is_name = pieces.peek().is_some_and(|next| next.starts_with(':'));
        if !is_name && piece != ":" && !piece.eq_ignore_ascii_case("null") {
            each(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_objects_are_looked_into() {
        let pieces = |text| {
            let mut pieces = Vec::new();
            each_in_list(text, &mut |piece| pieces.push(piece));
            pieces
        };
        assert_eq!(pieces(r#"["rxsA", null, "Jane"]"#), ["rxsA", "Jane"]);
        assert_eq!(pieces(r#"{"line-1" : "rxsA","line-2":"rxsB"}"#), ["rxsA", "rxsB"]);
        assert_eq!(pieces("{rxsA,NULL,rxsB}"), ["rxsA", "rxsB"]);
        assert!(pieces("{}").is_empty());
    }

    #[test]
    fn what_begins_as_a_token_is_damaged_and_words_are_not() {
        for (text, form) in [
            ("rxsXAbCdEf12", Form::Damaged),
            (" rxsXAbCdEf12", Form::Damaged),
            ("rxrSAbCdEf12", Form::Damaged),
            ("rxs of the week", Form::Other),
            ("rxsX of the we", Form::Other),
            ("", Form::Other),
        ] {
            assert_eq!(Form::of_text(text), form, "{text}");
        }
        assert_eq!(Form::of_bytes(&[0xAF, 0x1B, 0x17]), Form::Damaged);
        assert_eq!(Form::of_bytes(&[0xAF, 0x1A, 0xD2]), Form::Damaged);
        assert_eq!(Form::of_bytes(&[0xAF, 0x19]), Form::Other);
    }
}
