//! Ids are taken as they are or refused: never changed, never confused (FORMAT 1.3 to 1.6, 4.1).
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal::phi::Drug;
use rxseal_fuzz::{KEYS, access};

fuzz_target!(|input: (&str, &str, &str, &str)| {
    let (record_type, id, part, part_id) = input;
    let Ok(record) = KEYS.record(record_type, id) else { return };
    assert_eq!(record.record_type(), record_type);
    assert!(id.bytes().all(|byte| byte.is_ascii_graphic()) && (1..=255).contains(&id.len()));
    let token = record.seal::<Drug>("warfarin").expect("a token");
    // A context that differs in anything does not open it.
    assert!(access().open::<Drug, String>(&token).is_err());
    if let Ok(part) = record.part(part, part_id) {
        let opened = part.access(&rxseal::Access::new("job:fuzz", rxseal::Purpose::HTEST).expect("an access"));
        assert!(opened.open::<Drug, String>(&token).is_err());
    }
});
