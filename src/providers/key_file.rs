//! Root key files: created for their owner only, and never half written.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::local::LocalRootKey;
use crate::error::{Error, ErrorKind};
use crate::provider::RootKey;
use crate::secret::PlainBuffer;

/// A key file is 59 bytes; what is much longer is something else.
const MAX_LEN: u64 = 128;
const GROUP_READ: u32 = 0o040;
const GROUP_AND_OTHERS: u32 = 0o077;

/// A file that holds a root key: one line, `rxseal-root-v1:` and 43 characters.
///
/// Keep it where the data and its backups are not. Unix only, since it relies on file modes.
///
/// ```no_run
/// let root = rxseal::KeyFile::new("/etc/pharmacy/root.key").load_or_create()?;
/// # Ok::<(), rxseal::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
    allow_group_read: bool,
}

impl KeyFile {
    /// The file at `path`. Nothing is read or written yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), allow_group_read: false }
    }

    /// Also accepts a file that its group may read (mode 0640), as Kubernetes mounts secrets for a `fsGroup`.
    #[must_use]
    pub fn allow_group_read(mut self) -> Self {
        self.allow_group_read = true;
        self
    }

    /// Reads the root key.
    ///
    /// # Errors
    ///
    /// `root-key-io` where it cannot be read, `invalid-root-key` where it is no root key file or not a file,
    /// `root-key-permissions` where others than its owner may read or change it.
    pub fn load(&self) -> Result<LocalRootKey, Error> {
        // Looked at before it is opened, since opening a pipe would wait.
        self.check_is_file(&fs::metadata(&self.path).map_err(|cause| self.unreadable(&cause))?)?;
        let file = File::open(&self.path).map_err(|cause| self.unreadable(&cause))?;
        // Looked at again through the handle: what is checked is what is read.
        let metadata = file.metadata().map_err(|cause| self.unreadable(&cause))?;
        self.check_is_file(&metadata)?;
        let tolerated = if self.allow_group_read { GROUP_READ } else { 0 };
        if metadata.mode() & GROUP_AND_OTHERS & !tolerated != 0 {
            let cause = format!("{}: its mode is {:04o}", self.path.display(), metadata.mode() & 0o7777);
            return Err(Error::from(ErrorKind::RootKeyPermissions).caused_by(cause));
        }
        let mut line = PlainBuffer::default();
        line.vec().reserve_exact(256);
        file.take(MAX_LEN).read_to_end(line.vec()).map_err(|cause| self.unreadable(&cause))?;
        LocalRootKey::parse_line(line.as_mut_slice()).map_err(|error| self.here(error))
    }

    /// Makes a new random root key and stores it with mode 0600, never over an existing file.
    ///
    /// The file appears whole or not at all: it is written beside its place, synced, and put there by a link, which
    /// fails where something is there already. Missing folders are made for the owner only.
    ///
    /// # Errors
    ///
    /// `root-key-io` where something is there already or it cannot be written, `random-failed`.
    pub fn create(&self) -> Result<LocalRootKey, Error> {
        let root = LocalRootKey::generate()?;
        self.store(&root).map_err(|cause| self.unreadable(&cause))?;
        // Only a key that can be read again may wrap anything.
        self.load()
    }

    /// Reads the root key, or makes one where there is no file yet.
    ///
    /// For the first start of a program. Once a keyring is stored use [`load`](Self::load): where the file was lost, this would
    /// make another root key, and unlocking would then say that the keyring is of a foreign one.
    /// Of two processes that start at once both get the
    /// same key.
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load) and [`create`](Self::create).
    pub fn load_or_create(&self) -> Result<LocalRootKey, Error> {
        if !self.path.try_exists().map_err(|cause| self.unreadable(&cause))? {
            let root = LocalRootKey::generate()?;
            match self.store(&root) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(self.unreadable(&error)),
                _ => {}
            }
        }
        self.load()
    }

    /// With the path in its cause: it is no secret, and the first thing to look at.
    fn unreadable(&self, cause: &io::Error) -> Error {
        let cause = io::Error::new(cause.kind(), format!("{}: {cause}", self.path.display()));
        Error::from(ErrorKind::RootKeyIo).caused_by(cause)
    }

    fn check_is_file(&self, metadata: &fs::Metadata) -> Result<(), Error> {
        if metadata.is_file() {
            return Ok(());
        }
        Err(self.here(ErrorKind::InvalidRootKey.because("it is not a file")))
    }

    fn here(&self, error: Error) -> Error {
        error.caused_by(self.path.display().to_string())
    }

    fn store(&self, root: &LocalRootKey) -> io::Result<()> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let existed = folder.ancestors().find(|ancestor| ancestor.exists());
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // Named after the new key, which is random: containers that share a folder often have the same process id.
        let temporary = folder.join(format!(".rxseal-root-{}", root.name()));
        let stored = write_new(&temporary, root).and_then(|()| fs::hard_link(&temporary, &self.path));
        let removed = fs::remove_file(&temporary);
        stored?;
        removed?;
        // The folder, and each that had to be made for it, up to the one that was there: a power cut must not lose them.
        for ancestor in folder.ancestors() {
            let named = if ancestor.as_os_str().is_empty() { Path::new(".") } else { ancestor };
            File::open(named)?.sync_all()?;
            if Some(ancestor) == existed {
                break;
            }
        }
        Ok(())
    }
}

