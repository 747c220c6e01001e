//! Counts in JSON.

use rxseal::KeyId;
use rxseal::count::KeyCounts;
use serde_json::json;

/// The counts of one column, and what else is to be said of it.
pub fn counts_as_json(
    counts: &KeyCounts,
    more: impl IntoIterator<Item = (&'static str, serde_json::Value)>,
) -> serde_json::Value {
    let own = [
        ("keys", json!(members(counts.iter()))),
        ("total", json!(counts.total())),
        ("not_tokens", json!(counts.not_tokens())),
        ("look_alikes", json!(counts.look_alikes())),
        ("not_sealed", json!(counts.not_sealed())),
        ("nulls", json!(counts.nulls())),
        ("joined", json!(members(counts.joined()))),
        ("doubt", json!(counts.doubt())),
    ];
    own.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect()
}

pub fn members(counts: impl Iterator<Item = (KeyId, u64)>) -> serde_json::Map<String, serde_json::Value> {
    counts.map(|(key, count)| (key.to_string(), json!(count))).collect()
}
