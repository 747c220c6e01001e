//! What is wrong, and what is not known: the red lines and open questions of evidence.

use crate::facts::Facts;
use crate::log::Run;
use crate::remark::Remark;
use crate::ring::KeyFacts;
use crate::scan::{Dated, ScanFacts};

/// A scan older than this proves little.
const SCAN_DAYS: u64 = 30;
/// A backup that nobody has restored for so long may not be one.
const RESTORE_DAYS: u64 = 180;
/// How many of the tokens that the scan has a restore drill must have read, in quarters: data grows between the two.
const RESTORE_QUARTERS: u64 = 3;
const DAY: u64 = 86_400;
/// How far a clock may be ahead, in seconds.
const AHEAD: u64 = 3600;

/// All of them, the red ones first.
pub(crate) fn judge(facts: &Facts) -> Vec<Remark> {
    let mut remarks = Vec::new();
    judge_keys(facts, &mut remarks);
    match &facts.scan {
        Some(scan) => judge_scan(facts, scan, &mut remarks),
        None => remarks.push(Remark::red("no-scan", "Nobody has scanned for plaintext.")),
    }
    judge_logs(facts, &mut remarks);
    judge_restore(facts, &mut remarks);
    judge_map(facts, &mut remarks);
    remarks.sort_by_key(|remark| !remark.is_red());
    remarks
}

fn judge_keys(facts: &Facts, remarks: &mut Vec<Remark>) {
    for ring in &facts.keyrings {
        let keyspace = &ring.keyspace;
        for root in &ring.root_keys {
            let (provider, name, why) = (&root.provider, &root.name, root.apart.shown());
            if root.apart.is_no() {
                let text = format!("The root key {provider} {name} of {keyspace} is not apart from the data ({why}).");
                remarks.push(Remark::red("root-key-beside-data", text));
            } else if !root.apart.is_yes() {
                let todo = if root.is_local() && facts.here.data {
                    "Name the root keys that this machine uses, and let somebody who knows state it."
                } else {
                    "Somebody who knows should state it."
                };
                let why = &root.apart.why;
                let text = format!(
                    "Whether the root key {provider} {name} of {keyspace} is apart from the data is unknown: {why}. {todo}"
                );
                remarks.push(Remark::open("apart-unknown", text));
            }
        }
        if ring.root_keys.len() < 2 {
            let text = format!("One root key alone unlocks {keyspace}. If it is lost, all data is lost.");
            remarks.push(Remark::red("one-root-key", text));
        }
        ring.keys.iter().for_each(|key| judge_key(facts, keyspace, key, remarks));
    }
    for keyspace in &facts.map.keyspaces {
        if !facts.keyrings.iter().any(|ring| ring.keyspace == *keyspace) {
            let text = format!("The map names the keyspace {keyspace}, and its keyring was not given.");
            remarks.push(Remark::open("keyring-missing", text));
        }
    }
    if facts.keyrings.is_empty() {
        remarks.push(Remark::open("keyring-missing", "No keyring was given."));
    }
}

fn judge_key(facts: &Facts, keyspace: &str, key: &KeyFacts, remarks: &mut Vec<Remark>) {
    let (id, algorithm) = (&key.id, key.algorithm);
    if key.is_there() && !key.nist_approved {
        let text =
            format!("The key {id} of {keyspace} is of {algorithm}, which is not made of NIST-approved algorithms.");
        remarks.push(Remark::red("algorithm-not-approved", text));
    }
    let tokens = facts.scan.as_ref().map_or(0, |scan| scan.tokens_under(id));
    if tokens == 0 {
        return;
    }
    if key.is_compromised() {
        let text = format!("{tokens} tokens are under the key {id} of {keyspace}, which somebody else may have.");
        remarks.push(Remark::red("compromised-key-used", text));
    }
    if !key.is_there() {
        let text =
            format!("{tokens} tokens are under the key {id} of {keyspace}, which was destroyed. Nothing opens them.");
        remarks.push(Remark::red("destroyed-key-used", text));
    }
}