fn write_new(path: &Path, root: &LocalRootKey) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(root.expose_line().as_mut_slice())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("rxseal-key-file-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn created_once_for_its_owner() {
        let folder = folder("created");
        let file = KeyFile::new(folder.join("deep/root.key"));
        let made = file.load_or_create().unwrap();
        assert_eq!(fs::metadata(&file.path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(format!("{made:?}"), format!("{:?}", file.load_or_create().unwrap()));
        assert_eq!(file.create().unwrap_err().code(), "root-key-io");
        assert_eq!(fs::read_dir(folder.join("deep")).unwrap().count(), 1, "no temporary file is left");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_others_may_read_is_refused() {
        let folder = folder("modes");
        let file = KeyFile::new(folder.join("root.key"));
        file.create().unwrap();
        for (mode, strict, group) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o640, false, true),
            (0o440, false, true),
            (0o644, false, false),
            (0o604, false, false),
            (0o620, false, false),
            (0o666, false, false),
        ] {
            fs::set_permissions(&file.path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(file.load().is_ok(), strict, "{mode:o}");
            assert_eq!(file.clone().allow_group_read().load().is_ok(), group, "{mode:o} for the group");
        }
        let error = file.load().unwrap_err();
        assert_eq!(error.code(), "root-key-permissions");
        assert!(error.to_string().contains("allow_group_read"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = folder("bad");
        let file = KeyFile::new(folder.join("root.key"));
        assert_eq!(file.load().unwrap_err().code(), "root-key-io");
        assert_eq!(KeyFile::new(std::env::temp_dir()).load().unwrap_err().code(), "invalid-root-key");
        file.create().unwrap();
        let good = fs::read_to_string(&file.path).unwrap();
        let cases = [
            String::new(),
            good.trim_end().trim_end_matches(|_: char| true).to_owned(),
            good[..good.len() - 2].to_owned(),
            format!("{good}\n"),
            format!("{good}x"),
            good.replace("-v1", "-v2"),
            format!(" {good}"),
            "rxseal-root-v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n".to_owned(),
            "x".repeat(100_000),
        ];
        for text in cases {
            fs::write(&file.path, &text).unwrap();
            assert_eq!(file.load().unwrap_err().code(), "invalid-root-key");
        }
        fs::write(&file.path, good.trim_end()).unwrap();
        assert!(file.load().is_ok(), "the newline is optional");
        fs::remove_dir_all(folder).unwrap();
    }
}
