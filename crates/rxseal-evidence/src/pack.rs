//! The folder of a pack, and its event.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use rxseal_watch::{SignedSums, SigningKey, ToolRun, WatchError};
use serde::Serialize;

use crate::digest::digest;
use crate::error::EvidenceError;
use crate::facts::Facts;
use crate::page::page;
use crate::remark::{Remark, Verdict};

/// The signed note with the digests of all other files.
pub(crate) const SUMS: &str = "SHA256SUMS";
pub(crate) const EVIDENCE: &str = "evidence.json";

/// A pack that was written.
#[derive(Clone, Debug)]
pub struct Pack {
    digest: [u8; 32],
    map: [u8; 32],
    verdict: Verdict,
    remarks: Vec<Remark>,
}

/// `evidence.json`.
#[derive(Serialize)]
struct Document<'e> {
    verdict: Verdict,
    remarks: &'e [Remark],
    #[serde(flatten)]
    facts: &'e Facts,
}

impl Pack {
    /// SHA-256 of its `SHA256SUMS`, by which a log knows the pack.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// What the evidence comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The red lines, and then the open questions.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// Its event, for [`Watch::ran`](rxseal_watch::Watch::ran).
    ///
    /// # Errors
    ///
    /// `invalid-settings` if `who` is not the name of an actor.
    pub fn event(&self, who: &str) -> Result<ToolRun, WatchError> {
        let count = |is_red: bool| self.remarks.iter().filter(|remark| remark.is_red() == is_red).count();
        let count = |is_red: bool| u64::try_from(count(is_red)).unwrap_or(u64::MAX);
        let run = ToolRun::evidence(who, "make", self.verdict.as_str())?.map(self.map);
        Ok(run.number("red", count(true)).number("open", count(false)).wrote(self.digest))
    }
}

/// Writes a pack. Its digests come last, so that one that was cut off has none.
pub(crate) fn write(
    facts: &Facts,
    [map_file, schema_file]: [(&'static str, &str); 2],
    verdict: Verdict,
    remarks: Vec<Remark>,
    folder: &Path,
    key: &SigningKey,
) -> Result<Pack, EvidenceError> {
    let map = digest(map_file.1.as_bytes());
    // Who is named must be an actor, before anything is written.
    let mut pack = Pack { digest: [0; 32], map, verdict, remarks };
    pack.event(&facts.made_by)?;

    let document = Document { verdict, remarks: &pack.remarks, facts };
    let mut json = serde_json::to_string_pretty(&document).map_err(|error| EvidenceError::File(error.to_string()))?;
    json.push('\n');
    let html = page(facts, verdict, &pack.remarks);
    let scan = facts.scan.as_ref().and_then(|scan| scan.text.as_deref());
    let files = [
        Some((EVIDENCE, &*json)),
        Some(("evidence.html", &*html)),
        Some(map_file),
        Some(schema_file),
        scan.map(|scan| ("scan.json", scan)),
    ];
    let files: Vec<_> = files.into_iter().flatten().collect();

    make_folder(folder)?;
    for (name, text) in &files {
        write_file(&folder.join(name), text)?;
    }
    let sums = files.iter().map(|(name, text)| (*name, digest(text.as_bytes())));
    let note = SignedSums::of(sums)?.sign(key);
    write_file(&folder.join(SUMS), &note)?;
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| EvidenceError::file(folder, &error))?;
    pack.digest = digest(note.as_bytes());
    Ok(pack)
}

fn make_folder(folder: &Path) -> Result<(), EvidenceError> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(folder).map_err(|error| EvidenceError::file(folder, &error))
}

fn write_file(path: &Path, text: &str) -> Result<(), EvidenceError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| EvidenceError::file(path, &error))
}
