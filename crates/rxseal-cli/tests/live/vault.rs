//! A Vault of its own for a test, set up as docs/KEYS.md says.

use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::keys::vault_commands;
use crate::servers::{output, server};

/// With the key `transit/phi-root`.
pub struct OwnVault {
    server: Child,
    pub address: String,
}

impl OwnVault {
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Command::new(server("RXSEAL_TEST_BAO"))
            .args(["server", "-dev", "-dev-no-store-token", "-dev-root-token-id=root"])
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let vault = Self { server, address: format!("http://127.0.0.1:{port}") };
        let begun = Instant::now();
        while !vault.control(&["status"]).status.success() {
            assert!(begun.elapsed() < Duration::from_secs(30), "OpenBao did not start");
            thread::sleep(Duration::from_millis(100));
        }
        let commands = format!("vault() {{ \"$RXSEAL_TEST_BAO\" \"$@\"; }}\n{}", vault_commands());
        output(vault.as_root(Command::new("bash").args(["-euc", &commands])));
        vault
    }

    pub fn control(&self, arguments: &[&str]) -> Output {
        self.as_root(Command::new(server("RXSEAL_TEST_BAO")).args(arguments)).output().unwrap()
    }

    /// A token that may do what this policy says, and nothing else.
    pub fn token_for(&self, policy: &str) -> String {
        let name = format!("policy-{}", policy.len());
        let file = env::temp_dir().join(format!("rxseal-{}-{name}", std::process::id()));
        fs::write(&file, policy).unwrap();
        assert!(self.control(&["policy", "write", &name, file.to_str().unwrap()]).status.success());
        fs::remove_file(file).unwrap();
        let made = self.control(&["token", "create", "-field=token", &format!("-policy={name}")]);
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    fn as_root<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("BAO_ADDR", &self.address).env("BAO_TOKEN", "root")
    }
}

impl Drop for OwnVault {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        let _ = self.server.wait().unwrap();
    }
}
