//! Proves that the lists of CONTRIBUTING.md are complete: each test program has its row, and what was added last shows which files the
//! next one of its kind touches.

use std::fs;
use std::path::Path;

use crate::links::files_below;
use crate::readme::code_spans;
use crate::workspace::{PACKAGES, Package, read, root};

/// A list, the words by which one is found that was added before, and files that name it for a reason of their own.
struct List {
    heading: &'static str,
    words: &'static [&'static str],
    elsewhere: &'static [&'static str],
}

const LISTS: &[List] = &[
    List {
        heading: "Add a root key",
        words: &["rxseal-vault", "rxseal_vault", "mod vault;", "mod vault {", "vault::connect"],
        // An example takes what it likes.
        elsewhere: &["examples/kms_rotation"],
    },
    List {
        heading: "Add a store",
        words: &["rxseal-postgres", "rxseal_postgres", "mod postgres;", "mod postgres {", "postgres::count"],
        // Jobs run over tables of the database, and a log of openings is in some, whatever the store.
        elsewhere: &[
            "crates/rxseal-jobs",
            "tests/jobs",
            "crates/rxseal-watch",
            "tests/watch",
            "crates/rxseal-postgres",
        ],
    },
    List {
        heading: "Add a column of another database driver",
        words: &["rusqlite_0_39"],
        // They use a column.
        elsewhere: &[
            "benches/Cargo.toml",
            "crates/rxseal-sqlite/README.md",
            "examples/breach",
            "tests/search/Cargo.toml",
        ],
    },
    List { heading: "Add types of another crate, such as dates", words: &["jiff_0_2"], elsewhere: &[] },
    List { heading: "Add a field to the vocabulary", words: &["MemberId", "phi.coverage.member"], elsewhere: &[] },
    List {
        heading: "Add a suite letter",
        words: &["XChaCha20Poly1305", "Letter::XChaCha", "rxsc"],
        // A command in the list finds the tests.
        elsewhere: &["tests"],
    },
    List {
        heading: "Add an error code",
        words: &["KeysTogether", "keys-together"],
        // Where it is an answer.
        elsewhere: &["src/local_start.rs"],
    },
];

const FOLDERS: &[&str] = &["benches", "crates", "docs", "examples", "fuzz", "src", "tests"];
const ENDINGS: &[&str] = &["dict", "md", "py", "rs", "toml", "txt"];

#[test]
fn every_list_names_the_files_of_what_was_added_before() {
    let guide = read("CONTRIBUTING.md");
    let files = files();
    let mut problems = Vec::new();
    for List { heading, words, elsewhere } in LISTS {
        let named = code_spans(section(&guide, heading));
        let found: Vec<_> = files
            .iter()
            .filter(|(_, text)| words.iter().any(|word| text.contains(word)))
            .map(|(path, _)| path)
            .collect();
        assert!(found.len() > 2, "{heading}: nothing is called {words:?} any more");
        for path in found {
            let is_below = |place: &str| Path::new(path).starts_with(place);
            if !named.iter().any(|span| is_below(span)) && !elsewhere.iter().any(|place| is_below(place)) {
                problems.push(format!("{heading}: {path}"));
            }
        }
        let unused = elsewhere.iter().filter(|place| !root().join(place).exists());
        problems.extend(unused.map(|place| format!("{heading}: {place} is not there")));
    }
    assert!(
        problems.is_empty(),
        "CONTRIBUTING.md does not name these, which name the last one added:\n{}",
        problems.join("\n")
    );
}

#[test]
fn every_test_program_has_its_row() {
    let guide = read("CONTRIBUTING.md");
    let places = code_spans(section(&guide, "Where a test goes"));
    let programs: Vec<_> = PACKAGES.iter().flat_map(Package::test_programs).collect();
    assert!(programs.len() > 10, "the test programs were not found");
    let lost = programs.iter().filter(|program| !places.iter().any(|place| program.starts_with(place)));
    let lost: Vec<_> = lost.collect();
    assert!(lost.is_empty(), "CONTRIBUTING.md does not say which tests go into {lost:?}");
}

/// From the heading to the next one.
fn section<'t>(guide: &'t str, heading: &str) -> &'t str {
    let begin = guide.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section `{heading}`")).1;
    begin.split("\n## ").next().unwrap()
}

/// Every file that somebody writes, with its path from the root; not this one and the lists themselves.
fn files() -> Vec<(String, String)> {
    let below =
        FOLDERS.iter().flat_map(|folder| ENDINGS.iter().flat_map(move |end| files_below(&root().join(folder), end)));
    let top = ["Cargo.toml", "README.md"].map(|name| root().join(name));
    let relative = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    let all = below.chain(top).filter(|path| !path.ends_with(file!()));
    all.map(|path| (relative(&path), fs::read_to_string(&path).unwrap())).collect()
}
