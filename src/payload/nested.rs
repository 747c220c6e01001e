//! Something that is under a key of its own must not be sealed again: a count, reseal or destruction of that key could
//! not see it (FORMAT 7.5, 7.6).

use super::read::{Content, content};
use super::{KIND_BYTES, KIND_TEXT};
use crate::error::{Error, ErrorKind};
use crate::id::KeyId;
use crate::secret::{PlainBuffer, reserve_wiping};
use crate::token::{FIRST_BYTE, key_of_bytes, key_of_text};

/// Refuses a payload that is or contains a token, a wrapped subject key or a record tag. Bytes may look like one by chance, so they
/// count as one only if `knows` knows the key.
pub(crate) fn refuse_nested(payload: &[u8], knows: impl Fn(KeyId) -> bool) -> Result<(), Error> {
    let (kind, rest) = payload.split_first().unwrap_or((&KIND_BYTES, &[]));
    // This decides for almost every value.
    let (refusal, suspect) = match *kind {
        KIND_TEXT => (ErrorKind::TokenAsPlaintext, rest.starts_with(b"rx")),
        KIND_BYTES => (ErrorKind::TokenAsPlaintext, rest.first() == Some(&FIRST_BYTE) || rest.starts_with(b"rx")),
        _ => (ErrorKind::TokenInside, is_suspect(rest)),
    };
    if suspect && !nested_keys(content(payload)?, knows).is_empty() {
        return Err(refusal.into());
    }
    Ok(())
}

/// The key of each token, wrapped subject key and record tag that `content` is or contains, in order.
pub(crate) fn nested_keys(content: Content<'_>, knows: impl Fn(KeyId) -> bool) -> Vec<KeyId> {
    match content {
        Content::Bytes(bytes) => key_of_either(bytes, knows).into_iter().collect(),
        Content::Text(text) => key_of_text(text).into_iter().collect(),
        Content::Json(json) => keys_in_json(json.as_bytes(), knows),
    }
}

/// The key of bytes that are a binary form, or the letters of a text form, as in a binary column that text was written
/// to.
fn key_of_either(bytes: &[u8], knows: impl Fn(KeyId) -> bool) -> Option<KeyId> {
    let binary = key_of_bytes(bytes).filter(|id| knows(*id));
    binary.or_else(|| key_of_text(std::str::from_utf8(bytes).ok()?))
}

/// Whether JSON may contain one. It has no branch for a byte, so that the compiler takes 16 bytes at a time.
fn is_suspect(json: &[u8]) -> bool {
    // The first characters of a text form, the first byte of a list, and an escape that may hide any of these
    // characters.
    let at = |(first, (second, third)): (&u8, (&u8, &u8))| {
        let text = u8::from(*first == b'r')
            & u8::from(*second == b'x')
            // `r` or `s`, which differ in the last bit.
            & (u8::from(*third | 1 == b's') | u8::from(*third == b'k'));
        let list = u8::from(*first == b'1')
            & ((u8::from(*second == b'7') & u8::from(*third == b'5'))
                | (u8::from(*second == b'1') & u8::from(*third == b'4')));
        let escape = u8::from(*first == b'\\') & u8::from(*second == b'u');
        text | list | escape
    };
    let from = |start: usize| json.get(start..).unwrap_or_default().iter();
    from(0).zip(from(1).zip(from(2))).map(at).fold(0, |found, here| found | here) != 0
}

/// Looks at every string and every list of bytes in `json`. It checks what is between them no more than it must: a
/// payload that no JSON reader accepts must not hide what is in it.
fn keys_in_json(json: &[u8], knows: impl Fn(KeyId) -> bool) -> Vec<KeyId> {
    let mut found = Vec::new();
    let mut rest = json;
    // The innermost open list, as long as it contains only bytes.
    let mut list = None;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'"' => {
                let (string, behind) = split_string(rest);
                found.extend(key_of_string(string));
                (list, rest) = (None, behind);
            }
            b'[' => list = Some(PlainBuffer::default()),
            b']' => {
                let mut bytes: PlainBuffer = list.take().unwrap_or_default();
                found.extend(key_of_either(bytes.vec(), &knows));
            }
            b'0'..=b'9' => {
                let (number, behind) = split_number(*byte, rest);
                list = list.and_then(|bytes| with_byte(bytes, number?));
                rest = behind;
            }
            b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => list = None,
        }
    }
    found
}

