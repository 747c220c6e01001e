//! `rxseal drill restore` (T88, T89).

use std::fs;

use super::shop::{DRUG, bytes_of_copy, copy, drill, drill_shop, in_copy, restore, write_rows};
use super::{codes, sum};

#[test]
fn a_whole_copy_passes_and_stays_as_it_is() {
    let shop = drill_shop("restore-whole", 12);
    let before = bytes_of_copy(&shop);
    let passed = restore(&shop, "", 0);
    assert_eq!((&passed["verdict"], &passed["drill"]), (&"passed".into(), &"restore".into()));
    // Two columns of the table and one of the export.
    assert_eq!((&passed["opened"], &passed["failed"]), (&36.into(), &0.into()));
    assert_eq!(passed["keys"].as_array().unwrap().len(), 4, "two keys in each of two sources");
    assert_eq!((passed["keyrings"][0]["generation"].as_u64(), sum(&passed, "tokens")), (Some(2), 36));
    assert_eq!(bytes_of_copy(&shop), before);
    let few = restore(&shop, "--records 2", 0);
    assert_eq!((sum(&few, "drawn"), &few["opened"]), (8, &12.into()));
    // The log has who opened how much, and what was opened is of the patients of the copy.
    let log = shop.ok("audit show log");
    assert!(log.contains("HSYSADMIN") && log.contains("user:lee.ops") && log.contains("pat-3"), "{log}");
}

