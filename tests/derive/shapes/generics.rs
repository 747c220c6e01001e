//! Structs with parameters.

use std::fmt::Debug;

use rxseal::phi::{Diagnosis, Drug, Note, Quantity};
use rxseal::{Field, PhiRecord};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::support::round_trip;

#[test]
fn a_sealed_parameter_with_bounds_and_a_where_clause() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "visit", derive(Debug, Serialize, Deserialize))]
    struct Visit<T: Serialize + DeserializeOwned, U>
    where
        U: Serialize + DeserializeOwned,
    {
        #[phi(id)]
        id: u64,
        #[phi(seal = Note)]
        note: T,
        #[phi(seal = Option<Diagnosis>)]
        diagnosis: Option<Vec<U>>,
    }
    round_trip(&Visit { id: 1, note: "Canary".to_owned(), diagnosis: Some(vec!["Canary".to_owned()]) });
    round_trip(&Visit { id: 1, note: (1_u8, "Canary".to_owned()), diagnosis: None::<Vec<u32>> });
}

#[test]
fn a_clear_parameter() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "visit", derive(Debug, Serialize, Deserialize))]
    struct Visit<I: rxseal::records::AsRecordId, S> {
        #[phi(id)]
        id: I,
        #[phi(clear)]
        status: Option<S>,
        #[phi(seal = Drug)]
        drug: String,
    }
    round_trip(&Visit { id: 1_u64, status: Some(7_u8), drug: "Canary".into() });
    round_trip(&Visit { id: "V-1".to_owned(), status: Some("new".to_owned()), drug: "Canary".into() });
}

#[test]
fn a_parameter_with_a_default_and_a_constant() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "visit", derive(Debug, Serialize, Deserialize))]
    struct Visit<T = String, const N: usize = 2>
    where
        T: Serialize + DeserializeOwned,
        [T; N]: Serialize + DeserializeOwned,
    {
        #[phi(id)]
        id: u64,
        #[phi(seal = Quantity)]
        quantities: [T; N],
    }
    let visit: Visit = Visit { id: 1, quantities: ["Canary".to_owned(), "Canary".to_owned()] };
    round_trip(&visit);
}

#[test]
fn a_marker_that_is_a_parameter() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "visit", derive(Debug, Serialize, Deserialize))]
    struct Visit<F: Field> {
        #[phi(id)]
        id: u64,
        #[phi(seal = F)]
        text: String,
        #[phi(clear)]
        #[serde(skip)]
        marker: std::marker::PhantomData<fn() -> F>,
    }
    fn check<F: Field + Serialize + DeserializeOwned + Debug + Clone + PartialEq>() {}
    let _ = check::<NeverMade>;
    let keys = crate::support::keyring();
    let visit = Visit::<Note> { id: 1, text: "Canary".into(), marker: std::marker::PhantomData };
    let row = keys.seal(&visit).unwrap();
    assert_eq!(keys.open(&row, &crate::support::access()).unwrap().text, "Canary");
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum NeverMade {}

impl Field for NeverMade {
    const ID: rxseal::FieldId = rxseal::FieldId::new("never");
    const CLASS: rxseal::Class = rxseal::Class::CLINICAL;
}

#[test]
fn a_generic_part_of_a_generic_record() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(part, derive(Debug, Serialize, Deserialize))]
    struct Line<T: Serialize + DeserializeOwned> {
        #[phi(id)]
        number: u32,
        #[phi(seal = Drug)]
        drug: T,
    }
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "order", derive(Debug, Serialize, Deserialize))]
    struct Order {
        #[phi(id)]
        id: u32,
        #[phi(part = "line")]
        lines: Vec<Line<String>>,
        #[phi(part = "coded")]
        coded: Option<Line<u32>>,
    }
    round_trip(&Order {
        id: 1,
        lines: vec![Line { number: 1, drug: "Canary".into() }],
        coded: Some(Line { number: 1, drug: 17 }),
    });
}
