//! Who was shredded, in a file outside of the store: the store's backups know nothing of it.

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

/// With which every line begins.
const BEGIN: &[u8] = br#"{"keyspace":"#;
/// No line is longer: a subject id of 255 characters that are all escaped makes one of 650.
const LONGEST: usize = 1024;
const TAIL: u64 = 4096;

/// The file that says who was shredded. It outlives the store of the subject keys: after a restore of that it says who must be
/// shredded again. So keep it elsewhere, with other backups.
///
/// One line of JSON for each, with the keyspace, the subject id and the Unix seconds. A subject id names a patient: protect it as you
/// protect those. Let nothing rotate or shorten it. Calls block, and wait up to 5 seconds for the lock of another one.
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
    /// The log at `path`, made by its first line, of a store whose backups are kept for `backups_kept`: only then a shredded key is
    /// gone from all of them.
    pub fn new(path: impl Into<PathBuf>, backups_kept: Duration) -> Self {
        Self { path: path.into(), backups_kept }
    }

    pub(super) fn backups_kept(&self) -> Duration {
        self.backups_kept
    }

    /// Whether a line can be appended: it is a shred log of this crate that may be written to, or is not there yet and can be made.
    /// Asked by every shredding before the key goes.
    ///
    /// # Errors
    ///
    /// `store-refused` where not; `store-unavailable` where it may be later.
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

    /// One that leads nowhere, if it cannot be opened.
    fn is_link(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }

    /// On the disk when it returns.
    pub(super) fn append(&self, keyspace: &str, subject: &str, at: u64) -> Result<(), Error> {
        let line = Line { keyspace: keyspace.to_owned(), subject: subject.to_owned(), at };
        let mut text = serde_json::to_string(&line).map_err(|error| self.failed(&io::Error::other(error)))?;
        text.push('\n');
        let mut file = self.open(true).map_err(|error| self.failed(&error))?;
        let end = self.whole_end(&mut file)?;
        self.write(&mut file, &end, &text).map_err(|error| self.failed(&error))
    }

    /// Who was shredded, and the latest time that a line says, or an error: a log of which a part is not understood must be looked at by a person. A line that a crash cut off at
    /// the very end is of somebody who got no receipt.
    pub(super) fn read(&self) -> Result<BTreeMap<(String, String), u64>, Error> {
        let mut text = String::new();
        let file = open_file(&self.path, OpenOptions::new().read(true));
        file.and_then(|mut file| file.read_to_string(&mut text)).map_err(|error| self.failed(&error))?;
        let (whole, torn) = text.rsplit_once('\n').unwrap_or(("", &text));
        // An editor or a copy may have taken the last line's end away.
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
        // The parser's own text would quote the line, and with it the subject.
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

    /// With the owner and the group of its folder: the service that appends to it may be another user than the one who ran a command
    /// first.
    fn make(&self, options: &mut OpenOptions) -> io::Result<File> {
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
        match options.clone().create_new(true).open(&self.path) {
            // Somebody else was first; or it is a link that leads nowhere, and opening it says so.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_file(&self.path, options),
            Err(error) => Err(error),
            Ok(file) => {
                #[cfg(unix)]
                own_as_folder(&file, &parent(&self.path).metadata()?, SHARED_FILE)?;
                Ok(file)
            }
        }
    }

    /// Where the next line goes: over what a crash cut off, behind which it would not be read. What is no line of ours is an error,
    /// since this may be another file, and nothing of that is cut.
    fn whole_end(&self, file: &mut File) -> Result<End, Error> {
        let (length, tail) = read_tail(file).map_err(|error| self.failed(&error))?;
        let end = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
        let (whole, torn) = tail.split_at_checked(end).ok_or_else(|| self.damaged())?;
        if let Some(last) = whole.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()) {
            // Of a line that is longer than the tail only its end is here, which does not parse: ours never are.
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
        // What it may leave half written is cut off by the next one.
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        sync_folder(parent(&self.path))
    }

    fn damaged(&self) -> Error {
        let text = format!(
            "{}: a line of the shred log is damaged: look at it, and take it out or put it right",
            self.path.display()
        );
        Error::from_store(false, text)
    }

    fn failed(&self, cause: &io::Error) -> Error {
        file_failed(&self.path, cause)
    }
}

struct End {
    length: u64,
    /// Its last line is whole, but for its end.
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

/// Whether these bytes at the end may be what is left of a line: nothing is one, too.
fn is_torn(bytes: &[u8]) -> bool {
    (bytes.starts_with(BEGIN) && bytes.len() < LONGEST) || BEGIN.starts_with(bytes)
}
