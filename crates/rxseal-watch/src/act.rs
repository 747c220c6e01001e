//! Administrative acts: what somebody does to keys, patients' keys and budgets.

use std::fmt;

use rxseal::KeyId;

use crate::budget::checked_actor;
use crate::chain::random_id;
use crate::error::WatchError;
use crate::event::{ActEvent, Event};
use crate::watch::Watch;

/// What somebody is about to do: an administrative act, such as the rotation of a key.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("rxseal-watch-act-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let key = rxseal_watch::SigningKey::generate("ops.example")?;
/// # let rotate = || Ok::<(), rxseal::Error>(());
/// use rxseal_watch::{Act, FileLog, Watch};
///
/// let watch = Watch::over(FileLog::in_folder(&folder, key)?).service("key-admin").start()?;
/// let act = Act::new("user:lee.ops", "keyring-rotate", "yearly rotation, ticket 4711")?.keyspace("pharmacy-17");
/// let begun = watch.begin(act)?;          // on the disk before anything is done
/// match rotate() {
///     Ok(()) => begun.done()?,
///     Err(error) => begun.failed(error.code().as_str())?,
/// }
/// # drop(watch);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Act {
    who: String,
    what: String,
    why: String,
    keyspace: Option<String>,
    key: Option<KeyId>,
    subject: Option<String>,
    actor: Option<String>,
}

/// An act whose beginning is in the log: [`Watch::begin`] makes it. Say how it ended. An act without an end looks as if the program was killed in it.
#[must_use = "say how it ended, with `done` or `failed`"]
pub struct BegunAct {
    watch: Watch,
    act: Act,
    id: String,
}

impl Act {
    /// Who does what, and why: an actor such as `user:lee.ops`, a word for the act such as `keyring-rotate`, and the reason for a person to read.
    ///
    /// # Errors
    ///
    /// `invalid-settings` if `who` is not the name of an actor, `what` is not 1 to 64 lower-case letters, digits and hyphens, or `why` is not 8 to
    /// 200 printable characters.
    pub fn new(who: &str, what: &str, why: &str) -> Result<Self, WatchError> {
        let who = checked_actor(who)?.to_owned();
        let (what, why) = (checked_word(what)?.to_owned(), checked_reason(why)?.to_owned());
        Ok(Self { who, what, why, keyspace: None, key: None, subject: None, actor: None })
    }

    /// In this keyspace. Of a longer text than 255 characters the log has the beginning.
    #[must_use]
    pub fn keyspace(self, keyspace: &str) -> Self {
        Self { keyspace: Some(beginning(keyspace)), ..self }
    }

    /// Of this key.
    #[must_use]
    pub fn key(self, key: KeyId) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Of this patient. Of a longer text than 255 characters the log has the beginning.
    #[must_use]
    pub fn subject(self, subject: &str) -> Self {
        Self { subject: Some(beginning(subject)), ..self }
    }

    /// To this actor, such as one that is frozen. Of a longer text than 255 characters the log has the beginning.
    #[must_use]
    pub fn actor(self, actor: &str) -> Self {
        Self { actor: Some(beginning(actor)), ..self }
    }
}

impl Watch {
    /// Writes that an act begins. When this returns `Ok`, it is on the disk, so that nothing is done of which the log knows nothing. On an error,
    /// do not do it.
    ///
    /// # Errors
    ///
    /// One that [`is_audit_unavailable`](WatchError::is_audit_unavailable), after a second; `random-failed`.
    pub fn begin(&self, act: Act) -> Result<BegunAct, WatchError> {
        let id = format!("{:016x}", u64::from_be_bytes(random_id()?));
        let begun = BegunAct { watch: self.clone(), act, id };
        begun.keep("begun", None)?;
        Ok(begun)
    }
}

impl BegunAct {
    /// Writes that it was done.
    ///
    /// # Errors
    ///
    /// As [`Watch::begin`]. The act was done all the same, and the log says that it began.
    pub fn done(self) -> Result<(), WatchError> {
        self.keep("ok", None)
    }

    /// Writes that it failed, with the code of the error: up to 64 characters of it.
    ///
    /// # Errors
    ///
    /// As [`Watch::begin`].
    pub fn failed(self, code: &str) -> Result<(), WatchError> {
        self.keep("failed", Some(&code.chars().take(64).collect::<String>()))
    }

    fn keep(&self, out: &'static str, code: Option<&str>) -> Result<(), WatchError> {
        let Act { who, what, why, keyspace, key, subject, actor } = &self.act;
        let key = key.map(|key| key.to_string());
        self.watch.keep_on_disk(&Event::Act(ActEvent {
            id: &self.id,
            who,
            what,
            why,
            ks: keyspace.as_deref(),
            key: key.as_deref(),
            subject: subject.as_deref(),
            whom: actor.as_deref(),
            out,
            code,
        }))
    }
}

impl fmt::Debug for BegunAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BegunAct").field("act", &self.act).finish_non_exhaustive()
    }
}

/// What a person writes for another person.
pub(crate) fn checked_reason(text: &str) -> Result<&str, WatchError> {
    if !(8..=200).contains(&text.chars().count()) || text.chars().any(char::is_control) {
        return Err(WatchError::settings("a reason is 8 to 200 printable characters"));
    }
    Ok(text)
}

/// A word for what is done, or for what came of it.
pub(crate) fn checked_word(word: &str) -> Result<&str, WatchError> {
    let is_word = word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !is_word || !(1..=64).contains(&word.len()) {
        return Err(WatchError::settings("a word in the log is 1 to 64 lower-case letters, digits and hyphens"));
    }
    Ok(word)
}

/// What the log has of a long text.
pub(crate) fn beginning(text: &str) -> String {
    text.chars().take(255).collect()
}
