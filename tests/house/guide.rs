//! Proves that docs/COLUMNS.md and docs/MAP.md show what was compiled and run: each block of Rust in them is in a test, line by line.

use std::fs;

use crate::workspace::{read, root};

/// The tests that run a block of docs/COLUMNS.md against a real database.
const COLUMNS: &[&str] = &[
    "tests/drivers/guide/with_diesel.rs",
    "tests/drivers/guide/with_migration.rs",
    "tests/drivers/guide/with_sea_orm.rs",
    "tests/drivers/guide/with_tokio_postgres.rs",
    "tests/live/columns/guide.rs",
    "tests/search/databases/guide.rs",
    "tests/serde/columns/guide.rs",
];

#[test]
fn every_block_of_the_column_guide_is_in_a_test() {
    blocks_are_in("docs/COLUMNS.md", COLUMNS);
}

#[test]
fn every_block_of_the_page_of_the_map_is_in_a_test() {
    blocks_are_in("docs/MAP.md", &["crates/rxseal-map/tests/map/guide.rs"]);
}

fn blocks_are_in(page: &str, tests: &[&str]) {
    let texts: Vec<String> = tests.iter().map(|path| fs::read_to_string(root().join(path)).expect(path)).collect();
    let texts: Vec<Vec<&str>> = texts.iter().map(|text| lines_of(text)).collect();
    let blocks = blocks(&read(page));
    assert!(blocks.len() >= tests.len(), "a test of {page} has none of its blocks");
    for block in blocks {
        let block = lines_of(&block);
        let is_in = |test: &Vec<&str>| test.windows(block.len()).any(|lines| lines == block);
        assert!(texts.iter().any(is_in), "no test has this block of {page}:\n{}", block.join("\n"));
    }
}

fn blocks(page: &str) -> Vec<String> {
    let begins = page.split("```rust\n").skip(1);
    begins.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// Without indentation, and without empty lines.
fn lines_of(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}
