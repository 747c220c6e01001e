//! The text for a person who wrote something else in place of a field marker.

use rxseal::{Each, Sealing, phi};

#[derive(serde::Serialize, serde::Deserialize)]
struct Refill {
    #[serde(with = "Sealing::<String>")]
    drug: String,
    #[serde(with = "Sealing::<Option<phi::Directions>>")]
    directions: String,
    #[serde(with = "Sealing::<Each<phi::Allergy>>")]
    allergy: String,
}

fn main() {}
