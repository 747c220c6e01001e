//! Runs of tools: that somebody scanned, drilled or made evidence, and what came of it.

use crate::act::{beginning, checked_word};
use crate::budget::checked_actor;
use crate::chain::Hash;
use crate::error::WatchError;
use crate::event::{Event, RunEvent};
use crate::watch::Watch;

/// The most numbers of one run.
const MAX_NUMBERS: usize = 32;

/// That a tool ran, what it found, and the digest of what it wrote: a scan, a drill, or an evidence pack. Whoever holds the file that was written can
/// show that it is the one, and when it was made.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("rxseal-watch-run-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let key = rxseal_watch::SigningKey::generate("ops.example")?;
/// # let digest_of_the_page = [7; 32];
/// use rxseal_watch::{FileLog, ToolRun, Watch};
///
/// let watch = Watch::over(FileLog::in_folder(&folder, key)?).service("drills").start()?;
/// let run = ToolRun::drill("user:lee.ops", "restore", "passed")?
///     .keyspace("pharmacy-17")
///     .number("opened", 1000)
///     .number("failed", 0)
///     .wrote(digest_of_the_page);
/// watch.ran(&run)?;                       // on the disk when it returns
/// # drop(watch);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ToolRun {
    kind: &'static str,
    who: String,
    what: String,
    out: String,
    keyspace: Option<String>,
    map: Option<Hash>,
    numbers: Vec<(&'static str, u64)>,
    written: Option<Hash>,
}

impl ToolRun {
    /// A scan for plaintext: who, a word for what was scanned such as `sources`, and a word for the result such as `clean`.
    ///
    /// # Errors
    ///
    /// `invalid-settings` if `who` is not the name of an actor, or a word is not 1 to 64 lower-case letters, digits and hyphens.
    pub fn scan(who: &str, what: &str, out: &str) -> Result<Self, WatchError> {
        Self::new("scan", who, what, out)
    }

    /// A drill: who, a word for the drill such as `restore`, and a word for the result such as `passed`.
    ///
    /// # Errors
    ///
    /// As [`ToolRun::scan`].
    pub fn drill(who: &str, what: &str, out: &str) -> Result<Self, WatchError> {
        Self::new("drill", who, what, out)
    }

    /// Evidence: who, a word for what was done such as `make`, and a word for the result.
    ///
    /// # Errors
    ///
    /// As [`ToolRun::scan`].
    pub fn evidence(who: &str, what: &str, out: &str) -> Result<Self, WatchError> {
        Self::new("evidence", who, what, out)
    }

    fn new(kind: &'static str, who: &str, what: &str, out: &str) -> Result<Self, WatchError> {
        let who = checked_actor(who)?.to_owned();
        let (what, out) = (checked_word(what)?.to_owned(), checked_word(out)?.to_owned());
        Ok(Self { kind, who, what, out, keyspace: None, map: None, numbers: Vec::new(), written: None })
    }

    /// In this keyspace. Of a longer text than 255 characters the log has the beginning.
    #[must_use]
    pub fn keyspace(self, keyspace: &str) -> Self {
        Self { keyspace: Some(beginning(keyspace)), ..self }
    }

    /// With the map that has this SHA-256.
    #[must_use]
    pub fn map(self, digest: [u8; 32]) -> Self {
        Self { map: Some(digest), ..self }
    }

    /// A number of the result, such as how many values were found. The log has the first 32.
    #[must_use]
    pub fn number(mut self, name: &'static str, number: u64) -> Self {
        if self.numbers.len() < MAX_NUMBERS {
            self.numbers.push((name, number));
        }
        self
    }

    /// The SHA-256 of what it wrote.
    #[must_use]
    pub fn wrote(self, digest: [u8; 32]) -> Self {
        Self { written: Some(digest), ..self }
    }
}

impl Watch {
    /// Writes that a tool ran. When this returns `Ok`, it is on the disk.
    ///
    /// # Errors
    ///
    /// One that [`is_audit_unavailable`](WatchError::is_audit_unavailable), after a second.
    pub fn ran(&self, run: &ToolRun) -> Result<(), WatchError> {
        let ToolRun { kind, who, what, out, keyspace, map, numbers, written } = run;
        self.keep_on_disk(&Event::Ran(RunEvent {
            kind,
            ks: keyspace.as_deref(),
            who,
            what,
            map: map.as_ref(),
            numbers,
            out,
            written: written.as_ref(),
        }))
    }
}
