//! Normal forms as ratios to one raw HMAC-SHA-256 of 64 bytes in the same run, which is about what an index value costs besides.
//!
//! `cargo bench -p rxseal-benches --bench normal` prints the table, and `-- --test` runs everything once.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::hint::black_box;
use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use rxseal_search::normal::{
    Date, Email, Family, Given, Id, Ndc, NormalForm, Normalizes, NormalizesParts, Npi, Phone, Sounds,
};
use sha2::Sha256;

/// One thing to measure, and the most that it may cost: HMACs.
struct Candidate {
    name: String,
    target: f64,
    run: Box<dyn FnMut()>,
    nanoseconds: Vec<f64>,
}

fn main() {
    let once = std::env::args().any(|argument| argument == "--test");
    let (rounds, repeats) = if once { (1, 1) } else { (200, 1_000) };
    let mut candidates = candidates();
    for _ in 0..rounds {
        for candidate in &mut candidates {
            let start = Instant::now();
            for _ in 0..repeats {
                (candidate.run)();
            }
            candidate.nanoseconds.push(start.elapsed().as_nanos() as f64 / f64::from(repeats));
        }
    }
    let medians: Vec<_> = candidates.iter_mut().map(|candidate| common::median(&mut candidate.nanoseconds)).collect();
    let row = |(candidate, median): (&Candidate, &f64)| {
        let numbers =
            [format!("{median:.0}"), format!("{:.2}", median / medians[0]), format!("{:.2}", candidate.target)];
        [candidate.name.clone()].into_iter().chain(numbers).collect()
    };
    let rows: Vec<Vec<_>> = candidates.iter().zip(&medians).map(row).collect();
    common::print_table(&["what", "ns", "HMACs", "at most"], &rows);
}

fn candidates() -> Vec<Candidate> {
    let keyed = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
    let floor = move || {
        let mut mac = keyed.clone();
        mac.update(black_box(&[7; 64]));
        black_box(mac.finalize().into_bytes());
    };
    vec![
        candidate("raw HMAC of 64 bytes", 1.0, floor),
        form::<Family>("Smith", 0.4),
        form::<Family>("Gerhold-Whitfield", 0.4),
        form::<Family>("O'Brien-Smith, Jr.", 0.4),
        form::<Given>("Mary Ann", 0.4),
        form::<Family>("Peña", 1.5),
        form::<Family>("García de la Cruz", 1.5),
        form::<Family>("Nguyễn Văn", 1.5),
        form::<Family>("Παπαδόπουλος", 6.0),
        form::<Family>("김철수", 6.0),
        parts::<Family>("García de la Cruz", 2.0),
        parts::<Sounds>("Gonzalez", 1.0),
        form::<Date>("1970-01-31", 0.4),
        form::<Phone>("(555) 212-8845", 0.4),
        form::<Npi>("1234567893", 0.5),
        form::<Ndc>("0002-7597-01", 0.5),
        form::<Id>("MRN-0012345", 0.5),
        form::<Email>("jane.doe@example.org", 0.5),
    ]
}

fn form<N: Normalizes<str>>(text: &'static str, target: f64) -> Candidate {
    let mut form = NormalForm::new();
    candidate(format!("{} of {text}", N::ID), target, move || N::write(black_box(text), &mut form).unwrap())
}

fn parts<N: NormalizesParts<str>>(text: &'static str, target: f64) -> Candidate {
    candidate(format!("parts of {} of {text}", N::ID), target, move || {
        N::write_parts(black_box(text), &mut |part| {
            black_box(part);
            Ok(())
        })
        .unwrap();
    })
}

fn candidate(name: impl Into<String>, target: f64, run: impl FnMut() + 'static) -> Candidate {
    Candidate { name: name.into(), target, run: Box::new(run), nanoseconds: Vec::new() }
}