/// The inside of the string whose first quote is before `json`, with its escapes unchanged, and the text after its last
/// quote.
fn split_string(json: &[u8]) -> (&[u8], &[u8]) {
    let mut escaped = false;
    let end = json.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    let (string, rest) = json.split_at_checked(end.unwrap_or(json.len())).unwrap_or_default();
    (string, rest.get(1..).unwrap_or_default())
}

/// The number that begins with `digit` and continues in `json`, if it is a byte, and the text after its digits. A
/// number that is not whole is followed by a character that ends the list.
fn split_number(digit: u8, json: &[u8]) -> (Option<u8>, &[u8]) {
    let digits = json.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (more, rest) = json.split_at_checked(digits).unwrap_or_default();
    let value = more.iter().fold(u16::from(digit.wrapping_sub(b'0')), |value, digit| {
        value.saturating_mul(10).saturating_add(u16::from(digit.wrapping_sub(b'0')))
    });
    (u8::try_from(value).ok(), rest)
}

/// `bytes` and one more. `None` if they can begin neither form.
fn with_byte(mut bytes: PlainBuffer, byte: u8) -> Option<PlainBuffer> {
    if bytes.vec().is_empty() && byte != FIRST_BYTE && byte != b'r' {
        return None;
    }
    reserve_wiping(bytes.vec(), 1);
    bytes.vec().push(byte);
    Some(bytes)
}

