//! Reads a FHIR R4 bulk export: NDJSON, one resource a line, one kind of resource a file.
//!
//! Errors name the file and the line and never quote the content. serde_json's own texts quote it, so they are dropped.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use rxseal::RecordTag;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::checks::Failure;
use crate::prescription::{Prescription, Source};

/// The result of reading an export.
pub struct Export {
    pub prescriptions: Vec<Prescription>,
    /// Requests that were left out, as `file:line: reason`.
    pub left_out: Vec<String>,
}

/// Reads the files of `folder`. A line that is not a resource is an error, since the export is damaged then. A request
/// that refers to something outside of the export is left out and reported: this is normal for an export of one day or
/// one group.
pub fn read(folder: &Path) -> Result<Export, Failure> {
    let mut patients = HashMap::new();
    for_each_resource(folder, "Patient", Needed::Yes, |_, patient: Patient| {
        if let Some(id) = patient.id.clone() {
            patients.insert(id, patient);
        }
    })?;
    let mut practitioners = HashMap::new();
    for_each_resource(folder, "Practitioner", Needed::No, |_, practitioner: Practitioner| {
        let Some(name) = best_name(&practitioner.name) else { return };
        // A request refers to its prescriber by id, or by a public number such as the NPI.
        for identifier in &practitioner.identifier {
            if let (Some(system), Some(value)) = (&identifier.system, &identifier.value) {
                practitioners.insert(format!("Practitioner?identifier={system}|{value}"), name.clone());
            }
        }
        if let Some(id) = &practitioner.id {
            practitioners.insert(format!("Practitioner/{id}"), name);
        }
    })?;
    let mut export = Export { prescriptions: Vec::new(), left_out: Vec::new() };
    for_each_resource(
        folder,
        "MedicationRequest",
        Needed::Yes,
        |place, request: MedicationRequest| match prescription(request, &patients, &practitioners) {
            Ok(prescription) => export.prescriptions.push(prescription),
            Err(reason) => export.left_out.push(format!("{place}: {reason}")),
        },
    )?;
    Ok(export)
}

fn prescription(
    request: MedicationRequest,
    patients: &HashMap<String, Patient>,
    practitioners: &HashMap<String, String>,
) -> Result<Prescription, &'static str> {
    let subject = request.subject.and_then(|subject| subject.reference).ok_or("it names no patient")?;
    // `Patient/ID`, or the same after a server's address.
    let patient_id = subject.rsplit_once("Patient/").map_or(subject.as_str(), |(_, id)| id);
    let patient = patients.get(patient_id).ok_or("its patient is not in the export")?;
    let requester = request.requester.ok_or("it names no prescriber")?;
    let known = requester.reference.and_then(|reference| practitioners.get(&reference).cloned());
    // The year goes into a readable column, so nothing but a year may pass.
    let authored = request.authored_on.ok_or("it has no date")?;
    let year = authored.get(..4).filter(|year| year.bytes().all(|digit| digit.is_ascii_digit()));
    Ok(Prescription {
        id: String::new(),
        patient: String::new(),
        authored: year.ok_or("its date has no year")?.to_owned(),
        patient_name: best_name(&patient.name).ok_or("its patient has no name")?.into(),
        birth_date: patient.birth_date.clone().ok_or("its patient has no birth date")?.into(),
        drug: request.medication.and_then(Concept::into_text).ok_or("it names no drug")?.into(),
        directions: directions(&request.dosage),
        prescriber: requester.display.or(known).ok_or("its prescriber has no name")?.into(),
        tag: RecordTag::new(),
        source: Source { patient: patient_id.to_owned(), request: request.id.ok_or("it has no id")? }.into(),
    })
}

