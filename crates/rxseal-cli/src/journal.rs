//! The log of the command itself: which keyrings it unlocked, what it opened, and what an operator changed, by whom and why.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rxseal::Keyring;
use rxseal::keys::Unlocked;
use rxseal::provider::SecretFile;
use rxseal_watch::budget::{Budget, Rate};
use rxseal_watch::{Act, BegunAct, Budgets, CheckpointFolder, FileLog, SigningKey, ToolRun, Watch, When};

use crate::args::{By, Who};
use crate::audit::log::failed;
use crate::environment::variable;
use crate::failure::{Failure, usage};
use crate::output::Output;

/// Where the log is, if there is one. Nothing is written before the command unlocks or changes something.
pub struct Journal {
    place: Option<Place>,
    watch: OnceLock<Watch>,
}

struct Place {
    folder: PathBuf,
    key: SecretFile,
    checkpoints: Option<PathBuf>,
}

/// An act that is in the log, if there is one.
#[must_use = "say how it ended"]
pub struct Step(Option<BegunAct>);

impl Journal {
    /// With the settings of a log, of which a folder and a key belong together.
    pub fn new(
        folder: Option<PathBuf>,
        key: Option<PathBuf>,
        checkpoints: Option<PathBuf>,
        allow_group_read: bool,
    ) -> Result<Self, Failure> {
        let place = match (folder, key) {
            (Some(folder), Some(key)) => {
                let key = SecretFile::new(key);
                Some(Place { folder, key: if allow_group_read { key.allow_group_read() } else { key }, checkpoints })
            }
            (Some(_), None) => {
                return usage(
                    "the audit log has no key that signs its checkpoints: use --audit-key FILE, which `rxseal audit keygen` makes",
                );
            }
            (None, _) => None,
        };
        Ok(Self { place, watch: OnceLock::new() })
    }

    /// The folder of the log.
    pub fn folder(&self) -> Option<&PathBuf> {
        self.place.as_ref().map(|place| &place.folder)
    }

    /// Where its checkpoints are kept elsewhere.
    pub fn checkpoints(&self) -> Option<&PathBuf> {
        self.place.as_ref().and_then(|place| place.checkpoints.as_ref())
    }

    /// The key that signs its checkpoints.
    pub fn signing_key(&self) -> Result<Option<SigningKey>, Failure> {
        self.place.as_ref().map(Place::signing_key).transpose()
    }

    /// The watch, started when it is first needed.
    pub fn watch(&self, output: &Output) -> Result<Option<&Watch>, Failure> {
        let Some(place) = &self.place else { return Ok(None) };
        if self.watch.get().is_none() {
            let watch = place.start("rxseal", Budgets::pharmacy(), output)?;
            drop(self.watch.set(watch));
        }
        Ok(self.watch.get())
    }

    /// Starts the watch of a job that opens fields. Nobody is refused for opening many patients, since an unseal says how many values were approved:
    /// events say what is above the budgets of a service, so that they stand out. A frozen actor opens nothing.
    pub fn start_for_job(&self, job: &str, frozen: Option<&Path>, output: &Output) -> Result<(), Failure> {
        self.start_opening("job", &format!("rxseal job run {job}"), Budgets::observe_only(), frozen, output)
    }

    /// Starts the watch of a drill, which opens at most so many patients. A frozen actor opens nothing.
    pub fn start_for_drill(
        &self,
        drill: &str,
        patients: u64,
        frozen: Option<&Path>,
        output: &Output,
    ) -> Result<(), Failure> {
        let budget = Budget::new(Rate::per_hour(patients, patients), Rate::per_day(patients, patients));
        self.start_opening("drill", &format!("rxseal drill {drill}"), Budgets::of_all(budget), frozen, output)
    }

    /// Without a log, nothing is opened.
    fn start_opening(
        &self,
        what: &str,
        service: &str,
        budgets: Budgets,
        frozen: Option<&Path>,
        output: &Output,
    ) -> Result<(), Failure> {
        let Some(place) = &self.place else {
            return Err(Failure::Usage(format!(
                "the {what} opens fields: say where the log is that tells of it with --audit-log and --audit-key"
            )));
        };
        let budgets = match frozen {
            Some(frozen) => budgets.frozen_in(frozen),
            None => budgets,
        };
        drop(self.watch.set(place.start(service, budgets, output)?));
        Ok(())
    }

