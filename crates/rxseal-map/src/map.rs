//! The map: every source, and in which keyspace its records are.

mod read;
mod sheet;

use std::fs;
use std::path::{Component, Path};

use sha2::{Digest as _, Sha256};

use crate::keyspace::Keyspace;
use crate::mistake::{Mistake, Mistakes};
use crate::source::Source;

/// Where sealed data lies: the file `rxseal-map.toml`.
///
/// It is written once, checked in, and read by everything that must not forget a column: counting, destroying a key, jobs. It has no key,
/// no address and no value of a field.
///
/// ```
/// use rxseal_map::Map;
///
/// let map = Map::parse(
///     r#"
/// keyspace = "pharmacy-17"
///
/// [[source]]
/// at      = "postgres:public.prescriptions"
/// record  = "prescription"
/// id      = "rx_number"
/// subject = "patient_id"
/// sealed  = { patient_name = "phi.patient.name", drug = "phi.rx.drug" }
/// clear   = { filled_at = "date", refills = "none" }
/// "#,
/// )?;
/// let source = map.source("postgres:public.prescriptions").expect("it is there");
/// assert_eq!(source.record(), "prescription");
/// assert_eq!(source.sealed()[1].field(), "phi.rx.drug");
///
/// let mistakes = Map::parse("keyspace = 'pharmacy-17'\n[[source]]\nrecord = 'prescription'").unwrap_err();
/// assert!(mistakes.to_string().starts_with("line 2, source.at: "));
/// # Ok::<(), rxseal_map::Mistakes>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    keyspace: Keyspace,
    elsewhere: Vec<Box<str>>,
    sources: Vec<Source>,
    digest: [u8; 32],
}

impl Map {
    /// The longest map, in bytes.
    pub const MAX_LEN: usize = read::MAX_LEN;

    /// Reads a map. Files in it are relative to the folder in which the process runs: use [`read`](Self::read) for a map in a file.
    ///
    /// # Errors
    ///
    /// All mistakes, each with its line, its key and what to do.
    pub fn parse(text: &str) -> Result<Self, Mistakes> {
        Self::of(text, None, None)
    }

    /// Reads a map from its file. Files in it are relative to its folder.
    ///
    /// # Errors
    ///
    /// All mistakes, or that the file cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Mistakes> {
        let path = path.as_ref();
        Self::of(&read_text(path)?, Some(path), path.parent())
    }

    /// Reads a map from its file, for copies of its data, such as a restored backup: files in it are relative to this folder, and not to its
    /// own.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), and a file that is not below the folder: it would be the data itself, and no copy of it.
    pub fn read_for_copies(path: impl AsRef<Path>, folder: impl AsRef<Path>) -> Result<Self, Mistakes> {
        let path = path.as_ref();
        let map = Self::of(&read_text(path)?, Some(path), Some(folder.as_ref()))?;
        let away = map.sources.iter().filter(|source| leads_away(&source.written));
        let mistakes: Vec<_> =
            away.map(|source| Mistake { line: source.line, key: "source.at".into(), text: AWAY.into() }).collect();
        if mistakes.is_empty() { Ok(map) } else { Err(Mistakes::new(Some(path), mistakes)) }
    }

    fn of(text: &str, path: Option<&Path>, folder: Option<&Path>) -> Result<Self, Mistakes> {
        let read = read::read(text, folder).map_err(|mistakes| Mistakes::new(path, mistakes))?;
        let read::Read { keyspace, elsewhere, sources } = read;
        Ok(Self { keyspace, elsewhere, sources, digest: Sha256::digest(text).into() })
    }

    /// In which keyspace the records of all sources are that say nothing else.
    #[must_use]
    pub fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    /// The sources, in the order of the file. There is at least one.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The record types, fields and indexes of the program that are in no source, and that somebody keeps count of by other means:
    /// messages in a queue, for example.
    #[must_use]
    pub fn elsewhere(&self) -> impl ExactSizeIterator<Item = &str> {
        self.elsewhere.iter().map(|name| &**name)
    }

    /// The source with this text after `at`, if there is just one: one table may have records of two types.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Source> {
        let mut found = self.sources.iter().filter(|source| source.name() == name);
        found.next().filter(|_| found.next().is_none())
    }

    /// The source with this text after `at` and records of this type. There is at most one.
    #[must_use]
    pub fn source_of(&self, name: &str, record: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name() == name && source.record() == record)
    }

    /// SHA-256 of the file's bytes: a job and a report name the map by it.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

fn read_text(path: &Path) -> Result<String, Mistakes> {
    // One byte more than a map may have, so that a longer file is refused and not read to its end.
    let read = fs::File::open(path).and_then(|file| {
        let mut text = String::new();
        let limit = u64::try_from(Map::MAX_LEN).unwrap_or(u64::MAX).saturating_add(1);
        std::io::Read::read_to_string(&mut std::io::Read::take(file, limit), &mut text)?;
        Ok(text)
    });
    read.map_err(|error| Mistakes::of_file(path, format!("the map cannot be read: {error}")))
}

const AWAY: &str = "the file is not below the folder of the copies: write a map for the copies, in which it is";

/// Whether a source is a file that is absolute, or above the folder.
fn leads_away(written: &str) -> bool {
    let (kind, rest) = written.split_once(':').unwrap_or_default();
    let file = if kind == "sqlite" { rest.rsplit_once('#').map_or(rest, |(file, _)| file) } else { rest };
    let is_below = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    kind != "postgres" && !Path::new(file).components().all(is_below)
}
