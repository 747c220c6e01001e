//! Subject keys: what they add to sealing and opening, what getting them costs, and how much memory a full cache takes.
//!
//! `cargo bench -p rxseal-benches --bench subjects` prints the tables; `--features aws-lc` adds those of AWS-LC, and
//! `-- --test` runs everything once. The bench `threads` measures how fast a keyring of 100 keys is unlocked.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "subjects/cache.rs"]
mod cache;
mod common;
#[path = "subjects/patients.rs"]
mod patients;
#[path = "ratios/raw.rs"]
#[allow(dead_code)]
mod raw;
#[path = "subjects/records.rs"]
mod records;

use common::heap::Watched;

#[global_allocator]
static ALLOCATOR: Watched = Watched;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--test");
    let (patients, rounds) = if quick { (500, 1) } else { (10_000, 20) };
    for backend in common::backends() {
        println!("{backend:?}\n");
        records::compare(backend, patients, rounds);
        cache::time(backend, patients, if quick { 1 } else { 20 });
    }
    cache::memory();
}
