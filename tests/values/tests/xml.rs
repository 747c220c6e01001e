//! A prescription as pharmacies send it (NCPDP SCRIPT is XML), in each crate that reads XML: every form of a field, as
//! element, attribute and text, sealed, opened, shown and accepted; and what is no token is refused without a quote of it.

use std::collections::BTreeMap;
use std::error::Error as StdError;

use rxseal::{
    Access, Each, Error, Parts, Phi, Purpose, Record, Sealed, Sealing, accept_plaintext, expose_plaintext, phi,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const CANARY: &str = "Canary-Jane-Doe-metformin";

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct NewRx {
    #[serde(rename = "@version")]
    version: String,
    #[serde(rename = "Patient")]
    patient: Patient,
    #[serde(rename = "MedicationPrescribed")]
    medication: Medication,
    #[serde(rename = "Prescriber")]
    prescriber: Prescriber,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Patient {
    #[serde(rename = "@mrn", with = "Sealing::<phi::Mrn>")]
    mrn: String,
    #[serde(
        rename = "@phone",
        with = "Sealing::<Option<phi::Phone>>",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    phone: Option<String>,
    #[serde(rename = "Name")]
    name: Phi<String, phi::PatientName>,
    #[serde(rename = "Email")]
    email: Phi<Option<String>, phi::Email>,
    #[serde(rename = "DateOfBirth")]
    born: Phi<u32, phi::BirthDate>,
    #[serde(
        rename = "Address",
        with = "Sealing::<Option<phi::Address>>",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    address: Option<Address>,
    #[serde(rename = "Allergy", with = "Sealing::<phi::Allergy>")]
    allergies: Vec<String>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Address {
    street: String,
    zip: Option<String>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Medication {
    #[serde(rename = "DrugDescription", with = "Sealing::<phi::Drug>")]
    drug: String,
    #[serde(rename = "Quantity", with = "Sealing::<phi::Quantity>")]
    quantity: f64,
    #[serde(rename = "Refills")]
    refills: u8,
    #[serde(
        rename = "Sig",
        with = "Sealing::<Option<phi::Directions>>",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    directions: Option<String>,
    #[serde(rename = "Diagnosis", with = "Sealing::<Each<phi::Diagnosis>>", default)]
    diagnoses: Vec<String>,
    #[serde(rename = "Notes", with = "Sealing::<Parts<phi::Note>>")]
    notes: BTreeMap<String, String>,
}

/// Stays sealed, and is read without a scope.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Prescriber {
    #[serde(rename = "@npi")]
    npi: Sealed<String, phi::Npi>,
    #[serde(rename = "Name")]
    name: Sealed<String, phi::PrescriberName>,
    #[serde(rename = "DEANumber", default, skip_serializing_if = "Option::is_none")]
    dea: Option<Sealed<String, phi::DeaNumber>>,
}

/// An element with attributes and text. The crates have different names for the text.
macro_rules! note {
    ($name:ident, $text:literal) => {
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        #[serde(rename = "Note")]
        struct $name {
            #[serde(rename = "@id")]
            id: u8,
            #[serde(rename = $text, with = "Sealing::<phi::Note>")]
            text: String,
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self { id: 7, text: text.into() }
            }
        }
    };
}

note!(QuickNote, "$text");
note!(RsNote, "#text");

fn prescriptions(record: &Record) -> [NewRx; 2] {
    let prescriber = |dea: Option<&str>| Prescriber {
        npi: Sealed::seal(record, "1234567893").unwrap(),
        name: Sealed::seal(record, "Dr. Irvin Emard").unwrap(),
        dea: dea.map(|dea| Sealed::seal(record, dea).unwrap()),
    };
    let patient = |phone: Option<&str>, address| Patient {
        mrn: format!("{CANARY} <&>\"'"),
        phone: phone.map(str::to_owned),
        name: CANARY.to_owned().into(),
        email: phone.map(str::to_owned).into(),
        born: 19_700_101.into(),
        address,
        allergies: vec!["penicillin".into(), CANARY.into()],
    };
    let medication = |directions: Option<&str>, diagnoses: &[&str]| Medication {
        drug: format!("{CANARY} 5 MG & <b>"),
        quantity: 30.5,
        refills: 2,
        directions: directions.map(str::to_owned),
        diagnoses: diagnoses.iter().map(|code| (*code).to_owned()).collect(),
        notes: [("pharmacist".to_owned(), CANARY.to_owned()), ("nurse".to_owned(), " two  blanks ".to_owned())].into(),
    };
    let address = Address { street: format!("1 {CANARY} St"), zip: None };
    [
        NewRx {
            version: "20240801".into(),
            patient: patient(Some("555-0100"), Some(address)),
            medication: medication(Some("daily"), &["I48.91", CANARY]),
            prescriber: prescriber(Some("AB1234563")),
        },
        NewRx {
            version: String::new(),
            patient: patient(None, None),
            medication: medication(None, &["I48.91"]),
            prescriber: prescriber(None),
        },
    ]
}

/// What an authorised client sends; a `Sealed` is for those who have none.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(rename = "NewRx")]
struct Posted {
    #[serde(rename = "@mrn", with = "Sealing::<phi::Mrn>")]
    mrn: String,
    #[serde(rename = "Name")]
    name: Phi<String, phi::PatientName>,
    #[serde(
        rename = "Sig",
        with = "Sealing::<Option<phi::Directions>>",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    directions: Option<String>,
    #[serde(rename = "Diagnosis", with = "Sealing::<Each<phi::Diagnosis>>", default)]
    diagnoses: Vec<String>,
    #[serde(rename = "Quantity", with = "Sealing::<phi::Quantity>")]
    quantity: f64,
}

fn record() -> Record {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved().record("prescription", "RX-1001").unwrap()
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

/// No canary in any text of the error, down to its last cause, also where the error is the format's own.
#[track_caller]
fn assert_silent(error: &(dyn StdError + 'static)) {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    for text in causes.flat_map(|error| [error.to_string(), format!("{error:?}")]) {
        assert!(!text.contains("Canary") && !text.contains("4711"), "the error quotes: {text}");
    }
}

macro_rules! crates {
    ($($test:ident: $note:ident, $error:ty, $to:path, $from:path;)*) => {$(
        #[test]
        fn $test() {
            fn read<T: DeserializeOwned>(xml: &str) -> Result<T, $error> {
                $from(xml)
            }

            let record = record();
            let open = record.opened_by(&access());
            for rx in prescriptions(&record) {
                let xml = $to(&record.sealing(&rx)).unwrap();
                assert!(!xml.contains("Canary"), "plaintext in {xml}");
                assert_eq!(open.run_opening(|| read::<NewRx>(&xml)).unwrap(), rx);
                assert!(read::<NewRx>(&xml).is_err(), "never without a scope");
                assert_eq!(rx.prescriber, read(&$to(&rx.prescriber).unwrap()).unwrap());
            }
            let note = $note::from(CANARY);
            let xml = $to(&record.sealing(&note)).unwrap();
            assert!(!xml.contains("Canary"), "plaintext in {xml}");
            assert_eq!(open.run_opening(|| read::<$note>(&xml)).unwrap(), note);

            let posted = Posted {
                mrn: CANARY.into(),
                name: CANARY.to_owned().into(),
                directions: Some("daily".into()),
                diagnoses: vec!["I48.91".into(), "E11.9".into()],
                quantity: 30.5,
            };
            let xml = $to(&expose_plaintext(&posted)).unwrap();
            assert!(xml.contains(CANARY));
            assert_eq!(accept_plaintext(|| read::<Posted>(&xml)).unwrap(), posted);
            let token = record.seal_text::<phi::PatientName>("x").unwrap();
            let stolen = xml.replace(CANARY, &token);
            assert_eq!(accept_plaintext(|| read::<Posted>(&stolen)).unwrap_err().code().as_str(), "token-as-plaintext");

            forgeries(|xml| {
                let own = read::<NewRx>(xml).map(drop);
                assert_silent(&own.unwrap_err());
                assert_silent(&read::<Prescriber>(xml).map(drop).unwrap_err());
                open.run_opening(|| read::<NewRx>(xml)).map(drop)
            }, &$to(&record.sealing(&prescriptions(&record)[0])).unwrap());
        }
    )*};
}

/// Puts in turn something else where each token stands.
fn forgeries(read: impl Fn(&str) -> Result<(), Error>, sealed: &str) {
    read(sealed).unwrap();
    let tokens: Vec<_> = sealed.match_indices("rxsX").map(|(at, _)| at).collect();
    assert_eq!(tokens.len(), 17);
    for at in tokens {
        let len = sealed[at..].find(['"', '<']).unwrap();
        let attribute = sealed[at + len..].starts_with('"');
        let forged = [CANARY, "4711", "", " ", "true", "&lt;Canary/&gt;", &sealed[at..at + 20]];
        let elements = ["<Canary/>", "<Canary>4711</Canary>", "<a>1</a><a>Canary</a>"];
        for forged in forged.iter().chain(elements.iter().filter(|_| !attribute)) {
            let error = read(&format!("{}{forged}{}", &sealed[..at], &sealed[at + len..])).unwrap_err();
            assert_silent(&error);
            assert_eq!(error.code().as_str(), "not-a-token", "{forged} at {at}: {error}");
            assert!(error.field_id().is_some());
        }
    }
    // Cut off: XML's own errors are not known to be input, and say nothing.
    for len in (0..sealed.len()).step_by(13) {
        let error = read(&sealed[..len]).unwrap_err();
        assert!(matches!(error.code().as_str(), "not-a-token" | "work-failed"), "{len}: {error}");
        assert!(!error.to_string().contains("Canary"));
    }
}

crates! {
    quick_xml_of_today: QuickNote, quick_xml::DeError, quick_xml::se::to_string, quick_xml::de::from_str;
    quick_xml_of_last_year: QuickNote, quick_xml_0_38::DeError, quick_xml_0_38::se::to_string, quick_xml_0_38::de::from_str;
    serde_xml_rs: RsNote, serde_xml_rs::Error, serde_xml_rs::to_string, serde_xml_rs::from_str;
}