/// The key of a JSON string that is a complete text form.
fn key_of_string(string: &[u8]) -> Option<KeyId> {
    if !string.contains(&b'\\') {
        return key_of_text(std::str::from_utf8(string).ok()?);
    }
    // `\u` is the only escape that can be a character of base64url.
    let mut unescaped = PlainBuffer::default();
    reserve_wiping(unescaped.vec(), string.len());
    let mut rest = string;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        let byte = if *byte == b'\\' {
            let (escape, behind) = rest.split_first_chunk::<5>()?;
            rest = behind;
            let hex = std::str::from_utf8(escape.strip_prefix(b"u")?).ok()?;
            u8::from_str_radix(hex, 16).ok()?
        } else {
            *byte
        };
        unescaped.vec().push(byte);
    }
    key_of_text(std::str::from_utf8(unescaped.vec()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aead::Letter;
    use crate::codec::text;
    use crate::token::{Header, RECORD_TAG_LEN, RECORD_TAG_MAGIC, WRAPPED_KEY_LEN, WRAPPED_KEY_MAGIC};

    const KEY: KeyId = KeyId::from_bytes([7; 6]);

    fn token() -> Vec<u8> {
        let mut bytes = Header { letter: Letter::BoundXaes, key_id: KEY }.to_bytes().to_vec();
        bytes.resize(9 + 12 + 32 + 16, 0x55);
        bytes
    }

    fn record_tag() -> Vec<u8> {
        let mut bytes = RECORD_TAG_MAGIC.to_vec();
        bytes.extend_from_slice(KEY.as_bytes());
        bytes.resize(RECORD_TAG_LEN, 0x55);
        bytes
    }

    fn wrapped_key() -> Vec<u8> {
        let mut bytes = WRAPPED_KEY_MAGIC.to_vec();
        bytes.extend_from_slice(KEY.as_bytes());
        bytes.resize(WRAPPED_KEY_LEN, 0x55);
        bytes
    }

    /// How many are found, which has to be the same with and without the quick look.
    fn found(json: &str) -> usize {
        let keys = nested_keys(Content::Json(json), |id| id == KEY);
        assert!(keys.iter().all(|id| *id == KEY), "{json}");
        let payload = [&[2], json.as_bytes(), &[0x80, 0, 0]].concat();
        let refused = refuse_nested(&payload, |id| id == KEY);
        assert_eq!(
            refused.err().map(|error| error.code().as_str()),
            (!keys.is_empty()).then_some("token-inside"),
            "{json}"
        );
        keys.len()
    }

    #[test]
    fn every_spelling_in_json_is_found() {
        for bytes in [token(), wrapped_key(), record_tag()] {
            let text = text::encode(&bytes);
            let list = format!("{bytes:?}");
            let escaped: String = text.chars().map(|c| format!("\\u{:04X}", u32::from(c))).collect();
            let half_escaped = text.replacen('x', "\\u0078", 1);
            for one in [
                format!("\"{text}\""),
                format!("[1,\"{text}\",2]"),
                format!("{{\"{text}\":1}}"),
                format!("{{\"a\\\\\":{{\"b\\\"\":\"{text}\"}}}}"),
                format!("\"{escaped}\""),
                format!("[\"{half_escaped}\"]"),
                list.clone(),
                list.replace(' ', ""),
                list.replace(", ", "\n\t, \r"),
                format!("{:?}", text.as_bytes()),
                format!("{{\"a\":{:?}}}", text.as_bytes()),
                format!("{{\"a\":[[1],{list},[\"x\"]]}}"),
            ] {
                assert_eq!(found(&one), 1, "{one}");
            }
            assert_eq!(found(&format!("[\"{text}\",{list},{{\"{text}\":{list}}}]")), 4);
        }
    }

    #[test]
    fn what_only_resembles_one_is_not() {
        let text = text::encode(&token());
        let list = format!("{:?}", token());
        for none in [
            format!("\" {text}\""),
            format!("\"{text}=\""),
            format!("\"{text}\\n\""),
            format!("\"{}\"", &text[..50]),
            format!("\"see {text}\""),
            list.replacen("175", "175.0", 1),
            list.replacen("175", "-175", 1),
            list.replacen("175", "1750", 1),
            list.replacen("85", "256", 1),
            list.replacen("85", "\"85\"", 1),
            list.replacen("85", "[85]", 1),
            list.replacen("85", "{}", 1),
            list.replacen("[", "[0,", 1),
            format!("{:?}", format!("{text} ").as_bytes()),
            format!("{:?}", &text.as_bytes()[1..]),
            format!("{:?}", &token()[..38]),
            "\"rxs".into(),
            "[175,27,23".into(),
            "\"\\u00".into(),
            "]]]\"\\".into(),
        ] {
            assert_eq!(found(&none), 0, "{none}");
        }
        let unknown = nested_keys(Content::Json(&list), |_| false);
        assert!(unknown.is_empty(), "bytes of no known key are bytes");
        let unknown = nested_keys(Content::Json(&format!("\"{text}\"")), |_| false);
        assert_eq!(unknown, [KEY], "text is a token whoever can open it");
    }

    #[test]
    fn a_value_that_is_one_is_refused_as_such() {
        for bytes in [token(), wrapped_key(), record_tag()] {
            let text = text::encode(&bytes);
            let code = |kind: u8, content: &[u8]| {
                let payload = [&[kind], content, &[0x80]].concat();
                refuse_nested(&payload, |id| id == KEY).err().map(|error| error.code().as_str())
            };
            assert_eq!(code(1, text.as_bytes()), Some("token-as-plaintext"));
            assert_eq!(code(0, &bytes), Some("token-as-plaintext"));
            assert_eq!(code(0, text.as_bytes()), Some("token-as-plaintext"), "the letters of a text form");
            assert_eq!(code(0, format!("{text} ").as_bytes()), None);
            assert_eq!(code(1, format!("{text} ").as_bytes()), None);
            assert_eq!(code(0, &[bytes.as_slice(), &[0; 20_000_000]].concat()), Some("open-failed"));
        }
    }
}
