//! `rxseal keyring` and `rxseal key-file`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rxseal::{KeyId, KeyState, KeyUse, KeyringAdmin, KeyringFile, StillUnder, UnlockOptions};
use serde_json::{Value, json};

use crate::args::{Change, Global, KeyFile, Keyring, Root};
use crate::config::{Config, all_roots, root};
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::output::{Output, table};

pub async fn run(global: &Global, command: Keyring, output: &Output) -> Result<(), Failure> {
    let config = Config::of(global)?;
    match command {
        Keyring::List => list(&config, output).await,
        Keyring::Inspect { keyspace } => inspect(&config, &keyspace, output).await,
        Keyring::Verify { keyspace } => verify(&config, &keyspace, output).await,
        Keyring::Init { keyspace, suite, change } => {
            let file = admin(&config, &change).await?.create(&keyspace, suite.into()).await?;
            changed(output, &change, &file, "keyring made", None)
        }
        Keyring::Stage { keyspace, change } => {
            let (file, key) = admin(&config, &change).await?.stage(&keyspace).await?;
            changed(output, &change, &file, "key staged", Some(key))
        }
        Keyring::Promote { keyspace, key, staged_for, change } => {
            let admin = admin(&config, &change).await?;
            let key = match key {
                Some(key) => key,
                None => staged_key(&admin.stored(&keyspace).await?)?,
            };
            let file = admin.promote(&keyspace, key, SystemTime::now(), staged_for).await?;
            changed(output, &change, &file, "key promoted: it seals from now on", Some(key))
        }
        Keyring::Rotate { keyspace, index_root, change } => {
            let admin = admin(&config, &change).await?;
            let (file, key) =
                if index_root { admin.rotate_index_root(&keyspace).await? } else { admin.rotate(&keyspace).await? };
            let what = if index_root { "index root rotated" } else { "rotated: the new key seals from now on" };
            changed(output, &change, &file, what, Some(key))
        }
        Keyring::Deactivate { keyspace, key, change } => {
            let file = admin(&config, &change).await?.deactivate(&keyspace, key).await?;
            changed(output, &change, &file, "key deactivated", Some(key))
        }
        Keyring::Compromise { keyspace, key, change } => {
            let file = admin(&config, &change).await?.compromise(&keyspace, key).await?;
            changed(output, &change, &file, "key marked compromised: reseal what is under it", Some(key))
        }
        Keyring::Destroy { keyspace, key, tokens, subject_keys, force, yes: _, change } => {
            let admin = admin(&config, &change).await?;
            let file = match (force, tokens, subject_keys) {
                (false, Some(tokens), Some(subject_keys)) => {
                    admin.destroy(&keyspace, key, StillUnder { tokens, subject_keys }).await?
                }
                _ => admin.force_destroy(&keyspace, key).await?,
            };
            changed(output, &change, &file, "key destroyed", Some(key))
        }
        Keyring::Rewrap { keyspace, to, change } => {
            let roots = if to.is_empty() { config.roots().await? } else { all_roots(&to).await? };
            let file = admin(&config, &change).await?.rewrap(&keyspace, &roots).await?;
            changed(output, &change, &file, "keyring rewrapped", None)
        }
        Keyring::Root(Root::Add { keyspace, new_root, change }) => {
            let new_root = root(&new_root).await?;
            let file = admin(&config, &change).await?.add_root(&keyspace, &new_root).await?;
            changed(output, &change, &file, "root key added", None)
        }
        Keyring::Root(Root::Remove { keyspace, provider, name, change }) => {
            let file = admin(&config, &change).await?.remove_root(&keyspace, &provider, &name).await?;
            changed(output, &change, &file, "root key removed", None)
        }
    }
}

pub fn make_key_file(command: &KeyFile, output: &Output) -> Result<(), Failure> {
    let KeyFile::Create { path } = command;
    let root = rxseal::KeyFile::new(path).create()?;
    let name = rxseal::RootKey::name(&root).to_owned();
    let path = path.display().to_string();
    let text = format!("root key {name} made in {path}: keep a copy offline, and none beside the data");
    Ok(output.say(&text, &json!({ "root_key": name, "path": path }))?)
}

async fn admin(config: &Config, change: &Change) -> Result<KeyringAdmin, Failure> {
    let (store, roots) = (config.store().await?, config.roots().await?);
    let options = UnlockOptions::default().min_generation(change.min_generation.unwrap_or_default());
    let admin =
        if change.dry_run { KeyringAdmin::new(DryRun::new(store), roots) } else { KeyringAdmin::new(store, roots) };
    Ok(admin.options(options))
}

async fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let keyspaces = config.store().await?.keyspaces().await?;
    let text = if keyspaces.is_empty() { "no keyring is stored".to_owned() } else { keyspaces.join("\n") };
    Ok(output.say(&text, &json!(keyspaces))?)
}

async fn inspect(config: &Config, keyspace: &str, output: &Output) -> Result<(), Failure> {
    let stored = config.store().await?.get(keyspace).await?;
    let Some(file) = stored else {
        return Err(Failure::Usage(format!(
            "no keyring of {keyspace:?} is stored: `rxseal keyring list` shows those that are"
        )));
    };
    Ok(output.say(&describe(&file), &as_json(&file))?)
}

async fn verify(config: &Config, keyspace: &str, output: &Output) -> Result<(), Failure> {
    let admin = KeyringAdmin::new(config.store().await?, config.roots().await?);
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
            json!({ "provider": check.provider(), "root_key": check.root_key(), "unlocks": unlocks, "result": word(check.result()) })
        })
        .collect();
    output.say(&text, &json!(value))?;
    let bad = checks.iter().filter(|check| matches!(check.result(), Some(Err(_)))).count();
    let asked = checks.iter().filter(|check| check.result().is_some()).count();
    match (asked, bad) {
        (0, _) => Err(Failure::Checked("none of the root keys given is one of this keyring".to_owned())),
        (_, 0) => Ok(()),
        _ => Err(Failure::Checked(format!("{bad} of {asked} root keys asked do not unlock the keyring"))),
    }
}

fn staged_key(file: &KeyringFile) -> Result<KeyId, Failure> {
    let staged = file.keys().iter().find(|key| key.usage() == KeyUse::Seal && key.state() == KeyState::PreActive);
    staged
        .map(rxseal::KeyInfo::id)
        .ok_or_else(|| Failure::Usage("no key is staged: `rxseal keyring stage` first".to_owned()))
}

fn changed(
    output: &Output,
    change: &Change,
    file: &KeyringFile,
    what: &str,
    key: Option<KeyId>,
) -> Result<(), Failure> {
    let key = key.map(|key| key.to_string());
    let about = key.as_ref().map_or(String::new(), |key| format!(" ({key})"));
    let kept = if change.dry_run { "dry run, nothing is stored; it would be " } else { "" };
    let text = format!("{what}{about}; {kept}generation {} of {}", file.generation(), file.keyspace());
    let value = json!({ "done": what, "key": key, "dry_run": change.dry_run, "keyring": as_json(file) });
    Ok(output.say(&text, &value)?)
}

fn describe(file: &KeyringFile) -> String {
    let keys = table(
        ["key", "use", "state", "suite", "created", "changed"],
        file.keys().iter().map(|key| {
            let state = if key.is_primary() { format!("{}, primary", key.state()) } else { key.state().to_string() };
            let suite = key.suite().map_or(String::new(), |suite| suite.letter().to_string());
            [
                key.id().to_string(),
                key.usage().as_str().to_owned(),
                state,
                suite,
                time(key.created()),
                time(key.changed()),
            ]
        }),
    );
    let wraps = table(
        ["provider", "root key"],
        file.wraps().map(|wrap| [wrap.provider().to_owned(), wrap.root_key().to_owned()]),
    );
    format!(
        "keyspace {}, generation {}\n\n{keys}\n\nAny one of these root keys unlocks it:\n{wraps}",
        file.keyspace(),
        file.generation()
    )
}

fn as_json(file: &KeyringFile) -> Value {
    let keys: Vec<_> = file
        .keys()
        .iter()
        .map(|key| {
            json!({
                "id": key.id().to_string(), "use": key.usage().as_str(), "state": key.state().as_str(), "primary": key.is_primary(),
                "suite": key.suite().map(|suite| suite.letter().to_string()), "created": key.created(), "changed": key.changed(),
                "fingerprint": hex(key.fingerprint()),
            })
        })
        .collect();
    let wraps: Vec<_> =
        file.wraps().map(|wrap| json!({ "provider": wrap.provider(), "root_key": wrap.root_key() })).collect();
    json!({ "keyspace": file.keyspace(), "generation": file.generation(), "keys": keys, "root_keys": wraps })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn time(seconds: u64) -> String {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    time.map_or_else(String::new, |time| humantime::format_rfc3339_seconds(time).to_string())
}
