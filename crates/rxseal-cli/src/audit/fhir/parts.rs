//! Who took part in an event, and what it was about.

use std::collections::BTreeSet;

use rxseal_watch::LoggedEvent;
use serde_json::{Map, Value, json};

use super::codes::{self, Code, coding, is_disclosure};
use crate::audit::events::inner;

/// The program that wrote a chain, and its host.
#[derive(Default)]
pub struct Program {
    service: Option<String>,
    host: Option<String>,
}

impl Program {
    /// As the first line of a chain says it. Nobody knows it of a chain whose first line is gone.
    pub fn of(event: &LoggedEvent) -> Self {
        let said = |member: &str| event.text(member).filter(|_| event.kind() == "start").and_then(text);
        Self { service: said("svc"), host: said("host") }
    }

    /// IHE wants the source of an event to be an agent of it, with the same reference.
    fn reference(&self) -> Value {
        let name =
            [self.service.as_deref().unwrap_or("unknown program"), self.host.as_deref().unwrap_or("unknown host")];
        json!({ "type": "Device", "display": name.join(" on ") })
    }

    pub fn source(&self) -> Value {
        let mut source = Map::new();
        put(&mut source, "site", self.host.clone().unwrap_or_default());
        put(&mut source, "observer", self.reference());
        put(&mut source, "type", vec![coding(codes::SERVER)]);
        source.into()
    }
}

/// Who did it, by which program, and who got it.
pub fn agents(event: &LoggedEvent, program: &Program) -> Vec<Value> {
    let who = event.text("who").and_then(text);
    let mut agents = Vec::new();
    if let Some(who) = &who {
        let mut agent = Map::new();
        put(&mut agent, "type", concept(Some(coding(codes::WHO_RECEIVES)), None));
        put(&mut agent, "who", json!({ "identifier": { "value": who } }));
        put(&mut agent, "requestor", true);
        agents.push(agent.into());
    }
    let mut source = Map::new();
    put(&mut source, "type", concept(Some(coding(codes::SOURCE)), None));
    put(&mut source, "who", program.reference());
    put(&mut source, "name", program.service.clone().unwrap_or_default());
    put(&mut source, "requestor", who.is_none());
    put(
        &mut source,
        "network",
        program.host.as_ref().map_or_else(unknown, |host| json!({ "address": host, "type": "1" })),
    );
    agents.push(source.into());
    if is_disclosure(event) {
        let name = inner(event, "to", "name").and_then(text).unwrap_or_else(|| "unknown recipient".to_owned());
        let mut recipient = Map::new();
        put(&mut recipient, "type", concept(Some(coding(codes::DESTINATION)), None));
        put(&mut recipient, "who", json!({ "display": name }));
        put(&mut recipient, "requestor", false);
        let address = inner(event, "to", "address").and_then(text);
        put(&mut recipient, "location", address.map_or(Value::Null, |address| json!({ "display": address })));
        // The log has where the recipient is, and not how the data got there.
        put(&mut recipient, "network", unknown());
        agents.push(recipient.into());
    }
    agents
}

/// What is not known, where IHE wants something.
fn unknown() -> Value {
    let url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
    json!({ "extension": [{ "url": url, "valueCode": "unknown" }] })
}

