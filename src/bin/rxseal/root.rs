//! Root keys as operators write them: `KIND:PLACE`, with options after a `?` or in a table of the configuration file.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rxseal::root::{LocalRootKey, RootKey, RootKeyFile, RootKeys};
use serde::Deserialize;

use crate::config::variable;
use crate::failure::Failure;

pub const FORMS: &str = "a root key is file:PATH, env:VARIABLE, aws-kms:KEY, 'pkcs11:token=LABEL;object=LABEL' or \
                         vault:https://HOST/MOUNT/KEY";

const NOT_A_PLACE: &str =
    "it does not say where the key is: is this the key itself? Write file:PATH, with the path of its file";

/// One root key as it was written. Nothing is looked up yet.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Spec {
    /// Without its options.
    text: String,
    options: Options,
}

/// In the configuration file: the text alone, or a table with the options beside it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Table {
        root: String,
        #[serde(flatten)]
        options: BTreeMap<String, String>,
    },
}

impl TryFrom<Written> for Spec {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        // The caller drops this text: only the line of the file is told.
        let bad = "not valid";
        match written {
            Written::Text(text) => Self::parse(&text).map_err(|_| bad),
            Written::Table { root, options } => {
                let mut spec = Self::parse(&root).map_err(|_| bad)?;
                for (name, value) in options {
                    spec.options.put(&name, value).map_err(|_| bad)?;
                }
                Ok(spec)
            }
        }
    }
}

impl Spec {
    /// A path may have a `?` in it, so only the kinds that are URLs have options in their text.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let mut spec = Self { text: text.to_owned(), options: Options::default() };
        let is_url = text.starts_with("vault:") || text.starts_with("pkcs11:");
        if let Some((place, options)) = text.split_once('?').filter(|_| is_url) {
            spec.text = place.to_owned();
            for option in options.split('&') {
                let value = option.split_once('=').and_then(|(name, value)| Some((name, decoded(value)?)));
                let Some((name, value)) = value else {
                    return usage("options of a root key are ?NAME=VALUE&NAME=VALUE, with %26 for an `&` in a value");
                };
                spec.options.put(name, value)?;
            }
        }
        Ok(spec)
    }

    pub async fn connect(&self, allow_group_read: bool) -> Result<Arc<dyn RootKey>, Failure> {
        self.try_connect(allow_group_read).await.map_err(|failure| {
            // The cause may quote what is not shown.
            let quoted = self.text.split_once(':').is_some_and(|(_, place)| failure.to_string().contains(place));
            let failure = match failure {
                Failure::Rxseal(error) if quoted && !self.may_show() => {
                    Failure::Coded(error.code().as_str(), NOT_A_PLACE.to_owned())
                }
                failure => failure,
            };
            Failure::Root(self.shown(), Box::new(failure))
        })
    }

    async fn try_connect(&self, allow_group_read: bool) -> Result<Arc<dyn RootKey>, Failure> {
        let options = self.options.clone();
        match self.text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => {
                options.finish(&[])?;
                let file = RootKeyFile::new(path);
                let file = if allow_group_read { file.allow_group_read() } else { file };
                Ok(Arc::new(file.load()?))
            }
            Some(("env", variable)) if !variable.is_empty() => {
                options.finish(&[])?;
                Ok(Arc::new(LocalRootKey::from_env(variable)?))
            }
            Some(("aws-kms", key)) if !key.is_empty() => {
                options.finish(&[])?;
                aws_kms(key).await
            }
            Some(("pkcs11", _)) => pkcs11(&self.text, options, allow_group_read),
            Some(("vault", url)) if !url.is_empty() => vault(url, options, allow_group_read),
            _ => usage(FORMS),
        }
    }

    /// For messages.
    fn shown(&self) -> String {
        if self.may_show() { self.text.clone() } else { "(not shown)".to_owned() }
    }

    /// Somebody may have written the key itself where its place belongs, or a password into a URL.
    fn may_show(&self) -> bool {
        match self.text.split_once(':') {
            Some((kind @ ("file" | "aws-kms" | "pkcs11" | "vault" | "env"), place)) => {
                !place.contains("rxseal-root")
                    && (kind != "env" || place.len() <= 40)
                    && (kind != "vault" || !place.contains('@'))
            }
            _ => false,
        }
    }
}

