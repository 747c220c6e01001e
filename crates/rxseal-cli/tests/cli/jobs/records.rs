//! A table whose rows have records of two types.

use std::fs;

use rxseal::PhiRecord;
use rxseal::phi::{Drug, PatientName};
use rxseal::schema::Schema;
use serde_json::json;

use super::Pharmacy;

#[derive(PhiRecord)]
#[phi(record = "dispensing")]
struct Dispensing {
    #[phi(id)]
    rx_number: i64,
    #[phi(seal = Drug)]
    drug: String,
}

#[derive(PhiRecord)]
#[phi(record = "customer")]
struct Customer {
    #[phi(id)]
    rx_number: i64,
    #[phi(seal = PatientName)]
    patient_name: String,
}

const MAP: &str = r#"keyspace = "pharmacy-17"

[[source]]
at     = "sqlite:shop.db#rx"
record = "dispensing"
id     = "rx_number"
sealed = { drug = "phi.rx.drug" }
clear  = { refills = "none", directions = "health" }

[[source]]
at     = "sqlite:shop.db#rx"
record = "customer"
id     = "rx_number"
sealed = { patient_name = "phi.patient.name" }
"#;

/// Each type has a job of its own, and a worker finds the source that its job was planned for.
#[test]
fn a_table_with_records_of_two_types_has_two_jobs() {
    let pharmacy = Pharmacy::new("job-records", 30);
    let schema = Schema::new().with::<Dispensing>().unwrap().with::<Customer>().unwrap();
    fs::write(pharmacy.shop.path("rxseal-schema.json"), schema.to_json()).unwrap();
    fs::write(pharmacy.shop.path("rxseal-map.toml"), MAP).unwrap();
    let (_, error) = pharmacy.fails("job plan --op backfill --at sqlite:shop.db#rx", 2);
    assert!(error.contains("--record") && error.contains("sqlite:shop.db#rx (customer)"), "{error}");
    pharmacy.fails("job plan --op backfill --record prescription", 2);
    for (record, column, other) in [("customer", "patient_name", "drug"), ("dispensing", "drug", "patient_name")] {
        let is_last = record == "dispensing";
        pharmacy.ok(&format!("job plan {record} --op backfill --record {record}"));
        let done = pharmacy.json(&format!("job run {record}"));
        assert_eq!(
            (&done["status"]["counts"]["written"], &done["ended"]["left"]),
            (&json!(30), &json!([])),
            "{record}"
        );
        let sealed = |column| pharmacy.count(&format!("SELECT count(*) FROM rx WHERE {column} LIKE 'rxs%'"));
        assert_eq!((sealed(column), sealed(other)), (30, if is_last { 30 } else { 0 }));
    }
    pharmacy.ok("job faults customer --retry");
    pharmacy.ok("job run customer");
}
