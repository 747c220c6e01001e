//! Any text is a map, or has mistakes whose lines are lines of it; and a map that was read is one that a check can judge.
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal::schema::Schema;
use rxseal_fuzz::changed;
use rxseal_map::Map;

const GOOD: &str = include_str!("../corpus/map_text/good");

fuzz_target!(|data: &[u8]| {
    // Unchanged, and as a good map that was changed in a few places.
    let spelled = changed(GOOD.as_bytes(), data);
    for text in [data, &spelled].into_iter().filter_map(|bytes| std::str::from_utf8(bytes).ok()) {
        match Map::parse(text) {
            Ok(map) => {
                let read = map.sources().iter().all(|source| !source.sealed().is_empty() && !source.id().is_empty());
                assert!(read && !map.sources().is_empty());
                assert_eq!(map.digest(), Map::parse(text).expect("as before").digest());
                // The program has no record type.
                assert!(map.check(&Schema::new()).iter().any(|finding| finding.is_fault()));
            }
            Err(mistakes) => {
                let lines = text.matches('\n').count() + 1;
                assert!(mistakes.iter().count() > 0);
                assert!(mistakes.iter().all(|mistake| (1..=lines).contains(&mistake.line())));
            }
        }
    }
});
