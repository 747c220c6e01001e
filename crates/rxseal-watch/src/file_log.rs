//! A log in a folder: a file of lines and a file of checkpoints for each chain.

mod disk;
#[cfg(test)]
pub(crate) mod simulated;

use std::fmt;
use std::io;
use std::path::PathBuf;

use disk::RealDisk;
pub(crate) use disk::{Disk, LINES, NOTES, Which};

use crate::chain::{ChainId, Head, split_line};
use crate::error::{Kind, WatchError};
use crate::event::Previous;
use crate::note::SigningKey;
use crate::target::{AppendFault, Log, Target};

/// More than a line can have; enough of a file's end to find its last whole line.
pub(crate) const MAX_LINE: u64 = 128 * 1024;

/// A log in a folder of this machine. Each run of the program makes files of its own there, which only its user may read: `<start>-<chain>.rxa` with the
/// lines, and `.rxn` with the checkpoints. Any number of processes may write to one folder.
///
/// ```no_run
/// use rxseal_watch::{FileLog, SigningKey, Watch};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key: SigningKey = std::fs::read_to_string("/etc/pharmacy/audit.key")?.parse()?;
/// let watch = Watch::over(FileLog::in_folder("/var/log/pharmacy", key)?).service("fulfil-api").start()?;
/// # Ok(())
/// # }
/// ```
pub struct FileLog {
    disk: Box<dyn Disk>,
    key: SigningKey,
    current: Option<Current>,
    /// The chain that this log wrote last and left, and its head there.
    left: Option<(ChainId, Head)>,
}

/// The files that are written now.
struct Current {
    chain: ChainId,
    name: String,
    /// The bytes of whole lines that are on the disk.
    len: u64,
    notes: u64,
}

impl FileLog {
    /// In this folder, which exists, with checkpoints that `key` signs. Nothing is written before the watch starts.
    ///
    /// # Errors
    ///
    /// `log-failed` if the folder cannot be opened.
    pub fn in_folder(folder: impl Into<PathBuf>, key: SigningKey) -> Result<Self, WatchError> {
        let folder = folder.into();
        let disk = RealDisk::open(&folder).map_err(|error| WatchError::file(Kind::Log, &folder, &error))?;
        Ok(Self::on(Box::new(disk), key))
    }

    pub(crate) fn on(disk: Box<dyn Disk>, key: SigningKey) -> Self {
        Self { disk, key, current: None, left: None }
    }
}

impl From<FileLog> for Log {
    fn from(log: FileLog) -> Self {
        Self::of(log)
    }
}

impl Target for FileLog {
    fn key(&self) -> &SigningKey {
        &self.key
    }

    fn reserve(&mut self) -> io::Result<()> {
        self.disk.make_reserve()
    }

    fn give_up_reserve(&mut self) -> bool {
        self.disk.drop_reserve().unwrap_or(false)
    }

    fn previous(&mut self, left: Option<Previous>) -> io::Result<Option<Previous>> {
        if left.is_some() {
            return Ok(left);
        }
        let names = self.disk.list()?.into_iter();
        let mut chains: Vec<_> = names.filter_map(|name| Some((parse_name(&name)?, name))).collect();
        chains.sort_unstable();
        while let Some(((_, chain), name)) = chains.pop() {
            let (bytes, is_cut) = self.disk.read_end(&name, MAX_LINE.saturating_mul(2))?;
            let Some((n, hash, torn)) = last_line(&bytes, is_cut) else { continue };
            // While its writer lives, the end of the file is a line on its way.
            let torn = if torn > 0 && self.disk.is_locked(&name)? { 0 } else { torn };
            let sure = self.left.filter(|(left, _)| *left == chain).map(|(_, head)| head.size);
            let again = sure.map_or(0, |sure| n.saturating_add(1).saturating_sub(sure));
            return Ok(Some(Previous { chain, n, hash, torn, again }));
        }
        Ok(None)
    }

    fn begin(&mut self, chain: ChainId, started: u64) -> io::Result<()> {
        let name = format!("{started:013}-{chain}");
        let made = self.disk.create(&name);
        if let Err(error) = made {
            // Nobody has seen a line in them.
            drop(self.disk.remove(&name));
            return Err(error);
        }
        self.current = Some(Current { chain, name, len: 0, notes: 0 });
        Ok(())
    }

    fn undo_begin(&mut self) {
        if let Some(current) = self.current.take_if(|current| current.len == 0) {
            drop(self.disk.remove(&current.name));
        }
    }

