//! Where the store and the root keys are: from options, the environment and a file, in this order.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rxseal::root::{RootKey, RootKeys};
use rxseal::store::{FileStore, FileSubjectStore, KeyringStore, MemoryStore, SubjectKeyStore};
use rxseal::subjects::ShredLog;
use rxseal_sqlite::{SqliteStore, SqliteSubjectStore};
use serde::Deserialize;

use crate::args::Global;
use crate::environment::{variable, variable_os};
use crate::failure::{Failure, usage};
use crate::journal::Journal;
#[cfg(not(feature = "postgres"))]
use crate::not_built::postgres;
use crate::output::Output;
#[cfg(feature = "postgres")]
use crate::postgres;
use crate::read::read_text;
use crate::root::{self, Spec};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    store: Option<String>,
    #[serde(default)]
    roots: Vec<Spec>,
    subject_store: Option<String>,
    shred_log: Option<PathBuf>,
    backups_kept: Option<String>,
    #[serde(default)]
    allow_group_read: bool,
    map: Option<PathBuf>,
    schema: Option<PathBuf>,
    postgres: Option<String>,
    audit_log: Option<PathBuf>,
    audit_key: Option<PathBuf>,
    audit_checkpoints: Option<PathBuf>,
    frozen: Option<PathBuf>,
}

/// A setting, and where it comes from: an option, a variable or the configuration file.
struct Setting<T> {
    value: T,
    from: &'static str,
}

pub struct Config {
    store: Option<Setting<String>>,
    roots: Vec<Spec>,
    subject_store: Option<Setting<String>>,
    shred_log: Option<PathBuf>,
    backups_kept: Option<Duration>,
    allow_group_read: bool,
    /// The map, the schema and the database of a map's `postgres:` sources.
    pub map: Option<PathBuf>,
    pub schema: Option<PathBuf>,
    pub postgres: Option<String>,
    /// The log of this command itself.
    pub journal: Journal,
    /// The list of actors who open nothing.
    pub frozen: Option<PathBuf>,
}

