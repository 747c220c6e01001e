//! Any bytes are a log, a dump or an export: a known value and a token that lie between them are found, and are quoted nowhere.
#![no_main]
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rxseal::phi::Drug;
use rxseal_scan::{Kind, KnownValues, Report, Scan};

const VALUE: &str = "Zoë O'Quillfeather";

static SCAN: LazyLock<Scan> =
    LazyLock::new(|| Scan::new().looking_for(KnownValues::new([("planted", VALUE)]).unwrap()));
static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    keys.record("prescription", "RX-1001").unwrap().seal::<Drug>("warfarin 5 MG").unwrap().to_string()
});
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("rxseal-fuzz-scan-{}", std::process::id())));

fn scan(parts: &[&[u8]]) -> Report {
    std::fs::write(&*FILE, parts.concat()).unwrap();
    SCAN.file(&*FILE)
}

fuzz_target!(|data: &[u8]| {
    let alone = scan(&[data]);
    assert!(alone.findings().iter().all(|finding| finding.count() > 0));
    // Of UTF-16, what is planted is no letter. Without a mark, its zero bytes tell it.
    if data.starts_with(&[0xFF, 0xFE]) || data.starts_with(&[0xFE, 0xFF]) || data.contains(&0) {
        return;
    }
    let (before, behind) = data.split_at(data.len() / 2);
    let report = scan(&[before, b"\n", TOKEN.as_bytes(), b" ", VALUE.as_bytes(), b"\n", behind]);
    for kind in [Kind::KnownValue, Kind::TokenElsewhere] {
        assert!(report.findings().iter().any(|finding| finding.kind() == kind), "{kind:?} was not found");
    }
    let shown = format!("{report:?}");
    assert!(!shown.contains(VALUE) && !shown.contains(&*TOKEN), "the report quotes what was found");
});
