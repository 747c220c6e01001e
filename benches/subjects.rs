//! Subject keys: what they add to sealing and opening, what it costs to have them, and what a cache full of them takes of memory.
//!
//! `cargo bench -p rxseal-benches --bench subjects` prints the tables, with `--features aws-lc` also those of AWS-LC;
//! `-- --test` runs everything once. How fast a keyring of 100 keys is unlocked is in `threads`.
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
