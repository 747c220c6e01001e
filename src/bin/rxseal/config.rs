//! Where the store and the root keys are: from flags, the environment and a file, in this order.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rxseal::{
    FileStore, FileSubjectStore, KeyFile, KeyringStore, LocalRootKey, MemoryStore, RootKey, RootKeys, ShredLog,
    SqliteStore, SqliteSubjectStore, SubjectKeyStore,
};
use serde::Deserialize;

use crate::args::Global;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    store: Option<String>,
    #[serde(default)]
    roots: Vec<String>,
    subject_store: Option<String>,
    shred_log: Option<PathBuf>,
    backups_kept: Option<String>,
}

pub struct Config {
    store: Option<String>,
    roots: Vec<String>,
    subject_store: Option<String>,
    shred_log: Option<PathBuf>,
    backups_kept: Option<Duration>,
}

impl Config {
    pub fn of(global: &Global) -> Result<Self, Failure> {
        let file = match &global.config {
            Some(path) => read(path)?,
            None => ConfigFile::default(),
        };
        let named = std::env::var("RXSEAL_ROOTS").unwrap_or_default();
        let named: Vec<_> = named.split_whitespace().map(str::to_owned).collect();
        let roots = [global.roots.clone(), named, file.roots].into_iter().find(|roots| !roots.is_empty());
        let kept = file.backups_kept.map(|text| humantime::parse_duration(&text)).transpose();
        let kept = kept.map_err(|_| Failure::Usage("backups_kept is a time such as 30days".to_owned()))?;
        Ok(Self {
            store: global.store.clone().or(file.store),
            roots: roots.unwrap_or_default(),
            subject_store: global.subject_store.clone().or(file.subject_store),
            shred_log: global.shred_log.clone().or(file.shred_log),
            backups_kept: global.backups_kept.or(kept),
        })
    }

    /// The store, in which a keyring must be already: nothing is made, in a database that may be another one.
    pub async fn store(&self) -> Result<Arc<dyn KeyringStore>, Failure> {
        self.open_store(false).await?.ok_or_else(|| {
            Failure::Usage(
                "there is no database with keyrings at --store (or it may not be read): is it the right one? `rxseal keyring \
                 init` makes one"
                    .to_owned(),
            )
        })
    }

    /// The store, made where it is not there; an empty one in memory for a dry run.
    pub async fn new_store(&self, dry_run: bool) -> Result<Arc<dyn KeyringStore>, Failure> {
        Ok(self.open_store(!dry_run).await?.unwrap_or_else(|| Arc::new(MemoryStore::default())))
    }

    async fn open_store(&self, may_create: bool) -> Result<Option<Arc<dyn KeyringStore>>, Failure> {
        let Some(store) = &self.store else {
            return usage("where are the keyrings? Say --store file:FOLDER, or set RXSEAL_STORE");
        };
        match store.split_once(':') {
            Some(("file", folder)) if !folder.is_empty() => Ok(Some(Arc::new(FileStore::new(folder)))),
            Some(("sqlite", path)) if !path.is_empty() && may_create => Ok(Some(Arc::new(SqliteStore::open(path)?))),
            Some(("sqlite", path)) if !path.is_empty() => {
                Ok(SqliteStore::open_existing(path)?.map(|store| Arc::new(store) as _))
            }
            Some(("postgres" | "postgresql", _)) => postgres(store, may_create).await,
            _ => usage("--store is file:FOLDER, sqlite:FILE or postgres://HOST/DATABASE"),
        }
    }

    /// The root keys to unlock with. One that cannot be reached is told, and the others are tried: that is what they are for.
    pub async fn roots(&self, output: &Output) -> Result<RootKeys, Failure> {
        Ok(self.reachable_roots(output).await?.0)
    }

    /// The same, and how many could not be reached.
    pub async fn reachable_roots(&self, output: &Output) -> Result<(RootKeys, usize), Failure> {
        let (mut roots, mut failures) = (Vec::new(), Vec::new());
        for spec in &self.roots {
            match root(spec).await {
                Ok(root) => roots.push(root),
                Err(failure) => failures.push(failure),
            }
        }
        // Of the last one the command's own line tells, where there is no other.
        let fatal = if roots.is_empty() { failures.pop() } else { None };
        for failure in &failures {
            output.warning(&failure.to_string());
        }
        fatal.map_or_else(|| Ok((trusted(roots)?, failures.len())), Err)
    }

    /// The subject keys. The service makes their table; where nothing is written, one that is not there is a mistake.
    pub async fn subject_store(&self, may_create: bool) -> Result<Arc<dyn SubjectKeyStore>, Failure> {
        self.open_subject_store(may_create).await?.ok_or_else(|| {
            Failure::Usage(
                "--subject-store has no subject key at all: is it the right one? The service makes it".to_owned(),
            )
        })
    }

