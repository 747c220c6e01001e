//! One line for each mistake.

use std::fs;

use serde_json::Value;

use crate::shop::{Shop, TENANT, fails};

/// What is missing first.
const PKCS11: &str = if cfg!(feature = "pkcs11") { "RXSEAL_PKCS11_MODULE" } else { "--features pkcs11" };

#[test]
fn each_mistake_is_one_line_that_says_what_to_do() {
    let shop = Shop::opened("mistakes", "file:HERE/rings");
    for (arguments, exit, part) in [
        ("keyring init pharmacy-17", 3, "stored already"),
        ("keyring inspect pharmacy-18", 1, "keyring list"),
        ("keyring rotate pharmacy-18", 1, "no keyring of this keyspace"),
        ("keyring promote pharmacy-17", 5, "keyring stage"),
        ("keyring inspect Pharmacy", 1, "keyspace"),
        ("keyring inspect ../../etc/passwd", 1, "keyspace"),
        ("keyring rotate pharmacy-17 --min-generation 9", 5, "older generation"),
        ("keyring list --store nowhere", 2, "file:FOLDER"),
        ("keyring verify pharmacy-17 --root file:absent.key", 1, "absent.key"),
        ("keyring verify pharmacy-17 --root env:ABSENT", 1, "not set: ABSENT"),
        ("keyring verify pharmacy-17 --root hsm:1", 2, "a root key is"),
        ("keyring verify pharmacy-17 --root pkcs11:token=phi;object=phi-root", 2, PKCS11),
        ("key-file create root.key", 1, "root.key"),
        ("key-file create /proc/root.key", 1, "the root key cannot be read or written: /proc/root.key: "),
        ("keyring list --config absent.toml", 2, "absent.toml"),
        ("count --postgres postgres://kim:secret@db/x --table t --column c", 2, "PGPASSWORD"),
        ("keyring list --store postgres://kim:secret@db/x", 2, ""),
    ] {
        let text = shop.fails(arguments, exit);
        assert!(text.contains(part), "{arguments}: {text}");
        assert!(text.starts_with("rxseal: ") && !text.contains("secret@"), "{text}");
    }
    let mut bare = shop.command();
    bare.env_remove("RXSEAL_ROOTS").env_remove("RXSEAL_STORE");
    assert!(fails(bare.args(["keyring", "list"]).output().unwrap(), "bare", 2).contains("RXSEAL_STORE"));
    let json = shop.run("--json keyring rotate pharmacy-18");
    let error: Value = serde_json::from_slice(&json.stderr).unwrap();
    assert_eq!(error["code"], "keyring-missing");
}

#[test]
fn one_root_key_that_is_out_of_reach_is_a_warning() {
    let shop = Shop::opened("reach", "file:HERE/rings");
    let output = shop.run("keyring rotate pharmacy-17 --root file:gone.key --root file:root.key");
    assert!(output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("rxseal: warning: ") && text.contains("gone.key") && text.lines().count() == 1, "{text}");
    // Where none is in reach, each is told of, and nobody is asked which root key is trusted.
    let output = shop.run("keyring rotate pharmacy-17 --root file:gone.key --root file:lost.key");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains("gone.key") && lines[1].contains("lost.key"), "{text}");
    // To wrap with, all are needed.
    let text = shop.fails("keyring init pharmacy-18 --root file:gone.key --root file:root.key", 1);
    assert!(text.contains("gone.key"), "{text}");
}

/// Commands that meet the same fault end alike, whatever they are about to do.
#[test]
fn one_fault_has_one_code_in_every_command() {
    let shop = Shop::opened("faults", "file:HERE/rings");
    shop.ok("key-file create other.key");
    let record = "record open NAME t 1 --field phi.rx.drug --class medication --who user:kim --why TREAT --file token";
    fs::write(shop.path("token"), shop.token().to_string()).unwrap();
    fs::write(shop.path("crlf.key"), fs::read_to_string(shop.path("root.key")).unwrap().replace('\n', "\r\n")).unwrap();
    fs::set_permissions(shop.path("crlf.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let looking = ["keyring inspect NAME", "keyring verify NAME"];
    let changing = ["keyring rotate NAME", "keyring stage NAME", "keyring rewrap NAME"];
    let needs_root: Vec<_> = changing.iter().chain(&looking[1..]).chain([&record]).collect();
    let mut cases: Vec<(String, i32, &str, &str)> = Vec::new();
    for command in looking.iter().chain(&changing).chain([&record]) {
        cases.push((command.replace("NAME", "pharmacy-18"), 1, "keyring-missing", "no keyring of this keyspace"));
        cases.push((command.replace("NAME", "Pharmacy"), 1, "invalid-id", "keyspace"));
    }
    for command in looking.iter().chain(&changing) {
        let old = format!("{} --min-generation 9", command.replace("NAME", TENANT));
        cases.push((old, 5, "keyring-too-old", "older generation"));
    }
    let unstaged = ["keyring promote pharmacy-17", "keyring promote pharmacy-17 --staged-for 0s"];
    cases.extend(unstaged.map(|command| (command.to_owned(), 5, "state-refused", "no key is staged")));
    for command in needs_root {
        let command = command.replace("NAME", TENANT);
        if !command.contains("rewrap") {
            cases.push((format!("{command} --root file:other.key"), 5, "unlock-failed", "root key"));
        }
        cases.push((format!("{command} --root file:gone.key"), 1, "root-key-io", "root key file:gone.key: "));
        cases.push((format!("{command} --root env:GONE"), 1, "invalid-root-key", "GONE"));
        cases.push((format!("{command} --root file:crlf.key"), 1, "invalid-root-key", "CRLF"));
    }
    for (arguments, exit, code, part) in &cases {
        let output = shop.run(&format!("--json {arguments}"));
        let text = String::from_utf8(output.stderr).unwrap();
        let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!((output.status.code(), last["code"].as_str()), (Some(*exit), Some(*code)), "{arguments}: {text}");
        let told = format!("{text}{}", String::from_utf8(output.stdout).unwrap());
        assert!(told.contains(part), "{arguments}: {told}");
    }
    let verified = shop.run("--json keyring verify pharmacy-17 --root file:root.key --root file:other.key");
    let verified: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((&verified[0]["code"], &verified[1]["code"]), (&Value::Null, &Value::from("unlock-failed")));
}
