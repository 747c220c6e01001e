//! The output and the exit status of the command.

use std::collections::BTreeMap;
use std::fs;

use rxseal::run_local;
use rxseal::subjects::SubjectKeys;
use rxseal_sqlite::SqliteSubjectStore;
use serde_json::Value;

use crate::exit;
use crate::shop::{Shop, fails, states};

/// No output of these calls shows the root key.
#[test]
fn no_secret_is_printed() {
    let shop = Shop::opened("secrets", "file:HERE/rings");
    let line = fs::read_to_string(shop.path("root.key")).unwrap();
    let secret = line.trim().strip_prefix("rxseal-root-v1:").unwrap();
    for arguments in [
        "keyring inspect pharmacy-17",
        "keyring verify pharmacy-17",
        "keyring rotate pharmacy-17",
        "--json keyring stage pharmacy-17",
    ] {
        let mut command = shop.command();
        command.env("RXSEAL_ROOTS", "env:ROOT_LINE").env("ROOT_LINE", line.trim());
        let output = command.args(arguments.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{arguments}");
        for text in [output.stdout, output.stderr] {
            assert!(!String::from_utf8(text).unwrap().contains(secret), "{arguments}");
        }
    }
    // Also where it was written in place of its file or its variable, or a password into a URL.
    for (root, secret) in [
        (format!("file:{}", line.trim()), secret),
        (format!("env:{}", line.trim()), secret),
        ("vault:https://kim:canary@127.0.0.1:1/transit/phi-root".to_owned(), "canary"),
    ] {
        for command in ["keyring verify pharmacy-17", "--json keyring rotate pharmacy-17"] {
            let output = shop.run(&format!("{command} --root {root}"));
            assert!(!output.status.success());
            let text = format!("{output:?}");
            assert!(!text.contains(secret) && text.contains("(not shown)"), "{text}");
        }
    }
}

/// One code has one exit status; the list, the docs, the help and the library have the same codes.
#[test]
fn every_code_is_in_the_docs_with_its_exit_status() {
    let mut expected: BTreeMap<String, u8> = BTreeMap::new();
    for code in rxseal::ErrorCode::ALL {
        expected.insert(code.to_string(), exit::status(code.as_str()));
    }
    let of_logs =
        ["audit-unavailable", "incomplete", "invalid-key", "invalid-settings", "log-failed", "not-read", "tampered"];
    for own in ["usage", "check-failed", "io", "undecided", "unreported"].into_iter().chain(of_logs) {
        expected.insert(own.to_owned(), exit::status(own));
    }
    let listed: BTreeMap<_, _> = exit::STATUSES
        .iter()
        .flat_map(|status| {
            let codes = status.codes.iter().map(|code| code.as_str()).chain(status.own.iter().copied());
            codes.map(|code| (code.to_owned(), status.exit))
        })
        .collect();
    assert_eq!(listed, expected, "src/exit.rs against rxseal::ErrorCode");

    let docs = include_str!("../../../../docs/COMMAND.md").split_once("| exit | meaning | codes |").unwrap().1;
    let rows: Vec<Vec<&str>> =
        docs.lines().skip(2).take_while(|line| line.starts_with('|')).map(|row| row.split('|').collect()).collect();
    let mut documented = BTreeMap::new();
    for row in &rows {
        for code in row[3].split('`').skip(1).step_by(2) {
            documented.insert(code.to_owned(), row[1].trim().parse().unwrap());
        }
    }
    assert_eq!(documented, expected, "docs/COMMAND.md");
    let help = Shop::new("codes", "file:HERE/rings").ok("--help");
    assert_eq!(rows.len(), exit::STATUSES.len());
    for (row, status) in rows.iter().zip(exit::STATUSES) {
        assert_eq!((row[1].trim(), row[2].trim()), (&*status.exit.to_string(), status.meaning));
        assert!(help.contains(status.meaning), "{}", status.meaning);
    }
    assert_eq!((exit::FAILED, exit::USAGE, exit::BROKEN_PIPE), (1, 2, 141));
}

#[test]
fn mistakes_in_arguments_are_json_too() {
    let shop = Shop::new("arguments", "file:HERE/rings");
    for arguments in
        ["--json", "keyring inspect --json", "--json nonsense", "keyring --json destroy t AAAAAAAA --tokens x"]
    {
        let output = shop.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert!(error["code"] == "usage" && error["error"].as_str().unwrap().len() > 5, "{arguments}: {error}");
    }
}

#[test]
fn the_standard_output_has_data_only() {
    let shop = Shop::new("data", "file:HERE/rings");
    fs::create_dir(shop.path("rings")).unwrap();
    let output = shop.run("keyring list");
    assert!(output.status.success() && output.stdout.is_empty());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "rxseal: no keyring is stored\n");
    let output = shop.run("keyring list --json");
    assert!(output.stderr.is_empty() && output.stdout == b"[]\n");
    // A folder that is not there is not an empty one.
    let text = shop.fails("keyring list --store file:typo", 2);
    assert!(text.contains("is this the right store") && text.contains("--store (file:typo)"), "{text}");
    let made = shop.fails("keyring init pharmacy-17 --store sqlite:new/folder/rings.db", 1);
    assert!(made.contains("root.key"), "{made}");
    shop.ok("key-file create root.key");
    let folder = shop.fails("keyring init pharmacy-17 --store sqlite:new/folder/rings.db", 2);
    assert!(folder.contains("mkdir -p -m 0700 new/folder"), "{folder}");
}

