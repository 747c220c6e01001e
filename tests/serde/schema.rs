//! Schemas: a `Phi` looks like the value inside, and a `Sealed` like every token that it can hold.

use std::collections::BTreeMap;

use rxseal::forms::NotWiped;
use rxseal::keys::Suite;
use rxseal::phi::{Allergy, BirthDate, Diagnosis, Drug, Note, PatientName};
use rxseal::testing::{create_keyring, insecure_keyring_file};
use rxseal::{Keyring, Phi, PhiRecord, RecordTag, Sealed, Sealing, Token, run_local};
use serde_json::{Value, json};

rxseal::fields! {
    pub LotNumber = "fill.lot" in Medication { max: 20 };
    Tight = "fill.tight" in Medication { block: 1, max: 1 };
}

#[derive(schemars::JsonSchema, utoipa::ToSchema, serde::Serialize, serde::Deserialize)]
struct Dose {
    milligrams: u32,
}

impl rxseal::forms::Wipe for Dose {
    fn wipe(&mut self) {
        self.milligrams = 0;
    }
}

/// The same struct twice, so that they can be compared: with `Phi`, and as a client sees it.
mod sealed {
    use super::*;

    /// A patient at the counter.
    #[derive(schemars::JsonSchema, utoipa::ToSchema, serde::Serialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct Patient {
        pub refills: u8,
        #[schema(inline)]
        pub patient_name: Phi<String, PatientName>,
        #[schema(inline)]
        pub note: Option<Phi<String, Note>>,
        #[schema(inline)]
        pub allergies: Phi<Vec<String>, Allergy>,
        #[schema(inline)]
        pub dose: Phi<u32, Drug>,
        #[schema(inline)]
        pub counts: Phi<NotWiped<u8>, Diagnosis>,
    }
}

mod plain {
    /// A patient at the counter.
    #[derive(schemars::JsonSchema, utoipa::ToSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema counts")]
    pub struct Patient {
        pub refills: u8,
        pub patient_name: String,
        pub note: Option<String>,
        pub allergies: Vec<String>,
        pub dose: u32,
        pub counts: u8,
    }
}

fn open_api<T: utoipa::PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap()
}

#[test]
fn what_a_client_sees_is_that_of_plain_types() {
    let (sealed, plain) = (schemars::schema_for!(sealed::Patient), schemars::schema_for!(plain::Patient));
    assert_eq!(sealed.as_value(), plain.as_value());
    assert_eq!(
        plain.pointer("/properties/note/type").unwrap(),
        &json!(["string", "null"]),
        "schemars says what we think"
    );

    let (sealed, plain) = (open_api::<sealed::Patient>(), open_api::<plain::Patient>());
    for name in ["refills", "patientName", "allergies"] {
        assert_eq!(sealed["properties"][name], plain["properties"][name], "{name}");
    }
    assert_eq!(sealed["required"], plain["required"]);
    let string_or_null = json!({"oneOf": [{"type": "null"}, {"type": "string"}]});
    assert_eq!(sealed["properties"]["note"], string_or_null);
}

#[test]
fn a_struct_inside_is_a_component_once() {
    #[derive(schemars::JsonSchema, utoipa::ToSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    struct Fill {
        dose: Phi<Dose, Drug>,
        other: Option<Phi<Dose, Note>>,
        plain: Dose,
    }
    let schema = schemars::schema_for!(Fill);
    assert_eq!(schema.pointer("/properties/dose").unwrap(), &json!({"$ref": "#/$defs/Dose"}));
    assert_eq!(schema.pointer("/$defs").unwrap().as_object().unwrap().len(), 1);

    #[derive(utoipa::OpenApi)]
    #[openapi(components(schemas(Fill, Row)))]
    struct Api;
    let document = serde_json::to_value(<Api as utoipa::OpenApi>::openapi()).unwrap();
    let components = document["components"]["schemas"].as_object().unwrap();
    assert_eq!(components["Phi_Dose_Drug"], components["Dose"]);
    assert_eq!(components["Sealed_String_LotNumber"], token(108));
    for reference in references(&document) {
        let name = reference.strip_prefix("#/components/schemas/").unwrap();
        assert!(components.contains_key(name), "the document lacks {name}");
    }
    assert!(!components.contains_key("Drug"), "no value is of a marker");
}

fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(elements) => elements.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// What is stored.
#[derive(schemars::JsonSchema, utoipa::ToSchema, serde::Serialize)]
struct Row {
    lot: Sealed<String, LotNumber>,
    tight: Sealed<String, Tight>,
    note: Option<Sealed<String, Note>>,
    // utoipa knows dates by their names only, and not as an argument of another type.
    #[schema(value_type = String)]
    born: Sealed<chrono::NaiveDate, BirthDate>,
    any: Vec<Sealed<String, Diagnosis>>,
    by_line: BTreeMap<String, Sealed<String, Drug>>,
}

