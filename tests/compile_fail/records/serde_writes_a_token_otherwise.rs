//! A token has the form that it has.

use rxseal::PhiRecord;
use rxseal::phi::{Directions, Drug, Ndc, Quantity, Strength};

#[derive(PhiRecord)]
#[phi(record = "visit", derive(serde::Serialize, serde::Deserialize))]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    #[serde(with = "hex")]
    a: String,
    #[phi(seal = Directions)]
    #[serde(rename = "b2", serialize_with = "hex::serialize")]
    b: String,
    #[phi(seal = Option<Ndc>)]
    #[serde(deserialize_with = "hex::deserialize")]
    c: Option<String>,
    #[phi(seal = Strength)]
    #[serde(flatten)]
    d: String,
    #[phi(seal = Quantity, attr(serde(flatten)))]
    e: String,
}

fn main() {}
