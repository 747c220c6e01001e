//! A written payload is read back unchanged. Any bytes are read without a panic. The length is a multiple of the block
//! and tells nothing else (FORMAT 7).
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal::fuzzing::{read_payload, write_bytes, write_json, write_text};
use rxseal_fuzz::made;

fuzz_target!(|data: &[u8]| {
    // Any bytes: they consist only of kind, content and padding.
    if let Some((kind, content)) = read_payload(data) {
        let padding = &data[1 + content.len()..];
        assert!(kind <= 2 && data[0] == kind && data[1..].starts_with(&content));
        assert!(padding[0] == 0x80 && padding[1..].iter().all(|byte| *byte == 0));
        assert!(kind == 0 || std::str::from_utf8(&content).is_ok());
    }
    let Some((block, bytes, text)) = made::<(u16, Vec<u8>, String)>(data) else { return };
    let block = usize::from(block % 4096) + 1;
    let check = |payload: Vec<u8>, kind: u8, content: &[u8]| {
        assert_eq!(payload.len(), (content.len() + 2).div_ceil(block) * block);
        assert_eq!(read_payload(&payload), Some((kind, content.to_vec())));
    };
    check(write_bytes(&bytes, block).expect("bytes"), 0, &bytes);
    if let Some(payload) = write_text(&text, block) {
        check(payload, 1, text.as_bytes());
    }
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(&bytes)
        && !value.is_string()
        && let Some(payload) = write_json(&value, block)
    {
        check(payload, 2, &serde_json::to_vec(&value).expect("JSON"));
    }
});
