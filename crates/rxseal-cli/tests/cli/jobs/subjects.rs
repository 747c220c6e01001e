//! Rows of patients who have keys of their own.

use std::fs;

use rusqlite::params;
use rxseal::phi::Drug;
use rxseal::schema::Schema;
use rxseal::subjects::SubjectKeys;
use rxseal::{Access, PhiRecord, Purpose, Token, run_local};
use rxseal_sqlite::SqliteSubjectStore;
use serde_json::{Value, json};

use super::Pharmacy;

#[derive(PhiRecord)]
#[phi(record = "order")]
struct Order {
    #[phi(id)]
    number: i64,
    #[phi(subject)]
    patient: String,
    #[phi(seal = Drug)]
    drug: String,
}

const MAP: &str = r#"keyspace = "pharmacy-17"

[[source]]
at      = "sqlite:shop.db#orders"
record  = "order"
id      = "number"
subject = "patient"
sealed  = { drug = "phi.rx.drug" }
"#;

/// 30 orders of three patients, of whom P-2 has no key.
fn pharmacy(name: &str) -> (Pharmacy, SubjectKeys) {
    let pharmacy = Pharmacy::new(name, 1);
    fs::write(pharmacy.shop.path("rxseal-schema.json"), Schema::new().with::<Order>().unwrap().to_json()).unwrap();
    fs::write(pharmacy.shop.path("rxseal-map.toml"), MAP).unwrap();
    let store = format!("subject_store = \"sqlite:{}\"", pharmacy.shop.path("subjects.db").display());
    fs::write(pharmacy.shop.path("rxseal.toml"), store).unwrap();
    let subjects = SubjectKeys::new(SqliteSubjectStore::open(pharmacy.shop.path("subjects.db")).unwrap());
    for patient in ["P-0", "P-1"] {
        run_local(subjects.subject_or_create(&pharmacy.shop.keys(), patient)).unwrap();
    }
    let fill = "CREATE TABLE orders (number INTEGER PRIMARY KEY, patient TEXT NOT NULL, drug TEXT NOT NULL);
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)
        INSERT INTO orders SELECT i, 'P-' || (i % 3), 'canary ' || i FROM n";
    pharmacy.db().execute_batch(fill).unwrap();
    (pharmacy, subjects)
}

/// How many orders open with their patient's key. None of them may open with the keyring alone.
fn assert_sealed_for_patients(pharmacy: &Pharmacy, subjects: &SubjectKeys) -> usize {
    let (keys, db) = (pharmacy.shop.keys(), pharmacy.db());
    let access = Access::new("user:test", Purpose::TREAT).unwrap();
    let mut statement = db.prepare("SELECT number, patient, drug FROM orders WHERE patient <> 'P-2'").unwrap();
    let rows =
        statement.query_map((), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)));
    let mut count = 0;
    for row in rows.unwrap() {
        let (number, patient, drug) = row.unwrap();
        let token: Token = drug.parse().unwrap();
        let record = keys.record("order", number).unwrap();
        assert!(record.opened_by(&access).open::<Drug, String>(&token).is_err(), "{number}");
        let own = record.subject(&run_local(subjects.subject(&keys, patient.as_str())).unwrap()).unwrap();
        assert_eq!(own.opened_by(&access).open::<Drug, String>(&token).unwrap(), format!("canary {number}"));
        count += 1;
    }
    count
}

fn assert_missing(pharmacy: &Pharmacy, job: &str) {
    let (text, _) = pharmacy.fails(&format!("--json job faults {job}"), 1);
    let faults: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(faults.len(), 10);
    assert!(faults.iter().all(|fault| fault["reason"] == "subject-missing"), "{text}");
}

#[test]
fn a_row_whose_patient_has_no_key_is_a_fault_and_never_sealed_without_it() {
    let (pharmacy, subjects) = pharmacy("job-subjects");
    pharmacy.ok("job plan seal --op backfill --chunk-rows 7");
    assert!(pharmacy.fails("job run seal", 2).1.contains("--subject-store"));
    pharmacy.fails("job run seal --config rxseal.toml", 1);
    assert_missing(&pharmacy, "seal");
    assert_eq!(pharmacy.count("SELECT count(*) FROM orders WHERE drug LIKE 'canary%' AND patient = 'P-2'"), 10);
    assert_eq!(assert_sealed_for_patients(&pharmacy, &subjects), 20);
    // The patient gets a key, and the rows are sealed.
    run_local(subjects.subject_or_create(&pharmacy.shop.keys(), "P-2")).unwrap();
    pharmacy.ok("job faults seal --retry");
    let done = pharmacy.json("job run seal --config rxseal.toml");
    assert_eq!((&done["status"]["counts"]["written"], &done["ended"]["left"]), (&json!(10), &json!([])));
}

#[test]
fn patients_get_keys_of_their_own_later() {
    let (pharmacy, subjects) = pharmacy("job-add");
    let (keys, db) = (pharmacy.shop.keys(), pharmacy.db());
    for number in 1..=30_i64 {
        let token = keys.record("order", number).unwrap().seal::<Drug>(format!("canary {number}").as_str()).unwrap();
        db.execute("UPDATE orders SET drug = ?2 WHERE number = ?1", params![number, token.to_string()]).unwrap();
    }
    pharmacy.ok("job plan add --op add-subject --chunk-rows 7");
    assert!(pharmacy.fails("job run add --config rxseal.toml", 2).1.contains("--who"));
    let log = super::opened::Log::new(&pharmacy);
    let run = format!("job run add --config rxseal.toml --who user:kim --why HSYSADMIN {}", log.options());
    pharmacy.fails(&run, 1);
    assert_missing(&pharmacy, "add");
    assert_eq!(assert_sealed_for_patients(&pharmacy, &subjects), 20);
    let before = pharmacy.text("SELECT group_concat(drug) FROM orders");
    pharmacy.ok("job faults add --retry");
    pharmacy.fails(&run, 1);
    assert_eq!(pharmacy.text("SELECT group_concat(drug) FROM orders"), before, "what is done is not done again");
    // Whose rows were opened is in the log, by patient too.
    log.is_whole(2);
    let opened: Value =
        serde_json::from_str(pharmacy.ok("--json audit accesses log --subject P-1").lines().next().unwrap()).unwrap();
    assert_eq!((&opened["who"], &opened["out"]), (&json!("user:kim"), &json!("ok")));
    assert!(opened["rec"].as_array().unwrap().iter().all(|record| record[1] == "P-1"), "{opened}");
}
