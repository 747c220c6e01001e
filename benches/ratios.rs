//! Ratios against the floor, in one run: every candidate is measured in turn, many times, and medians are compared.
//!
//! The floor of a record is what no design can avoid: one draw of 12 bytes from the operating system, and per sealed field one
//! raw AES-256-GCM call with an expanded key, the same AAD and padded length, and base64 of the same length. Absolute numbers
//! move between machines; ratios within one run hold.
//!
//! `cargo bench --bench ratios` prints the table; `-- --test` runs everything once.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{BIRTH_DATE, BirthDate, DIRECTIONS, DRUG, Directions, Drug, FIELDS, NAME, Name, PRESCRIBER, Prescriber};
use rxseal::{Record, RecordAccess, SealPass, Suite};
use sha2::Digest;

/// One thing to measure.
struct Candidate<'a> {
    name: &'static str,
    run: Box<dyn FnMut() + 'a>,
    nanoseconds: Vec<f64>,
}

fn main() {
    let once = std::env::args().any(|argument| argument == "--test");
    let (rounds, repeats) = if once { (1, 1) } else { (200, 500) };

    let keys = common::keyring(Suite::default());
    let record = keys.record("prescription", common::RECORD_ID).unwrap();
    let access = common::access();
    let open = record.access(&access);
    let tokens = seal_record(&record);
    let rx = common::prescription();
    let plain = common::plain_prescription();
    let json = serde_json::to_string(&record.sealing(&rx)).unwrap();
    let plain_json = serde_json::to_string(&plain).unwrap();
    let observed = common::unlocked(Suite::default()).observed_by(Counting::default());
    let observed_record = observed.record("prescription", common::RECORD_ID).unwrap();
    let observed_tokens = seal_record(&observed_record);
    let observed_open = observed_record.access(&access);
    let cipher = Aes256Gcm::new(&[7; 32].into());
    let mut floor = Floor::new(&cipher);
    let mut floor_again = Floor::new(&cipher);
    let single = record.seal_text::<Drug>(DRUG).unwrap();

    let mut candidates = vec![
        candidate("floor: seal", || floor.seal()),
        candidate("floor: open", || floor_again.open()),
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
            black_box(open_record(&record.access(&access), &tokens));
        }),
        candidate("open the record, observed", || {
            black_box(open_record(&observed_open, &observed_tokens));
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
            black_box(record.access(&access).open_text::<Drug, String>(&single).unwrap());
        }),
        candidate("context digest (SHA-256)", || {
            black_box(sha2::Sha256::digest(black_box([0_u8; 110])));
        }),
        candidate("key derivation and set-up", || {
            black_box(Aes256Gcm::new(black_box(&[7; 32].into())));
        }),
        candidate("one raw seal and base64", || {
            black_box(raw_seal(&cipher, "bench.drug", DRUG));
        }),
        candidate("one raw open and base64", || {
            black_box(raw_open(&cipher, "bench.drug", &single));
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
    report(&mut candidates);
}

/// An observer that does what the least of them does.
#[derive(Default)]
struct Counting(AtomicU64);

impl rxseal::Observer for Counting {
    fn opened(&self, event: &rxseal::OpenEvent<'_>) {
        self.0.fetch_add(event.fields() as u64, Ordering::Relaxed);
    }
}

fn candidate<'a>(name: &'static str, run: impl FnMut() + 'a) -> Candidate<'a> {
    Candidate { name, run: Box::new(run), nanoseconds: Vec::new() }
}

fn report(candidates: &mut [Candidate<'_>]) {
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
        ("seal the record / floor", ns("seal the record, direct calls") / ns("floor: seal"), 1.6),
        ("open the record / floor", ns("open the record, direct calls") / ns("floor: open"), 1.8),
        ("new record and seal it / floor", ns("new record and seal it") / ns("floor: seal"), 1.6),
        ("new record and open it / floor", ns("new record and open it") / ns("floor: open"), 1.8),
        ("observed / unobserved", ns("open the record, observed") / ns("open the record, direct calls"), 1.03),
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

fn seal_record(record: &Record) -> [String; 5] {
    record
        .seal_fields(|pass: &mut SealPass<'_>| {
            Ok::<_, rxseal::Error>([
                pass.seal_text::<Name>(NAME)?,
                pass.seal_text::<BirthDate>(BIRTH_DATE)?,
                pass.seal_text::<Drug>(DRUG)?,
                pass.seal_text::<Directions>(DIRECTIONS)?,
                pass.seal_text::<Prescriber>(PRESCRIBER)?,
            ])
        })
        .unwrap()
}

fn open_record(open: &RecordAccess, [name, birth_date, drug, directions, prescriber]: &[String; 5]) -> [String; 5] {
    open.open_fields(|pass| {
        Ok::<_, rxseal::Error>([
            pass.open_text::<Name, _>(name)?,
            pass.open_text::<BirthDate, _>(birth_date)?,
            pass.open_text::<Drug, _>(drug)?,
            pass.open_text::<Directions, _>(directions)?,
            pass.open_text::<Prescriber, _>(prescriber)?,
        ])
    })
    .unwrap()
}

/// What no design can avoid.
struct Floor<'a> {
    cipher: &'a Aes256Gcm,
    sealed: Vec<(&'static str, String)>,
}

impl<'a> Floor<'a> {
    fn new(cipher: &'a Aes256Gcm) -> Self {
        let sealed = FIELDS.iter().map(|(id, value)| (*id, raw_seal(cipher, id, value))).collect();
        Self { cipher, sealed }
    }

    fn seal(&mut self) {
        getrandom::fill(black_box(&mut [0; 12])).unwrap();
        for (id, value) in FIELDS {
            black_box(raw_seal(self.cipher, id, value));
        }
    }

    fn open(&mut self) {
        for (id, text) in &self.sealed {
            black_box(raw_open(self.cipher, id, text));
        }
    }
}

fn aad(id: &str) -> ([u8; 105], usize) {
    let mut aad = [7; 105];
    aad[41..41 + id.len()].copy_from_slice(id.as_bytes());
    (aad, 41 + id.len())
}

/// One raw seal into a token's layout, and its text.
fn raw_seal(cipher: &Aes256Gcm, id: &str, value: &str) -> String {
    let (aad, len) = aad(id);
    let mut token = [0; 256];
    let padded = (value.len() + 2).next_multiple_of(32);
    token[21..21 + value.len()].copy_from_slice(value.as_bytes());
    let text = &mut token[21..21 + padded];
    let tag = cipher.encrypt_inout_detached(&[9; 12].into(), &aad[..len], text.into()).unwrap();
    token[21 + padded..37 + padded].copy_from_slice(&tag);
    URL_SAFE_NO_PAD.encode(&token[..37 + padded])
}

/// One raw open of a token's layout; a tag of another key costs the same until it is compared, so the keystream is run too.
fn raw_open(cipher: &Aes256Gcm, id: &str, text: &str) -> String {
    let (aad, len) = aad(id);
    let mut token = [0; 256];
    let size = URL_SAFE_NO_PAD.decode_slice(text, &mut token).unwrap();
    let (body, tag) = token[21..size].split_last_chunk_mut::<16>().unwrap();
    let opened = cipher.decrypt_inout_detached(&[9; 12].into(), &aad[..len], (&mut *body).into(), (&*tag).into());
    black_box(opened.is_ok());
    String::from_utf8_lossy(&body[..8]).into_owned()
}
