//! Proves that docs/COLUMNS.md shows what was compiled and run: each block of Rust in it is in a test, line by line.

use std::fs;

use crate::workspace::{read, root};

/// The tests that run a block against a real database.
const TESTS: &[&str] = &[
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
    let tests: Vec<String> = TESTS.iter().map(|path| fs::read_to_string(root().join(path)).expect(path)).collect();
    let tests: Vec<Vec<&str>> = tests.iter().map(|text| lines_of(text)).collect();
    let blocks = blocks(&read("docs/COLUMNS.md"));
    assert!(blocks.len() >= TESTS.len(), "a test of the guide has none of its blocks");
    for block in blocks {
        let block = lines_of(&block);
        let is_in = |test: &Vec<&str>| test.windows(block.len()).any(|lines| lines == block);
        assert!(tests.iter().any(is_in), "no test has this block of docs/COLUMNS.md:\n{}", block.join("\n"));
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