#[test]
fn an_answer_that_cannot_be_written() {
    let shop = Shop::opened("full", "file:HERE/rings");
    let full = |arguments: &str| {
        let device = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        shop.command().args(arguments.split_whitespace()).stdout(device).output().unwrap()
    };
    let generation = shop.stored().generation();
    for change in ["keyring rotate pharmacy-17", "keyring stage pharmacy-17", "key-file create second.key"] {
        let text = fails(full(change), change, 6);
        assert!(
            text.contains("the change WAS stored") && text.contains("made") | text.contains("generation"),
            "{text}"
        );
    }
    assert_eq!(shop.stored().generation(), generation + 2);
    // Where nothing was changed, nothing was stored.
    let subjects = SubjectKeys::new(SqliteSubjectStore::open(shop.path("subjects.db")).unwrap());
    run_local(subjects.subject_or_create(&shop.keys(), "P-7")).unwrap();
    for look in [
        "keyring list",
        "keyring inspect pharmacy-17",
        "keyring rotate pharmacy-17 --dry-run",
        "man",
        "subject rewrap pharmacy-17 --subject-store sqlite:subjects.db",
        "subject hold pharmacy-17 P-7 --release --subject-store sqlite:subjects.db",
    ] {
        assert!(!fails(full(look), look, 1).contains("WAS stored"), "{look}");
    }
    // Whoever read it went away.
    for (arguments, exit) in [
        ("keyring inspect pharmacy-17", 141),
        ("completions bash", 141),
        ("keyring promote pharmacy-17 --staged-for 0s", 6),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = shop.command().args(arguments.split_whitespace()).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{arguments}");
        assert_eq!(output.stderr.is_empty(), exit == 141, "{arguments}");
    }
}

/// Ids come from stores that somebody else may write.
#[test]
fn what_a_terminal_would_obey_is_shown_escaped() {
    let shop = Shop::opened("escapes", "sqlite:HERE/rings.db");
    let evil = "P-7\u{1b}]0;owned\u{7}\u{9b}2J\n\u{202e}x";
    let db = rusqlite::Connection::open(shop.path("rings.db")).unwrap();
    db.execute("INSERT INTO rxseal_keyrings VALUES (?1, 1, 'x')", [evil]).unwrap();
    drop(SqliteSubjectStore::open(shop.path("subjects.db")).unwrap());
    let key = states(&shop.json("keyring inspect pharmacy-17"))[0].0.clone();
    let subjects = rusqlite::Connection::open(shop.path("subjects.db")).unwrap();
    let wrapped = shop.keys_in_sqlite().create_subject_key("P-7").unwrap().1;
    subjects
        .execute(
            "INSERT INTO rxseal_subject_keys (keyspace, subject, wrapped) VALUES ('pharmacy-17', ?1, ?2)",
            rusqlite::params![evil, wrapped.as_bytes()],
        )
        .unwrap();
    fs::write(shop.path("shredded.log"), "").unwrap();
    let with = "--subject-store sqlite:subjects.db --shred-log shredded.log --backups-kept 1day";
    for arguments in [
        "keyring list".to_owned(),
        format!("subject under pharmacy-17 {key} {with}"),
        format!("subject count pharmacy-17 {with}"),
        format!("subject rewrap pharmacy-17 {with}"),
        format!("subject reapply {with}"),
    ] {
        let output = shop.run(&arguments);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(
            text.chars().all(|char| char == '\n' || !char.is_control() && char != '\u{202e}'),
            "{arguments}: {text:?}"
        );
        if arguments.contains("list") || arguments.contains("under") {
            assert!(text.contains("P-7\\u{1b}]0;owned"), "{arguments}: {text}");
        }
    }
    // And what was typed: a log of a script that was given it.
    let output = shop.command().args(["keyring", "inspect", evil]).output().unwrap();
    assert!(!fails(output, "inspect", 1).trim_end().contains(char::is_control));
}
