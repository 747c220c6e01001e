//! `rxseal keyring` and `rxseal key-file`.

mod desk;
mod index_root;
mod shown;

use std::sync::Arc;
use std::time::SystemTime;

use rxseal::KeyId;
use rxseal::count::KeyCounts;
use rxseal::keys::{KeyState, KeyUse, KeyringAdmin, KeyringFile, RemainingUse, Unlocked, WrapInfo};
use rxseal::root::{RootKey, RootKeyFile};
use rxseal::store::KeyringStore;
use rxseal::subjects::SubjectAdmin;
use serde_json::json;

use crate::args::{Change, Global, KeyFile, Keyring, Root};
use crate::config::Config;
use crate::count::{count_under, has_key};
use crate::failure::Failure;
use crate::output::{Output, table};
use crate::root::{Spec, trusted};
use desk::{Desk, FailedRoots, changed, stored};
use index_root::{COMPROMISED, is_index_root};
use shown::{as_json, as_text};

pub async fn run(global: &Global, command: Keyring, output: &Output) -> Result<(), Failure> {
    let config = Config::of(global)?;
    let desk = Desk { config, output, failed: FailedRoots::default() };
    let result = desk.run(command).await;
    desk.failed.warn(output, result.is_ok());
    result
}

impl Desk<'_> {
    async fn run(&self, command: Keyring) -> Result<(), Failure> {
        let (config, output) = (&self.config, self.output);
        match command {
            Keyring::List => list(config, output).await,
            Keyring::Inspect { keyspace, min_generation } => inspect(config, &keyspace, min_generation, output).await,
            Keyring::Verify { keyspace, min_generation } => verify(config, &keyspace, min_generation, output).await,
            Keyring::Init { keyspace, suite, change } => {
                let roots = trusted(config.all_roots().await?)?;
                let store = config.new_store(change.dry_run).await?;
                if store.get(&keyspace).await?.is_none() {
                    self.check_new(&keyspace, &change).await?;
                }
                let admin = self.admin_with(&change, roots, store)?;
                let act = self.begin(&change, "keyring-init", &keyspace, None)?;
                let file = act.end(admin.create(&keyspace, suite.into()).await)?;
                changed(output, &change, &file, "keyring made", None, json!({}))
            }
            Keyring::Stage { keyspace, change } => {
                let admin = self.admin(&keyspace, &change).await?;
                let act = self.begin(&change, "keyring-stage", &keyspace, None)?;
                let (file, key) = act.end(admin.stage(&keyspace).await)?;
                changed(output, &change, &file, "key staged", Some(key), json!({}))
            }
            Keyring::Promote { keyspace, key, staged_for, change } => {
                let admin = self.admin(&keyspace, &change).await?;
                let key = match key {
                    Some(key) => key,
                    None => staged_key(&admin.stored(&keyspace).await?)?,
                };
                let act = self.begin(&change, "keyring-promote", &keyspace, Some(key))?;
                let file = act.end(admin.promote(&keyspace, key, SystemTime::now(), staged_for).await)?;
                changed(output, &change, &file, "key promoted: it seals from now on", Some(key), json!({}))
            }
            Keyring::Rotate { keyspace, change } => {
                let admin = self.admin(&keyspace, &change).await?;
                let act = self.begin(&change, "keyring-rotate", &keyspace, None)?;
                let (file, key) = act.end(admin.rotate(&keyspace).await)?;
                changed(output, &change, &file, "rotated: the new key seals from now on", Some(key), json!({}))
            }
            Keyring::Deactivate { keyspace, key, change } => {
                let admin = self.admin(&keyspace, &change).await?;
                let act = self.begin(&change, "keyring-deactivate", &keyspace, Some(key))?;
                let file = act.end(admin.deactivate(&keyspace, key).await)?;
                changed(output, &change, &file, "key deactivated", Some(key), json!({}))
            }
            Keyring::Compromise { keyspace, key, change } => {
                let admin = self.any_admin(&change).await?;
                // The mark must not wait for a subject store that does not answer.
                if let Err(failure) = self.check_newest(&admin, &keyspace, &change).await
                    && failure.code() == "keyring-too-old"
                {
                    return Err(failure);
                }
                let act = self.begin(&change, "keyring-compromise", &keyspace, Some(key))?;
                let file = act.end(admin.compromise(&keyspace, key).await)?;
                if is_index_root(&file, key) {
                    return changed(output, &change, &file, COMPROMISED, Some(key), json!({}));
                }
                let (exposed, count) = self.exposed(&keyspace, key).await;
                let what = format!("key marked compromised: reseal what is under it{exposed}");
                changed(output, &change, &file, &what, Some(key), json!({ "subject_keys_under": count }))
            }
            Keyring::Destroy { force: true, keyspace, key, change, .. } => {
                let admin = self.deks_admin(&keyspace, key, &change).await?;
                let act = self.begin(&change, "keyring-destroy-by-force", &keyspace, Some(key))?;
                let file = act.end(admin.force_destroy(&keyspace, key).await)?;
                changed(output, &change, &file, "key destroyed", Some(key), json!({ "forced": true }))
            }
            Keyring::Destroy { keyspace, key, tokens, counted, subject_keys, unused_for, change, .. } => {
                let admin = self.deks_admin(&keyspace, key, &change).await?;
                let begun = SystemTime::now();
                let ring = admin.stored(&keyspace).await?;
                let counted = count_under(key, &ring, &counted, &self.config, output).await?;
                let tokens = tokens.unwrap_or_default().saturating_add(counted);
                let subject_keys = self.subject_keys_under(&ring, key, subject_keys).await?;
                let remaining = RemainingUse::new(tokens, subject_keys).begun_at(begun);
                let act = self.begin(&change, "keyring-destroy", &keyspace, Some(key))?;
                let destroyed = admin.destroy(&keyspace, key, remaining, SystemTime::now(), unused_for).await;
                let file = act.end(destroyed.map_err(|error| match error.code().as_str() {
                    "key-in-use" => Failure::InUse(error, tokens, subject_keys),
                    _ => error.into(),
                }))?;
                let more = json!({ "forced": false, "tokens_under": tokens, "subject_keys_under": subject_keys });
                changed(output, &change, &file, "key destroyed", Some(key), more)
            }
            Keyring::Rewrap { keyspace, to, yes, change } => self.rewrap(&keyspace, &to, yes, &change).await,
            Keyring::Index(command) => self.run_index(command).await,
            Keyring::Root(command) => self.run_root(command).await,
        }
    }

    async fn run_root(&self, command: Root) -> Result<(), Failure> {
        let (config, output) = (&self.config, self.output);
        match command {
            Root::Add { keyspace, new_root, change } => {
                let new_root = config.connect(&Spec::parse(&new_root)?).await?;
                let admin = self.admin(&keyspace, &change).await?;
                let act = self.begin(&change, "keyring-root-add", &keyspace, None)?;
                let file = act.end(admin.add_root(&keyspace, &new_root).await)?;
                changed(output, &change, &file, "root key added", None, json!({}))
            }
            Root::Remove { keyspace, provider, name, change } => {
                let admin = self.admin(&keyspace, &change).await?;
                let act = self.begin(&change, "keyring-root-remove", &keyspace, None)?;
                let file = act.end(admin.remove_root(&keyspace, &provider, &name).await)?;
                changed(output, &change, &file, "root key removed", None, json!({}))
            }
        }
    }

    /// To destroy a key that seals, and no index root.
    async fn deks_admin(&self, keyspace: &str, key: KeyId, change: &Change) -> Result<KeyringAdmin, Failure> {
        let admin = self.admin(keyspace, change).await?;
        if is_index_root(&admin.stored(keyspace).await?, key) {
            let text = format!("{key} is an index root: use `rxseal keyring index destroy`, which counts index values");
            return Err(Failure::Coded("state-refused", text));
        }
        Ok(admin)
    }

    async fn rewrap(&self, keyspace: &str, to: &[String], yes: bool, change: &Change) -> Result<(), Failure> {
        let roots =
            if to.is_empty() { self.config.all_roots().await? } else { self.config.connect_all(&specs(to)?).await? };
        let admin = self.admin(keyspace, change).await?;
        let stored = admin.stored(keyspace).await?;
        if to.is_empty() {
            check_the_same(&stored, &roots)?;
        }
        let off = taken_off(&stored, &roots);
        if !(off.is_empty() || yes || change.dry_run) {
            return Err(Failure::Usage(format!(
                "{} would no longer unlock the keyring: confirm with --yes",
                off.join(", ")
            )));
        }
        let roots = trusted(roots)?;
        let act = self.begin(change, "keyring-rewrap", keyspace, None)?;
        let file = act.end(admin.rewrap(keyspace, &roots).await)?;
        let off = if off.is_empty() { String::new() } else { format!(", and {} removed", off.join(", ")) };
        changed(self.output, change, &file, &format!("keyring rewrapped{off}"), None, json!({}))
    }

    /// What the operator says is elsewhere, plus what is counted here.
    async fn subject_keys_under(&self, ring: &KeyringFile, key: KeyId, elsewhere: Option<u64>) -> Result<u64, Failure> {
        if self.config.has_subject_store() {
            let counts = match self.config.open_subject_store(false).await? {
                Some(store) => SubjectAdmin::new(store).count_by_key(ring.keyspace()).await?,
                None => KeyCounts::default(),
            };
            if elsewhere.is_none() && !counts.iter().any(|(key, _)| has_key(ring, key)) {
                return Err(Failure::Usage(format!(
                    "--subject-store has no subject key under the keyring of {}: is this the right store? If it is, use --subject-keys 0",
                    ring.keyspace()
                )));
            }
            return Ok(elsewhere.unwrap_or_default().saturating_add(counts.of(key)));
        }
        elsewhere.ok_or_else(|| {
            Failure::Usage(
                "the number of subject keys under the key is not known: use --subject-store to count them, or --subject-keys 0 if you use none"
                    .to_owned(),
            )
        })
    }

    /// The subject keys under a key that somebody else may know. The key stays marked even if the subject store fails.
    async fn exposed(&self, keyspace: &str, key: KeyId) -> (String, Option<usize>) {
        let lists = format!("`rxseal subject under {keyspace} {key}` lists");
        if !self.config.has_subject_store() {
            return (
                format!(". If patients have keys of their own, {lists} those exposed, with --subject-store"),
                None,
            );
        }
        let under = async {
            Ok(SubjectAdmin::new(self.config.subject_store(false).await?).subjects_under(keyspace, key).await?)
        };
        match under.await {
            Ok(under) => (format!(", and rewrap {} subject keys: {lists} them", under.len()), Some(under.len())),
            Err(failure) => {
                let failure: Failure = failure;
                self.output.warning(&format!("the subject keys under it were not counted: {failure}"));
                (format!(". Then {lists} the subject keys exposed"), None)
            }
        }
    }
}