fn token(longest: usize) -> Value {
    json!({
        "type": "string",
        "description": "A value that rxseal encrypted: a token.",
        "pattern": "^rxs[Xxc][A-Za-z0-9_-]+$",
        "minLength": 52,
        "maxLength": longest,
    })
}

#[test]
fn what_is_stored_is_a_token() {
    let schema = schemars::schema_for!(Row);
    let property = |name: &str| schema.pointer(&format!("/properties/{name}")).unwrap().clone();
    assert_eq!(property("lot"), token(108));
    assert_eq!(property("tight"), token(70));
    assert_eq!(property("born")["pattern"], "^rxs[Xxc][A-Za-z0-9_-]+$");
    assert_eq!(property("note")["type"], json!(["string", "null"]));
    assert_eq!(property("note")["pattern"], "^rxs[Xxc][A-Za-z0-9_-]+$");
    assert_eq!(property("any")["items"]["minLength"], 52);
    assert_eq!(property("by_line")["additionalProperties"]["minLength"], 52);
    assert!(schema.get("$defs").is_none(), "a token is no type of its own");
    assert_eq!(schema.pointer("/required").unwrap(), &json!(["lot", "tight", "born", "any", "by_line"]));
}

/// Of each suite and each kind of context, the shortest and the longest value.
#[test]
fn tokens_have_the_form_that_the_schema_says() {
    let mut lengths = Vec::new();
    for suite in [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305] {
        let (roots, _) = insecure_keyring_file("pharmacy-18").unwrap();
        let stored = run_local(create_keyring("pharmacy-17", &roots, suite)).unwrap();
        let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &stored)).unwrap().unobserved();
        for record in [keys.record("fill", 1).unwrap(), keys.record("fill", 1).unwrap().wide()] {
            for tight in ["", "x"] {
                lengths.push(check(&record.seal::<Tight>(tight).unwrap(), 70));
            }
            check(&record.seal::<LotNumber>(&"x".repeat(20)).unwrap(), 108);
            assert!(record.seal::<LotNumber>(&"x".repeat(21)).is_err());
        }
    }
    assert_eq!((lengths.iter().min(), lengths.iter().max()), (Some(&52), Some(&70)), "the limits are reached");
}

fn check(token: &Token, longest: usize) -> usize {
    let text = token.to_string();
    let rest = text.strip_prefix("rxs").unwrap();
    assert!(rest.starts_with(['X', 'x', 'c']), "{text}");
    assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
    assert!((52..=longest).contains(&text.len()), "{text}");
    text.len()
}

#[test]
fn serde_with_says_what_is_under_its_adapters() {
    #[serde_with::serde_as]
    #[derive(schemars::JsonSchema, serde::Serialize)]
    struct Refill {
        #[serde_as(as = "Sealing<Drug>")]
        drug: String,
        #[serde_as(as = "Option<Sealing<Note>>")]
        note: Option<String>,
    }
    let schema = schemars::schema_for!(Refill);
    assert_eq!(schema.pointer("/properties/drug").unwrap(), &json!({"type": "string"}));
    assert_eq!(schema.pointer("/properties/note/type").unwrap(), &json!(["string", "null"]));
}

/// A record struct, whose schema is of its plaintext, and its twin, whose schema is of what is stored.
mod record {
    use super::*;

    #[derive(PhiRecord, schemars::JsonSchema, utoipa::ToSchema)]
    #[phi(record = "prescription", plaintext, derive(schemars::JsonSchema, utoipa::ToSchema))]
    #[serde(rename_all = "camelCase")]
    pub struct Prescription {
        #[phi(id)]
        pub rx_number: u64,
        #[phi(seal = PatientName)]
        pub patient_name: String,
        #[phi(seal = Option<LotNumber>)]
        pub lot: Option<String>,
        #[phi(seal)]
        #[schema(inline)]
        pub note: Phi<String, Note>,
        #[phi(record_tag)]
        #[schemars(skip)]
        #[schema(ignore)]
        pub tag: RecordTag,
    }
}

