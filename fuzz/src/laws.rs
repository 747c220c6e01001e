//! Laws that several targets check.

use rxseal::{Error, RecordReader, Token, phi::Drug};

/// The errors that opening may give for input that nobody sealed.
const CODES: [&str; 5] = ["not-a-token", "open-failed", "unknown-key", "key-compromised", "key-destroyed"];

/// One token in all its forms (FORMAT 6).
pub fn well_formed(token: &Token) {
    let (bytes, text) = (token.as_bytes(), token.to_string());
    let least = match &bytes[..3] {
        [0xAF, 0x1B, 0x17] => 39,
        [0xAF, 0x1B, 0x31 | 0x1C] => 51,
        magic => panic!("{magic:?} is the magic of no token"),
    };
    assert!((least..=least + 16_781_310).contains(&bytes.len()), "FORMAT 6.3: {} bytes", bytes.len());
    assert!(text.starts_with("rxs") && !text.contains('='));
    assert_eq!(token.key_id().as_bytes(), &bytes[3..9]);
    assert_eq!(text[4..12], token.key_id().to_string());
    assert_eq!(text.parse::<Token>().expect("its own text"), *token);
    assert_eq!(Token::try_from(bytes).expect("its own bytes"), *token);
    assert_eq!(Token::try_from(bytes.to_vec()).expect("its own bytes"), *token);
}

/// Nothing opens that was not sealed, by any call that opens. All calls give the same error.
pub fn nothing_opens(access: &RecordReader, candidate: &[u8]) {
    let mut into = vec![1, 2, 3];
    let refusals = [
        Token::try_from(candidate).and_then(|token| access.open::<Drug, String>(&token)).err(),
        Token::try_from(candidate).and_then(|token| access.open_text::<Drug, String>(&token.to_string())).err(),
        access.open_fields(|pass| pass.open_into::<Drug>(candidate, &mut into)).err(),
    ];
    let codes = refusals.map(|refusal| documented(&refusal.expect("a token that nobody sealed was opened")));
    assert!(codes[0] == codes[1] && codes[1] == codes[2]);
    assert_eq!(into, [1, 2, 3], "what was in the buffer stays");
}

pub fn documented(error: &Error) -> &'static str {
    assert!(CODES.contains(&error.code().as_str()), "{}", error.code().as_str());
    assert!(!error.is_api_misuse(), "untrusted data is no misuse by the program");
    error.code().as_str()
}
