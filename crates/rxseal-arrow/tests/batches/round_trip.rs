//! What was sealed opens as it was, in each layout of Arrow.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, LargeStringArray, NullArray, RecordBatch, StringArray, StringViewArray, UInt64Array,
};
use arrow_schema::DataType;
use rxseal::count::KeyCounts;
use rxseal::observe::Outcome;
use rxseal::testing::insecure_keyring;
use rxseal_arrow::{OnError, Plan, Tokens, count_batch, open_batch, reseal_batch, seal_batch};

use crate::support::{Heard, Prescription, access, array, keys, plan, record, rows};

#[test]
fn every_type_comes_back() {
    let (keys, batch) = (keys(), rows(2_500));
    for tokens in [Tokens::Binary, Tokens::Text] {
        let plan = plan().tokens(tokens);
        let sealed = seal_batch(&keys.sealer(), &batch, &plan).unwrap();
        assert_eq!(sealed.schema(), plan.sealed_schema(batch.schema_ref()).unwrap());
        let opened = open_batch(&keys.opener(), &access(), &sealed, &plan, OnError::Raise).unwrap();
        assert_eq!(opened.batch.schema(), plan.opened_schema(sealed.schema_ref()).unwrap());
        for name in ["rx_number", "patient_name", "street", "drug", "directions", "is_generic", "weight"] {
            assert_eq!(opened.batch[name].as_ref(), batch[name].as_ref(), "{name}");
        }
        assert_eq!(opened.batch["balance"].as_ref(), batch["balance"].as_ref());
        // What was a `u8` is a number that every engine has.
        assert_eq!(opened.batch["refills"].data_type(), &DataType::Int64);
        // Columns of others are untouched.
        for name in ["store", "scan", "filled_on"] {
            assert_eq!(opened.batch[name].as_ref(), batch[name].as_ref());
        }
        // A field that seals what is absent too shows no nulls.
        assert_eq!(sealed["diagnosis"].null_count(), 0);
        assert_eq!(sealed["directions"].null_count(), batch["directions"].null_count());
        assert_eq!(opened.batch["diagnosis"].as_ref(), batch["diagnosis"].as_ref());
    }
}

#[test]
fn a_row_opens_through_its_record_struct() {
    let (keys, batch, plan) = (keys(), rows(3), plan().tokens(Tokens::Text));
    let sealed = seal_batch(&keys.sealer(), &batch, &plan).unwrap();
    let token = |name: &str| sealed[name].as_string::<i32>().value(2).to_owned();
    let reader = keys.record("prescription", 2_u64).unwrap().opened_by(&access());
    let name: String = reader.open_text::<crate::support::PatientName, _>(&token("patient_name")).unwrap();
    let refills: u8 = reader.open_text::<crate::support::Refills, _>(&token("refills")).unwrap();
    assert_eq!((name.as_str(), refills), ("Jane Doe 2", 2));

    // And the other way round.
    let rx = Prescription {
        rx_number: 7,
        patient_name: "Jane Doe".into(),
        street: "1 Main St".into(),
        drug: "warfarin".into(),
        directions: None,
        diagnosis: Some("I10".into()),
        refills: 3,
        balance: 5,
        is_generic: true,
        weight: 70.5,
    };
    let row = keys.seal(&rx).unwrap();
    let batch = RecordBatch::try_from_iter([
        ("rx_number", array(UInt64Array::from(vec![7]))),
        ("drug", Arc::new(StringArray::from(vec![row.drug.token().to_string()]))),
        ("refills", Arc::new(StringArray::from(vec![row.refills.token().to_string()]))),
    ])
    .unwrap();
    let plan = Plan::new(&record("prescription")).unwrap();
    let plan = plan.field("drug", "rx.drug").unwrap().field("refills", "rx.refills").unwrap();
    let opened = open_batch(&keys.opener(), &access(), &batch, &plan, OnError::Raise).unwrap().batch;
    assert_eq!(opened["drug"].as_string::<i32>().value(0), "warfarin");
    assert_eq!(opened["refills"].as_primitive::<arrow_array::types::Int64Type>().value(0), 3);
}

