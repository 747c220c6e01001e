//! The events of a log, and their times.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rxseal_watch::LoggedEvent;
use serde_json::{Value, json};

use super::log::{Log, failed};
use crate::failure::Failure;
use crate::output::time;

/// Calls `each` with every event of a log, or at least with those of a patient.
pub fn each(
    log: &Path,
    patient: Option<&str>,
    mut each: impl FnMut(LoggedEvent) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut result = Ok(());
    let read = Log::open(log)?.read_events(patient, |event| {
        if result.is_ok() {
            result = each(event);
        }
    });
    read.map_err(failed)?;
    result
}

/// A text of an object in an event.
pub fn inner<'e>(event: &'e LoggedEvent, name: &str, inner: &str) -> Option<&'e str> {
    event.json().get(name)?.get(inner)?.as_str()
}

/// The members of an event, and its chain.
pub fn with_chain(event: &LoggedEvent) -> Value {
    let mut value = event.json().clone();
    if let Some(members) = value.as_object_mut() {
        members.insert("chain".to_owned(), json!(event.chain().to_string()));
    }
    value
}

/// So long ago, in Unix milliseconds; 0 without a time.
pub fn since(time: Option<std::time::Duration>) -> u64 {
    let begin = time.map(|time| SystemTime::now().checked_sub(time).unwrap_or(UNIX_EPOCH));
    let begin = begin.and_then(|begin| begin.duration_since(UNIX_EPOCH).ok());
    begin.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Unix milliseconds as people read them.
pub fn shown(ms: u64) -> String {
    time(ms / 1000)
}
