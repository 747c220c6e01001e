//! The first start and every later one of a program whose keys are all on this machine.
//!
//! A root key without a keyring would look alike after a crash in the middle of a first start and after the loss of the keyring, and
//! only one of them may make a keyring. So a first start keeps its root key under another name until the keyring is stored: a root key
//! in its place had a keyring. Nothing in the keyrings' folder is asked about this, since whoever restores or changes that folder alone
//! must not get a new keyring.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::admin::KeyringAdmin;
use crate::aead::Suite;
use crate::disk;
use crate::error::{Error, ErrorCode, ErrorKind};
use crate::id::Name;
use crate::keyring::{Keyring, UnlockOptions, Unlocked};
use crate::root_key::{RootKeyFile, RootKeys, run_local};
use crate::store::{FileStore, KeyringStore};

/// What follows the root key's name until its first keyring is stored.
const FIRST: &str = ".first-start";

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
    /// A first start that was interrupted is finished by the next one: until the keyring is stored, its root key is beside its place, with
    /// `.first-start` after its name. Of programs that start at once, all get the same keys.
    ///
    /// The call blocks for milliseconds and needs no async runtime. Unix only, since a root key file relies on file modes.
    ///
    /// **In production** keep the root key in a key service or an HSM (the crates `rxseal-aws-kms`, `rxseal-vault` and
    /// `rxseal-pkcs11`), make keyrings in a deployment job with [`KeyringAdmin`], and let a
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
    /// Those of [`RootKeyFile`] and of [`FileStore`].
    pub fn unlock_or_create_local(
        root_key: impl Into<PathBuf>,
        keyrings: impl Into<PathBuf>,
        keyspace: &str,
    ) -> Result<Unlocked, Error> {
        Self::unlock_or_create_local_with(UnlockOptions::default(), root_key, keyrings, keyspace)
    }

    /// The same as [`unlock_or_create_local`](Self::unlock_or_create_local), with index roots for a program that searches, or with other
    /// conditions.
    ///
    /// ```
    /// # let folder = std::env::temp_dir().join(format!("rxseal-local-with-doc-{}", std::process::id()));
    /// # let (root_key, keyrings) = (folder.join("secret/root.key"), folder.join("keyrings"));
    /// use rxseal::Keyring;
    /// use rxseal::keys::UnlockOptions;
    ///
    /// let searching = UnlockOptions::default().with_index_roots();
    /// let keys = Keyring::unlock_or_create_local_with(searching, root_key, keyrings, "pharmacy-17")?.unobserved();
    /// # assert_eq!(keys.keyspace(), "pharmacy-17");
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), rxseal::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Also `keyring-too-old`, `pin-mismatch` and `backend-failed`. A first start that a minimum generation or a pin rules out makes no
    /// keys.
    pub fn unlock_or_create_local_with(
        options: UnlockOptions,
        root_key: impl Into<PathBuf>,
        keyrings: impl Into<PathBuf>,
        keyspace: &str,
    ) -> Result<Unlocked, Error> {
        Name::check("keyspace", keyspace)?;
        let root_key = RootKeyFile::new(root_key);
        let mut first = root_key.path().as_os_str().to_owned();
        first.push(FIRST);
        let (first, keyrings) = (RootKeyFile::new(first), FileStore::new(keyrings));
        let start = LocalStart { root_key, first, keyrings, keyspace, options };
        start.check_apart()?;
        match start.found()? {
            // The usual start: it takes no lock and needs no right to write.
            Found { root_key: true, keyring: true } => start.remove_second_name(),
            Found { root_key: true, keyring: false } => {
                start.root_key.load()?;
                return Err(start.keyring_lost());
            }
            Found { root_key: false, .. } => start.finish()?,
        }
        start.unlock()
    }
}

struct LocalStart<'a> {
    root_key: RootKeyFile,
    /// The root key while its first start is going on.
    first: RootKeyFile,
    keyrings: FileStore,
    keyspace: &'a str,
    options: UnlockOptions,
}

/// What a start finds.
struct Found {
    root_key: bool,
    keyring: bool,
}

