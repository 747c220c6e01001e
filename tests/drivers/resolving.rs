//! Proves the table of docs/COLUMNS.md of what can be in one program: cargo resolves it, and compiles nothing. A program links one SQLite,
//! since `libsqlite3-sys` may be in it once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates of the table that are not rxseal, as a program of a user asks for them.
const DRIVERS: &[(&str, &str, &str)] = &[
    ("rusqlite 0.39", "rusqlite_0_39", r#"rusqlite = { version = "0.39", features = ["bundled"] }"#),
    (
        "sqlx 0.9",
        "sqlx_0_9",
        r#"sqlx = { version = "0.9", default-features = false, features = ["postgres", "runtime-tokio", "sqlite"] }"#,
    ),
    (
        "diesel 2.3",
        "diesel_2_sqlite",
        r#"diesel = { version = "2.3", default-features = false, features = ["sqlite"] }"#,
    ),
    (
        "sea-orm 2",
        "sea_orm_2",
        r#"sea-orm = { version = "2", default-features = false, features = ["runtime-tokio", "sqlx-postgres", "sqlx-sqlite"] }"#,
    ),
    ("tokio-postgres 0.7", "postgres_types_0_2", r#"tokio-postgres = "0.7""#),
];

#[test]
fn what_the_guide_puts_into_one_program_resolves() {
    let guide = fs::read_to_string(root().join("docs/COLUMNS.md")).unwrap();
    let rows: BTreeMap<_, _> = guide.lines().filter_map(row).collect();
    let named: Vec<_> = DRIVERS.iter().map(|(name, _, _)| *name).collect();
    for name in &named {
        assert!(rows.contains_key(name), "docs/COLUMNS.md has no row for {name}");
    }
    // All together, and each two of them.
    let mut programs = vec![DRIVERS.iter().collect::<Vec<_>>()];
    for (at, one) in DRIVERS.iter().enumerate() {
        programs.extend(DRIVERS[at + 1..].iter().map(|other| vec![one, other]));
    }
    for program in programs {
        let names: Vec<_> = program.iter().map(|(name, _, _)| *name).collect();
        let found = resolve(&program);
        let sqlite: Vec<_> = found.iter().filter(|(name, _)| name == "libsqlite3-sys").collect();
        let has_sqlite = names != ["tokio-postgres 0.7"];
        assert_eq!(sqlite.len(), usize::from(has_sqlite), "{names:?}: {sqlite:?}");
        for (_, version) in sqlite {
            for name in &names {
                let allowed: Vec<u32> = rows[name].split(" to ").filter_map(minor).collect();
                let found = minor(version).unwrap();
                let is_allowed = allowed.iter().min() <= Some(&found) && allowed.iter().max() >= Some(&found);
                assert!(is_allowed || rows[name] == "none", "{name} has libsqlite3-sys {version}, not {allowed:?}");
            }
        }
        for name in &names {
            let (package, wanted) = name.split_once(' ').unwrap();
            let is_there = found.iter().any(|(found, version)| found == package && version.starts_with(wanted));
            assert!(is_there, "{name} is not what was resolved for {names:?}");
        }
    }
}

/// `0.37.0` as 37.
fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
}

/// `| rusqlite 0.39 | .. | 0.37 |` as the first and the last.
fn row(line: &str) -> Option<(&str, &str)> {
    let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
    match cells[..] {
        [name, _, sqlite] if DRIVERS.iter().any(|(driver, _, _)| *driver == name) && sqlite.len() < 20 => {
            Some((name, sqlite))
        }
        _ => None,
    }
}

/// The packages of a program with these drivers and rxseal's features for them, by the committed lock file.
fn resolve(program: &[&(&str, &str, &str)]) -> Vec<(String, String)> {
    let folder = std::env::temp_dir().join(format!("rxseal-resolving-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/lib.rs"), "").unwrap();
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let features: Vec<_> = program.iter().map(|(_, feature, _)| format!("{feature:?}")).collect();
    let mut manifest = format!(
        "[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         rxseal = {{ path = {:?}, features = [{}] }}\n",
        root(),
        features.join(", ")
    );
    for (_, _, dependency) in program {
        manifest += dependency;
        manifest += "\n";
    }
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    // Offline: everything in it was fetched to build this test.
    let tree = ["tree", "--offline", "--edges=normal", "--prefix=none", "--format={p}"];
    let done = Command::new(env!("CARGO")).args(tree).current_dir(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{:?}: {said}", program.iter().map(|(name, _, _)| name).collect::<Vec<_>>());
    fs::remove_dir_all(&folder).unwrap();
    let mut packages: Vec<_> = String::from_utf8(done.stdout).unwrap().lines().filter_map(package).collect();
    packages.sort();
    packages.dedup();
    packages
}

/// `rusqlite v0.39.0 (*)`.
fn package(line: &str) -> Option<(String, String)> {
    let mut words = line.split(' ');
    Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
