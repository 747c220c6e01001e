//! The log of what a job opens: a chain of rxseal-watch, as a service writes it.

use std::path::{Path, PathBuf};

use rxseal::provider::SecretFile;
use rxseal_watch::{Budgets, CheckpointFolder, FileLog, SigningKey, Watch, When};

use crate::audit::failed;
use crate::failure::{Failure, usage};
use crate::output::Output;

/// Where the log is, and what goes with it.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub folder: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub checkpoints: Option<PathBuf>,
    pub frozen: Option<PathBuf>,
}

impl Log {
    /// These, and otherwise what the settings say.
    pub fn or(self, settings: &Self) -> Self {
        let or = |given: Option<PathBuf>, set: &Option<PathBuf>| given.or_else(|| set.clone());
        Self {
            folder: or(self.folder, &settings.folder),
            key: or(self.key, &settings.key),
            checkpoints: or(self.checkpoints, &settings.checkpoints),
            frozen: or(self.frozen, &settings.frozen),
        }
    }

    /// Begins a chain. What cannot be written there is not opened, and a frozen actor opens nothing.
    ///
    /// Nobody is refused for opening many patients, since the job says how many values were approved. Events say what is above the budgets of a
    /// service, so that they stand out.
    pub fn start(&self, job: &str, output: &Output) -> Result<Watch, Failure> {
        let Some(folder) = &self.folder else {
            return usage(
                "the job opens fields: name the folder of the log that tells of it with --audit, or set RXSEAL_AUDIT",
            );
        };
        let Some(key) = &self.key else {
            return usage(
                "name the key that signs the log with --audit-key, or set RXSEAL_AUDIT_KEY: `rxseal audit keygen` makes one",
            );
        };
        let log = FileLog::in_folder(folder, signing_key(key)?).map_err(failed)?;
        let mut budgets = Budgets::observe_only();
        if let Some(frozen) = &self.frozen {
            budgets = budgets.frozen_in(frozen);
        }
        let alarms = output.clone();
        let watch = Watch::over(log).service(&format!("rxseal job run {job}")).when(When::Durable).budgets(budgets);
        let watch = watch.on_alarm(move |alarm| alarms.warning(&alarm.to_string()));
        let watch = match &self.checkpoints {
            Some(checkpoints) => watch.copy_to(CheckpointFolder::new(checkpoints)),
            None => watch,
        };
        watch.start().map_err(failed)
    }
}

fn signing_key(path: &Path) -> Result<SigningKey, Failure> {
    let text = SecretFile::new(path).read();
    let text = text.map_err(|unfit| Failure::Coded("invalid-key", format!("{}: {unfit}", path.display())))?;
    let text = std::str::from_utf8(&text)
        .map_err(|_| Failure::Coded("invalid-key", format!("{}: no text", path.display())))?;
    text.trim().parse().map_err(failed)
}
