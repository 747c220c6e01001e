//! The file of openings, for the operations that open: one JSON object on a line, and never a value.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use rxseal::Error;
use rxseal::observe::{Observer, OpenEvent, OpenedRecord, Opening};
use serde_json::json;

use crate::failure::Failure;

/// Writes what is opened into a file. What cannot be written is not opened.
pub struct AuditFile {
    file: Mutex<File>,
    job: String,
}

impl AuditFile {
    pub fn open(path: &Path, job: &str) -> Result<Self, Failure> {
        // It has the ids of records.
        let file = File::options().append(true).create(true).mode(0o600).open(path);
        let file = file.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        Ok(Self { file: Mutex::new(file), job: job.to_owned() })
    }

    fn write(&self, line: &serde_json::Value) -> Result<(), Error> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = writeln!(file, "{line}").and_then(|()| file.sync_data());
        written.map_err(|error| Error::refused(format!("the audit file cannot be written: {error}")))
    }
}

impl Observer for AuditFile {
    fn before_open(&self, opening: &Opening<'_>) -> Result<(), Error> {
        let records = opening.records();
        let ids: Vec<_> = records.iter().map(OpenedRecord::record_id).collect();
        let types = records.first().map(OpenedRecord::record_type);
        let access = opening.access();
        self.write(&json!({
            "at": humantime::format_rfc3339_seconds(SystemTime::now()).to_string(), "job": self.job, "opens": ids, "record": types,
            "keyspace": opening.keyspace(), "who": access.actor(), "why": access.purpose().to_string(),
        }))
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
        let classes: Vec<_> =
            event.classes_and_keys().map(|(class, key)| json!([class.as_str(), key.to_string()])).collect();
        self.write(&json!({ "job": self.job, "opened": event.fields(), "classes": classes, "outcome": format!("{:?}", event.outcome()) }))
    }
}
