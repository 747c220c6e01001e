//! `rxseal exposure`: what a theft exposed.

use std::path::Path;

use rxseal_exposure::{ClassPatients, Exposure, ExposureError, State, Theft};
use rxseal_map::__private::said;
use rxseal_watch::verify::Verifier;
use serde_json::json;

use crate::args::{Exposure as Command, Global};
use crate::audit::{failed, verifier_keys};
use crate::config::{Config, subject_store_at};
use crate::count::keyrings;
use crate::failure::{Failure, usage};
use crate::map::Files;
use crate::output::{Output, table};
use crate::read::read_keyring;

pub async fn run(global: &Global, command: Command, output: &Output) -> Result<(), Failure> {
    let config = Config::of(global)?;
    let files = Files::of(&config, &command.map)?;
    let mut theft = Theft::new(files.map()?, files.schema()?, command.discovered).addresses(files.addresses.clone());
    if let Some(name) = &command.name {
        theft = theft.name(name);
    }
    if let Some(by) = &command.by {
        theft = theft.by(by);
    }
    for ring in keyrings(global, &command.keyspaces).await? {
        theft = theft.keyring(ring);
    }
    for path in &command.keyrings {
        theft = theft.keyring(read_keyring(path)?);
    }
    for stolen in command.stolen.iter().cloned() {
        if let Some(store) = stolen.subject_keys() {
            theft = theft.subject_keys(subject_store_at(store, "--stolen subject-keys").await?);
        }
        theft = theft.stolen(stolen);
    }
    theft = with_logs(theft, &command)?;
    if command.subject_keys_safe {
        theft = theft.subject_keys_are_safe(command.by.as_deref());
    }
    for text in &command.assume {
        theft = theft.assume(text, command.by.as_deref());
    }
    if let Some(column) = &command.jurisdiction {
        theft = theft.jurisdiction(column);
    }
    print(&theft.report_into(&command.out).await.map_err(refused)?, &command.out, output)
}

/// With each log and the checkpoints of it. The log of the key service has the unlockings of all.
fn with_logs(mut theft: Theft, command: &Command) -> Result<Theft, Failure> {
    let Command { audits, checkpoints, keys, kms_log, .. } = command;
    if !checkpoints.is_empty() && checkpoints.len() != audits.len() {
        return usage("give --checkpoints once for each --audit, in the same order");
    }
    let mut elsewhere = checkpoints.iter();
    let mut kms_log = kms_log.as_ref();
    for log in audits {
        if log.to_str().is_some_and(|log| log.contains("://")) {
            return usage(
                "write the log into files first, with `rxseal audit export URL --to DIR`, and give that folder",
            );
        }
        let mut verifier = Verifier::new(verifier_keys(keys)?);
        if let Some(checkpoints) = elsewhere.next() {
            verifier = verifier.checkpoints(checkpoints).map_err(failed)?;
        }
        if let Some(kms_log) = kms_log.take() {
            verifier = verifier.kms_log(kms_log).map_err(failed)?;
        }
        theft = theft.log(log, verifier);
    }
    Ok(theft)
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn refused(error: ExposureError) -> Failure {
    let text = said(&error);
    match error.code() {
        "invalid-theft" => Failure::Usage(text),
        "not-read" => Failure::Coded("not-read", text),
        _ => Failure::Coded("io", text),
    }
}

/// Fails if something is not known.
fn print(exposure: &Exposure, out: &Path, output: &Output) -> Result<(), Failure> {
    let totals = &exposure.totals;
    let mut text = vec![table(
        ["kind of data", "readable", "could be", "undecided", "sealed", "not taken"],
        exposure.classes.iter().map(as_row),
    )];
    text.extend(exposure.doubts.iter().map(|doubt| {
        let place = doubt.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let count = doubt.count.map(|count| format!("{count} ")).unwrap_or_default();
        format!("undecided  {}  {place}{count}{}", doubt.code, doubt.text)
    }));
    let least = if totals.is_patients_at_least { "at least " } else { "" };
    text.push(format!(
        "{} of {least}{} patients are proven, at most {}; readable columns of {}",
        totals.proven, totals.patients, totals.at_most, totals.clear
    ));
    text.push(format!("last day for letters: {}; the report is in {}", exposure.deadline, out.display()));
    let value = json!({
        "name": exposure.name, "discovered": exposure.discovered, "deadline": exposure.deadline, "totals": totals, "classes": exposure.classes,
        "doubts": exposure.doubts, "folder": out.display().to_string(),
    });
    output.say(&text.join("\n"), &value)?;
    if exposure.doubts.is_empty() && totals.at_most == totals.proven {
        return Ok(());
    }
    let unsure = totals.at_most.saturating_sub(totals.proven);
    Err(Failure::Coded(
        "undecided",
        format!("of {unsure} patients nobody can say that nothing was read, and nothing proves that it was"),
    ))
}

fn as_row(class: &ClassPatients) -> [String; 6] {
    let of = |states: &[State]| {
        let counted = class.patients.iter().filter(|(state, _)| states.contains(state));
        counted.fold(0_u64, |sum, (_, count)| sum.saturating_add(*count)).to_string()
    };
    [
        class.class.clone(),
        of(&[State::Readable, State::Plaintext]),
        of(&[State::CouldBeRead, State::Guessable]),
        of(&[State::Undecided]),
        of(&[State::Sealed]),
        of(&[State::NotTaken]),
    ]
}
