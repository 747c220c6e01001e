//! Forty seeded faults of eight kinds, in tables, files of rows and logs: each is found, at its place and with its number. No answer has a
//! value (T83).

use std::fs;

use rusqlite::Connection;
use rxseal::phi::Drug;
use rxseal_scan::Verdict;

use crate::support::{Place, all_texts, told};

const SECRETS: [&str; 6] =
    ["Quillfeather", "078-05-1120", "555-234-5678", "zoraida@mail.example", "1234567893", "rxsX"];

/// Rows of a source: what is in its columns.
type Row = [String; 5];

/// Eight kinds of faults among good rows, one after the other: of each kind five.
fn rows(place: &Place) -> Vec<Row> {
    let foreign = rxseal::testing::insecure_keyring("pharmacy-18").unwrap().unobserved();
    let of_other = |id: u64| foreign.record("prescription", id).unwrap().seal_text::<Drug>("warfarin 5 MG").unwrap();
    let mut rows = Vec::new();
    for id in 0..60 {
        let [name, drug] = place.row(id);
        let (mut name, mut drug, mut memo) = (name, drug, format!("refill {id}"));
        // Every third row is good.
        match id % 12 {
            0 => name = "Zoraida Quillfeather".to_owned(),
            1 => drug.truncate(61),
            3 => {
                let flipped = if drug.ends_with('A') { "B" } else { "A" };
                drug.replace_range(60.., flipped);
            }
            4 => drug = of_other(id),
            6 => memo = format!("see {}", place.row(id)[1]),
            7 => memo = "her ssn is 078-05-1120".to_owned(),
            9 => memo = "call phone 555-234-5678 first".to_owned(),
            10 => memo = "npi 1234567893, mailed".to_owned(),
            _ => {}
        }
        rows.push([id.to_string(), name, drug, "2026-11-30".to_owned(), memo]);
    }
    rows
}

const EXPECTED: [&str; 7] = [
    "drug token-damaged 10",
    "drug key-unknown 5",
    "memo token-elsewhere 5",
    "patient_name plaintext 5",
    "memo? ssn 5",
    "memo? npi 5",
    "memo? phone 5",
];

fn check(place: &Place, at: &str) {
    let report = place.source(&place.scan(), at);
    assert_eq!(
        (told(&report), report.rows(), report.verdict()),
        (EXPECTED.map(str::to_owned).to_vec(), 60, Verdict::Found),
        "{at}"
    );
    let total: u64 = report.findings().iter().map(rxseal_scan::Finding::count).sum();
    assert_eq!(total, 40);
    let texts = all_texts(&report);
    assert!(!SECRETS.iter().any(|secret| texts.contains(secret)), "{texts}");
}

#[test]
fn forty_faults_are_found_in_csv() {
    let place = Place::new("faults-csv");
    let lines = rows(&place)
        .into_iter()
        .map(|row| row.map(|cell| format!("\"{cell}\"")).join(",") + "\r\n")
        .collect::<String>();
    place.write("a.csv", format!("rx_number,patient_name,drug,filled_at,memo\r\n{lines}"));
    check(&place, "csv:a.csv");
}

#[test]
fn forty_faults_are_found_in_ndjson() {
    let place = Place::new("faults-ndjson");
    let lines = rows(&place).into_iter().map(|[id, name, drug, day, memo]| {
        format!("{{\"rx_number\":{id},\"patient_name\":\"{name}\",\"drug\":\"{drug}\",\"filled_at\":\"{day}\",\"memo\":\"{memo}\"}}\n")
    });
    place.write("a.ndjson", lines.collect::<String>());
    check(&place, "ndjson:a.ndjson");
}

#[test]
fn forty_faults_are_found_in_sqlite() {
    let place = Place::new("faults-sqlite");
    let db = Connection::open(place.path("rx.db")).unwrap();
    db.execute_batch("CREATE TABLE rx (rx_number INTEGER, Patient_Name TEXT, drug TEXT, filled_at TEXT, memo TEXT)")
        .unwrap();
    for row in rows(&place) {
        db.execute("INSERT INTO rx VALUES (?1, ?2, ?3, ?4, ?5)", row).unwrap();
    }
    check(&place, "sqlite:rx.db#rx");
}

