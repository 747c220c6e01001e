//! Who opened what: the log of the built service, its budgets, and what is in it after a kill.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rxseal_watch::VerifierKey;
use rxseal_watch::verify::{Verdict, Verifier};
use serde_json::{Value, json};

use crate::support::{BORN, CANARIES, KIM, LEE, PHONE, Pharmacy, refused};
use crate::{JANE, JOHN, patient, prescription, with_jane};

/// As somebody who has the public key and the checkpoints, an hour later.
fn verdict(pharmacy: &Pharmacy) -> Verdict {
    let later = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(3600);
    let key: VerifierKey = fs::read_to_string(pharmacy.folder.join("audit.pub")).unwrap().parse().unwrap();
    let verifier = Verifier::new([key]).at(u64::try_from(later.as_millis()).unwrap());
    let verifier = verifier.checkpoints(pharmacy.folder.join("checkpoints")).unwrap();
    verifier.verify(pharmacy.folder.join("log")).unwrap().verdict()
}

fn openings(pharmacy: &Pharmacy) -> Vec<Value> {
    pharmacy.events().into_iter().filter(|event| event["e"] == "open").collect()
}

#[test]
fn every_answer_is_in_the_log_of_a_killed_service() {
    let pharmacy = Pharmacy::new();
    let server = with_jane(&pharmacy);
    for path in
        [format!("/patients/{JANE}"), "/prescriptions/1001".to_owned(), format!("/patients/{JANE}/prescriptions")]
    {
        server.get_json(KIM, &path);
    }
    assert_eq!(server.post(KIM, "/patients/born", &json!({"on": BORN})).0, 200);
    server.end();
    let events = openings(&pharmacy);
    let expected = [
        ("patient", json!([[JANE, JANE]]), json!({"identity": 3, "contact": 1})),
        ("prescription", json!([["1001", JANE]]), json!({"medication": 2})),
        ("prescription", json!([["1001", JANE], ["1002", JANE]]), json!({"medication": 4})),
        ("patient", json!([[JANE, JANE]]), json!({"identity": 3, "contact": 1})),
    ];
    assert_eq!(events.len(), expected.len(), "{events:?}");
    for (event, (record_type, records, classes)) in events.iter().zip(expected) {
        assert_eq!(
            (&event["who"], &event["pou"], &event["out"]),
            (&json!("user:kim.rph"), &json!("TREAT"), &json!("ok"))
        );
        assert_eq!((&event["rt"], &event["rec"], &event["cls"]), (&json!(record_type), &records, &classes));
    }
    assert_eq!(events[3]["find"]["idx"], json!(["patient.born"]));
    // It has no end, so it may lack what was never answered.
    assert_eq!(verdict(&pharmacy), Verdict::Incomplete);
    assert!(holds_nothing(&pharmacy.folder.join("log")));
}

fn holds_nothing(folder: &Path) -> bool {
    let mut files =
        fs::read_dir(folder).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap_or_default());
    files.all(|text| !CANARIES.iter().any(|secret| text.contains(secret)))
}

#[test]
fn a_service_that_is_asked_to_end_leaves_a_whole_log() {
    let pharmacy = Pharmacy::new();
    let server = with_jane(&pharmacy);
    server.get_json(KIM, "/prescriptions/1001");
    let (printed, complained) = server.ask_to_end();
    assert!(
        printed.contains("checkpoint") && !printed.contains(JANE) && complained.is_empty(),
        "{printed}{complained}"
    );
    pharmacy.run("night").unwrap();
    assert_eq!(verdict(&pharmacy), Verdict::Whole);
    // The night has a chain of its own, in which she opens nothing.
    let files = fs::read_dir(pharmacy.folder.join("log")).unwrap().map(|file| file.unwrap().path());
    let mut chains = files.filter(|path| path.extension().is_some_and(|end| end == "rxa"));
    let with_kim = chains.find(|path| fs::read_to_string(path).unwrap().contains("kim.rph")).unwrap();
    let edited = fs::read_to_string(&with_kim).unwrap().replacen("kim.rph", "lee.rph", 1);
    fs::write(&with_kim, edited).unwrap();
    assert_eq!(verdict(&pharmacy), Verdict::Tampered);
}

#[test]
fn keys_are_changed_under_a_name() {
    let pharmacy = Pharmacy::new();
    let server = with_jane(&pharmacy);
    server.post(LEE, "/patients", &patient(JOHN));
    assert_eq!(server.delete(KIM, &format!("/patients/{JOHN}")).0, 204);
    server.ask_to_end();
    pharmacy.run("rotate").unwrap();
    let acts = pharmacy.events().into_iter().filter(|event| event["e"] == "act");
    let acts: Vec<_> =
        acts.map(|act| [&act["who"], &act["what"], &act["ks"], &act["sub"], &act["out"]].map(Value::clone)).collect();
    let shred =
        |out: &str| [json!("user:kim.rph"), json!("subject-shred"), json!("pharmacy-17"), json!(JOHN), json!(out)];
    let rotate = |tenant: &str, out: &str| {
        [json!("job:rotate"), json!("keyring-rotate"), json!(tenant), Value::Null, json!(out)]
    };
    let expected = [shred("begun"), shred("ok"), rotate("pharmacy-17", "begun"), rotate("pharmacy-17", "ok")];
    assert_eq!(acts[..4], expected, "{acts:?}");
    assert_eq!(acts[4..], [rotate("pharmacy-18", "begun"), rotate("pharmacy-18", "ok")]);
}

#[test]
fn a_frozen_pharmacist_reads_nothing() {
    let pharmacy = Pharmacy::new();
    drop(with_jane(&pharmacy));
    fs::write(pharmacy.folder.join("frozen"), "user:kim.rph\n").unwrap();
    let server = pharmacy.serve();
    refused(&server.get(KIM, "/prescriptions/1001"), 403, "frozen");
    // Not an empty list, which would look as if she had no prescription.
    refused(&server.get(KIM, &format!("/patients/{JANE}/prescriptions")), 403, "frozen");
    refused(&server.post(KIM, "/patients/born", &json!({"on": BORN})), 403, "frozen");
    assert_eq!(server.post(LEE, "/prescriptions", &prescription(1003, JANE)).0, 201, "entering opens nothing");
    server.end();
    assert!(openings(&pharmacy).iter().all(|event| event["out"] == "frozen"));
}

/// A search that finds more than a thousand is answered with none of them.
#[test]
fn who_copies_everything_is_refused() {
    let pharmacy = Pharmacy::in_memory();
    let server = pharmacy.serve();
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let server = &server;
            scope.spawn(move || {
                for number in (writer..1040).step_by(2) {
                    let id = format!("0197a000-0000-7000-8000-{number:012}");
                    assert_eq!(server.post(LEE, "/patients", &patient(&id)).0, 201);
                }
            });
        }
    });
    let (head, body) = server.exchange("POST", "/patients/phone", KIM, "", &json!(PHONE).to_string());
    refused(&(429, body), 429, "over-budget");
    let wait = head.to_lowercase().lines().find_map(|line| line.strip_prefix("retry-after: ").map(str::to_owned));
    assert!(wait.is_some_and(|wait| wait.parse::<u64>().unwrap() > 0) && head.contains(" 429 "), "{head}");
    let (_, complained) = server.end();
    assert!(complained.contains("alarm: user:kim.rph was refused by a budget"), "{complained}");
    let outcomes: Vec<_> = openings(&pharmacy).iter().map(|event| event["out"].clone()).collect();
    assert_eq!(outcomes, ["ok", "ok", "ok", "over_budget"]);
}