/// A rewrap that names no root keys keeps the present ones: it removes none, and brings no removed one back.
fn check_the_same(stored: &KeyringFile, roots: &[Arc<dyn RootKey>]) -> Result<(), Failure> {
    if let Some(lost) = taken_off(stored, roots).first() {
        return Err(Failure::Usage(format!(
            "{lost} would no longer unlock the keyring: add it with --root, or name the root keys that stay with --to"
        )));
    }
    match roots.iter().find(|root| !stored.wraps().any(|wrap| is_of(&wrap, root.as_ref()))) {
        None => Ok(()),
        Some(new) => Err(Failure::Usage(format!(
            "{} {} does not unlock the keyring now: was it removed? Leave it out of --root and RXSEAL_ROOTS, or add it with \
             `rxseal keyring root add`",
            new.provider(),
            new.name()
        ))),
    }
}

/// The root keys of the stored keyring that are not among `roots`.
fn taken_off(stored: &KeyringFile, roots: &[Arc<dyn RootKey>]) -> Vec<String> {
    let off = stored.wraps().filter(|wrap| !roots.iter().any(|root| is_of(wrap, root.as_ref())));
    off.map(|wrap| format!("{} {}", wrap.provider(), wrap.root_key())).collect()
}

fn is_of(wrap: &WrapInfo<'_>, root: &dyn RootKey) -> bool {
    (wrap.provider(), wrap.root_key()) == (root.provider(), root.name())
}

