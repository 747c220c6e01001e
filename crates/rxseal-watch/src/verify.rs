//! Verifying logs: whether a line was changed, removed or added, and whether events are missing. It needs no key of any data.
//!
//! ```no_run
//! use rxseal_watch::verify::{Verdict, Verifier};
//! # fn main() -> Result<(), rxseal_watch::WatchError> {
//! let key = "pharmacy-17.example+20746a0f+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR".parse()?;
//! let report = Verifier::new([key]).checkpoints("/mnt/locked-bucket/checkpoints")?.verify("/var/log/pharmacy")?;
//! for finding in report.findings() {
//!     println!("{finding}");
//! }
//! assert_eq!(report.verdict(), Verdict::Whole);
//! # Ok(())
//! # }
//! ```

mod chain_file;
mod finding;
mod line;
mod source;
mod unlocks;
mod witness;

pub use finding::{Fault, Finding, Verdict};
pub(crate) use source::{Source, chain_files, open};
pub(crate) use witness::Witness;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::chain::{ChainId, Hash, hash_text};
use crate::clock::unix_ms;
use crate::error::WatchError;
use crate::file_log::NOTES;
use crate::note::VerifierKey;
use chain_file::{Checked, Expected};
use source::Folder;
use unlocks::{KmsLog, Unlock};

/// A tail that is younger, in milliseconds, is on its way: its chain is being written.
const YOUNG: u64 = 120_000;

/// Verifies a folder of logs.
#[derive(Debug)]
pub struct Verifier {
    keys: Vec<VerifierKey>,
    elsewhere: Option<PathBuf>,
    witness: Witness,
    kms_log: Option<KmsLog>,
    now: u64,
}

/// What was found in a folder of logs.
#[derive(Debug)]
pub struct Report {
    findings: Vec<Finding>,
    chains: u64,
    events: u64,
    bytes: u64,
    covered: Option<Covered>,
    unlocks: Vec<Unlock>,
}

/// The last checkpoint from elsewhere: lines up to it are as they were written, if the log is not tampered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    chain: ChainId,
    lines: u64,
    hash: Hash,
}

