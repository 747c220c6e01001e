//! The definition of AuditEvent in FHIR R4 (4.0.1), and a check of all that it says about the structure: no other elements, none missing, none empty,
//! each of its type, and no code that its system does not have.

use serde_json::Value;

/// An element: its name, how often it must and may be there, and its type.
type Element = (&'static str, usize, usize, Type);

const MANY: usize = usize::MAX;

enum Type {
    Id,
    Instant,
    Boolean,
    String,
    Uri,
    Code(&'static [&'static str]),
    Coding,
    Concept,
    Identifier,
    Reference,
    /// Of the data types, the only extension that is used: `data-absent-reason`.
    Absent,
    Object(&'static [Element]),
}

use Type::{Absent, Boolean, Code, Coding, Concept, Id, Identifier, Instant, Object, Reference, String as Text, Uri};

const AUDIT_EVENT: &[Element] = &[
    ("resourceType", 1, 1, Code(&["AuditEvent"])),
    ("id", 1, 1, Id),
    ("type", 1, 1, Coding),
    ("subtype", 0, MANY, Coding),
    ("action", 0, 1, Code(&["C", "R", "U", "D", "E"])),
    ("recorded", 1, 1, Instant),
    ("outcome", 0, 1, Code(&["0", "4", "8", "12"])),
    ("outcomeDesc", 0, 1, Text),
    ("purposeOfEvent", 0, MANY, Concept),
    ("agent", 1, MANY, Object(AGENT)),
    ("source", 1, 1, Object(SOURCE)),
    ("entity", 0, MANY, Object(ENTITY)),
];

const AGENT: &[Element] = &[
    ("type", 0, 1, Concept),
    ("role", 0, MANY, Concept),
    ("who", 0, 1, Reference),
    ("altId", 0, 1, Text),
    ("name", 0, 1, Text),
    ("requestor", 1, 1, Boolean),
    ("location", 0, 1, Reference),
    ("policy", 0, MANY, Uri),
    ("media", 0, 1, Coding),
    ("network", 0, 1, Object(NETWORK)),
    ("purposeOfUse", 0, MANY, Concept),
];

const NETWORK: &[Element] =
    &[("extension", 0, MANY, Absent), ("address", 0, 1, Text), ("type", 0, 1, Code(&["1", "2", "3", "4", "5"]))];

const SOURCE: &[Element] = &[("site", 0, 1, Text), ("observer", 1, 1, Reference), ("type", 0, MANY, Coding)];

const ENTITY: &[Element] = &[
    ("what", 0, 1, Reference),
    ("type", 0, 1, Coding),
    ("role", 0, 1, Coding),
    ("lifecycle", 0, 1, Coding),
    ("securityLabel", 0, MANY, Coding),
    ("name", 0, 1, Text),
    ("description", 0, 1, Text),
    ("detail", 0, MANY, Object(&[("type", 1, 1, Text), ("valueString", 1, 1, Text)])),
];

const CODING: &[Element] = &[("system", 1, 1, Uri), ("code", 1, 1, Text), ("display", 0, 1, Text)];
const CONCEPT: &[Element] = &[("coding", 0, MANY, Coding), ("text", 0, 1, Text)];
const IDENTIFIER: &[Element] = &[("system", 0, 1, Uri), ("value", 1, 1, Text)];
const REFERENCE: &[Element] = &[
    ("reference", 0, 1, Text),
    ("type", 0, 1, Code(&["Patient", "Device", "Practitioner", "Organization"])),
    ("identifier", 0, 1, Identifier),
    ("display", 0, 1, Text),
];

const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const HL7: &str = "http://terminology.hl7.org/CodeSystem/";

/// The codes that may be used, as their systems list them.
const CODES: &[(&str, &str, &str)] = &[
    (DCM, "110100", "Application Activity"),
    (DCM, "110101", "Audit Log Used"),
    (DCM, "110106", "Export"),
    (DCM, "110110", "Patient Record"),
    (DCM, "110113", "Security Alert"),
    (DCM, "110120", "Application Start"),
    (DCM, "110121", "Application Stop"),
    (DCM, "110127", "Emergency Override Started"),
    (DCM, "110129", "Security Configuration"),
    (DCM, "110132", "Use of Restricted Function"),
    (DCM, "110133", "Audit Recording Stopped"),
    (DCM, "110137", "User Security Attributes Changed"),
    (DCM, "110152", "Destination Role ID"),
    (DCM, "110153", "Source Role ID"),
    ("iso-21089-lifecycle", "disclose", "Disclose Record Lifecycle Event"),
    ("v3-ParticipationType", "IRCP", "information recipient"),
    ("security-source-type", "4", "Application Server"),
    ("audit-entity-type", "1", "Person"),
    ("audit-entity-type", "2", "System Object"),
    ("object-role", "1", "Patient"),
    ("object-role", "4", "Domain Resource"),
    ("object-role", "11", "Security User Entity"),
    ("object-role", "13", "Security Resource"),
    ("object-role", "24", "Query"),
    ("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId", "X-Request-Id"),
];

/// Fails if it is no AuditEvent of R4.
pub fn check(resource: &Value) {
    object(resource, AUDIT_EVENT, "AuditEvent");
}

fn object(value: &Value, elements: &[Element], place: &str) {
    let members = value.as_object().unwrap_or_else(|| panic!("{place} is no object: {value}"));
    assert!(!members.is_empty(), "{place} is empty");
    for name in members.keys() {
        assert!(elements.iter().any(|(known, ..)| known == name), "{place} has no element {name}");
    }
    for (name, least, most, of) in elements {
        let place = format!("{place}.{name}");
        let Some(value) = members.get(*name) else {
            assert_eq!(*least, 0, "{place} is missing");
            continue;
        };
        if *most == 1 {
            check_type(value, of, &place);
        } else {
            let values = value.as_array().unwrap_or_else(|| panic!("{place} is no list"));
            assert!(!values.is_empty(), "{place} is empty");
            values.iter().for_each(|value| check_type(value, of, &place));
        }
    }
}

fn check_type(value: &Value, of: &Type, place: &str) {
    let text = || value.as_str().unwrap_or_else(|| panic!("{place} is no text: {value}"));
    match of {
        Id => {
            let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
            assert!((1..=64).contains(&text().len()) && text().bytes().all(is_id), "{place} is no id: {value}");
        }
        Instant => instant(text(), place),
        Boolean => assert!(value.is_boolean(), "{place} is no boolean: {value}"),
        Text => {
            let is_shown = text().chars().all(|char| !char.is_control() || "\t\n\r".contains(char));
            assert!(
                !text().trim().is_empty() && is_shown && text().len() < 1024 * 1024,
                "{place} is no string: {value}"
            );
        }
        Uri => assert!(!text().is_empty() && !text().contains(char::is_whitespace), "{place} is no uri: {value}"),
        Code(codes) => assert!(codes.contains(&text()), "{place} has no code {value}"),
        Coding => {
            object(value, CODING, place);
            let of = |name: &str| value[name].as_str();
            let system = value["system"].as_str().unwrap();
            let (code, short) = (of("code").unwrap(), system.strip_prefix(HL7).unwrap_or(system));
            if short == "v3-ActReason" {
                assert!(code.parse::<rxseal::Purpose>().is_ok(), "{place}: {value}");
            } else {
                assert!(CODES.contains(&(short, code, of("display").unwrap())), "{place}: {value}");
            }
        }
        Concept => object(value, CONCEPT, place),
        Identifier => object(value, IDENTIFIER, place),
        Reference => object(value, REFERENCE, place),
        Absent => {
            let url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
            assert_eq!(value, &serde_json::json!({ "url": url, "valueCode": "unknown" }), "{place}");
        }
        Object(elements) => object(value, elements, place),
    }
}

/// `YYYY-MM-DDThh:mm:ss.sssZ`, of a day that there is.
fn instant(text: &str, place: &str) {
    let shape: String = text.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{place} is no instant: {text}");
    humantime::parse_rfc3339(text).unwrap_or_else(|_| panic!("{place} is no instant: {text}"));
}