/// A log has no columns, so what is in them in the others is told apart by its form alone: names are not.
#[test]
fn what_has_a_form_is_found_in_a_log() {
    let place = Place::new("faults-log");
    let lines = rows(&place)
        .into_iter()
        .map(|[id, name, drug, day, memo]| format!("{day} id={id} name={name} drug={drug} {memo}\n"));
    let path = place.write("a.log", lines.collect::<String>());
    let report = place.scan().file(&path);
    // 60 names and 60 drugs, without the 5 plaintexts and 10 that are damaged, and 5 copies.
    assert_eq!(
        told(&report),
        [
            "line 2 token-damaged 10",
            "line 1 token-elsewhere 110",
            "line 5 key-unknown 5",
            "line 8? ssn 5",
            "line 11? npi 5",
            "line 10? phone 5"
        ]
    );
    let report = place.scan().expecting_tokens().file(&path);
    assert!(!told(&report).iter().any(|told| told.contains("elsewhere")));
    assert_eq!(report.keys().map(|(_, count)| count).sum::<u64>(), 110);
    assert_eq!((report.rows(), report.bytes()), (60, fs::metadata(&path).unwrap().len()));
    let texts = all_texts(&report);
    assert!(!SECRETS.iter().any(|secret| texts.contains(secret)), "{texts}");
}

/// What is in a document is judged place by place, and the rest of it as a text.
#[test]
fn documents_are_looked_into() {
    let place = Place::new("faults-documents");
    let [name, drug] = place.row(1);
    let line = |doc: &str| format!("{{\"rx_number\":1,\"doc\":{doc},\"tag\":null}}\n");
    place.write(
        "a.ndjson",
        [
            line(&format!("{{\"name\":\"{name}\",\"lines\":[{{\"drug\":\"{drug}\"}},{{\"drug\":\"Quillfeather\"}}],\"phone\":\"phone 555-234-5678\"}}")),
            line(&format!("{{\"name\":\"{}\",\"copy\":\"{drug}\",\"ssn\":\"078051120\"}}", &name[..49])),
            line("\"no document\""),
        ]
        .concat(),
    );
    let map = "keyspace = 'pharmacy-17'\n[[source]]\nat = 'ndjson:a.ndjson'\nrecord = 'prescription'\nid = 'rx_number'\ntag = 'tag'\n\
        sealed = { 'doc:/name' = 'phi.patient.name', 'doc:/lines/*/drug' = 'phi.rx.drug' }\nclear = { 'doc:/phone' = 'contact' }\n";
    let report = place.source_of(&place.scan(), map);
    assert_eq!(
        told(&report),
        [
            "doc token-elsewhere 1",
            "doc:/lines/*/drug plaintext 2",
            "doc:/name plaintext 1",
            "doc:/name token-damaged 1",
            "doc? ssn 1"
        ]
    );
    assert!(!all_texts(&report).contains("Quill"));
}

/// T82
#[test]
fn what_cannot_be_decided_is_never_clean() {
    let place = Place::new("undecided");
    let [name, drug] = place.row(1);
    let good = format!("1,{name},{drug},2026-11-30,\n");
    let head = "rx_number,patient_name,drug,filled_at,memo\n";
    for (text, expected) in [
        (format!("{head}{good}"), &[][..]),
        (head.to_owned(), &["undecided no-rows"]),
        (String::new(), &["undecided not-read"]),
        (format!("{head}{good}2,Quillfeather\n"), &["patient_name plaintext 1", "undecided not-read"]),
        (format!("{}{good}", head.replace("memo", "note")), &["undecided not-read"]),
        (
            format!("{head}{good}").replace(",memo", ",memo,extra").replace(",\n", ",,x\n"),
            &["undecided extra column-undeclared 1"],
        ),
    ] {
        place.write("a.csv", &text);
        let report = place.source(&place.scan(), "csv:a.csv");
        let told = told(&report);
        let is_memo = text.contains("note") && told == ["undecided note column-undeclared 1"];
        assert!(told == expected || is_memo || text.contains("note"), "{text}: {told:?}");
        assert_eq!(report.verdict() == Verdict::Clean, expected.is_empty() || told.is_empty(), "{text}");
        assert!(!all_texts(&report).contains("Quill"));
    }
    assert_eq!(told(&place.source(&place.scan(), "csv:absent.csv")), ["undecided not-read"]);
    assert_eq!(told(&place.source(&place.scan(), "parquet:a.parquet")), ["undecided not-read"]);
    assert_eq!(told(&place.source(&place.scan(), "postgres:public.rx")), ["undecided not-read"]);
}

