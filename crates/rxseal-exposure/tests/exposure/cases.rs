//! Bad input: each is a refusal, or undecided. It is never a smaller number.

use std::fs::File;
use std::time::{Duration, SystemTime};

use rxseal::run_local;

use crate::support::{MAP, Place, RX, stolen, told};

/// Three prescriptions and a visit, with a copy of the prescriptions that was taken.
fn place() -> Place {
    let place = Place::new();
    place.fill(3);
    std::fs::copy(place.path("rx.csv"), place.path("copy.csv")).unwrap();
    place
}

#[test]
fn a_copy_without_a_key_is_sealed() {
    let place = place();
    let told = told(place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone()));
    assert_eq!((told.numbers(), told.codes()), ((0, 0, 4), vec![]));
    assert_eq!((told.state("1", "identity"), told.state("v-1", "identity")), ("sealed", "not-taken"));
    // What the map calls readable is readable, and counted apart.
    assert_eq!((told.state("1", "date"), told.exposure.totals.clear), ("readable", 3));
    assert_eq!(told.exposure.deadline.to_string(), "2026-11-01");
    let taken = &told.exposure.taken[0];
    assert_eq!(taken.opens, "nothing: 6 tokens under 1 key, none of them taken");
    assert_eq!((taken.patients, taken.tokens_by_key[0].tokens, taken.tokens_by_key[0].is_taken), (3, 6, false));
    rxseal_tests_pages::check("exposure-copy", &told.exposure.to_html());
    // It names no patient, and each file with its digest.
    let json = serde_json::to_value(&told.exposure).unwrap();
    assert_eq!((&json["totals"]["by_state"]["sealed"], &json["discovered"]), (&3.into(), &"2026-09-02".into()));
    let copy = told.exposure.inputs.iter().find(|input| input.name.ends_with("copy.csv")).unwrap();
    assert_eq!(
        (copy.sha256.as_ref().unwrap().len(), copy.bytes),
        (64, Some(std::fs::metadata(place.path("copy.csv")).unwrap().len()))
    );
}

#[test]
fn a_key_opens_what_is_under_it() {
    let place = place();
    let key = place.keys.primary_key();
    let theft = place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).stolen(stolen(&format!("key:{key}")));
    let told = told(theft.keyring(place.ring.clone()));
    assert_eq!((told.numbers(), told.codes()), ((3, 3, 4), vec![]));
    assert_eq!(told.exposure.taken.last().unwrap().patients, 3);
    assert_eq!(told.states["1"]["sources"], format!("data:{}=csv:rx.csv; key:{key}", place.path("copy.csv").display()));
}

#[test]
fn keys_that_nobody_knows_leave_everything_undecided() {
    let place = place();
    let copy = || place.theft().stolen(place.copy("copy.csv", "csv:rx.csv"));
    // No keyring was given.
    let told_none = told(copy());
    assert_eq!((told_none.numbers(), told_none.codes()), ((0, 3, 4), vec!["key-unknown"]));
    // A mistyped key was stolen: which one was it?
    let told_key = told(copy().stolen(stolen("key:AAAAAAAA")).keyring(place.ring.clone()));
    assert_eq!((told_key.numbers(), told_key.codes()), ((0, 3, 4), vec!["key-unknown"]));
    // The keyring has an earlier generation, which may have been under that root key.
    for (thing, codes) in [
        ("kek:".to_owned() + &"00".repeat(32), vec!["key-unknown"]),
        ("root:local:AAAAAAAA".to_owned(), vec!["key-undecided", "key-unknown"]),
    ] {
        let told = told(copy().stolen(stolen(&thing)).keyring(place.ring.clone()));
        assert_eq!((told.numbers(), told.codes()), ((0, 3, 4), codes), "{thing}");
    }
}

#[test]
fn a_root_key_opens_the_keyring_files_that_were_taken_and_perhaps_the_others() {
    let place = place();
    place.write("ring.json", place.ring.to_string());
    let root = place.ring.wraps().next().unwrap();
    let theft = || {
        place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).stolen(stolen(&format!("root:{}", root.root_key())))
    };
    let with_file = told(theft().stolen(stolen(&format!("keyring:{}", place.path("ring.json").display()))));
    assert_eq!((with_file.numbers(), with_file.codes()), ((3, 3, 4), vec![]));
    let without = told(theft().keyring(place.ring.clone()));
    assert_eq!((without.numbers(), without.state("1", "identity")), ((0, 3, 4), "could-be-read"));
    // A file alone opens nothing.
    let alone = place.theft().stolen(place.copy("copy.csv", "csv:rx.csv"));
    let alone = told(alone.stolen(stolen(&format!("keyring:{}", place.path("ring.json").display()))));
    assert_eq!(alone.numbers(), (0, 0, 4));
    place.write("ring.json", "{}");
    let bad = place.theft().stolen(stolen(&format!("keyring:{}", place.path("ring.json").display())));
    let bad = run_local(async { Ok(bad.report(&mut Vec::new()).await) }).unwrap();
    assert_eq!(bad.unwrap_err().code(), "not-read");
}

