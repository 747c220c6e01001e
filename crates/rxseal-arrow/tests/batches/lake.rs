//! The record type of `examples/spark`, whose schema file a Rust program would write.

use std::fs;
use std::path::Path;

use rxseal::PhiRecord;
use rxseal::phi::{Diagnosis, Directions, Drug, PatientName};
use rxseal::schema::Schema;

rxseal::fields! {
    pub Street = "patient.street" in Contact;
}

#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct Prescription {
    #[phi(id)]
    rx_number: u64,
    #[phi(seal = PatientName)]
    patient_name: String,
    #[phi(seal = Street)]
    street: String,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Option<Directions>)]
    directions: Option<String>,
    #[phi(seal = Option<Diagnosis>)]
    diagnosis: Option<String>,
    #[phi(clear)]
    store: String,
    #[phi(clear)]
    filled_on: i32,
}

#[test]
fn the_schema_of_the_spark_example_is_the_program_s() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/spark/rxseal-schema.json");
    let text = Schema::new().with::<Prescription>().unwrap().to_json();
    if std::env::var_os("RXSEAL_WRITE_SCHEMA").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap_or_default(), text, "RXSEAL_WRITE_SCHEMA=1 writes it");
}
