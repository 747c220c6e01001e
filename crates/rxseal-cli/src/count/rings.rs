//! The keyrings whose keys tokens should be under.

use rxseal::KeyId;
use rxseal::keys::KeyringFile;

use crate::args::Global;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::Output;

/// The keyrings as they are stored. No root key is needed to see which keys they have.
pub async fn keyrings(global: &Global, keyspaces: &[String]) -> Result<Vec<KeyringFile>, Failure> {
    if keyspaces.is_empty() {
        return Ok(Vec::new());
    }
    let store = Config::of(global)?.store().await?;
    let mut rings = Vec::new();
    for keyspace in keyspaces {
        let stored = store.get(keyspace).await?;
        let missing = || Failure::Coded("keyring-missing", format!("no keyring of {keyspace:?} is stored"));
        rings.push(stored.ok_or_else(missing)?);
    }
    Ok(rings)
}

pub fn has_key(ring: &KeyringFile, key: KeyId) -> bool {
    ring.keys().iter().any(|info| info.id() == key)
}

/// Tokens that nothing opens.
pub fn check_lost(lost: &[(KeyId, u64)], keyspaces: &[String]) -> Result<(), Failure> {
    let tokens = lost.iter().fold(0_u64, |sum, (_, tokens)| sum.saturating_add(*tokens));
    if tokens == 0 {
        return Ok(());
    }
    Err(Failure::Checked(format!(
        "{tokens} tokens are under {} keys that are not in the keyring of {}, so nothing opens them. Was an older keyring put back, or do they belong to another keyspace (name it with --keyspace too)?",
        lost.len(),
        keyspaces.join(", ")
    )))
}

/// Tokens that may be another keyspace's.
pub fn warn_of_others(name: &str, others: u64, ring: &KeyringFile, output: &Output) {
    if others > 0 {
        output.warning(&format!(
            "{name}: {others} tokens are under keys that are not in this keyring. They belong to another keyspace, or an older keyring was put back; `rxseal count --keyspace {}` shows them",
            ring.keyspace()
        ));
    }
}
