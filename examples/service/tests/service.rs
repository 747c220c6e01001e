//! The service as its users, its operators and a thief meet it: the built program over loopback, and its files. It proves T34, T45 and T46
//! from end to end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "service/support.rs"]
mod support;
#[path = "service/watched.rs"]
mod watched;

use std::fs;

use rusqlite::types::Value as Column;
use rxseal::phi::Drug;
use rxseal::testing::assert_sealed;
use serde_json::{Value, json};

use support::{BORN, CANARIES, KIM, LEE, PAT, PHONE, Pharmacy, Server, holds_canary, refused};

const JANE: &str = "0197a000-0000-7000-8000-000000000001";
const ANN: &str = "0197a000-0000-7000-8000-000000000003";
const JOHN: &str = "0197a000-0000-7000-8000-000000000002";

fn patient(id: &str) -> Value {
    json!({"id": id, "first_name": "Canary-Jane", "last_name": CANARIES[0], "born": BORN, "phone": PHONE})
}

fn prescription(rx_number: u32, patient: &str) -> Value {
    json!({"rx_number": rx_number, "patient": patient, "drug": CANARIES[1], "directions": CANARIES[2], "refills": 2})
}

/// With Jane, who has two prescriptions.
fn with_jane(pharmacy: &Pharmacy) -> Server {
    let server = pharmacy.serve();
    assert_eq!(server.post(LEE, "/patients", &patient(JANE)), (201, JANE.to_owned()));
    for rx_number in [1001, 1002] {
        assert_eq!(server.post(LEE, "/prescriptions", &prescription(rx_number, JANE)).0, 201);
    }
    server
}

#[test]
fn a_day_of_the_pharmacy() {
    let pharmacy = Pharmacy::new();
    let server = with_jane(&pharmacy);
    assert_eq!(server.get_json(KIM, &format!("/patients/{JANE}")), patient(JANE));
    assert_eq!(server.get_json(KIM, "/prescriptions/1001"), prescription(1001, JANE));
    let list = json!([prescription(1001, JANE), prescription(1002, JANE)]);
    assert_eq!(server.get_json(KIM, &format!("/patients/{JANE}/prescriptions")), list);

    assert_eq!(server.version("/prescriptions/1001"), "1");
    assert_eq!(server.put_directions(KIM, 1001, "1", "Canary-two-daily").0, 204);
    assert_eq!(server.version("/prescriptions/1001"), "2");
    let mut changed = prescription(1001, JANE);
    changed["directions"] = json!("Canary-two-daily");
    assert_eq!(server.get_json(KIM, "/prescriptions/1001"), changed);

    // The service makes an id where the client has none.
    let (_, id) = server.post(
        LEE,
        "/patients",
        &json!({"first_name": "Canary-Jane", "last_name": CANARIES[0], "born": BORN, "phone": null}),
    );
    assert_eq!(server.get_json(KIM, &format!("/patients/{id}"))["id"], json!(id));

    let (printed, complained) = server.end();
    assert!(!holds_canary(&printed) && !holds_canary(&complained), "the program printed plaintext");
}

/// The tag is the lock: whoever did not see the present version, or came second, changes nothing.
#[test]
fn nobody_s_change_is_lost() {
    let pharmacy = Pharmacy::new();
    let server = with_jane(&pharmacy);
    assert_eq!(server.put_directions(KIM, 1001, "1", "first").0, 204);
    refused(&server.put_directions(KIM, 1001, "1", "second"), 409, "conflict");
    refused(&server.post(LEE, "/prescriptions", &prescription(1001, JANE)), 409, "conflict");
    assert_eq!(server.get_json(KIM, "/prescriptions/1001")["directions"], "first");

    let answers: Vec<u16> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|at| (at, &server))
            .map(|(at, server)| scope.spawn(move || server.put_directions(KIM, 1001, "2", &format!("writer {at}")).0))
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 204).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [204, 409].contains(status)), "{answers:?}");
    assert_eq!(server.version("/prescriptions/1001"), "3");
}