/// A KEK stays until `rewrap`, so it opens each generation until then, and one that nobody gave may have had a key too.
#[test]
fn a_generation_that_was_not_given_leaves_its_keys_undecided() {
    let place = place();
    let store = std::sync::Arc::new(rxseal::store::MemoryStore::default());
    run_local(rxseal::store::KeyringStore::put(&store, &place.ring, None)).unwrap();
    let admin = rxseal::keys::KeyringAdmin::new(std::sync::Arc::clone(&store), place.roots.clone());
    let second = run_local(admin.rotate("pharmacy-17")).unwrap().0;
    let third = run_local(admin.rewrap("pharmacy-17", &place.roots)).unwrap();
    let keys = run_local(rxseal::Keyring::unlock("pharmacy-17", &place.roots, &third)).unwrap().unobserved();
    let name = keys.record("prescription", 1).unwrap().seal_text::<rxseal::phi::PatientName>("Jane Doe").unwrap();
    place.write("copy.csv", format!("{RX}\n1,,{name},,,\n"));
    place.write("ring.json", place.ring.to_string());
    let hex: String = place.ring.kek_fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    let theft = || {
        let kek = place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).stolen(stolen(&format!("kek:{hex}")));
        kek.stolen(stolen(&format!("keyring:{}", place.path("ring.json").display())))
    };
    // The second generation has the key, under the stolen KEK: it could have been fetched.
    let all = told(theft().keyring(second.clone()).keyring(third.clone()));
    assert_eq!(all.state("1", "identity"), "could-be-read");
    assert_eq!(told(theft().keyring(third.clone())).state("1", "identity"), "undecided");
    // A key that was born under another KEK is in no file that the stolen one opens.
    let fourth = run_local(admin.rotate("pharmacy-17")).unwrap().0;
    let keys = run_local(rxseal::Keyring::unlock("pharmacy-17", &place.roots, &fourth)).unwrap().unobserved();
    let name = keys.record("prescription", 1).unwrap().seal_text::<rxseal::phi::PatientName>("Jane Doe").unwrap();
    place.write("copy.csv", format!("{RX}\n1,,{name},,,\n"));
    let all = [second, third, fourth].into_iter().fold(theft(), rxseal_exposure::Theft::keyring);
    assert_eq!(told(all).state("1", "identity"), "sealed");
}

#[test]
fn subject_keys_are_undecided_until_somebody_says_where_they_were() {
    let place = place();
    let (key, _) = place.keys.create_subject_key("pat-7").unwrap();
    let record = place.keys.record("prescription", 9).unwrap().subject(&key).unwrap();
    let name = record.seal_text::<rxseal::phi::PatientName>("Jane Doe").unwrap();
    place.write("copy.csv", format!("{RX}\n9,pat-7,{name},,,\n"));
    let theft = || {
        let key = stolen(&format!("key:{}", place.keys.primary_key()));
        place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).stolen(key).keyring(place.ring.clone())
    };
    let undecided = told(theft());
    assert_eq!((undecided.state("pat-7", "identity"), undecided.codes()), ("undecided", vec!["subject-key-unknown"]));
    let safe = told(theft().subject_keys_are_safe(Some("officer")));
    assert_eq!(safe.state("pat-7", "identity"), "sealed");
    assert_eq!(safe.exposure.assumed[0].by.as_deref(), Some("officer"));
    // A stolen store without this subject proves nothing.
    let store = rxseal::store::MemorySubjectStore::default();
    let told = told(theft().stolen(stolen("subject-keys:file:x")).subject_keys(store));
    assert_eq!(told.state("pat-7", "identity"), "undecided");
}

