//! Scanning as ratios to reading the same file with the crate csv, in the same run: a table of sealed rows through a map, the same file as one of
//! no form, and a log. The scan may take three times as long as the reading. Looking for canaries sends each byte, those of tokens too, through one
//! more automaton, which takes as long as two readings.
//!
//! `cargo bench -p rxseal-benches --bench scan` prints the table, and `-- --test` runs everything once.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rxseal::phi::{Drug, PatientName};
use rxseal::run_local;
use rxseal_map::{Addresses, Map};
use rxseal_scan::{Canaries, Canary, Scan};

/// One thing to measure, and the most that it may cost: readings of the same bytes.
struct Candidate<'a> {
    name: &'static str,
    target: f64,
    file: PathBuf,
    run: Box<dyn FnMut() + 'a>,
    nanoseconds: Vec<f64>,
}

fn main() {
    let once = std::env::args().any(|argument| argument == "--test");
    let (rounds, rows) = if once { (1, 1_000) } else { (31, 100_000) };
    let folder = std::env::temp_dir().join(format!("rxseal-bench-scan-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    measure(&folder, rounds, rows);
    fs::remove_dir_all(&folder).unwrap();
}

fn measure(folder: &Path, rounds: u32, rows: u64) {
    let (table, log) = (folder.join("rx.csv"), folder.join("service.log"));
    write_files(&table, &log, rows);
    fs::write(
        folder.join("map.toml"),
        "keyspace = 'bench'\n[[source]]\nat = 'csv:rx.csv'\nrecord = 'prescription'\nid = 'id'\n\
         sealed = { name = 'phi.patient.name', drug = 'phi.rx.drug' }\nclear = { memo = 'none' }\n",
    )
    .unwrap();
    let map = Map::read(folder.join("map.toml")).unwrap();
    let scan = Scan::new().expecting_tokens();
    let canaries: Canaries = (0..10).map(|_| Canary::make().unwrap()).collect();
    let hunt = Scan::new().expecting_tokens().looking_for(canaries.known().unwrap());
    let of_map = || {
        let source = &map.sources()[0];
        black_box(run_local(async { Ok(scan.source(source, &Addresses::default()).await) }).unwrap());
    };
    let mut candidates = vec![
        candidate("csv: read the table", 1.0, &table, || read(&table)),
        candidate("scan it through a map", 3.0, &table, of_map),
        candidate("scan it as a file", 3.0, &table, || drop(black_box(scan.file(&table)))),
        candidate("and for 10 canaries", 5.0, &table, || drop(black_box(hunt.file(&table)))),
        candidate("csv: read the log", 1.0, &log, || read(&log)),
        candidate("scan the log", 3.0, &log, || drop(black_box(scan.file(&log)))),
        candidate("and for 10 canaries", 5.0, &log, || drop(black_box(hunt.file(&log)))),
    ];
    for _ in 0..rounds {
        for candidate in &mut candidates {
            let start = Instant::now();
            (candidate.run)();
            candidate.nanoseconds.push(start.elapsed().as_nanos() as f64);
        }
    }
    let mut floor = 1.0;
    let mut lines = Vec::new();
    for candidate in &mut candidates {
        let median = common::median(&mut candidate.nanoseconds);
        if candidate.name.starts_with("csv") {
            floor = median;
        }
        let bytes = fs::metadata(&candidate.file).unwrap().len() as f64;
        let numbers = [
            format!("{:.0}", bytes * 1e3 / median),
            format!("{:.2}", median / floor),
            format!("{:.2}", candidate.target),
        ];
        lines.push([candidate.name.to_owned()].into_iter().chain(numbers).collect());
    }
    common::print_table(&["what", "MB/s", "readings", "at most"], &lines);
}

fn candidate<'a>(name: &'static str, target: f64, file: &Path, run: impl FnMut() + 'a) -> Candidate<'a> {
    Candidate { name, target, file: file.to_owned(), run: Box::new(run), nanoseconds: Vec::new() }
}

/// Every field of every row. A log is one field on each line.
fn read(path: &Path) {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .quoting(path.extension().unwrap() == "csv")
        .from_reader(File::open(path).unwrap());
    let mut row = csv::ByteRecord::new();
    let mut bytes = 0;
    while reader.read_byte_record(&mut row).unwrap() {
        bytes += row.iter().map(<[u8]>::len).sum::<usize>();
    }
    black_box(bytes);
}

fn write_files(table: &Path, log: &Path, rows: u64) {
    let keys = common::unlocked_with(Default::default(), Default::default()).unobserved();
    // Sealing takes longer than scanning, so tokens are used again.
    let tokens: Vec<_> = (0..500_u64)
        .map(|id| {
            let record = keys.record("prescription", id).unwrap();
            let name = record.seal_text::<PatientName>("Zoraida Quillfeather").unwrap();
            (name, record.seal_text::<Drug>("lisinopril 10 MG Oral Tablet").unwrap())
        })
        .collect();
    let (mut of_table, mut of_log) = ("id,name,drug,memo\n".to_owned(), String::new());
    for id in 0..rows {
        let (name, drug) = &tokens[usize::try_from(id % 500).unwrap()];
        writeln!(of_table, "{id},{name},{drug},refill {} of order {}", id % 7, id * 7919).unwrap();
        writeln!(
            of_log,
            "2026-11-30T10:{:02}:{:02}.{:03}Z INFO method=GET path=/rx/{id} status=200 req=550e8400-e29b-41d4-a716-{:012x} ms={}",
            id / 60 % 60,
            id % 60,
            id % 1000,
            id * 104_729,
            id % 97
        )
        .unwrap();
    }
    fs::write(table, of_table).unwrap();
    fs::write(log, of_log).unwrap();
}
