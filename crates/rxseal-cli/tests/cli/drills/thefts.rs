//! `rxseal drill theft` (T88, T89).

use std::fs;

use serde_json::Value;

use super::codes;
use super::service::{RINGS, service};
use super::shop::{DRUG, answer, copy, drill_shop, in_copy};
use crate::shop::states;

/// What is stolen, how many patients and values are readable then, and how many of the drawn values open.
fn steps(answer: &Value) -> Vec<(&str, u64, u64, u64)> {
    let number = |step: &Value, name: &str| step[name].as_u64().unwrap();
    let one = |step: &'_ Value| [number(step, "patients"), number(step, "values"), number(step, "opened")];
    let steps = answer["steps"].as_array().unwrap();
    steps
        .iter()
        .map(|step| (step["stolen"].as_str().unwrap(), one(step)))
        .map(|(name, [a, b, c])| (name, a, b, c))
        .collect()
}

#[test]
fn of_the_service_nothing_is_readable_without_a_key() {
    let shop = service("theft-service", 5);
    let passed = answer(&shop, &format!("theft {RINGS}"), 0);
    assert_eq!((&passed["verdict"], &passed["patients"]), (&"passed".into(), &5.into()));
    assert_eq!(
        steps(&passed),
        [
            ("data", 0, 0, 0),
            ("keyring", 0, 0, 0),
            ("one-key", 0, 0, 0),
            ("subject-keys", 5, 45, 45),
            ("kek", 5, 45, 45),
            ("root-key", 5, 45, 45)
        ]
    );
    // A version of the program that seals all but one field.
    in_copy(&shop, "UPDATE patient SET last_name = CAST('Quimby' AS BLOB)");
    let failed = answer(&shop, &format!("theft {RINGS}"), 1);
    assert_eq!(codes(&failed, "faults"), ["readable"]);
    let text = failed["faults"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("last_name: 5 plaintext"), "{text}");
    assert!(!failed.to_string().contains("Quimby"));
}

#[test]
fn each_key_opens_what_it_should() {
    let shop = drill_shop("theft-keys", 12);
    // More values are under the key that seals now. One of its rows is of a patient whose own key is under the old one.
    in_copy(&shop, "DELETE FROM prescriptions WHERE rx_number < 4");
    let passed = answer(&shop, &format!("theft {RINGS}"), 0);
    let opened: Vec<_> = steps(&passed).into_iter().map(|(name, _, values, opened)| (name, values, opened)).collect();
    let expected = [
        ("data", 0, 0),
        ("keyring", 0, 0),
        ("one-key", 0, 0),
        ("subject-keys", 15, 15),
        ("kek", 30, 30),
        ("root-key", 30, 30),
    ];
    assert_eq!(opened, expected);
    // Under a key that somebody has, rxseal opens nothing, so the drill does not know it.
    copy(&shop);
    let keys = states(&shop.json("keyring inspect pharmacy-17"));
    let (old, ..) = keys.iter().find(|(_, _, primary)| !primary).unwrap();
    shop.ok(&format!("keyring compromise pharmacy-17 {old}"));
    copy(&shop);
    assert_eq!(codes(&answer(&shop, &format!("theft {RINGS}"), 7), "undecided")[0], "key-compromised");
}

#[test]
fn plaintext_and_canaries_are_readable() {
    let shop = drill_shop("theft-plain", 4);
    let planted = shop.json("canary plant pharmacy-17 --list list.json");
    let name = planted[0]["values"]["name"].as_str().unwrap().to_owned();
    answer(&shop, &format!("theft {RINGS} --canaries list.json"), 0);
    // In a column that the map calls readable.
    in_copy(&shop, &format!("UPDATE prescriptions SET filled_at = '{}' WHERE rx_number = 1", name.replace('\'', "''")));
    assert_eq!(codes(&answer(&shop, &format!("theft {RINGS} --canaries list.json"), 1), "faults"), ["readable"]);
    copy(&shop);
    in_copy(&shop, &format!("UPDATE prescriptions SET drug = '{DRUG}' WHERE rx_number = 1"));
    assert_eq!(codes(&answer(&shop, &format!("theft {RINGS}"), 1), "faults"), ["readable"]);
    // What nobody said anything of is undecided.
    copy(&shop);
    in_copy(&shop, "ALTER TABLE prescriptions ADD COLUMN note TEXT; UPDATE prescriptions SET note = 'call back'");
    assert_eq!(codes(&answer(&shop, &format!("theft {RINGS}"), 7), "undecided"), ["column-undeclared"]);
    copy(&shop);
    fs::remove_file(shop.path("copy/pharmacy.db")).unwrap();
    assert_eq!(codes(&answer(&shop, &format!("theft {RINGS}"), 1), "faults"), ["not-read"]);
}

/// A thief of a database has all of its tables.
#[test]
fn tables_that_the_map_does_not_name_are_undecided() {
    let shop = drill_shop("theft-tables", 4);
    in_copy(
        &shop,
        "CREATE TABLE walkins (name TEXT, ssn TEXT); INSERT INTO walkins VALUES ('Zoraida Quimby', '078-05-1120')",
    );
    in_copy(&shop, "CREATE TABLE \"Quimby, Zoraida: 078-05-1120\" AS SELECT 1; CREATE TABLE nothing_yet (a)");
    in_copy(&shop, "CREATE VIEW all_of_them AS SELECT * FROM walkins");
    let undecided = answer(&shop, &format!("theft {RINGS}"), 7);
    assert_eq!(codes(&undecided, "undecided"), ["table-undeclared"]);
    let of = &undecided["undecided"][0];
    let text = of["text"].as_str().unwrap();
    assert_eq!(of["source"], "sqlite:pharmacy.db");
    assert!(text.starts_with("2 of its tables") && text.contains("walkins, 1 that are not named"), "{text}");
    assert!(!text.contains("078") && !text.contains("all_of_them"), "{text}");
    // Somebody knows what is in one of them.
    let text = answer(&shop, &format!("theft {RINGS} --without-phi walkins"), 7).to_string();
    assert!(text.contains("1 of its tables") && !text.contains("walkins"), "{text}");
    in_copy(&shop, "DROP TABLE \"Quimby, Zoraida: 078-05-1120\"");
    answer(&shop, &format!("theft {RINGS} --without-phi walkins"), 0);
}

/// An empty copy and another database look like one of which nothing is readable.
#[test]
fn an_empty_copy_is_undecided() {
    let shop = drill_shop("theft-empty", 4);
    in_copy(&shop, "DELETE FROM prescriptions");
    assert_eq!(codes(&answer(&shop, &format!("theft {RINGS}"), 7), "undecided"), ["no-rows", "no-tokens"]);
    // So does a column without a value.
    copy(&shop);
    in_copy(&shop, "ALTER TABLE prescriptions DROP COLUMN drug; ALTER TABLE prescriptions ADD COLUMN drug TEXT");
    assert_eq!(codes(&answer(&shop, &format!("theft {RINGS}"), 7), "undecided"), ["column-empty"]);
}