#[test]
fn damaged_tokens_and_odd_rows_are_undecided() {
    let place = place();
    let cells = place.rx(1);
    let cells: Vec<_> = cells.split(',').collect();
    let (name, drug) = (cells[2], cells[3]);
    // An export that cuts at 100 letters, and one that cuts to another whole length.
    let (cut, odd) = (&drug[..drug.len().min(100)], &drug[..drug.len() - 4]);
    let rows = [
        format!("1,,{name},{cut},,"),
        format!("2,,{name},{odd},,"),
        format!("3,,Jane Doe,{drug},,"),
        format!(",,{name},,,"),
        format!("5,,{name},,,"),
    ];
    place.write("copy.csv", format!("{RX}\n{}\n", rows.join("\n")));
    let told = told(place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone()));
    // One is plaintext, two are damaged. One row does not say whose it is, and is sealed.
    assert_eq!(told.numbers(), (1, 3, 6));
    assert!(told.exposure.totals.is_patients_at_least);
    assert_eq!(told.state("3", "identity"), "plaintext");
    assert_eq!((told.state("1", "medication"), told.state("2", "medication")), ("undecided", "undecided"));
    assert!(
        told.codes().contains(&"row-unnamed")
            && told.codes().iter().any(|code| ["cut-or-whole", "token-damaged"].contains(code))
    );
}

#[test]
fn a_dump_in_another_encoding_is_undecided() {
    let place = place();
    let cells = place.rx(1);
    let name = cells.split(',').nth(2).unwrap();
    let mut text = format!("{RX}\n1,pat-").into_bytes();
    text.extend([0xE9]); // é in Windows-1252
    text.extend(format!(",{name},Zo").into_bytes());
    text.extend([0xEB]);
    text.extend(b",,\n");
    place.write("copy.csv", &text);
    let told = told(place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone()));
    // Nobody knows whose plaintext it is: it may be of one more patient, or of the one who is known.
    assert_eq!((told.numbers(), told.codes()), ((0, 2, 2), vec!["row-unnamed"]));
    assert_eq!((told.state("v-1", "identity"), told.state("v-1", "medication")), ("not-taken", "undecided"));
}

#[test]
fn a_map_that_does_not_fit_is_undecided_or_refused() {
    let place = place();
    place.write("copy.csv", "a,b\n1,2\n");
    let told_copy = told(place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone()));
    // The patients are those of the source itself.
    assert_eq!((told_copy.numbers(), told_copy.codes()), ((0, 4, 4), vec!["not-read"]));
    assert!(told_copy.exposure.totals.is_patients_at_least);
    place.write("copy.csv", "");
    let empty = told(place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone()));
    assert_eq!((empty.numbers(), empty.codes()), ((0, 4, 4), vec!["not-read"]));

    let refused = |thing: &str| {
        let theft = place.theft().stolen(stolen(thing));
        run_local(async { Ok(theft.report(&mut Vec::new()).await) }).unwrap().unwrap_err().to_string()
    };
    assert!(refused("data:copy.csv=csv:other.csv").contains("no source"));
    assert!(refused("data:copy.csv").contains("of which one is it a copy"));
    assert!(refused("data:copy.bin=csv:rx.csv").contains("what form"));
    assert!(refused("data:sqlite:copy.db=csv:rx.csv").contains("which table"));
}

#[test]
fn columns_that_the_map_does_not_name_are_undecided() {
    let place = place();
    let header = format!("{RX},memo");
    place.write("copy.csv", format!("{header}\n{},\n{},call back\n", place.rx(1), place.rx(2)));
    let told = told(place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone()));
    assert_eq!((told.numbers(), told.codes()), ((0, 1, 3), vec!["column-undeclared"]));
    assert_eq!((told.state("1", "undeclared"), told.state("2", "undeclared")), ("not-taken", "undecided"));
}

