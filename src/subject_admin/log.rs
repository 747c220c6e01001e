//! Who was shredded, in a file outside of the store: the store's backups know nothing of it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::id::{Identifier, Name};

#[derive(Debug)]
pub(super) struct ShredLog(PathBuf);

/// One line, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) keyspace: String,
    pub(super) subject: String,
    /// Unix seconds.
    pub(super) at: u64,
}

impl ShredLog {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// On the disk when it returns. One write for the line and its end: two programs that append at once do not mix them.
    pub(super) fn append(&self, keyspace: &str, subject: &str, at: u64) -> Result<(), Error> {
        let line = Line { keyspace: keyspace.to_owned(), subject: subject.to_owned(), at };
        let mut text = serde_json::to_string(&line).map_err(|error| self.failed(&io::Error::other(error)))?;
        text.push('\n');
        self.append_text(&text).map_err(|error| self.failed(&error))
    }

    /// All lines, or an error: a log of which a part is not understood must be looked at by a person. A line that a crash cut off at
    /// the very end is of somebody who got no receipt.
    pub(super) fn read(&self) -> Result<Vec<Line>, Error> {
        let text = fs::read_to_string(&self.0).map_err(|error| self.failed(&error))?;
        let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
        whole.lines().filter(|line| !line.is_empty()).map(|line| self.parse(line)).collect()
    }

    fn parse(&self, text: &str) -> Result<Line, Error> {
        // The parser's own text would quote the line, and with it the subject.
        let line: Line = serde_json::from_str(text).map_err(|_| self.damaged())?;
        Name::check("keyspace", &line.keyspace)?;
        Identifier::from(line.subject.as_str()).parse("subject id")?;
        Ok(line)
    }

    fn append_text(&self, text: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.0)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    fn damaged(&self) -> Error {
        let text = format!(
            "{}: a line of the shred log is damaged: look at it, and take it out or put it right",
            self.0.display()
        );
        Error::from_store(false, text)
    }

    fn failed(&self, cause: &io::Error) -> Error {
        Error::from_store(false, io::Error::new(cause.kind(), format!("{}: {cause}", self.0.display())))
    }
}
