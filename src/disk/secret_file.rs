//! The only reader of files that contain a secret: root keys, PINs, tokens.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::open_file;
#[cfg(doc)]
use crate::error::Error;

/// A Vault token with claims in it has a few thousand bytes. Everything else is smaller.
const MAX_LEN: usize = 64 * 1024;

/// A file with a secret: a root key, a PIN, a token. It is read only if nobody else can read or change it.
///
/// On Unix its owner must be root or the user of this process, and its mode at most 0600. With
/// [`allow_group_read`](Self::allow_group_read), its group may read it too (0640). Root also reads a file of a
/// service's user, unless anybody can put files into the folder. Links are followed, since Kubernetes uses them, and
/// the opened file is checked. On other systems nothing is checked.
///
/// ```no_run
/// use rxseal::Error;
/// use rxseal::provider::SecretFile;
///
/// # fn main() -> Result<(), Error> {
/// let file = SecretFile::new("/run/secrets/hsm-pin");
/// let pin = file.read().map_err(|unfit| {
///     let cause = format!("{}: {unfit}", file.path().display());
///     if unfit.is_permissions() { Error::root_key_permissions(cause) } else { Error::from_provider(false, cause) }
/// })?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SecretFile {
    path: PathBuf,
    allow_group_read: bool,
}

/// Why a [`SecretFile`] was not read. The text contains neither the path nor any of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretFileError {
    /// It does not exist, or the system does not let this process read it.
    Unreadable(io::ErrorKind),
    /// It is a folder, a pipe or a device.
    NotAFile,
    /// It is longer than 64 KiB.
    TooLong,
    /// It belongs to this user, who is neither root nor the user of this process.
    #[cfg(unix)]
    Owner(u32),
    /// Its mode lets others read or change it.
    #[cfg(unix)]
    Mode(u32),
}

impl SecretFile {
    /// The file at `path`. Nothing is read yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), allow_group_read: false }
    }

    /// Also accepts a file that its group may read (mode 0640), as Kubernetes mounts secrets for a `fsGroup`.
    #[must_use]
    pub fn allow_group_read(mut self) -> Self {
        self.allow_group_read = true;
        self
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole content, at most 64 KiB, in memory that is wiped.
    ///
    /// # Errors
    ///
    /// [`SecretFileError`] says why the file is unfit.
    pub fn read(&self) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
        let unreadable = |error: io::Error| SecretFileError::Unreadable(error.kind());
        let file = open_file(&self.path, OpenOptions::new().read(true)).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => SecretFileError::NotAFile,
            kind => SecretFileError::Unreadable(kind),
        })?;
        #[cfg(unix)]
        self.check(&file.metadata().map_err(unreadable)?)?;
        // A buffer that does not grow: growing would leave its old content behind.
        let room = MAX_LEN.saturating_add(1);
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        let limit = u64::try_from(room).unwrap_or(u64::MAX);
        file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() > MAX_LEN { Err(SecretFileError::TooLong) } else { Ok(bytes) }
    }

    #[cfg(unix)]
    fn check(&self, found: &std::fs::Metadata) -> Result<(), SecretFileError> {
        use std::os::unix::fs::MetadataExt;

        use super::owner::{ROOT, effective_user, is_open_to_all};

        const GROUP_READS: u32 = 0o040;
        const GROUP_AND_OTHERS: u32 = 0o077;

        let (owner, me) = (found.uid(), effective_user());
        let is_of_service =
            || me == ROOT && std::fs::metadata(super::parent(&self.path)).is_ok_and(|folder| !is_open_to_all(&folder));
        if owner != ROOT && owner != me && !is_of_service() {
            return Err(SecretFileError::Owner(owner));
        }
        let tolerated = if self.allow_group_read { GROUP_READS } else { 0 };
        if found.mode() & GROUP_AND_OTHERS & !tolerated != 0 {
            return Err(SecretFileError::Mode(found.mode() & 0o7777));
        }
        Ok(())
    }
}