/// The values of a variable: one on each line if it has several lines, so that a path may have blanks in it, and otherwise
/// separated by blanks.
pub fn specs(text: &str) -> Result<Vec<Spec>, Failure> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    if text.contains('\n') {
        lines.map(Spec::parse).collect()
    } else {
        text.split_whitespace().map(Spec::parse).collect()
    }
}

/// In the order that they were given.
pub fn trusted(roots: Vec<Arc<dyn RootKey>>) -> Result<RootKeys, Failure> {
    let mut roots = roots.into_iter();
    match roots.next() {
        Some(first) => Ok(roots.fold(RootKeys::from(first), RootKeys::and)),
        None => {
            usage("which root key is trusted? Say --root file:PATH, or set RXSEAL_ROOTS; `rxseal --help` has the forms")
        }
    }
}

/// Options of one root key. Names may be written with `_` or `-`.
#[derive(Clone, Debug, Default)]
struct Options(BTreeMap<String, String>);

impl Options {
    fn put(&mut self, name: &str, value: String) -> Result<(), Failure> {
        let name = name.replace('-', "_");
        if matches!(&*name, "token" | "secret_id" | "pin" | "pin_value") {
            return usage(
                "a secret is never part of a root key's text, which others could read: name a file or a variable that holds \
                 it (token_file, token_env, secret_id_env, pin-source, pin_env)",
            );
        }
        match self.0.insert(name, value) {
            None => Ok(()),
            Some(_) => usage("a root key has one option twice"),
        }
    }

    #[cfg(any(feature = "pkcs11", feature = "vault"))]
    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    #[cfg(any(feature = "pkcs11", feature = "vault"))]
    fn deadline(&mut self) -> Result<Option<Duration>, Failure> {
        let deadline = self.take("deadline").map(|text| humantime::parse_duration(&text)).transpose();
        deadline.map_err(|_| Failure::Usage("deadline is a time such as 10s".to_owned()))
    }

    /// Nothing may be left: an option that is passed over would be one that somebody relies on.
    fn finish(&self, known: &[&str]) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        let names = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(Failure::Usage(format!("unknown option of this kind of root key; it has: {names}")))
    }
}

#[cfg(feature = "aws-kms")]
async fn aws_kms(key: &str) -> Result<Arc<dyn RootKey>, Failure> {
    Ok(Arc::new(rxseal::root::AwsKmsKey::connect(key).await?))
}

#[cfg(not(feature = "aws-kms"))]
async fn aws_kms(_: &str) -> Result<Arc<dyn RootKey>, Failure> {
    not_built("AWS KMS", "aws-kms")
}

#[cfg(feature = "pkcs11")]
fn pkcs11(uri: &str, mut options: Options, allow_group_read: bool) -> Result<Arc<dyn RootKey>, Failure> {
    let own = |variable| env::var_os(variable).filter(|value| !value.is_empty());
    let library = options.take("module_path").map(Into::into).or_else(|| own("RXSEAL_PKCS11_MODULE"));
    let Some(library) = library else {
        return usage(
            "which PKCS#11 library? Set RXSEAL_PKCS11_MODULE (or the option module-path) to the path of the HSM's, such as \
             /usr/lib/softhsm/libsofthsm2.so",
        );
    };
    let mut builder = rxseal::root::Pkcs11Key::from_uri(library, uri)?;
    if allow_group_read {
        builder = builder.allow_group_read();
    }
    if let Some(deadline) = options.deadline()? {
        builder = builder.deadline(deadline);
    }
    let (file, pin_env) = (options.take("pin_source"), options.take("pin_env"));
    let file = file.map(|path| PathBuf::from(path.strip_prefix("file:").unwrap_or(&path)));
    builder = match (file, pin_env, own("RXSEAL_PKCS11_PIN_FILE")) {
        (Some(path), None, _) => builder.pin_file(path),
        (None, Some(name), _) => builder.pin_from_env(named(&name, "pin_env")?),
        (None, None, Some(path)) => builder.pin_file(PathBuf::from(path)),
        (None, None, None) if own("RXSEAL_PKCS11_PIN").is_some() => builder.pin_from_env("RXSEAL_PKCS11_PIN"),
        (Some(_), Some(_), _) => return usage("say pin-source or pin_env, not both"),
        _ => {
            return usage(
                "where is the PIN of the HSM? Set RXSEAL_PKCS11_PIN_FILE to a file with it (or the option pin-source), or \
                 RXSEAL_PKCS11_PIN (or the option pin_env)",
            );
        }
    };
    options.finish(&["module-path", "pin-source", "pin_env", "deadline"])?;
    Ok(Arc::new(builder.build()?))
}

