//! `rxseal canary`: patients who do not exist, and where their values were found.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rxseal::{Access, Keyring, Purpose};
use rxseal_scan::{Canaries, Canary, CanaryError, Scan};
use serde_json::{Value, json};

use crate::args::{Canary as Command, Global};
use crate::config::Config;
use crate::failure::Failure;
use crate::keyring::unlock_keys;
use crate::output::{Output, table};
use crate::read::read_text;
use crate::scan::{Places, Wanted};

pub async fn run(global: &Global, command: Command, output: &Output) -> Result<(), Failure> {
    let config = Config::of(global)?;
    match command {
        Command::Plant { keyspace, list, count } => plant(&config, &keyspace, &list, count, output).await,
        Command::Find { files, list, map, who, why } => {
            // Check everything that was typed before a root key is asked.
            let access = Access::new(&who, why.parse::<Purpose>()?)?;
            let places = Places::of(&config, &map, files)?;
            let mut canaries = Canaries::default();
            for path in &list {
                let text = read_text(path)?;
                let keys = unlock_keys(&config, &keyspace_of(path, &text)?, output).await?;
                let opened = open_list(path, &text, &keys, &access)?;
                opened.iter().for_each(|canary| canaries.add(canary.clone()));
            }
            let known = canaries.known().map_err(|error| Failure::Checked(error.to_string()))?;
            let scan = Scan::new().looking_for(known).expecting_tokens();
            places.scan(&scan, Wanted::Known).await.tell(&config.journal, Some(&who), output)
        }
    }
}

async fn plant(config: &Config, keyspace: &str, list: &Path, count: u16, output: &Output) -> Result<(), Failure> {
    let keys = unlock_keys(config, keyspace, output).await?;
    let canaries = (0..count).map(|_| Canary::make()).collect::<Result<Canaries, _>>()?;
    let sealed = canaries.seal(&keys)?;
    // The list first: a canary that is stored and in no list is never found.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(list);
    let mut file = file.map_err(|error| Failure::Usage(format!("{}: {error}", list.display())))?;
    file.write_all(sealed.as_bytes())?;
    file.sync_all()?;
    let rows = canaries.iter().flat_map(|canary| {
        canary.values().map(|(of, value)| [canary.id().to_owned(), of.to_owned(), value.to_owned()])
    });
    let text = table(["canary", "store as", "value"], rows);
    let value: Vec<_> = canaries
        .iter()
        .map(|canary| {
            let values = canary.values().map(|(of, value)| (of.to_owned(), Value::from(value)));
            json!({ "id": canary.id(), "values": values.collect::<serde_json::Map<_, _>>() })
        })
        .collect();
    output.done(true, &text, &json!(value))
}

/// The keyspace whose keys seal a list.
pub fn keyspace_of(path: &Path, list: &str) -> Result<String, Failure> {
    Canaries::keyspace(list).map_err(|error| not_opened(path, error))
}

/// The canaries of a list.
pub fn open_list(path: &Path, list: &str, keys: &Keyring, access: &Access) -> Result<Canaries, Failure> {
    Canaries::open(list, keys, access).map_err(|error| not_opened(path, error))
}

fn not_opened(path: &Path, error: CanaryError) -> Failure {
    match error {
        CanaryError::NoList => Failure::Coded("invalid-input", format!("{}: {error}", path.display())),
        CanaryError::Sealed(error) => error.into(),
    }
}
