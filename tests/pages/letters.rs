//! `letter.json`: what 45 CFR 164.404(c) asks for, filled or marked.

use serde_json::Value;

use crate::samples;

#[test]
fn a_letter_has_what_the_law_asks_for() {
    let letter: Value = serde_json::from_str(&samples::ordinary().to_letter()).unwrap();
    assert_eq!(letter["what_happened"]["discovered"], "2026-09-02");
    assert_eq!(letter["what_happened"]["from"], "30 Aug 2026 20:51");
    assert_eq!(letter["last_day"], "2026-11-01");
    assert_eq!(letter["what_we_do"]["done"].as_array().unwrap().len(), 3);
    for part in ["what_happened", "what_you_can_do", "what_we_do", "contact"] {
        assert!(letter[part]["to_write"].is_string(), "{part}");
    }
    let kinds: Vec<_> =
        letter["kinds_of_data"].as_array().unwrap().iter().map(|kind| kind["class"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["identity", "medication", "prescriber", "date", "identifier"],
        "what stayed sealed is not named"
    );
    assert_eq!(letter["kinds_of_data"][0]["patients_proven"], 3_283);
}

#[test]
fn a_letter_of_nothing_names_no_kind() {
    let letter: Value = serde_json::from_str(&samples::nothing().to_letter()).unwrap();
    assert_eq!(letter["kinds_of_data"], serde_json::json!([]));
    assert_eq!(letter["what_happened"]["from"], Value::Null);
    assert_eq!(letter["patients"]["at_most"], 0);
}

#[test]
fn undecided_kinds_are_named_apart_from_proven_ones() {
    let letter: Value = serde_json::from_str(&samples::undecided().to_letter()).unwrap();
    assert_eq!(letter["kinds_of_data"][0]["patients_proven"], 0);
    assert_eq!(letter["kinds_of_data"][0]["patients_not_ruled_out"], 48_211);
}
