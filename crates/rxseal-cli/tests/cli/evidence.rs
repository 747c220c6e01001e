//! `rxseal evidence`, and docs/EVIDENCE.md word for word.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use rxseal_evidence::Evidence;
use rxseal_watch::{CheckpointFolder, FileLog, SigningKey, Watch};
use serde_json::Value;

use crate::acts::events;
use crate::maps::shop_of_the_page;
use crate::shop::{Shop, audited, hex_digest};
use crate::walk::walk;

const PAGE: &str = include_str!("../../../../docs/EVIDENCE.md");

#[test]
fn the_page_runs_word_for_word() {
    walk("docs/EVIDENCE.md", PAGE, &shop_of_the_page("evidence-page"), 0, str::to_owned);
}

/// Makes a pack into a new folder. Gives the answer, and the codes of what is red and open.
#[track_caller]
fn make(shop: &Shop, out: &str, more: &str, exit: i32) -> (Value, Vec<String>) {
    let arguments = format!("--json --config rxseal.toml evidence make --who user:lee.ops --out {out} {more}");
    let output = shop.run(&arguments);
    assert_eq!(output.status.code(), Some(exit), "{more}: {}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes = answer["remarks"].as_array().unwrap().iter().map(|of| of["code"].as_str().unwrap().to_owned());
    let codes = codes.collect();
    (answer, codes)
}

fn json_of(shop: &Shop, out: &str) -> Value {
    serde_json::from_slice(&fs::read(shop.path(out).join("evidence.json")).unwrap()).unwrap()
}

#[test]
fn a_pack_is_an_event_of_the_log() {
    let shop = audited(shop_of_the_page("evidence-event"));
    let (answer, codes) = make(&shop, "one", "", 1);
    assert_eq!(codes, ["root-key-beside-data", "one-root-key", "restore-drill-old", "log-empty", "observed-unknown"]);
    let sums = fs::read(shop.path("one/SHA256SUMS")).unwrap();
    assert_eq!(answer["sha256"], hex_digest(&sums));
    let event = events(&shop).into_iter().find(|event| event["e"] == "evidence").unwrap();
    assert_eq!((&event["who"], &event["what"], &event["out"]), (&"user:lee.ops".into(), &"make".into(), &"red".into()));
    assert_eq!((&event["num"]["red"], &event["num"]["open"]), (&3.into(), &2.into()));
    let map = hex_digest(&fs::read(shop.path("rxseal-map.toml")).unwrap());
    assert_eq!((&event["sha256"], &event["map"]), (&answer["sha256"], &map.into()));

    // The scan of the pack, what it counted, and which keys are there.
    let json = json_of(&shop, "one");
    let key = shop.keys().primary_key().to_string();
    assert_eq!((&json["scan"]["dated"], &json["scan"]["reports"][0]["keys"][&key]), (&"now".into(), &4.into()));
    assert_eq!((&json["keyrings"][0]["keyspace"], &json["made_by"]), (&"pharmacy-17".into(), &"user:lee.ops".into()));
    let scan = fs::read(shop.path("one/scan.json")).unwrap();
    assert_eq!(json["scan"]["sha256"], hex_digest(&scan));

    // Verified by whoever has the public key.
    let with_log = "evidence verify one --key audit.pub --log log";
    let verified = shop.json(&format!("{with_log} --checkpoints elsewhere"));
    assert_eq!(
        (&verified["verdict"], &verified["files"], &verified["sha256"]),
        (&"red".into(), &6.into(), &answer["sha256"])
    );
    assert_eq!((&verified["event"]["t"], &verified["dated"]), (&event["t"], &true.into()));
    let text = shop.ok(&format!("{with_log} --checkpoints elsewhere"));
    assert!(text.starts_with("red: ") && text.contains("the date is proven"), "{text}");
    // A red pack that nobody changed is as it was made. On which day that was, nothing proves.
    let text = shop.ok("evidence verify one --key audit.pub");
    assert!(text.starts_with("red: ") && text.contains("the date is not proven"), "{text}");
    assert_eq!(shop.json("evidence verify one --key audit.pub")["dated"], false);
    fs::create_dir(shop.path("nothing")).unwrap();
    assert!(shop.fails(with_log, 7).contains("no checkpoint"));
    assert!(shop.fails(&format!("{with_log} --checkpoints nothing"), 7).contains("no checkpoint"));
    let without_log = shop.run("evidence verify one --key audit.pub --checkpoints elsewhere");
    assert!(without_log.status.code() == Some(2) && String::from_utf8_lossy(&without_log.stderr).contains("--log"));
    shop.ok("audit keygen --name other.example --out other.key");
    assert!(shop.fails("evidence verify one --key other.pub", 1).contains("no given key signed"));
    fs::create_dir(shop.path("other-log")).unwrap();
    assert!(shop.fails("evidence verify one --key audit.pub --log other-log", 1).contains("no event"));
    let line = fs::read_dir(shop.path("log")).unwrap().map(|entry| entry.unwrap().path());
    let line = line.into_iter().find(|path| fs::read_to_string(path).unwrap().contains(r#""e":"evidence""#)).unwrap();
    let good = fs::read_to_string(&line).unwrap();
    fs::write(&line, good.replace("user:lee.ops", "user:eve.ops")).unwrap();
    assert!(shop.fails("evidence verify one --key audit.pub --log log", 1).contains("changed the log"));
    fs::write(&line, good).unwrap();
    fs::write(shop.path("one/more"), "").unwrap();
    assert!(shop.fails("evidence verify one --key audit.pub", 1).contains("more was added"));
}

/// Whoever has the key can write another day into a pack. The log has the day on which it was made.
#[test]
fn a_pack_of_another_day_is_not_dated() {
    let shop = audited(shop_of_the_page("evidence-another-day"));
    let read = |name: &str| fs::read_to_string(shop.path(name)).unwrap();
    let key = || read("audit.key").trim().parse::<SigningKey>().unwrap();
    let watch = Watch::over(FileLog::in_folder(shop.path("log"), key()).unwrap())
        .copy_to(CheckpointFolder::new(shop.path("elsewhere")))
        .start()
        .unwrap();
    let today = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for (out, at) in [("today", today), ("early", today - 90 * 86_400)] {
        let mut evidence = Evidence::of(&read("rxseal-map.toml"), &read("rxseal-schema.json")).unwrap();
        evidence.at(at);
        let pack = evidence.write(shop.path(out), "user:eve.ops", &key()).unwrap();
        watch.ran(&pack.event("user:eve.ops").unwrap()).unwrap();
    }
    watch.stop().unwrap();
    let verify = |out: &str| format!("evidence verify {out} --key audit.pub --log log --checkpoints elsewhere");
    assert_eq!(shop.json(&verify("today"))["dated"], true);
    assert!(shop.fails(&verify("early"), 7).contains("another day"));
}

/// `make` needs no root key. So who leaves the setting out does not get rid of the question.
#[test]
fn a_word_moves_no_root_key() {
    let shop = audited(shop_of_the_page("evidence-word"));
    let make = |out: &str, roots: Option<&str>| {
        let mut command = shop.command();
        command.env_remove("RXSEAL_ROOTS").args(["--json", "--config", "rxseal.toml", "evidence", "make"]);
        command.args(["--who", "user:lee.ops", "--stated", "apart=yes", "--out", out]);
        let output = command.envs(roots.map(|roots| ("RXSEAL_ROOTS", roots))).output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let of = answer["remarks"].as_array().unwrap().clone();
        of.into_iter().map(|of| of["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (out, roots, code) in [
        ("none", None, "apart-unknown"),
        ("here", Some("file:root.key"), "root-key-beside-data"),
        ("other", Some("aws-kms:arn:aws:kms:us-east-1:111122223333:key/a"), "apart-unknown"),
    ] {
        let codes = make(out, roots);
        assert!(codes.contains(&code.to_owned()), "{out}: {codes:?}");
    }
}

#[test]
fn a_scan_of_before_is_dated_by_the_log() {
    let shop = audited(shop_of_the_page("evidence-scan"));
    let scanned = shop.run("--json --config rxseal.toml scan --who user:kim.night");
    fs::write(shop.path("night.json"), &scanned.stdout).unwrap();
    let (_, codes) = make(&shop, "one", "--scan night.json", 1);
    assert!(!codes.iter().any(|code| code.starts_with("scan")), "{codes:?}");
    let json = json_of(&shop, "one");
    assert_eq!(
        (&json["scan"]["dated"], &json["logs"][0]["last_scan"]["who"]),
        (&"log".into(), &"user:kim.night".into())
    );
    // One that somebody wrote, or changed.
    let text = String::from_utf8(scanned.stdout).unwrap();
    fs::write(shop.path("changed.json"), text.replace("\"rows\":2", "\"rows\":3")).unwrap();
    let (_, codes) = make(&shop, "two", "--scan changed.json", 1);
    assert!(codes.contains(&"scan-undated".to_owned()), "{codes:?}");
    fs::write(shop.path("other.json"), "{}").unwrap();
    let make = "--config rxseal.toml evidence make --who user:lee.ops --out three";
    assert!(shop.fails(&format!("{make} --scan other.json"), 1).contains("not the answer of a scan"));
    assert!(!shop.path("three").exists());
}

/// What is found is in the pack by its place and kind, and never as what it is.
#[test]
fn plaintext_is_red_and_is_not_quoted() {
    let shop = audited(shop_of_the_page("evidence-plaintext"));
    let db = rusqlite::Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute("UPDATE prescriptions SET patient_name = 'Zoraida Quillfeather' WHERE rx_number = 1", ()).unwrap();
    let (_, codes) = make(&shop, "one", "", 1);
    assert!(codes.contains(&"plaintext-found".to_owned()), "{codes:?}");
    for file in fs::read_dir(shop.path("one")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("Zoraida") && !text.contains("rxseal-root"));
    }
}

#[test]
fn logs_of_services_are_read_with_their_checkpoints() {
    let shop = audited(shop_of_the_page("evidence-logs"));
    shop.ok("audit keygen --name ph17.example --out service.key");
    for folder in ["service", "service-elsewhere"] {
        fs::create_dir(shop.path(folder)).unwrap();
    }
    let service = "--audit-log service --audit-key service.key --audit-checkpoints service-elsewhere";
    shop.ok(&format!("{service} scan --who user:kim"));
    let logs = "--log service --checkpoints service-elsewhere --key service.pub";
    make(&shop, "one", logs, 1);
    let json = json_of(&shop, "one");
    let verdicts: Vec<_> =
        json["logs"].as_array().unwrap().iter().map(|log| log["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["whole", "whole"], "{json}");
    let (_, codes) = make(&shop, "two", "--log service", 1);
    assert!(codes.contains(&"log-incomplete".to_owned()), "{codes:?}");
    let kms = r#"{"eventName":"Decrypt","eventTime":"2026-11-24T16:00:01Z","requestID":"r1","requestParameters":{"encryptionContext":{"rxseal:keyspace":"pharmacy-17"}}}"#;
    fs::write(shop.path("kms.log"), kms).unwrap();
    let (_, codes) = make(&shop, "three", &format!("{logs} --kms-log kms.log"), 1);
    assert!(codes.contains(&"unobserved".to_owned()), "{codes:?}");
}

#[test]
fn mistakes_leave_no_pack() {
    let shop = audited(shop_of_the_page("evidence-mistakes"));
    let make = "evidence make --who user:lee.ops --out one";
    assert!(shop.fails(make, 2).contains("--audit-log"));
    let logged = format!("--config rxseal.toml {make}");
    for (more, exit, says) in [
        ("--stated nowhere=x", 2, "root-keys-at"),
        ("--stated apart=maybe", 2, "yes or no"),
        ("--stated data-at", 2, "printable"),
        ("--keyspace pharmacy-18", 1, "no keyring"),
        ("--program absent", 1, "absent"),
        ("--scan absent.json", 2, "absent.json"),
        ("--map absent.toml", 1, "absent.toml"),
        ("--log log --checkpoints a --checkpoints b", 2, "same order"),
        ("--kms-log absent", 1, "could not be read"),
    ] {
        let text = shop.fails(&format!("{logged} {more}"), exit);
        assert!(text.contains(says), "{more}: {text}");
        assert!(!shop.path("one").exists(), "{more}");
    }
    fs::create_dir(shop.path("one")).unwrap();
    assert!(shop.fails(&logged, 2).contains("new folder"));
    fs::remove_dir(shop.path("one")).unwrap();
    fs::rename(shop.path("log"), shop.path("gone")).unwrap();
    assert_eq!(shop.run(&logged).status.code(), Some(1));
    assert!(!shop.path("one").exists(), "what cannot be logged is not made");
}
