//! Proves that `testing::assert_sealed` finds what a database holds, in the file and in the log beside it.

use std::fs;
use std::panic::catch_unwind;

use rusqlite::Connection;
use rxseal::testing::{assert_sealed, insecure_keyring};
use rxseal::{Sealed, phi};

#[test]
fn a_database_is_looked_through_with_its_log() {
    let folder = std::env::temp_dir().join(format!("rxseal-assert-sealed-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("pharmacy.db");
    let database = Connection::open(&path).unwrap();
    // The last page stays in the log while the connection is open.
    database.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE rx (id, drug, note)").unwrap();
    let record = insecure_keyring("pharmacy-17").unwrap().unobserved().record("rx", 1).unwrap();
    let drug: Sealed<String, phi::Drug> = Sealed::seal(&record, "warfarin 5 MG").unwrap();
    database.execute("INSERT INTO rx VALUES (1, ?1, NULL)", [&drug]).unwrap();
    assert_sealed(&path, &["warfarin", "Zoraida"]);

    database.execute("UPDATE rx SET note = 'Zoraida takes it with food'", []).unwrap();
    let in_the_log = catch_unwind(|| assert_sealed(&path, &["warfarin", "Zoraida"])).unwrap_err();
    assert_eq!(in_the_log.downcast_ref::<String>().unwrap(), "canary number 1 is readable in what was stored");
    drop(database);
    assert!(!path.with_extension("db-wal").exists());
    assert!(catch_unwind(|| assert_sealed(&path, &["Zoraida"])).is_err(), "in the database itself");
    assert_sealed(&path, &["warfarin"]);
    fs::remove_dir_all(folder).unwrap();
}
