//! A missing token must not become a value.

use rxseal::PhiRecord;
use rxseal::phi::{Directions, Drug, Ndc};

#[derive(PhiRecord)]
#[phi(record = "visit", derive(serde::Serialize, serde::Deserialize))]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    #[serde(default)]
    a: String,
    #[phi(seal = Directions)]
    #[serde(default = "unknown")]
    b: String,
    #[phi(seal = Option<Ndc>)]
    #[serde(default = "unknown")]
    c: Option<String>,
}

#[derive(PhiRecord)]
#[phi(record = "fill", derive(serde::Serialize, serde::Deserialize))]
#[serde(default)]
struct Fill {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    a: String,
}

fn main() {}