#[test]
fn what_does_not_open_is_never_passed() {
    let shop = drill_shop("restore-faults", 8);
    // A token of another row.
    in_copy(
        &shop,
        "UPDATE prescriptions SET drug = (SELECT drug FROM prescriptions WHERE rx_number = 2) WHERE rx_number = 1",
    );
    let failed = restore(&shop, "", 1);
    assert_eq!((&failed["verdict"], &*codes(&failed, "faults")), (&"failed".into(), &["not-opened".to_owned()][..]));
    let codes_of = |answer: &serde_json::Value| {
        let mut all = std::collections::BTreeSet::new();
        for key in answer["keys"].as_array().unwrap() {
            all.extend(key["failed"].as_object().unwrap().keys().cloned());
        }
        all.into_iter().collect::<Vec<_>>()
    };
    assert_eq!((codes_of(&failed), &failed["failed"]), (vec!["open-failed".to_owned()], &1.into()));

    // Plaintext, and a token that was cut off.
    copy(&shop);
    in_copy(&shop, &format!("UPDATE prescriptions SET drug = '{DRUG}' WHERE rx_number = 3"));
    in_copy(&shop, "UPDATE prescriptions SET drug = substr(drug, 1, 50) WHERE rx_number = 4");
    let failed = restore(&shop, "", 1);
    assert_eq!(codes(&failed, "faults"), ["not-a-token"]);
    assert!(failed["faults"][0]["text"].as_str().unwrap().starts_with("2 values"));

    // The keyring of before the rotation has not all keys. Another one's has none.
    copy(&shop);
    fs::copy(shop.path("old.json"), shop.path("copy/ring.json")).unwrap();
    let failed = restore(&shop, "", 1);
    assert_eq!((codes_of(&failed), &failed["opened"]), (vec!["unknown-key".to_owned()], &12.into()));
    copy(&shop);
    let other = crate::shop::Shop::opened("restore-other", "file:HERE/rings");
    fs::copy(other.path("rings/pharmacy-17.keyring.json"), shop.path("copy/ring.json")).unwrap();
    let failed = restore(&shop, "", 1);
    assert_eq!(codes(&failed, "faults")[0], "unlock-failed");
    assert_eq!((codes_of(&failed), &failed["opened"]), (vec!["unlock-failed".to_owned()], &0.into()));

    // A damaged file, and none.
    copy(&shop);
    let path = shop.path("copy/pharmacy.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[5000..].fill(7);
    fs::write(&path, bytes).unwrap();
    assert_eq!(codes(&restore(&shop, "", 1), "faults"), ["not-read"]);
    fs::remove_file(&path).unwrap();
    assert_eq!(codes(&restore(&shop, "", 1), "faults"), ["not-read"]);
}

#[test]
fn a_destroyed_key_is_found() {
    let shop = drill_shop("restore-destroyed", 8);
    let keys = super::super::shop::states(&shop.json("keyring inspect pharmacy-17"));
    let (old, ..) = keys.iter().find(|(_, _, primary)| !primary).unwrap();
    shop.ok(&format!("keyring destroy pharmacy-17 {old} --force --yes"));
    fs::copy(shop.path("rings/pharmacy-17.keyring.json"), shop.path("copy/ring.json")).unwrap();
    let failed = restore(&shop, "", 1);
    assert_eq!(codes(&failed, "faults"), ["not-opened"; 4]);
    let of_key = failed["keys"].as_array().unwrap().iter().find(|key| key["key"] == **old).unwrap();
    assert_eq!((&of_key["opened"], of_key["failed"].as_object().unwrap().len()), (&0.into(), 1));
    // One patient of the new key has a key of their own under the old one.
    assert_eq!(failed["opened"], 9);
}

#[test]
fn what_could_not_be_tried_is_undecided() {
    let shop = drill_shop("restore-undecided", 4);
    in_copy(&shop, "DELETE FROM prescriptions");
    let undecided = restore(&shop, "", 7);
    assert_eq!(
        (&undecided["verdict"], &*codes(&undecided, "undecided")),
        (&"undecided".into(), &["no-tokens".to_owned()][..])
    );
    // Of a field that is in no record of the schema, nothing is proven.
    copy(&shop);
    let map = fs::read_to_string(shop.path("rxseal-map.toml")).unwrap();
    fs::write(shop.path("rxseal-map.toml"), map.replacen("phi.patient.name", "phi.patient.nick", 1)).unwrap();
    let undecided = restore(&shop, "", 7);
    assert_eq!(codes(&undecided, "undecided"), ["part-field"]);
    assert_eq!((&undecided["undecided"][0]["place"], &undecided["opened"]), (&"patient_name".into(), &8.into()));
}

#[test]
fn a_forgotten_patient_is_no_fault() {
    let shop = drill_shop("restore-shredded", 8);
    let shred = "subject shred pharmacy-17 pat-1 --yes --subject-store file:subjects --shred-log shredded.log --backups-kept 30days";
    shop.ok(shred);
    copy(&shop);
    let passed = restore(&shop, "", 0);
    assert_eq!((&passed["shredded"], &passed["failed"], &passed["opened"]), (&6.into(), &0.into(), &18.into()));
    // If nobody else is drawn, nothing shows that the key opens.
    in_copy(&shop, "DELETE FROM prescriptions WHERE patient_id <> 'pat-1'");
    let undecided = restore(&shop, "", 7);
    assert_eq!(codes(&undecided, "undecided"), ["fewer-rows", "all-shredded"]);
    // A patient whose key is lost is one.
    copy(&shop);
    fs::remove_dir_all(shop.path("copy/subjects/pharmacy-17")).unwrap();
    let failed = restore(&shop, "", 1);
    assert_eq!((&failed["opened"], codes(&failed, "faults").len()), (&0.into(), 4));
}

#[test]
fn nothing_is_opened_before_all_is_said() {
    let shop = drill_shop("restore-usage", 4);
    let fails = |arguments: &str, exit: i32| {
        let output = drill(&shop, arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(exit), true), "{arguments}: {text}");
        text
    };
    assert!(fails("restore --keyring copy/ring.json", 2).contains("--data"));
    assert!(fails("restore --data absent --keyring copy/ring.json", 2).contains("absent"));
    assert!(fails("restore --data copy --keyring absent.json", 2).contains("absent.json"));
    assert!(fails("restore --data copy --keyring rxseal-schema.json", 1).contains("invalid-keyring"));
    assert!(fails("restore --data copy --keyring copy/ring.json --budget 1", 2).contains("--budget"));
    assert!(
        fails("restore --data copy --keyring copy/ring.json --page rxseal-map.toml", 2).contains("is there already")
    );
    // The log has no key of such a patient, and no budget for one.
    let text = shop
        .run("drill restore --data copy --keyring copy/ring.json --subject-store file:copy/subjects --who user:lee");
    assert!(String::from_utf8(text.stderr).unwrap().contains("--audit-log"));
    assert_eq!(fs::read_dir(shop.path("log")).unwrap().count(), 0);
    let map = fs::read_to_string(shop.path("rxseal-map.toml")).unwrap();
    for away in ["../pharmacy.db", "/var/lib/pharmacy.db"] {
        fs::write(shop.path("rxseal-map.toml"), map.replace("pharmacy.db", away)).unwrap();
        assert!(fails("restore --data copy --keyring copy/ring.json", 1).contains("not below the folder"));
    }
    fs::write(shop.path("rxseal-map.toml"), map.replace("pharmacy-17", "pharmacy-18")).unwrap();
    assert!(fails("restore --data copy --keyring copy/ring.json", 1).contains("keyspace-mismatch"));
    fs::write(shop.path("rxseal-map.toml"), map.replace("sqlite:pharmacy.db#", "postgres:public.")).unwrap();
    assert!(fails("restore --data copy --keyring copy/ring.json", 2).contains("--postgres"));
}

