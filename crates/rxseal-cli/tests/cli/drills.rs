//! `rxseal drill`: what passes, what fails, and what is never called passed.

mod losses;
mod restores;
mod service;
mod shop;
mod thefts;

use std::fs;

use serde_json::Value;

use crate::page::blocks;
use crate::walk::walk;

const PAGE: &str = include_str!("../../../../docs/DRILLS.md");

#[test]
fn the_page_runs_word_for_word() {
    let shop = shop::drill_shop("drill-page", 12);
    fs::rename(shop.path("copy"), shop.path("restored")).unwrap();
    fs::rename(shop.path("restored/ring.json"), shop.path("restored/pharmacy-17.keyring.json")).unwrap();
    fs::copy(shop.path("old.json"), shop.path("restored/old.keyring.json")).unwrap();
    let settings = blocks(PAGE).into_iter().find(|block| block.kind == "toml").unwrap().lines.join("\n");
    fs::write(shop.path("drill.toml"), settings).unwrap();
    walk("docs/DRILLS.md", PAGE, &shop, 0, str::to_owned);
    let page = fs::read_to_string(shop.path("restore.html")).unwrap();
    rxseal_tests_pages::check("drill-ordinary", &page);
    assert!(
        page.contains("The drill passed.") && page.contains("prescriptions") && !page.contains("Zoraida"),
        "{page}"
    );
}

/// The codes of what a drill found to be wrong, or could not try.
fn codes(answer: &Value, of: &str) -> Vec<String> {
    answer[of].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

/// The sum of a number over tables and keys.
fn sum(answer: &Value, number: &str) -> u64 {
    answer["keys"].as_array().unwrap().iter().map(|key| key[number].as_u64().unwrap()).sum()
}
