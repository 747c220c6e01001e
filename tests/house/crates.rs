//! Proves that each crate of the workspace has what a crate needs, and uses what docs/ARCHITECTURE.md lets it use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::layering::{MAX_LINES, banned_macros, banned_words};
use crate::links::files_below;
use crate::workspace::{PACKAGES, read, root};

/// Which crates may ask for a dependency that reaches out of the process. Through which modules of the core one enters, `layering` has.
const ENTRANCES: &[(&str, &[&str])] = &[
    ("aws-config", &["rxseal-aws-kms"]),
    ("aws-credential-types", &["rxseal-aws-kms"]),
    ("aws-sdk-kms", &["rxseal-aws-kms"]),
    ("clap", &["rxseal-cli"]),
    ("cryptoki", &["rxseal-pkcs11"]),
    ("diesel", &["rxseal"]),
    ("getrandom", &["rxseal", "rxseal-watch"]),
    ("postgres-types", &["rxseal"]),
    ("reqwest", &["rxseal-vault"]),
    ("rusqlite", &["rxseal", "rxseal-cli", "rxseal-jobs", "rxseal-sqlite"]),
    ("sea-orm", &["rxseal"]),
    ("sqlx", &["rxseal-jobs", "rxseal-postgres", "rxseal-watch"]),
    ("sqlx-core", &["rxseal"]),
    ("sqlx-postgres", &["rxseal"]),
];

#[test]
fn every_crate_uses_what_the_table_allows() {
    let text = read("docs/ARCHITECTURE.md");
    let documented: BTreeMap<_, _> = text.lines().filter_map(documented_crate).collect();
    let published: Vec<_> = PACKAGES.iter().filter(|package| package.is_published()).collect();
    let names: BTreeSet<_> = published.iter().map(|package| package.name().to_owned()).collect();
    assert_eq!(
        documented.keys().cloned().collect::<BTreeSet<_>>(),
        names,
        "left: docs/ARCHITECTURE.md, right: the workspace"
    );
    for package in published {
        let allowed = &documented[package.name()];
        for used in package.dependencies().filter(|name| name.starts_with("rxseal")) {
            assert!(
                allowed.contains(used),
                "{} uses {used}, which docs/ARCHITECTURE.md does not allow",
                package.name()
            );
        }
    }
}

/// `| `rxseal-cli` | `rxseal`, `rxseal-sqlite` | ... |` as the name and what it uses.
fn documented_crate(line: &str) -> Option<(String, BTreeSet<String>)> {
    let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
    let (uses, _) = rest.split_once(" | ")?;
    let is_crate = name == "rxseal" || name.starts_with("rxseal-");
    is_crate.then(|| (name.to_owned(), uses.split('`').skip(1).step_by(2).map(str::to_owned).collect()))
}

#[test]
fn what_reaches_out_enters_by_one_crate() {
    let mut problems = Vec::new();
    for package in PACKAGES.iter().filter(|package| package.is_published()) {
        for (name, crates) in ENTRANCES {
            if package.dependencies().any(|dependency| dependency == *name) && !crates.contains(&package.name()) {
                problems.push(format!("{} asks for {name}, which enters by {crates:?} only", package.name()));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Or `cargo doc` shows one of them in place of the other.
#[test]
fn no_program_takes_the_page_of_a_library() {
    for package in PACKAGES.iter() {
        let manifest = fs::read_to_string(package.folder().join("Cargo.toml")).unwrap();
        for program in manifest.split("[[").filter(|table| table.starts_with("bin]]")) {
            let program = program.split("\n[").next().unwrap();
            let is_a_library = |name: &str| program.contains(&format!("name = \"{name}\""));
            assert!(
                !PACKAGES.iter().any(|library| is_a_library(library.name())) || program.contains("doc = false"),
                "{}: its program has the name of a library, so it needs `doc = false`",
                package.name()
            );
        }
    }
}

#[test]
fn every_crate_is_complete() {
    let mut problems = Vec::new();
    let changelog = read("CHANGELOG.md");
    for package in PACKAGES.iter() {
        let (name, folder) = (package.name(), package.folder());
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let mut want = |holds: bool, what: &str| {
            if !holds {
                problems.push(format!("{name}: {what}"));
            }
        };
        if package.is_satellite() || !package.is_published() {
            want(
                manifest.contains("\n[lints]\nworkspace = true\n") || !package.is_published(),
                "no `[lints] workspace = true`",
            );
            want(manifest.contains("edition.workspace = true"), "no `edition.workspace = true`");
        }
        if !package.is_published() {
            continue;
        }
        for field in ["description", "license", "repository", "rust_version"] {
            want(package.field(field).is_some(), &format!("Cargo.toml has no {field}"));
        }
        want(package.field("license") == Some("MIT OR Apache-2.0"), "its licence is not that of the workspace");
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            want(folder.join(file).is_file(), &format!("no {file}"));
        }
        let library = fs::read_to_string(folder.join("src/lib.rs"));
        let shown = |source: String| source.contains("#![doc = include_str!(\"../README.md\")]");
        let is_library = package.targets().any(|(kind, _)| kind == "lib" || kind == "proc-macro");
        want(library.is_ok_and(shown) || !is_library, "src/lib.rs does not show README.md");
        want(
            manifest.contains("\n[package.metadata.docs.rs]\nall-features = true\n") || !is_library,
            "docs.rs is not told to show what features add",
        );
        want(changelog.contains(&format!("`{name}`")) || name == "rxseal", "CHANGELOG.md does not name it");
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// As `layering` asks of the core. A command may print.
#[test]
fn satellites_keep_the_house_rules() {
    let mut problems = Vec::new();
    for package in PACKAGES.iter().filter(|package| package.is_satellite()) {
        let is_command = package.targets().any(|(kind, _)| kind == "bin");
        for file in files_below(&package.folder().join("src"), "rs") {
            let source = fs::read_to_string(&file).unwrap();
            let path = file.strip_prefix(root()).unwrap().display();
            if file.ends_with("mod.rs") {
                problems.push(format!("{path}: a module `foo` is `foo.rs` and `foo/`, never `mod.rs`"));
            }
            let lines = source.lines().count();
            if lines > MAX_LINES {
                problems.push(format!("{path}: {lines} lines, split it at {MAX_LINES}"));
            }
            for (line, name) in banned_macros(&source) {
                if !is_command || !name.contains("print") {
                    problems.push(format!("{path}:{line}: `{name}!` has no place in the library"));
                }
            }
            for (line, word, why) in banned_words(&source) {
                problems.push(format!("{path}:{line}: `{word}` has no place in the library: {why}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