#[cfg(not(feature = "pkcs11"))]
fn pkcs11(_: &str, _: Options, _: bool) -> Result<Arc<dyn RootKey>, Failure> {
    not_built("PKCS#11", "pkcs11")
}

#[cfg(feature = "vault")]
fn vault(url: &str, mut options: Options, allow_group_read: bool) -> Result<Arc<dyn RootKey>, Failure> {
    let form = "a Vault root key is vault:https://HOST:8200/MOUNT/KEY";
    let path_at = url.find("://").and_then(|at| url[at + 3..].find('/').map(|slash| at + 3 + slash));
    let Some((address, path)) = path_at.map(|at| url.split_at(at)) else { return usage(form) };
    let Some((mount, key)) = path.trim_matches('/').rsplit_once('/') else { return usage(form) };
    let mut builder = rxseal::root::VaultKey::builder(address, key).mount(mount);
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
        let pem = std::fs::read(&path);
        builder = builder.ca_certificate_pem(pem.map_err(|error| Failure::Usage(format!("{path}: {error}")))?);
    }
    builder = vault_login(builder, &mut options)?;
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

/// By what this root key says of itself; what all of them share is for those that say nothing.
#[cfg(feature = "vault")]
fn vault_login(
    builder: rxseal::root::VaultKeyBuilder,
    options: &mut Options,
) -> Result<rxseal::root::VaultKeyBuilder, Failure> {
    let own = ["token_file", "token_env", "role_id", "secret_id_env"].map(|name| options.take(name));
    match own {
        [Some(path), None, None, None] => return Ok(builder.token_file(path)),
        [None, Some(name), None, None] => return Ok(builder.token_from_env(named(&name, "token_env")?)),
        [None, None, Some(role), Some(name)] => {
            let secret = variable(named(&name, "secret_id_env")?)?.unwrap_or_default();
            return Ok(builder.app_role(role, secret));
        }
        [None, None, None, None] => {}
        _ => return usage("a Vault root key logs in by token_file, by token_env, or by role_id with secret_id_env"),
    }
    if variable("VAULT_TOKEN")?.is_some() {
        return Ok(builder.token_from_env("VAULT_TOKEN"));
    }
    match (variable("VAULT_TOKEN_FILE")?, variable("VAULT_ROLE_ID")?, variable("VAULT_SECRET_ID")?) {
        (Some(path), _, _) => Ok(builder.token_file(path)),
        (_, Some(role), Some(secret)) => Ok(builder.app_role(role, secret)),
        _ => usage(
            "how to log in to Vault? Set VAULT_TOKEN, VAULT_TOKEN_FILE, or VAULT_ROLE_ID and VAULT_SECRET_ID; for one root key of \
             several, the option token_file or token_env",
        ),
    }
}

#[cfg(feature = "vault")]
fn or_variable(own: Option<String>, name: &str) -> Result<Option<String>, Failure> {
    own.map_or_else(|| variable(name), |own| Ok(Some(own)))
}

#[cfg(not(feature = "vault"))]
fn vault(_: &str, _: Options, _: bool) -> Result<Arc<dyn RootKey>, Failure> {
    not_built("Vault", "vault")
}

/// The name of a variable that is set, as an option gives it.
#[cfg(any(feature = "pkcs11", feature = "vault"))]
fn named<'n>(name: &'n str, option: &str) -> Result<&'n str, Failure> {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name || name.len() > 40 {
        return Err(Failure::Usage(format!("{option} is the name of an environment variable, not what is in it")));
    }
    match env::var_os(name) {
        Some(value) if !value.is_empty() => Ok(name),
        _ => Err(Failure::Usage(format!("the environment variable {name}, which {option} names, is not set"))),
    }
}

/// `%26` as `&`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            decoded.push(u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(not(all(feature = "aws-kms", feature = "pkcs11", feature = "vault")))]
fn not_built<T>(what: &str, feature: &str) -> Result<T, Failure> {
    Err(Failure::Usage(format!("{what} is not in this build: cargo install rxseal --features cli,{feature}")))
}

fn usage<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::Usage(text.to_owned()))
}