pub fn make_key_file(global: &Global, command: &KeyFile, output: &Output) -> Result<(), Failure> {
    let KeyFile::Create { path, by } = command;
    let act = Config::of(global)?.journal.begin(by, "key-file-create", |act| act, output)?;
    let root = act.end(RootKeyFile::new(path).create())?;
    let name = root.name().to_owned();
    let path = path.display().to_string();
    let text = format!("root key {name} made in {path}: keep a copy offline, and none near the data");
    output.done(true, &text, &json!({ "root_key": name, "path": path }))
}

async fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let keyspaces = config.store().await?.keyspaces().await?;
    Ok(output.list(&keyspaces, "no keyring is stored", &json!(keyspaces))?)
}

/// The stored keyring, unlocked by one of the root keys, with the audit log as its observer if there is one.
pub async fn unlock_keys(config: &Config, keyspace: &str, output: &Output) -> Result<rxseal::Keyring, Failure> {
    // In a box, or the types of the commands' futures are nested too deeply for the compiler.
    let unlocked = Box::pin(unlock(config, keyspace, output)).await?;
    config.journal.observed(unlocked, output)
}

/// The stored keyring, unlocked by one of the root keys.
pub async fn unlock(config: &Config, keyspace: &str, output: &Output) -> Result<Unlocked, Failure> {
    let stored = stored(config, keyspace, None).await?;
    Ok(rxseal::Keyring::unlock(keyspace, &config.roots(output).await?, &stored).await?)
}

