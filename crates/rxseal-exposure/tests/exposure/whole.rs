//! Copies that have less than the thief saw: each is found, and makes no number smaller.

use std::fs;

use rusqlite::Connection;

use crate::support::{MAP, Place, RX, Told, told};

/// A quote that never closes would swallow the rows behind it: their patients would be missing, and nobody would know.
#[test]
fn a_csv_file_with_a_quote_that_never_closes_is_not_whole() {
    let place = Place::new();
    place.fill(3);
    let [first, second, third] = [1, 2, 3].map(|number| place.rx(number));
    for cell in ["\"Jane Doe", "\"Jane \\\"Doe\\\"\""] {
        let broken = first.replace("2026-08-30", cell);
        place.write("copy.csv", format!("{RX}\n{broken}\n{second}\n{third}\n"));
        let told = told(place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone()));
        assert_eq!((told.numbers(), told.codes()), ((0, 4, 4), vec!["not-read"]), "{broken}");
        let doubt = &told.exposure.doubts[0].text;
        assert!(doubt.contains("line 2") && doubt.contains("quote") && !doubt.contains("Doe"), "{doubt}");
    }
}

/// What is gone from a pattern's folder was in what the thief took.
#[cfg(unix)]
#[test]
fn files_that_are_gone_since_are_missed() {
    for pattern in ["exports/*.csv", "exports/**/*.csv", "ex*/a/*.csv", "exports/*/?.csv"] {
        let place = Place::new();
        place.fill(2);
        place.write("map.toml", MAP.replace("csv:rx.csv", &format!("csv:{pattern}")));
        // Far away from the other files, whose folder changes.
        let folder = place.path("exports/a");
        fs::create_dir_all(&folder).unwrap();
        let in_folder = |name: &str| {
            if pattern == "exports/*.csv" { format!("exports/{name}") } else { format!("exports/a/{name}") }
        };
        for (name, number) in [("1.csv", 1), ("2.csv", 2)] {
            place.write(&in_folder(name), format!("{RX}\n{}\n", place.rx(number)));
            make_old(&place.path(&in_folder(name)));
        }
        let all_old =
            || [folder.clone(), place.path("exports"), place.folder.clone()].iter().for_each(|path| make_old(path));
        let at = || {
            told(
                place
                    .theft()
                    .stolen(crate::support::stolen(&format!("data:csv:{pattern}@2021-01-01")))
                    .keyring(place.ring.clone()),
            )
        };
        all_old();
        assert_eq!((at().numbers(), at().codes()), ((0, 0, 3), vec![]), "{pattern}");
        fs::remove_file(place.path(&in_folder("2.csv"))).unwrap();
        let gone = at();
        assert_eq!((gone.codes(), gone.state("1", "identity")), (vec!["changed-since"], "undecided"), "{pattern}");
    }
}

#[cfg(unix)]
fn make_old(path: &std::path::Path) {
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    fs::File::open(path).unwrap().set_modified(time).unwrap();
}

/// A place whose visits are in a database in WAL mode. The last one is in its log only.
fn live() -> (Place, Connection) {
    let place = Place::new();
    place.fill(1);
    place.write("map.toml", MAP.replace("csv:visits.csv", "sqlite:rx.db#visits"));
    let db = Connection::open(place.path("rx.db")).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE visits (visit TEXT, note TEXT)").unwrap();
    let add = |visit: &str| {
        let row = place.visit(visit);
        db.execute("INSERT INTO visits VALUES (?1, ?2)", row.split_once(',').unwrap()).unwrap();
    };
    add("v-1");
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    add("v-2");
    (place, db)
}

fn of_visits(place: &Place, copy: &str) -> Told {
    told(place.theft().stolen(place.copy(copy, "sqlite:rx.db#visits")).keyring(place.ring.clone()))
}

#[test]
fn a_database_without_its_write_ahead_log_is_not_whole() {
    let (place, db) = live();
    fs::copy(place.path("rx.db"), place.path("copy.db")).unwrap();
    // Reading it leaves an empty log beside it, which must not count as one.
    for _ in 0..2 {
        let alone = of_visits(&place, "copy.db");
        assert_eq!((alone.codes(), alone.state("v-2", "clinical")), (vec!["not-read"], "undecided"));
        assert_eq!(alone.state("v-1", "clinical"), "undecided", "an older row may have been another one");
        assert!(alone.exposure.doubts[0].text.contains("VACUUM INTO"));
    }
    fs::copy(place.path("rx.db"), place.path("both.db")).unwrap();
    fs::copy(place.path("rx.db-wal"), place.path("both.db-wal")).unwrap();
    let both = of_visits(&place, "both.db");
    assert_eq!((both.codes(), both.state("v-2", "clinical")), (vec![], "sealed"));
    db.execute("VACUUM INTO ?1", [place.path("whole.db").to_str().unwrap()]).unwrap();
    let whole = of_visits(&place, "whole.db");
    assert_eq!((whole.codes(), whole.state("v-2", "clinical")), (vec![], "sealed"));
}

#[test]
fn tables_that_nobody_declared_are_named_and_not_read() {
    let (place, db) = live();
    db.execute_batch(
        "CREATE TABLE walkins (name TEXT); INSERT INTO walkins VALUES ('Jane Doe'); CREATE TABLE empty (name TEXT);
         CREATE TABLE \"Jane Doe \"\"1970\" (name TEXT); INSERT INTO \"Jane Doe \"\"1970\" VALUES (NULL);
         CREATE VIEW seen AS SELECT * FROM walkins",
    )
    .unwrap();
    db.execute("VACUUM INTO ?1", [place.path("copy.db").to_str().unwrap()]).unwrap();
    let found = of_visits(&place, "copy.db");
    assert_eq!(found.codes(), ["table-undeclared"]);
    let doubt = &found.exposure.doubts[0];
    assert_eq!((doubt.count, doubt.place.as_deref()), (Some(2), place.path("copy.db").to_str()));
    assert!(doubt.text.contains("walkins") && doubt.text.contains("without a plain name"), "{}", doubt.text);
    assert!(found.exposure.totals.is_patients_at_least && !found.exposure.to_json().contains("Jane"));
    assert!(found.exposure.to_html().contains("What is in them is in none of these numbers."));
    // Another source of the file is declared, and has a row of its own.
    let more = "[[source]]\nat = 'sqlite:rx.db#Walkins'\nrecord = 'visit'\nid = 'name'\nsealed = { note = 'phi.clinical.note' }\n";
    place.write("map.toml", fs::read_to_string(place.path("map.toml")).unwrap() + more);
    let declared = of_visits(&place, "copy.db");
    let doubt = declared.exposure.doubts.iter().find(|doubt| doubt.code == "table-undeclared").unwrap();
    assert_eq!((doubt.count, declared.codes().contains(&"same-file")), (Some(1), true));
    // Of what was not taken nobody asks.
    assert!(!told(place.theft().keyring(place.ring.clone())).codes().contains(&"table-undeclared"));
}