impl Config {
    pub fn of(global: &Global) -> Result<Self, Failure> {
        let file = match global.config.clone().or(variable_os("RXSEAL_CONFIG").map(PathBuf::from)) {
            Some(path) => read(&path)?,
            None => ConfigFile::default(),
        };
        let given = global.roots.iter().map(|text| Spec::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let named = rxseal_roots::specs(&variable("RXSEAL_ROOTS")?.unwrap_or_default())?;
        let roots = [given, named, file.roots].into_iter().find(|roots| !roots.is_empty());
        let kept = match variable("RXSEAL_BACKUPS_KEPT")? {
            Some(text) => Some(parse_kept(&text, "RXSEAL_BACKUPS_KEPT")?),
            None => file.backups_kept.map(|text| parse_kept(&text, "backups_kept")).transpose()?,
        };
        let group_may_read = match variable("RXSEAL_ALLOW_GROUP_READ")?.as_deref() {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(_) => return usage("RXSEAL_ALLOW_GROUP_READ must be true or false"),
        };
        let allow_group_read = global.allow_group_read || group_may_read || file.allow_group_read;
        let path = |given: &Option<PathBuf>, name| given.clone().or(variable_os(name).map(PathBuf::from));
        let journal = Journal::new(
            path(&global.audit_log, "RXSEAL_AUDIT_LOG").or(file.audit_log),
            path(&global.audit_key, "RXSEAL_AUDIT_KEY").or(file.audit_key),
            path(&global.audit_checkpoints, "RXSEAL_AUDIT_CHECKPOINTS").or(file.audit_checkpoints),
            allow_group_read,
        )?;
        let log = path(&global.shred_log, "RXSEAL_SHRED_LOG");
        Ok(Self {
            store: first(global.store.as_ref(), "--store", "RXSEAL_STORE", file.store)?,
            roots: roots.unwrap_or_default(),
            subject_store: first(
                global.subject_store.as_ref(),
                "--subject-store",
                "RXSEAL_SUBJECT_STORE",
                file.subject_store,
            )?,
            shred_log: log.or(file.shred_log),
            backups_kept: global.backups_kept.or(kept),
            allow_group_read,
            map: path(&None, "RXSEAL_MAP").or(file.map),
            schema: path(&None, "RXSEAL_SCHEMA").or(file.schema),
            postgres: variable("RXSEAL_POSTGRES")?.or(file.postgres),
            journal,
            frozen: path(&None, "RXSEAL_FROZEN").or(file.frozen),
        })
    }

    /// The store, which must have keyrings already. Nothing is created, since it may be the wrong database.
    pub async fn store(&self) -> Result<Arc<dyn KeyringStore>, Failure> {
        self.open_store(false).await?.ok_or_else(|| {
            Failure::Usage(format!(
                "no keyrings found at {}, or they cannot be read: is this the right store? `rxseal keyring init` creates a new one",
                named(self.store.as_ref(), "--store")
            ))
        })
    }

    /// The store, created if it does not exist. A dry run gets an empty one in memory instead.
    pub async fn new_store(&self, dry_run: bool) -> Result<Arc<dyn KeyringStore>, Failure> {
        Ok(self.open_store(!dry_run).await?.unwrap_or_else(|| Arc::new(MemoryStore::default())))
    }

    async fn open_store(&self, may_create: bool) -> Result<Option<Arc<dyn KeyringStore>>, Failure> {
        let Some(Setting { value: store, from }) = &self.store else {
            return usage("no store is given: use --store file:FOLDER, or set RXSEAL_STORE");
        };
        match store.split_once(':') {
            Some(("file", folder)) if !folder.is_empty() && (may_create || Path::new(folder).is_dir()) => {
                Ok(Some(Arc::new(FileStore::new(folder))))
            }
            Some(("file", folder)) if !folder.is_empty() => Ok(None),
            Some(("sqlite", path)) if !path.is_empty() && may_create => {
                need_folder_of(path)?;
                Ok(Some(Arc::new(SqliteStore::open(path)?)))
            }
            Some(("sqlite", path)) if !path.is_empty() => {
                let store = SqliteStore::open_existing(path)?;
                Ok(store.map(|store| -> Arc<dyn KeyringStore> { Arc::new(store) }))
            }
            Some(("postgres" | "postgresql", _)) => postgres::keyrings(store, may_create).await,
            _ => {
                Err(Failure::Usage(format!("{from}: a store is file:FOLDER, sqlite:FILE or postgres://HOST/DATABASE")))
            }
        }
    }

    /// The root keys to unlock with. If one cannot be reached, a warning says so, and the others are tried.
    pub async fn roots(&self, output: &Output) -> Result<RootKeys, Failure> {
        Ok(self.reachable_roots(output).await?.0)
    }

    /// The same, and the code of each that could not be reached.
    pub async fn reachable_roots(&self, output: &Output) -> Result<(RootKeys, Vec<&'static str>), Failure> {
        let (roots, codes) = self.each_reachable_root(output).await?;
        Ok((root::trusted(roots)?, codes))
    }

    /// The same, each on its own.
    pub async fn each_reachable_root(
        &self,
        output: &Output,
    ) -> Result<(Vec<Arc<dyn RootKey>>, Vec<&'static str>), Failure> {
        let (mut roots, mut failures) = (Vec::new(), Vec::new());
        for spec in &self.roots {
            match self.connect(spec).await {
                Ok(root) => roots.push(root),
                Err(failure) => failures.push(failure),
            }
        }
        // If all fail, the last becomes the command's error.
        let fatal = if roots.is_empty() { failures.pop() } else { None };
        for failure in &failures {
            output.warning(&failure.to_string());
        }
        fatal.map_or_else(|| Ok((roots, failures.iter().map(Failure::code).collect())), Err)
    }

    /// The subject keys. The service creates their table, so if nothing is to be written, a missing table is a mistake.
    pub async fn subject_store(&self, may_create: bool) -> Result<Arc<dyn SubjectKeyStore>, Failure> {
        self.open_subject_store(may_create).await?.ok_or_else(|| {
            Failure::Usage(format!(
                "no subject keys found at {}: is this the right store? The service creates it",
                named(self.subject_store.as_ref(), "--subject-store")
            ))
        })
    }

    /// `None` if its table does not exist and must not be created.
    pub async fn open_subject_store(&self, may_create: bool) -> Result<Option<Arc<dyn SubjectKeyStore>>, Failure> {
        let Some(Setting { value: store, from }) = &self.subject_store else {
            return usage("no subject store is given: use --subject-store sqlite:FILE, or set RXSEAL_SUBJECT_STORE");
        };
        subjects_at(store, from, may_create).await
    }

    /// Where the keyrings are, for people to read.
    pub fn store_place(&self) -> String {
        let place = self.store.as_ref().map(|store| &*store.value).unwrap_or_default();
        // A user's name and a password have no place in a report.
        match place.split_once("://").map(|(_, rest)| rest.rsplit_once('@').map_or(rest, |(_, rest)| rest)) {
            Some(rest) => format!("postgres://{}", rest.split('?').next().unwrap_or_default()),
            None => place.to_owned(),
        }
    }

    /// Whether a root key is a file or a variable of this machine.
    pub fn has_local_root(&self) -> bool {
        self.roots.iter().any(Spec::is_local)
    }

    /// Whether somebody named root keys at all.
    pub fn names_roots(&self) -> bool {
        !self.roots.is_empty()
    }

    /// Whether there are subject keys to count.
    pub fn has_subject_store(&self) -> bool {
        self.subject_store.is_some()
    }

    pub fn shred_log(&self) -> Result<ShredLog, Failure> {
        let Some(log) = &self.shred_log else {
            return usage("no shred log is given: use --shred-log FILE, or set RXSEAL_SHRED_LOG");
        };
        let Some(kept) = self.backups_kept else {
            return usage(
                "no time is given for which backups of the subject store are kept: use --backups-kept 30days, or set RXSEAL_BACKUPS_KEPT",
            );
        };
        Ok(ShredLog::new(log, kept))
    }

    /// All of these, or an error.
    pub async fn connect_all(&self, specs: &[Spec]) -> Result<Vec<Arc<dyn RootKey>>, Failure> {
        let mut roots = Vec::new();
        for spec in specs {
            roots.push(self.connect(spec).await?);
        }
        Ok(roots)
    }

    pub async fn connect(&self, spec: &Spec) -> Result<Arc<dyn RootKey>, Failure> {
        Ok(spec.connect(self.allow_group_read).await?)
    }

    /// The root keys to wrap with: all of them, or an error.
    pub async fn all_roots(&self) -> Result<Vec<Arc<dyn RootKey>>, Failure> {
        self.connect_all(&self.roots).await
    }
}

/// The subject keys of another store than the configured one, such as one that was stolen, or a backup. Nothing is created.
pub async fn subject_store_at(store: &str, from: &str) -> Result<Arc<dyn SubjectKeyStore>, Failure> {
    let missing = || Failure::Usage(format!("no subject keys found at {from}: is this the right store?"));
    subjects_at(store, from, false).await?.ok_or_else(missing)
}

/// `None` if its table does not exist and must not be created.
async fn subjects_at(store: &str, from: &str, may_create: bool) -> Result<Option<Arc<dyn SubjectKeyStore>>, Failure> {
    match store.split_once(':') {
        // Services create it: a missing one is a mistake here, and an empty one would let a key be destroyed.
        Some(("file", folder)) if !folder.is_empty() => {
            if !Path::new(folder).is_dir() {
                return Err(Failure::Usage(format!(
                    "the folder {folder} does not exist or cannot be read. The service creates the subject store; for a new one use `mkdir`"
                )));
            }
            Ok(Some(Arc::new(FileSubjectStore::new(folder))))
        }
        Some(("sqlite", path)) if !path.is_empty() => {
            if !Path::new(path).is_file() {
                return Err(Failure::Usage(format!(
                    "the database {path} does not exist or cannot be read. The service creates it; for a new one use `touch`"
                )));
            }
            if may_create {
                return Ok(Some(Arc::new(SqliteSubjectStore::open(path)?)));
            }
            let store = SqliteSubjectStore::open_existing(path)?;
            Ok(store.map(|store| -> Arc<dyn SubjectKeyStore> { Arc::new(store) }))
        }
        Some(("postgres" | "postgresql", _)) => postgres::subjects(store, may_create).await,
        _ => Err(Failure::Usage(format!("{from}: a store is file:FOLDER, sqlite:FILE or postgres://HOST/DATABASE"))),
    }
}

fn read(path: &Path) -> Result<ConfigFile, Failure> {
    let text = read_text(path)?;
    toml::from_str(&text).map_err(|error: toml::de::Error| {
        // The error's own text may quote the file, in which somebody may have written a key.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        Failure::Usage(format!(
            "{}: line {line} is not valid. The settings are `store`, `roots = [..]` (texts, or tables with `root` and its options), `subject_store`, `shred_log`, `backups_kept`, `allow_group_read`, `map`, `schema`, `postgres`, `audit_log`, `audit_key`, `audit_checkpoints` and `frozen`",
            path.display()
        ))
    })
}