#[test]
fn the_log_says_how_a_drill_ended_and_a_frozen_actor_opens_nothing() {
    let shop = drill_shop("restore-log", 4);
    restore(&shop, "--page restore.html", 0);
    in_copy(&shop, "DELETE FROM prescriptions");
    restore(&shop, "", 7);
    let log = shop.ok("audit show log");
    assert!(
        log.contains("drill") && log.contains("restore") && log.contains("passed") && log.contains("undecided"),
        "{log}"
    );
    let output = drill(&shop, "restore --data copy --keyring copy/ring.json --page restore.html");
    assert_eq!(output.status.code(), Some(2), "a page is never written over");
    copy(&shop);
    fs::write(shop.path("frozen.toml"), "frozen = \"frozen\"\n").unwrap();
    shop.ok("budget freeze user:lee.ops --list frozen");
    let output = drill(&shop, "restore --data copy --keyring copy/ring.json --config frozen.toml");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && text.contains("refused-by-observer"), "{text}");
}

/// Rows that a backup lacks do not fail to open. So their number is compared.
#[test]
fn rows_that_are_missing_are_noticed() {
    let shop = drill_shop("restore-fewer", 12);
    const TABLE: &str = "sqlite:pharmacy.db#prescriptions";
    const EXPORTS: &str = "ndjson:exports/*.ndjson";
    // Nobody has drilled yet, and somebody counted.
    let counted = format!("--expect-rows {TABLE}=12 --expect-rows {EXPORTS}=12");
    let passed = restore(&shop, &counted, 0);
    assert_eq!(passed["sources"][0], serde_json::json!({ "source": TABLE, "rows": 12, "expected": 12 }));
    in_copy(&shop, "DELETE FROM prescriptions WHERE rx_number IN (1, 12)");
    let failed = restore(&shop, &counted, 1);
    assert_eq!(codes(&failed, "faults"), ["rows-missing"]);
    assert!(failed["faults"][0]["text"].as_str().unwrap().contains("10 rows, and 12"), "{failed}");
    // Nobody counted, and the log has the last drill that passed.
    let undecided = restore(&shop, "", 7);
    assert_eq!(codes(&undecided, "undecided"), ["fewer-rows"]);
    let text = undecided["undecided"][0]["text"].as_str().unwrap();
    assert!(text.contains("22 rows have 32 tokens") && text.contains("24 rows had 36"), "{text}");
    // A drill that did not pass is not compared with. If somebody says that the rows were deleted on purpose, the next drill has enough.
    assert_eq!(codes(&restore(&shop, "", 7), "undecided"), ["fewer-rows"]);
    restore(&shop, &format!("--expect-rows {TABLE}=10 --expect-rows {EXPORTS}=12"), 0);
    restore(&shop, "", 0);
    let summary = shop.run("drill restore --data copy --keyring copy/ring.json --audit-log log --audit-key audit.key --subject-store file:copy/subjects --who user:lee.ops");
    assert!(String::from_utf8_lossy(&summary.stdout).contains("22 rows, compared with the last drill"));
    for wrong in ["12", "absent=12", &format!("{TABLE}=many")] {
        let output = drill(&shop, &format!("restore --data copy --keyring copy/ring.json --expect-rows {wrong}"));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && text.contains("SOURCE=N"), "{wrong}: {text}");
    }
}

