//! The files of tests/vectors, their root keys and keyrings, and the count of what ran.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use rxseal::root::{LocalRootKey, RootKeyFile, RootKeys};
use rxseal::{Access, Error, Keyring, Purpose, run_local};
use serde_json::Value;

pub(crate) struct Vector {
    pub(crate) file: String,
    pub(crate) json: Value,
}

impl Vector {
    pub(crate) fn has(&self, member: &str) -> bool {
        self.json.get(member).is_some()
    }

    #[track_caller]
    pub(crate) fn get(&self, member: &str) -> &Value {
        self.json.get(member).unwrap_or_else(|| panic!("{}: no member {member}", self.file))
    }

    #[track_caller]
    pub(crate) fn text(&self, member: &str) -> &str {
        self.get(member).as_str().unwrap_or_else(|| panic!("{}: {member} is no text", self.file))
    }

    #[track_caller]
    pub(crate) fn number(&self, member: &str) -> u64 {
        self.get(member).as_u64().unwrap_or_else(|| panic!("{}: {member} is no number", self.file))
    }

    pub(crate) fn bytes(&self, member: &str) -> Vec<u8> {
        unhex(self.text(member))
    }

    /// `[[a, b], ..]`
    pub(crate) fn pairs(&self, member: &str) -> Vec<(&str, &str)> {
        let pairs = self.get(member).as_array().unwrap().iter();
        pairs.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect()
    }

    pub(crate) fn expects_ok(&self) -> bool {
        self.text("expect") == "ok"
    }

    /// Compares an outcome with the expected code; on `ok` the caller compares what it gave.
    #[track_caller]
    pub(crate) fn check_code<T>(&self, entry: &str, outcome: &Result<T, Error>) {
        let code = outcome.as_ref().map_or_else(|error| error.code().as_str(), |_| "ok");
        assert_eq!(code, self.text("expect"), "{} by {entry}", self.file);
    }
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

pub(crate) fn all_vectors() -> Vec<Vector> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    files.sort();
    let read = |path: PathBuf| Vector {
        file: path.file_name().unwrap().to_string_lossy().into_owned(),
        json: serde_json::from_slice(&fs::read(&path).unwrap()).unwrap(),
    };
    files.into_iter().map(read).collect()
}

pub(crate) fn vectors(test: &str) -> Vec<Vector> {
    all_vectors().into_iter().filter(|vector| vector.text("test") == test).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2) && text.is_ascii());
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// What ran of one type, by entry point, and what did not, with the reason.
pub(crate) struct Run {
    test: &'static str,
    ran: BTreeMap<&'static str, usize>,
    skipped: BTreeMap<&'static str, usize>,
}

impl Run {
    pub(crate) fn of(test: &'static str) -> Self {
        Self { test, ran: BTreeMap::new(), skipped: BTreeMap::new() }
    }

    pub(crate) fn count(&mut self, entry: &'static str) {
        *self.ran.entry(entry).or_default() += 1;
    }

    pub(crate) fn skip(&mut self, vector: &Vector, reason: &'static str) {
        println!("{}: not expressible: {reason}", vector.file);
        *self.skipped.entry(reason).or_default() += 1;
    }

    #[track_caller]
    pub(crate) fn check(&self, ran: &[(&'static str, usize)], skipped: &[(&'static str, usize)]) {
        println!("{}: ran {:?}, skipped {:?}", self.test, self.ran, self.skipped);
        assert_eq!(self.ran, ran.iter().copied().collect(), "{}: vectors ran", self.test);
        assert_eq!(self.skipped, skipped.iter().copied().collect(), "{}: vectors skipped", self.test);
    }
}

/// A folder of this test's own, gone when it ends.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rxseal-vectors-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    /// A root key file that holds `text`. Git keeps no modes, so the files of the vectors cannot be loaded in place.
    pub(crate) fn root_key(&self, text: &str) -> RootKeyFile {
        let path = self.0.join("root.key");
        let _ = fs::remove_file(&path);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        RootKeyFile::new(path)
    }

    pub(crate) fn load_root_key(&self, file: &str) -> LocalRootKey {
        self.root_key(&fs::read_to_string(folder().join("root_keys").join(file)).unwrap()).load().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn keyring_text(vector: &Vector) -> String {
    let mut text = match vector.json.get("keyring") {
        Some(text) => text.as_str().unwrap().to_owned(),
        None => fs::read_to_string(folder().join("keyrings").join(vector.text("keyring_file"))).unwrap(),
    };
    if vector.has("keys_added") {
        let keys: String = (1..=vector.number("keys_added")).map(added_key).collect();
        text = text.replacen("\"keys\":[", &format!("\"keys\":[{keys}"), 1);
    }
    if vector.has("wrap_added") {
        let wrapped = base64(&vec![0; vector.number("wrap_added").try_into().unwrap()]);
        let wrap = format!("{{\"provider\":\"p\",\"root_key\":\"n\",\"wrapped\":\"{wrapped}\"}},");
        text = text.replacen("\"wraps\":[", &format!("\"wraps\":[{wrap}"), 1);
    }
    if vector.has("spaces_after") {
        text.extend(std::iter::repeat_n(' ', vector.number("spaces_after").try_into().unwrap()));
    }
    text
}

/// One of the keys that make a file too large to be committed.
fn added_key(number: u64) -> String {
    let mut fingerprint = [0x5A; 32];
    fingerprint[..6].copy_from_slice(&number.to_be_bytes()[2..]);
    let (id, fingerprint) = (base64(&fingerprint[..6]), base64(&fingerprint));
    format!(
        "{{\"id\":\"{id}\",\"fingerprint\":\"{fingerprint}\",\"use\":\"seal\",\"state\":\"deactivated\",\"primary\":false,\
         \"suite\":\"X\",\"created\":1760000000,\"changed\":1760000000}},"
    )
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// The unlocked keyrings that `open` and `subject_key` vectors name.
pub(crate) struct Keyrings {
    scratch: Scratch,
    unlocked: HashMap<[String; 3], Keyring>,
}

impl Keyrings {
    pub(crate) fn new(name: &str) -> Self {
        Self { scratch: Scratch::new(name), unlocked: HashMap::new() }
    }

    pub(crate) fn of(&mut self, vector: &Vector) -> &Keyring {
        let id = ["root_key_file", "keyring_file", "keyspace"].map(|member| vector.text(member).to_owned());
        let scratch = &self.scratch;
        self.unlocked.entry(id).or_insert_with(|| unlock(scratch, vector))
    }

    /// The same, unlocked for this vector only: none of its class keys was made for another vector.
    pub(crate) fn fresh(&self, vector: &Vector) -> Keyring {
        unlock(&self.scratch, vector)
    }
}

fn unlock(scratch: &Scratch, vector: &Vector) -> Keyring {
    let roots = RootKeys::from(scratch.load_root_key(vector.text("root_key_file")));
    let file = keyring_text(vector).parse().unwrap();
    run_local(Keyring::unlock(vector.text("keyspace"), &roots, &file)).unwrap().unobserved()
}

pub(crate) fn access() -> Access {
    Access::new("job:vectors", Purpose::HOPERAT).unwrap()
}
