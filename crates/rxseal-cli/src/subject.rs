//! `rxseal subject`.

use std::sync::Arc;

use rxseal::store::{Retention, StoredSubject, SubjectKeyStore};
use rxseal::subjects::{RewrapReport, ShredReceipt, SubjectAdmin};
use rxseal::{KeyId, Keyring};
use rxseal_watch::Act;
use serde_json::json;

use crate::args::{By, Day, Global, Subject};
use crate::config::Config;
use crate::count::has_key;
use crate::dry_run::DrySubjects;
use crate::failure::Failure;
use crate::journal::Step;
use crate::keyring::unlock_keys;
use crate::output::{Output, table, time};

pub async fn run(global: &Global, command: Subject, output: &Output) -> Result<(), Failure> {
    let config = Config::of(global)?;
    let store = config.subject_store(writes(&command)).await?;
    let dry = DrySubjects(Arc::clone(&store));
    let (subjects, dry_subjects) = (SubjectAdmin::new(Arc::clone(&store)), SubjectAdmin::new(DrySubjects(store)));
    let subjects = match shreds(&command).then(|| config.journal.watch(output)).transpose()?.flatten() {
        Some(watch) => subjects.observed_by(watch.observer()),
        None => subjects,
    };
    let begin = |is_dry: bool, by: &By, what: &str, about: &dyn Fn(Act) -> Act| {
        if is_dry { Ok(Step::none()) } else { config.journal.begin(by, what, about, output) }
    };
    let unknown_too = |subjects: SubjectAdmin, meant: bool| if meant { subjects.unknown_too() } else { subjects };
    match command {
        Subject::Shred { keyspace, subject, unknown_too, yes: _, dry_run: true, by: _ } => {
            config.shred_log()?.check()?;
            let stored = dry.get(&keyspace, &[&subject]).await?.pop();
            let known = stored.is_some_and(|stored| stored != StoredSubject::Absent);
            if !known && !unknown_too {
                return Err(Failure::Coded(
                    "subject-missing",
                    format!("{UNKNOWN}. If the id is right, use --unknown-too"),
                ));
            }
            dry.shred(&keyspace, &subject, 0).await?;
            let text =
                format!("{subject} of {keyspace} would be shredded: no hold or retention forbids it. Nothing was done");
            let text = if known { text } else { format!("{text}\n{UNKNOWN}") };
            Ok(output.say(&text, &json!({ "would_shred": true, "was_known": known }))?)
        }
        Subject::Shred { keyspace, subject, unknown_too: meant, yes: _, dry_run: false, by } => {
            let (subjects, log) = (unknown_too(subjects, meant), config.shred_log()?);
            let act = begin(false, &by, "subject-shred", &|act| act.keyspace(&keyspace).subject(&subject))?;
            let shredded = match subjects.shred(&keyspace, subject.as_str(), &log).await {
                Ok(receipt) => Ok(receipt),
                Err(error) => Err(not_shredded(error, &dry, &keyspace, &subject).await),
            };
            let receipt = act.end(shredded)?;
            output.done(true, &describe(&receipt), &as_json(&receipt))
        }
        Subject::Hold { keyspace, subject, until, legal_hold, release, unknown_too: meant, yes, dry_run, by } => {
            let old = subjects.retention(&keyspace, subject.as_str()).await?;
            let new = until.map_or(old, |Day(until)| old.until(until));
            let new = if legal_hold || release { new.legal_hold(legal_hold) } else { new };
            let changes = until.is_some() || legal_hold || release;
            if changes {
                // Change only what was looked at, so that a later day that somebody else sets meanwhile is not overruled.
                let less = new.retained_until() < old.retained_until() && !yes;
                let is_dry = dry_run || less;
                let target = if is_dry { dry_subjects } else { subjects };
                let act = begin(is_dry, &by, "subject-hold", &|act| act.keyspace(&keyspace).subject(&subject))?;
                act.end(unknown_too(target, meant).retain(&keyspace, subject.as_str(), old, new).await)?;
                if less {
                    let before = old.retained_until().map(time).unwrap_or_default();
                    return Err(Failure::Usage(format!(
                        "the records are kept until {before}: confirm an earlier day with --yes"
                    )));
                }
            }
            let stored = dry.get(&keyspace, &[&subject]).await?.pop().unwrap_or(StoredSubject::Absent);
            show_hold(new, &stored, dry_run, changes && new != old, output)
        }
        Subject::Reapply { unknown_too: meant, dry_run, by } => {
            let subjects = if dry_run { dry_subjects } else { subjects };
            let act = begin(dry_run, &by, "subject-reapply", &|act| act)?;
            act.end(reapply(&unknown_too(subjects, meant), &config, !dry_run, output).await)
        }
        Subject::Rewrap { keyspace, compromised, dry_run, by } => {
            let subjects = if dry_run { dry_subjects } else { subjects };
            let act = begin(dry_run, &by, "subject-rewrap", &|act| act.keyspace(&keyspace))?;
            let rewrapped = async {
                let keys = unlock_keys(&config, &keyspace, output).await?;
                let report =
                    if compromised { subjects.rewrap_compromised(&keys).await } else { subjects.rewrap(&keys).await };
                Ok::<_, Failure>((report?, keys))
            };
            let (report, keys) = act.end(rewrapped.await)?;
            show_rewrapped(&report, &keys, !dry_run, output)
        }
        Subject::Count { keyspace } => count(&subjects, &keyspace, output).await,
        Subject::Under { keyspace, key } => {
            let under = subjects.subjects_under(&keyspace, key).await?;
            // A store without any subject says nothing about the key.
            if under.is_empty() && subjects.count_by_key(&keyspace).await?.total() == 0 {
                return Err(Failure::Checked(nobody(&keyspace)));
            }
            if under.is_empty() {
                check_key(&config, &keyspace, key).await?;
            }
            Ok(output.list(&under, "no subject key is under this key", &json!(under))?)
        }
    }
}