impl LocalStart<'_> {
    /// The root key first: it gets its place after the keyring.
    fn found(&self) -> Result<Found, Error> {
        let root_key = self.root_key.is_there()?;
        let keyring = run_local(self.keyrings.get(self.keyspace))?.is_some();
        Ok(Found { root_key, keyring })
    }

    /// Makes what a first start has to make, or tells what was lost. One process at a time does this.
    fn finish(&self) -> Result<(), Error> {
        let locked = self.keyrings.lock()?;
        if fs::symlink_metadata(self.root_key.path()).is_ok() {
            // By another process meanwhile; or a link that leads nowhere, which is in the way.
            return self.root_key.load().map(drop);
        }
        let keyspaces = run_local(locked.keyspaces())?;
        let own = keyspaces.iter().find(|keyspace| *keyspace == self.keyspace);
        let Some(keyspace) = own.or(keyspaces.first()) else {
            self.options.check_new()?;
            let first = self.first.load_or_create()?;
            // Looked at again: a first start with another folder of keyrings may have ended, and then this is not its root key.
            if self.root_key.is_there()? {
                self.remove_second_name();
                return Ok(());
            }
            let admin = KeyringAdmin::new(locked, RootKeys::from(first));
            run_local(admin.create(self.keyspace, Suite::default()))?;
            return self.put_root_key_in_place();
        };
        if !self.first_unlocks(keyspace)? {
            return Err(self.root_key_missing());
        }
        self.put_root_key_in_place()
    }

    /// Whether the root key of a first start has made this keyring.
    fn first_unlocks(&self, keyspace: &str) -> Result<bool, Error> {
        if !self.first.is_there()? {
            return Ok(false);
        }
        let roots = RootKeys::from(self.first.load()?);
        let Some(stored) = run_local(self.keyrings.get(keyspace))? else { return Ok(false) };
        match run_local(Keyring::unlock(keyspace, &roots, &stored)) {
            Ok(_) => Ok(true),
            Err(error) if error.code() == ErrorCode::UnlockFailed => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// By a link, which never takes the place of another file. If one is there meanwhile, unlocking tells whether it is the same key.
    fn put_root_key_in_place(&self) -> Result<(), Error> {
        let (first, place) = (self.first.path(), self.root_key.path());
        let placed = fs::hard_link(first, place).and_then(|()| disk::sync_folder(disk::parent(place)));
        if let Err(cause) = placed
            && !self.root_key.is_there()?
        {
            let cause = io::Error::new(cause.kind(), format!("{}: {cause}", place.display()));
            return Err(Error::from(ErrorKind::RootKeyIo).caused_by(cause));
        }
        self.remove_second_name();
        Ok(())
    }

    /// The name that a root key in its place still has after a crash. What is not the same file stays. If this fails, the next start does it.
    fn remove_second_name(&self) {
        let identity = |path| fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()));
        let first = identity(self.first.path());
        if first.is_some() && first == identity(self.root_key.path()) {
            drop(disk::remove(self.first.path()));
        }
    }

    fn unlock(self) -> Result<Unlocked, Error> {
        let roots = RootKeys::from(self.root_key.load()?);
        let stored = run_local(self.keyrings.get(self.keyspace))?.ok_or_else(|| self.keyring_lost())?;
        run_local(Keyring::unlock_with(self.options, self.keyspace, &roots, &stored))
    }

    /// By what the paths lead to, whether it is there already or not.
    fn check_apart(&self) -> Result<(), Error> {
        let unreadable = |path: &Path, cause: &io::Error| disk::file_failed(path, cause);
        let folder = self.keyrings.folder();
        let folder = disk::resolved(folder).map_err(|cause| unreadable(folder, &cause))?;
        let root_key = self.root_key.path();
        let root_key = disk::resolved(root_key).map_err(|cause| unreadable(root_key, &cause))?;
        let identity = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
        let folder_is = identity(&folder);
        // A folder may have two names: by a bind mount, or where case does not matter.
        let is_folder = |above: &Path| above == folder || (folder_is.is_some() && identity(above) == folder_is);
        if root_key.ancestors().any(is_folder) {
            let both = format!("{} is inside {}", root_key.display(), folder.display());
            return Err(Error::from(ErrorKind::KeysTogether).caused_by(both));
        }
        Ok(())
    }

    fn root_key_missing(&self) -> Error {
        let (root_key, folder) = (self.root_key.path().display(), self.keyrings.folder().display());
        Error::from(ErrorKind::RootKeyMissing).caused_by(format!("no file {root_key}; keyrings in {folder}"))
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

        /// Where the root key of a first start is.
        fn first(&self) -> PathBuf {
            self.0.join(format!("secret/root.key{FIRST}"))
        }

        fn start(&self) -> Result<Keyring, Error> {
            Ok(Keyring::unlock_or_create_local(self.root_key(), self.keyrings(), KEYSPACE)?.unobserved())
        }

        fn refusal(&self) -> &'static str {
            let error = self.start().unwrap_err();
            assert!(std::error::Error::source(&error).is_some(), "{error} names no path");
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
    fn it_unlocks_as_it_is_told() {
        let place = Place::new("options");
        let start = |options| {
            let keys = Keyring::unlock_or_create_local_with(options, place.root_key(), place.keyrings(), KEYSPACE);
            keys.map(Unlocked::unobserved)
        };
        let code = |options| start(options).unwrap_err().code().as_str();
        let ruled_out = || [UnlockOptions::default().min_generation(2), UnlockOptions::default().pin([7; 32])];
        assert_eq!(ruled_out().map(code), ["keyring-too-old", "pin-mismatch"]);
        assert_eq!(place.files(), BTreeSet::new(), "keys that nobody may use are not made");

        let has_index_roots = |keys: &Keyring| keys.shares().shared().keys.primary_index_root().is_some();
        assert!(has_index_roots(&start(UnlockOptions::default().with_index_roots()).unwrap()));
        assert!(!has_index_roots(&place.start().unwrap()));
        assert_eq!(ruled_out().map(code), ["keyring-too-old", "pin-mismatch"]);
        assert!(start(UnlockOptions::default().min_generation(1)).is_ok());
    }

    #[test]
    fn the_usual_start_needs_no_right_to_write() {
        use std::os::unix::fs::PermissionsExt;
        let place = Place::new("read-only");
        place.start().unwrap();
        // The lock file would be created again. Even root, who may write anywhere, shows that it was not.
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
            let made = interrupt(&place, steps);
            let root_text = fs::read(place.first()).ok();
            let keys = place.start().unwrap_or_else(|error| panic!("after step {steps}: {error:?}"));
            assert!(!place.first().exists(), "after step {steps}");
            assert!(root_text.is_none_or(|text| fs::read(place.root_key()).unwrap() == text));
            assert!(made.is_none_or(|file| file.keys().iter().any(|key| key.id() == keys.primary_key())));
            // The first start is finished for good: whatever is lost from now on does not start another.
            fs::remove_file(place.keyring()).unwrap();
            assert_eq!(place.refusal(), "keyring-missing", "after step {steps}");
        }
    }

    /// Does as many steps as a first start did before it was killed.
    fn interrupt(place: &Place, steps: u32) -> Option<crate::key::KeyringFile> {
        fs::create_dir(place.keyrings()).unwrap();
        let root = (steps >= 2).then(|| RootKeyFile::new(place.first()).create().unwrap());
        let made = root.filter(|_| steps >= 3).map(|root| {
            let admin = KeyringAdmin::new(FileStore::new(place.keyrings()), RootKeys::from(root));
            run_local(admin.create(KEYSPACE, Suite::default())).unwrap()
        });
        if steps >= 4 {
            fs::hard_link(place.first(), place.root_key()).unwrap();
        }
        made
    }

    /// Whoever may only write there, or restores a backup of it alone, gets no new keyring beside data under the lost one.
    #[test]
    fn nothing_in_the_keyrings_folder_makes_a_new_keyring() {
        for steps in 1..=4 {
            let place = Place::new(&format!("planted-{steps}"));
            interrupt(&place, steps);
            let before: Vec<_> = fs::read_dir(place.keyrings()).unwrap().map(|entry| entry.unwrap().path()).collect();
            let backup: Vec<_> = before.into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
            let first = place.start().unwrap();
            fs::remove_dir_all(place.keyrings()).unwrap();
            fs::create_dir(place.keyrings()).unwrap();
            for (bytes, path) in backup {
                fs::write(path, bytes).unwrap();
            }
            for name in [FIRST, &format!("{KEYSPACE}{FIRST}"), &format!("root.key{FIRST}")] {
                fs::write(place.keyrings().join(name), "A first start of rxseal has begun here.\n").unwrap();
            }
            match place.start() {
                Ok(keys) => assert_eq!(keys.primary_key(), first.primary_key(), "step {steps}"),
                Err(error) => assert_eq!(error.code().as_str(), "keyring-missing", "step {steps}"),
            }
        }
    }

    #[test]
    fn the_root_key_of_a_first_start_is_not_that_of_another_keyring() {
        let (one, other) = (Place::new("one-first"), Place::new("other-first"));
        interrupt(&one, 2);
        other.start().unwrap();
        let mixed = Keyring::unlock_or_create_local(one.root_key(), other.keyrings(), KEYSPACE);
        assert_eq!(mixed.unwrap_err().code().as_str(), "root-key-missing");
        assert!(!one.root_key().exists());
        // Nor is it put over another one, or removed beside it.
        fs::copy(other.root_key(), one.root_key()).unwrap();
        assert!(Keyring::unlock_or_create_local(one.root_key(), other.keyrings(), KEYSPACE).is_ok());
        assert!(one.first().exists());
    }

    /// Another keyspace finishes a first start, and gets no keyring by it.
    #[test]
    fn a_first_start_of_another_keyspace_is_finished() {
        let place = Place::new("other-keyspace");
        let made = interrupt(&place, 3).unwrap();
        let other = Keyring::unlock_or_create_local(place.root_key(), place.keyrings(), "pharmacy-18");
        assert_eq!(other.unwrap_err().code().as_str(), "keyring-missing");
        let primary = place.start().unwrap().primary_key();
        assert!(made.keys().iter().any(|key| key.id() == primary));
    }

    #[test]
    fn a_root_key_that_cannot_be_made_leaves_nothing() {
        let place = Place::new("no-place");
        fs::write(place.0.join("secret"), "a file where the folder should be").unwrap();
        let error = place.start().unwrap_err();
        assert!(["root-key-io", "store-refused"].contains(&error.code().as_str()), "{error:?}");
        assert!(!place.keyring().exists());
        // A link that leads nowhere is in the way.
        fs::remove_file(place.0.join("secret")).unwrap();
        fs::create_dir(place.0.join("secret")).unwrap();
        std::os::unix::fs::symlink("nowhere", place.root_key()).unwrap();
        assert_eq!(place.refusal(), "root-key-io");
        assert!(!place.keyring().exists() && !place.first().exists());
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
        // A link to a root key in that folder.
        RootKeyFile::new(at("real/root.key")).create().unwrap();
        let linked = Keyring::unlock_or_create_local(at("root.link"), at("real"), KEYSPACE);
        assert_eq!(linked.unwrap_err().code().as_str(), "keys-together");
        // Keyrings below the folder of the root key are allowed.
        let keys = Keyring::unlock_or_create_local(at("root.key"), at("keyrings"), KEYSPACE).unwrap().unobserved();
        assert_eq!(keys.generation(), 1);
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
        let mixed = Keyring::unlock_or_create_local(one.root_key(), other.keyrings(), KEYSPACE);
        assert_eq!(mixed.unwrap_err().code().as_str(), "unlock-failed");
        other.start().unwrap();
    }

    /// They have no lock in common. Whichever is first has the root key; nobody's keyring is left under another one.
    #[test]
    fn first_starts_with_two_folders_of_keyrings_have_one_root_key() {
        for round in 0..60 {
            let place = Place::new(&format!("two-folders-{round}"));
            let folders = [place.keyrings(), place.0.join("others")];
            let start = |of: usize| Keyring::unlock_or_create_local(place.root_key(), &folders[of % 2], KEYSPACE);
            std::thread::scope(|scope| {
                for of in 0..4 {
                    scope.spawn(move || drop(start(of)));
                }
            });
            let ends = [0, 1].map(|of| start(of).map(|_| "ok").unwrap_or_else(|error| error.code().as_str()));
            assert!(ends.contains(&"ok"), "{ends:?}");
            assert!(ends.iter().all(|end| ["ok", "keyring-missing"].contains(end)), "{ends:?}");
        }
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
            assert!(!place.first().exists());
        }
    }
}
