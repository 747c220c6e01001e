//! Folders, watches and what is in their logs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rxseal::{Access, Keyring, Purpose};
use rxseal_watch::verify::{Report, Verifier};
use rxseal_watch::{CheckpointFolder, FileLog, SigningKey, Watch, WatchBuilder};
use serde_json::Value;

/// A scratch folder with a log and a place elsewhere for checkpoints, gone when it is dropped.
pub struct Place {
    folder: PathBuf,
    key: SigningKey,
}

impl Place {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("rxseal-watch-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let place = Self::at(&std::env::temp_dir().join(name));
        fs::create_dir_all(place.log()).unwrap();
        fs::create_dir_all(place.elsewhere()).unwrap();
        fs::write(place.folder.join("key"), &**place.key.expose_text()).unwrap();
        place
    }

    fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), key: SigningKey::generate("tests.example").unwrap() }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub fn elsewhere(&self) -> PathBuf {
        self.folder.join("elsewhere")
    }

    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// A watch whose checkpoints are kept elsewhere too.
    pub fn watch(&self) -> WatchBuilder {
        watch_in(&self.folder)
    }

    /// The lines of all chains, the oldest first.
    pub fn lines(&self) -> Vec<String> {
        let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
        self.files().iter().flat_map(|path| read(path).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    pub fn files(&self) -> Vec<PathBuf> {
        files(&self.log(), "rxa")
    }

    /// The events of all chains.
    pub fn events(&self) -> Vec<Value> {
        self.lines().iter().map(|line| serde_json::from_str(line.split_once(' ').unwrap().1).unwrap()).collect()
    }

    pub fn openings(&self) -> Vec<Value> {
        self.events().into_iter().filter(|event| event["e"] == "open" || event["e"] == "index").collect()
    }

    /// As if the last line were old.
    pub fn verify(&self) -> Report {
        let verifier = Verifier::new([self.key.verifier()]).at(u64::MAX);
        verifier.checkpoints(self.elsewhere()).unwrap().verify(self.log()).unwrap()
    }

    pub fn codes(&self) -> Vec<&'static str> {
        self.verify().findings().iter().map(rxseal_watch::verify::Finding::code).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// A watch in the folder of a place that another process made.
pub fn watch_in(folder: &Path) -> WatchBuilder {
    let key: SigningKey = fs::read_to_string(folder.join("key")).unwrap().parse().unwrap();
    let log = FileLog::in_folder(folder.join("log"), key).unwrap();
    Watch::over(log).service("tests").copy_to(CheckpointFolder::new(folder.join("elsewhere")))
}

pub fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == end));
    files.sort();
    files
}

pub fn keyring(watch: &Watch) -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(watch.observer())
}

pub fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

/// Opens one field of each of these records.
pub fn open_records(keys: &Keyring, access: &Access, ids: impl IntoIterator<Item = u64>) {
    for id in ids {
        let record = keys.record("prescription", id).unwrap();
        let token = record.seal::<rxseal::phi::Drug>("warfarin 5 MG").unwrap();
        assert_eq!(record.opened_by(access).open::<rxseal::phi::Drug, String>(&token).unwrap(), "warfarin 5 MG");
    }
}

pub fn is_full() -> bool {
    std::env::var_os("RXSEAL_FULL").is_some()
}