async fn count(subjects: &SubjectAdmin, keyspace: &str, output: &Output) -> Result<(), Failure> {
    let counts = subjects.count_by_key(keyspace).await?;
    if counts.total() == 0 {
        output.note(&nobody(keyspace));
    }
    let text = table(["key", "subject keys"], counts.iter().map(|(key, count)| [key.to_string(), count.to_string()]));
    let keys: serde_json::Map<_, _> = counts.iter().map(|(key, count)| (key.to_string(), json!(count))).collect();
    Ok(output.say(&text, &json!({ "keys": keys, "total": counts.total() }))?)
}

/// Whether a store that nothing was written to yet may be the right one.
fn writes(command: &Subject) -> bool {
    match command {
        Subject::Shred { dry_run, unknown_too, .. } | Subject::Reapply { dry_run, unknown_too, .. } => {
            !dry_run && *unknown_too
        }
        Subject::Hold { until, legal_hold, dry_run, unknown_too, .. } => {
            !dry_run && *unknown_too && (until.is_some() || *legal_hold)
        }
        _ => false,
    }
}

/// Whether patients may be shredded, of which the audit log hears one by one.
fn shreds(command: &Subject) -> bool {
    matches!(command, Subject::Shred { dry_run: false, .. } | Subject::Reapply { dry_run: false, .. })
}

/// Why there is no receipt. The key may be gone even so, since the log is written after it.
async fn not_shredded(error: rxseal::Error, store: &DrySubjects, keyspace: &str, subject: &str) -> Failure {
    match store.get(keyspace, &[subject]).await.ok().and_then(|mut stored| stored.pop()) {
        Some(StoredSubject::Shredded { .. }) => Failure::Unreceipted(error),
        _ => error.into(),
    }
}

async fn reapply(subjects: &SubjectAdmin, config: &Config, stored: bool, output: &Output) -> Result<(), Failure> {
    let done = if stored { "are" } else { "would be" };
    let reapplied = subjects.reapply(&config.shred_log()?).await?;
    let (shredded, unknown, before) = (reapplied.shredded(), reapplied.unknown(), reapplied.shredded_before());
    let retained: Vec<_> = reapplied.retained().collect();
    let failed: Vec<_> = reapplied
        .failed()
        .map(|(keyspace, subject, error)| (keyspace, subject, Failure::from_reference(error)))
        .collect();
    let ahead: Vec<_> = reapplied.ahead().collect();
    let mut lines =
        vec![format!("{shredded} subjects {done} shredded, {unknown} of them without a key; {before} were already")];
    for (keyspace, subject) in &retained {
        lines.push(format!("held, so not shredded: {keyspace} {subject}"));
    }
    for (keyspace, subject) in &ahead {
        lines.push(format!("its line in the log has a time in the future: {keyspace} {subject}"));
    }
    for (keyspace, subject, error) in &failed {
        lines.push(format!("not shredded: {keyspace} {subject}: {error}"));
    }
    let value = json!({
        "shredded": shredded, "unknown": unknown, "shredded_before": before, "retained": retained, "failed": failed,
        "ahead": ahead,
    });
    output.done(stored && shredded > 0, &lines.join("\n"), &value)?;
    // A log is created with its first line, so an empty one is the wrong one or was shortened.
    if shredded == 0 && before == 0 && failed.is_empty() && retained.is_empty() {
        return Err(Failure::Checked(
            "the shred log is empty, so nobody was shredded again. Is it the right log, or did something rotate or shorten it?"
                .to_owned(),
        ));
    }
    if !ahead.is_empty() {
        let text = "lines of the log have a time in the future: a clock was wrong, or somebody wrote them. Holds are judged by the present time";
        output.warning(&format!("{} {text}", ahead.len()));
    }
    if !failed.is_empty() {
        return Err(Failure::Checked(format!("{} subjects of the log could not be shredded", failed.len())));
    }
    if !retained.is_empty() {
        return Err(Failure::Checked(format!(
            "{} subjects of the log are held, by a hold that was set since or came back with the restore: release them and repeat",
            retained.len()
        )));
    }
    Ok(())
}

