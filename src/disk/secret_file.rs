//! The one reader of files that hold a secret: root keys, PINs, tokens.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::open_file;

/// A token of Vault with claims in it has some thousand bytes, everything else less.
const MAX_LEN: usize = 64 * 1024;

/// A file that holds a secret. Links to it are followed, as Kubernetes has them: what is checked is what was opened.
///
/// Its owner is root or the user of this process, and nobody else can read or change it; a group may read it if that was allowed. Root
/// also reads what belongs to the user of a service, unless anybody can put files there.
#[derive(Clone, Debug)]
pub(crate) struct SecretFile {
    path: PathBuf,
    allow_group_read: bool,
}

/// Why it is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    Unreadable(io::ErrorKind),
    NotAFile,
    TooLong,
    /// The user who owns it.
    #[cfg(unix)]
    Owner(u32),
    #[cfg(unix)]
    Mode(u32),
}

impl SecretFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, allow_group_read: false }
    }

    pub(crate) fn allow_group_read(&mut self) {
        self.allow_group_read = true;
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All of it, in memory that is wiped.
    pub(crate) fn read(&self) -> Result<Zeroizing<Vec<u8>>, Unfit> {
        let unreadable = |error: io::Error| Unfit::Unreadable(error.kind());
        let file = open_file(&self.path, OpenOptions::new().read(true)).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => Unfit::NotAFile,
            kind => Unfit::Unreadable(kind),
        })?;
        #[cfg(unix)]
        self.check(&file.metadata().map_err(unreadable)?)?;
        // A buffer that does not grow, since it would leave what it held.
        let room = MAX_LEN.saturating_add(1);
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        let limit = u64::try_from(room).unwrap_or(u64::MAX);
        file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() > MAX_LEN { Err(Unfit::TooLong) } else { Ok(bytes) }
    }

    #[cfg(unix)]
    fn check(&self, found: &std::fs::Metadata) -> Result<(), Unfit> {
        use std::os::unix::fs::MetadataExt;

        use super::owner::{ROOT, effective_user, is_open_to_all};

        const GROUP_READS: u32 = 0o040;
        const GROUP_AND_OTHERS: u32 = 0o077;

        let (owner, me) = (found.uid(), effective_user());
        let is_of_service = || {
            me == ROOT && std::fs::metadata(super::parent(&self.path)).is_ok_and(|folder| !is_open_to_all(&folder))
        };
        if owner != ROOT && owner != me && !is_of_service() {
            return Err(Unfit::Owner(owner));
        }
        let tolerated = if self.allow_group_read { GROUP_READS } else { 0 };
        if found.mode() & GROUP_AND_OTHERS & !tolerated != 0 {
            return Err(Unfit::Mode(found.mode() & 0o7777));
        }
        Ok(())
    }
}

impl Unfit {
    /// Somebody else can read it, or may have written it.
    pub(crate) fn is_about_rights(self) -> bool {
        match self {
            Self::Unreadable(_) | Self::NotAFile | Self::TooLong => false,
            #[cfg(unix)]
            Self::Owner(_) | Self::Mode(_) => true,
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(kind) => write!(f, "{kind}"),
            Self::NotAFile => f.write_str("it is not a file"),
            Self::TooLong => write!(f, "it is longer than {MAX_LEN} bytes"),
            #[cfg(unix)]
            Self::Owner(user) => write!(f, "it belongs to user {user}, and this is user {}", super::owner::effective_user()),
            #[cfg(unix)]
            Self::Mode(mode) => write!(f, "its mode is {mode:04o}"),
        }
    }
}
