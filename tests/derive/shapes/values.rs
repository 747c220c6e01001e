//! What a field may hold.

use rxseal::phi::{
    Allergy, BirthDate, DaysSupply, Diagnosis, Directions, Drug, Email, Mrn, Note, PatientName, Phone, Plan, Quantity,
    Strength,
};
use rxseal::{Phi, PhiRecord};
use serde::{Deserialize, Serialize};

use crate::support::round_trip;

#[test]
fn a_text_and_an_optional_text() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "prescription", derive(Debug, Serialize, Deserialize))]
    struct Prescription {
        #[phi(id)]
        rx_number: u64,
        #[phi(seal = Drug)]
        drug: String,
        #[phi(seal = Option<Directions>)]
        directions: Option<String>,
        #[phi(clear)]
        refills: u8,
    }
    for directions in [None, Some("Canary".into()), Some(String::new())] {
        round_trip(&Prescription { rx_number: 7, drug: "Canary".into(), directions, refills: 1 });
    }
}

#[test]
fn an_option_whose_absence_is_hidden() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "prescription", derive(Debug, Serialize, Deserialize))]
    struct Prescription {
        #[phi(id)]
        rx_number: u64,
        #[phi(seal = Note)]
        note: Option<String>,
    }
    round_trip(&Prescription { rx_number: 7, note: None });
    round_trip(&Prescription { rx_number: 7, note: Some("Canary".into()) });
    let row = crate::support::keyring().seal(&Prescription { rx_number: 7, note: None }).unwrap();
    assert!(serde_json::to_string(&row).unwrap().contains("rxs"), "the absent note has a token too");
}

#[test]
fn numbers_flags_and_characters() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "measure", derive(Debug, Serialize, Deserialize))]
    struct Measure {
        #[phi(id)]
        number: u64,
        #[phi(seal = Quantity)]
        a: u64,
        #[phi(seal = DaysSupply)]
        b: i8,
        #[phi(seal = Strength)]
        c: f64,
        #[phi(seal = Note)]
        d: bool,
        #[phi(seal = Plan)]
        e: char,
        #[phi(seal = Option<Phone>)]
        f: Option<u32>,
    }
    round_trip(&Measure { number: 1, a: u64::MAX, b: -128, c: 0.1, d: true, e: 'µ', f: Some(0) });
    round_trip(&Measure { number: 1, a: 0, b: 0, c: -2.5e-9, d: false, e: '\0', f: None });
}

#[test]
fn structs_tuples_and_lists_in_one_token() {
    #[derive(Serialize, Deserialize, PartialEq)]
    struct Name {
        first: String,
        last: String,
    }
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "patient", derive(Debug, Serialize, Deserialize))]
    struct Patient {
        #[phi(id)]
        number: u64,
        #[phi(seal = PatientName)]
        name: Name,
        #[phi(seal = BirthDate)]
        born: (u16, u8, u8),
        #[phi(seal = Allergy)]
        allergies: Vec<String>,
        #[phi(seal = Option<Diagnosis>)]
        diagnoses: Option<Vec<Name>>,
        #[phi(seal = Mrn)]
        numbers: [u8; 4],
    }
    let name = || Name { first: "Canary".into(), last: "Canary Doe".into() };
    round_trip(&Patient {
        number: 7,
        name: name(),
        born: (1970, 1, 2),
        allergies: vec!["Canary".into(), "Canary".into()],
        diagnoses: Some(vec![name()]),
        numbers: [1, 2, 3, 4],
    });
}

#[test]
fn a_phi_knows_its_marker() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "patient", derive(Debug, Serialize, Deserialize))]
    struct Patient {
        #[phi(id)]
        number: u64,
        #[phi(seal)]
        name: Phi<String, PatientName>,
        #[phi(seal)]
        member: Option<Phi<String, Email>>,
        #[phi(seal)]
        numbers: rxseal::Phi<Vec<u64>, Phone>,
    }
    let phi = || Phi::new("Canary".to_owned());
    round_trip(&Patient {
        number: 7,
        name: phi(),
        member: Some(Phi::new("Canary".into())),
        numbers: Phi::new(vec![1, 2]),
    });
    round_trip(&Patient { number: 7, name: phi(), member: None, numbers: Phi::new(vec![]) });
}

#[test]
fn an_alias_of_a_phi() {
    type Name = Phi<String, PatientName>;
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "patient", derive(Debug, Serialize, Deserialize))]
    struct Patient {
        #[phi(id)]
        number: u64,
        #[phi(seal)]
        name: Name,
    }
    round_trip(&Patient { number: 7, name: Phi::new("Canary".into()) });
}

#[test]
fn an_alias_of_an_option() {
    type MaybeText = Option<String>;
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "prescription", derive(Debug, Serialize, Deserialize))]
    struct Prescription {
        #[phi(id)]
        rx_number: u64,
        #[phi(seal = Option<Directions>)]
        directions: MaybeText,
    }
    round_trip(&Prescription { rx_number: 7, directions: Some("Canary".into()) });
    round_trip(&Prescription { rx_number: 7, directions: None });
}

#[test]
fn written_by_functions_of_another_module() {
    mod reversed {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        pub fn serialize<S: Serializer>(text: &super::Backwards, serializer: S) -> Result<S::Ok, S::Error> {
            text.0.chars().rev().collect::<String>().serialize(serializer)
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<super::Backwards, D::Error> {
            String::deserialize(deserializer).map(|text| super::Backwards(text.chars().rev().collect()))
        }
    }
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "prescription", derive(Debug, Serialize, Deserialize))]
    struct Prescription {
        #[phi(id)]
        rx_number: u64,
        #[phi(seal = Drug, with = "reversed")]
        drug: Backwards,
        #[phi(seal = Option<Directions>, with = "reversed")]
        directions: Option<Backwards>,
    }
    let text = || Backwards("Canary yranaC".into());
    round_trip(&Prescription { rx_number: 7, drug: text(), directions: Some(text()) });
    round_trip(&Prescription { rx_number: 7, drug: text(), directions: None });

    // What is in the token is what the functions write.
    let keys = crate::support::keyring();
    let row = keys.seal(&Prescription { rx_number: 7, drug: Backwards("abc".into()), directions: None }).unwrap();
    let reader = keys.record_of(&row).unwrap().opened_by(&crate::support::access());
    assert_eq!(reader.open::<Drug, String>(row.drug.token()).unwrap(), "cba");
    assert_eq!(row.drug.open(&reader).unwrap().expose_into_inner().0, "abc");
}

/// It has no serde impls of its own.
#[derive(PartialEq)]
pub struct Backwards(String);

#[test]
fn a_struct_that_a_macro_writes() {
    macro_rules! wide {
        ($($name:ident $marker:ident $id:literal)*) => {
            rxseal::fields! { $($marker = $id in Clinical;)* }

            #[derive(PhiRecord, PartialEq)]
            #[phi(record = "wide", derive(Debug, Serialize, Deserialize))]
            struct Wide {
                #[phi(id)]
                id: u32,
                $(#[phi(seal = $marker)] $name: String,)*
            }

            round_trip(&Wide { id: 1, $($name: "Canary".to_owned(),)* });
        };
    }
    wide! { a A "w.a" b B "w.b" c C "w.c" d D "w.d" e E "w.e" f F "w.f" g G "w.g" h H "w.h" i I "w.i" j J "w.j" }
}
