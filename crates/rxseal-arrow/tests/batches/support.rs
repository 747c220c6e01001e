//! A record type with a field of each type, keys, and batches.

use std::sync::{Arc, Mutex};

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    UInt8Array, UInt64Array,
};
use rxseal::observe::{Observer, OpenEvent, Outcome};
use rxseal::schema::{RecordSchema, Schema};
use rxseal::{Access, Error, Keyring, PhiRecord, Purpose};
use rxseal_arrow::Plan;

rxseal::fields! {
    pub PatientName = "rx.name" in Identity;
    pub Street = "rx.street" in Contact;
    pub Drug = "rx.drug" in Medication { max: 4096 };
    pub Directions = "rx.directions" in Medication;
    pub Diagnosis = "rx.diagnosis" in Clinical;
    pub Refills = "rx.refills" in Medication;
    pub Balance = "rx.balance" in Coverage;
    pub Generic = "rx.generic" in Medication;
    pub Weight = "rx.weight" in Clinical;
    pub Note = "rx.note" in Clinical;
}

#[derive(PhiRecord)]
#[phi(record = "prescription")]
pub(crate) struct Prescription {
    #[phi(id)]
    pub rx_number: u64,
    #[phi(seal = PatientName)]
    pub patient_name: String,
    #[phi(seal = Street)]
    pub street: String,
    #[phi(seal = Drug)]
    pub drug: String,
    #[phi(seal = Option<Directions>)]
    pub directions: Option<String>,
    #[phi(seal = Diagnosis)]
    pub diagnosis: Option<String>,
    #[phi(seal = Refills)]
    pub refills: u8,
    #[phi(seal = Balance)]
    pub balance: u64,
    #[phi(seal = Generic)]
    pub is_generic: bool,
    #[phi(seal = Weight)]
    pub weight: f64,
}

#[derive(PhiRecord)]
#[phi(record = "visit")]
pub(crate) struct Visit {
    #[phi(id)]
    pub ward: String,
    #[phi(id)]
    pub number: u32,
    #[phi(subject)]
    pub patient: String,
    #[phi(seal = Note)]
    pub note: String,
}

#[derive(PhiRecord)]
#[phi(record = "tagged")]
pub(crate) struct Tagged {
    #[phi(id)]
    pub id: u64,
    #[phi(seal = Note)]
    pub note: String,
    #[phi(record_tag)]
    pub tag: rxseal::RecordTag,
}

pub(crate) fn keys() -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved()
}

pub(crate) fn access() -> Access {
    Access::new("job:formulary-report", Purpose::HOPERAT).unwrap()
}

pub(crate) fn schema() -> Schema {
    let schema = Schema::new().with::<Prescription>().unwrap().with::<Visit>().unwrap();
    schema.with::<Tagged>().unwrap()
}

pub(crate) fn record(name: &str) -> RecordSchema {
    schema().record(name).unwrap().clone()
}

pub(crate) fn plan() -> Plan {
    Plan::new(&record("prescription")).unwrap().all_fields().unwrap()
}

pub(crate) fn array(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

/// As many rows, with a null here and there.
pub(crate) fn rows(count: u64) -> RecordBatch {
    let numbers = || 0..count;
    let text = |what: &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(numbers().map(|number| format!("{what} {number}"))))
    };
    let sometimes = |what: &str| -> ArrayRef {
        Arc::new(StringArray::from_iter(numbers().map(|number| (number % 3 > 0).then(|| format!("{what} {number}")))))
    };
    RecordBatch::try_from_iter([
        ("rx_number", array(UInt64Array::from_iter_values(numbers()))),
        ("patient_name", text("Jane Doe")),
        ("street", text("Main Street")),
        ("drug", text("warfarin 5 MG")),
        ("directions", sometimes("one daily")),
        ("diagnosis", sometimes("I10")),
        ("refills", Arc::new(UInt8Array::from_iter_values(numbers().map(|number| (number % 256) as u8)))),
        ("balance", Arc::new(UInt64Array::from_iter_values(numbers().map(|number| u64::MAX - number)))),
        ("is_generic", Arc::new(BooleanArray::from_iter(numbers().map(|number| Some(number % 2 == 0))))),
        ("weight", Arc::new(Float64Array::from_iter_values(numbers().map(|number| number as f64 / 8.0)))),
        ("store", Arc::new(Int64Array::from_iter_values(numbers().map(|number| number as i64 % 5)))),
        ("scan", Arc::new(BinaryArray::from_iter_values(numbers().map(|_| b"\xff\x00")))),
        ("filled_on", Arc::new(Date32Array::from_iter_values(numbers().map(|number| number as i32)))),
    ])
    .unwrap()
}

/// An observer that keeps what it heard: records, fields and outcome.
#[derive(Clone, Default)]
pub(crate) struct Heard(pub Arc<Mutex<Vec<(usize, usize, Outcome)>>>);

impl Observer for Heard {
    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
        self.0.lock().unwrap().push((event.opening().records().len(), event.fields(), event.outcome()));
        Ok(())
    }
}