#[test]
fn columns_stay_as_wide_as_they_are() {
    let keys = keys();
    let texts: [ArrayRef; 3] = [
        Arc::new(StringArray::from(vec![Some("warfarin"), None])),
        Arc::new(LargeStringArray::from(vec![Some("warfarin"), None])),
        Arc::new(StringViewArray::from(vec![Some("warfarin"), None])),
    ];
    for (text, binary) in texts.into_iter().zip([DataType::Binary, DataType::LargeBinary, DataType::BinaryView]) {
        let plan = Plan::new(&record("prescription")).unwrap().field("drug", "rx.drug").unwrap();
        let ids: ArrayRef = Arc::new(UInt64Array::from(vec![1, 2]));
        let batch = RecordBatch::try_from_iter([("rx_number", ids), ("drug", Arc::clone(&text))]).unwrap();
        for (tokens, expected) in [(Tokens::Binary, &binary), (Tokens::Text, text.data_type())] {
            let plan = plan.clone().tokens(tokens);
            let sealed = seal_batch(&keys.sealer(), &batch, &plan).unwrap();
            assert_eq!(sealed["drug"].data_type(), expected);
            let resealed = reseal_batch(&keys, &sealed, &plan, OnError::Raise).unwrap().batch;
            assert_eq!(resealed.schema(), sealed.schema());
            let opened = open_batch(&keys.opener(), &access(), &resealed, &plan, OnError::Raise).unwrap();
            assert_eq!(opened.batch["drug"].as_ref(), text.as_ref());
        }
    }
}

#[test]
fn slices_empty_batches_and_columns_of_nulls() {
    let (keys, plan) = (keys(), plan());
    let batch = rows(100).slice(40, 7);
    let sealed = seal_batch(&keys.sealer(), &batch, &plan).unwrap();
    let opened = open_batch(&keys.opener(), &access(), &sealed.slice(2, 3), &plan, OnError::Raise).unwrap();
    assert_eq!(opened.batch["drug"].as_ref(), batch.slice(2, 3)["drug"].as_ref());
    let nothing = seal_batch(&keys.sealer(), &batch.slice(0, 0), &plan).unwrap();
    assert_eq!(open_batch(&keys.opener(), &access(), &nothing, &plan, OnError::Raise).unwrap().batch.num_rows(), 0);

    let nulls: ArrayRef = Arc::new(NullArray::new(2));
    let ids: ArrayRef = Arc::new(UInt64Array::from(vec![1, 2]));
    let batch = RecordBatch::try_from_iter([("rx_number", ids), ("directions", nulls)]).unwrap();
    let plan = Plan::new(&record("prescription")).unwrap().field("directions", "rx.directions").unwrap();
    let sealed = seal_batch(&keys.sealer(), &batch, &plan).unwrap();
    assert_eq!(sealed["directions"].null_count(), 2);
}

#[test]
fn a_thousand_rows_are_an_event_and_resealing_is_none() {
    let heard = Heard::default();
    let keys = insecure_keyring("pharmacy-17").unwrap().observed_by(heard.clone());
    let (batch, plan) = (rows(2_500), plan());
    let sealed = seal_batch(&keys.sealer(), &batch, &plan).unwrap();
    let resealed = reseal_batch(&keys, &sealed, &plan, OnError::Raise).unwrap();
    assert!(heard.0.lock().unwrap().is_empty());
    open_batch(&keys.opener(), &access(), &resealed.batch, &plan, OnError::Raise).unwrap();
    let events = heard.0.lock().unwrap().clone();
    let records: Vec<_> = events.iter().map(|(records, ..)| *records).collect();
    assert_eq!(records, [1_000, 1_000, 500]);
    assert!(events.iter().all(|(_, fields, outcome)| *fields > 4_000 && *outcome == Outcome::Opened));
}

#[test]
fn tokens_are_counted_by_key() {
    let (keys, plan) = (keys(), plan());
    let sealed = seal_batch(&keys.sealer(), &rows(30), &plan).unwrap();
    let counts: KeyCounts = count_batch(&sealed, &["drug", "directions"]).unwrap();
    assert_eq!((counts.of(keys.primary_key()), counts.nulls(), counts.not_tokens()), (50, 10, 0));
    assert_eq!(count_batch(&rows(30), &["drug"]).unwrap().not_tokens(), 30);
}
