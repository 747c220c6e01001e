//! What plain serde keeps, rxseal keeps, or refuses while it seals, or docs/SERDE.md says why not: types by formats by forms by places.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::thread;

use rxseal_values::cases;
use rxseal_values::formats::Format;
use rxseal_values::matrix::{Bench, Cell, Outcome, Place};
use rxseal_values::table::{Expected, LINES, Line, markdown};

/// So that a harness which fails everywhere cannot pass.
const LEAST_CASES: usize = 300;
const LEAST_PLAIN_CELLS: usize = 18_000;
const LEAST_KEPT_CELLS: usize = 17_000;

/// With serde_json's `arbitrary_precision`, rxseal knows serde's buffer by the name of its type, which erasing hides: of these, what
/// code of their own type makes of them counts alone.
const HIDDEN_BY_ERASING: &[&str] =
    if cfg!(feature = "every-json-feature") { &["untagged: FHIR's quantity"] } else { &[] };

#[test]
fn what_plain_serde_keeps_is_kept_or_refused_or_listed() {
    let Found { cells, direct } = all_cells();
    let mut problems = BTreeMap::<String, Vec<String>>::new();
    let mut seen = BTreeSet::new();
    let tried = cells.iter().filter_map(|(case, cell)| Some((case, cell.sealed.as_ref()?, cell.name())));
    let tried = tried.filter(|(case, ..)| !HIDDEN_BY_ERASING.contains(case));
    for (case, outcome, at) in tried.chain(direct.iter().map(|(case, outcome)| (case, outcome, "one field".to_owned())))
    {
        if *outcome == Outcome::Kept {
            continue;
        }
        let line = LINES.iter().find(|line| line.cases.contains(case) && line.expected.is(outcome));
        match line {
            Some(_) => {
                seen.insert(*case);
            }
            None => problems.entry(format!("{case}: {}", class(outcome))).or_default().push(at),
        }
    }
    print_counts(&cells);
    for (problem, cells) in &problems {
        let some = cells.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
        println!("{problem} in {} cells: {some}", cells.len());
    }
    assert!(problems.is_empty(), "{} kinds of cells are neither kept nor listed; they are above", problems.len());
    for line in LINES {
        for case in line.cases {
            assert!(seen.contains(case), "src/table.rs lists {case:?}, but no cell is so any more");
        }
    }
    check_floors(&cells);
    check_erasing(&cells, &direct);
    compare_with_docs(&cells);
}

struct Found {
    cells: Vec<(&'static str, Cell)>,
    /// Without the erased traits.
    direct: Vec<(&'static str, Outcome)>,
}

/// Of every case. By two threads with room for what nests.
fn all_cells() -> Found {
    const THREADS: usize = 2;
    let threads: Vec<_> = (0..THREADS)
        .map(|part| {
            let work = move || {
                let bench = Bench::new();
                let cases = cases::all();
                assert!(cases.len() >= LEAST_CASES, "{} cases", cases.len());
                let mut found = Found { cells: Vec::new(), direct: Vec::new() };
                let all = std::env::var_os("RXSEAL_FULL").is_some();
                for (number, case) in cases.iter().enumerate().skip(part).step_by(THREADS) {
                    found.direct.push((case.name, bench.direct(case)));
                    found.cells.extend(bench.cells(number, case, all).into_iter().map(|cell| (case.name, cell)));
                }
                found
            };
            thread::Builder::new().stack_size(64 << 20).spawn(work).expect("a thread")
        })
        .collect();
    let mut found = Found { cells: Vec::new(), direct: Vec::new() };
    for thread in threads {
        let part = thread.join().expect("a thread that ends");
        found.cells.extend(part.cells);
        found.direct.extend(part.direct);
    }
    found
}

fn print_counts(cells: &[(&str, Cell)]) {
    let mut counts = BTreeMap::<String, usize>::new();
    for (_, cell) in cells {
        let sealed = cell.sealed.as_ref().map_or("not tried".to_owned(), class);
        let plain = if cell.plain { "plain serde keeps it" } else { "plain serde fails" };
        *counts.entry(format!("{plain}, sealed: {sealed}")).or_default() += 1;
    }
    println!("{} cells", cells.len());
    for (class, count) in &counts {
        println!("{count:>7} {class}");
    }
}

fn class(outcome: &Outcome) -> String {
    match outcome {
        // With what the format says, which is different in each cell.
        Outcome::NotWritten(_) => "NotWritten".to_owned(),
        outcome => format!("{outcome:?}"),
    }
}

fn check_floors(cells: &[(&str, Cell)]) {
    let plain = cells.iter().filter(|(_, cell)| cell.plain).count();
    let kept = cells.iter().filter(|(_, cell)| cell.plain && cell.sealed == Some(Outcome::Kept)).count();
    assert!(plain >= LEAST_PLAIN_CELLS && kept >= LEAST_KEPT_CELLS, "plain serde keeps {plain} cells, rxseal {kept}");
}

/// The control: what is erased does as what is not.
fn check_erasing(cells: &[(&str, Cell)], direct: &[(&str, Outcome)]) {
    for (case, outcome) in direct.iter().filter(|(case, _)| !HIDDEN_BY_ERASING.contains(case)) {
        let erased = cells.iter().find(|(name, cell)| name == case && cell.format == Format::JsonText);
        let erased = erased.and_then(|(_, cell)| cell.sealed.as_ref());
        assert!(erased == Some(outcome), "{case}: {outcome:?}, but erased {erased:?}");
    }
}

/// The tables between the marks in docs/SERDE.md are these.
fn compare_with_docs(cells: &[(&str, Cell)]) {
    // What plain serde keeps depends on serde_json's features; the docs have what most programs build.
    if cfg!(feature = "every-json-feature") {
        return;
    }
    let tables = markdown(|line| kept_in(line, cells));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SERDE.md");
    let docs = std::fs::read_to_string(path).expect("docs/SERDE.md");
    let between = docs.split_once("<!-- table -->\n").and_then(|(_, rest)| rest.split_once("<!-- end -->"));
    let shown = between.map(|(tables, _)| tables.trim()).unwrap_or_default();
    assert!(shown == tables.trim(), "docs/SERDE.md must have these between its marks:\n\n{tables}");
}

/// The formats in which plain serde keeps every case of a line.
fn kept_in(line: &Line, cells: &[(&str, Cell)]) -> String {
    let keeps = |format: Format, case: &str| {
        let mut cells = cells.iter().filter(|(name, cell)| {
            *name == case && cell.format == format && cell.place == Place::Alone && cell.is_for_one()
        });
        cells.all(|(_, cell)| cell.plain)
    };
    let mut out = String::new();
    for format in Format::ALL {
        // The three ways into JSON are one format for a reader.
        if !matches!(format, Format::JsonStream | Format::JsonValue)
            && line.cases.iter().all(|case| keeps(format, case))
        {
            let _ = write!(out, "{}{}", if out.is_empty() { "" } else { ", " }, format.name());
        }
    }
    if out.is_empty() { "no format".to_owned() } else { out }
}

#[test]
fn the_table_has_a_reason_in_each_line() {
    for line in LINES {
        assert!(line.reason.len() > 40 && line.reason.ends_with('.') && !line.shown.ends_with('.'), "{}", line.shown);
        assert!(line.expected == Expected::Lost || !line.cases.is_empty());
    }
}
