//! The key service as a witness: opening needs an unlocked keyring, and unlocking one needs a call of the service, which has a log of its own.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde_json::Value;

use super::finding::{Fault, Finding};
use crate::chain::ChainId;
use crate::error::{Kind, WatchError};

/// Without a request id, an unlocking and a call belong together if they are so many milliseconds apart.
const APART: u64 = 60_000;

/// An unlocking that a log has.
#[derive(Debug)]
pub(super) struct Unlock {
    chain: ChainId,
    line: u64,
    time: u64,
    keyspace: String,
    provider: String,
    request: Option<String>,
}

impl Unlock {
    pub(super) fn read(json: &[u8], chain: ChainId, line: u64) -> Option<Self> {
        let value: Value = serde_json::from_slice(json).ok()?;
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let time = value.get("t").and_then(Value::as_u64)?;
        Some(Self { chain, line, time, keyspace: text("ks")?, provider: text("prov")?, request: text("req") })
    }

    fn finding(&self, fault: Fault) -> Finding {
        Finding::new(fault, Some(self.chain), Some(self.line))
    }
}

/// The calls that unwrapped a KEK, from the log of a key service.
#[derive(Debug)]
pub(super) struct KmsLog(Vec<Call>);

#[derive(Debug)]
struct Call {
    requests: Vec<String>,
    keyspace: Option<String>,
    time: Option<u64>,
}

impl KmsLog {
    /// Reads JSON lines; a line may also be a whole file of `CloudTrail`, with its `Records`.
    pub(super) fn read(path: &Path) -> Result<Self, WatchError> {
        let failed = |error: std::io::Error| WatchError::file(Kind::Read, path, &error);
        let mut calls = Vec::new();
        for line in BufReader::new(File::open(path).map_err(failed)?).lines() {
            let line = line.map_err(failed)?;
            if line.trim().is_empty() {
                continue;
            }
            let value: Value =
                serde_json::from_str(&line).map_err(|_| failed(std::io::ErrorKind::InvalidData.into()))?;
            match value.get("Records").and_then(Value::as_array) {
                Some(records) => calls.extend(records.iter().filter_map(Call::read)),
                None => calls.extend(Call::read(&value)),
            }
        }
        Ok(Self(calls))
    }

    /// Matches unlockings and calls one to one, by request id, else by keyspace and time.
    pub(super) fn compare<'u>(&self, unlocks: impl IntoIterator<Item = &'u Unlock>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut used = BTreeSet::new();
        let mut take = |matches: &dyn Fn(&Call) -> bool| {
            let found = self.0.iter().enumerate().find(|(at, call)| !used.contains(at) && matches(call));
            found.is_some_and(|(at, _)| used.insert(at))
        };
        let (with_id, without): (Vec<_>, Vec<_>) =
            unlocks.into_iter().partition(|unlock: &&Unlock| unlock.request.is_some());
        for unlock in with_id {
            if !take(&|call| unlock.request.as_ref().is_some_and(|request| call.requests.contains(request))) {
                findings.push(unlock.finding(Fault::UnlockNotAtService));
            }
        }
        for unlock in without {
            let is_near = |call: &Call| {
                let is_same = call.keyspace.as_ref() == Some(&unlock.keyspace);
                is_same && call.time.is_some_and(|time| time.abs_diff(unlock.time) <= APART)
            };
            if unlock.provider == "local" {
                findings.push(unlock.finding(Fault::UnlockWithoutService));
            } else if !take(&is_near) {
                findings.push(unlock.finding(Fault::UnlockNotAtService));
            }
        }
        let left = self.0.len().saturating_sub(used.len());
        findings.extend((0..left).map(|_| Finding::new(Fault::UnlockNotHere, None, None)));
        findings
    }
}

