//! What a log asks of a disk.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How the names of the two files of a chain end.
pub(crate) const LINES: &str = ".rxa";
pub(crate) const NOTES: &str = ".rxn";
/// How much a full disk gives back.
const RESERVE: usize = 8 * 1024 * 1024;
const RESERVE_NAME: &str = "reserve.rxr";

/// One of the two files of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Lines,
    Notes,
}

/// A folder with logs. The tests have one that fails and forgets.
pub(crate) trait Disk: Send {
    /// The names of the files in the folder.
    fn list(&mut self) -> io::Result<Vec<String>>;

    /// The last `most` bytes of a file of lines, and whether there are more before them.
    fn read_end(&mut self, name: &str, most: u64) -> io::Result<(Vec<u8>, bool)>;

    /// Whether the writer of a file of lines lives.
    fn is_locked(&mut self, name: &str) -> io::Result<bool>;

    /// Makes the two files of a chain, which did not exist. From then on they are the current ones.
    fn create(&mut self, name: &str) -> io::Result<()>;

    /// Removes the two files of a chain.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Appends some of the bytes.
    fn write(&mut self, which: Which, bytes: &[u8]) -> io::Result<usize>;

    fn sync(&mut self, which: Which) -> io::Result<()>;

    fn truncate(&mut self, which: Which, len: u64) -> io::Result<()>;

    /// Whether the current file of lines is still in the folder.
    fn is_in_place(&mut self) -> io::Result<bool>;

    /// Closes the current files.
    fn close(&mut self);

    fn make_reserve(&mut self) -> io::Result<()>;

    /// Says whether there was one.
    fn drop_reserve(&mut self) -> io::Result<bool>;
}

/// A folder of this machine.
pub(super) struct RealDisk {
    folder: PathBuf,
    current: Option<(PathBuf, File, File)>,
}

impl RealDisk {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        fs::read_dir(folder)?;
        Ok(Self { folder: folder.to_owned(), current: None })
    }

    fn path(&self, name: &str, end: &str) -> PathBuf {
        self.folder.join(format!("{name}{end}"))
    }

    fn file(&mut self, which: Which) -> io::Result<&mut File> {
        match (&mut self.current, which) {
            (Some((_, lines, _)), Which::Lines) => Ok(lines),
            (Some((_, _, notes)), Which::Notes) => Ok(notes),
            (None, _) => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

/// A new file that is only ever appended to, for its owner alone.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)
}

impl Disk for RealDisk {
    fn list(&mut self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn read_end(&mut self, name: &str, most: u64) -> io::Result<(Vec<u8>, bool)> {
        let mut file = File::open(self.folder.join(name))?;
        let before = file.metadata()?.len().saturating_sub(most);
        file.seek(SeekFrom::Start(before))?;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        Ok((bytes, before > 0))
    }

    fn is_locked(&mut self, name: &str) -> io::Result<bool> {
        match File::open(self.folder.join(name))?.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        let path = self.path(name, LINES);
        let lines = create(&path)?;
        lines.lock()?;
        let notes = create(&self.path(name, NOTES))?;
        // Or the files may be gone after a power cut, with all that was synced into them.
        self.sync_folder()?;
        self.current = Some((path, lines, notes));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.current = None;
        fs::remove_file(self.path(name, LINES))?;
        fs::remove_file(self.path(name, NOTES))
    }

    fn write(&mut self, which: Which, bytes: &[u8]) -> io::Result<usize> {
        self.file(which)?.write(bytes)
    }

    fn sync(&mut self, which: Which) -> io::Result<()> {
        self.file(which)?.sync_data()
    }

    fn truncate(&mut self, which: Which, len: u64) -> io::Result<()> {
        self.file(which)?.set_len(len)
    }

    fn is_in_place(&mut self) -> io::Result<bool> {
        let Some((path, lines, _)) = &self.current else { return Ok(false) };
        let own = lines.metadata()?;
        Ok(match fs::symlink_metadata(path) {
            Ok(found) => own.nlink() > 0 && (own.dev(), own.ino()) == (found.dev(), found.ino()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        })
    }

    fn close(&mut self) {
        self.current = None;
    }

    fn make_reserve(&mut self) -> io::Result<()> {
        let path = self.folder.join(RESERVE_NAME);
        if fs::symlink_metadata(&path).is_ok_and(|found| found.len() >= u64::try_from(RESERVE).unwrap_or(u64::MAX)) {
            return Ok(());
        }
        // Written, since a hole in a file keeps no room.
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        let made = file.write_all(&vec![0; RESERVE]).and_then(|()| file.sync_all());
        // Half a reserve is better than a full disk.
        made.inspect_err(|_| drop(fs::remove_file(&path)))
    }

    fn drop_reserve(&mut self) -> io::Result<bool> {
        match fs::remove_file(self.folder.join(RESERVE_NAME)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
