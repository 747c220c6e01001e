//! A root key in Vault or OpenBao, as an operator writes it.

use std::fs;
use std::sync::Arc;

use rxseal::root::RootKey;
use rxseal_vault::{VaultKey, VaultKeyBuilder};

use crate::error::{SpecError, refuse};
use crate::options::{Options, named};
use crate::variable::variable;

pub(crate) fn connect(url: &str, mut options: Options, allow_group_read: bool) -> Result<Arc<dyn RootKey>, SpecError> {
    let form = "a Vault root key is vault:https://HOST:8200/MOUNT/KEY";
    let path = url.split_once("://").and_then(|(_, rest)| Some(rest.split_once('/')?.1));
    let Some(path) = path else { return refuse(form) };
    let address = url.strip_suffix(path).unwrap_or(url).trim_end_matches('/');
    let Some((mount, key)) = path.trim_matches('/').rsplit_once('/') else { return refuse(form) };
    let mut builder = VaultKey::builder(address, key).mount(mount);
    if allow_group_read {
        builder = builder.allow_group_read();
    }
    if let Some(label) = options.take("label") {
        builder = builder.label(label);
    }
    if let Some(deadline) = options.deadline()? {
        builder = builder.deadline(deadline);
    }
    if let Some(namespace) = or_variable(options.take("namespace"), "VAULT_NAMESPACE")? {
        builder = builder.namespace(namespace);
    }
    if let Some(path) = or_variable(options.take("ca_file"), "VAULT_CACERT")? {
        let pem = fs::read(&path);
        builder = builder.ca_certificate_pem(pem.map_err(|error| SpecError::usage(format!("{path}: {error}")))?);
    }
    builder = log_in(builder, &mut options)?;
    options.finish(&[
        "label",
        "namespace",
        "ca_file",
        "deadline",
        "token_file",
        "token_env",
        "role_id",
        "secret_id_env",
    ])?;
    Ok(Arc::new(builder.build()?))
}

/// With the options of this root key, or with the variables if it has none.
fn log_in(builder: VaultKeyBuilder, options: &mut Options) -> Result<VaultKeyBuilder, SpecError> {
    let own = ["token_file", "token_env", "role_id", "secret_id_env"].map(|name| options.take(name));
    match own {
        [Some(path), None, None, None] => return Ok(builder.token_file(path)),
        [None, Some(name), None, None] => return Ok(builder.token_from_env(named(&name, "token_env")?)),
        [None, None, Some(role), Some(name)] => {
            let secret = variable(named(&name, "secret_id_env")?)?.unwrap_or_default();
            return Ok(builder.app_role(role, secret));
        }
        [None, None, None, None] => {}
        _ => return refuse("a Vault root key logs in with one of token_file, token_env, or role_id and secret_id_env"),
    }
    if variable("VAULT_TOKEN")?.is_some() {
        return Ok(builder.token_from_env("VAULT_TOKEN"));
    }
    match (variable("VAULT_TOKEN_FILE")?, variable("VAULT_ROLE_ID")?, variable("VAULT_SECRET_ID")?) {
        (Some(path), _, _) => Ok(builder.token_file(path)),
        (_, Some(role), Some(secret)) => Ok(builder.app_role(role, secret)),
        _ => refuse(
            "no login for Vault is given: set VAULT_TOKEN, VAULT_TOKEN_FILE, or VAULT_ROLE_ID and VAULT_SECRET_ID. For one root key of several, use the option token_file or token_env",
        ),
    }
}

fn or_variable(own: Option<String>, name: &str) -> Result<Option<String>, SpecError> {
    own.map_or_else(|| variable(name), |own| Ok(Some(own)))
}
