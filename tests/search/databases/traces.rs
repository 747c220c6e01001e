//! What is left of searched plaintexts in the files of a database and in the log of its statements.

use std::fs;

use rxseal_search::Find as _;

use super::postgres_table::PostgresPersons;
use super::sqlite_table::SqlitePersons;
use super::{AnyName, BornOn, Folder, LastIs, Person, Persons, PhoneIs, World, access};

/// In no word list, so that nothing else has it.
fn canary() -> Person {
    Person {
        id: 1,
        last_name: "Xyqwzard-Vlkotch".into(),
        first_name: "Zzyphrodine".into(),
        birth_date: "1931-07-23".into(),
        phone: "(312) 867-5309".into(),
    }
}

/// As typed, in normal form, and each as the hexadecimal digits that PostgreSQL logs bytes as.
fn forms() -> Vec<Vec<u8>> {
    let texts = [
        "Xyqwzard",
        "xyqwzard",
        "Vlkotch",
        "vlkotch",
        "Zzyphrodine",
        "zzyphrodine",
        "1931-07-23",
        "867-5309",
        "3128675309",
    ];
    let hex = texts.map(|text| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes());
    texts.map(|text| text.as_bytes().to_vec()).into_iter().chain(hex).collect()
}

fn found_in(bytes: &[u8]) -> Option<String> {
    let found = forms().into_iter().find(|form| bytes.windows(form.len()).any(|part| part == form));
    found.map(|form| String::from_utf8(form).unwrap())
}

fn lives(persons: &mut dyn Persons) {
    let keys = World::new().keys();
    let patient = canary();
    persons.insert(&[keys.seal(&patient).unwrap()]);
    persons.save(&keys.seal(&patient).unwrap());
    let indexer = keys.indexer().unwrap();
    let rows = persons.born(indexer.find::<BornOn>(patient.birth_date.as_str()).unwrap().values());
    assert_eq!(keys.open(&rows[0], &access()).unwrap(), patient);
    assert_eq!(persons.with_phone(indexer.find::<PhoneIs>(patient.phone.as_str()).unwrap().values()).len(), 1);
    assert_eq!(persons.with_any_name(indexer.find::<AnyName>("vlkotch").unwrap().values()).len(), 1);
    assert_eq!(indexer.find::<LastIs>(patient.last_name.as_str()).unwrap().values().len(), 1);
    let row = persons.page(None, 0, 1).remove(0);
    let again = keys.reindex(&row, &access()).unwrap();
    assert_eq!(found_in(format!("{row:?} {:?} {indexer:?}", again.stale()).as_bytes()), None);
    persons.swap(&row, again.row(), &mut || false).unwrap();
}

#[test]
fn sqlite_files_have_no_plaintext() {
    let folder = Folder::new("traces");
    let path = folder.path().join("persons.db");
    let mut persons = SqlitePersons::create(&path);
    lives(&mut persons);
    let scan = || {
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 2, "the table and its journal: {files:?}");
        files.iter().find_map(|file| found_in(&fs::read(file).unwrap()))
    };
    assert_eq!(scan(), None);
    // The control: a plaintext that was written is found.
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE clear AS SELECT 'Vlkotch' AS name").unwrap();
    assert_eq!(scan().as_deref(), Some("Vlkotch"));
}

#[test]
#[ignore = "needs .ci/servers"]
fn postgres_logs_and_tables_have_no_plaintext() {
    let mut persons = PostgresPersons::create(&format!("rxseal_traces_{}", std::process::id()));
    persons.batch("SET client_min_messages = 'log'; SET log_statement = 'all'; SET log_parameter_max_length = -1");
    persons.logged();
    lives(&mut persons);
    let log = persons.logged();
    assert!(log.contains("born_on") && log.contains("\\x"), "{} bytes of statements and their parameters", log.len());
    assert_eq!(found_in(log.as_bytes()), None);
    let rows = persons.text("SELECT person::text FROM person");
    assert_eq!(rows.len(), 1);
    assert_eq!(found_in(rows[0].as_bytes()), None);
    // The control: a plaintext that was bound is in the log.
    persons.find_in_the_clear("Vlkotch");
    assert!(found_in(persons.logged().as_bytes()).is_some());
    persons.remove();
}