#[test]
fn who_may_not_read_gets_nothing() {
    let pharmacy = Pharmacy::new();
    let server = with_jane(&pharmacy);
    let paths =
        [format!("/patients/{JANE}"), format!("/patients/{JANE}/prescriptions"), "/prescriptions/1001".to_owned()];
    for path in &paths {
        for user in ["", "mallory", "KIM.RPH"] {
            refused(&server.get(user, path), 401, "unauthenticated");
        }
        refused(&server.get(LEE, path), 403, "forbidden");
        // The other pharmacy has no such records.
        refused(&server.get(PAT, path), 404, "not-found");
    }
    refused(&server.get(LEE, "/prescriptions/9"), 403, "forbidden");
    refused(&server.get(KIM, "/prescriptions/9"), 404, "not-found");
    refused(&server.put_directions(LEE, 1001, "1", "x"), 403, "forbidden");
    refused(&server.put_directions(PAT, 1001, "1", "x"), 404, "not-found");
    refused(&server.post("", "/patients", &patient(JOHN)), 401, "unauthenticated");
    refused(&server.post(PAT, "/prescriptions", &prescription(1003, JANE)), 404, "not-found");
}

#[test]
fn what_is_not_plaintext_of_the_schema_is_refused() {
    let pharmacy = Pharmacy::new();
    let server = with_jane(&pharmacy);
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    let token = keys.record("prescription", 1).unwrap().seal::<Drug>("morphine").unwrap().to_string();
    for (field, value, code) in [
        ("drug", json!(token), "token-as-plaintext"),
        ("directions", json!(token), "token-as-plaintext"),
        ("drug", json!([CANARIES[1]]), "value-mismatch"),
        ("refills", json!(CANARIES[0]), "invalid-input"),
        ("patient", json!(CANARIES[0]), "invalid-input"),
    ] {
        let mut body = prescription(1003, JANE);
        body[field] = value;
        refused(&server.post(LEE, "/prescriptions", &body), 422, code);
    }
    refused(&server.put_directions(KIM, 1001, "1", &token), 422, "token-as-plaintext");
}

#[test]
fn a_stolen_database_holds_no_plaintext() {
    let pharmacy = Pharmacy::new();
    let server = with_jane(&pharmacy);
    server.put_directions(KIM, 1001, "1", CANARIES[2]);
    drop(server);
    assert_sealed(&pharmacy.folder.join("pharmacy.db"), &CANARIES);

    pharmacy.run("night").unwrap();
    let export = fs::read_to_string(pharmacy.folder.join("pharmacy-17.jsonl")).unwrap();
    assert_sealed(&export, &CANARIES);
    let rows: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row["refills"], 2);
        assert!(row["drug"].as_str().unwrap().starts_with("rxsX"));
        assert!(row["tag"].as_str().unwrap().starts_with("rxrS"));
    }
    assert_eq!(fs::read_to_string(pharmacy.folder.join("pharmacy-18.jsonl")).unwrap(), "");
}

