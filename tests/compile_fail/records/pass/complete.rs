//! What the others lack.

use rxseal::PhiRecord;
use rxseal::phi::{Directions, Drug};

#[derive(PhiRecord)]
#[phi(record = "visit", was = "call", derive(Debug, serde::Serialize, serde::Deserialize))]
#[serde(rename_all = "camelCase")]
pub struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Option<Directions>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    directions: Option<String>,
    #[phi(clear)]
    #[serde(skip)]
    refills: u8,
}

fn main() {}
