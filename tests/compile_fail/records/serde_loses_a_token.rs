//! What is skipped, or replaced when it is missing, is lost at the next save.

use rxseal::PhiRecord;
use rxseal::phi::{Directions, Drug, Ndc};

#[derive(PhiRecord)]
#[phi(record = "visit", derive(serde::Serialize, serde::Deserialize))]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    #[serde(skip)]
    a: String,
    #[phi(seal = Directions)]
    #[serde(skip_serializing)]
    b: String,
    #[phi(seal = Option<Ndc>)]
    #[serde(skip_deserializing)]
    c: Option<String>,
    #[phi(part = "line")]
    #[serde(skip)]
    lines: Vec<Line>,
}

#[derive(PhiRecord)]
#[phi(part, derive(serde::Serialize, serde::Deserialize))]
struct Line {
    #[phi(id)]
    line_no: u32,
}

fn main() {}
