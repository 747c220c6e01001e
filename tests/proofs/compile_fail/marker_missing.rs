//! What a person reads who wrote something else where a field marker belongs.

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