fn show_rewrapped(report: &RewrapReport, keys: &Keyring, stored: bool, output: &Output) -> Result<(), Failure> {
    let done = if stored { "are now under" } else { "would be under" };
    let failed: Vec<_> = report.failed().map(|(subject, error)| (subject, error.code().as_str())).collect();
    let (rewrapped, before) = (report.rewrapped(), report.before());
    let mut lines = vec![format!("{rewrapped} subject keys {done} {}; {before} were already", keys.primary_key())];
    for (subject, code) in &failed {
        lines.push(format!("left as it was: {subject} ({code})"));
    }
    let value = json!({ "rewrapped": rewrapped, "before": before, "failed": failed });
    output.done(stored && rewrapped > 0, &lines.join("\n"), &value)?;
    if rewrapped == 0 && before == 0 && failed.is_empty() {
        return Err(Failure::Checked(nobody(keys.keyspace())));
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::Checked(format!("{} subject keys were left as they were", failed.len())))
    }
}

fn show_hold(
    retention: Retention,
    stored: &StoredSubject,
    dry_run: bool,
    changes: bool,
    output: &Output,
) -> Result<(), Failure> {
    let until = retention.retained_until().map_or_else(|| "no day is set".to_owned(), time);
    let held = if retention.is_held() { "under a legal hold" } else { "no legal hold" };
    let (key, shredded_at) = match stored {
        StoredSubject::Key(wrapped) => (format!("its key is under {}", wrapped.key_id()), None),
        StoredSubject::Shredded { at } => (format!("shredded at {}", time(*at)), Some(at)),
        StoredSubject::Absent => (UNKNOWN.to_owned(), None),
        _ => ("its key is damaged: restore the row, or shred it".to_owned(), None),
    };
    let value = json!({
        "retain_until": retention.retained_until(), "legal_hold": retention.is_held(), "shredded_at": shredded_at,
        "was_known": *stored != StoredSubject::Absent, "dry_run": dry_run,
    });
    let kept = if dry_run { "dry run, nothing is stored; it would be " } else { "" };
    output.done(changes && !dry_run, &format!("{kept}kept until: {until}; {held}\n{key}"), &value)
}

/// Nothing is under a mistyped key either. The keyring tells, if it is at hand.
async fn check_key(config: &Config, keyspace: &str, key: KeyId) -> Result<(), Failure> {
    let Ok(store) = config.store().await else { return Ok(()) };
    match store.get(keyspace).await {
        Ok(Some(ring)) if !has_key(&ring, key) => Err(Failure::Coded(
            "unknown-key",
            format!("the keyring of {keyspace} has no key {key}, and no subject key is under it: check the id"),
        )),
        _ => Ok(()),
    }
}

/// The fault of a store whose zero proves nothing.
fn nobody(keyspace: &str) -> String {
    format!("the store has no subject key of {keyspace}: is this the right store, and the right keyspace?")
}

/// Such a subject is shredded only if asked for: then it can never get a key.
const UNKNOWN: &str = "no key is stored for this subject: nothing was sealed for it yet, or the id is mistyped";

fn describe(receipt: &ShredReceipt) -> String {
    let unknown = if receipt.was_known() { String::new() } else { format!("{UNKNOWN}\n") };
    let not_covered = ShredReceipt::NOT_COVERED.join("\n  ");
    format!(
        "shredded {} of {} at {}\neffective at {}: from then on no program holds the key\ncomplete at {}: from then on no backup has the key\n\
         {unknown}Not covered:\n  {not_covered}",
        receipt.subject(),
        receipt.keyspace(),
        time(receipt.shredded_at()),
        time(receipt.effective_at()),
        receipt.complete_at().map(time).unwrap_or_default(),
    )
}

fn as_json(receipt: &ShredReceipt) -> serde_json::Value {
    json!({
        "keyspace": receipt.keyspace(), "subject": receipt.subject(), "shredded_at": receipt.shredded_at(),
        "effective_at": receipt.effective_at(), "complete_at": receipt.complete_at(), "was_known": receipt.was_known(),
        "not_covered": ShredReceipt::NOT_COVERED,
    })
}
