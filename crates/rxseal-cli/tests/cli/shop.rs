//! A folder with a root key and a keyring, and the command run in it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rxseal::keys::KeyringFile;
use rxseal::phi::Drug;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::store::{FileStore, KeyringStore};
use rxseal::{Keyring, Token, run_local};
use rxseal_sqlite::SqliteStore;
use serde_json::Value;
use sha2::{Digest, Sha256};

pub const TENANT: &str = "pharmacy-17";

pub struct Shop {
    pub folder: PathBuf,
    pub store: String,
}

impl Shop {
    pub fn new(name: &str, store: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rxseal-cli-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let store = store.replace("HERE", folder.to_str().unwrap());
        Self { folder, store }
    }

    /// With a root key and a first keyring.
    pub fn opened(name: &str, store: &str) -> Self {
        let shop = Self::new(name, store);
        shop.ok("key-file create root.key");
        shop.ok("keyring init pharmacy-17");
        shop
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
        command.current_dir(&self.folder).env_clear();
        command.env("RXSEAL_STORE", &self.store).env("RXSEAL_ROOTS", "file:root.key");
        command
    }

    pub fn run(&self, arguments: &str) -> Output {
        self.command().args(arguments.split_whitespace()).stdin(Stdio::null()).output().unwrap()
    }

    #[track_caller]
    pub fn ok(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty());
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    pub fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("--json {arguments}"))).unwrap()
    }

    /// Fails with this exit code and one line, which it gives.
    #[track_caller]
    pub fn fails(&self, arguments: &str, exit: i32) -> String {
        fails(self.run(arguments), arguments, exit)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn stored(&self) -> KeyringFile {
        run_local(FileStore::new(self.path("rings")).get(TENANT)).unwrap().unwrap()
    }

    pub fn keys(&self) -> Keyring {
        self.unlock(&self.stored())
    }

    pub fn keys_in_sqlite(&self) -> Keyring {
        let stored = run_local(SqliteStore::open(self.path("rings.db")).unwrap().get(TENANT)).unwrap().unwrap();
        self.unlock(&stored)
    }

    fn unlock(&self, stored: &KeyringFile) -> Keyring {
        let roots = RootKeys::from(RootKeyFile::new(self.path("root.key")).load().unwrap());
        run_local(Keyring::unlock(TENANT, &roots, stored)).unwrap().unobserved()
    }

    pub fn token(&self) -> Token {
        self.keys().record("prescription", "RX-1001").unwrap().seal::<Drug>("warfarin 5 MG").unwrap()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// With an audit log, which `rxseal.toml` names.
pub fn audited(shop: Shop) -> Shop {
    shop.ok("audit keygen --name ops.example --out audit.key");
    for folder in ["log", "elsewhere"] {
        fs::create_dir(shop.path(folder)).unwrap();
    }
    let config = "audit_log = \"log\"\naudit_key = \"audit.key\"\naudit_checkpoints = \"elsewhere\"\n";
    fs::write(shop.path("rxseal.toml"), config).unwrap();
    shop
}

/// As `sha256sum` prints it.
pub fn hex_digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[track_caller]
pub fn fails(output: Output, what: &str, exit: i32) -> String {
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{what}: {text}");
    assert_eq!(text.lines().count(), 1, "{what}: {text}");
    text
}

pub fn states(inspected: &Value) -> Vec<(String, String, bool)> {
    let keys = inspected["keys"].as_array().unwrap().iter().filter(|key| key["use"] == "seal");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    keys.map(|key| (text(&key["id"]), text(&key["state"]), key["primary"].as_bool().unwrap())).collect()
}
