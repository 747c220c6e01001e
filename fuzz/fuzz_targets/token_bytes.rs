//! Bytes that parse as a token are the token, in both forms.
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal::Token;

fuzz_target!(|bytes: &[u8]| {
    let Ok(token) = Token::try_from(bytes) else { return };
    assert_eq!(token.as_bytes(), bytes);
    assert_eq!(token.key_id().as_bytes(), &bytes[3..9]);
    let text = token.to_string();
    assert!(text.starts_with("rxs"));
    assert_eq!(text[4..12], token.key_id().to_string());
    assert_eq!(text.parse::<Token>().expect("its own text"), token);
});
