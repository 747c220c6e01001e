//! Tokens in SoftHSM2, with a key that is made as docs/KEYS.md says.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

use crate::keys::pkcs11_commands;
use crate::servers::{output, server};

pub const PIN: &str = "canary-pin-4711";

/// A token of its own for each test, with an AES key `phi-root`.
pub struct Token {
    pub label: String,
}

impl Token {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        // SoftHSM gives a new token the slot that was free, so one is made at a time.
        static MAKING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        let label = format!("phi-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut make = Command::new("softhsm2-util");
        make.args(["--init-token", "--free", "--label", &label, "--so-pin", "so-pin-0815", "--pin", PIN]);
        output(&mut make);
        let commands = pkcs11_commands()
            .replace("/usr/lib/YOUR-HSM.so", library().to_str().unwrap())
            .replace("--token-label phi --login", &format!("--token-label {label} --login --pin {PIN}"));
        assert!(commands.contains(&label), "{commands}");
        output(Command::new("bash").args(["-euc", &commands]));
        Self { label }
    }

    /// As the command takes it, with these options (`?NAME=VALUE&..`).
    pub fn root(&self, options: &str) -> String {
        format!("pkcs11:token={};object=phi-root{options}", self.label)
    }
}

pub fn library() -> PathBuf {
    server("RXSEAL_TEST_SOFTHSM").into()
}

/// Where SoftHSM has its tokens.
pub fn configuration() -> String {
    env::var("SOFTHSM2_CONF").unwrap()
}

/// For its owner alone, as a root key asks for.
pub fn write_pin(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}
