//! Text that parses as a token is its canonical text: there is no second spelling.
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal::Token;
use rxseal_fuzz::{changed, laws};

fuzz_target!(|data: &[u8]| {
    // Unchanged, and as a good text that was changed in a few places.
    let good = Token::try_from([&[0xAF, 0x1B, 0x17], [7; 60].as_slice(), &data[..data.len().min(3)]].concat());
    let spelled = changed(good.expect("a token").to_string().as_bytes(), data);
    for text in [data, &spelled].into_iter().filter_map(|bytes| std::str::from_utf8(bytes).ok()) {
        match text.parse::<Token>() {
            Ok(token) => {
                assert_eq!(token.to_string(), text);
                laws::well_formed(&token);
            }
            Err(error) => assert!(error.is_not_a_token() && !error.is_api_misuse()),
        }
    }
});
