//! The settings of the servers that .ci/servers started.

use std::env;
use std::process::Command;

/// Makes a key in Vault and one in AWS KMS, and prints the name of both.
pub const KEY_SERVICES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.ci/key_services.py");

pub fn server(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `.ci/servers cargo test ..`"))
}

/// What a command prints that must succeed.
#[track_caller]
pub fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
