//! The audit log of the command itself: every change of keys is in it before it is made, with who and why, or it is not made.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rxseal::run_local;
use rxseal::subjects::SubjectKeys;
use rxseal_sqlite::SqliteSubjectStore;
use rxseal_watch::read_lines;
use rxseal_watch::verify::{Verdict, Verifier};
use serde_json::Value;

use crate::shop::{Shop, audited, fails, states};

/// A shop with a patient's key and an audit log.
fn with_subjects(name: &str) -> Shop {
    let shop = audited(Shop::opened(name, "file:HERE/rings"));
    fs::write(shop.path("subjects.db"), "").unwrap();
    let store = SqliteSubjectStore::open(shop.path("subjects.db")).unwrap();
    run_local(SubjectKeys::new(store).subject_or_create(&shop.keys(), "P-7")).unwrap();
    let config = "subject_store = \"sqlite:subjects.db\"\nshred_log = \"shredded.log\"\nbackups_kept = \"30days\"\n";
    let log = fs::read_to_string(shop.path("rxseal.toml")).unwrap();
    fs::write(shop.path("rxseal.toml"), format!("{config}{log}")).unwrap();
    shop
}

/// Runs the command with the configuration file, and with a reason if there is one.
fn run(shop: &Shop, arguments: &str, reason: Option<&str>) -> std::process::Output {
    let mut command = shop.command();
    command.args(["--config", "rxseal.toml"]).args(arguments.split_whitespace());
    if let Some(reason) = reason {
        command.args(["--who", "user:lee.ops", "--reason", reason]);
    }
    command.output().unwrap()
}

