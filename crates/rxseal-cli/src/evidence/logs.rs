//! The logs that evidence is about: verified, and read.

use std::path::{Path, PathBuf};

use rxseal_evidence::{Evidence, LogFacts};
use rxseal_watch::verify::{Report, Verifier};
use rxseal_watch::{SigningKey, VerifierKey};

use crate::args::MakeEvidence;
use crate::audit::log::{Log, failed};
use crate::audit::verifier_keys;
use crate::config::Config;
use crate::failure::{Failure, usage};

pub fn read(evidence: &mut Evidence, config: &Config, command: &MakeEvidence, key: &SigningKey) -> Result<(), Failure> {
    let mut keys = verifier_keys(&command.keys)?;
    keys.push(key.verifier());
    let MakeEvidence { logs, checkpoints, kms_log, .. } = command;
    if !checkpoints.is_empty() && checkpoints.len() != logs.len() {
        return usage("give --checkpoints once for each --log, in the same order");
    }
    let elsewhere = checkpoints.iter().map(Some).chain(std::iter::repeat(None));
    let mut all: Vec<(PathBuf, Option<PathBuf>)> =
        logs.iter().cloned().zip(elsewhere.map(Option::<&PathBuf>::cloned)).collect();
    if let Some(folder) = config.journal.folder()
        && !logs.contains(folder)
    {
        all.push((folder.clone(), config.journal.checkpoints().cloned()));
    }
    let mut reports = Vec::new();
    for (log, checkpoints) in &all {
        let (facts, report) = read_one(log, checkpoints.as_deref(), &keys)?;
        evidence.log(facts);
        reports.push(report);
    }
    if let Some(file) = kms_log {
        let service = Verifier::new(keys).kms_log(file).map_err(failed)?;
        evidence.key_service(&service.unlockings(&reports).unwrap_or_default());
    }
    Ok(())
}

fn read_one(log: &Path, checkpoints: Option<&Path>, keys: &[VerifierKey]) -> Result<(LogFacts, Report), Failure> {
    let mut verifier = Verifier::new(keys.to_vec());
    if let Some(checkpoints) = checkpoints {
        verifier = verifier.checkpoints(checkpoints).map_err(failed)?;
    }
    let mut opened = Log::open(log)?;
    let report = opened.verify(&verifier).map_err(failed)?;
    let mut facts = LogFacts::of(&log.display().to_string(), &report);
    // Who cannot read a line of a log that was changed still makes evidence, which says so.
    let read = opened.read_lines(|line| facts.add(line));
    if report.verdict() != rxseal_watch::verify::Verdict::Tampered {
        read.map_err(failed)?;
    }
    Ok((facts, report))
}