async fn inspect(config: &Config, keyspace: &str, min: Option<u64>, output: &Output) -> Result<(), Failure> {
    let file = stored(config, keyspace, min).await?;
    Ok(output.say(&as_text(&file), &as_json(&file))?)
}

async fn verify(config: &Config, keyspace: &str, min: Option<u64>, output: &Output) -> Result<(), Failure> {
    stored(config, keyspace, min).await?;
    let (roots, lost) = config.reachable_roots(output).await?;
    let admin = KeyringAdmin::new(config.store().await?, roots);
    let admin = match config.journal.watch(output)? {
        Some(watch) => admin.observed_by(watch.observer()),
        None => admin,
    };
    let checks = admin.verify(keyspace).await?;
    let word = |result: Option<Result<(), &rxseal::Error>>| match result {
        Some(Ok(())) => "unlocks".to_owned(),
        Some(Err(error)) => Failure::from_reference(error),
        None => "not asked: not given with --root".to_owned(),
    };
    let rows =
        checks.iter().map(|check| [check.provider().to_owned(), check.root_key().to_owned(), word(check.result())]);
    let text = table(["provider", "root key", "result"], rows);
    let value: Vec<_> = checks
        .iter()
        .map(|check| {
            let unlocks = check.result().map(|result| result.is_ok());
            let code = check.result().and_then(Result::err).map(|error| error.code().as_str());
            json!({
                "provider": check.provider(), "root_key": check.root_key(), "unlocks": unlocks, "code": code,
                "result": word(check.result()),
            })
        })
        .collect();
    output.say(&text, &json!(value))?;
    let errors: Vec<_> = checks.iter().filter_map(|check| check.result()?.err()).collect();
    let asked = checks.iter().filter(|check| check.result().is_some()).count();
    // A refusal is worse than a failure that may pass.
    let worst = errors.iter().find(|error| !error.is_retryable()).or(errors.first());
    match (worst, lost.first()) {
        (Some(worst), _) => Err(Failure::Coded(
            worst.code().as_str(),
            format!("{} of {asked} root keys asked do not unlock the keyring", errors.len()),
        )),
        // Each had its warning. But somebody may remove another root key next, so this is no success.
        (None, Some(code)) => {
            Err(Failure::Coded(code, format!("{} of the root keys named here could not be asked", lost.len())))
        }
        (None, None) => Ok(()),
    }
}

/// Root keys as options have them.
fn specs(texts: &[String]) -> Result<Vec<Spec>, Failure> {
    Ok(texts.iter().map(|text| Spec::parse(text)).collect::<Result<_, _>>()?)
}

fn staged_key(file: &KeyringFile) -> Result<KeyId, Failure> {
    let staged = file.keys().iter().find(|key| key.usage() == KeyUse::Seal && key.state() == KeyState::PreActive);
    staged
        .map(rxseal::keys::KeyInfo::id)
        .ok_or_else(|| Failure::Coded("state-refused", "no key is staged: run `rxseal keyring stage` first".to_owned()))
}