fn judge_scan(facts: &Facts, scan: &ScanFacts, remarks: &mut Vec<Remark>) {
    let sum = |wanted: &dyn Fn(bool, bool) -> bool| {
        let found = scan.findings().filter(|(_, of)| wanted(of.is_readable(), of.is_certain()));
        found.fold(0_u64, |sum, (_, of)| sum.saturating_add(of.count))
    };
    let (certain, possible) =
        (sum(&|readable, certain| readable && certain), sum(&|readable, certain| readable && !certain));
    let misplaced = sum(&|readable, _| !readable);
    if certain > 0 {
        let text = format!("{certain} values lie readable where they should be sealed.");
        remarks.push(Remark::red("plaintext-found", text));
    }
    if possible > 0 {
        let text = format!("{possible} values look like patients' data, and a person has to look at them.");
        remarks.push(Remark::red("plaintext-possible", text));
    }
    if misplaced > 0 {
        let text =
            format!("{misplaced} tokens are damaged, in the wrong place, or under a key that should not be used.");
        remarks.push(Remark::red("tokens-wrong", text));
    }
    let seen = facts.event_of_scan().map(|event| event.at).or(scan.at);
    if !seen.is_some_and(|at| is_within(at, facts.made_at, SCAN_DAYS)) {
        let text = format!("There is no scan of the last {SCAN_DAYS} days.");
        remarks.push(Remark::red("scan-old", text));
    }
    if scan.dated == Dated::File {
        let text = "No log has this scan, so its date is only what its file says.";
        remarks.push(Remark::open("scan-undated", text));
    }
    let undecided = scan.undecided();
    if undecided > 0 {
        let text =
            format!("{undecided} things could not be read or judged, so nothing proves that there is no plaintext.");
        remarks.push(Remark::open("scan-undecided", text));
    }
    if scan.looked_for != "all" {
        let text = "The scan left out what only looks like a patient's data.";
        remarks.push(Remark::open("scan-certain-only", text));
    }
    if scan.map.as_ref() != Some(&facts.map.sha256) {
        remarks.push(Remark::open("scan-other-map", "The scan went by another map, or by none."));
    }
    for source in facts.map.sources.iter().filter(|source| !scan.has(&source.name)) {
        let text = format!("{} was not scanned.", source.name);
        remarks.push(Remark::open("scan-partial", text));
    }
    let keys: Vec<_> = facts.keyrings.iter().flat_map(|ring| &ring.keys).map(|key| &key.id).collect();
    let is_unknown = |key: &&String| !keys.contains(key);
    let unknown: Vec<_> = scan.reports.iter().flat_map(|report| report.keys.keys()).filter(is_unknown).collect();
    if !unknown.is_empty() {
        let tokens = scan.reports.iter().flat_map(|report| &report.keys).filter(|(key, _)| !keys.contains(key));
        let tokens = tokens.fold(0_u64, |sum, (_, tokens)| sum.saturating_add(*tokens));
        let text = format!("{tokens} tokens are under keys of keyrings that were not given.");
        remarks.push(Remark::open("key-unknown", text));
    }
}

fn judge_logs(facts: &Facts, remarks: &mut Vec<Remark>) {
    if facts.logs.is_empty() {
        let text = "No audit log was given, so nobody can say who opened what.";
        remarks.push(Remark::open("no-log", text));
    }
    for log in &facts.logs {
        let name = &log.name;
        if log.is_tampered() {
            let text = format!("Somebody changed the log {name}. What it says is not believed here.");
            remarks.push(Remark::red("log-tampered", text));
        } else if log.verdict != "whole" {
            let text = format!("The log {name} is incomplete, or nothing kept elsewhere shows that it is whole.");
            remarks.push(Remark::open("log-incomplete", text));
        } else if log.events == 0 {
            remarks.push(Remark::open("log-empty", format!("The log {name} has no event.")));
        }
    }
    let why = facts.observed.shown();
    if facts.observed.is_no() {
        let text = format!("A keyring was used that no audit log watches ({why}).");
        remarks.push(Remark::red("unobserved", text));
    } else if !facts.observed.is_yes() {
        let text = "Whether every program that unlocks a keyring keeps an audit log is unknown. Compare with the log of the key service, or let \
            somebody who knows state it.";
        remarks.push(Remark::open("observed-unknown", text));
    }
}

fn judge_restore(facts: &Facts, remarks: &mut Vec<Remark>) {
    for ring in &facts.keyrings {
        let keyspace = &ring.keyspace;
        match facts.last_restore(keyspace) {
            Some(drill) if drill.out != "passed" => {
                let text = format!("The last restore drill of {keyspace} did not pass.");
                remarks.push(Remark::red("restore-drill-failed", text));
            }
            Some(drill) if is_within(drill.at, facts.made_at, RESTORE_DAYS) => {
                judge_size(facts, keyspace, drill, remarks);
            }
            _ => {
                let text = format!("No log has a restore drill of {keyspace} of the last {RESTORE_DAYS} days.");
                remarks.push(Remark::red("restore-drill-old", text));
            }
        }
    }
}

/// A drill of a copy that has a small part of the data says nothing of the rest.
fn judge_size(facts: &Facts, keyspace: &str, drill: &Run, remarks: &mut Vec<Remark>) {
    let Some(scan) = &facts.scan else { return };
    // One that names no keyspace is of all of them.
    let rings = facts.keyrings.iter().filter(|ring| drill.keyspace.is_none() || ring.keyspace == keyspace);
    let keys = rings.flat_map(|ring| &ring.keys).map(|key| scan.tokens_under(&key.id));
    let scanned = keys.fold(0, u64::saturating_add);
    let read = drill.numbers.get("tokens");
    if read.is_none_or(|read| read.saturating_mul(4) < scanned.saturating_mul(RESTORE_QUARTERS)) {
        let read = read.map_or_else(|| "an unknown number of".to_owned(), u64::to_string);
        let text = format!(
            "The last restore drill of {keyspace} read {read} tokens, and the scan has {scanned}. So it shows nothing of the others."
        );
        remarks.push(Remark::open("restore-drill-partial", text));
    }
}

fn judge_map(facts: &Facts, remarks: &mut Vec<Remark>) {
    let map = &facts.map;
    if map.faults > 0 {
        let text = format!("The map and the schema of the program differ in {} places.", map.faults);
        remarks.push(Remark::open("map-faults", text));
    }
    if map.more_keyspaces {
        let text = "A source has its keyspaces in a column, so the map does not say which keyrings there should be.";
        remarks.push(Remark::open("keyspaces-unknown", text));
    }
    for name in &map.elsewhere {
        let text = format!("{name} is in no source of the map, so no scan looked at it.");
        remarks.push(Remark::open("elsewhere", text));
    }
}

/// A time that is still to come is in no past.
fn is_within(at: u64, now: u64, days: u64) -> bool {
    at <= now.saturating_add(AHEAD) && now.saturating_sub(at) <= days.saturating_mul(DAY)
}
