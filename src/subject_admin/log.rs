//! The list of shredded subjects, in a file outside of the store, because a backup of the store may be older.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

#[cfg(unix)]
use crate::disk::{SHARED_FILE, check_room, own_as_folder};
use crate::disk::{file_failed, lock, open_file, parent, sync_folder};
use crate::error::Error;
use crate::id::{Identifier, Name};

/// The beginning of every line.
const BEGIN: &[u8] = br#"{"keyspace":"#;
/// More bytes than a line can have: a subject id of 255 characters that are all escaped makes a line of 650.
const LONGEST: usize = 1024;
const TAIL: u64 = 4096;

/// A file that lists the shredded subjects. After a restore of the subject key store, it says who must be shredded again. So keep it
/// somewhere else than the store, with backups of its own.
///
/// Each subject is one line of JSON with the keyspace, the subject id and the Unix seconds. A subject id identifies a patient, so
/// protect the file as you protect the records. Never rotate or shorten it. Calls block, and wait up to 5 seconds for the lock if
/// another process has it.
#[derive(Debug)]
pub struct ShredLog {
    path: PathBuf,
    backups_kept: Duration,
}

/// One line, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    keyspace: String,
    subject: String,
    /// Unix seconds.
    at: u64,
}

impl ShredLog {
    /// The log at `path`; its first line creates the file. `backups_kept` is how long backups of the subject key store are kept: only
    /// after that time is a shredded key gone from all of them.
    pub fn new(path: impl Into<PathBuf>, backups_kept: Duration) -> Self {
        Self { path: path.into(), backups_kept }
    }

    pub(super) fn backups_kept(&self) -> Duration {
        self.backups_kept
    }

    /// Checks that a line can be appended: the file is a writable shred log of this crate, or does not exist yet and can be made. Every
    /// shredding checks this before it destroys the key.
    ///
    /// # Errors
    ///
    /// `store-refused` if no line can be appended; `store-unavailable` if one may be appended later.
    pub fn check(&self) -> Result<(), Error> {
        match self.open(false) {
            Ok(mut file) => self.whole_end(&mut file).map(drop),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.is_link() && parent(&self.path).is_dir() => {
                #[cfg(unix)]
                check_room(parent(&self.path))?;
                Ok(())
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Whether the path exists although it cannot be opened: it is then a link that leads nowhere.
    fn is_link(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }

    /// Appends a line. It is on disk when this returns.
    pub(super) fn append(&self, keyspace: &str, subject: &str, at: u64) -> Result<(), Error> {
        let line = Line { keyspace: keyspace.to_owned(), subject: subject.to_owned(), at };
        let mut text = serde_json::to_string(&line).map_err(|error| self.failed(&io::Error::other(error)))?;
        text.push('\n');
        let mut file = self.open(true).map_err(|error| self.failed(&error))?;
        let end = self.whole_end(&mut file)?;
        self.write(&mut file, &end, &text).map_err(|error| self.failed(&error))
    }

    /// The shredded subjects, each with the latest time in its lines. If any line cannot be read, this is an error, and a person has to
    /// look at the log. Only a line that a crash cut off at the very end is skipped: its subject got no receipt.
    pub(super) fn read(&self) -> Result<BTreeMap<(String, String), u64>, Error> {
        let mut text = String::new();
        let file = open_file(&self.path, OpenOptions::new().read(true));
        file.and_then(|mut file| file.read_to_string(&mut text)).map_err(|error| self.failed(&error))?;
        let (whole, torn) = text.rsplit_once('\n').unwrap_or(("", &text));
        // An editor or a copy may have removed the end of the last line.
        let last = self.parse(torn).ok();
        if last.is_none() && !is_torn(torn.as_bytes()) {
            return Err(self.damaged());
        }
        let lines = whole.lines().filter(|line| !line.is_empty()).map(|line| self.parse(line));
        let mut all = BTreeMap::new();
        for line in lines.chain(last.map(Ok)) {
            let Line { keyspace, subject, at } = line?;
            let latest = all.entry((keyspace, subject)).or_insert(at);
            *latest = at.max(*latest);
        }
        Ok(all)
    }

    fn parse(&self, text: &str) -> Result<Line, Error> {
        // The parser's own error would quote the line, and with it the subject.
        let line: Line = serde_json::from_str(text).map_err(|_| self.damaged())?;
        Name::check("keyspace", &line.keyspace).map_err(|_| self.damaged())?;
        Identifier::from(line.subject.as_str()).parse("subject id").map_err(|_| self.damaged())?;
        Ok(line)
    }

    fn open(&self, create: bool) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let file = match open_file(&self.path, &mut options) {
            Err(error) if create && error.kind() == io::ErrorKind::NotFound => self.make(&mut options)?,
            opened => opened?,
        };
        lock(&file)?;
        Ok(file)
    }

    /// Makes the file with the owner and group of its folder, because the service that appends to it may be another user than the one
    /// who ran a command first.
    fn make(&self, options: &mut OpenOptions) -> io::Result<File> {
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
        match options.clone().create_new(true).open(&self.path) {
            // Somebody else made it first, or it is a link that leads nowhere: opening it tells.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_file(&self.path, options),
            Err(error) => Err(error),
            Ok(file) => {
                #[cfg(unix)]
                own_as_folder(&file, &parent(&self.path).metadata()?, SHARED_FILE)?;
                Ok(file)
            }
        }
    }

    /// Where the next line goes. A line that a crash cut off is overwritten, because a line after it could not be read. If the end is not
    /// a line of rxseal, this is an error: the file may be another one, and is left as it is.
    fn whole_end(&self, file: &mut File) -> Result<End, Error> {
        let (length, tail) = read_tail(file).map_err(|error| self.failed(&error))?;
        let end = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
        let (whole, torn) = tail.split_at_checked(end).ok_or_else(|| self.damaged())?;
        if let Some(last) = whole.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()) {
            // If a line is longer than the tail, only its end is here and does not parse. rxseal's lines are never that long.
            self.parse(str::from_utf8(last).map_err(|_| self.damaged())?)?;
        }
        if str::from_utf8(torn).is_ok_and(|line| self.parse(line).is_ok()) {
            return Ok(End { length, line_is_open: true });
        }
        if !is_torn(torn) {
            return Err(self.damaged());
        }
        let length = length.saturating_sub(u64::try_from(torn.len()).unwrap_or(length));
        Ok(End { length, line_is_open: false })
    }

    fn write(&self, file: &mut File, end: &End, text: &str) -> io::Result<()> {
        file.set_len(end.length)?;
        file.seek(SeekFrom::Start(end.length))?;
        let text = if end.line_is_open { format!("\n{text}") } else { text.to_owned() };
        // If it leaves a line half written, the next call overwrites it.
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        sync_folder(parent(&self.path))
    }

    fn damaged(&self) -> Error {
        let text =
            format!("{}: a line of the shred log is damaged: look at it, and remove or repair it", self.path.display());
        Error::from_store(false, text)
    }

    fn failed(&self, cause: &io::Error) -> Error {
        file_failed(&self.path, cause)
    }
}

struct End {
    length: u64,
    /// The last line is whole except for its line end.
    line_is_open: bool,
}

/// The length of a file, and its last few lines.
fn read_tail(file: &mut File) -> io::Result<(u64, Vec<u8>)> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    Ok((length, tail))
}

/// Whether these bytes at the end may be the rest of a line that was cut off. No bytes count as one.
fn is_torn(bytes: &[u8]) -> bool {
    (bytes.starts_with(BEGIN) && bytes.len() < LONGEST) || BEGIN.starts_with(bytes)
}