impl Verifier {
    /// Trusts checkpoints that one of these keys signed.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = VerifierKey>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            elsewhere: None,
            witness: Witness::default(),
            kms_log: None,
            now: unix_ms(),
        }
    }

    /// Compares with the checkpoints that were kept in this folder, or in this file: somewhere whose files the host of the log cannot change. Without
    /// them a log proves accidents only.
    ///
    /// # Errors
    ///
    /// `not-read` if there is no such folder or file.
    pub fn checkpoints(self, place: impl Into<PathBuf>) -> Result<Self, WatchError> {
        let place = place.into();
        let mut witness = Witness::default();
        witness.read(&place, &self.keys, true)?;
        Ok(Self { elsewhere: Some(place), witness, ..self })
    }

    /// Compares each unlocking of a keyring with the log of the key service: JSON lines of AWS `CloudTrail`, or of the audit device of Vault or
    /// OpenBao. An unlocking that this log does not know was an opening outside of the audit.
    ///
    /// # Errors
    ///
    /// `not-read` if the file cannot be read, or a line of it is not JSON.
    pub fn kms_log(self, file: impl AsRef<Path>) -> Result<Self, WatchError> {
        Ok(Self { kms_log: Some(KmsLog::read(file.as_ref())?), ..self })
    }

    /// The time, in Unix milliseconds, from which it is judged what is still being written. By default it is now.
    #[must_use]
    pub fn at(self, now: u64) -> Self {
        Self { now, ..self }
    }

    /// Verifies the logs in a folder, in memory that does not grow with them.
    ///
    /// # Errors
    ///
    /// `not-read` if a file cannot be read. What is wrong with its contents is a finding, not an error.
    pub fn verify(&self, folder: impl AsRef<Path>) -> Result<Report, WatchError> {
        let folder = folder.as_ref();
        let is_apart = self.elsewhere.as_deref().is_some_and(|place| !is_same(place, folder));
        self.verify_source(&mut Folder::new(folder)?, is_apart)
    }

    /// Compares the unlockings of several logs together with the log of the key service, which has those of all programs. `None` without
    /// [`kms_log`](Self::kms_log). Verify the logs themselves with a verifier that has none.
    #[must_use]
    pub fn unlockings<'r>(&self, reports: impl IntoIterator<Item = &'r Report>) -> Option<Vec<Finding>> {
        let log = self.kms_log.as_ref()?;
        Some(log.compare(reports.into_iter().flat_map(|report| &report.unlocks)))
    }

    /// Whether there are checkpoints from elsewhere.
    #[cfg(feature = "postgres")]
    pub(crate) fn has_checkpoints(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// Verifies the logs of a source. `is_apart` says whether the checkpoints are kept elsewhere.
    pub(crate) fn verify_source(&self, source: &mut impl Source, is_apart: bool) -> Result<Report, WatchError> {
        let (findings, unlocks) = (Vec::new(), Vec::new());
        let mut report = Report { findings, chains: 0, events: 0, bytes: 0, covered: None, unlocks };
        let mut witness = if is_apart { self.witness.clone() } else { Witness::default() };
        if !is_apart {
            report.findings.push(Finding::new(Fault::NothingToCompare, None, None));
        }
        source.witness(&mut witness, &self.keys)?;

        let chains = source.chains()?;
        let mut expected: BTreeMap<ChainId, Expected> =
            chains.iter().map(|(_, chain)| (*chain, Expected::default())).collect();
        witness.expect(&mut expected, &mut report.findings);
        report.covered = chains.iter().rev().find_map(|(_, chain)| {
            let (lines, hash) = expected.get(chain)?.last_elsewhere()?;
            Some(Covered { chain: *chain, lines, hash })
        });
        // First what each chain says of the one before, so that each is then read once.
        for (at, (start, chain)) in chains.iter().copied().enumerate() {
            let previous = chain_file::previous(&mut source.open((start, chain))?);
            let Some(prev) = previous.map_err(|error| source.failed((start, chain), &error))? else { continue };
            match expected.get_mut(&prev.chain) {
                Some(expected) => expected.named.push((chain, prev)),
                // The first that is here may have lost those before it to the end of their time.
                None if at == 0 => report.findings.push(Finding::new(Fault::BeginsLater, Some(chain), Some(0))),
                None => report.findings.push(Finding::new(Fault::ChainMissing, Some(prev.chain), None)),
            }
        }
        for (start, chain) in chains {
            let expected = expected.remove(&chain).unwrap_or_default();
            let mut checked = Checked::new(chain, expected, self.now.saturating_sub(YOUNG));
            let read = checked.read(&mut source.open((start, chain))?);
            read.map_err(|error| source.failed((start, chain), &error))?;
            report.chains = report.chains.saturating_add(1);
            report.events = report.events.saturating_add(checked.lines());
            report.bytes = report.bytes.saturating_add(checked.bytes());
            if let Some(line) = source.differs() {
                report.findings.push(Finding::new(Fault::RowDiffers, Some(chain), Some(line)));
            }
            report.unlocks.extend(checked.end(is_apart, &mut report.findings));
        }
        if let Some(log) = &self.kms_log {
            report.findings.extend(log.compare(&report.unlocks));
        }
        report.findings.sort_by_key(|finding| (finding.verdict(), finding.chain(), finding.line()));
        Ok(report)
    }
}

impl Report {
    /// The verdict, as the worst finding says.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.findings.iter().map(Finding::verdict).min().unwrap_or(Verdict::Whole)
    }

    /// What was found, the worst first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many chains there are.
    #[must_use]
    pub fn chains(&self) -> u64 {
        self.chains
    }

    /// How many events there are.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The last checkpoint from elsewhere, of the newest chain that has one.
    #[must_use]
    pub fn covered(&self) -> Option<Covered> {
        self.covered
    }

    /// How many bytes of lines there are.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Covered {
    /// The chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// How many lines it covers.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The hash of the last of them, as that line begins with it.
    #[must_use]
    pub fn hash(&self) -> String {
        hash_text(&self.hash)
    }
}

/// Checkpoints beside the log prove nothing: who changes one changes the other.
fn is_same(place: &Path, folder: &Path) -> bool {
    match (fs::canonicalize(place), fs::canonicalize(folder)) {
        (Ok(place), Ok(folder)) => {
            place == folder
                || place.parent() == Some(&*folder) && place.to_str().is_some_and(|place| place.ends_with(NOTES))
        }
        _ => false,
    }
}
