//! `rxseal audit` and `rxseal budget`: a log that a program wrote is verified and read.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rxseal::phi::Drug;
use rxseal::{Access, Purpose, Recipient};
use rxseal_watch::{Act, Budgets, CheckpointFolder, FileLog, Watch};
use serde_json::Value;

use crate::shop::{Shop, fails};

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

/// A log in which kim disclosed the data of some patients.
fn disclosed(name: &str) -> Shop {
    let shop = Shop::new(name, "file:HERE/rings");
    shop.ok("audit keygen --name ph17-a.example --out audit.key");
    fs::create_dir(shop.path("log")).unwrap();
    let key = fs::read_to_string(shop.path("audit.key")).unwrap().parse().unwrap();
    let watch = Watch::over(FileLog::in_folder(shop.path("log"), key).unwrap()).start().unwrap();
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(watch.observer());
    let open = |id: &str, access: &Access| {
        let record = keys.record("prescription", id).unwrap();
        let token = record.seal::<Drug>("Canary-metformin").unwrap();
        record.opened_by(access).open::<Drug, String>(&token).unwrap();
    };
    let to = |name: &str, basis: &str| {
        Recipient::named(name).unwrap().address("1 \"Main\" St, <Springfield>").unwrap().basis(basis).unwrap()
    };
    let access = |purpose| Access::new("svc:reports", purpose).unwrap();
    let pmp = access(Purpose::PUBHLTH).disclosed_to(to("State PMP", "state law, 164.512(a)"));
    let payer = access(Purpose::HPAYMT).disclosed_to(to("=Payer()", "claim"));
    let study = access(Purpose::HRESCH).disclosed_to(to("Study", "signed Authorization of May"));
    let court = access(Purpose::HLEGAL).disclosed_to(to("County court", "court order"));
    for (id, access) in [("P-1", &pmp), ("P-1", &pmp), ("P-1", &payer), ("P-1", &study), ("P-2", &pmp), ("P-1", &court)]
    {
        open(id, access);
    }
    open("P-1", &access(Purpose::TREAT));
    drop((keys, watch));
    shop
}

#[test]
fn disclosures_of_a_patient_are_listed_and_those_that_need_not_be_counted_apart() {
    let shop = disclosed("audit-disclosures");
    let listed = shop.json("audit disclosures log --subject P-1");
    let listed: Vec<_> = listed["disclosures"].as_array().unwrap().iter().collect();
    let of = |at: usize| {
        (
            listed[at]["recipient"]["name"].as_str().unwrap(),
            listed[at]["count"].as_u64().unwrap(),
            &listed[at]["exempt"],
        )
    };
    assert_eq!(listed.len(), 4);
    assert_eq!(of(0), ("State PMP", 2, &Value::Null), "the repeated one once");
    assert_eq!(of(1), ("County court", 1, &Value::Null), "operations to HL7, and not to HIPAA");
    assert_eq!((of(2).2, of(3).2), (&"payment".into(), &"authorization".into()));
    assert_eq!(listed[0]["classes"], serde_json::json!(["medication"]));
    let text = shop.ok("audit disclosures log --subject P-1 --since 1day");
    assert!(
        text.contains("State PMP") && text.contains("medication (prescription)") && text.contains("164.512(a)"),
        "{text}"
    );
    let csv = shop.ok("audit disclosures log --subject P-1 --format csv");
    assert_eq!(csv.lines().count(), 5);
    assert!(csv.contains("'=Payer()") && csv.contains("\"1 \"\"Main\"\" St, <Springfield>\""), "{csv}");
    let html = shop.ok("audit disclosures log --subject P-1 --format html");
    let page = rxseal_tests_pages::check("disclosures-ordinary", &html);
    assert!(
        page.contains("Data of this patient was disclosed 3 times that must be counted, and 2 times that need not be."),
        "{page}"
    );
    assert!(page.contains("<Springfield>"), "{page}");
    let nothing = shop.ok("audit disclosures log --subject P-77 --format html");
    let nothing = rxseal_tests_pages::check("disclosures-nothing", &nothing);
    assert!(
        nothing.contains("disclosed 0 times that must be counted")
            && nothing.contains("No other disclosure is in the log."),
        "{nothing}"
    );
    assert!(html.find("County court").unwrap() < html.find("need not be counted</h2>").unwrap());
    assert!(html.find("=Payer()").unwrap() > html.find("need not be counted</h2>").unwrap());
    let none = shop.run("audit disclosures log --subject P-77");
    assert!(none.status.success() && none.stdout.is_empty());
    for text in [text, csv, html] {
        assert!(!text.contains("Canary"));
    }
}

#[test]
fn events_are_exported() {
    let shop = disclosed("audit-export");
    let json: Vec<Value> =
        shop.ok("audit export log").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let openings: Vec<_> = json.iter().filter(|event| event["e"] == "open").collect();
    assert_eq!((openings.len(), openings[0]["chain"].as_str().unwrap().len()), (7, 16));
    let csv = shop.ok("audit export log --format csv");
    assert_eq!(csv.lines().count(), json.len() + 1);
    assert!(
        csv.lines().any(|line| line.contains(",open,pharmacy-17,svc:reports,PUBHLTH,,prescription,P-2,,medication,")),
        "{csv}"
    );
    assert!(!csv.contains("Canary"));
}

