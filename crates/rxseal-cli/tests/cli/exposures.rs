//! `rxseal exposure`, and docs/EXPOSURE.md word for word.

use std::fs;

use rxseal::phi::Drug;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::{Access, Keyring, Purpose, run_local};
use rxseal_watch::{CheckpointFolder, FileLog, SigningKey, Watch};
use serde_json::Value;

use crate::maps::shop_of_the_page;
use crate::shop::Shop;
use crate::walk::walk;

const PAGE: &str = include_str!("../../../../docs/EXPOSURE.md");

/// The shop of the map's page, with a log in which kim opened a drug.
fn shop(name: &str) -> Shop {
    let shop = shop_of_the_page(name);
    for folder in ["log", "elsewhere"] {
        fs::create_dir_all(shop.path(folder)).unwrap();
    }
    let key = SigningKey::generate("ph17.example").unwrap();
    fs::write(shop.path("audit.pub"), format!("{}\n", key.verifier())).unwrap();
    let log = FileLog::in_folder(shop.path("log"), key).unwrap();
    let watch = Watch::over(log).copy_to(CheckpointFolder::new(shop.path("elsewhere"))).start().unwrap();
    let roots = RootKeys::from(RootKeyFile::new(shop.path("root.key")).load().unwrap());
    let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &shop.stored())).unwrap().observed_by(watch.observer());
    let (subject, _) = keys.create_subject_key("pat-77").unwrap();
    let record = keys.record("prescription", 1_u64).unwrap().subject(&subject).unwrap();
    let drug = record.seal::<Drug>("warfarin 5 MG").unwrap();
    let access = Access::new("user:kim.rph", Purpose::TREAT).unwrap();
    let _: String = record.opened_by(&access).open::<Drug, _>(&drug).unwrap();
    drop(record);
    drop(keys);
    watch.stop().unwrap();
    shop
}

/// Each host has a log of its own, with checkpoints of its own.
#[test]
fn several_logs_are_one_answer() {
    let shop = shop("exposure-logs");
    let key = SigningKey::generate("ph18.example").unwrap();
    for folder in ["log-b", "elsewhere-b"] {
        fs::create_dir_all(shop.path(folder)).unwrap();
    }
    fs::write(shop.path("audit-b.pub"), format!("{}\n", key.verifier())).unwrap();
    let log = FileLog::in_folder(shop.path("log-b"), key).unwrap();
    let elsewhere = CheckpointFolder::new(shop.path("elsewhere-b"));
    Watch::over(log).host("ph17-b").copy_to(elsewhere).start().unwrap().stop().unwrap();
    let theft = "exposure --discovered 2026-09-02 --stolen actor:user:kim.rph@2020-01-01..2099-01-01 --audit log --key audit.pub";
    let wrong = shop.fails(&format!("{theft} --out r1 --audit log-b --checkpoints elsewhere"), 2);
    assert!(wrong.contains("once for each --audit"), "{wrong}");
    // Neither covers that time, and the report says of which log it speaks.
    let both = "--key audit-b.pub --audit log-b --checkpoints elsewhere --checkpoints elsewhere-b";
    let output = shop.run(&format!("--json {theft} {both} --out r2"));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &answer["totals"]["proven"]), (Some(7), &1.into()));
    let texts: Vec<_> = answer["doubts"].as_array().unwrap().iter().map(|doubt| doubt["text"].to_string()).collect();
    assert!(texts.iter().any(|text| text.contains("log-b: the log begins")), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("checkpoints")), "{texts:?}");
    let report: Value = serde_json::from_slice(&fs::read(shop.path("r2/exposure.json")).unwrap()).unwrap();
    assert_eq!((&report["audit"]["chains"], &report["audit"]["has_checkpoints"]), (&2.into(), &true.into()));
}

#[test]
fn the_page_runs_word_for_word() {
    let shop = shop("exposure-page");
    let key = shop.keys().primary_key().to_string();
    // Not every machine has the command of SQLite, and this database is not in use.
    let copy = "sqlite3 pharmacy.db \"VACUUM INTO 'stolen.db'\"";
    assert!(PAGE.contains(copy));
    walk("docs/EXPOSURE.md", PAGE, &shop, 0, |text| {
        text.replace("THE-KEY", &key).replace(copy, "cp pharmacy.db stolen.db")
    });
}

/// And the ids of patients are in the list alone (T87).
#[test]
fn the_answer_and_the_files_agree() {
    let shop = shop("exposure-files");
    fs::copy(shop.path("pharmacy.db"), shop.path("stolen.db")).unwrap();
    let stolen = "exposure --discovered 2026-09-02 --keyspace pharmacy-17 --stolen data:stolen.db=sqlite:pharmacy.db#prescriptions";
    let answer = shop.json(&format!("{stolen} --out report --name 2026-0007 --by officer --assume nothing"));
    assert_eq!(
        (&answer["totals"]["patients"], &answer["totals"]["at_most"], &answer["deadline"]),
        (&1.into(), &0.into(), &"2026-11-01".into())
    );
    let file: Value = serde_json::from_slice(&fs::read(shop.path("report/exposure.json")).unwrap()).unwrap();
    assert_eq!(
        (&file["totals"], &file["name"], &file["by"]),
        (&answer["totals"], &"2026-0007".into(), &"officer".into())
    );
    for name in ["exposure.json", "letter.json", "report.html"] {
        let text = fs::read_to_string(shop.path("report").join(name)).unwrap();
        assert!(!text.contains("pat-77"), "{name}");
    }
    let list = fs::read_to_string(shop.path("report/patients.csv")).unwrap();
    assert!(list.contains("pharmacy-17,pat-77,sealed,readable,sealed,sealed,"), "{list}");
    #[cfg(unix)]
    for entry in fs::read_dir(shop.path("report")).unwrap() {
        let mode = std::os::unix::fs::PermissionsExt::mode(&entry.unwrap().metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    // A folder that exists is not written over.
    assert!(shop.fails(&format!("{stolen} --out report"), 1).contains("not there yet"));
    for (wrong, text) in [
        ("--stolen data:stolen.db=sqlite:other.db#rx --out r2", "no source"),
        ("--stolen subject-keys:sqlite:absent.db --out r3", "does not exist"),
        ("--keyring absent.json --out r4", "absent.json"),
    ] {
        assert!(shop.fails(&format!("{stolen} {wrong}"), 2).contains(text), "{wrong}");
    }
    for (wrong, text) in [
        ("--stolen disk:1 --discovered 2026-09-02", "nothing that can be stolen"),
        ("--stolen key:AAAAAAAA --discovered 2026-02-30", "no day"),
    ] {
        let output = shop.run(&format!("exposure --out r5 {wrong}"));
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(text), "{wrong}");
    }
    fs::write(shop.path("ring.json"), "{}").unwrap();
    assert!(shop.fails(&format!("{stolen} --stolen keyring:ring.json --out r6"), 1).contains("no keyring file"));
    // Without the ids of keys nothing is called safe.
    let unknown = "exposure --discovered 2026-09-02 --stolen data:stolen.db=sqlite:pharmacy.db#prescriptions --out r7";
    let output = shop.run(&format!("--json {unknown}"));
    assert_eq!(output.status.code(), Some(7));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["totals"]["at_most"], &answer["doubts"][0]["code"]), (&1.into(), &"key-unknown".into()));
}