#[track_caller]
fn done(shop: &Shop, arguments: &str) {
    let output = run(shop, arguments, Some("ticket 4711, yearly"));
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What is in the audit log.
pub fn events(shop: &Shop) -> Vec<Value> {
    let mut events = Vec::new();
    read_lines(shop.path("log"), |line| events.push(serde_json::from_str(line.json()).unwrap())).unwrap();
    events
}

/// The acts in the log: what, and how they are.
fn acts(shop: &Shop) -> Vec<(String, String)> {
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or("-").to_owned();
    let acts = events(shop).into_iter().filter(|event| event["e"] == "act");
    acts.map(|event| (text(&event, "what"), text(&event, "out"))).collect()
}

fn is_verified(shop: &Shop) -> bool {
    let keys = [fs::read_to_string(shop.path("audit.pub")).unwrap().trim().parse().unwrap()];
    let verifier = Verifier::new(keys).at(u64::MAX).checkpoints(shop.path("elsewhere")).unwrap();
    let report = verifier.verify(shop.path("log")).unwrap();
    assert_eq!(report.verdict(), Verdict::Whole, "{:?}", report.findings());
    true
}

/// Every subcommand that changes something, in an order in which it may.
#[test]
fn every_change_is_an_act() {
    let shop = with_subjects("acts-all");
    let key = |state: &str| {
        let states = states(&shop.json("keyring inspect pharmacy-17"));
        states.into_iter().find(|(_, is, _)| is == state).unwrap().0
    };
    let index_root = |state: &str| {
        let listed = shop.json("keyring index list pharmacy-17");
        let root = listed["index_roots"].as_array().unwrap().iter().find(|root| root["state"] == state);
        root.unwrap()["id"].as_str().unwrap().to_owned()
    };
    done(&shop, "key-file create second.key");
    done(&shop, "keyring stage pharmacy-17");
    done(&shop, &format!("keyring promote pharmacy-17 --staged-for 0s {}", key("pre-active")));
    done(&shop, "keyring rotate pharmacy-17");
    done(&shop, "subject rewrap pharmacy-17");
    done(&shop, &format!("keyring compromise pharmacy-17 {}", key("deactivated")));
    done(&shop, &format!("keyring destroy pharmacy-17 --force --yes {}", key("compromised")));
    done(
        &shop,
        &format!(
            "keyring destroy pharmacy-17 --tokens 0 --subject-keys 0 --unused-for 0s --yes {}",
            key("deactivated")
        ),
    );
    done(&shop, "keyring stage pharmacy-17");
    done(&shop, &format!("keyring deactivate pharmacy-17 {}", key("pre-active")));
    done(&shop, "keyring root add pharmacy-17 file:second.key");
    done(&shop, "keyring rewrap pharmacy-17 --to file:root.key --yes");
    done(&shop, "keyring root add pharmacy-17 file:second.key");
    let second = shop.json("keyring inspect pharmacy-17")["root_keys"][1]["root_key"].as_str().unwrap().to_owned();
    done(&shop, &format!("keyring root remove pharmacy-17 local {second}"));
    done(&shop, "keyring index rotate pharmacy-17");
    done(&shop, "keyring index stage pharmacy-17");
    done(&shop, "keyring index promote pharmacy-17 --staged-for 0s");
    done(&shop, &format!("keyring index compromise pharmacy-17 {}", index_root("deactivated")));
    done(&shop, &format!("keyring index destroy pharmacy-17 --force --yes {}", index_root("compromised")));
    done(&shop, "keyring init pharmacy-18");
    done(&shop, "subject hold pharmacy-17 P-7 --legal-hold");
    done(&shop, "subject hold pharmacy-17 P-7 --release");
    done(&shop, "subject shred pharmacy-17 P-7 --yes");
    done(&shop, "subject reapply");
    done(&shop, "budget freeze user:kim.rph --list frozen");
    done(&shop, "budget unfreeze user:kim.rph --list frozen");

    let acts = acts(&shop);
    let expected = [
        "key-file-create",
        "keyring-stage",
        "keyring-promote",
        "keyring-rotate",
        "subject-rewrap",
        "keyring-compromise",
        "keyring-destroy-by-force",
        "keyring-destroy",
        "keyring-stage",
        "keyring-deactivate",
        "keyring-root-add",
        "keyring-rewrap",
        "keyring-root-add",
        "keyring-root-remove",
        "index-root-rotate",
        "index-root-stage",
        "index-root-promote",
        "index-root-compromise",
        "index-root-destroy-by-force",
        "keyring-init",
        "subject-hold",
        "subject-hold",
        "subject-shred",
        "subject-reapply",
        "budget-freeze",
        "budget-unfreeze",
    ];
    let both = |what: &str| ["begun", "ok"].map(|out| (what.to_owned(), out.to_owned()));
    let expected: Vec<_> = expected.into_iter().flat_map(both).collect();
    assert_eq!(acts, expected);

    let events = events(&shop);
    for event in events.iter().filter(|event| event["e"] == "act") {
        assert_eq!((&event["who"], &event["why"]), (&"user:lee.ops".into(), &"ticket 4711, yearly".into()));
    }
    // What was stored is between beginning and end of its act, and so is each unlocking.
    let kinds: Vec<_> = events.iter().map(|event| event["e"].as_str().unwrap()).collect();
    let stage = kinds.iter().position(|kind| *kind == "unlock").unwrap();
    assert_eq!(kinds[stage - 1..stage + 5], ["act", "unlock", "lock", "seal_admin", "act", "stop"]);
    let shredded = events.iter().find(|event| event["what"] == "shredded").unwrap();
    assert!(shredded["sub"] == "P-7" && shredded["gone"].as_u64().is_some(), "{shredded}");
    let frozen = events.iter().find(|event| event["what"] == "budget-freeze").unwrap();
    assert_eq!(frozen["whom"], "user:kim.rph");
    assert!(is_verified(&shop));
}

/// Each of these fails before anything is changed.
#[test]
fn without_a_log_entry_nothing_is_changed() {
    let shop = with_subjects("acts-closed");
    let before = shop.stored();
    let text = fails(run(&shop, "keyring rotate pharmacy-17", None), "no reason", 2);
    assert!(text.contains("--reason"), "{text}");
    let text = fails(run(&shop, "keyring rotate pharmacy-17", Some("short")), "a short reason", 1);
    assert!(text.contains("8 to 200"), "{text}");
    let mut command = shop.command();
    command.args(["keyring", "rotate", "pharmacy-17", "--reason", "ticket 4711"]);
    let text = fails(command.output().unwrap(), "a reason without a log", 2);
    assert!(text.contains("--audit-log"), "{text}");
    let mut command = shop.command();
    command.args(["keyring", "rotate", "pharmacy-17", "--reason", "ticket 4711", "--audit-log", "log"]);
    let text = fails(command.output().unwrap(), "a log without a key", 2);
    assert!(text.contains("--audit-key"), "{text}");
    let mut command = shop.command();
    command.args(["--config", "rxseal.toml", "keyring", "rotate", "pharmacy-17", "--reason", "ticket 4711"]);
    let text = fails(command.output().unwrap(), "nobody", 2);
    assert!(text.contains("--who"), "{text}");
    command.env("USER", "lee");
    assert!(command.output().unwrap().status.success(), "who is logged in");
    assert_eq!(shop.stored().generation(), before.generation() + 1);

    let before = shop.stored();
    fs::set_permissions(shop.path("audit.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let text = fails(run(&shop, "keyring rotate pharmacy-17", Some("ticket 4711")), "a key for all to read", 2);
    assert!(text.contains("audit.key"), "{text}");
    fs::set_permissions(shop.path("audit.key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(shop.path("log"), shop.path("gone")).unwrap();
    for arguments in [
        "keyring rotate pharmacy-17",
        "subject shred pharmacy-17 P-7 --yes",
        "budget freeze user:kim.rph --list frozen",
        "key-file create third.key",
        "keyring verify pharmacy-17",
    ] {
        let reason = (arguments != "keyring verify pharmacy-17").then_some("ticket 4711");
        let output = run(&shop, arguments, reason);
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("log"), "{arguments}: {text}");
    }
    assert_eq!(shop.stored(), before);
    assert!(!shop.path("frozen").exists() && !shop.path("third.key").exists());
    assert_eq!(shop.json("subject count pharmacy-17 --subject-store sqlite:subjects.db")["total"], 1);
}

#[test]
fn a_change_that_failed_says_why_and_a_dry_run_is_none() {
    let shop = with_subjects("acts-failed");
    let output = run(&shop, "keyring init pharmacy-17", Some("ticket 4711"));
    assert_eq!(output.status.code(), Some(3));
    let output = run(&shop, "keyring rotate pharmacy-17 --dry-run", None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let act = |out: &str| ("keyring-init".to_owned(), out.to_owned());
    assert_eq!(acts(&shop), [act("begun"), act("failed")]);
    let events = events(&shop);
    let failed = events.iter().find(|event| event["out"] == "failed").unwrap();
    assert_eq!((&failed["code"], &failed["ks"]), (&"store-conflict".into(), &"pharmacy-17".into()));
    assert_eq!(events.iter().filter(|event| event["e"] == "unlock").count(), 1, "a dry run unlocks too");
    assert!(events.iter().all(|event| event["e"] != "seal_admin"), "and stores nothing");
    assert!(is_verified(&shop));
}

/// An operator's own opening is in the log as any other is.
#[test]
fn an_opening_by_the_command_is_in_its_log() {
    let shop = with_subjects("acts-record");
    fs::write(shop.path("token"), shop.token().to_string()).unwrap();
    let open = "record open pharmacy-17 prescription RX-1001 --field phi.rx.drug --class medication \
        --who user:lee.ops --why HSYSADMIN --file token";
    let output = run(&shop, open, None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let events = events(&shop);
    let kinds: Vec<_> = events.iter().map(|event| event["e"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["start", "unlock", "open", "lock", "stop"]);
    assert_eq!((&events[2]["who"], &events[2]["pou"]), (&"user:lee.ops".into(), &"HSYSADMIN".into()));
    assert!(Path::new(&shop.path("elsewhere")).read_dir().unwrap().count() > 0);
    assert!(is_verified(&shop));
}
