//! Drills over a database as the example service has it: a tenant in each row, ids of 16 bytes, tokens as bytes, record tags, patients' own keys.

use std::fs;

use rusqlite::Connection;
use rxseal::schema::{Plain, RecordSchema, Schema};
use rxseal::store::FileSubjectStore;
use rxseal::subjects::SubjectKeys;
use rxseal::{Identifier, Record, RecordTag, run_local};

use super::shop::{answer, copy, in_copy};
use super::{codes, sum};
use crate::shop::{Shop, TENANT};

const MAP: &str = include_str!("../../../../../examples/service/rxseal-map.toml");
const SCHEMA: &str = include_str!("../../../../../examples/service/rxseal-schema.json");
const TABLES: &str = include_str!("../../../../../examples/service/schema.sql");
pub const RINGS: &str = "--data copy --keyring copy/ring.json";

/// So many patients, each with a telephone number and two prescriptions. Nothing is in an index.
pub fn service(name: &str, patients: u64) -> Shop {
    let shop = Shop::opened(name, "file:HERE/rings");
    shop.ok("audit keygen --name ops.example --out audit.key");
    for folder in ["subjects", "exports", "log"] {
        fs::create_dir(shop.path(folder)).unwrap();
    }
    fs::write(shop.path("rxseal-map.toml"), MAP).unwrap();
    fs::write(shop.path("rxseal-schema.json"), SCHEMA).unwrap();
    let schema = Schema::parse(SCHEMA).unwrap();
    let db = Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute_batch(TABLES).unwrap();
    for patient in 1..=patients {
        write(&shop, &schema, &db, patient);
    }
    copy(&shop);
    shop
}

fn write(shop: &Shop, schema: &Schema, db: &Connection, patient: u64) {
    let (keys, id) = (shop.keys(), u128::from(patient).to_be_bytes());
    let subjects = SubjectKeys::new(FileSubjectStore::new(shop.path("subjects")));
    let of = |record: &'static str| schema.record(record).unwrap();
    let subject = of("patient").record_id(&[Plain::Bytes(&id)]).unwrap();
    let key = run_local(subjects.subject_or_create(&keys, subject.clone())).unwrap();
    let record = |schema: &RecordSchema, id: Identifier<'static>| {
        keys.record(schema.record_type(), id).unwrap().subject(&key).unwrap()
    };
    let [first, last, born, phone] = ["Zoraida", "Quimby", "1970-02-03", "555-0142"].map(Plain::Text);
    let row = sealed(of("patient"), &record(of("patient"), subject.clone()), &[first, last, born, phone], &[]);
    let values = (TENANT, &id, &row.0[0], &row.0[1], &row.0[2], &row.0[3]);
    db.execute("INSERT INTO patient VALUES (?1, ?2, ?3, ?4, ?5, NULL, ?6, NULL)", values).unwrap();
    for number in [2 * patient, 2 * patient + 1] {
        let text = number.to_string();
        let schema = of("prescription");
        let record = record(schema, schema.record_id(&[Plain::Text(&text)]).unwrap());
        let cells = ["warfarin 5 MG", "one at night"].map(Plain::Text);
        let (tokens, tag) = sealed(schema, &record, &cells, &[Plain::Text("3")]);
        let values = (TENANT, i64::try_from(number).unwrap(), &id, &tokens[0], &tokens[1], 3, tag.unwrap());
        db.execute("INSERT INTO prescription VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", values).unwrap();
    }
    let schema = of("phone");
    let token = record(schema, subject).seal_fields(|pass| pass.seal_declared(&schema.fields()[0], phone)).unwrap();
    db.execute("INSERT INTO phone VALUES (?1, ?2, ?3)", (TENANT, &id, token.to_string())).unwrap();
}

type Row = (Vec<Vec<u8>>, Option<Vec<u8>>);

fn sealed(schema: &RecordSchema, record: &Record, cells: &[Plain<'_>], bound: &[Plain<'_>]) -> Row {
    let row = record.seal_fields(|pass| pass.seal_row(schema, cells, bound, RecordTag::new())).unwrap();
    let tokens = row.tokens().iter().map(|tokens| tokens.one().unwrap().as_bytes().to_vec()).collect();
    (tokens, row.tag().bytes().ok().map(|tag| tag.to_vec()))
}

#[test]
fn a_copy_of_the_service_opens() {
    let shop = service("service-restore", 5);
    let passed = answer(&shop, &format!("restore {RINGS}"), 0);
    // Four fields of a patient, two of each prescription, and the number in the old table.
    assert_eq!((&passed["opened"], sum(&passed, "rows")), (&45.into(), 20));

    // Somebody gave himself a refill. Then somebody took the tag away.
    for sql in [
        "UPDATE prescription SET refills = 9 WHERE rx_number = 2",
        "UPDATE prescription SET tag = x'' WHERE rx_number = 3",
    ] {
        copy(&shop);
        in_copy(&shop, sql);
        let failed = answer(&shop, &format!("restore {RINGS}"), 1);
        let keys = failed["keys"].as_array().unwrap();
        let prescriptions = keys.iter().find(|key| key["source"].as_str().unwrap().contains("prescription")).unwrap();
        assert!(prescriptions["failed"].as_object().unwrap().keys().any(|code| code.starts_with("tag-")), "{failed}");
    }
    // A row of another pharmacy is left out. A row that names no pharmacy is a fault.
    copy(&shop);
    in_copy(&shop, "UPDATE phone SET tenant = 'pharmacy-18' WHERE patient = x'00000000000000000000000000000001'");
    // So this pharmacy has one row fewer than in the last drill.
    let undecided = answer(&shop, &format!("restore {RINGS}"), 7);
    assert_eq!(codes(&undecided, "undecided"), ["fewer-rows"]);
    let counted = [("patient", 5), ("prescription", 10), ("phone", 5)];
    let counted = counted.map(|(table, rows)| format!("--expect-rows sqlite:pharmacy.db#{table}={rows}")).join(" ");
    let passed = answer(&shop, &format!("restore {RINGS} {counted}"), 0);
    assert_eq!((&passed["opened"], &passed["rows_of_other_keyspaces"]), (&44.into(), &1.into()));
    in_copy(&shop, "UPDATE phone SET tenant = '' WHERE tenant = 'pharmacy-18'");
    assert_eq!(codes(&answer(&shop, &format!("restore {RINGS}"), 1), "faults"), ["no-keyspace"]);
    let unnamed = super::shop::drill(&shop, "restore --data copy");
    assert_eq!(
        unnamed.status.code(),
        Some(2),
        "each row says its own keyspace, so somebody has to say which are drilled"
    );
}
