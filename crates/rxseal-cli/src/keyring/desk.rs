//! Where keyrings are changed.

use std::sync::{Arc, Mutex, PoisonError};

use rxseal::KeyId;
use rxseal::keys::{KeyringAdmin, KeyringFile, UnlockOptions};
use rxseal::observe::{KeyEvent, Observer, OpenEvent};
use rxseal::root::RootKeys;
use rxseal::store::KeyringStore;
use rxseal::subjects::SubjectAdmin;
use rxseal_watch::{Act, Watch, WatchObserver};
use serde_json::{Value, json};

use super::shown::as_json;
use crate::args::Change;
use crate::config::Config;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::journal::Step;
use crate::output::Output;

pub struct Desk<'o> {
    pub config: Config,
    pub output: &'o Output,
    pub failed: FailedRoots,
}

/// The root keys that failed, for a warning if another one did the work.
#[derive(Clone, Default)]
pub struct FailedRoots(Arc<Mutex<Vec<String>>>);

/// Who hears of a change: those who warn of root keys, and the audit log.
struct Ears {
    failed: FailedRoots,
    log: Option<WatchObserver>,
    is_dry: bool,
}

impl Observer for Ears {
    fn opened(&self, _: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        Ok(())
    }

    fn key_event(&self, event: &KeyEvent<'_>) {
        if let KeyEvent::RootKeyFailed { provider, root_key, reason, .. } = event {
            let text = format!("the root key {provider} {root_key} failed: {reason}");
            self.failed.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
        // What a dry run would change is not stored.
        let is_true = !(self.is_dry && matches!(event, KeyEvent::Changed { .. }));
        if let Some(log) = self.log.as_ref().filter(|_| is_true) {
            log.key_event(event);
        }
    }
}

impl FailedRoots {
    /// If only one failed, the command's own error tells of it.
    pub fn warn(&self, output: &Output, done: bool) {
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for text in failed.iter().filter(|_| done || failed.len() > 1) {
            output.warning(text);
        }
    }
}

impl Desk<'_> {
    /// Before a change: subject keys under a key that the stored keyring lacks show that an older keyring was put back. A new
    /// generation over it would take the number of the lost one, and programs would no longer notice.
    pub async fn check_newest(&self, admin: &KeyringAdmin, keyspace: &str, change: &Change) -> Result<(), Failure> {
        if change.min_generation.is_some() || !self.config.has_subject_store() {
            return Ok(());
        }
        let stored = admin.stored(keyspace).await?;
        let Some(store) = self.config.open_subject_store(false).await? else { return Ok(()) };
        let counts = SubjectAdmin::new(store).count_by_key(keyspace).await?;
        match counts.iter().find(|(under, _)| !stored.keys().iter().any(|key| key.id() == *under)) {
            None => Ok(()),
            Some((key, count)) => Err(Failure::Coded(
                "keyring-too-old",
                format!(
                    "{count} subject keys are under the key {key}, which the stored keyring (generation {}) does not have: an older keyring was put back. Restore the newest one; if it is lost, those subject keys are lost too, and --min-generation {} goes on without them",
                    stored.generation(),
                    stored.generation()
                ),
            )),
        }
    }

    /// Before a keyring is created: subject keys of its keyspace show that there was one already, in another store or lost.
    pub async fn check_new(&self, keyspace: &str, change: &Change) -> Result<(), Failure> {
        if change.min_generation.is_some() || !self.config.has_subject_store() {
            return Ok(());
        }
        let store = match self.config.open_subject_store(false).await {
            Ok(Some(store)) => store,
            // The service has not made it yet.
            Ok(None) | Err(Failure::Usage(_)) => return Ok(()),
            Err(failure) => return Err(failure),
        };
        match SubjectAdmin::new(store).count_by_key(keyspace).await?.total() {
            0 => Ok(()),
            count => Err(Failure::Coded(
                "keyring-missing",
                format!(
                    "{count} subject keys of {keyspace} are stored, so it had a keyring, which is not in --store. Use the right store or restore the keyring; if it is lost, those subject keys are lost too, and --min-generation 1 creates a new one"
                ),
            )),
        }
    }

    /// To change the newest keyring.
    pub async fn admin(&self, keyspace: &str, change: &Change) -> Result<KeyringAdmin, Failure> {
        let admin = self.any_admin(change).await?;
        self.check_newest(&admin, keyspace, change).await?;
        Ok(admin)
    }

    pub async fn any_admin(&self, change: &Change) -> Result<KeyringAdmin, Failure> {
        let roots = self.config.roots(self.output).await?;
        self.admin_with(change, roots, self.config.store().await?)
    }

    pub fn admin_with(
        &self,
        change: &Change,
        roots: RootKeys,
        store: Arc<dyn KeyringStore>,
    ) -> Result<KeyringAdmin, Failure> {
        let options = UnlockOptions::default()
            .min_generation(change.min_generation.unwrap_or_default())
            .clock_is_right(change.clock_is_right);
        let admin =
            if change.dry_run { KeyringAdmin::new(DryRun::new(store), roots) } else { KeyringAdmin::new(store, roots) };
        let log = self.config.journal.watch(self.output)?.map(Watch::observer);
        Ok(admin.options(options).observed_by(Ears { failed: self.failed.clone(), log, is_dry: change.dry_run }))
    }

    /// Writes that a change of a keyring begins, unless it is a dry run.
    pub fn begin(&self, change: &Change, what: &str, keyspace: &str, key: Option<KeyId>) -> Result<Step, Failure> {
        if change.dry_run {
            return Ok(Step::none());
        }
        let about = |act: Act| {
            let act = act.keyspace(keyspace);
            key.map_or(act.clone(), |key| act.key(key))
        };
        self.config.journal.begin(&change.by, what, about, self.output)
    }
}

/// The stored keyring. Fails if it is older than this generation.
pub async fn stored(config: &Config, keyspace: &str, min_generation: Option<u64>) -> Result<KeyringFile, Failure> {
    let file = config.store().await?.get(keyspace).await?;
    let Some(file) = file else {
        let text = "is stored: create it, or restore it from a backup. `rxseal keyring list` lists those that are";
        return Err(Failure::Coded("keyring-missing", format!("no keyring of this keyspace ({keyspace:?}) {text}")));
    };
    match min_generation {
        Some(min) if file.generation() < min => Err(Failure::Coded(
            "keyring-too-old",
            format!(
                "the stored keyring has an older generation ({}) than {min}: was a backup put back?",
                file.generation()
            ),
        )),
        _ => Ok(file),
    }
}

pub fn changed(
    output: &Output,
    change: &Change,
    file: &KeyringFile,
    what: &str,
    key: Option<KeyId>,
    more: Value,
) -> Result<(), Failure> {
    let key = key.map(|key| key.to_string());
    let about = key.as_ref().map_or(String::new(), |key| format!(" ({key})"));
    let kept = if change.dry_run { "dry run, nothing is stored; it would be " } else { "" };
    let text = format!("{what}{about}; {kept}generation {} of {}", file.generation(), file.keyspace());
    let mut value = json!({ "done": what, "key": key, "dry_run": change.dry_run, "keyring": as_json(file) });
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    output.done(!change.dry_run, &text, &value)
}