/// The texts of all dosage instructions. Instructions that are only structured (every 8 hours, 2 tablets) have no text
/// for a label.
fn directions(dosage: &[Dosage]) -> Option<String> {
    let texts: Vec<&str> =
        dosage.iter().filter_map(|dosage| dosage.text.as_deref().or(dosage.patient_instruction.as_deref())).collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

fn best_name(names: &[HumanName]) -> Option<String> {
    let best = names.iter().find(|name| name.usage.as_deref() == Some("official")).or(names.first())?;
    if let Some(text) = &best.text {
        return Some(text.clone());
    }
    let parts: Vec<&str> = best.given.iter().chain(&best.family).map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

#[derive(Clone, Copy, PartialEq)]
enum Needed {
    Yes,
    No,
}

/// Calls `take` for every resource of `kind`, with its place as `file:line`.
fn for_each_resource<T: DeserializeOwned>(
    folder: &Path,
    kind: &str,
    needed: Needed,
    mut take: impl FnMut(&str, T),
) -> Result<(), Failure> {
    let files = files_of(folder, kind)?;
    if files.is_empty() && needed == Needed::Yes {
        return Err(Failure::new(format!("there is no {kind}.ndjson")).about(folder));
    }
    for path in files {
        let unreadable = |error: std::io::Error| Failure::new(error.to_string()).about(&path);
        let mut lines = BufReader::new(File::open(&path).map_err(unreadable)?);
        let mut line = Vec::new();
        for number in 1_usize.. {
            line.clear();
            if lines.read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
                break;
            }
            if !line.trim_ascii().is_empty() {
                let place = format!("{}:{number}", path.display());
                take(&place, resource(&line, kind, &place)?);
            }
        }
    }
    Ok(())
}

fn resource<T: DeserializeOwned>(line: &[u8], kind: &str, place: &str) -> Result<T, Failure> {
    let refused = |error: serde_json::Error| {
        let problem = match error.classify() {
            serde_json::error::Category::Data => format!("it is not a {kind} of FHIR R4"),
            _ => "it is not JSON, or is cut off".to_owned(),
        };
        Failure::new(format!("{place}: {problem} (column {})", error.column()))
    };
    let head: Head = serde_json::from_slice(line).map_err(refused)?;
    if head.resource_type != kind {
        return Err(Failure::new(format!("{place}: it is a resource of another type than {kind}")));
    }
    serde_json::from_slice(line).map_err(refused)
}

/// `Patient.ndjson`, and `Patient.000.ndjson` and so on, as servers split large exports.
fn files_of(folder: &Path, kind: &str) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error: std::io::Error| Failure::new(error.to_string()).about(folder);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let rest = name.strip_prefix(kind).and_then(|rest| rest.strip_suffix(".ndjson"));
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_'])) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

// The part of FHIR R4 that is needed here. Other members are not read.

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "resourceType")]
    resource_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Patient {
    id: Option<String>,
    #[serde(default)]
    name: Vec<HumanName>,
    birth_date: Option<String>,
}

#[derive(Deserialize)]
struct Practitioner {
    id: Option<String>,
    #[serde(default)]
    identifier: Vec<Identifier>,
    #[serde(default)]
    name: Vec<HumanName>,
}

#[derive(Deserialize)]
struct Identifier {
    system: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
struct HumanName {
    #[serde(rename = "use")]
    usage: Option<String>,
    text: Option<String>,
    #[serde(default)]
    given: Vec<String>,
    family: Option<String>,
}

#[derive(Deserialize)]
struct MedicationRequest {
    id: Option<String>,
    #[serde(rename = "medicationCodeableConcept")]
    medication: Option<Concept>,
    subject: Option<Reference>,
    #[serde(rename = "authoredOn")]
    authored_on: Option<String>,
    requester: Option<Reference>,
    #[serde(rename = "dosageInstruction", default)]
    dosage: Vec<Dosage>,
}

#[derive(Deserialize)]
struct Concept {
    text: Option<String>,
    #[serde(default)]
    coding: Vec<Coding>,
}

impl Concept {
    fn into_text(self) -> Option<String> {
        self.text.or_else(|| self.coding.into_iter().find_map(|coding| coding.display))
    }
}

#[derive(Deserialize)]
struct Coding {
    display: Option<String>,
}

#[derive(Deserialize)]
struct Reference {
    reference: Option<String>,
    display: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dosage {
    text: Option<String>,
    patient_instruction: Option<String>,
}