fn first(
    given: Option<&String>,
    option: &'static str,
    name: &'static str,
    file: Option<String>,
) -> Result<Option<Setting<String>>, Failure> {
    let said = given.cloned().map(|value| Setting { value, from: option });
    let named = variable(name)?.map(|value| Setting { value, from: name });
    Ok(said.or(named).or(file.map(|value| Setting { value, from: "the configuration file" })))
}

/// Which setting names a place, and the place. A URL is not shown: it may have a password in it after all.
fn named(setting: Option<&Setting<String>>, option: &str) -> String {
    match setting {
        Some(Setting { value, from }) if !value.contains("://") => format!("{from} ({value})"),
        Some(Setting { from, .. }) => (*from).to_owned(),
        None => option.to_owned(),
    }
}

fn parse_kept(text: &str, from: &str) -> Result<Duration, Failure> {
    humantime::parse_duration(text).map_err(|_| Failure::Usage(format!("{from} must be a time such as 30days")))
}

/// SQLite creates a database, but not its folder.
fn need_folder_of(path: &str) -> Result<(), Failure> {
    match Path::new(path).parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => Err(Failure::Usage(format!(
            "the folder of the database does not exist: create it with `mkdir -p -m 0700 {}`",
            folder.display()
        ))),
        _ => Ok(()),
    }
}