impl SecretFileError {
    /// Somebody else can read the file, or may have written it. Return [`Error::root_key_permissions`] for it.
    #[must_use]
    pub fn is_permissions(self) -> bool {
        match self {
            Self::Unreadable(_) | Self::NotAFile | Self::TooLong => false,
            #[cfg(unix)]
            Self::Owner(_) | Self::Mode(_) => true,
        }
    }
}

impl std::error::Error for SecretFileError {}

impl fmt::Display for SecretFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(kind) => write!(f, "{kind}"),
            Self::NotAFile => f.write_str("it is not a file"),
            Self::TooLong => write!(f, "it is longer than {MAX_LEN} bytes"),
            #[cfg(unix)]
            Self::Owner(user) => {
                write!(f, "it belongs to user {user}, and this is user {}", super::owner::effective_user())
            }
            #[cfg(unix)]
            Self::Mode(mode) => write!(f, "its mode is {mode:04o}"),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    /// Gone at the end of its test.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("rxseal-secret-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn file(&self, name: &str, bytes: &[u8], mode: u32) -> SecretFile {
            let path = self.0.join(name);
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            SecretFile::new(path)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn modes() {
        let place = Place::new("modes");
        for mode in 0..0o1000 {
            let file = place.file("secret", b"s3cret", 0o400 | mode);
            let mode = 0o400 | mode;
            let refused = Err(SecretFileError::Mode(mode));
            let read = |file: &SecretFile| file.read().map(|_| ());
            assert_eq!(read(&file), if mode & 0o077 == 0 { Ok(()) } else { refused }, "{mode:o}");
            let file = file.allow_group_read();
            assert_eq!(read(&file), if mode & 0o037 == 0 { Ok(()) } else { refused }, "{mode:o} for the group");
            fs::remove_file(file.path()).unwrap();
        }
    }

    #[test]
    fn what_is_read() {
        let place = Place::new("read");
        for len in [0, 1, 255, 4096, MAX_LEN - 1, MAX_LEN] {
            let bytes = vec![0xA5; len];
            assert_eq!(place.file("secret", &bytes, 0o600).read().unwrap().as_slice(), bytes);
        }
        assert_eq!(place.file("secret", &[1; MAX_LEN + 1], 0o600).read().unwrap_err(), SecretFileError::TooLong);
        let read = |name: &str| SecretFile::new(place.0.join(name)).read().map(|_| ());
        assert_eq!(read("none"), Err(SecretFileError::Unreadable(io::ErrorKind::NotFound)));
        assert_eq!(read(""), Err(SecretFileError::NotAFile));
        assert_eq!(SecretFile::new("/dev/zero").read().unwrap_err(), SecretFileError::NotAFile);
        assert!(Command::new("mkfifo").args(["-m", "600"]).arg(place.0.join("pipe")).status().unwrap().success());
        assert_eq!(read("pipe"), Err(SecretFileError::NotAFile));
        // What a link leads to is checked, and the link is not: its own mode is 0777.
        for (mode, expected) in [(0o600, Ok(())), (0o644, Err(SecretFileError::Mode(0o644)))] {
            place.file("..data", b"s3cret", mode);
            let _ = symlink("..data", place.0.join("link"));
            assert_eq!(read("link"), expected);
        }
    }

    #[test]
    fn owners() {
        let place = Place::new("owners");
        let file = place.file("secret", b"s3cret", 0o600);
        if effective_user_is_root() {
            std::os::unix::fs::chown(file.path(), Some(1234), None).unwrap();
            assert!(file.read().is_ok(), "of a service that root looks after");
            fs::set_permissions(&place.0, Permissions::from_mode(0o1777)).unwrap();
            assert_eq!(file.read().unwrap_err(), SecretFileError::Owner(1234));
        }
        assert!(SecretFileError::Owner(1234).to_string().contains("user 1234"));
    }

    fn effective_user_is_root() -> bool {
        super::super::owner::effective_user() == super::super::owner::ROOT
    }
}
