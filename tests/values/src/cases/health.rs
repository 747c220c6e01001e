//! Resources as FHIR (JSON) and NCPDP SCRIPT (XML) have them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Cases;

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct HumanName {
    #[serde(rename = "use", skip_serializing_if = "Option::is_none", default)]
    purpose: Option<String>,
    family: String,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    given: Vec<String>,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Quantity {
    value: f64,
    unit: String,
    #[serde(flatten)]
    extension: BTreeMap<String, Value>,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
enum EffectiveTime {
    EffectiveDateTime(String),
    EffectivePeriod { start: String, end: Option<String> },
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(tag = "resourceType")]
enum Resource {
    Patient {
        id: String,
        name: Vec<HumanName>,
        #[serde(rename = "birthDate")]
        birth_date: String,
    },
    #[serde(rename_all = "camelCase")]
    Observation {
        code: String,
        value_quantity: Option<Quantity>,
        #[serde(flatten)]
        effective: EffectiveTime,
    },
    Bundle {
        entry: Vec<Entry>,
    },
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Entry {
    resource: Box<Resource>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct MedicationPrescribed {
    #[serde(rename = "DrugDescription")]
    description: String,
    #[serde(rename = "Quantity")]
    quantity: ScriptQuantity,
    #[serde(rename = "Sig")]
    sig: Sig,
    #[serde(rename = "NumberOfRefills")]
    refills: u8,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct ScriptQuantity {
    #[serde(rename = "Value")]
    value: f64,
    #[serde(rename = "@CodeListQualifier")]
    qualifier: u32,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Sig {
    #[serde(rename = "@lang")]
    language: String,
    #[serde(rename = "$text")]
    text: String,
}

fn patient() -> Resource {
    let name =
        HumanName { purpose: Some("official".into()), family: "O'Brien-Smith".into(), given: vec!["Zoë".into()] };
    Resource::Patient { id: "p1".into(), name: vec![name], birth_date: "1970-02-28".into() }
}

fn observation() -> Resource {
    let quantity = Quantity {
        value: 6.3,
        unit: "mmol/l".into(),
        extension: [("system".to_owned(), json!("http://unitsofmeasure.org")), ("precision".to_owned(), json!(0.1))]
            .into(),
    };
    Resource::Observation {
        code: "15074-8".into(),
        value_quantity: Some(quantity),
        effective: EffectiveTime::EffectivePeriod { start: "2026-01-01".into(), end: None },
    }
}

pub fn add(cases: &mut Cases) {
    cases.add("FHIR: Patient", vec![patient()]);
    cases.add("FHIR: Observation", vec![observation()]);
    let entry = |resource| Entry { resource: Box::new(resource) };
    cases.add("FHIR: Bundle", vec![Resource::Bundle { entry: vec![entry(patient()), entry(observation())] }]);
    cases.add(
        "FHIR: resource as serde_json::Value",
        vec![json!({"resourceType": "Patient", "multipleBirthInteger": 2, "x": 1.50})],
    );
    cases.add("FHIR: choice of times", vec![EffectiveTime::EffectiveDateTime("2026".into())]);
    cases.add(
        "NCPDP: MedicationPrescribed",
        vec![MedicationPrescribed {
            description: "Warfarin 5 MG".into(),
            quantity: ScriptQuantity { value: 30.5, qualifier: 38 },
            sig: Sig { language: "en".into(), text: "Take 1 tablet & rest".into() },
            refills: 3,
        }],
    );
    cases.add("NCPDP: Sig", vec![Sig { language: "en".into(), text: "Take 1 tablet".into() }]);
}
