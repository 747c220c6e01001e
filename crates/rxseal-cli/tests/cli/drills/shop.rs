//! The pharmacy of docs/MAP.md with patients who have keys of their own, two keys of the keyring, and a restored copy of all of it.

use std::fs;
use std::path::Path;
use std::process::Output;

use rusqlite::Connection;
use rxseal::page::seal_page;
use rxseal::phi::{Drug, PatientName};
use rxseal::store::FileSubjectStore;
use rxseal::subjects::SubjectKeys;
use rxseal::{Keyring, run_local};
use serde_json::Value;

use crate::maps::shop_of_the_page;
use crate::shop::Shop;

pub const DRUG: &str = "warfarin 5 MG";

/// Half of the rows are under each of two keys.
pub fn drill_shop(name: &str, rows: u64) -> Shop {
    let shop = shop_of_the_page(name);
    shop.ok("audit keygen --name ops.example --out audit.key");
    for folder in ["subjects", "log"] {
        fs::create_dir(shop.path(folder)).unwrap();
    }
    Connection::open(shop.path("pharmacy.db")).unwrap().execute("DELETE FROM prescriptions", ()).unwrap();
    let half = rows / 2;
    write_rows(&shop, &shop.keys(), 1..=half);
    fs::copy(shop.path("rings/pharmacy-17.keyring.json"), shop.path("old.json")).unwrap();
    shop.ok("keyring rotate pharmacy-17");
    write_rows(&shop, &shop.keys(), half + 1..=rows);
    copy(&shop);
    shop
}

/// Each patient has two prescriptions. Every row is exported too.
pub fn write_rows(shop: &Shop, keys: &Keyring, numbers: std::ops::RangeInclusive<u64>) {
    let subjects = SubjectKeys::new(FileSubjectStore::new(shop.path("subjects")));
    let patient = |number: u64| format!("pat-{}", number / 2 % 500);
    let numbers: Vec<_> = numbers.collect();
    let names: std::collections::BTreeSet<_> = numbers.iter().map(|number| patient(*number)).collect();
    let loaded = run_local(subjects.load_or_create(keys, names.iter().map(String::as_str))).unwrap();
    let record = |number: &u64| {
        keys.record("prescription", *number).unwrap().subject(loaded.get(patient(*number)).unwrap()).unwrap()
    };
    let records: Vec<_> = numbers.iter().map(record).collect();
    let sealed = seal_page(&records, |_, pass| {
        Ok((pass.seal_text::<PatientName>("Zoraida Quimby")?, pass.seal_text::<Drug>(DRUG)?))
    });
    let mut db = Connection::open(shop.path("pharmacy.db")).unwrap();
    let change = db.transaction().unwrap();
    let mut lines = String::new();
    for (number, (name, drug)) in numbers.iter().zip(sealed.unwrap()) {
        let insert = "INSERT INTO prescriptions VALUES (?1, ?2, ?3, ?4, '2026-11-30', 3)";
        change.execute(insert, (i64::try_from(*number).unwrap(), patient(*number), &name, &drug)).unwrap();
        let patient = patient(*number);
        lines.push_str(&format!(
            "{{\"rx_number\":{number},\"patient_id\":\"{patient}\",\"drug\":\"{drug}\",\"filled_at\":\"2026-11-30\"}}\n"
        ));
    }
    change.commit().unwrap();
    fs::write(shop.path(&format!("exports/{}.ndjson", numbers[0])), lines).unwrap();
}

/// The backup, restored into a folder of its own.
pub fn copy(shop: &Shop) {
    let _ = fs::remove_dir_all(shop.path("copy"));
    copy_all(&shop.path("exports"), &shop.path("copy/exports"));
    copy_all(&shop.path("subjects"), &shop.path("copy/subjects"));
    fs::copy(shop.path("pharmacy.db"), shop.path("copy/pharmacy.db")).unwrap();
    fs::copy(shop.path("rings/pharmacy-17.keyring.json"), shop.path("copy/ring.json")).unwrap();
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

const LOG: &str = "--audit-log log --audit-key audit.key --subject-store file:copy/subjects --who user:lee.ops";

pub fn drill(shop: &Shop, arguments: &str) -> Output {
    shop.run(&format!("--json drill {arguments} {LOG}"))
}

/// The answer of a drill that ends so. It has no value of a field.
#[track_caller]
pub fn answer(shop: &Shop, arguments: &str, exit: i32) -> Value {
    let output = drill(shop, arguments);
    let [text, errors] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert_eq!(output.status.code(), Some(exit), "{arguments}: {text}{errors}");
    assert!(!text.contains("warfarin") && !text.contains("Zoraida"), "{text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments}: {error}: {text}{errors}"))
}

/// The restore drill over the copy, with all that it takes.
#[track_caller]
pub fn restore(shop: &Shop, more: &str, exit: i32) -> Value {
    answer(shop, &format!("restore --data copy --keyring copy/ring.json {more}"), exit)
}

pub fn in_copy(shop: &Shop, sql: &str) {
    Connection::open(shop.path("copy/pharmacy.db")).unwrap().execute_batch(sql).unwrap();
}

/// Every file of the copy with its bytes.
pub fn bytes_of_copy(shop: &Shop) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let (mut folders, mut files) = (vec![shop.path("copy")], std::collections::BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                files.insert(path, bytes);
            }
        }
    }
    files
}