/// A log that cannot be read says nothing of the last drill, and nothing is as many as it should be by itself.
#[test]
fn a_log_that_cannot_be_read_has_no_last_drill() {
    let shop = drill_shop("restore-log-damaged", 4);
    fs::write(shop.path("log/1764000000000-7f3a9c0e5b1d2468.rxa"), "no line of a log\n").unwrap();
    assert_eq!(codes(&restore(&shop, "", 7), "undecided"), ["last-drill-unknown"]);
    let counted = "--expect-rows sqlite:pharmacy.db#prescriptions=4 --expect-rows ndjson:exports/*.ndjson=4";
    restore(&shop, counted, 0);
}

/// What is not there does not fail to open either.
#[test]
fn a_column_without_a_token_is_undecided() {
    let shop = drill_shop("restore-empty-column", 8);
    in_copy(&shop, "ALTER TABLE prescriptions DROP COLUMN drug; ALTER TABLE prescriptions ADD COLUMN drug TEXT");
    let undecided = restore(&shop, "", 7);
    assert_eq!(codes(&undecided, "undecided"), ["column-empty"]);
    let of = &undecided["undecided"][0];
    assert_eq!((&of["source"], &of["place"]), (&"sqlite:pharmacy.db#prescriptions".into(), &"drug".into()));
    // It is so on purpose.
    let map = fs::read_to_string(shop.path("rxseal-map.toml")).unwrap();
    let empty = map.replacen("[[source]]\n", "[[source]]\nempty = { columns = [\"drug\"] }\n", 1);
    fs::write(shop.path("rxseal-map.toml"), empty).unwrap();
    restore(&shop, "", 0);
}

/// A drill of one row is one of the last 180 days, and says so little.
#[test]
fn evidence_says_how_little_a_drill_read() {
    let shop = drill_shop("restore-evidence", 12);
    let open = |out: &str| {
        let make = format!("--json evidence make --out {out} --who user:lee.ops --audit-log log --audit-key audit.key");
        let answer: serde_json::Value = serde_json::from_slice(&shop.run(&make).stdout).unwrap();
        let found = codes(&answer, "remarks");
        assert!(!found.iter().any(|code| code == "restore-drill-old"), "{found:?}");
        found.contains(&"restore-drill-partial".to_owned())
    };
    in_copy(&shop, "DELETE FROM prescriptions WHERE rx_number NOT IN (1, 12)");
    for export in fs::read_dir(shop.path("copy/exports")).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&export).unwrap();
        fs::write(&export, text.split_inclusive('\n').next().unwrap()).unwrap();
    }
    restore(&shop, "", 0);
    assert!(open("one"));
    copy(&shop);
    restore(&shop, "", 0);
    assert!(!open("two"));
}

/// 100,000 rows with `RXSEAL_FULL`.
#[test]
fn every_row_of_a_large_copy_opens() {
    let rows = if std::env::var_os("RXSEAL_FULL").is_some() { 100_000 } else { 2_000 };
    let shop = drill_shop("restore-large", 2);
    write_rows(&shop, &shop.keys(), 3..=rows);
    copy(&shop);
    let passed = restore(&shop, &format!("--records {rows} --budget {rows}"), 0);
    assert_eq!((passed["opened"].as_u64(), sum(&passed, "rows")), (Some(3 * rows), 2 * rows));
    eprintln!("{rows} rows: {}", passed["seconds"]);
}
