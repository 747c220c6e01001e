//! The first start and every later one of a program whose keys are all on this machine.
//!
//! A root key without a keyring may be an interrupted first start or a lost keyring, and only a first start may create
//! a keyring. So a first start marks the keyring folder before it creates the root key, and removes the mark once the
//! keyring is stored. A lost folder has no mark.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::admin::KeyringAdmin;
use crate::aead::Suite;
use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::id::Name;
use crate::keyring::{Keyring, Unlocked};
use crate::root_key::{LocalRootKey, RootKeyFile};
use crate::root_key::{RootKeys, run_local};
use crate::store::{FileStore, KeyringStore};

/// The file name of a first start's mark, after its keyspace.
const MARK: &str = ".first-start";
const MARK_TEXT: &str =
    "A first start of rxseal has begun here and has stored no keyring yet. The next start goes on and removes this.\n";

impl Keyring {
    /// Unlocks the keyring of `keyspace` with a root key file on this machine. The first start makes both.
    ///
    /// `root_key` is the path of the root key file, and `keyrings` is a folder for keyring files. The root key must lie outside of that
    /// folder: you need both to open the data, so whoever steals or backs up one of them must not get the other. Back both up, apart from
    /// each other and from the data. Lose either and the data is gone.
    ///
    /// New keys are made only if neither is there. Then whatever was sealed before cannot be lost behind new keys:
    ///
    /// | root key file | keyring of `keyspace` | what happens |
    /// |---|---|---|
    /// | there | there | the keyring is unlocked |
    /// | missing | missing, as are all others in the folder | a first start: both are made, the root key before the keyring |
    /// | missing | this one or another one is there | `root-key-missing`: restore the root key file |
    /// | there | missing | `keyring-missing`: restore the keyring, or make one for a new keyspace with [`KeyringAdmin::create`](crate::keys::KeyringAdmin::create) |
    ///
    /// A first start that was interrupted is finished by the next one. Of programs that start at once, all get the same keys.
    ///
    /// The call blocks for milliseconds and needs no async runtime. Unix only, since a root key file relies on file modes.
    ///
    /// **In production** keep the root key in a key service or an HSM (the crates `rxseal-aws-kms`, `rxseal-vault` and
    /// `rxseal-pkcs11`), make keyrings in a deployment job with [`KeyringAdmin`](crate::keys::KeyringAdmin), and let a
    /// `KeyringManager` unlock them. A root key file protects a stolen database or backup, and not a stolen machine.
    ///
    /// ```
    /// # let folder = std::env::temp_dir().join(format!("rxseal-local-doc-{}", std::process::id()));
    /// # let (root_key, keyrings) = (folder.join("secret/root.key"), folder.join("keyrings"));
    /// use rxseal::Keyring;
    ///
    /// // For example "/etc/pharmacy/root.key" and "/var/lib/pharmacy/keyrings".
    /// let keys = Keyring::unlock_or_create_local(root_key, keyrings, "pharmacy-17")?.unobserved();
    /// assert_eq!(keys.keyspace(), "pharmacy-17");
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), rxseal::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `root-key-missing` and `keyring-missing` as above. `keys-together` if the root key is inside the folder of the keyrings, also through
    /// a link or `..`. `unlock-failed` if the keyring was made under another root key. `invalid-id` if `keyspace` is not a valid name.
    /// Those of [`RootKeyFile`](crate::root::RootKeyFile) and of [`FileStore`](crate::store::FileStore).
    pub fn unlock_or_create_local(
        root_key: impl Into<PathBuf>,
        keyrings: impl Into<PathBuf>,
        keyspace: &str,
    ) -> Result<Unlocked, Error> {
        Name::check("keyspace", keyspace)?;
        let start = LocalStart { root_key: RootKeyFile::new(root_key), keyrings: FileStore::new(keyrings), keyspace };
        start.check_apart()?;
        match start.found()? {
            // The usual start: it takes no lock and needs no right to write.
            Found { root_key: true, keyring: true, mark: false } => {}
            // The folder is created before the root key, so this one was lost.
            Found { root_key: true, keyring: false, mark: false } if !start.keyrings.folder().is_dir() => {
                return Err(start.keyring_lost());
            }
            _ => start.finish()?,
        }
        start.unlock()
    }
}