#[test]
fn a_record_struct_has_the_schema_of_its_plaintext_and_the_row_that_of_its_tokens() {
    let string = json!({"type": "string"});
    let plaintext = schemars::schema_for!(record::Prescription);
    assert_eq!(plaintext.pointer("/properties/patientName").unwrap(), &string);
    assert_eq!(plaintext.pointer("/properties/note").unwrap(), &string);
    assert_eq!(plaintext.pointer("/required").unwrap(), &json!(["rxNumber", "patientName", "note"]));
    assert!(plaintext.pointer("/properties/tag").is_none());
    let plaintext = open_api::<record::Prescription>();
    assert_eq!(plaintext["properties"]["patientName"], string);
    assert_eq!(plaintext["properties"]["note"], string);
    assert!(plaintext["properties"].get("tag").is_none());

    let row = schemars::schema_for!(record::SealedPrescription);
    assert_eq!(row.pointer("/properties/note/pattern").unwrap(), "^rxs[Xxc][A-Za-z0-9_-]+$");
    assert_eq!(row.pointer("/properties/lot/maxLength").unwrap(), 108);
    assert_eq!(row.pointer("/properties/lot/type").unwrap(), &json!(["string", "null"]));
    assert_eq!(row.pointer("/properties/tag/pattern").unwrap(), "^rxrS[A-Za-z0-9_-]{60}$");
    assert_eq!(row.pointer("/required").unwrap(), &json!(["rxNumber", "patientName", "note", "tag"]));

    #[derive(utoipa::OpenApi)]
    #[openapi(components(schemas(record::SealedPrescription)))]
    struct Api;
    let document = serde_json::to_value(<Api as utoipa::OpenApi>::openapi()).unwrap();
    let components = document["components"]["schemas"].as_object().unwrap();
    for (name, pattern) in [
        ("Sealed_String_PatientName", "^rxs[Xxc][A-Za-z0-9_-]+$"),
        ("Sealed_String_LotNumber", "^rxs[Xxc][A-Za-z0-9_-]+$"),
        ("RecordTag", "^rxrS[A-Za-z0-9_-]{60}$"),
    ] {
        assert_eq!(components[name]["pattern"], pattern, "{name}");
    }
}

/// A row with index columns: their texts have the lengths of all definitions that values may be of.
mod indexed {
    use rxseal::index::{Definition, Forms, Index, IndexSet, IndexValue, Kind};
    use rxseal::{Class, Error, FieldId};

    #[derive(schemars::JsonSchema, utoipa::ToSchema, serde::Serialize)]
    pub struct Row {
        #[schema(inline)]
        pub born_on: Option<IndexValue<BornOn>>,
        #[schema(inline)]
        pub names: IndexSet<Names>,
    }

    pub enum BornOn {}
    pub enum Names {}

    macro_rules! index {
        ($index:ident, $stored:ty, $kind:ident, $id:literal, $former:expr) => {
            rxseal::__field_schema!($index);

            impl Index for $index {
                type Record = ();
                type Stored = $stored;
                const DEFINITION: Definition = Definition::new("patient", $id, Kind::$kind, 14, &["exact/1"]);
                const FORMER: &'static [Definition] = $former;
                const CLASSES: &'static [Class] = &[Class::IDENTITY];
                const FIELDS: &'static [FieldId] = &[];

                fn forms((): &(), _: &Definition, forms: &mut Forms) -> Result<(), Error> {
                    forms.push(&[b"1970-01-31"])
                }
            }
        };
    }

    const FORMER: Definition = Definition::new("patient", "patient.born", Kind::Whole, 20, &["exact/1"]);
    index!(BornOn, Option<IndexValue<Self>>, Whole, "patient.born", &[FORMER]);
    index!(Names, IndexSet<Self>, Parts, "patient.names", &[]);
}

#[test]
fn an_index_column_is_text_of_the_lengths_of_its_definitions() {
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    let (indexer, record) = (keys.indexer().unwrap(), keys.record("patient", 1).unwrap());
    let born_on = indexer.stored::<indexed::BornOn>(&record, &()).unwrap();
    let row = indexed::Row { born_on, names: indexer.stored::<indexed::Names>(&record, &()).unwrap() };
    let written = serde_json::to_value(&row).unwrap();
    assert_eq!(written["born_on"].as_str().unwrap().len(), 7);
    assert_eq!(written["names"][0].as_str().unwrap().len(), 7);

    let json_schema = schemars::schema_for!(indexed::Row);
    assert_eq!(json_schema.pointer("/properties/born_on/type").unwrap(), &json!(["string", "null"]));
    for schema in [json_schema.as_value().clone(), open_api::<indexed::Row>()] {
        let born_on = &schema["properties"]["born_on"];
        // What may be null is one of two in OpenAPI.
        let born_on = born_on["oneOf"].as_array().map_or(born_on, |both| &both[1]);
        assert_eq!((&born_on["minLength"], &born_on["maxLength"]), (&json!(7), &json!(8)), "{schema}");
        assert_eq!(born_on["pattern"], "^[A-Za-z0-9_-]+$");
        let names = &schema["properties"]["names"];
        assert_eq!((&names["type"], &names["maxItems"]), (&json!("array"), &json!(8)), "{schema}");
        assert_eq!(names["items"]["maxLength"], 7);
    }
}
