//! Events as FHIR R4 resources of the type `AuditEvent`, in the shape of IHE's Basic Audit Log Patterns.

mod codes;
mod parts;

use rxseal_watch::{ChainId, LoggedEvent};
use serde_json::{Map, Value, json};

use self::codes::{Sort, coding};
use self::parts::{Program, agents, concept, entities, put, text, why};
use crate::failure::Failure;

/// What makes resources of events, in the order of the log: the first line of a chain says which program it is.
#[derive(Default)]
pub struct AuditEvents {
    program: Option<(ChainId, Program)>,
}

impl AuditEvents {
    /// The resources of an event: one for each patient, as those who search for a patient need it.
    pub fn of(&mut self, event: &LoggedEvent) -> Result<Vec<Value>, Failure> {
        if event.kind() == "start" || self.program.as_ref().is_none_or(|(chain, _)| *chain != event.chain()) {
            self.program = Some((event.chain(), Program::of(event)));
        }
        let unknown = Program::default();
        let program = self.program.as_ref().map_or(&unknown, |(_, program)| program);
        let recorded = instant(event)?;
        let patients = patients(event);
        let resource = |(at, patient): (usize, Option<&str>)| {
            let mut resource = about(event, program, &recorded);
            let id = format!("{}-{}", event.chain(), event.number());
            // A page has several patients.
            put(&mut resource, "id", if patients.len() > 1 { format!("{id}.{at}") } else { id });
            put(&mut resource, "entity", entities(event, patient));
            Value::Object(resource)
        };
        Ok(patients.iter().copied().enumerate().map(resource).collect())
    }
}

/// The patients of an event, each once. `None` is for records without a patient, or for an event that is about no record.
fn patients(event: &LoggedEvent) -> Vec<Option<&str>> {
    let mut patients: Vec<_> = event.records().map(|(_, patient)| patient).collect();
    patients.extend(event.text("sub").map(Some));
    patients.sort_unstable();
    patients.dedup();
    if patients.is_empty() { vec![None] } else { patients }
}

/// All but the id and the entities.
fn about(event: &LoggedEvent, program: &Program, recorded: &str) -> Map<String, Value> {
    let Sort { of, subtypes, action } = Sort::of(event);
    let mut resource = Map::new();
    put(&mut resource, "resourceType", "AuditEvent");
    put(&mut resource, "type", coding(of));
    put(&mut resource, "subtype", subtypes.into_iter().map(coding).collect::<Vec<_>>());
    put(&mut resource, "action", action);
    put(&mut resource, "recorded", recorded);
    put(&mut resource, "outcome", codes::outcome(event));
    let said = ["out", "code"].into_iter().filter_map(|member| text(event.text(member)?));
    put(&mut resource, "outcomeDesc", said.filter(|said| said != "ok").collect::<Vec<_>>().join(", "));
    put(&mut resource, "purposeOfEvent", purposes(event));
    put(&mut resource, "agent", agents(event, program));
    put(&mut resource, "source", program.source());
    resource
}

/// The purpose with the reason for which the glass was broken, and on what basis something was disclosed or why it was done.
fn purposes(event: &LoggedEvent) -> Vec<Value> {
    let purpose = event.text("pou").and_then(codes::purpose);
    // A code that HL7 does not have is a text.
    let unknown = event.text("pou").filter(|_| purpose.is_none());
    let reason = event.text("btg").or(unknown).and_then(text);
    let others = [super::events::inner(event, "to", "basis"), why(event)];
    let others = others.into_iter().flatten().filter_map(text).map(|other| json!({ "text": other }));
    let first = (purpose.is_some() || reason.is_some()).then(|| concept(purpose, reason));
    first.into_iter().chain(others).collect()
}

/// The time as FHIR writes it.
fn instant(event: &LoggedEvent) -> Result<String, Failure> {
    const LAST: u64 = 253_402_300_799_999;
    let time = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_millis(event.time()));
    let time = time.filter(|_| event.time() <= LAST).ok_or_else(|| {
        let (chain, n) = (event.chain(), event.number());
        Failure::Coded(
            "not-read",
            format!("line {n} of chain {chain} is of no time that FHIR can write: verify the log"),
        )
    })?;
    Ok(humantime::format_rfc3339_millis(time).to_string())
}