#[test]
fn another_state_than_the_thief_saw_is_undecided() {
    let place = place();
    // Nobody said when the files were taken, or they changed since.
    for (thing, code) in [("data:csv:rx.csv", "time-missing"), ("data:csv:rx.csv@2020-01-01", "changed-since")] {
        let told = told(place.theft().stolen(stolen(thing)).keyring(place.ring.clone()));
        assert_eq!((told.numbers(), told.codes()), ((0, 3, 4), vec![code]), "{thing}");
    }
    // They are as they were.
    let file = File::options().append(true).open(place.path("rx.csv")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000)).unwrap();
    let told_old = told(place.theft().stolen(stolen("data:csv:rx.csv@2021-01-01")).keyring(place.ring.clone()));
    assert_eq!((told_old.numbers(), told_old.codes()), ((0, 0, 4), vec![]));

    // A database as it is now.
    let db = rusqlite::Connection::open(place.path("rx.db")).unwrap();
    db.execute_batch("CREATE TABLE visits (visit TEXT, note TEXT)").unwrap();
    let row = place.visit("v-9");
    db.execute("INSERT INTO visits VALUES (?1, ?2)", row.split_once(',').unwrap()).unwrap();
    place.write("map.toml", MAP.replace("csv:visits.csv", "sqlite:rx.db#visits"));
    let live = told(place.theft().stolen(stolen("data:sqlite:rx.db")).keyring(place.ring.clone()));
    assert_eq!(
        (live.numbers(), live.codes(), live.state("v-9", "clinical")),
        ((0, 1, 4), vec!["live-database"], "undecided")
    );
    // A copy of it.
    std::fs::copy(place.path("rx.db"), place.path("copy.db")).unwrap();
    let copy = told(place.theft().stolen(place.copy("copy.db", "sqlite:rx.db#visits")).keyring(place.ring.clone()));
    assert_eq!((copy.numbers(), copy.codes(), copy.state("v-9", "clinical")), ((0, 0, 4), vec![], "sealed"));
}

#[test]
fn a_source_that_is_away_proves_nothing() {
    let place = place();
    std::fs::remove_file(place.path("visits.csv")).unwrap();
    let told = told(place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone()));
    // Perhaps the patients have visits, and nobody knows whether those were taken.
    assert_eq!((told.numbers(), told.codes(), told.state("1", "clinical")), ((0, 3, 3), vec!["not-read"], "undecided"));
    assert!(told.exposure.totals.is_patients_at_least);
}

#[test]
fn the_same_id_in_two_keyspaces_is_two_patients() {
    let place = place();
    let map = MAP.replace("keyspace = 'pharmacy-17'", "keyspace = { column = 'tenant' }");
    place.write("map.toml", map);
    let with_tenant = |rows: &[&str]| {
        let rows: Vec<_> = rows.iter().map(|tenant| format!("{},{tenant}", place.rx(1))).collect();
        format!("{RX},tenant\n{}\n", rows.join("\n"))
    };
    place.write("copy.csv", with_tenant(&["pharmacy-17", "pharmacy-18"]));
    place.write("visits.csv", format!("visit,note,tenant\n{},pharmacy-17\n", place.visit("v-1")));
    let told = told(place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone()));
    assert_eq!(
        (told.numbers(), told.state("1", "identity"), told.state("pharmacy-18/1", "identity")),
        ((0, 0, 3), "sealed", "sealed")
    );
}

#[test]
fn patients_are_counted_by_state_if_a_column_says_it() {
    let place = place();
    place.write(
        "map.toml",
        MAP.replace("clear = { filled_at = 'date' }", "clear = { filled_at = 'date', state = 'place' }"),
    );
    place.write("copy.csv", format!("{RX},state\n{},OH\n{},OH\n{},\n", place.rx(1), place.rx(2), place.rx(3)));
    let theft = place
        .theft()
        .stolen(place.copy("copy.csv", "csv:rx.csv"))
        .stolen(stolen(&format!("key:{}", place.keys.primary_key())));
    let told = told(theft.keyring(place.ring.clone()).jurisdiction("state"));
    assert_eq!(told.exposure.states, Some(vec![("OH".to_owned(), 2), ("(not said)".to_owned(), 1)]));
}

/// A copy of a database has all of its tables, and not the one alone that somebody named.
#[test]
fn the_other_table_of_a_stolen_database_is_not_safe() {
    let place = Place::new();
    place.fill(1);
    let source = |table: &str, fields: &str| format!("[[source]]\nat = 'sqlite:pharmacy.db#{table}'\n{fields}\n");
    let rx = source("rx", "record = 'prescription'\nid = 'rx_number'\nsealed = { drug = 'phi.rx.drug' }");
    let visits = source("visits", "record = 'visit'\nid = 'visit'\nsealed = { note = 'phi.clinical.note' }");
    place.write("map.toml", format!("keyspace = 'pharmacy-17'\n{rx}{visits}"));
    let of = |copies: &[&str]| {
        let stolen = copies.iter().map(|table| place.copy("copy.db", &format!("sqlite:pharmacy.db#{table}")));
        let theft = stolen.fold(place.theft(), rxseal_exposure::Theft::stolen);
        told(theft).codes().contains(&"same-file")
    };
    assert!(of(&["rx"]) && of(&["visits"]));
    assert!(!of(&["rx", "visits"]));
}
