//! A keyring as the command prints it.

use rxseal::keys::{KeyInfo, KeyringFile};
use serde_json::{Value, json};

use crate::output::{table, time};

pub fn as_text(file: &KeyringFile) -> String {
    let keys = table(
        ["key", "use", "state", "suite", "created", "changed"],
        by_date(file).into_iter().map(|key| {
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
        "keyspace {}, generation {}, KEK {}\n\n{keys}\n\nAny one of these root keys unlocks it:\n{wraps}",
        file.keyspace(),
        file.generation(),
        hex::encode(file.kek_fingerprint())
    )
}

pub fn as_json(file: &KeyringFile) -> Value {
    let keys: Vec<_> = by_date(file)
        .into_iter()
        .map(|key| {
            json!({
                "id": key.id().to_string(), "use": key.usage().as_str(), "state": key.state().as_str(), "primary": key.is_primary(),
                "suite": key.suite().map(|suite| suite.letter().to_string()), "created": key.created(), "changed": key.changed(),
                "fingerprint": hex::encode(key.fingerprint()),
            })
        })
        .collect();
    let wraps: Vec<_> =
        file.wraps().map(|wrap| json!({ "provider": wrap.provider(), "root_key": wrap.root_key() })).collect();
    json!({ "keyspace": file.keyspace(), "generation": file.generation(), "kek": hex::encode(file.kek_fingerprint()), "keys": keys, "root_keys": wraps })
}

/// The oldest first. In the file they are by id, which says nothing to a person.
fn by_date(file: &KeyringFile) -> Vec<&KeyInfo> {
    let mut keys: Vec<_> = file.keys().iter().collect();
    keys.sort_by_key(|key| (key.created(), key.id()));
    keys
}