    /// `None` where its table is not there and may not be made.
    pub async fn open_subject_store(&self, may_create: bool) -> Result<Option<Arc<dyn SubjectKeyStore>>, Failure> {
        let Some(store) = &self.subject_store else {
            return usage("where are the subject keys? Say --subject-store sqlite:FILE, or set RXSEAL_SUBJECT_STORE");
        };
        match store.split_once(':') {
            // Services make it: here a name that is not there is a mistake, and an empty store would let a key be destroyed.
            Some(("file", folder)) if !folder.is_empty() => {
                if !Path::new(folder).is_dir() {
                    return Err(Failure::Usage(format!(
                        "there is no folder {folder} (or it may not be read): the service makes the store, or `mkdir` for a new one"
                    )));
                }
                Ok(Some(Arc::new(FileSubjectStore::new(folder))))
            }
            Some(("sqlite", path)) if !path.is_empty() => {
                if !Path::new(path).is_file() {
                    return Err(Failure::Usage(format!(
                        "there is no database {path} (or it may not be read): the service makes it, or `touch` for a new one"
                    )));
                }
                if may_create {
                    return Ok(Some(Arc::new(SqliteSubjectStore::open(path)?)));
                }
                Ok(SqliteSubjectStore::open_existing(path)?.map(|store| Arc::new(store) as _))
            }
            Some(("postgres" | "postgresql", _)) => postgres_subjects(store, may_create).await,
            _ => usage("--subject-store is file:FOLDER, sqlite:FILE or postgres://HOST/DATABASE"),
        }
    }

    /// Whether there are subject keys to count.
    pub fn has_subject_store(&self) -> bool {
        self.subject_store.is_some()
    }

    pub fn shred_log(&self) -> Result<ShredLog, Failure> {
        let Some(log) = &self.shred_log else {
            return usage("where is the shred log? Say --shred-log FILE, or set RXSEAL_SHRED_LOG");
        };
        let Some(kept) = self.backups_kept else {
            return usage(
                "for how long are backups of the subject store kept? Say --backups-kept 30days, or set RXSEAL_BACKUPS_KEPT",
            );
        };
        Ok(ShredLog::new(log, kept))
    }

    /// The root keys to wrap with: all of them, or none.
    pub async fn all_roots(&self) -> Result<Vec<Arc<dyn RootKey>>, Failure> {
        all_roots(&self.roots).await
    }
}

pub async fn all_roots(specs: &[String]) -> Result<Vec<Arc<dyn RootKey>>, Failure> {
    let mut roots = Vec::new();
    for spec in specs {
        roots.push(root(spec).await?);
    }
    Ok(roots)
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

pub async fn root(spec: &str) -> Result<Arc<dyn RootKey>, Failure> {
    match spec.split_once(':') {
        Some(("file", path)) if !path.is_empty() => Ok(Arc::new(KeyFile::new(path).load()?)),
        Some(("env", variable)) if !variable.is_empty() => Ok(Arc::new(LocalRootKey::from_env(variable)?)),
        Some(("aws-kms", key)) if !key.is_empty() => aws_kms(key).await,
        Some(("pkcs11", _)) => pkcs11(spec),
        Some(("vault", url)) if !url.is_empty() => vault(url),
        _ => usage(
            "--root is file:PATH, env:VARIABLE, aws-kms:KEY, 'pkcs11:token=LABEL;object=LABEL' or \
             vault:https://HOST/MOUNT/KEY",
        ),
    }
}

/// Refuses a URL with a password: arguments can be read by other users of the machine.
pub fn without_password(url: &str) -> Result<(), Failure> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    if user.is_some_and(|user| user.contains(':')) || url.contains("password=") {
        return usage("the URL has a password in it: leave it out, and set PGPASSWORD or use a passfile");
    }
    Ok(())
}

fn read(path: &Path) -> Result<ConfigFile, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    toml::from_str(&text).map_err(|error: toml::de::Error| {
        // The error's own text may quote the file, in which somebody may have written a key.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        Failure::Usage(format!(
            "{}: line {line} is not valid; the file has `store`, `roots = [..]`, `subject_store`, `shred_log`, `backups_kept` \
             and nothing else",
            path.display()
        ))
    })
}

#[cfg(feature = "postgres-store")]
async fn postgres(url: &str, may_create: bool) -> Result<Option<Arc<dyn KeyringStore>>, Failure> {
    without_password(url)?;
    if may_create {
        return Ok(Some(Arc::new(rxseal::PostgresStore::connect(url).await?)));
    }
    Ok(rxseal::PostgresStore::connect_existing(url).await?.map(|store| Arc::new(store) as _))
}

#[cfg(not(feature = "postgres-store"))]
async fn postgres(_: &str, _: bool) -> Result<Option<Arc<dyn KeyringStore>>, Failure> {
    not_built("PostgreSQL", "postgres-store")
}

