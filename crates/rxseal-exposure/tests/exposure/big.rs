//! A theft as large as the largest: its memory stays within 1 GiB.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::Instant;

use crate::support::{Place, RX, many, stolen, told};

/// With `RXSEAL_FULL` 2.3 million patients and 10 million tokens.
#[test]
fn millions_of_patients_fit_into_a_gibibyte() {
    let (patients, rows) = (many(2_300, 2_300_000), many(5_000, 5_000_000));
    let place = Place::new();
    place.fill(1);
    let cells: Vec<_> = (1..=64).map(|number| place.rx(number)).collect();
    let tokens: Vec<_> = cells.iter().map(|row| row.splitn(3, ',').nth(2).unwrap()).collect();
    let mut file = BufWriter::new(File::create(place.path("copy.csv")).unwrap());
    writeln!(file, "{RX}").unwrap();
    let mut line = String::new();
    for row in 0..rows {
        line.clear();
        let (patient, token) = (row % patients, tokens[usize::try_from(row % 64).unwrap()]);
        writeln!(line, "{row},pat-{patient:08},{token}").unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
    file.flush().unwrap();
    let theft = place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone());
    let key = stolen(&format!("key:{}", place.keys.primary_key()));
    let begun = Instant::now();
    let told = if rows > 10_000 { quiet(theft.stolen(key)) } else { told(theft.stolen(key)).exposure };
    let seconds = begun.elapsed().as_secs_f64();
    // Subject keys are not known to be taken.
    assert_eq!((told.totals.patients, told.totals.proven, told.totals.at_most), (patients + 1, 0, patients));
    let tokens: u64 = told.taken[0].tokens_by_key.iter().map(|key| key.tokens).sum();
    assert_eq!(tokens, 2 * rows);
    let peak = peak_kib();
    println!("{patients} patients, {tokens} tokens: {seconds:.1} s, peak of this process {peak} KiB");
    assert!(peak < 1024 * 1024, "{peak} KiB");
}

/// The list of patients goes to nobody.
fn quiet(theft: rxseal_exposure::Theft) -> rxseal_exposure::Exposure {
    rxseal::run_local(async { Ok(theft.report(&mut std::io::sink()).await) }).unwrap().unwrap()
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or_default()
}
