//! Whether a text contains a value, in any spelling.

use std::fmt::Debug;

/// Fails if the `Debug` text of `value` contains one of `canaries`.
///
/// Use it for structs with plain types under `with = "Sealing::<..>"`, because a derived `Debug` prints these. It finds a canary as it
/// is, and escaped as `Debug` or JSON escape it, also one inside the other. If the canary has at least 4 bytes, it is also found as a
/// list of its bytes, in hex and in base64.
///
/// ```
/// use rxseal::{Phi, phi};
/// #[derive(Debug)]
/// struct Refill { drug: Phi<String, phi::Drug> }
/// let refill = Refill { drug: "warfarin 5 MG".to_owned().into() };
/// rxseal::testing::assert_no_plaintext(&refill, &["warfarin"]);
/// ```
///
/// # Panics
///
/// If the text contains a canary; the message does not show the text. Also if there is no canary or one is empty, because such a test
/// checks nothing.
#[track_caller]
pub fn assert_no_plaintext(value: &dyn Debug, canaries: &[&str]) {
    check_canaries(canaries);
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        let found = canaries.iter().position(|canary| contains(&text, canary));
        assert!(found.is_none(), "the Debug text contains canary number {}", found.unwrap_or_default());
    }
}

/// Fails if there is no canary, or an empty one.
#[track_caller]
pub(super) fn check_canaries(canaries: &[&str]) {
    assert!(!canaries.is_empty(), "no canary to look for");
    let empty = canaries.iter().position(|canary| canary.is_empty());
    assert!(empty.is_none(), "canary number {} is empty, so it would never be found", empty.unwrap_or_default());
}

/// Whether `text` contains `canary` in any spelling.
pub(super) fn contains(text: &str, canary: &str) -> bool {
    let bytes = Spelled::of(canary);
    let mut level = text.to_owned();
    for _ in 0..MAX_ESCAPED {
        if level.contains(canary) || bytes.are_in(&level) {
            return true;
        }
        let unescaped = unescape(&level);
        if unescaped == level {
            return false;
        }
        level = unescaped;
    }
    level.contains(canary) || bytes.are_in(&level)
}

/// Levels of escapes: JSON in a string, in the `Debug` of a string, and so on. Nobody prints more than that.
const MAX_ESCAPED: usize = 6;
/// The bytes of a shorter canary, as hex or numbers, also occur in unrelated texts.
const MIN_BYTES: usize = 4;

/// A canary's bytes as text.
struct Spelled {
    /// Hex in small letters, for texts that were made small.
    hex: String,
    /// Numbers with commas between them and no blanks.
    lists: [String; 3],
    base64: Vec<String>,
}

impl Spelled {
    fn of(canary: &str) -> Self {
        let bytes = if canary.len() < MIN_BYTES { &[] } else { canary.as_bytes() };
        let decimal: Vec<_> = bytes.iter().map(u8::to_string).collect();
        let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let short: Vec<_> = bytes.iter().map(|byte| format!("{byte:x}")).collect();
        let lists = [decimal.join(","), hex.join(","), short.join(",")];
        Self { hex: hex.concat(), lists, base64: in_base64(bytes) }
    }

    fn are_in(&self, text: &str) -> bool {
        if self.hex.is_empty() {
            return false;
        }
        let dense: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let small = dense.to_lowercase();
        let numbers = small.replace("0x", "");
        let pairs: String = small.chars().filter(|letter| !matches!(letter, ':' | '-')).collect();
        small.contains(&self.hex)
            || pairs.contains(&self.hex)
            || self.lists.iter().any(|list| has_list(&numbers, list))
            || self.base64.iter().any(|spelling| dense.contains(spelling))
    }
}

/// Whether `list` is in `text`, and no digit beside it changes its first or last number.
fn has_list(text: &str, list: &str) -> bool {
    text.match_indices(list).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at.saturating_add(list.len())..).and_then(|after| after.chars().next());
        ![before, after].iter().flatten().any(char::is_ascii_hexdigit)
    })
}

/// The piece that every base64 text with these bytes in it contains, at each of the three offsets and in both alphabets. It is computed
/// by hand, because a decoder does not accept a piece of a text.
fn in_base64(bytes: &[u8]) -> Vec<String> {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1)).collect();
    let mut spellings = Vec::new();
    // The letters at both ends also contain bits of a neighbour, so they are left out.
    for skipped in [0, 2, 4] {
        let sextets: Vec<u8> = bits.get(skipped..).unwrap_or_default().chunks_exact(6).map(number).collect();
        for (plus, slash) in [('+', '/'), ('-', '_')] {
            spellings.push(sextets.iter().map(|sextet| letter(*sextet, plus, slash)).collect());
        }
    }
    spellings.retain(|spelling: &String| !spelling.is_empty());
    spellings
}

fn number(bits: &[u8]) -> u8 {
    bits.iter().fold(0, |number, bit| (number << 1) | bit)
}

fn letter(sextet: u8, plus: char, slash: char) -> char {
    let letters = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain([plus, slash]);
    letters.into_iter().nth(sextet.into()).unwrap_or(slash)
}

/// Undoes one level of escapes, as Rust and JSON write them. Other text stays as it is.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        match escape(after) {
            Some((letter, left)) => {
                out.push(letter);
                rest = left;
            }
            None => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The character that an escape means, and the text after it.
