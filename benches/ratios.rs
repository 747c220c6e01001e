//! Ratios against the floor, in one run: every candidate is measured in turn, many times, and medians are compared.
//!
//! The floor of a record is the cost that no design can avoid: one draw of 12 bytes from the operating system and, for
//! each sealed field, one raw AES-256-GCM call of the same backend with an expanded key, the same AAD and padded
//! length, and base64 of the same length. Absolute numbers differ between machines, but ratios within one run hold.
//!
//! `cargo bench -p rxseal-benches --bench ratios` prints the table; `--features aws-lc` adds that of AWS-LC, and
//! `-- --test` runs everything once.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;
#[path = "ratios/raw.rs"]
mod raw;

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use common::{DRUG, Drug, open_record, seal_record};
use raw::Raw;
use rxseal::keys::{Backend, Suite};
use rxseal_watch::{FileLog, SigningKey, Watch};

/// One thing to measure.
struct Candidate<'a> {
    name: &'static str,
    run: Box<dyn FnMut() + 'a>,
    nanoseconds: Vec<f64>,
}

fn main() {
    let once = std::env::args().any(|argument| argument == "--test");
    let (rounds, repeats) = if once { (1, 1) } else { (200, 500) };
    measure(Backend::RustCrypto, rounds, repeats, [1.6, 1.8]);
    #[cfg(feature = "aws-lc")]
    measure(Backend::AwsLc, rounds, repeats, [1.45, 1.75]);
}

