//! Index values and queries as ratios to raw HMAC-SHA-256 in the same run: over a message of the same length, under a key that is
//! set up already, with nothing else.
//!
//! `cargo bench -p rxseal-benches --bench search` prints the table, `-- NAME` the rows with NAME in their name, and `-- --test` runs
//! everything once.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::hint::black_box;
use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use rxseal::index::Indexer;
use rxseal::keys::{Backend, KeyringAdmin, UnlockOptions};
use rxseal::phi::{BirthDate, FamilyName, Phone};
use rxseal::store::{KeyringStore, MemoryStore};
use rxseal::{Keyring, run_local};
use rxseal_search::{Find, indexes};
use sha2::Sha256;

pub struct Patient {
    last_name: String,
    birth_date: String,
    phone: String,
}

indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
        pub LastNameIs = "patient.last": family(last_name: FamilyName), bits 14, slots us_surnames_1 by record;
        pub PhoneIs = "patient.phone": phone(phone: Phone), bits 17;
        pub LastAndBorn = "patient.last-born": (family(last_name: FamilyName), date(birth_date: BirthDate)), bits 17;
    }
}

/// One thing to measure.
struct Candidate<'a> {
    name: &'static str,
    /// Bytes of each message, and the most that it may cost in multiples of raw HMACs of these.
    floor: Vec<usize>,
    target: f64,
    run: Box<dyn FnMut() + 'a>,
    nanoseconds: Vec<f64>,
}

fn main() {
    let once = std::env::args().any(|argument| argument == "--test");
    let (rounds, repeats) = if once { (1, 1) } else { (200, 500) };
    for backend in common::backends() {
        measure(backend, rounds, repeats);
    }
}

/// The length of the message of an index value (FORMAT 15.5).
fn message(slot: bool, components: &[&str]) -> usize {
    let components: usize = components.iter().map(|component| 5 + component.len()).sum();
    26 + 37 + if slot { 7 } else { 0 } + components
}

fn measure(backend: Backend, rounds: u32, repeats: u32) {
    let keys = keyring(backend, 1);
    let indexer = keys.indexer().unwrap();
    let two_roots = keyring(backend, 2).indexer().unwrap();
    let record = keys.record("patient", common::RECORD_ID).unwrap();
    let ascii = patient("Gerhold");
    let (accented, smith) = (patient("Gerhöld-Muñoz"), patient("Smith"));
    let slot_message = 25 + 37 + 5 + "record".len() + 5 + common::RECORD_ID.len();
    let born = message(false, &["1957-03-21"]);
    let stored = |patient: &Patient| {
        black_box(indexer.stored::<LastNameIs>(&record, black_box(patient)).unwrap());
    };
    let candidates = [
        candidate("birth date", vec![born], 1.4, || {
            black_box(indexer.stored::<BornOn>(&record, black_box(&ascii)).unwrap());
        }),
        candidate("last name of one slot", vec![message(true, &["gerhold"])], 1.4, || stored(&ascii)),
        candidate("last name of 42 slots", vec![message(true, &["smith"]), slot_message], 1.4, || stored(&smith)),
        candidate("last name with accents", vec![], 900.0, || stored(&accented)),
        candidate("last name and birth date", vec![message(false, &["gerhold", "1957-03-21"])], 1.4, || {
            black_box(indexer.stored::<LastAndBorn>(&record, black_box(&ascii)).unwrap());
        }),
        candidate("a record with these four", vec![], 1300.0, || {
            black_box(indexer.index(&record, black_box(&ascii)).unwrap());
        }),
        candidate("query of a birth date", vec![born], 2.0, || query::<BornOn>(&indexer, "1957-03-21")),
        candidate("query of 42 slots, 2 roots", vec![message(true, &["smith"]); 84], 1.2, || {
            query::<LastNameIs>(&two_roots, "Smith");
        }),
    ];
    report(backend, candidates.into(), rounds, repeats);
}

fn query<I: rxseal_search::SearchIndex>(indexer: &Indexer, sought: &'static str)
where
    &'static str: rxseal_search::Sought<I>,
{
    black_box(indexer.find::<I>(black_box(sought)).unwrap());
}

fn candidate<'a>(name: &'static str, floor: Vec<usize>, target: f64, run: impl FnMut() + 'a) -> Candidate<'a> {
    Candidate { name, floor, target, run: Box::new(run), nanoseconds: Vec::new() }
}

fn report(backend: Backend, mut candidates: Vec<Candidate<'_>>, rounds: u32, repeats: u32) {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    candidates.retain(|candidate| only.as_ref().is_none_or(|only| candidate.name.contains(only)));
    let floors = candidates.iter().map(|candidate| raw(candidate.floor.clone()));
    let floors: Vec<_> = floors.collect();
    candidates.extend(floors);
    for _ in 0..rounds {
        for candidate in &mut candidates {
            // Of what takes long, fewer in a row: whatever else the machine does must not be a part of every sample.
            let repeats = repeats.div_ceil(u32::try_from(candidate.floor.len().max(1)).unwrap());
            let start = Instant::now();
            for _ in 0..repeats {
                (candidate.run)();
            }
            candidate.nanoseconds.push(start.elapsed().as_nanos() as f64 / f64::from(repeats));
        }
    }
    let medians: Vec<_> = candidates.iter_mut().map(|candidate| common::median(&mut candidate.nanoseconds)).collect();
    let (own, floors) = medians.split_at(medians.len() / 2);
    let row = |((candidate, own), floor): ((&Candidate<'_>, &f64), &f64)| {
        // Without a floor the target is a time.
        let is = if candidate.floor.is_empty() { *own } else { own / floor };
        let cells =
            [format!("{own:.0}"), format!("{floor:.0}"), format!("{is:.2}"), format!("{:.2}", candidate.target)];
        [candidate.name.to_owned()].into_iter().chain(cells).collect()
    };
    let rows: Vec<Vec<_>> = candidates.iter().zip(own).zip(floors).map(row).collect();
    println!("{backend:?}");
    common::print_table(&["what", "ns", "raw HMAC, ns", "is", "at most"], &rows);
}

/// Raw HMACs of messages of these lengths.
fn raw(lengths: Vec<usize>) -> Candidate<'static> {
    let keyed = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
    let message = vec![7; 512];
    candidate("", lengths.clone(), 0.0, move || {
        for len in &lengths {
            let mut mac = keyed.clone();
            mac.update(black_box(&message[..*len]));
            black_box(mac.finalize().into_bytes());
        }
    })
}

fn patient(last_name: &str) -> Patient {
    Patient { last_name: last_name.into(), birth_date: "1957-03-21".into(), phone: "(303) 555-0123".into() }
}

fn keyring(backend: Backend, roots: usize) -> Keyring {
    let (root, file) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    let store = MemoryStore::default();
    run_local(store.put(&file, None)).unwrap();
    let admin = KeyringAdmin::new(store, root.clone());
    let mut file = file;
    for _ in 1..roots {
        file = run_local(admin.stage_index_root("pharmacy-17")).unwrap().0;
    }
    let options = UnlockOptions::default().backend(backend).with_index_roots();
    run_local(Keyring::unlock_with(options, "pharmacy-17", &root, &file)).unwrap().unobserved()
}