impl Call {
    /// A successful `Decrypt` with the context of rxseal in `CloudTrail`, or a `transit/decrypt` of an audit device. Other calls unlock nothing.
    fn read(value: &Value) -> Option<Self> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        if value.get("eventName").and_then(Value::as_str) == Some("Decrypt") {
            if value.get("errorCode").is_some_and(|code| !code.is_null()) {
                return None;
            }
            let context = value.pointer("/requestParameters/encryptionContext");
            let keyspace = Some(text(context.and_then(|context| context.get("rxseal:keyspace")))?);
            let requests = [text(value.get("requestID")), text(value.get("eventID"))].into_iter().flatten().collect();
            let time = text(value.get("eventTime")).and_then(|time| unix_ms(&time));
            return Some(Self { requests, keyspace, time });
        }
        let request = value.get("request")?;
        let path = request.get("path").and_then(Value::as_str)?;
        let is_answer = value.get("type").and_then(Value::as_str) == Some("response");
        if !is_answer
            || !path.contains("/decrypt/")
            || value.get("error").and_then(Value::as_str).is_some_and(|error| !error.is_empty())
        {
            return None;
        }
        let time = text(value.get("time")).and_then(|time| unix_ms(&time));
        Some(Self { requests: text(request.get("id")).into_iter().collect(), keyspace: None, time })
    }
}

/// Unix milliseconds of `2026-08-30T20:51:07Z`, with or without a fraction of a second; in UTC, as both services write it.
fn unix_ms(text: &str) -> Option<u64> {
    let since = humantime::parse_rfc3339(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_services() {
        assert_eq!(unix_ms("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_ms("2025-11-24T16:00:00Z"), Some(1_764_000_000_000));
        assert_eq!(unix_ms("2024-02-29T00:00:00.250123Z"), Some(1_709_164_800_250));
        assert_eq!(unix_ms("2000-03-01T00:00:00Z"), Some(951_868_800_000));
        for bad in
            ["", "2025-11-24T16:00:00+01:00", "1969-12-31T00:00:00Z", "2025-13-01T00:00:00Z", "2025-xx-01T00:00:00Z"]
        {
            assert_eq!(unix_ms(bad), None, "{bad}");
        }
    }

    fn unlock(json: &str) -> Unlock {
        Unlock::read(json.as_bytes(), ChainId::parse("7f3a9c0e5b1d2468").unwrap(), 1).unwrap()
    }

    fn codes(log: &str, unlocks: &[&str]) -> Vec<&'static str> {
        let calls: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let log = KmsLog(calls.iter().filter_map(Call::read).collect());
        let unlocks: Vec<_> = unlocks.iter().map(|json| unlock(json)).collect();
        log.compare(&unlocks).iter().map(Finding::code).collect()
    }

    #[test]
    fn unlockings_and_calls_are_matched_one_to_one() {
        let trail = r#"{"eventName":"Decrypt","eventTime":"2025-11-24T16:00:01Z","requestID":"r1","requestParameters":{"encryptionContext":{"rxseal:keyspace":"ph"}}}
{"eventName":"Decrypt","eventTime":"2025-11-24T16:00:01Z","requestID":"r2","errorCode":"AccessDenied","requestParameters":{"encryptionContext":{"rxseal:keyspace":"ph"}}}
{"eventName":"Encrypt","eventTime":"2025-11-24T16:00:01Z","requestID":"r3"}"#;
        let by_id = r#"{"n":1,"t":1764000001000,"m":1,"e":"unlock","ks":"ph","gen":1,"prov":"aws-kms","root":"arn","req":"r1"}"#;
        let by_time = r#"{"n":1,"t":1764000031000,"m":1,"e":"unlock","ks":"ph","gen":1,"prov":"aws-kms","root":"arn"}"#;
        let local = r#"{"n":1,"t":1764000031000,"m":1,"e":"unlock","ks":"ph","gen":1,"prov":"local","root":"x"}"#;
        assert!(codes(trail, &[by_id]).is_empty());
        assert!(codes(trail, &[by_time]).is_empty());
        assert_eq!(codes(trail, &[by_id, by_time]), ["unlock-not-at-service"]);
        assert_eq!(codes(trail, &[]), ["unlock-not-here"]);
        assert_eq!(codes("", &[local]), ["unlock-without-service"]);
        assert_eq!(codes(trail, &[&by_time.replace("31000", "99000")]), ["unlock-not-at-service", "unlock-not-here"]);
        let device = r#"{"type":"response","time":"2025-11-24T16:00:01.5Z","request":{"id":"r1","path":"transit/decrypt/phi"}}
{"type":"request","time":"2025-11-24T16:00:01Z","request":{"id":"r1","path":"transit/decrypt/phi"}}"#;
        assert!(codes(device, &[&by_id.replace("aws-kms", "vault")]).is_empty());
    }
}
