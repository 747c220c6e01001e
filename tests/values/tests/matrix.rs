//! x
use std::collections::BTreeMap;
use rxseal_values::cases;
use rxseal_values::matrix::{Bench, Outcome, Way, Place};
use rxseal_values::formats::Format;

type Found = Vec<(&'static str, Place, Way, Format, bool, Option<Outcome>)>;
fn run(part: usize, of: usize) -> Found {
    let bench = Bench::new();
    let only = std::env::var("ONLY").ok();
    let mut found = Vec::new();
    for (n, case) in cases::all().iter().enumerate() {
        if n % of != part || only.as_ref().is_some_and(|only| !case.name.contains(only)) { continue; }
        for c in bench.cells(case) { found.push((case.name, c.place, c.way, c.format, c.plain, c.sealed)); }
    }
    found
}

#[test]
fn dump() {
    let found: Found = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|part| std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, move || run(part, 2)).unwrap()).collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    let mut totals: BTreeMap<String, usize> = BTreeMap::new();
    let mut bad: BTreeMap<String, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for (name, place, way, format, plain, sealed) in found {
        let kind = match &sealed { None => "not looked".into(), Some(Outcome::Kept) => "kept".to_owned(), Some(Outcome::Refused(c)) => format!("refused {c}"), Some(Outcome::NotWritten(c)) => format!("NOT WRITTEN {}", c.chars().take(60).collect::<String>()), Some(Outcome::Late(c)) => format!("LATE {c}"), Some(Outcome::Changed) => "CHANGED".into() };
        *totals.entry(format!("{} / {kind}", if plain { "plain works" } else { "plain fails" })).or_default() += 1;
        if (plain || sealed.is_some()) && sealed != Some(Outcome::Kept) {
            let plain = if plain { "" } else { " (plain fails too)" };
            bad.entry(format!("{kind}{plain}{}", if matches!(format, Format::QuickXml|Format::SerdeXmlRs|Format::Toml) {format!(" {}", format.name())} else {"".into()} )).or_default().entry(name).or_default().push(format!("{:?}/{:?}/{}", place, way, format.name()));
        }
    }
    for (kind, names) in bad {
        println!("\n== {kind}: {} cases, {} cells", names.len(), names.values().map(Vec::len).sum::<usize>());
        for (name, list) in names.iter().take(if kind.contains("toml") || kind.contains("xml") { 8 } else { 999 }) { println!("  {:45} {}: {}", name, list.len(), list.iter().take(6).cloned().collect::<Vec<_>>().join(" ")); }
    }
    for (kind, count) in totals { println!("{count:7} {kind}"); }
}
