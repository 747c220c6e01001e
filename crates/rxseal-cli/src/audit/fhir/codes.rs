//! The codes of audit events: DICOM's (PS3.16, CID 400 and 401), as FHIR and IHE use them, and HL7's.

use rxseal::Purpose;
use rxseal_watch::LoggedEvent;
use serde_json::{Value, json};

/// A code system, a code of it, and how it is shown.
pub type Code = (&'static str, &'static str, &'static str);

const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";

const APPLICATION_ACTIVITY: Code = (DCM, "110100", "Application Activity");
const AUDIT_LOG_USED: Code = (DCM, "110101", "Audit Log Used");
const EXPORT: Code = (DCM, "110106", "Export");
const PATIENT_RECORD: Code = (DCM, "110110", "Patient Record");
const SECURITY_ALERT: Code = (DCM, "110113", "Security Alert");

const APPLICATION_START: Code = (DCM, "110120", "Application Start");
const APPLICATION_STOP: Code = (DCM, "110121", "Application Stop");
const EMERGENCY_OVERRIDE: Code = (DCM, "110127", "Emergency Override Started");
const SECURITY_CONFIGURATION: Code = (DCM, "110129", "Security Configuration");
const RESTRICTED_FUNCTION: Code = (DCM, "110132", "Use of Restricted Function");
const RECORDING_STOPPED: Code = (DCM, "110133", "Audit Recording Stopped");
const USER_ATTRIBUTES: Code = (DCM, "110137", "User Security Attributes Changed");
const DISCLOSE: Code =
    ("http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "disclose", "Disclose Record Lifecycle Event");

pub const SOURCE: Code = (DCM, "110153", "Source Role ID");
pub const DESTINATION: Code = (DCM, "110152", "Destination Role ID");
pub const WHO_RECEIVES: Code =
    ("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient");
pub const SERVER: Code = ("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server");

pub const PERSON: Code = (ENTITY_TYPE, "1", "Person");
pub const SYSTEM_OBJECT: Code = (ENTITY_TYPE, "2", "System Object");
pub const REQUEST_ID: Code =
    ("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId", "X-Request-Id");
pub const PATIENT: Code = (OBJECT_ROLE, "1", "Patient");
pub const DOMAIN_RESOURCE: Code = (OBJECT_ROLE, "4", "Domain Resource");
pub const SECURITY_USER: Code = (OBJECT_ROLE, "11", "Security User Entity");
pub const SECURITY_RESOURCE: Code = (OBJECT_ROLE, "13", "Security Resource");
pub const QUERY: Code = (OBJECT_ROLE, "24", "Query");

/// What sort of event one is.
pub struct Sort {
    pub of: Code,
    pub subtypes: Vec<Code>,
    pub action: &'static str,
}

impl Sort {
    pub fn of(event: &LoggedEvent) -> Self {
        let (of, subtype, action) = match event.kind() {
            "open" if is_disclosure(event) => (EXPORT, Some(DISCLOSE), "R"),
            "open" => (PATIENT_RECORD, None, "R"),
            "index" => (PATIENT_RECORD, None, "E"),
            "start" => (APPLICATION_ACTIVITY, Some(APPLICATION_START), "E"),
            "stop" => (APPLICATION_ACTIVITY, Some(APPLICATION_STOP), "E"),
            "seal_admin" | "act" => (SECURITY_ALERT, Some(SECURITY_CONFIGURATION), "U"),
            "budget" if is_freezing(event) => (SECURITY_ALERT, Some(USER_ATTRIBUTES), "U"),
            "unlock" | "unlock_failed" | "lock" | "budget" => (SECURITY_ALERT, Some(RESTRICTED_FUNCTION), "E"),
            "review" => (AUDIT_LOG_USED, None, "R"),
            "gap" => (SECURITY_ALERT, Some(RECORDING_STOPPED), "E"),
            "clock" => (SECURITY_ALERT, None, "E"),
            _ => (APPLICATION_ACTIVITY, None, "E"),
        };
        let glass = event.text("btg").map(|_| EMERGENCY_OVERRIDE);
        Self { of, subtypes: subtype.into_iter().chain(glass).collect(), action }
    }
}

/// Whether it was disclosed to somebody. The `to` of a gap is a time.
pub fn is_disclosure(event: &LoggedEvent) -> bool {
    event.json().get("to").is_some_and(Value::is_object)
}

fn is_freezing(event: &LoggedEvent) -> bool {
    event.text("what").is_some_and(|what| what.contains("freeze") || what.contains("frozen"))
}

/// 0 for success; 8 if nothing was handed out or done; 4 if part of it was, or nobody knows.
pub fn outcome(event: &LoggedEvent) -> &'static str {
    // An act that was done, and failed behind that.
    let is_partial = ["stored-unread", "unreported"].map(Some).contains(&event.text("code"));
    let is_failed = match event.kind() {
        "unlock_failed" | "gap" => true,
        "budget" => event.text("what") == Some("deny"),
        _ => event.is_failed(),
    };
    // The word of another event says what a tool found.
    let is_known = !["open", "index", "act"].contains(&event.kind())
        || event.text("out").is_some_and(|out| ["ok", "begun"].contains(&out));
    match (is_failed, is_known) {
        _ if is_partial => "4",
        (true, _) => "8",
        (_, true) => "0",
        _ => "4",
    }
}

/// One of HL7's PurposeOfUse.
pub fn purpose(code: &str) -> Option<Value> {
    let code = code.parse::<Purpose>().ok()?;
    Some(json!({ "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code.as_str() }))
}

pub fn coding((system, code, display): Code) -> Value {
    json!({ "system": system, "code": code, "display": display })
}