/// `targets` are for sealing and for opening the record.
fn measure(backend: Backend, rounds: u32, repeats: u32, targets: [f64; 2]) {
    let keys = common::unlocked_with(Suite::default(), backend).unobserved();
    let record = keys.record("prescription", common::RECORD_ID).unwrap();
    let access = common::access();
    let open = record.opened_by(&access);
    let tokens = seal_record(&record);
    let rx = common::prescription();
    let plain = common::plain_prescription();
    let json = serde_json::to_string(&record.sealing(&rx)).unwrap();
    let plain_json = serde_json::to_string(&plain).unwrap();
    let observed = common::unlocked_with(Suite::default(), backend).observed_by(Counting::default());
    let observed_record = observed.record("prescription", common::RECORD_ID).unwrap();
    let observed_tokens = seal_record(&observed_record);
    let observed_open = observed_record.opened_by(&access);
    let folder = std::env::temp_dir().join(format!("rxseal-ratios-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let log = FileLog::in_folder(&folder, SigningKey::generate("ratios.example").unwrap()).unwrap();
    // So much room that an opening never waits for the disk: a service does not open without a pause.
    let watch = Watch::over(log).buffer(65_536).start().unwrap();
    let watched = common::unlocked_with(Suite::default(), backend).observed_by(watch.observer());
    let watched_record = watched.record("prescription", common::RECORD_ID).unwrap();
    let watched_access = common::access();
    let watched_tokens = seal_record(&watched_record);
    let watched_open = watched_record.opened_by(&watched_access);
    let raw = Raw::new(backend);
    let raw_record = raw.seal_record();
    let raw_single = raw.seal("bench.drug", DRUG);
    let single = record.seal_text::<Drug>(DRUG).unwrap();

    let mut candidates = vec![
        candidate("floor: seal", || {
            black_box(raw.seal_record());
        }),
        candidate("floor: open", || raw.open_record(&raw_record)),
        candidate("draw of 12 bytes", || getrandom::fill(black_box(&mut [0; 12])).unwrap()),
        candidate("seal the record, direct calls", || {
            black_box(seal_record(&record));
        }),
        candidate("open the record, direct calls", || {
            black_box(open_record(&open, &tokens));
        }),
        candidate("new record and seal it", || {
            let record = keys.record("prescription", common::RECORD_ID).unwrap();
            black_box(seal_record(&record));
        }),
        candidate("new record and open it", || {
            let record = keys.record("prescription", common::RECORD_ID).unwrap();
            black_box(open_record(&record.opened_by(&access), &tokens));
        }),
        candidate("open the record, observed", || {
            black_box(open_record(&observed_open, &observed_tokens));
        }),
        candidate("open the record, watched", || {
            black_box(open_record(&watched_open, &watched_tokens));
        }),
        candidate("serde_json write, sealed", || {
            black_box(serde_json::to_string(&record.sealing(&rx)).unwrap());
        }),
        candidate("serde_json write, plain", || {
            black_box(serde_json::to_string(&plain).unwrap());
        }),
        candidate("serde_json read, sealed", || {
            let read: common::Prescription = open.run_opening(|| serde_json::from_str(&json)).unwrap();
            black_box(read.rx_number);
        }),
        candidate("serde_json read, plain", || {
            let read: common::PlainPrescription = serde_json::from_str(&plain_json).unwrap();
            black_box(read.rx_number);
        }),
        candidate("one field, sealed alone", || {
            let record = keys.record("prescription", common::RECORD_ID).unwrap();
            black_box(record.seal_text::<Drug>(DRUG).unwrap());
        }),
        candidate("one field, opened alone", || {
            let record = keys.record("prescription", common::RECORD_ID).unwrap();
            black_box(record.opened_by(&access).open_text::<Drug, String>(&single).unwrap());
        }),
        candidate("context digest (SHA-256)", || raw.digest()),
        candidate("key derivation and set-up", || {
            black_box(Raw::new(backend));
        }),
        candidate("one raw seal and base64", || {
            black_box(raw.seal("bench.drug", DRUG));
        }),
        candidate("one raw open and base64", || {
            black_box(raw.open("bench.drug", &raw_single));
        }),
    ];

    for _ in 0..rounds {
        for candidate in &mut candidates {
            let start = Instant::now();
            for _ in 0..repeats {
                (candidate.run)();
            }
            candidate.nanoseconds.push(start.elapsed().as_nanos() as f64 / f64::from(repeats));
        }
    }
    println!("{backend:?}");
    report(&mut candidates, targets);
    drop(candidates);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// An observer that does the least possible.
#[derive(Default)]
struct Counting(AtomicU64);

impl rxseal::observe::Observer for Counting {
    fn opened(&self, event: &rxseal::observe::OpenEvent<'_>) -> Result<(), rxseal::Error> {
        self.0.fetch_add(event.fields() as u64, Ordering::Relaxed);
        Ok(())
    }
}

fn candidate<'a>(name: &'static str, run: impl FnMut() + 'a) -> Candidate<'a> {
    Candidate { name, run: Box::new(run), nanoseconds: Vec::new() }
}

fn report(candidates: &mut [Candidate<'_>], [seal_target, open_target]: [f64; 2]) {
    let mut median = std::collections::HashMap::new();
    println!("{:<34} {:>12}", "what", "ns (median)");
    for candidate in candidates {
        candidate.nanoseconds.sort_by(f64::total_cmp);
        let value = candidate.nanoseconds[candidate.nanoseconds.len() / 2];
        println!("{:<34} {value:>12.0}", candidate.name);
        median.insert(candidate.name, value);
    }
    let ns = |name: &str| median[name];
    let single_floor = ns("draw of 12 bytes") + ns("context digest (SHA-256)") + ns("key derivation and set-up");
    let rows = [
        ("seal the record / floor", ns("seal the record, direct calls") / ns("floor: seal"), seal_target),
        ("open the record / floor", ns("open the record, direct calls") / ns("floor: open"), open_target),
        ("new record and seal it / floor", ns("new record and seal it") / ns("floor: seal"), seal_target),
        ("new record and open it / floor", ns("new record and open it") / ns("floor: open"), open_target),
        ("observed / unobserved", ns("open the record, observed") / ns("open the record, direct calls"), 1.03),
        ("watched / unwatched", ns("open the record, watched") / ns("open the record, direct calls"), 1.05),
        (
            "JSON write / (direct + plain JSON)",
            ns("serde_json write, sealed") / (ns("seal the record, direct calls") + ns("serde_json write, plain")),
            1.15,
        ),
        (
            "JSON read / (direct + plain JSON)",
            ns("serde_json read, sealed") / (ns("open the record, direct calls") + ns("serde_json read, plain")),
            1.15,
        ),
        (
            "one field sealed / its parts",
            ns("one field, sealed alone") / (single_floor + ns("one raw seal and base64")),
            1.2,
        ),
        (
            "one field opened / its parts",
            ns("one field, opened alone") / (single_floor - ns("draw of 12 bytes") + ns("one raw open and base64")),
            1.2,
        ),
    ];
    println!("\n{:<38} {:>8} {:>8}", "ratio", "is", "target");
    for (name, ratio, target) in rows {
        println!("{name:<38} {ratio:>8.2} {target:>8.2}");
    }
}