#[cfg(feature = "postgres-store")]
async fn postgres_subjects(url: &str, may_create: bool) -> Result<Option<Arc<dyn SubjectKeyStore>>, Failure> {
    without_password(url)?;
    if may_create {
        return Ok(Some(Arc::new(rxseal::PostgresSubjectStore::connect(url).await?)));
    }
    Ok(rxseal::PostgresSubjectStore::connect_existing(url).await?.map(|store| Arc::new(store) as _))
}

#[cfg(not(feature = "postgres-store"))]
async fn postgres_subjects(_: &str, _: bool) -> Result<Option<Arc<dyn SubjectKeyStore>>, Failure> {
    not_built("PostgreSQL", "postgres-store")
}

#[cfg(feature = "aws-kms")]
async fn aws_kms(key: &str) -> Result<Arc<dyn RootKey>, Failure> {
    Ok(Arc::new(rxseal::AwsKmsKey::connect(key).await?))
}

#[cfg(not(feature = "aws-kms"))]
async fn aws_kms(_: &str) -> Result<Arc<dyn RootKey>, Failure> {
    not_built("AWS KMS", "aws-kms")
}

#[cfg(feature = "pkcs11")]
fn pkcs11(uri: &str) -> Result<Arc<dyn RootKey>, Failure> {
    use std::env::var_os;
    let Some(library) = var_os("RXSEAL_PKCS11_MODULE") else {
        return usage(
            "which PKCS#11 library? Set RXSEAL_PKCS11_MODULE to the path of the HSM's, such as \
             /usr/lib/softhsm/libsofthsm2.so",
        );
    };
    let builder = rxseal::Pkcs11Key::from_uri(library, uri)?;
    let builder = match var_os("RXSEAL_PKCS11_PIN_FILE") {
        Some(path) => builder.pin_file(path),
        _ if var_os("RXSEAL_PKCS11_PIN").is_some() => builder.pin_from_env("RXSEAL_PKCS11_PIN"),
        _ => {
            return usage(
                "where is the PIN of the HSM? Set RXSEAL_PKCS11_PIN_FILE to a file with it, or RXSEAL_PKCS11_PIN",
            );
        }
    };
    Ok(Arc::new(builder.build()?))
}

#[cfg(not(feature = "pkcs11"))]
fn pkcs11(_: &str) -> Result<Arc<dyn RootKey>, Failure> {
    not_built("PKCS#11", "pkcs11")
}

#[cfg(feature = "vault")]
fn vault(url: &str) -> Result<Arc<dyn RootKey>, Failure> {
    use std::env::var;
    let path_at = url.find("://").and_then(|at| url[at + 3..].find('/').map(|slash| at + 3 + slash));
    let Some((address, path)) = path_at.map(|at| url.split_at(at)) else {
        return usage("a Vault root key is vault:https://HOST:8200/MOUNT/KEY");
    };
    let Some((mount, key)) = path.trim_matches('/').rsplit_once('/') else {
        return usage("a Vault root key is vault:https://HOST:8200/MOUNT/KEY");
    };
    let mut builder = rxseal::VaultKey::builder(address, key).mount(mount);
    if let Ok(namespace) = var("VAULT_NAMESPACE") {
        builder = builder.namespace(namespace);
    }
    if let Ok(path) = var("VAULT_CACERT") {
        builder =
            builder.ca_certificate_pem(fs::read(&path).map_err(|error| Failure::Usage(format!("{path}: {error}")))?);
    }
    builder = match (var("VAULT_TOKEN_FILE"), var("VAULT_ROLE_ID"), var("VAULT_SECRET_ID")) {
        _ if var("VAULT_TOKEN").is_ok() => builder.token_from_env("VAULT_TOKEN"),
        (Ok(path), _, _) => builder.token_file(path),
        (_, Ok(role), Ok(secret)) => builder.app_role(role, secret),
        _ => {
            return usage(
                "how to log in to Vault? Set VAULT_TOKEN, VAULT_TOKEN_FILE, or VAULT_ROLE_ID and VAULT_SECRET_ID",
            );
        }
    };
    Ok(Arc::new(builder.build()?))
}

#[cfg(not(feature = "vault"))]
fn vault(_: &str) -> Result<Arc<dyn RootKey>, Failure> {
    not_built("Vault", "vault")
}

#[cfg(not(all(feature = "aws-kms", feature = "pkcs11", feature = "postgres-store", feature = "vault")))]
fn not_built<T>(what: &str, feature: &str) -> Result<T, Failure> {
    Err(Failure::Usage(format!("{what} is not in this build: cargo install rxseal --features cli,{feature}")))
}

fn usage<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::Usage(text.to_owned()))
}
