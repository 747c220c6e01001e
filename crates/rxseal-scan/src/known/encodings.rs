//! How programs write a text. Each function answers the bytes that are in a file; some have several ways.

use std::fmt::Write as _;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

pub(super) const NAMES: [&str; 12] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1252",
    "json",
    "url",
    "form",
    "html",
    "quoted",
    "hex",
    "base64",
    "base64url",
];

type Encode = fn(&str) -> Vec<Vec<u8>>;

/// In the order of the names.
pub(super) const ENCODINGS: [Encode; 12] = [
    |text| vec![text.as_bytes().to_vec()],
    |text| vec![text.encode_utf16().flat_map(u16::to_le_bytes).collect()],
    |text| vec![text.encode_utf16().flat_map(u16::to_be_bytes).collect()],
    windows_1252,
    json,
    |text| vec![percent(text, b"-._~", "%20", true), percent(text, b"-._~", "%20", false)],
    |text| vec![percent(text, b"-._*", "+", true), percent(text, b"-._*", "+", false)],
    html,
    |text| {
        let doubled = text.replace('\'', "''").replace('"', "\"\"");
        let escaped = text.replace('\\', r"\\").replace('\'', r"\'").replace('"', "\\\"");
        vec![doubled.into_bytes(), escaped.into_bytes()]
    },
    |text| vec![hex(text, false), hex(text, true)],
    |text| in_base64(text, &STANDARD_NO_PAD),
    |text| in_base64(text, &URL_SAFE_NO_PAD),
];

/// None if it has a letter that this encoding lacks.
fn windows_1252(text: &str) -> Vec<Vec<u8>> {
    let (bytes, _, lacks) = encoding_rs::WINDOWS_1252.encode(text);
    if lacks { Vec::new() } else { vec![bytes.into_owned()] }
}

/// With letters beyond ASCII as they are and as `\u00eb`, in both cases, and with `/` in both forms.
fn json(text: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for slash in ["/", r"\/"] {
        for style in [Unicode::AsItIs, Unicode::Small, Unicode::Capital] {
            let mut json = String::new();
            for char in text.chars() {
                match (char, style) {
                    ('"' | '\\', _) => json.extend(['\\', char]),
                    ('/', _) => json.push_str(slash),
                    (char, Unicode::AsItIs) => json.push(char),
                    (char, _) if char.is_ascii() => json.push(char),
                    (char, style) => {
                        for unit in char.encode_utf16(&mut [0; 2]) {
                            // Writing to a string cannot fail.
                            let _ = match style {
                                Unicode::Capital => write!(json, "\\u{unit:04X}"),
                                _ => write!(json, "\\u{unit:04x}"),
                            };
                        }
                    }
                }
            }
            all.push(json.into_bytes());
        }
    }
    all
}

#[derive(Clone, Copy)]
enum Unicode {
    AsItIs,
    Small,
    Capital,
}

fn percent(text: &str, as_they_are: &[u8], space: &str, capital: bool) -> Vec<u8> {
    let mut url = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => url.push_str(space),
            byte if byte.is_ascii_alphanumeric() || as_they_are.contains(&byte) => url.push(char::from(byte)),
            byte => {
                let _ = if capital { write!(url, "%{byte:02X}") } else { write!(url, "%{byte:02x}") };
            }
        }
    }
    url.into_bytes()
}

/// With letters beyond ASCII as they are and as numbers.
fn html(text: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for apostrophe in ["&#39;", "&apos;", "&#x27;"] {
        for numbers in [false, true] {
            let mut html = String::new();
            for char in text.chars() {
                match char {
                    '&' => html.push_str("&amp;"),
                    '<' => html.push_str("&lt;"),
                    '>' => html.push_str("&gt;"),
                    '"' => html.push_str("&quot;"),
                    '\'' => html.push_str(apostrophe),
                    char if char.is_ascii() || !numbers => html.push(char),
                    char => {
                        let _ = write!(html, "&#{};", u32::from(char));
                    }
                }
            }
            all.push(html.into_bytes());
        }
    }
    all
}

fn hex(text: &str, capital: bool) -> Vec<u8> {
    let mut hex = String::new();
    for byte in text.bytes() {
        let _ = if capital { write!(hex, "{byte:02X}") } else { write!(hex, "{byte:02x}") };
    }
    hex.into_bytes()
}

/// At each of the three places at which the value may begin in what was encoded. Letters that depend on what is around it are left out.
fn in_base64(text: &str, engine: &impl base64::Engine) -> Vec<Vec<u8>> {
    let at = |before: usize| {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(text.as_bytes());
        let begin = before.saturating_mul(8).div_ceil(6);
        let end = bytes.len().saturating_mul(8).checked_div(6).unwrap_or_default();
        engine.encode(bytes).get(begin..end).unwrap_or_default().as_bytes().to_vec()
    };
    [0, 1, 2].map(at).to_vec()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    #[test]
    fn base64_is_found_wherever_it_begins() {
        let text = "Zoë O'Quillfeather";
        for before in 0..9 {
            for behind in 0..4 {
                let whole = [&*"x".repeat(before), text, &*"y".repeat(behind)].concat();
                let encoded = STANDARD_NO_PAD.encode(whole);
                let found = |pattern: &Vec<u8>| encoded.contains(std::str::from_utf8(pattern).unwrap());
                assert!(in_base64(text, &STANDARD_NO_PAD).iter().any(found), "{before} {behind}");
            }
        }
    }

    #[test]
    fn each_encoding_has_its_own_form() {
        let all: Vec<Vec<String>> = ENCODINGS
            .iter()
            .map(|encode| {
                encode("Zoë /O'Q\"").iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
            })
            .collect();
        for (encoding, form) in [
            (4, "Zo\\u00eb \\/O'Q\\\""),
            (5, "Zo%C3%AB%20%2FO%27Q%22"),
            (6, "Zo%c3%ab+%2fO%27Q%22"),
            (7, "Zo&#235; /O&#39;Q&quot;"),
            (8, "Zoë /O''Q\"\""),
            (9, "5a6fc3ab202f4f275122"),
        ] {
            assert!(all[encoding].iter().any(|has| has == form), "{}: {:?}", NAMES[encoding], all[encoding]);
        }
    }
}