#[test]
fn somebody_else_reviews_a_broken_glass() {
    let (shop, verifier) = logged("audit-review");
    let waits = |expected: usize| {
        let output = shop.run("--json audit review log ops");
        assert_eq!(output.status.code(), Some(i32::from(expected > 0)));
        let list: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(list.as_array().unwrap().len(), expected, "{list}");
        list
    };
    fs::create_dir(shop.path("ops")).unwrap();
    shop.ok("audit keygen --name ops.example --out ops.key");
    let list = waits(1);
    assert_eq!(
        (&list[0]["who"], &list[0]["about"], &list[0]["events"]),
        (&"user:kim.rph".into(), &"RX-2".into(), &1.into())
    );
    let event = list[0]["event"].as_str().unwrap();
    let review = |who: &str, reason: &str, event: &str| {
        let mut command = shop.command();
        command.args(["audit", "review", "log", "--audit-log", "ops", "--audit-key", "ops.key", "--done", event]);
        command.args(["--who", who, "--reason", reason]).output().unwrap()
    };
    let text = fails(review("user:kim.rph", "I did need it", event), "one's own", 2);
    assert!(text.contains("somebody else"), "{text}");
    fails(review("user:lee.rph", "short", event), "no reason", 1);
    fails(review("user:lee.rph", "she was right", "0000000000000000:1"), "another event", 2);
    waits(1);
    let done = review("user:lee.rph", "she was right", event);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    waits(0);
    // Where the reviews are is said, or nothing was reviewed.
    assert_eq!(shop.run("audit review log").status.code(), Some(1));
    assert!(shop.ok(&format!("audit verify log --key {verifier} --checkpoints elsewhere")).starts_with("whole"));

    // An act whose command was killed waits too.
    let key = fs::read_to_string(shop.path("ops.key")).unwrap().parse().unwrap();
    let watch = Watch::over(FileLog::in_folder(shop.path("ops"), key).unwrap()).start().unwrap();
    let act = Act::new("user:kim.rph", "keyring-destroy", "ticket 4711").unwrap();
    drop((watch.begin(act).unwrap(), watch));
    let list = waits(1);
    assert_eq!((&list[0]["kind"], &list[0]["about"]), (&"act without end".into(), &"keyring-destroy".into()));
}

#[test]
fn budgets_are_suggested_from_a_log() {
    let shop = disclosed("budget-suggest");
    let output = shop.run("--json budget suggest log");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("the log covers 1 days"));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let actor = &json["actors"][0];
    assert_eq!((&actor["actor"], &actor["most_in_an_hour"]), (&"svc:reports".into(), &2.into()));
    assert_eq!((&actor["per_hour"], &json["is_enough"]), (&serde_json::json!([100, 100]), &false.into()));
    assert_eq!((&json["refused_by_preset"], &json["refused_by_suggestion"]), (&0.into(), &0.into()));
    assert_eq!(json["places"].as_array().unwrap().len(), 5);
    let text = String::from_utf8(shop.run("budget suggest log").stdout).unwrap();
    assert!(text.contains("svc:reports") && text.contains("pharmacy-17 for PUBHLTH"), "{text}");

    shop.ok("budget freeze user:kim.rph --list frozen");
    let status = shop.json("budget status log --list frozen");
    assert_eq!(status.as_array().unwrap().len(), 2);
    assert_eq!((&status[0]["actor"], &status[0]["patients_in_the_last_day"]), (&"svc:reports".into(), &2.into()));
    assert_eq!((&status[1]["actor"], &status[1]["is_frozen"]), (&"user:kim.rph".into(), &true.into()));
    assert!(shop.ok("budget status log --list frozen").contains("frozen"));
}

/// A large page has several lines, of which the first alone says what was opened. A reader need not know that.
#[test]
fn every_record_of_a_large_page_has_its_classes() {
    let shop = Shop::new("audit-page", "file:HERE/rings");
    shop.ok("audit keygen --name ph17-a.example --out audit.key");
    fs::create_dir(shop.path("log")).unwrap();
    let key = fs::read_to_string(shop.path("audit.key")).unwrap().parse().unwrap();
    let watch = Watch::over(FileLog::in_folder(shop.path("log"), key).unwrap()).budgets(Budgets::observe_only());
    let watch = watch.start().unwrap();
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(watch.observer());
    let page: Vec<_> = (0..1100).map(|n| keys.record("refill", format!("R-{n}").as_str()).unwrap()).collect();
    let tokens: Vec<_> = page.iter().map(|record| record.seal::<Drug>("Canary").unwrap()).collect();
    let recipient = Recipient::named("State PMP").unwrap();
    let access = Access::new("svc:reports", Purpose::PUBHLTH).unwrap().disclosed_to(recipient);
    rxseal::page::open_page(&page, &access, |at, pass| pass.open::<Drug, String>(&tokens[at]).map(|_| ())).unwrap();
    drop((page, keys, watch));
    let lines = shop.ok("--json audit show log --actor svc:reports");
    assert_eq!(lines.lines().count(), 2);
    for id in ["R-0", "R-1099"] {
        let event: Value =
            serde_json::from_str(&shop.ok(&format!("--json audit accesses log --subject {id}"))).unwrap();
        assert_eq!((&event["cls"]["medication"], &event["out"]), (&1100.into(), &"ok".into()), "{id}");
        let listed = shop.json(&format!("audit disclosures log --subject {id}"));
        assert_eq!(listed["disclosures"][0]["classes"], serde_json::json!(["medication"]), "{id}");
    }
}