struct LocalStart<'a> {
    root_key: RootKeyFile,
    keyrings: FileStore,
    keyspace: &'a str,
}

/// What a start found.
struct Found {
    root_key: bool,
    mark: bool,
    keyring: bool,
}

impl LocalStart<'_> {
    /// Checks in the order of a first start: whoever sees its root key also sees its mark, or the keyring that replaced
    /// the mark.
    fn found(&self) -> Result<Found, Error> {
        let root_key = self.root_key.is_there()?;
        let mark = disk::read(&self.mark(), MARK_TEXT.len())?.is_some();
        let keyring = run_local(self.keyrings.get(self.keyspace))?.is_some();
        Ok(Found { root_key, mark, keyring })
    }

    /// Creates what a first start creates, or reports what was lost. One process at a time does this.
    fn finish(&self) -> Result<(), Error> {
        let locked = self.keyrings.lock()?;
        let found = self.found()?;
        if !found.root_key && !run_local(locked.keyspaces())?.is_empty() {
            return Err(self.root_key_missing());
        }
        if found.root_key && !found.keyring && !found.mark {
            self.root_key.load()?;
            return Err(self.keyring_lost());
        }
        if !found.keyring {
            disk::replace(&self.mark(), MARK_TEXT)?;
            let root = self.make_root_key()?;
            let admin = KeyringAdmin::new(locked, RootKeys::from(root));
            run_local(admin.create(self.keyspace, Suite::default()))?;
            // The lock is held until the mark is removed.
            return disk::remove(&self.mark());
        }
        disk::remove(&self.mark())
    }

    /// If the root key could not be created, the mark is removed too: a root key that is put there later does not
    /// belong to this first start.
    fn make_root_key(&self) -> Result<LocalRootKey, Error> {
        self.root_key.load_or_create().inspect_err(|_| {
            if matches!(self.root_key.is_there(), Ok(false)) {
                drop(disk::remove(&self.mark()));
            }
        })
    }

    fn unlock(&self) -> Result<Unlocked, Error> {
        let roots = RootKeys::from(self.root_key.load()?);
        let stored = run_local(self.keyrings.get(self.keyspace))?.ok_or_else(|| self.keyring_lost())?;
        run_local(Keyring::unlock(self.keyspace, &roots, &stored)).map_err(|error| match error.kind() {
            ErrorKind::RootKeyForeign | ErrorKind::UnlockFailed => error.caused_by(self.both()),
            _ => error,
        })
    }

    /// Compares the paths that both lead to, whether they exist or not.
    fn check_apart(&self) -> Result<(), Error> {
        let unreadable = |path: &Path, cause: &io::Error| disk::file_failed(path, cause);
        let folder = self.keyrings.folder();
        let folder = disk::resolved(folder).map_err(|cause| unreadable(folder, &cause))?;
        let root_key = self.root_key.path();
        let root_key = disk::resolved(root_key).map_err(|cause| unreadable(root_key, &cause))?;
        let identity = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
        let folder_is = identity(&folder);
        // A folder may have two names: through a bind mount, or if case does not matter.
        let is_folder = |above: &Path| above == folder || (folder_is.is_some() && identity(above) == folder_is);
        if root_key.ancestors().any(is_folder) {
            let both = format!("{} is inside {}", root_key.display(), folder.display());
            return Err(Error::from(ErrorKind::KeysTogether).caused_by(both));
        }
        Ok(())
    }

    fn mark(&self) -> PathBuf {
        self.keyrings.folder().join(format!("{}{MARK}", self.keyspace))
    }

    fn root_key_missing(&self) -> Error {
        let (root_key, folder) = (self.root_key.path().display(), self.keyrings.folder().display());
        Error::from(ErrorKind::RootKeyMissing).caused_by(format!("no file {root_key}; keyrings in {folder}"))
    }

    /// What was to be opened by what.
    fn both(&self) -> String {
        let (root_key, folder) = (self.root_key.path().display(), self.keyrings.folder().display());
        format!("root key {root_key}, keyring of {} in {folder}", self.keyspace)
    }

    fn keyring_lost(&self) -> Error {
        let (keyspace, folder) = (self.keyspace, self.keyrings.folder().display());
        Error::from(ErrorKind::KeyringLost).caused_by(format!("no keyring of {keyspace} in {folder}"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;

    use super::*;

    const KEYSPACE: &str = "pharmacy-17";

    /// A folder of its own, and in it the paths of a root key and of keyrings.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("rxseal-local-start-{}-{name}", std::process::id()));
            drop(fs::remove_dir_all(&folder));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn root_key(&self) -> PathBuf {
            self.0.join("secret/root.key")
        }

        fn keyrings(&self) -> PathBuf {
            self.0.join("keyrings")
        }

        fn keyring(&self) -> PathBuf {
            self.keyrings().join(format!("{KEYSPACE}.keyring.json"))
        }

        fn mark(&self) -> PathBuf {
            self.keyrings().join(format!("{KEYSPACE}{MARK}"))
        }

        fn start(&self) -> Result<Keyring, Error> {
            Ok(Keyring::unlock_or_create_local(self.root_key(), self.keyrings(), KEYSPACE)?.unobserved())
        }

        fn refusal(&self) -> &'static str {
            let error = self.start().unwrap_err();
            // A `main` that returns it prints its `Debug`.
            assert!(format!("{error:?}").contains(&*self.0.to_string_lossy()), "{error:?} does not say where");
            error.code().as_str()
        }

        /// Every file and what it holds.
        fn files(&self) -> BTreeSet<(PathBuf, Vec<u8>)> {
            let mut files = BTreeSet::new();
            let mut folders = vec![self.0.clone()];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(folder).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_dir() && !path.is_symlink() {
                        folders.push(path);
                    } else if !path.is_symlink() && !path.ends_with(".rxseal-lock") {
                        files.insert((path.clone(), fs::read(path).unwrap()));
                    }
                }
            }
            files
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn a_first_start_makes_both_and_the_next_one_nothing() {
        let place = Place::new("first");
        let first = place.start().unwrap();
        let files = place.files();
        let paths: Vec<_> = files.iter().map(|(path, _)| path.clone()).collect();
        assert_eq!(paths, [place.keyring(), place.root_key()]);
        let next = place.start().unwrap();
        assert_eq!(first.primary_key(), next.primary_key());
        assert_eq!(place.files(), files);
    }

    #[test]
    fn the_usual_start_needs_no_right_to_write() {
        use std::os::unix::fs::PermissionsExt;
        let place = Place::new("read-only");
        place.start().unwrap();
        // The lock would be made anew: even root, who may write anywhere, shows that it was not.
        fs::remove_file(place.keyrings().join(".rxseal-lock")).unwrap();
        fs::set_permissions(place.keyrings(), fs::Permissions::from_mode(0o500)).unwrap();
        place.start().unwrap();
        assert!(!place.keyrings().join(".rxseal-lock").exists());
        fs::set_permissions(place.keyrings(), fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn a_lost_root_key_gets_no_other_one() {
        let place = Place::new("no-root");
        let first = place.start().unwrap();
        let kept = place.0.join("backup.key");
        fs::rename(place.root_key(), &kept).unwrap();
        let files = place.files();
        assert_eq!(place.refusal(), "root-key-missing");
        // Nor does it get one for the sake of another keyspace.
        let other = Keyring::unlock_or_create_local(place.root_key(), place.keyrings(), "pharmacy-18");
        assert_eq!(other.unwrap_err().code().as_str(), "root-key-missing");
        assert_eq!(place.files(), files);
        fs::rename(&kept, place.root_key()).unwrap();
        assert_eq!(place.start().unwrap().primary_key(), first.primary_key());
    }

    #[test]
    fn a_lost_keyring_gets_no_other_one() {
        let place = Place::new("no-keyring");
        place.start().unwrap();
        fs::remove_file(place.keyring()).unwrap();
        let files = place.files();
        assert_eq!(place.refusal(), "keyring-missing");
        assert_eq!(place.files(), files);
        // With its folder: a disk that is not mounted.
        fs::remove_dir_all(place.keyrings()).unwrap();
        assert_eq!(place.refusal(), "keyring-missing");
        assert!(!place.keyrings().exists());
        fs::create_dir(place.keyrings()).unwrap();
        assert_eq!(place.refusal(), "keyring-missing");
    }

    #[test]
    fn a_second_keyspace_is_made_on_purpose() {
        let place = Place::new("second");
        place.start().unwrap();
        let start = || Keyring::unlock_or_create_local(place.root_key(), place.keyrings(), "pharmacy-18");
        let error = start().unwrap_err();
        assert_eq!(error.code().as_str(), "keyring-missing");
        assert!(error.to_string().contains("KeyringAdmin::create"));
        let roots = RootKeys::from(RootKeyFile::new(place.root_key()).load().unwrap());
        let admin = KeyringAdmin::new(FileStore::new(place.keyrings()), roots);
        run_local(admin.create("pharmacy-18", Suite::default())).unwrap();
        assert_eq!(start().unwrap().unobserved().keyspace(), "pharmacy-18");
        assert_eq!(place.start().unwrap().keyspace(), KEYSPACE);
    }

    /// The state after each step of a first start.
    #[test]
    fn a_first_start_that_was_interrupted_is_finished() {
        for steps in 1..=4 {
            let place = Place::new(&format!("crash-{steps}"));
            fs::create_dir(place.keyrings()).unwrap();
            let mut root = None;
            let mut made = None;
            if steps >= 2 {
                fs::write(place.mark(), MARK_TEXT).unwrap();
            }
            if steps >= 3 {
                root = Some(RootKeyFile::new(place.root_key()).create().unwrap());
            }
            let root_text = fs::read(place.root_key()).ok();
            if steps >= 4 {
                let admin = KeyringAdmin::new(FileStore::new(place.keyrings()), RootKeys::from(root.take().unwrap()));
                made = Some(run_local(admin.create(KEYSPACE, Suite::default())).unwrap());
            }
            let keys = place.start().unwrap_or_else(|error| panic!("after step {steps}: {error:?}"));
            assert!(!place.mark().exists(), "after step {steps}");
            assert!(root_text.is_none_or(|text| fs::read(place.root_key()).unwrap() == text));
            assert!(made.is_none_or(|file| file.keys().iter().any(|key| key.id() == keys.primary_key())));
            // It was finished for good: what is lost from now on is no first start.
            fs::remove_file(place.keyring()).unwrap();
            assert_eq!(place.refusal(), "keyring-missing", "after step {steps}");
        }
    }

    #[test]
    fn a_root_key_that_cannot_be_made_leaves_no_mark() {
        let place = Place::new("no-place");
        fs::write(place.0.join("secret"), "a file where the folder should be").unwrap();
        let error = place.start().unwrap_err();
        assert!(["root-key-io", "store-refused"].contains(&error.code().as_str()), "{error:?}");
        assert!(!place.mark().exists());
        assert!(!place.keyring().exists());
    }

    #[test]
    fn never_both_in_one_folder() {
        let place = Place::new("together");
        let at = |path: &str| place.0.join(path);
        fs::create_dir(at("real")).unwrap();
        std::os::unix::fs::symlink(at("real"), at("link")).unwrap();
        std::os::unix::fs::symlink("real/root.key", at("root.link")).unwrap();
        let here = std::env::current_dir().unwrap();
        let up = "../".repeat(here.components().count());
        let relative = PathBuf::from(format!("{up}{}", at("real/root.key").strip_prefix("/").unwrap().display()));
        for (root_key, keyrings) in [
            (at("keys/root.key"), at("keys")),
            (at("keys/root.key"), at("keys/.")),
            (at("keys/root.key"), at("keys/")),
            (at("keys/deeper/root.key"), at("keys")),
            (at("keys/../keys/root.key"), at("keys")),
            (at("other/../keys/root.key"), at("keys")),
            (at("keys/root.key"), at("other/../keys")),
            (at("real/root.key"), at("link")),
            (at("link/root.key"), at("real")),
            (at("link/new/root.key"), at("real")),
            (at("real/new/../root.key"), at("link/../real")),
            (relative, at("link")),
            (at("keys"), at("keys")),
            ("root.key".into(), ".".into()),
            ("root.key".into(), here),
        ] {
            let started = Keyring::unlock_or_create_local(&root_key, &keyrings, KEYSPACE);
            assert_eq!(
                started.unwrap_err().code().as_str(),
                "keys-together",
                "{} {}",
                root_key.display(),
                keyrings.display()
            );
            assert_eq!(place.files(), BTreeSet::new());
            assert!(!at("keys").exists());
        }
        // A link to a root key that lies in there.
        RootKeyFile::new(at("real/root.key")).create().unwrap();
        let linked = Keyring::unlock_or_create_local(at("root.link"), at("real"), KEYSPACE);
        assert_eq!(linked.unwrap_err().code().as_str(), "keys-together");
        // Keyrings below the folder of the root key are allowed.
        let keys = Keyring::unlock_or_create_local(at("root.key"), at("keyrings"), KEYSPACE).unwrap().unobserved();
        assert_eq!(keys.generation(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_path() {
        let place = Place::new("damaged");
        place.start().unwrap();
        let text = fs::read_to_string(place.keyring()).unwrap();
        fs::write(place.keyring(), &text[..text.len() / 2]).unwrap();
        assert_eq!(place.refusal(), "invalid-keyring");
        fs::write(place.keyring(), text.replace(KEYSPACE, "pharmacy-18")).unwrap();
        assert_eq!(place.refusal(), "keyring-mismatch");
        fs::remove_dir_all(place.keyrings()).unwrap();
        fs::write(place.keyrings(), "a file where the folder should be").unwrap();
        assert_eq!(place.refusal(), "store-refused");
    }

    #[test]
    fn what_is_not_a_root_key_is_said_first() {
        let place = Place::new("bad");
        fs::create_dir_all(place.root_key()).unwrap();
        fs::create_dir(place.keyrings()).unwrap();
        assert_eq!(place.refusal(), "invalid-root-key");
        let error = Keyring::unlock_or_create_local(place.root_key(), place.keyrings(), "no/name").unwrap_err();
        assert_eq!(error.code().as_str(), "invalid-id");
    }

    #[test]
    fn a_keyring_of_another_root_key_is_not_replaced() {
        let (one, other) = (Place::new("one"), Place::new("other"));
        one.start().unwrap();
        other.start().unwrap();
        let mixed = Keyring::unlock_or_create_local(one.root_key(), other.keyrings(), KEYSPACE).unwrap_err();
        assert_eq!(mixed.code().as_str(), "unlock-failed");
        let (said, places) = (format!("{mixed:?}"), [one.root_key(), other.keyrings()]);
        assert!(places.iter().all(|place| said.contains(&*place.to_string_lossy())), "{said}");
        other.start().unwrap();
    }

    /// Processes, since a lock that one process holds twice proves little.
    #[test]
    fn processes_that_start_at_once_get_the_same_keys() {
        const PLACE: &str = "RXSEAL_TEST_LOCAL_START";
        if let Some(folder) = std::env::var_os(PLACE) {
            // Not dropped, since its files are not this process's.
            let place = std::mem::ManuallyDrop::new(Place(folder.into()));
            println!("primary {}", place.start().unwrap().primary_key());
            return;
        }
        for round in 0..4 {
            let place = Place::new(&format!("race-{round}"));
            let name = std::thread::current().name().unwrap().to_owned();
            let started: Vec<_> = (0..6)
                .map(|_| {
                    let mut command = Command::new(std::env::current_exe().unwrap());
                    command.args(["--exact", &name, "--nocapture"]).env(PLACE, &place.0);
                    command.stdout(std::process::Stdio::piped()).spawn().unwrap()
                })
                .collect();
            let primaries: BTreeSet<_> = started
                .into_iter()
                .map(|child| {
                    let output = child.wait_with_output().unwrap();
                    let text = String::from_utf8(output.stdout).unwrap();
                    assert!(output.status.success(), "{text}");
                    text.lines().find_map(|line| line.split_once("primary ")).unwrap().1.to_owned()
                })
                .collect();
            assert_eq!(primaries, BTreeSet::from([place.start().unwrap().primary_key().to_string()]));
            assert!(!place.mark().exists());
        }
    }
}