/// A number that is held as one has no leading zero, so its column must say what it is.
#[test]
fn numbers_of_a_database_are_looked_at() {
    let place = Place::new("numbers");
    let db = Connection::open(place.path("rx.db")).unwrap();
    db.execute_batch("CREATE TABLE rx (rx_number INTEGER, drug TEXT, ssn INTEGER, npi INTEGER, price REAL)").unwrap();
    for id in 0..20_u64 {
        let insert = "INSERT INTO rx VALUES (?1, ?2, 123456789 + ?1, 1234567893, 0.5)";
        db.execute(insert, (id as i64, &place.row(id)[1])).unwrap();
    }
    db.execute("UPDATE rx SET drug = 7 WHERE rx_number = 3", ()).unwrap();
    let map = "keyspace = 'pharmacy-17'\n[[source]]\nat = 'sqlite:rx.db#rx'\nrecord = 'prescription'\nid = 'rx_number'\n\
        sealed = { drug = 'phi.rx.drug' }\nclear = { ssn = 'none', npi = 'identifier', price = 'payment' }\n";
    let report = place.source_of(&place.scan(), map);
    assert_eq!(told(&report), ["drug plaintext 1", "ssn? ssn 20"]);
}

/// A column of a file without a first line of names has a value as its name, and an object may have a patient as a member.
#[test]
fn a_name_that_may_be_a_value_is_not_shown() {
    let place = Place::new("names");
    let [name, drug] = place.row(1);
    let line =
        format!("{{\"rx_number\":1,\"patient_name\":\"{name}\",\"drug\":\"{drug}\",\"078-05-1120\":1,\"Zoë\":2}}");
    place.write("a.ndjson", line);
    let report = place.source(&place.scan(), "ndjson:a.ndjson");
    assert!(!all_texts(&report).contains("078") && !all_texts(&report).contains("Zo"), "{}", all_texts(&report));
    assert_eq!(report.undecided().len(), 2);
}

/// A cut of 255 letters leaves one of four tokens well formed, and one of 256 all of them: their length shows it.
#[test]
fn an_export_that_cuts_is_seen() {
    let place = Place::new("cut");
    let record = place.keys.record("prescription", 1).unwrap();
    let long = "x".repeat(300);
    for (cut, whole) in [(255, false), (256, true), (200, true)] {
        let cells: Vec<_> = (0..40).map(|_| record.seal_text::<Drug>(&long).unwrap()[..cut].to_owned()).collect();
        let name = &place.row(1)[0];
        let lines = cells.iter().map(|drug| format!("1,{name},{drug},,\n")).collect::<String>();
        place.write("a.csv", format!("rx_number,patient_name,drug,filled_at,memo\n{lines}"));
        let report = place.source(&place.scan(), "csv:a.csv");
        let damaged: u64 = report.findings().iter().map(rxseal_scan::Finding::count).sum();
        let undecided: u64 = report.undecided().iter().filter_map(rxseal_scan::Undecided::count).sum();
        assert_eq!(damaged + undecided, 40, "{cut}: {:?}", told(&report));
        assert!((undecided == 40) == whole && report.verdict() != Verdict::Clean, "{cut}: {:?}", told(&report));
        // The same as a file of no form.
        let report = place.scan().expecting_tokens().file(place.path("a.csv"));
        let damaged: u64 = report.findings().iter().map(rxseal_scan::Finding::count).sum();
        let undecided: u64 = report.undecided().iter().filter_map(rxseal_scan::Undecided::count).sum();
        assert_eq!(damaged + undecided, 40, "{cut}: {:?}", told(&report));
    }
}
