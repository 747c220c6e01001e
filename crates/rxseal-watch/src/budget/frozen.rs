//! Actors that a person froze: a list in a file, which every process reads.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::actor_name::checked_actor;
use crate::error::{Kind, WatchError};

/// No person wrote a longer list.
const MAX_LEN: u64 = 1024 * 1024;

/// The file with the names of frozen actors, one a line. Lines that begin with `#` are remarks. If there is no file, nobody is frozen.
///
/// A change replaces the file as a whole, so its remarks go. Its owner, group and mode stay: a service that runs as another user can go on reading
/// it. Two files beside it belong to it, which have its name with another extension: `.lock` stays there, and whoever changes the list locks it;
/// `.tmp` is the next list while it is written. So give the list no such extension, and let its operators write to its folder and its `.lock`.
#[derive(Clone, Debug)]
pub struct FrozenList {
    path: PathBuf,
}

impl FrozenList {
    /// The list in this file, whether it exists or not.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The frozen actors.
    ///
    /// # Errors
    ///
    /// `not-read` if the file cannot be read, `invalid-settings` if a line is not the name of an actor.
    pub fn actors(&self) -> Result<BTreeSet<String>, WatchError> {
        let failed = |error: &std::io::Error| WatchError::file(Kind::Read, &self.path, error);
        let len = match fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
            found => found.map_err(|error| failed(&error))?.len(),
        };
        if len > MAX_LEN {
            return Err(failed(&ErrorKind::FileTooLarge.into()));
        }
        let text = fs::read_to_string(&self.path).map_err(|error| failed(&error))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(|line| checked_actor(line).map(str::to_owned)).collect()
    }

    /// Freezes an actor, or unfreezes it. Says whether anything changed. Each process that reads the list follows within 5 seconds.
    ///
    /// # Errors
    ///
    /// `invalid-settings` if it, or a line of the file, is not the name of an actor; `not-read` if the file cannot be read, `log-failed` if it
    /// cannot be locked or written.
    pub fn set(&self, actor: &str, is_frozen: bool) -> Result<bool, WatchError> {
        checked_actor(actor)?;
        let failed = |error: &std::io::Error| WatchError::file(Kind::Log, &self.path, error);
        // Two who freeze at once must both find their actor in the list.
        let _lock = lock(&self.path.with_extension("lock")).map_err(|error| failed(&error))?;
        let mut actors = self.actors()?;
        let changed = if is_frozen { actors.insert(actor.to_owned()) } else { actors.remove(actor) };
        if changed {
            let text: String = actors.iter().flat_map(|actor| [actor.as_str(), "\n"]).collect();
            replace(&self.path, &text).map_err(|error| failed(&error))?;
        }
        Ok(changed)
    }
}

/// Until it is dropped.
fn lock(path: &Path) -> std::io::Result<File> {
    let file = File::options().create(true).append(true).open(path)?;
    file.lock()?;
    Ok(file)
}

/// A reader sees the old list or the new one. Owner and mode stay, or the service that reads the list could not read it any more.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let unfinished = path.with_extension("tmp");
    let mut file = File::create(&unfinished)?;
    if let Ok(before) = fs::metadata(path) {
        let now = file.metadata()?;
        if (before.uid(), before.gid()) != (now.uid(), now.gid()) {
            chown(&unfinished, Some(before.uid()), Some(before.gid()))?;
        }
        file.set_permissions(before.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

/// Who is frozen, as the list said when it was read last.
#[derive(Default)]
pub(crate) struct Frozen(Mutex<BTreeSet<String>>);

impl Frozen {
    pub(super) fn contains(&self, actor: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(actor)
    }

    /// Reads the list, and gives what changed. If it cannot be read, who was frozen stays so.
    pub(super) fn read(&self, list: &FrozenList) -> Result<Vec<(String, bool)>, String> {
        let with_cause = |error: WatchError| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            cause.unwrap_or_else(|| error.to_string())
        };
        let now = list.actors().map_err(with_cause)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = now.symmetric_difference(&known).map(|actor| (actor.clone(), now.contains(actor))).collect();
        *known = now;
        Ok(changes)
    }
}
