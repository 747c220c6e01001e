//! Text that parses as a token is its canonical text: there is no second spelling.
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal::Token;

fuzz_target!(|text: &str| {
    match text.parse::<Token>() {
        Ok(token) => {
            assert_eq!(token.to_string(), text);
            assert_eq!(Token::try_from(token.as_bytes()).expect("its own bytes"), token);
        }
        Err(error) => assert!(error.is_not_a_token() && !error.is_api_misuse()),
    }
});
