//! Enums, variant by variant.

use rxseal::phi::{Directions, Drug, Note, PatientName};
use rxseal::{Phi, PhiRecord};
use serde::{Deserialize, Serialize};

use crate::support::{access, keyring, round_trip};

#[test]
fn variants_with_ids_of_their_own() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "order", derive(Debug, Serialize, Deserialize))]
    enum Order {
        Fill {
            #[phi(id)]
            number: u64,
            #[phi(seal = Drug)]
            drug: String,
            #[phi(seal = Option<Directions>)]
            directions: Option<String>,
        },
        Stop {
            #[phi(id)]
            store: String,
            #[phi(id)]
            line: u32,
            // The same marker as in the other variant: a record has one of them at a time.
            #[phi(seal = Drug)]
            drug: String,
            #[phi(clear)]
            urgent: bool,
        },
    }
    round_trip(&Order::Fill { number: 1, drug: "Canary".into(), directions: Some("Canary".into()) });
    round_trip(&Order::Stop { store: "S-1".into(), line: 2, drug: "Canary".into(), urgent: true });
}

#[test]
fn an_internally_tagged_enum() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "event", derive(Debug, Serialize, Deserialize))]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Event {
        #[serde(rename = "visit")]
        PatientVisit {
            #[phi(id)]
            number: u64,
            #[phi(seal = Note)]
            #[serde(rename = "text")]
            note: String,
        },
        PhoneCall {
            #[phi(id)]
            number: u64,
            #[phi(seal)]
            caller: Phi<String, PatientName>,
        },
    }
    let keys = keyring();
    for event in [
        Event::PatientVisit { number: 1, note: "Canary".into() },
        Event::PhoneCall { number: 2, caller: Phi::new("Canary".into()) },
    ] {
        // Formats that do not describe themselves have no internally tagged enums.
        let json = serde_json::to_string(&keys.seal(&event).unwrap()).unwrap();
        assert!(
            json.contains(r#""kind":"visit","number":1,"text":"rxs"#) || json.contains(r#""kind":"phone-call""#),
            "{json}"
        );
        let row: SealedEvent = serde_json::from_str(&json).unwrap();
        assert!(keys.open(&row, &access()).unwrap() == event);
    }
}

#[test]
fn adjacently_tagged_and_untagged() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "event", derive(Debug, Serialize, Deserialize))]
    #[serde(tag = "kind", content = "of")]
    enum Adjacent {
        Visit {
            #[phi(id)]
            number: u64,
            #[phi(seal = Note)]
            note: String,
        },
    }
    let keys = keyring();
    let event = Adjacent::Visit { number: 1, note: "Canary".into() };
    let json = serde_json::to_string(&keys.seal(&event).unwrap()).unwrap();
    let row: SealedAdjacent = serde_json::from_str(&json).unwrap();
    assert!(keys.open(&row, &access()).unwrap() == event);

    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "event", derive(Debug, Serialize, Deserialize))]
    #[serde(untagged)]
    enum Untagged {
        Visit {
            #[phi(id)]
            visit: u64,
            #[phi(seal = Note)]
            note: String,
        },
        Call {
            #[phi(id)]
            call: u64,
            #[phi(seal = Note)]
            note: String,
        },
    }
    let event = Untagged::Call { call: 1, note: "Canary".into() };
    let json = serde_json::to_string(&keys.seal(&event).unwrap()).unwrap();
    let row: SealedUntagged = serde_json::from_str(&json).unwrap();
    assert!(keys.open(&row, &access()).unwrap() == event);
}

#[test]
fn an_enum_as_a_part_and_nested() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(part, derive(Debug, Serialize, Deserialize))]
    enum Step {
        Fill {
            #[phi(id)]
            number: u32,
            #[phi(seal = Drug)]
            drug: String,
        },
        Remark {
            #[phi(id)]
            number: u32,
            #[phi(seal = Note)]
            note: String,
        },
    }
    #[derive(PhiRecord, PartialEq)]
    #[phi(nested, derive(Debug, Serialize, Deserialize))]
    enum Payer {
        Own {
            #[phi(seal = PatientName)]
            name: String,
        },
        Other {
            #[phi(seal = PatientName)]
            name: String,
            #[phi(clear)]
            plan: u32,
        },
    }
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "order", derive(Debug, Serialize, Deserialize))]
    struct Order {
        #[phi(id)]
        id: u32,
        #[phi(part = "step")]
        steps: Vec<Step>,
        #[phi(nested)]
        payer: Payer,
    }
    let steps =
        || vec![Step::Fill { number: 1, drug: "Canary".into() }, Step::Remark { number: 2, note: "Canary".into() }];
    round_trip(&Order { id: 1, steps: steps(), payer: Payer::Own { name: "Canary".into() } });
    round_trip(&Order { id: 1, steps: steps(), payer: Payer::Other { name: "Canary".into(), plan: 3 } });
}