/// By a birth date and what is known of the name, or by a phone number.
#[test]
fn the_desk_finds_a_patient() {
    let pharmacy = Pharmacy::new();
    let server = pharmacy.serve();
    let names = [(JANE, "O'Brien", BORN), (JOHN, "Meyer", BORN), (ANN, "Obrecht", "1970-02-01")];
    for (id, last_name, born) in names {
        let number = if id == JANE { json!(PHONE) } else { Value::Null };
        let patient = json!({"id": id, "first_name": "Canary", "last_name": last_name, "born": born, "phone": number});
        assert_eq!(server.post(LEE, "/patients", &patient).0, 201);
    }
    let found = |user: &str, path: &str, sought: &Value| {
        let (status, answer) = server.post(user, path, sought);
        assert_eq!(status, 200, "{answer}");
        let found: Vec<Value> = serde_json::from_str(&answer).unwrap();
        let mut ids: Vec<_> = found.iter().map(|patient| patient["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    let born = |sought: Value| found(KIM, "/patients/born", &sought);
    assert_eq!(born(json!({"on": BORN})), [JANE, JOHN]);
    assert_eq!(born(json!({"on": BORN, "begins": "o'br"})), [JANE]);
    assert_eq!(born(json!({"on": BORN, "begins": "OBR"})), [JANE]);
    assert_eq!(born(json!({"on": BORN, "sounds_like": "Maier"})), [JOHN]);
    assert!(born(json!({"on": BORN, "begins": "o", "sounds_like": "Maier"})).is_empty());
    assert!(born(json!({"on": "1971-01-01"})).is_empty());
    for number in [PHONE, "+1 555 212 0100", "5552120100"] {
        assert_eq!(found(KIM, "/patients/phone", &json!(number)), [JANE]);
    }
    // Nobody else: not in the other pharmacy, and not at the intake.
    assert!(found(PAT, "/patients/born", &json!({"on": BORN})).is_empty());
    refused(&server.post(LEE, "/patients/born", &json!({"on": BORN})), 403, "forbidden");
    refused(&server.post("", "/patients/phone", &json!(PHONE)), 401, "unauthenticated");
    // What is no date, and what is nothing, never means everybody.
    refused(&server.post(KIM, "/patients/born", &json!({"on": "01/02/1970"})), 422, "not-indexable");
    refused(&server.post(KIM, "/patients/born", &json!({"on": " "})), 422, "empty-query");
    refused(&server.post(KIM, "/patients/born", &json!({"on": BORN, "begins": "-"})), 422, "empty-query");
    refused(
        &server.post(LEE, "/patients", &json!({"first_name": "a", "last_name": "b", "born": "31.1.1970"})),
        422,
        "not-indexable",
    );

    // A patient who is corrected is found by what is true now, and one who is forgotten by nothing.
    let moved = json!({"id": JOHN, "first_name": "Canary", "last_name": "Meyer", "born": "1971-01-01", "phone": null});
    assert_eq!(server.post(LEE, "/patients", &moved).0, 201);
    assert_eq!(
        (born(json!({"on": BORN})), born(json!({"on": "1971-01-01"}))),
        (vec![JANE.to_owned()], vec![JOHN.to_owned()])
    );
    assert_eq!(server.delete(KIM, &format!("/patients/{JANE}")).0, 204);
    assert!(born(json!({"on": BORN})).is_empty() && found(KIM, "/patients/phone", &json!(PHONE)).is_empty());

    let (printed, complained) = server.end();
    for secret in [BORN, PHONE, "5552120100", "O'Brien"] {
        assert!(!printed.contains(secret) && !complained.contains(secret), "{printed}{complained}");
    }
    assert_sealed(&pharmacy.folder.join("pharmacy.db"), &[BORN, PHONE, "5552120100", "O'Brien", "obrien"]);
}

/// Index values outlive a patient's key, so they are cleared, and again after a restore.
#[test]
fn a_forgotten_patient_confirms_no_guess() {
    let pharmacy = Pharmacy::new();
    let server = with_jane(&pharmacy);
    server.post(LEE, "/patients", &patient(JOHN));
    let left = || pharmacy.column("SELECT count(*) FROM patient WHERE born_on IS NOT NULL OR phone_is IS NOT NULL");
    assert_eq!(left(), Column::Integer(2));
    pharmacy.sql("CREATE TABLE backup AS SELECT * FROM patient");
    assert_eq!(server.delete(KIM, &format!("/patients/{JANE}")).0, 204);
    assert_eq!(left(), Column::Integer(1));
    pharmacy.sql("REPLACE INTO patient SELECT * FROM backup");
    assert_eq!(left(), Column::Integer(2));
    drop(server);
    pharmacy.run("night").unwrap();
    assert_eq!(left(), Column::Integer(1));
}

/// By somebody who can write to the database.
#[test]
fn what_was_exchanged_does_not_open() {
    let pharmacy = Pharmacy::new();
    let server = with_jane(&pharmacy);
    server.post(LEE, "/patients", &patient(JOHN));
    pharmacy.sql("CREATE TABLE before AS SELECT * FROM prescription WHERE rx_number = 1001");
    server.put_directions(KIM, 1001, "1", "two daily");
    let attacks = [
        // A drug of another prescription of the same patient.
        "UPDATE prescription SET drug = (SELECT drug FROM copy WHERE rx_number = 1002) WHERE rx_number = 1001",
        // All sealed columns of another prescription.
        "UPDATE prescription SET (drug, directions, tag) = (SELECT drug, directions, tag FROM copy WHERE rx_number = 1002) WHERE rx_number = 1001",
        // The directions from before the change, which belong to this very record.
        "UPDATE prescription SET directions = (SELECT directions FROM copy WHERE rx_number = 1) WHERE rx_number = 1001",
        // A refill.
        "UPDATE prescription SET refills = 9 WHERE rx_number = 1001",
        // Another patient.
        "UPDATE prescription SET patient = x'0197a000000070008000000000000002' WHERE rx_number = 1001",
        // Plaintext, and a tag that is gone.
        "UPDATE prescription SET drug = 'Canary-warfarin' WHERE rx_number = 1001",
        "UPDATE prescription SET tag = x'' WHERE rx_number = 1001",
    ];
    pharmacy.sql("CREATE TABLE copy AS SELECT * FROM prescription");
    pharmacy.sql("INSERT INTO copy SELECT tenant, 1, patient, drug, directions, refills, tag FROM before");
    for attack in attacks {
        pharmacy.sql(attack);
        let (status, answer) = server.get(KIM, "/prescriptions/1001");
        refused(
            &(status, answer),
            500,
            if attack.contains("'Canary") || attack.contains("x''") { "database" } else { "internal" },
        );
        pharmacy.sql("DELETE FROM prescription");
        pharmacy.sql("INSERT INTO prescription SELECT * FROM copy WHERE rx_number > 1");
        assert_eq!(server.get(KIM, "/prescriptions/1001").0, 200);
    }
    // In a list it does not hide the others.
    pharmacy.sql(attacks[3]);
    let list = server.get_json(KIM, &format!("/patients/{JANE}/prescriptions"));
    assert_eq!(list, json!([prescription(1002, JANE)]));
    // In the other pharmacy.
    pharmacy.sql("UPDATE prescription SET tenant = 'pharmacy-18'");
    refused(&server.get(PAT, "/prescriptions/1002"), 500, "internal");
}

#[test]
fn a_forgotten_patient_is_gone_from_every_backup() {
    let pharmacy = Pharmacy::new();
    let server = with_jane(&pharmacy);
    server.post(LEE, "/patients", &patient(JOHN));
    server.post(LEE, "/prescriptions", &prescription(2001, JOHN));
    pharmacy.sql(&format!("INSERT INTO phone VALUES ('pharmacy-17', x'{}', 'Canary-555')", JANE.replace('-', "")));
    refused(&server.delete(LEE, &format!("/patients/{JANE}")), 403, "forbidden");
    assert_eq!(server.delete(KIM, &format!("/patients/{JANE}")).0, 204);

    // The rows are still there, as in every backup, and nobody opens them.
    for path in
        [format!("/patients/{JANE}"), format!("/patients/{JANE}/prescriptions"), "/prescriptions/1001".to_owned()]
    {
        refused(&server.get(KIM, &path), 410, "subject-shredded");
    }
    refused(&server.post(LEE, "/patients", &patient(JANE)), 410, "subject-shredded");
    refused(&server.put_directions(KIM, 1001, "1", "x"), 410, "subject-shredded");
    assert_eq!(server.get_json(KIM, "/prescriptions/2001"), prescription(2001, JOHN));
    drop(server);
    // What was plaintext is gone too, and does not stop the nightly job.
    pharmacy.run("night").unwrap();
    assert_eq!(pharmacy.column("SELECT count(*) FROM phone"), Column::Integer(0));
    let server = pharmacy.serve();
    refused(&server.get(KIM, "/prescriptions/1001"), 410, "subject-shredded");
}

#[test]
fn the_old_table_is_sealed_in_place() {
    let pharmacy = Pharmacy::new();
    drop(with_jane(&pharmacy));
    let number = "Canary-555-0100";
    pharmacy.sql(&format!("INSERT INTO phone VALUES ('pharmacy-17', x'{}', '{number}')", JANE.replace('-', "")));
    pharmacy.run("night").unwrap();
    let sealed = pharmacy.column("SELECT number FROM phone");
    let Column::Text(text) = &sealed else { panic!("the column stays text") };
    assert!(text.starts_with("rxsX"), "{text}");
    pharmacy.run("night").unwrap();
    assert_eq!(pharmacy.column("SELECT number FROM phone"), sealed, "what is sealed stays as it is");

    pharmacy.sql("UPDATE phone SET number = 'rxsX' || 'Canary'");
    let error = pharmacy.run("night").unwrap_err();
    assert!(error.contains("phones stay behind"), "what looks like a token is never plaintext: {error}");
    assert!(!holds_canary(&error), "{error}");
}

#[test]
fn rotation_moves_every_row() {
    let pharmacy = Pharmacy::new();
    let server = with_jane(&pharmacy);
    server.post(LEE, "/patients", &patient(JOHN));
    server.post(LEE, "/prescriptions", &prescription(2001, JOHN));
    server.delete(KIM, &format!("/patients/{JOHN}"));
    drop(server);
    pharmacy.sql(&format!("INSERT INTO phone VALUES ('pharmacy-17', x'{}', '555-0100')", JANE.replace('-', "")));
    pharmacy.run("night").unwrap();
    let phone = || pharmacy.column("SELECT substr(number, 5, 8) FROM phone");
    let phone_before = phone();
    let key =
        |of: &str| pharmacy.column(&format!("SELECT substr({of}, 4, 6) FROM prescription WHERE rx_number = 1001"));
    let before = key("drug");
    assert_eq!(before, key("tag"));

    let printed = pharmacy.run("rotate").unwrap();
    assert!(printed.contains("prescription 2001 stays behind"), "{printed}");
    assert_ne!(key("drug"), before);
    assert_ne!(phone(), phone_before);
    assert_eq!(key("drug"), key("tag"));
    assert_eq!(key("drug"), key("directions"));
    let server = pharmacy.serve();
    assert_eq!(server.get_json(KIM, "/prescriptions/1001"), prescription(1001, JANE));
    assert_eq!(server.get_json(KIM, &format!("/patients/{JANE}")), patient(JANE));
}

/// The measure of this crate: a field is on few lines of a service, and none of them can be forgotten in silence.
#[test]
fn the_service_is_short() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut lines = 0;
    let mut with_directions = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "rs" && end != "sql") {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let code = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("--"));
        let code: Vec<_> = code.filter(|line| !line.starts_with("use ") && !line.starts_with("mod ")).collect();
        lines += code.len();
        with_directions += code.iter().filter(|line| line.to_lowercase().contains("directions")).count();
    }
    assert!((200..=500).contains(&lines), "{lines} lines without imports and comments");
    assert!((1..=4).contains(&with_directions), "`directions` is on {with_directions} lines");
}

/// The file that tools read says what the program says now.
#[test]
fn the_schema_that_is_checked_in_is_the_programs() {
    let printed = std::process::Command::new(env!("CARGO_BIN_EXE_service")).arg("schema").output().unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rxseal-schema.json");
    if std::env::var_os("RXSEAL_WRITE_SCHEMA").is_some() {
        fs::write(file, &printed.stdout).unwrap();
    }
    let advice = "the record structs changed: write it with RXSEAL_WRITE_SCHEMA=1, and look at what changed";
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), fs::read_to_string(file).unwrap(), "{advice}");
}

/// And the map fits both.
#[test]
fn the_map_that_is_checked_in_fits_the_schema() {
    let file = |name: &str| fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let schema = rxseal::schema::Schema::parse(&file("rxseal-schema.json")).unwrap();
    let found = rxseal_map::Map::parse(&file("rxseal-map.toml")).unwrap().check(&schema);
    assert!(found.is_empty(), "{found:?}");
}
