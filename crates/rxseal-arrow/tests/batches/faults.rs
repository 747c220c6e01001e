//! T80. What is refused: with its place and a code, and never with a value.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Float64Array, ListArray, RecordBatch, StringArray, UInt64Array};
use rxseal::observe::Outcome;
use rxseal::testing::insecure_keyring;
use rxseal::{Class, ErrorCode};
use rxseal_arrow::{BatchError, OnError, Plan, Tokens, faults_table, open_batch, reseal_batch, seal_batch};

use crate::support::{Heard, access, keys, plan, record, rows};

const CANARY: &str = "Jane-Canary-Doe";

/// The batch with another column in the place of the one of this name.
fn with(batch: &RecordBatch, name: &str, column: ArrayRef) -> RecordBatch {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns()).map(|(field, old)| {
        let column = if field.name() == name { Arc::clone(&column) } else { Arc::clone(old) };
        (field.name().clone(), column, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn texts(batch: &RecordBatch, name: &str) -> Vec<String> {
    batch[name].as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect()
}

#[test]
fn report_has_null_where_raise_ends() {
    let heard = Heard::default();
    let keys = insecure_keyring("pharmacy-17").unwrap().observed_by(heard.clone());
    let plan = plan().tokens(Tokens::Text);
    let sealed = seal_batch(&keys.sealer(), &rows(4), &plan).unwrap();
    let mut drugs = texts(&sealed, "drug");
    drugs[0] = CANARY.to_owned();
    drugs[1] = drugs[3].clone();
    let forged = with(&sealed, "drug", Arc::new(StringArray::from(drugs)));
    let forged = with(&forged, "rx_number", Arc::new(UInt64Array::from(vec![Some(0), Some(1), None, Some(3)])));

    let opened = open_batch(&keys.opener(), &access(), &forged, &plan, OnError::Report).unwrap();
    let drugs: Vec<_> = opened.batch["drug"].as_string::<i32>().iter().collect();
    assert_eq!(drugs, [None, None, None, Some("warfarin 5 MG 3")]);
    assert_eq!(texts(&opened.batch, "street"), ["Main Street 0", "Main Street 1", "", "Main Street 3"]);
    let faults: Vec<_> = opened.faults.iter().map(|fault| (fault.row(), fault.field(), fault.reason())).collect();
    assert_eq!(
        faults,
        [(0, Some("rx.drug"), "not-a-token"), (1, Some("rx.drug"), "open-failed"), (2, None, "id-missing")]
    );
    let table = faults_table(&opened.faults);
    assert_eq!((table.num_rows(), table["field"].null_count()), (3, 1));
    // The observer hears that something failed, and of three records.
    assert_eq!(
        heard.0.lock().unwrap().last().map(|(records, _, outcome)| (*records, *outcome)),
        Some((3, Outcome::Failed(ErrorCode::NotAToken)))
    );
    assert!(!format!("{opened:?} {:?}", opened.faults).contains("warfarin"));

    let error = open_batch(&keys.opener(), &access(), &forged, &plan, OnError::Raise).unwrap_err();
    assert_eq!((error.code(), error.row(), error.column()), ("id-missing", Some(2), Some("rx_number")));
    let error = open_batch(&keys.opener(), &access(), &forged.slice(0, 2), &plan, OnError::Raise).unwrap_err();
    assert_eq!((error.code(), error.row(), error.field_id()), ("not-a-token", Some(0), Some("rx.drug")));
    assert!(!format!("{error} {error:?}").contains(CANARY));
    assert!(error.to_string().starts_with("row 0, column drug: "));
}

#[test]
fn resealing_leaves_what_does_not_open_and_lists_it() {
    let keys = keys();
    let plan = plan().tokens(Tokens::Text);
    let sealed = seal_batch(&keys.sealer(), &rows(3), &plan).unwrap();
    let mut drugs = texts(&sealed, "drug");
    drugs[1] = drugs[0].clone();
    let forged = with(&sealed, "drug", Arc::new(StringArray::from(drugs.clone())));
    let resealed = reseal_batch(&keys, &forged, &plan, OnError::Report).unwrap();
    let after = texts(&resealed.batch, "drug");
    assert_eq!(after[1], drugs[1]);
    assert_ne!((&after[0], &after[2]), (&drugs[0], &drugs[2]));
    assert_eq!(resealed.faults.len(), 1);
    assert_eq!(reseal_batch(&keys, &forged, &plan, OnError::Raise).unwrap_err().row(), Some(1));
}

#[test]
fn sealing_refuses_a_value_and_seals_nothing() {
    let keys = keys();
    let plan = |column: &str, field: &str| Plan::new(&record("prescription")).unwrap().field(column, field).unwrap();
    let token =
        texts(&seal_batch(&keys.sealer(), &rows(1), &crate::support::plan().tokens(Tokens::Text)).unwrap(), "drug")
            .remove(0);
    let one = |column: ArrayRef| {
        let ids: ArrayRef = Arc::new(UInt64Array::from(vec![1]));
        RecordBatch::try_from_iter([("rx_number", ids), ("value", column)]).unwrap()
    };
    let text = |text: &str| one(Arc::new(StringArray::from(vec![text])));
    let list = one(Arc::new(ListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>([Some([Some(1)])])));
    let cases = [
        (plan("value", "rx.drug"), text(&token), "token-as-plaintext"),
        (plan("value", "rx.drug"), text(&CANARY.repeat(400)), "too-large"),
        (plan("value", "rx.refills"), text("256"), "cell-refused"),
        (plan("value", "rx.refills"), text(CANARY), "cell-refused"),
        (plan("value", "rx.weight"), one(Arc::new(Float64Array::from(vec![f64::NAN]))), "cell-refused"),
        (plan("value", "rx.drug"), list, "column-type"),
        (plan("nothing", "rx.drug"), text("x"), "column-missing"),
        (plan("value", "rx.drug").ids(["value"]), text("two words"), "invalid-id"),
        (plan("value", "rx.drug").ids(["rx_number", "value"]), text("x"), "plan-refused"),
    ];
    for (plan, batch, code) in cases {
        let error: BatchError = seal_batch(&keys.sealer(), &batch, &plan).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!format!("{error} {error:?}").contains(CANARY));
    }
}

#[test]
fn an_opener_of_other_classes_opens_nothing() {
    let keys = keys();
    let sealed = seal_batch(&keys.sealer(), &rows(2), &plan()).unwrap();
    let opener = keys.opener().only([Class::MEDICATION]);
    let error = open_batch(&opener, &access(), &sealed, &plan(), OnError::Raise).unwrap_err();
    assert_eq!(error.code(), "class-locked");
    let drugs = Plan::new(&record("prescription")).unwrap().field("drug", "rx.drug").unwrap();
    let opened = open_batch(&opener, &access(), &sealed, &drugs, OnError::Raise).unwrap();
    assert_eq!(texts(&opened.batch, "drug"), ["warfarin 5 MG 0", "warfarin 5 MG 1"]);
    let sealer = keys.sealer().only([Class::MEDICATION]);
    assert_eq!(seal_batch(&sealer, &rows(2), &plan()).unwrap_err().code(), "class-locked");
}

#[test]
fn plans_refuse_what_no_column_holds() {
    let record = record("prescription");
    let plan = || Plan::new(&record).unwrap();
    for refused in [
        plan().field("a", "rx.nothing"),
        plan().field("a", "rx.drug").unwrap().field("b", "rx.drug"),
        plan().field("a", "rx.drug").unwrap().field("a", "rx.name"),
    ] {
        assert_eq!(refused.unwrap_err().code(), "plan-refused");
    }
    let tagged = Plan::new(&crate::support::record("tagged")).unwrap().all_fields().unwrap();
    let mut notes = StringBuilder::new();
    notes.append_value("x");
    let columns: [(&str, ArrayRef); 2] =
        [("id", Arc::new(UInt64Array::from(vec![1]))), ("note", Arc::new(notes.finish()))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let keys = keys();
    assert_eq!(seal_batch(&keys.sealer(), &batch, &tagged).unwrap_err().code(), "plan-refused");
    assert_eq!(reseal_batch(&keys, &batch, &tagged, OnError::Report).unwrap_err().code(), "plan-refused");
    let opened = open_batch(&keys.opener(), &access(), &batch, &tagged, OnError::Report);
    assert_eq!(opened.unwrap_err().code(), "plan-refused");
    let opened = open_batch(&keys.opener(), &access(), &batch, &tagged.unverified(), OnError::Report).unwrap();
    assert_eq!(opened.faults.len(), 1);
}
