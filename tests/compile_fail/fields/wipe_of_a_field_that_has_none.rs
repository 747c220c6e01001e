//! The text for a person who derives `Wipe` for a type with a field that cannot be wiped.

#[derive(rxseal::Wipe)]
struct Visit {
    reason: String,
    at: std::time::SystemTime,
}

fn main() {}
