//! What is written as a payload is read as the same; any bytes are read without a panic; the length is a multiple of the
//! block (FORMAT 7).
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal::fuzzing::{read_payload, write_bytes, write_text};

fuzz_target!(|input: (u16, &[u8], String)| {
    let (block, bytes, text) = input;
    let block = usize::from(block % 4096) + 1;
    let _ = read_payload(bytes);
    let payload = write_bytes(bytes, block).expect("bytes");
    assert_eq!(payload.len() % block, 0);
    assert_eq!(read_payload(&payload), Some((0, bytes.to_vec())));
    if let Some(payload) = write_text(&text, block) {
        assert_eq!(payload.len() % block, 0);
        assert_eq!(read_payload(&payload), Some((1, text.into_bytes())));
    }
});
