//! Records that have a subject, and ids of several columns.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{RecordBatch, StringArray, UInt32Array};
use rxseal_arrow::{Keys, OnError, Plan, open_batch, seal_batch, subjects};

use crate::support::{access, array, keys, record};

fn visits(patients: [Option<&str>; 3]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([
        ("ward", array(StringArray::from(vec!["A", "A", "B"])), false),
        ("number", Arc::new(UInt32Array::from(vec![1, 2, 1])), false),
        ("patient", Arc::new(StringArray::from(patients.to_vec())), true),
        ("note", Arc::new(StringArray::from(vec!["one", "two", "three"])), false),
    ])
    .unwrap()
}

#[test]
fn the_keys_of_subjects_are_needed() {
    let keys = keys();
    let plan = Plan::new(&record("visit")).unwrap().all_fields().unwrap();
    let batch = visits([Some("P-7"), Some("P-8"), Some("P-7")]);
    assert_eq!(subjects(&batch, &plan).unwrap().into_iter().collect::<Vec<_>>(), ["P-7", "P-8"]);
    let patients = ["P-7", "P-8"].map(|id| keys.create_subject_key(id).unwrap().0);

    let (sealer, opener) = (keys.sealer(), keys.opener());
    assert_eq!(seal_batch(&sealer, &batch, &plan).unwrap_err().code(), "plan-refused");
    let sealed = seal_batch(Keys::from(&sealer).with_subjects(&patients), &batch, &plan).unwrap();
    let opened = open_batch(Keys::from(&opener).with_subjects(&patients), &access(), &sealed, &plan, OnError::Raise);
    assert_eq!(opened.unwrap().batch["note"].as_string::<i32>().value(2), "three");

    // One patient's key is gone: the others open.
    let one = &patients[..1];
    let left = Keys::from(&opener).with_subjects(&one);
    let opened = open_batch(left, &access(), &sealed, &plan, OnError::Report).unwrap();
    let faults: Vec<_> = opened.faults.iter().map(|fault| (fault.row(), fault.reason())).collect();
    assert_eq!(faults, [(1, "subject-missing")]);

    let nobody = visits([Some("P-7"), None, Some("P-7")]);
    let error = seal_batch(Keys::from(&sealer).with_subjects(&patients), &nobody, &plan).unwrap_err();
    assert_eq!((error.code(), error.row(), error.column()), ("id-missing", Some(1), Some("patient")));
}