/// The patient, the records of this patient, and whatever else the event names.
pub fn entities(event: &LoggedEvent, patient: Option<&str>) -> Vec<Value> {
    let mut entities = Vec::new();
    let mut add = |id: Option<&str>, kind: Code, role: Option<Code>, name: Option<&str>, details: Vec<Value>| {
        let mut entity = Map::new();
        let what = id.and_then(text).map(|id| {
            let identifier = json!({ "identifier": { "value": id } });
            if role == Some(codes::PATIENT) { with_type(identifier, "Patient") } else { identifier }
        });
        put(&mut entity, "what", what.unwrap_or_default());
        put(&mut entity, "type", coding(kind));
        put(&mut entity, "role", role.map_or(Value::Null, coding));
        put(&mut entity, "name", name.and_then(text).unwrap_or_default());
        put(&mut entity, "detail", details);
        entities.push(Value::Object(entity));
    };
    if let Some(patient) = patient {
        add(Some(patient), codes::PERSON, Some(codes::PATIENT), None, Vec::new());
    }
    let classes: Vec<_> = event.classes().filter_map(|class| detail("class", class)).collect();
    let own: BTreeSet<_> = event.records().filter(|(_, other)| *other == patient).map(|(record, _)| record).collect();
    for record in own {
        add(record, codes::SYSTEM_OBJECT, Some(codes::DOMAIN_RESOURCE), event.text("rt"), classes.clone());
    }
    if let Some(find) = event.json().get("find") {
        let indexes = find.get("idx").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let counts =
            ["cand", "not"].into_iter().filter_map(|name| detail(name, &find.get(name)?.as_u64()?.to_string()));
        let details = indexes.filter_map(|index| detail("index", index)).chain(counts).collect();
        add(None, codes::SYSTEM_OBJECT, Some(codes::QUERY), Some("search"), details);
    }
    let keys: Vec<_> = event.keys().filter_map(|key| detail("key", key)).collect();
    if event.text("ks").is_some() || !keys.is_empty() {
        add(event.text("ks"), codes::SYSTEM_OBJECT, Some(codes::SECURITY_RESOURCE), Some("keyspace"), keys);
    }
    if let Some(whom) = event.text("whom") {
        add(Some(whom), codes::PERSON, Some(codes::SECURITY_USER), None, Vec::new());
    }
    if let Some(request) = event.text("req") {
        add(Some(request), codes::REQUEST_ID, None, None, Vec::new());
    }
    let line = format!("{}:{}", event.chain(), event.number());
    add(Some(&line), codes::SYSTEM_OBJECT, Some(codes::SECURITY_RESOURCE), Some("audit log"), rest(event));
    entities
}

/// Members that are said elsewhere in a resource, or that say where a line is.
const SAID: [&str; 17] =
    ["n", "t", "m", "who", "pou", "req", "btg", "rt", "rec", "find", "cls", "key", "ks", "out", "code", "whom", "sub"];

/// All that is said nowhere else: of a gap how many events were lost, of an act what it was.
fn rest(event: &LoggedEvent) -> Vec<Value> {
    let is_said = |name: &str| {
        SAID.contains(&name) || name == "to" && is_disclosure(event) || name == "why" && why(event).is_some()
    };
    let members = event.json().as_object().into_iter().flatten();
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    members.filter(|(name, _)| !is_said(name)).filter_map(|(name, value)| detail(name, &shown(value))).collect()
}

/// Why a person did it. The `why` of other events is what happened.
pub fn why(event: &LoggedEvent) -> Option<&str> {
    event.text("why").filter(|_| ["act", "review"].contains(&event.kind()))
}

fn detail(name: &str, value: &str) -> Option<Value> {
    Some(json!({ "type": text(name)?, "valueString": text(value)? }))
}

fn with_type(mut reference: Value, resource: &str) -> Value {
    if let Some(members) = reference.as_object_mut() {
        members.insert("type".to_owned(), resource.into());
    }
    reference
}

pub fn concept(coding: Option<Value>, text: Option<String>) -> Value {
    let mut concept = Map::new();
    put(&mut concept, "coding", coding.into_iter().collect::<Vec<_>>());
    put(&mut concept, "text", text.unwrap_or_default());
    concept.into()
}

/// Puts an element that has something in it: FHIR has no empty ones.
pub fn put(members: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    let value = value.into();
    let is_empty = match &value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    if !is_empty {
        members.insert(name.to_owned(), value);
    }
}

/// A text that FHIR takes: without control characters, and with something to read. Another one may come from a log that somebody changed.
pub fn text(text: &str) -> Option<String> {
    let shown: String = text.chars().map(|char| if char.is_control() { '\u{FFFD}' } else { char }).collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}