    /// A keyring that the log hears of.
    pub fn observed(&self, unlocked: Unlocked, output: &Output) -> Result<Keyring, Failure> {
        Ok(match self.watch(output)? {
            Some(watch) => unlocked.observed_by(watch.observer()),
            None => unlocked.unobserved(),
        })
    }

    /// Writes that an act begins. If that cannot be written, nothing is done.
    pub fn begin(&self, by: &By, what: &str, about: impl FnOnce(Act) -> Act, output: &Output) -> Result<Step, Failure> {
        let Some(watch) = self.watch(output)? else {
            return match by.reason {
                Some(_) => {
                    usage("there is no audit log for --reason: say where it is with --audit-log and --audit-key")
                }
                None => Ok(Step(None)),
            };
        };
        let Some(reason) = &by.reason else {
            return usage("the audit log needs to know why: use --reason TEXT");
        };
        let act = Act::new(&who(&by.who)?, what, reason).map_err(failed)?;
        Ok(Step(Some(watch.begin(about(act)).map_err(failed)?)))
    }

    /// Who runs a tool. Without a log nobody needs to know.
    pub fn runner(&self, given: &Who) -> Result<Option<String>, Failure> {
        self.place.as_ref().map(|_| who(given)).transpose()
    }

    /// Writes what a tool did, if there is a log. It is on the disk when this returns `Ok`.
    pub fn ran(&self, run: &ToolRun, output: &Output) -> Result<(), Failure> {
        let Some(watch) = self.watch(output)? else { return Ok(()) };
        watch.ran(run).map_err(failed)
    }
}

impl Place {
    fn signing_key(&self) -> Result<SigningKey, Failure> {
        let unfit = |reason: &str| Failure::Usage(format!("--audit-key: {}: {reason}", self.key.path().display()));
        let text = self.key.read().map_err(|error| unfit(&error.to_string()))?;
        let text = str::from_utf8(&text).map_err(|_| unfit("it is not the text of a key"))?;
        text.trim().parse().map_err(failed)
    }

    fn start(&self, service: &str, budgets: Budgets, output: &Output) -> Result<Watch, Failure> {
        let log = FileLog::in_folder(&self.folder, self.signing_key()?).map_err(failed)?;
        let output = Output::new(output.is_json());
        let watch = Watch::over(log)
            .service(service)
            .budgets(budgets)
            .when(When::Durable)
            .on_alarm(move |alarm| output.warning(&alarm.to_string()));
        let watch = match &self.checkpoints {
            Some(folder) => watch.copy_to(CheckpointFolder::new(folder)),
            None => watch,
        };
        watch.start().map_err(failed)
    }
}

impl Step {
    /// Of a dry run, which the log does not hear of.
    pub fn none() -> Self {
        Self(None)
    }

    /// Writes how it ended, and gives that on.
    pub fn end<T>(self, result: Result<T, impl Into<Failure>>) -> Result<T, Failure> {
        let result = result.map_err(Into::into);
        let Some(act) = self.0 else { return result };
        match result {
            Ok(done) => act.done().map_err(|error| Failure::Unlogged(error.to_string())).map(|()| done),
            Err(failure) => {
                // What the operator has to hear of is the failure. The log has the beginning, and no end.
                drop(act.failed(failure.code()));
                Err(failure)
            }
        }
    }
}

/// The actor that was named, or the person who is logged in.
pub fn who(given: &Who) -> Result<String, Failure> {
    if let Some(who) = &given.who {
        return Ok(who.clone());
    }
    if let Some(who) = variable("RXSEAL_WHO")? {
        return Ok(who);
    }
    for name in ["SUDO_USER", "LOGNAME", "USER"] {
        if let Some(name) = variable(name)? {
            return Ok(format!("user:{name}"));
        }
    }
    usage("the audit log needs to know who you are: use --who user:NAME")
}
