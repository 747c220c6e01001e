//! `rxseal audit` and `rxseal budget`: a log that a program wrote is verified and read.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rxseal::phi::Drug;
use rxseal::{Access, Purpose};
use rxseal_watch::{CheckpointFolder, FileLog, Watch};
use serde_json::Value;

use crate::shop::Shop;

/// A shop with a log: two actors, one broken glass, one opening that failed. Gives the verifier key.
fn logged(name: &str) -> (Shop, String) {
    let shop = Shop::new(name, "file:HERE/rings");
    let verifier = shop.ok("audit keygen --name ph17-a.example --out audit.key").trim().to_owned();
    assert_eq!(fs::metadata(shop.path("audit.key")).unwrap().permissions().mode() & 0o777, 0o600);
    fs::create_dir(shop.path("log")).unwrap();
    fs::create_dir(shop.path("elsewhere")).unwrap();
    let key = fs::read_to_string(shop.path("audit.key")).unwrap().parse().unwrap();
    let watch = Watch::over(FileLog::in_folder(shop.path("log"), key).unwrap());
    let watch = watch.copy_to(CheckpointFolder::new(shop.path("elsewhere"))).start().unwrap();
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(watch.observer());
    let open = |id: &str, access: &Access, token: Option<&rxseal::Token>| {
        let record = keys.record("prescription", id).unwrap();
        let own = record.seal::<Drug>("Canary-metformin").unwrap();
        record.opened_by(access).open::<Drug, String>(token.unwrap_or(&own)).is_ok()
    };
    let kim = Access::new("user:kim.rph", Purpose::TREAT).unwrap();
    let lee = Access::new("user:lee.rph", Purpose::HPAYMT).unwrap();
    assert!(open("RX-1", &kim, None) && open("RX-2", &kim, None) && open("RX-1", &lee, None));
    let foreign = keys.record("prescription", "RX-9").unwrap().seal::<Drug>("x").unwrap();
    assert!(!open("RX-1", &kim, Some(&foreign)));
    assert!(open("RX-2", &kim.break_glass("RX-2", "patient unconscious").unwrap(), None));
    drop((keys, watch));
    (shop, verifier)
}

#[test]
fn a_log_is_verified() {
    let (shop, key) = logged("audit-verify");
    let verify = format!("audit verify log --key {key} --checkpoints elsewhere");
    let text = shop.ok(&verify);
    assert!(text.starts_with("whole: 9 events in 1 chains"), "{text}");
    let json = shop.json("audit verify log --key audit.pub --checkpoints elsewhere");
    assert_eq!((&json["verdict"], &json["findings"]), (&Value::from("whole"), &serde_json::json!([])));

    let exit = |arguments: &str| {
        let output = shop.run(arguments);
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = exit(&format!("audit verify log --key {key}"));
    assert!(code == 7 && text.contains("nothing-to-compare"), "{code}: {text}");
    let log = fs::read_dir(shop.path("log")).unwrap().map(|entry| entry.unwrap().path());
    let log = log.into_iter().find(|path| path.extension().is_some_and(|end| end == "rxa")).unwrap();
    let bytes = fs::read_to_string(&log).unwrap();
    fs::write(&log, bytes.replacen("user:lee.rph", "user:kim.rph", 1)).unwrap();
    let (code, text) = exit(&verify);
    assert!(code == 1 && text.contains("changed: chain") && text.contains("line 4"), "{code}: {text}");
    assert_eq!(exit("audit verify log --key junk").0, 1);
    assert_eq!(exit("audit verify log").0, 2, "a key is needed");
    assert_eq!(exit(&format!("audit verify nowhere --key {key}")).0, 1);
    // Neither file is written over, and none is left alone.
    shop.fails("audit keygen --name x --out audit.key", 1);
    assert_eq!(fs::read_to_string(shop.path("audit.pub")).unwrap().trim(), key);
    fs::write(shop.path("other.key"), "").unwrap();
    shop.fails("audit keygen --name x --out other.key", 1);
    assert!(!shop.path("other.pub").exists());
    shop.fails("audit keygen --name x --out other.pub", 2);
}

#[test]
fn events_are_shown_and_no_value() {
    let (shop, _) = logged("audit-show");
    let all = shop.ok("audit show log");
    assert_eq!(all.lines().count(), 9);
    assert!(!all.contains("Canary"));
    let kim = shop.ok("audit show log --actor user:kim.rph");
    assert_eq!(kim.lines().count(), 4);
    assert!(kim.contains("open user:kim.rph TREAT prescription RX-1 (medication) ok"), "{kim}");
    let failed = shop.ok("audit show log --failed");
    assert!(failed.lines().count() == 1 && failed.contains("failed"), "{failed}");
    let glass = shop.ok("audit show log --break-glass --since 1hour");
    assert!(glass.lines().count() == 1 && glass.contains("glass broken: patient unconscious"), "{glass}");
    let accesses = shop.ok("audit accesses log --subject RX-1");
    assert_eq!(accesses.lines().count(), 3, "{accesses}");
    let lines = shop.ok("--json audit accesses log --subject RX-1 --actor user:lee.rph");
    let event: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!((&event["who"], &event["rec"]), (&Value::from("user:lee.rph"), &serde_json::json!([["RX-1", null]])));
    assert_eq!(event["chain"].as_str().unwrap().len(), 16);
    let nobody = shop.run("audit accesses log --subject RX-77");
    assert!(nobody.status.success() && nobody.stdout.is_empty());
}

#[test]
fn an_actor_is_frozen_and_unfrozen() {
    let shop = Shop::new("budget-freeze", "file:HERE/rings");
    assert_eq!(shop.ok("budget freeze user:kim.rph --list frozen").trim(), "user:kim.rph is frozen now");
    assert_eq!(shop.ok("budget freeze user:kim.rph --list frozen").trim(), "user:kim.rph was frozen already");
    assert_eq!(shop.ok("budget frozen --list frozen").trim(), "user:kim.rph");
    shop.fails("budget freeze kim --list frozen", 1);
    assert_eq!(shop.json("budget unfreeze user:kim.rph --list frozen")["is_changed"], true);
    assert!(shop.run("budget frozen --list frozen").stdout.is_empty());
}
