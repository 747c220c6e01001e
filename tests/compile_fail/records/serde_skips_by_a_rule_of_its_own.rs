//! Only `None` may be left out.

use rxseal::PhiRecord;
use rxseal::phi::{Directions, Drug};

#[derive(PhiRecord)]
#[phi(record = "visit", derive(serde::Serialize, serde::Deserialize))]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    #[serde(skip_serializing_if = "String::is_empty")]
    a: String,
    #[phi(seal = Option<Directions>)]
    #[serde(skip_serializing_if = "Option::is_some")]
    b: Option<String>,
}

fn main() {}
