//! `rxseal subject`.

use std::fs;

use rxseal::run_local;
use rxseal::subjects::SubjectKeys;
use rxseal_sqlite::SqliteSubjectStore;
use serde_json::Value;

use crate::shop::{Shop, fails};

#[test]
#[expect(clippy::too_many_lines, reason = "one story, in which each step needs those before")]
fn a_patient_is_shredded_held_and_carried_over() {
    let shop = Shop::opened("subjects", "file:HERE/rings");
    let database = shop.path("subjects.db");
    let store = SqliteSubjectStore::open(&database).unwrap();
    let subjects = SubjectKeys::new(store);
    for patient in ["P-7", "P-8", "P-9"] {
        run_local(subjects.subject_or_create(&shop.keys(), patient)).unwrap();
    }
    let run = |arguments: &str| {
        let mut command = shop.command();
        command.env("RXSEAL_SUBJECT_STORE", format!("sqlite:{}", database.display()));
        command.env("RXSEAL_SHRED_LOG", "shredded.log").env("RXSEAL_BACKUPS_KEPT", "30days");
        command.args(arguments.split_whitespace()).output().unwrap()
    };
    let ok = |arguments: &str| {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let would = ok("subject hold pharmacy-17 P-7 --until 2999-01-01 --legal-hold --dry-run");
    assert!(would.contains("it would be kept until: 2999-01-01") && would.contains("under a legal hold"), "{would}");
    assert!(ok("subject hold pharmacy-17 P-7").contains("kept until: no day is set; no legal hold"));
    ok("subject hold pharmacy-17 P-7 --until 2999-01-01");
    assert!(fails(run("subject shred pharmacy-17 P-7 --yes"), "held", 5).contains("must be kept"));
    assert!(ok("subject hold pharmacy-17 P-7").contains("2999-01-01"));
    ok("subject hold pharmacy-17 P-7 --legal-hold");
    let held = ok("subject hold pharmacy-17 P-7");
    assert!(held.contains("2999-01-01") && held.contains("under a legal hold"), "both hold: {held}");
    for less in ["none", "2998-12-31"] {
        assert!(fails(run(&format!("subject hold pharmacy-17 P-7 --until {less}")), "less", 2).contains("2999-01-01"));
    }
    ok("subject hold pharmacy-17 P-7 --until none --yes");
    assert!(fails(run("subject shred pharmacy-17 P-7 --dry-run"), "held", 5).contains("must be kept"));
    ok("subject hold pharmacy-17 P-7 --release");
    assert!(ok("subject shred pharmacy-17 P-7 --dry-run").contains("would be shredded"));
    assert!(ok("subject hold pharmacy-17 P-7").contains("its key is under"));
    fs::copy(&database, shop.path("backup.db")).unwrap();
    let receipt = ok("subject shred pharmacy-17 P-7 --yes");
    assert!(!receipt.contains("no key is stored") && ok("subject hold pharmacy-17 P-7").contains("shredded at"));
    assert!(
        ok("subject shred pharmacy-17 P-77 --unknown-too --dry-run").contains("no key is stored"),
        "another id, perhaps"
    );
    // What has no effect is not confirmed.
    let past = "--until 1999-01-01";
    for (arguments, exit, part) in [
        ("shred pharmacy-17 P-77 --yes", 1, "--unknown-too"),
        ("shred pharmacy-17 P-77 --dry-run", 1, "--unknown-too"),
        ("shred pharmacy-71 P-8 --yes", 1, "--unknown-too"),
        ("shred Pharmacy P-8 --yes", 1, "keyspace"),
        ("hold pharmacy-17 P-77 --legal-hold", 1, "--unknown-too"),
        ("hold pharmacy-17 P-77 --release", 1, "--unknown-too"),
        ("hold pharmacy-17 P-77 --legal-hold --dry-run", 1, "--unknown-too"),
        ("hold pharmacy-17 P-7 --legal-hold", 5, "was shredded"),
        ("hold pharmacy-17 P-7 --legal-hold --unknown-too", 5, "was shredded"),
        ("hold pharmacy-17 P-7 --until 2999-01-01 --dry-run", 5, "was shredded"),
        (&format!("hold pharmacy-17 P-8 {past}"), 5, "has passed already"),
        (&format!("hold pharmacy-17 P-8 {past} --legal-hold"), 5, "has passed already"),
        (&format!("hold pharmacy-17 P-8 {past} --dry-run"), 5, "has passed already"),
        ("rewrap pharmacy-18", 1, "keyring"),
        ("under pharmacy-71 AAAAAAAA", 1, "no subject key of pharmacy-71"),
    ] {
        let text = fails(run(&format!("subject {arguments}")), arguments, exit);
        assert!(text.contains(part), "{arguments}: {text}");
    }
    assert!(ok("subject hold pharmacy-17 P-8").contains("kept until: no day is set; no legal hold"));
    let log = fs::read_to_string(shop.path("shredded.log")).unwrap();
    assert_eq!(log.lines().count(), 1, "who was not shredded is not in it: {log}");
    assert!(
        ok("subject shred pharmacy-17 P-7 --yes").contains("shredded P-7"),
        "repeated after a crash, with its receipt"
    );
    fs::write(shop.path("passwd"), "root:x:0:0\n").unwrap();
    fails(run("subject shred pharmacy-17 P-8 --dry-run --shred-log passwd"), "no shred log", 5);
    fails(run("subject count pharmacy-17 --subject-store file:typo"), "no such store", 2);
    let far = ok("--backups-kept 999999999years subject shred pharmacy-17 P-78 --unknown-too --yes");
    assert!(far.contains("after the year 9999") && far.contains("no key is stored"), "{far}");
    assert!(receipt.contains("complete at") && receipt.contains("Not covered:"), "{receipt}");
    assert_eq!(run("subject shred pharmacy-17 P-8").status.code(), Some(2), "only with --yes");

    let old = shop.keys().primary_key().to_string();
    ok("keyring rotate pharmacy-17");
    assert_eq!(ok(&format!("subject under pharmacy-17 {old}")).lines().collect::<Vec<_>>(), ["P-8", "P-9"]);
    assert!(ok("subject count pharmacy-17").contains(&old));
    let counted = ok(&format!("--json keyring compromise pharmacy-17 {old} --dry-run"));
    assert_eq!(serde_json::from_str::<Value>(&counted).unwrap()["subject_keys_under"], 2);
    let marked = ok(&format!("keyring compromise pharmacy-17 {old} --dry-run"));
    let lists = format!("`rxseal subject under pharmacy-17 {old}` lists");
    assert!(marked.contains("rewrap 2 subject keys") && marked.contains(&lists), "{marked}");
    let marked = shop.ok(&format!("keyring compromise pharmacy-17 {old} --dry-run"));
    assert!(marked.contains("If patients have keys") && marked.contains(&lists), "{marked}");
    let destroy = format!("keyring destroy pharmacy-17 {old} --tokens 0 --unused-for 0s --yes");
    let refused = fails(run(&destroy), "wrapped", 5);
    assert!(refused.contains("0 tokens and 2 subject keys"), "they are counted: {refused}");
    assert!(ok("subject rewrap pharmacy-17 --dry-run").contains("2 subject keys would be under"));
    assert!(ok("subject rewrap pharmacy-17").contains("2 subject keys are now under"));
    assert_eq!(ok(&format!("subject under pharmacy-17 {old}")), "", "data only");

    shop.fails(&destroy, 2);
    fs::write(shop.path("empty.db"), "").unwrap();
    let other = fails(run("subject reapply --dry-run --subject-store sqlite:empty.db"), "another store", 2);
    assert!(other.contains("is this the right store"), "{other}");
    let other = fails(run("subject reapply --subject-store sqlite:empty.db"), "another store", 2);
    assert!(other.contains("is this the right store"), "{other}");
    assert_eq!(fs::read(shop.path("empty.db")).unwrap(), b"", "nothing was written there");
    drop(SqliteSubjectStore::open(shop.path("nobody.db")).unwrap());
    let other = fails(run("subject reapply --subject-store sqlite:nobody.db"), "another store", 1);
    assert!(other.contains("the right store") && other.contains("--unknown-too"), "{other}");
    let other = fails(run("subject rewrap pharmacy-17 --subject-store sqlite:nobody.db"), "another store", 1);
    assert!(other.contains("no subject key of pharmacy-17"), "{other}");
    let lost = ok("subject reapply --unknown-too --subject-store sqlite:nobody.db");
    assert!(lost.contains("2 subjects are shredded, 2 of them without a key"), "{lost}");
    fs::write(shop.path("empty.db"), "").unwrap();
    let other = run(&format!("keyring destroy pharmacy-17 {old} --tokens 0 --yes --subject-store sqlite:empty.db"));
    assert!(fails(other, "another store", 2).contains("is this the right store"));
    // No patient has a key yet, and the operator says so.
    let none = format!("keyring destroy pharmacy-17 {old} --tokens 0 --subject-keys 0 --unused-for 0s --dry-run --yes");
    ok(&format!("{none} --subject-store sqlite:empty.db"));
    ok(&destroy);
    fs::copy(shop.path("backup.db"), &database).unwrap();
    assert!(
        ok("subject reapply --dry-run")
            .contains("2 subjects would be shredded, 1 of them without a key; 0 were already")
    );
    assert!(ok("subject reapply").contains("2 subjects are shredded, 1 of them without a key; 0 were already"));
    assert!(ok("subject reapply").contains("0 subjects are shredded, 0 of them without a key; 2 were already"));
    // A line that somebody wrote, of a time that is yet to come, shreds nobody who is kept until then.
    ok("subject hold pharmacy-17 P-8 --until 2096-01-01");
    let line = "{\"keyspace\":\"pharmacy-17\",\"subject\":\"P-8\",\"at\":4000000000}\n";
    fs::write(shop.path("shredded.log"), format!("{log}{line}")).unwrap();
    let output = run("subject reapply");
    let (text, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        text.contains("held, so not shredded: pharmacy-17 P-8") && text.contains("in the future: pharmacy-17 P-8"),
        "{text}"
    );
    assert!(error.contains("warning: 1 lines of the log have a time in the future"), "{error}");
    assert!(ok("subject hold pharmacy-17 P-8").contains("its key is under"));
    let bare = shop.fails("subject reapply", 2);
    assert!(bare.contains("RXSEAL_SUBJECT_STORE"), "{bare}");
}

/// The key is not destroyed before its line can be written, and if it was all the same, the operator is told.
#[test]
fn no_patient_is_shredded_without_a_log() {
    let shop = Shop::opened("no-log", "file:HERE/rings");
    let subjects = SubjectKeys::new(SqliteSubjectStore::open(shop.path("subjects.db")).unwrap());
    run_local(subjects.subject_or_create(&shop.keys(), "P-7")).unwrap();
    let places = "--subject-store sqlite:subjects.db --backups-kept 30days --shred-log";
    std::os::unix::fs::symlink("nowhere/shredded.log", shop.path("link.log")).unwrap();
    // Folders in which not even root can make a file, and a link that leads nowhere.
    for log in ["/proc/shredded.log", "link.log"] {
        for how in ["--dry-run", "--yes"] {
            let text = shop.fails(&format!("subject shred pharmacy-17 P-7 {how} {places} {log}"), 5);
            assert!(!text.contains("WAS destroyed"), "{text}");
        }
        let hold = shop.ok("subject hold pharmacy-17 P-7 --subject-store sqlite:subjects.db");
        assert!(hold.contains("its key is under"), "{log}: {hold}");
    }
    shop.ok(&format!("subject shred pharmacy-17 P-7 --yes {places} shredded.log"));
    // Nothing is left of the attempts.
    let names = fs::read_dir(&shop.folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with(".rxseal-tmp")).count(), 0);
    let text = shop.fails(&format!("--json subject shred pharmacy-17 P-7 --yes {places} /proc/shredded.log"), 6);
    assert!(text.contains("\"unreported\"") && text.contains("key WAS destroyed"), "{text}");
    // Something rotated the log: that nobody is in it shreds nobody, and is no success.
    fs::write(shop.path("rotated.log"), "").unwrap();
    for how in ["", "--dry-run"] {
        let text = shop.fails(&format!("subject reapply {how} {places} rotated.log"), 1);
        assert!(text.contains("the shred log is empty"), "{text}");
    }
}

/// No patient is under a key that is mistyped: that is not an answer for those who have to be told.
#[test]
fn a_mistyped_key_exposes_nobody_and_says_so() {
    let shop = Shop::opened("mistyped", "file:HERE/rings");
    let subjects = SubjectKeys::new(SqliteSubjectStore::open(shop.path("subjects.db")).unwrap());
    run_local(subjects.subject_or_create(&shop.keys(), "P-7")).unwrap();
    let old = shop.keys().primary_key().to_string();
    let under = |key: &str| format!("--json subject under pharmacy-17 {key} --subject-store sqlite:subjects.db");
    assert_eq!(shop.ok(&under(&old)), "[\"P-7\"]\n");
    let text = shop.fails(&under("AAAAAAAA"), 1);
    assert!(text.contains("\"unknown-key\"") && text.contains("has no key AAAAAAAA"), "{text}");
    shop.ok("keyring rotate pharmacy-17");
    assert_eq!(shop.ok(&under(&shop.keys().primary_key().to_string())), "[]\n", "a key of the keyring may have none");
}