fn escape(after: &str) -> Option<(char, &str)> {
    let mut letters = after.chars();
    let kind = letters.next()?;
    let rest = letters.as_str();
    let plain = match kind {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        'b' => '\u{8}',
        'f' => '\u{c}',
        '\\' | '"' | '\'' | '/' => kind,
        'x' => return hex(rest, 2).and_then(|(code, left)| Some((char::from_u32(code)?, left))),
        'u' => return unicode(rest),
        _ => return None,
    };
    Some((plain, rest))
}

/// The character after `\u`: Rust writes `{1f48a}`, JSON writes four digits, or two groups of four above U+FFFF.
fn unicode(rest: &str) -> Option<(char, &str)> {
    if let Some(braced) = rest.strip_prefix('{') {
        let (digits, left) = braced.split_once('}')?;
        return Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, left));
    }
    let (high, left) = hex(rest, 4)?;
    if let Some(letter) = char::from_u32(high) {
        return Some((letter, left));
    }
    let (low, left) = hex(left.strip_prefix("\\u")?, 4)?;
    let pair = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
    Some((char::decode_utf16(pair).next()?.ok()?, left))
}

fn hex(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (number, left) = text.split_at_checked(digits)?;
    Some((u32::from_str_radix(number, 16).ok()?, left))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

    use super::*;

    const CANARIES: [&str; 6] = ["O'Brien \"Zo\\e\"", "a\nb\tc\r\0\u{1b}", "Zoë 💊", "\\", "4711", "x y"];

    /// Every spelling that the docs name.
    fn spellings(canary: &str) -> Vec<(&'static str, String)> {
        let json = serde_json::to_string(canary).unwrap();
        let utf16 = |letter: char| -> String {
            letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect()
        };
        let ascii: String =
            json.chars().map(|each| if each.is_ascii() { each.to_string() } else { utf16(each) }).collect();
        let mut spellings = vec![
            ("as it is", format!("<{canary}>")),
            ("Debug", format!("{canary:?}")),
            ("Debug of a char list", format!("{:?}", canary.escape_default().to_string())),
            ("escape_unicode", canary.escape_unicode().to_string()),
            ("JSON", json.clone()),
            ("JSON in ASCII", ascii),
            ("JSON, all escaped", canary.chars().map(utf16).collect()),
            ("Debug of JSON", format!("{json:?}")),
            ("JSON of JSON", serde_json::to_string(&json).unwrap()),
            ("Debug of Debug of JSON", format!("{:?}", format!("{json:?}"))),
            ("Debug of bytes", format!("{:?}", std::ffi::CString::new(canary.replace('\0', "")).unwrap())),
        ];
        if canary.len() >= MIN_BYTES {
            let bytes = [b"\xff\x07", canary.as_bytes(), b"\x00\xff"].concat();
            let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            spellings.extend([
                ("Vec<u8>", format!("{bytes:?}")),
                ("Vec<u8>, pretty", format!("{bytes:#?}")),
                ("Vec<u8> in hex", format!("{bytes:x?}")),
                ("Vec<u8> in hex, padded", format!("{bytes:#04x?}")),
                ("JSON array", serde_json::to_string(&bytes).unwrap()),
                ("hex", pairs.concat().to_lowercase()),
                ("HEX", pairs.concat()),
                ("hex with colons", pairs.join(":")),
                ("hex with blanks", pairs.join(" ")),
                ("base64", STANDARD_NO_PAD.encode(&bytes)),
                ("base64, next offset", STANDARD_NO_PAD.encode(bytes.get(1..).unwrap())),
                ("base64url", URL_SAFE_NO_PAD.encode(bytes.get(2..).unwrap())),
            ]);
        }
        spellings
    }

    #[test]
    fn every_spelling_is_found() {
        for canary in CANARIES {
            for (name, text) in spellings(canary) {
                // CString cannot hold a zero byte.
                if name == "Debug of bytes" && (canary.contains('\0') || !canary.is_ascii()) {
                    continue;
                }
                assert!(contains(&text, canary), "{name} of {canary:?} is not found in {text}");
            }
        }
    }

    #[test]
    fn other_text_is_not_taken_for_a_canary() {
        for text in ["Phi([REDACTED])", "[152, 55, 49, 490]", "\\u{zz} \\q \\", "471 1", "\\ud83d", "\\x4"] {
            assert!(!contains(text, "4711"), "{text}");
            assert!(!contains(text, "Zoë 💊"), "{text}");
        }
        // The canary is too short to be looked for as numbers.
        assert!(!contains("[97, 98]", "ab"));
    }

    #[test]
    #[should_panic(expected = "canary number 1 is empty")]
    fn an_empty_canary_checks_nothing() {
        assert_no_plaintext(&7, &["a", ""]);
    }

    #[test]
    #[should_panic(expected = "no canary to look for")]
    fn no_canary_checks_nothing() {
        assert_no_plaintext(&7, &[]);
    }

    #[test]
    #[should_panic(expected = "the Debug text contains canary number 0")]
    fn a_string_with_quotes_is_caught() {
        assert_no_plaintext(&"Zoe \"Zo\" O'Brien", &["Zoe \"Zo\" O'Brien"]);
    }

    #[test]
    #[should_panic(expected = "the Debug text contains canary number 0")]
    fn bytes_are_caught() {
        assert_no_plaintext(&b"Zoraida Quimby".to_vec(), &["Zoraida"]);
    }
}
