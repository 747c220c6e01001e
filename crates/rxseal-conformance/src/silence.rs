//! Checks that no secret is in an error: as text, as numbers, in hex or in base64.

use std::error::Error as StdError;
use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The form in which a part of `secrets` appears in an error or its causes, if any does.
pub(crate) fn shown_in(error: &(dyn StdError + 'static), secrets: &[&[u8]]) -> Option<&'static str> {
    let mut texts = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        texts.extend([format!("{cause}"), format!("{cause:?}"), format!("{cause:#?}")]);
        next = cause.source();
    }
    let texts = texts.join("\n");
    let folded = texts.to_lowercase();
    let unspaced: String = texts.split_whitespace().collect();
    for secret in secrets {
        for piece in secret.windows(8) {
            if folded.contains(&hex(piece)) {
                return Some("hex");
            }
            if unspaced.contains(&piece.iter().map(u8::to_string).collect::<Vec<_>>().join(",")) {
                return Some("numbers");
            }
        }
        for start in 0..3 {
            // Whole groups of three bytes, so that what follows does not change their text.
            for piece in secret.get(start..).unwrap_or_default().chunks_exact(9) {
                if [STANDARD_NO_PAD.encode(piece), URL_SAFE_NO_PAD.encode(piece)]
                    .iter()
                    .any(|text| texts.contains(text))
                {
                    return Some("base64");
                }
            }
        }
    }
    None
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_found() {
        let secret: Vec<u8> = (7..39).collect();
        let shown = |text: String| shown_in(&std::io::Error::other(text), &[&secret]);
        assert_eq!(shown(hex(&secret)), Some("hex"));
        assert_eq!(shown(hex(&secret[5..20]).to_uppercase()), Some("hex"));
        assert_eq!(shown(format!("{secret:?}")), Some("numbers"));
        assert_eq!(shown(format!("{:#?}", &secret[3..])), Some("numbers"));
        assert_eq!(shown(URL_SAFE_NO_PAD.encode(&secret)), Some("base64"));
        assert_eq!(shown(STANDARD_NO_PAD.encode(&secret[1..])), Some("base64"));
        assert_eq!(shown("the key is not there".to_owned()), None);
    }
}
