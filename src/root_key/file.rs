//! Root key files: created for their owner only, and never half written.

use std::error::Error as _;
use std::io;
use std::path::{Path, PathBuf};

use super::local::LocalRootKey;
use crate::disk::{SecretFile, SecretFileError, create_folders, parent, place_new};
use crate::error::{Error, ErrorKind, Reason};

const MISSING: Reason =
    "there is no file at this path. Check the path, restore the file from its backup, or call `create` once";

/// A file with a root key: one line, `rxseal-root-v1:` and 43 characters.
///
/// Keep it apart from the data and the data's backups. Unix only, since it relies on file modes.
///
/// ```no_run
/// let root = rxseal::root::RootKeyFile::new("/etc/pharmacy/root.key").load_or_create()?;
/// # Ok::<(), rxseal::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RootKeyFile(SecretFile);

impl RootKeyFile {
    /// The file at `path`. Nothing is read or written yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(SecretFile::new(path))
    }

    /// Also accepts a file that its group may read (mode 0640), as Kubernetes mounts secrets for a `fsGroup`.
    #[must_use]
    pub fn allow_group_read(self) -> Self {
        Self(self.0.allow_group_read())
    }

    /// Reads the root key. A link is followed, and the file that it leads to is checked.
    ///
    /// # Errors
    ///
    /// - `root-key-io` if it is missing or cannot be read.
    /// - `invalid-root-key` if it is not a root key file or not a file.
    /// - `root-key-permissions` if somebody else may read or change it: it belongs neither to root nor to the user of
    ///   this process (root may also read a service's file), or its mode is more than 0600.
    pub fn load(&self) -> Result<LocalRootKey, Error> {
        let line = self.0.read().map_err(|unfit| self.unfit(unfit))?;
        LocalRootKey::parse_line(&line).map_err(|error| self.here(error))
    }

    /// Creates a new random root key and stores it with mode 0600. It never overwrites a file.
    ///
    /// The file appears complete or not at all. It is written next to its place, synced, and put there by a link, which
    /// fails if something is already there. Missing folders are created for the owner only.
    ///
    /// # Errors
    ///
    /// `root-key-io` if something is already there or it cannot be written. `random-failed`.
    pub fn create(&self) -> Result<LocalRootKey, Error> {
        let root = LocalRootKey::generate()?;
        self.store(&root)?.map_err(|cause| self.unreadable(&cause))?;
        // Only a key that can be read again may wrap anything.
        self.load()
    }

    /// Reads the root key, or creates one if there is no file yet.
    ///
    /// Use this for a program's first start. Once a keyring is stored, use [`load`](Self::load): if the file was lost,
    /// this call would create another root key, and unlocking would fail with an error about a wrong root key. If two
    /// processes start at once, both get the same key.
    ///
    /// # Errors
    ///
    /// The same as [`load`](Self::load) and [`create`](Self::create).
    pub fn load_or_create(&self) -> Result<LocalRootKey, Error> {
        if !self.is_there()? {
            let root = LocalRootKey::generate()?;
            match self.store(&root)? {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(self.unreadable(&error)),
                _ => {}
            }
        }
        self.load()
    }

    /// Whether something is at the path. A link that leads nowhere does not count.
    pub(crate) fn is_there(&self) -> Result<bool, Error> {
        self.0.path().try_exists().map_err(|cause| self.unreadable(&cause))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The cause contains the path: it is not secret, and the first thing to look at.
    fn unreadable(&self, cause: &io::Error) -> Error {
        let cause = io::Error::new(cause.kind(), format!("{}: {cause}", self.0.path().display()));
        Error::from(ErrorKind::RootKeyIo).caused_by(cause)
    }

    fn unfit(&self, unfit: SecretFileError) -> Error {
        let error = match unfit {
            SecretFileError::Unreadable(io::ErrorKind::NotFound) => ErrorKind::RootKeyIo.because(MISSING),
            SecretFileError::Unreadable(_) => Error::from(ErrorKind::RootKeyIo),
            SecretFileError::NotAFile => ErrorKind::InvalidRootKey.because("it is not a file"),
            SecretFileError::TooLong => ErrorKind::InvalidRootKey.because("it is much longer than a root key file"),
            SecretFileError::Owner(_) | SecretFileError::Mode(_) => Error::from(ErrorKind::RootKeyPermissions),
        };
        // These say all but where.
        if error.kind() == ErrorKind::InvalidRootKey {
            return self.here(error);
        }
        error.caused_by(format!("{}: {unfit}", self.0.path().display()))
    }

    fn here(&self, error: Error) -> Error {
        error.caused_by(self.0.path().display().to_string())
    }

    fn store(&self, root: &LocalRootKey) -> Result<io::Result<()>, Error> {
        if let Err(error) = create_folders(parent(self.0.path())) {
            return Ok(Err(error));
        }
        // That is told of a root key file, as every other reason why it cannot be written.
        let placed = place_new(self.0.path(), root.expose_line().as_mut_slice());
        placed.map_err(|error| match error.kind() {
            ErrorKind::FileRefused | ErrorKind::FileUnavailable => {
                let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
                Error::from(ErrorKind::RootKeyIo).caused_by(format!("{}: {cause}", self.0.path().display()))
            }
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("rxseal-key-file-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn created_once_for_its_owner() {
        let folder = folder("created");
        let file = RootKeyFile::new(folder.join("deep/root.key"));
        let made = file.load_or_create().unwrap();
        assert_eq!(fs::metadata(file.0.path()).unwrap().mode() & 0o777, 0o600);
        assert_eq!(format!("{made:?}"), format!("{:?}", file.load_or_create().unwrap()));
        assert_eq!(file.create().unwrap_err().code().as_str(), "root-key-io");
        assert_eq!(fs::read_dir(folder.join("deep")).unwrap().count(), 1, "no temporary file is left");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_others_may_read_is_refused() {
        let folder = folder("modes");
        let file = RootKeyFile::new(folder.join("root.key"));
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
            fs::set_permissions(file.0.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(file.load().is_ok(), strict, "{mode:o}");
            assert_eq!(file.clone().allow_group_read().load().is_ok(), group, "{mode:o} for the group");
        }
        let error = file.load().unwrap_err();
        assert_eq!(error.code().as_str(), "root-key-permissions");
        assert!(error.to_string().contains("allow_group_read"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = folder("bad");
        let file = RootKeyFile::new(folder.join("root.key"));
        assert_eq!(file.load().unwrap_err().code().as_str(), "root-key-io");
        assert_eq!(RootKeyFile::new(std::env::temp_dir()).load().unwrap_err().code().as_str(), "invalid-root-key");
        file.create().unwrap();
        let good = fs::read_to_string(file.0.path()).unwrap();
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
            fs::write(file.0.path(), &text).unwrap();
            assert_eq!(file.load().unwrap_err().code().as_str(), "invalid-root-key");
        }
        fs::write(file.0.path(), good.trim_end()).unwrap();
        assert!(file.load().is_ok(), "the newline is optional");
        fs::remove_dir_all(folder).unwrap();
    }
}
