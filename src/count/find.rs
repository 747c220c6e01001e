//! Finds tokens and record tags in values that may contain more than one: texts with other text around them, and letters that were
//! joined.

use std::iter;

use crate::aead::Letter;
use crate::id::KeyId;
use crate::scratch;
use crate::secret::reserve_wiping;
use crate::token::{HEADER_LEN, RECORD_TAG_TEXT_MAGIC, WRAPPED_KEY_TEXT_MAGIC, starts_counted};

/// The letters of a text token's magic with the one of its suite (FORMAT 6.1), or those of a record tag's (FORMAT 14.1).
const MAGIC_LEN: usize = Letter::TEXT_MAGIC.len() + 1;
/// What both begin with.
const BEGINNING: &str = "rx";
/// The last letter of a record tag's magic.
pub(super) const TAG_END: &str = "S";
/// A key id as letters.
const KEY_LEN: usize = 8;
/// How writers that escape letters write `rxs` and `rxr`, as far as both are alike: JSON, C, a URL, HTML.
pub(super) const ESCAPED: [&str; 5] =
    [r"\u0072\u0078\u007", r"\x72\x78\x7", "%72%78%7", "&#114;&#120;&#11", "&#x72;&#x78;&#x7"];
/// `rxs` and `rxr` with a line break in them, for texts whose line ends are all `\n`, with the `=` before them removed.
const BROKEN: [&str; 6] = ["r\nxs", "rx\ns", "rxs\n", "r\nxr", "rx\nr", "rxr\n"];
/// How many letters after a broken magic are too many for a word.
pub(super) const NO_WORD: usize = 16;
/// The length of the rest of the shortest token.
pub(super) const LONG: usize = 48;
/// How many letters follow on the magic of a wrapped subject key's text (FORMAT 10.1).
pub(super) const WRAPPED_REST: usize = 104;

/// Everything that begins like a text token, up to the first character that no token has.
pub(super) fn runs_in(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    iter::from_fn(move || {
        let found = rest.get(next_magic(rest)?..)?;
        let (run, behind) = found.split_at_checked(run_len(found))?;
        rest = behind;
        Some(run)
    })
}

/// The keys of possible further tokens in a run. A token's own letters may look like the beginning of another by
/// chance. Only knowing the key tells the two apart.
pub(super) fn joined_in_run(run: &str) -> impl Iterator<Item = KeyId> {
    let mut rest = run;
    iter::from_fn(move || {
        let behind = rest.get(MAGIC_LEN..)?;
        rest = behind.get(next_magic(behind)?..)?;
        // No other can follow one whose key is incomplete.
        rest.get(MAGIC_LEN..)?.get(..KEY_LEN)?.parse().ok()
    })
}

/// Like [`joined_in_run`], for a binary token.
pub(super) fn joined_in_bytes(bytes: &[u8]) -> impl Iterator<Item = KeyId> {
    let mut rest = if starts_counted(bytes) { bytes } else { &[] };
    iter::from_fn(move || {
        let behind = rest.get(1..)?;
        let begin = behind.windows(HEADER_LEN).position(starts_counted)?;
        rest = behind.get(begin..)?;
        rest.get(Letter::MAGIC_LEN..)?.first_chunk().map(|key| KeyId::from_bytes(*key))
    })
}

/// Whether the text contains something under a key that is not counted. It may be a former token that was written in
/// other letters, or broken within its first letters. Or it is a subject's wrapped key. If a token is broken further
/// on, its beginning is seen, so it is counted or is not a token.
pub(super) fn has_uncounted(text: &str) -> bool {
    ESCAPED.iter().any(|escaped| text.contains(escaped))
        || is_broken(text)
        || is_upper_case(text)
        || has_wrapped_key(text)
}

/// Not in the letters of a token, since it may be there by chance.
fn has_wrapped_key(text: &str) -> bool {
    let starts_one = |at: usize| text.get(..at).is_none_or(|before| !before.ends_with(is_letter));
    let mut found = text.match_indices(WRAPPED_KEY_TEXT_MAGIC).filter(|(at, _)| starts_one(*at));
    found.any(|(at, magic)| text.get(at..).is_some_and(|run| run_len(run) >= magic.len().saturating_add(WRAPPED_REST)))
}

fn is_broken(text: &str) -> bool {
    if !text.contains('\n') {
        return false;
    }
    // The text may be plaintext that was left behind, so no copy of it is kept.
    scratch::with(|buffer| {
        reserve_wiping(buffer.vec(), text.len());
        for byte in text.bytes().filter(|byte| *byte != b'\r') {
            if byte == b'\n' && buffer.vec().ends_with(b"=") {
                buffer.vec().pop();
            }
            buffer.vec().push(byte);
        }
        std::str::from_utf8(buffer.as_mut_slice()).is_ok_and(has_broken)
    })
}

/// Whether a magic is broken, in a text whose line ends are those of `BROKEN`.
fn has_broken(text: &str) -> bool {
    BROKEN.iter().any(|broken| {
        text.match_indices(broken)
            .filter_map(|(at, found)| text.get(at.saturating_add(found.len())..))
            .any(|behind| is_last(broken.contains('s'), behind) && run_len(behind) > NO_WORD)
    })
}

/// Whether the last letter of a magic is next: of `rxs`, or of `rxr`.
fn is_last(of_token: bool, text: &str) -> bool {
    if of_token { text.bytes().next().is_some_and(Letter::is_one) } else { text.starts_with(TAG_END) }
}

fn is_upper_case(text: &str) -> bool {
    let behind = text.match_indices("RX").filter_map(|(at, found)| text.get(at.saturating_add(found.len())..));
    let is_upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let is_letter = |byte: u8| Letter::ALL.into_iter().any(|letter| letter.as_byte().to_ascii_uppercase() == byte);
    let of_token = |behind: &str| matches!(behind.as_bytes(), [b'S', letter, ..] if is_letter(*letter));
    behind
        .filter(|behind| of_token(behind) || behind.starts_with("RS"))
        .any(|behind| behind.bytes().skip(1).take_while(|byte| is_upper(*byte)).count() > LONG)
}

fn next_magic(text: &str) -> Option<usize> {
    let is_magic = |at: usize| {
        let begins = text.get(at..).unwrap_or_default();
        match begins.strip_prefix(Letter::TEXT_MAGIC) {
            Some(behind) => is_last(true, behind),
            None => begins.starts_with(RECORD_TAG_TEXT_MAGIC),
        }
    };
    text.match_indices(BEGINNING).map(|(at, _)| at).find(|at| is_magic(*at))
}

fn run_len(text: &str) -> usize {
    text.find(|char: char| !is_letter(char)).unwrap_or(text.len())
}

/// Whether it is a character of base64url.
fn is_letter(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-_".contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::text;
    use crate::token::{WRAPPED_KEY_LEN, WRAPPED_KEY_MAGIC};

    #[test]
    fn wrapped_keys_are_as_the_format_says() {
        let mut bytes = WRAPPED_KEY_MAGIC.to_vec();
        bytes.resize(WRAPPED_KEY_LEN, 0x55);
        let wrapped = text::encode(&bytes);
        assert!(wrapped.starts_with(WRAPPED_KEY_TEXT_MAGIC));
        assert_eq!(wrapped.len(), WRAPPED_KEY_TEXT_MAGIC.len() + WRAPPED_REST);
    }
}
