//! Bytes that parse as a token are that token in all its forms. All other bytes are refused as not a token.
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal::Token;
use rxseal_fuzz::laws;

fuzz_target!(|bytes: &[u8]| {
    // Unchanged, and after each magic, so that what follows is reached at once.
    for magic in [[].as_slice(), &[0xAF, 0x1B, 0x17], &[0xAF, 0x1B, 0x31], &[0xAF, 0x1B, 0x1C]] {
        let bytes = [magic, bytes].concat();
        match Token::try_from(bytes.as_slice()) {
            Ok(token) => {
                assert_eq!(token.as_bytes(), bytes);
                laws::well_formed(&token);
            }
            Err(error) => assert!(error.is_not_a_token() && !error.is_api_misuse()),
        }
    }
});
