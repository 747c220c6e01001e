//! `rxseal drill key-loss`.

use std::fs;

use serde_json::Value;

use super::codes;
use super::shop::{answer, drill_shop};
use crate::shop::Shop;

const BACKUP: &str = "key-loss --data copy --subject-backup file:subjects";

fn losses(answer: &Value) -> Vec<(String, u64, u64)> {
    let number = |loss: &Value, name: &str| loss[name].as_u64().unwrap();
    let one = |loss: &Value| {
        let name =
            [&loss["lost"], &loss["root_key"]].map(|part| part.as_str().unwrap_or_default().to_owned()).join(" ");
        (name, number(loss, "values_lost"), number(loss, "opened"))
    };
    answer["losses"].as_array().unwrap().iter().map(one).collect()
}

fn with_roots(name: &str, more: &[&str]) -> Shop {
    let shop = drill_shop(name, 8);
    for root in more {
        shop.ok(&format!("key-file create {root}.key"));
        shop.ok(&format!("keyring root add pharmacy-17 file:{root}.key"));
    }
    shop
}

#[test]
fn of_three_root_keys_any_may_be_lost() {
    let shop = with_roots("loss-three", &["second", "escrow"]);
    let roots = "--root file:root.key --root file:second.key --root file:escrow.key";
    let passed = answer(&shop, &format!("{BACKUP} {roots}"), 0);
    let all = losses(&passed);
    assert_eq!(all.len(), 5, "nothing, three root keys and the subject keys: {all:?}");
    assert!(all.iter().all(|(_, lost, opened)| (*lost, *opened) == (0, 24)), "{all:?}");
    // Only one of them is at hand: it is the only one whose loss is a loss.
    let failed = answer(&shop, &format!("{BACKUP} --root file:second.key"), 1);
    assert_eq!(codes(&failed, "faults"), ["loses-everything"]);
    let lost: Vec<_> = losses(&failed).into_iter().filter(|(_, lost, _)| *lost > 0).collect();
    assert_eq!((lost.len(), lost[0].1, lost[0].2), (1, 24, 0));
    assert_eq!(losses(&failed).len(), 5, "the others are lost in any case");
}

#[test]
fn one_root_key_alone_fails() {
    let shop = drill_shop("loss-one", 8);
    let failed = answer(&shop, BACKUP, 1);
    assert_eq!((codes(&failed, "faults"), codes(&failed, "undecided")), (vec!["loses-everything".to_owned()], vec![]));
    let text = failed["faults"][0]["text"].as_str().unwrap();
    assert!(text.contains("root key local") && text.contains("all 24 values"), "{text}");
}

#[test]
fn subject_keys_without_a_backup_fail() {
    let shop = with_roots("loss-subjects", &["escrow"]);
    let roots = "--root file:root.key --root file:escrow.key";
    let failed = answer(&shop, &format!("key-loss --data copy {roots}"), 1);
    assert_eq!(codes(&failed, "faults"), ["loses-everything"]);
    assert!(failed["faults"][0]["text"].as_str().unwrap().contains("the subject keys"));
    let lost: Vec<_> = losses(&failed).into_iter().filter(|(_, lost, _)| *lost > 0).collect();
    assert_eq!(lost, [("subject-keys ".to_owned(), 24, 0)]);
    answer(&shop, &format!("{BACKUP} {roots}"), 0);
}

#[test]
fn what_is_lost_already_is_said_first() {
    let shop = with_roots("loss-before", &["escrow"]);
    shop.ok("key-file create stranger.key");
    let failed = answer(&shop, &format!("{BACKUP} --root file:stranger.key"), 1);
    assert!(failed["faults"][0]["text"].as_str().unwrap().contains("nothing was taken away"));
    fs::remove_dir_all(shop.path("copy/subjects/pharmacy-17")).unwrap();
    let failed = answer(&shop, &format!("{BACKUP} --root file:root.key --root file:escrow.key"), 1);
    assert_eq!(codes(&failed, "faults")[0], "not-opened");
}

/// A loss that leaves a few values is a loss.
#[test]
fn all_but_one_value_is_too_much() {
    let shop = with_roots("loss-part", &["escrow"]);
    // One record without a patient's key.
    let schema = fs::read_to_string(shop.path("rxseal-schema.json")).unwrap();
    let member = "\"member\": \"patient_id\",";
    fs::write(shop.path("rxseal-schema.json"), schema.replace(member, &format!("{member} \"optional\": true,")))
        .unwrap();
    let drug =
        shop.keys().record("prescription", 99_u64).unwrap().seal_text::<rxseal::phi::Drug>("warfarin 5 MG").unwrap();
    fs::write(shop.path("copy/exports/99.ndjson"), format!("{{\"rx_number\":99,\"drug\":\"{drug}\"}}\n")).unwrap();
    let roots = "--root file:root.key --root file:escrow.key";
    let failed = answer(&shop, &format!("key-loss --data copy {roots}"), 1);
    assert_eq!(codes(&failed, "faults"), ["loses-part"]);
    assert!(failed["faults"][0]["text"].as_str().unwrap().contains("loses 24 of 25 values"), "{failed}");
    answer(&shop, &format!("{BACKUP} {roots}"), 0);
}
