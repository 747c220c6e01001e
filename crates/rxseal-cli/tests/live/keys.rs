//! The commands and policies of docs/KEYS.md. The other tests use them to set up their servers, so each is tried.

use crate::page::blocks;
use crate::vault::OwnVault;

const PAGE: &str = include_str!("../../../../docs/KEYS.md");

/// Makes the key `transit/phi-root`.
pub fn vault_commands() -> String {
    block("Vault and OpenBao", "sh", 0)
}

/// Of services: to unlock.
pub fn service_policy() -> String {
    block("Vault and OpenBao", "hcl", 0)
}

/// Of the admin role: to wrap and to unlock.
pub fn admin_policy() -> String {
    block("Vault and OpenBao", "hcl", 1)
}

/// Makes the key `phi-root` in the token `phi`.
pub fn pkcs11_commands() -> String {
    block("PKCS#11", "sh", 0)
}

fn block(heading: &str, kind: &str, at: usize) -> String {
    let mut found = blocks(PAGE).into_iter().filter(|block| block.heading == heading && block.kind == kind);
    found.nth(at).unwrap_or_else(|| panic!("docs/KEYS.md has block {at} of {kind} under {heading}")).lines.join("\n")
}

/// A new block is run by somebody, or this fails: SQL by the live tests of PostgreSQL, JSON is a policy that no emulator holds to.
#[test]
fn every_block_is_run() {
    let seen: Vec<_> = blocks(PAGE).iter().map(|block| (block.heading, block.kind)).collect();
    let vault = "Vault and OpenBao";
    let rights = "Rights in PostgreSQL";
    let expected = [
        ("AWS KMS", "json"),
        (vault, "sh"),
        (vault, "hcl"),
        (vault, "hcl"),
        ("PKCS#11", "sh"),
        (rights, "sql"),
        (rights, "sql"),
    ];
    assert_eq!(seen, expected);
    let policy: serde_json::Value = serde_json::from_str(&block("AWS KMS", "json", 0)).unwrap();
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 2);
}

#[test]
#[ignore = "needs .ci/servers"]
fn a_mistyped_name_makes_no_key_in_vault() {
    let vault = OwnVault::start();
    let refused = vault.control(&["write", "transit/encrypt/phi-rot", "plaintext=AAAA"]);
    assert!(!refused.status.success(), "{}", String::from_utf8_lossy(&refused.stdout));
    assert!(vault.control(&["write", "transit/encrypt/phi-root", "plaintext=AAAA"]).status.success());
    assert!(!vault.control(&["read", "transit/keys/phi-rot"]).status.success());
}
