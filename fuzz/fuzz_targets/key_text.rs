//! Keys as text: a root key's line, a wrapped subject key and a key id have one spelling, and a changed wrapped key does not
//! unwrap (FORMAT 1.2, 9.1, 10).
#![no_main]
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rxseal::KeyId;
use rxseal::fuzzing::root_key_line;
use rxseal::subjects::WrappedSubjectKey;
use rxseal_fuzz::{KEYS, changed};

static WRAPPED: LazyLock<WrappedSubjectKey> =
    LazyLock::new(|| KEYS.create_subject_key("patient").expect("a subject key").1);

fuzz_target!(|data: &[u8]| {
    if let Some(line) = root_key_line(data) {
        let given = data.strip_suffix(b"\n").unwrap_or(data);
        assert_eq!(line, [given, b"\n"].concat());
        assert!(line.starts_with(b"rxseal-root-v1:") && line.len() == 59);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(id) = text.parse::<KeyId>() {
            assert_eq!(id.to_string(), text);
        }
        if let Ok(wrapped) = text.parse::<WrappedSubjectKey>() {
            assert_eq!(wrapped.to_string(), text);
            assert!(KEYS.unwrap_subject_key("patient", &wrapped).is_err(), "a key that nobody wrapped was unwrapped");
        }
    }
    if let Ok(wrapped) = WrappedSubjectKey::try_from(changed(WRAPPED.as_bytes(), data).as_slice()) {
        assert_eq!(wrapped.to_string().parse::<WrappedSubjectKey>().expect("its own text"), wrapped);
        assert_eq!(KEYS.unwrap_subject_key("patient", &wrapped).is_ok(), wrapped == *WRAPPED);
        assert!(KEYS.unwrap_subject_key("patient-2", &wrapped).is_err());
        assert!(wrapped == *WRAPPED || KEYS.rewrap_subject_key("patient", &wrapped).is_err());
    }
});
