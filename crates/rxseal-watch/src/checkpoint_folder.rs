//! Checkpoints in a folder: on another disk, in a mounted bucket with a retention lock, in a share that the service may only add to.

use std::error::Error as StdError;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use crate::note::TITLE;
use crate::sink::{Line, Sink};

/// Keeps each checkpoint as a file of its own in a folder, `<chain>-<size>.note`, and no lines. Choose a folder whose files the host of the service
/// cannot change: what is there proves that no line before it was changed.
///
/// ```no_run
/// use rxseal_watch::{CheckpointFolder, FileLog, Watch};
/// # fn start(key: rxseal_watch::SigningKey) -> Result<(), rxseal_watch::WatchError> {
/// let log = FileLog::in_folder("/var/log/pharmacy", key)?;
/// let watch = Watch::over(log).copy_to(CheckpointFolder::new("/mnt/locked-bucket/checkpoints")).start()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CheckpointFolder {
    folder: PathBuf,
}

impl CheckpointFolder {
    /// In this folder, which exists.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }
}

impl Sink for CheckpointFolder {
    fn name(&self) -> &'static str {
        "checkpoint folder"
    }

    fn append(&mut self, _: &[Line]) -> Result<(), Box<dyn StdError + Send + Sync>> {
        Ok(())
    }

    fn checkpoint(&mut self, note: &str) -> Result<(), Box<dyn StdError + Send + Sync>> {
        let mut lines = note.strip_prefix(TITLE).unwrap_or_default().lines().skip(1);
        let mut value = |name| lines.next().and_then(|line| line.strip_prefix(name)).unwrap_or("unknown");
        let name = format!("{}-{}.note", value("chain "), value("size "));
        let path = self.folder.join(&name);
        // A file that appears is complete: it is written under another name first.
        let unfinished = self.folder.join(format!(".{name}.tmp"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&unfinished)?;
        file.write_all(note.as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&unfinished, &path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            // A bucket has no links.
            Err(_) => fs::rename(&unfinished, &path)?,
            Ok(()) => {}
        }
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        drop(File::open(&self.folder).and_then(|folder| folder.sync_all()));
        Ok(())
    }
}
