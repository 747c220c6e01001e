//! Structs in structs, in one context.

use rxseal::PhiRecord;
use rxseal::phi::{Address as Street, Email, PatientName, Phone, Plan};
use serde::{Deserialize, Serialize};

use crate::support::round_trip;

#[derive(PhiRecord, PartialEq)]
#[phi(nested, derive(Debug, Serialize, Deserialize))]
struct Address {
    #[phi(seal = Street)]
    street: String,
    #[phi(clear)]
    city: String,
    #[phi(nested)]
    contact: Contact,
}

#[derive(PhiRecord, PartialEq)]
#[phi(nested, derive(Debug, Serialize, Deserialize))]
struct Contact {
    #[phi(seal = Phone)]
    phone: String,
    #[phi(seal = Option<Email>)]
    email: Option<String>,
}

#[derive(PhiRecord, PartialEq)]
#[phi(nested, derive(Debug, Serialize, Deserialize))]
struct Coverage {
    #[phi(seal = Plan)]
    plan: String,
}

fn address() -> Address {
    let contact = Contact { phone: "Canary".into(), email: None };
    Address { street: "Canary".into(), city: "Springfield".into(), contact }
}

#[test]
fn nested_twice() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "patient", derive(Debug, Serialize, Deserialize))]
    struct Patient {
        #[phi(id)]
        id: u32,
        #[phi(seal = PatientName)]
        name: String,
        #[phi(nested)]
        address: Address,
    }
    round_trip(&Patient { id: 1, name: "Canary".into(), address: address() });
}

#[test]
fn nested_and_absent() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "patient", derive(Debug, Serialize, Deserialize))]
    struct Patient {
        #[phi(id)]
        id: u32,
        #[phi(nested)]
        coverage: Option<Coverage>,
    }
    round_trip(&Patient { id: 1, coverage: None });
    round_trip(&Patient { id: 1, coverage: Some(Coverage { plan: "Canary".into() }) });
}

#[test]
fn nested_in_a_part() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(part, derive(Debug, Serialize, Deserialize))]
    struct Relative {
        #[phi(id)]
        number: u8,
        #[phi(seal = PatientName)]
        name: String,
        #[phi(nested)]
        address: Address,
    }
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "family", derive(Debug, Serialize, Deserialize))]
    struct Family {
        #[phi(id)]
        id: u32,
        #[phi(part = "relative")]
        relatives: Vec<Relative>,
        // The same marker as in the parts, which have contexts of their own.
        #[phi(seal = PatientName)]
        name: String,
    }
    let relative = |number| Relative { number, name: "Canary".into(), address: address() };
    round_trip(&Family { id: 1, relatives: vec![relative(1), relative(2)], name: "Canary".into() });
}

#[test]
fn the_tokens_of_a_nested_struct_are_the_records_own() {
    #[derive(PhiRecord)]
    #[phi(record = "patient")]
    struct Patient {
        #[phi(id)]
        id: u32,
        #[phi(nested)]
        address: Address,
    }
    let keys = crate::support::keyring();
    let row = keys.seal(&Patient { id: 1, address: address() }).unwrap();
    let reader = keys.record("patient", 1_u32).unwrap().opened_by(&crate::support::access());
    assert_eq!(row.address.street.open(&reader).unwrap(), "Canary");
    assert_eq!(row.address.contact.phone.open(&reader).unwrap(), "Canary");
}