    fn bytes(&self) -> u64 {
        self.current.as_ref().map_or(0, |current| current.len)
    }

    fn append(&mut self, lines: &[u8]) -> Result<(), AppendFault> {
        let Some(current) = &mut self.current else {
            return Err(AppendFault::Leave(io::ErrorKind::NotConnected.into()));
        };
        if let Err(error) = write_all(&mut *self.disk, Which::Lines, lines) {
            // Nobody was told of what was written of these lines.
            return Err(match self.disk.truncate(Which::Lines, current.len) {
                Ok(()) => AppendFault::Again(error),
                Err(_) => AppendFault::Leave(error),
            });
        }
        // After a sync that failed, nobody knows what of the file is on the disk.
        self.disk.sync(Which::Lines).map_err(AppendFault::Leave)?;
        current.len = current.len.saturating_add(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn checkpoint(&mut self, _: u64, note: &str) -> io::Result<()> {
        let Some(current) = &mut self.current else { return Err(io::ErrorKind::NotConnected.into()) };
        if let Err(error) = write_all(&mut *self.disk, Which::Notes, note.as_bytes()) {
            // Half a note would spoil the next one.
            self.disk.truncate(Which::Notes, current.notes)?;
            return Err(error);
        }
        current.notes = current.notes.saturating_add(u64::try_from(note.len()).unwrap_or(u64::MAX));
        self.disk.sync(Which::Notes)
    }

    fn is_in_place(&mut self) -> bool {
        self.current.is_none() || self.disk.is_in_place().unwrap_or(true)
    }

    fn leave(&mut self, head: Head) {
        if let Some(current) = self.current.take() {
            self.left = Some((current.chain, head));
            self.disk.close();
        }
    }
}

impl fmt::Debug for FileLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLog").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Writes all of the bytes. After an error it is not known how many were.
fn write_all(disk: &mut dyn Disk, which: Which, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match disk.write(which, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Start and chain of the name of a file of lines.
pub(crate) fn parse_name(name: &str) -> Option<(u64, ChainId)> {
    let (start, chain) = name.strip_suffix(LINES)?.split_once('-')?;
    let is_number = start.len() >= 13 && start.bytes().all(|byte| byte.is_ascii_digit());
    Some((start.parse().ok().filter(|_| is_number)?, ChainId::parse(chain)?))
}

/// Number and hash of the last whole line, and the bytes behind it. If `is_cut`, the bytes are the end of a longer file.
fn last_line(bytes: &[u8], is_cut: bool) -> Option<(u64, [u8; 32], u64)> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n')?;
    let torn = bytes.len().saturating_sub(end).saturating_sub(1);
    let whole = bytes.get(..end)?;
    let start = match whole.iter().rposition(|byte| *byte == b'\n') {
        Some(before) => before.saturating_add(1),
        None if is_cut => return None,
        None => 0,
    };
    let (hash, json) = split_line(whole.get(start..)?)?;
    Some((number_of(json)?, hash, u64::try_from(torn).ok()?))
}

/// The number that a line's JSON begins with.
pub(crate) fn number_of(json: &[u8]) -> Option<u64> {
    let digits = json.strip_prefix(b"{\"n\":")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_last_lines() {
        let chain = ChainId::parse("7f3a9c0e5b1d2468").unwrap();
        assert_eq!(parse_name("1764000000000-7f3a9c0e5b1d2468.rxa"), Some((1_764_000_000_000, chain)));
        for bad in
            ["x", "1764000000000-7f3a9c0e5b1d2468.rxn", "1-7f3a9c0e5b1d2468.rxa", "+764000000000-7f3a9c0e5b1d2468.rxa"]
        {
            assert_eq!(parse_name(bad), None, "{bad}");
        }
        let line = |n: u64| format!("{} {{\"n\":{n},\"t\":1}}\n", crate::chain::hash_text(&[7; 32]));
        let two = line(0) + &line(1);
        assert_eq!(last_line(two.as_bytes(), false), Some((1, [7; 32], 0)));
        assert_eq!(last_line((two.clone() + "abc").as_bytes(), true), Some((1, [7; 32], 3)));
        assert_eq!(last_line(line(0).as_bytes(), true), None, "what is before it is not known");
        assert_eq!(last_line(b"torn", false), None);
        assert_eq!(last_line(b"junk\n", false), None);
    }
}
