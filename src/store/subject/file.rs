//! Subject keys as files in folders: one file for each subject.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::row::{SubjectChange, SubjectRow};
use super::stored::Retention;
use super::table::{SubjectRows, SubjectTable};
use crate::backend::Backend;
use crate::codec::text;
use crate::disk::{self, Folder};
use crate::error::{Error, ErrorKind};
use crate::kdf;
use crate::store::StoreFuture;
use crate::store::row::{check_keyspace, check_subject};

/// A file has a name, an identifier of 255 bytes and a key.
const MAX_FILE: usize = 4096;
const SUFFIX: &str = ".subject.json";

/// Wrapped subject keys in a folder, one file each under `<keyspace>/<2 digits>/`, named after the SHA-256 of the subject id. Unix
/// only, for some thousands of subjects: [`page`](crate::store::SubjectKeyStore::page) reads them all.
///
/// Keep it apart from the data, with short-lived backups. What is shredded is gone from the file; the blocks of the disk that it stood
/// in are not written over. As with [`FileStore`](crate::store::FileStore), a local file system is needed, and calls are short and block.
#[derive(Clone, Debug)]
pub struct FileSubjectStore(Folder);

/// What a file holds. The subject stands in it because its name is a digest.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectFile {
    subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wrapped: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shredded_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retain_until: Option<u64>,
    #[serde(default)]
    legal_hold: bool,
}

impl FileSubjectStore {
    /// The store in `folder`. Nothing is read or written yet; the first subject makes the folder, for its owner only.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(Folder::new(folder.into()))
    }

    /// Two levels, so that no folder holds more than some hundreds.
    fn path(&self, keyspace: &str, subject: &str) -> Result<PathBuf, Error> {
        check_subject(keyspace, subject)?;
        let digest = kdf::sha256(Backend::default(), subject.as_bytes());
        let mut name = String::with_capacity(64);
        for byte in digest {
            write!(name, "{byte:02x}").map_err(|_| ErrorKind::Unrepresentable)?;
        }
        let drawer: String = name.chars().take(2).collect();
        Ok(self.0.path().join(keyspace).join(drawer).join(format!("{name}{SUFFIX}")))
    }

    /// Of whom a damaged file is, as far as its first field is whole: its name, a digest, says whether that is right.
    fn whose(&self, keyspace: &str, text: &str, path: &Path) -> Result<String, Error> {
        let rest = text.strip_prefix("{\"subject\":").unwrap_or_default();
        let first = serde_json::Deserializer::from_str(rest).into_iter::<String>().next();
        let subject = first.and_then(Result::ok).ok_or_else(|| damaged(path))?;
        if self.path(keyspace, &subject).is_ok_and(|of| of == path) { Ok(subject) } else { Err(damaged(path)) }
    }

    fn rows_now(&self, keyspace: &str, subjects: &[&str]) -> Result<SubjectRows, Error> {
        let row = |subject: &&str| Ok(((*subject).to_owned(), look(&self.path(keyspace, subject)?, subject)?));
        subjects.iter().map(row).collect()
    }

    fn change_now(&self, keyspace: &str, subject: &str, change: SubjectChange<'_>) -> Result<SubjectRow, Error> {
        let path = self.path(keyspace, subject)?;
        let _lock = self.0.lock()?;
        let before = look(&path, subject)??;
        let after = change.apply(&before)?;
        if after != before {
            if let Some(folder) = path.parent() {
                disk::create_folders(folder).map_err(|error| disk::file_failed(folder, &error))?;
            }
            disk::replace(&path, &format(subject, &after)?)?;
        }
        Ok(after)
    }

    fn rows_after_now(&self, keyspace: &str, after: &str, limit: usize) -> Result<SubjectRows, Error> {
        check_keyspace(keyspace)?;
        let home = self.0.path().join(keyspace);
        let mut rows = Vec::new();
        // What else lies there, of a file system or a desktop, is none of ours.
        for drawer in disk::names(&home)?.iter().filter(|name| is_drawer(name)) {
            let drawer = home.join(drawer);
            for name in disk::names(&drawer)?.iter().filter(|name| name.ends_with(SUFFIX)) {
                // Gone since its folder was read: nobody removes one but a person.
                let path = drawer.join(name);
                let Some(text) = disk::read(&path, MAX_FILE)? else { continue };
                let (subject, row) = match parse(&text) {
                    Some((_, row)) if !row.has_key() => continue,
                    Some((subject, row)) => (subject, Ok(row)),
                    None => (self.whose(keyspace, &text, &path)?, Err(damaged(&path))),
                };
                if *subject > *after {
                    rows.push((subject, row));
                }
            }
        }
        rows.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        rows.truncate(limit);
        Ok(rows)
    }
}

impl SubjectTable for FileSubjectStore {
    fn rows<'a>(&'a self, keyspace: &'a str, subjects: &'a [&'a str]) -> StoreFuture<'a, SubjectRows> {
        Box::pin(async move { self.rows_now(keyspace, subjects) })
    }

    fn change<'a>(
        &'a self,
        keyspace: &'a str,
        subject: &'a str,
        change: SubjectChange<'a>,
    ) -> StoreFuture<'a, SubjectRow> {
        Box::pin(async move { self.change_now(keyspace, subject, change) })
    }

    fn rows_after<'a>(&'a self, keyspace: &'a str, after: &'a str, limit: usize) -> StoreFuture<'a, SubjectRows> {
        Box::pin(async move { self.rows_after_now(keyspace, after, limit) })
    }
}

/// The inner error for a file that is damaged, or of another subject.
fn look(path: &Path, subject: &str) -> Result<Result<SubjectRow, Error>, Error> {
    let Some(text) = disk::read(path, MAX_FILE)? else { return Ok(Ok(SubjectRow::default())) };
    let row = parse(&text).filter(|(of, _)| of == subject).map(|(_, row)| row);
    Ok(row.ok_or_else(|| damaged(path)))
}

fn is_drawer(name: &str) -> bool {
    name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn parse(text: &str) -> Option<(String, SubjectRow)> {
    let stored: SubjectFile = serde_json::from_str(text).ok()?;
    // What is no base64url is damaged all the same: it stays what it is.
    let key = stored.wrapped.map(|text| text::decode(&text).unwrap_or_else(|| text.into_bytes()));
    let retention = Retention::default().until(stored.retain_until).legal_hold(stored.legal_hold);
    Some((stored.subject, SubjectRow { key, shredded_at: stored.shredded_at, retention }))
}

fn format(subject: &str, row: &SubjectRow) -> Result<String, Error> {
    let stored = SubjectFile {
        subject: subject.to_owned(),
        wrapped: row.key.as_deref().map(text::encode),
        shredded_at: row.shredded_at,
        retain_until: row.retention.retained_until(),
        legal_hold: row.retention.is_held(),
    };
    serde_json::to_string(&stored).map_err(|_| ErrorKind::Unrepresentable.into())
}

/// The parser's own text would quote the file, and with it the subject. Nothing is written over it: a hold may be in it.
fn damaged(path: &Path) -> Error {
    let text = format!("{}: it is damaged, or not of its subject: restore it from a backup", path.display());
    Error::from_store(false, text)
}
