//! Proves that the pharmacy example does what it says, twice on one folder, on made-up data and on a FHIR export. It
//! fails and names the failed check if a stored row was damaged or there is plaintext next to the database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use rusqlite::Connection;
use rxseal::keys::KeyUse;
use rxseal::run_local;
use rxseal::store::{FileStore, KeyringStore};

/// Made-up people, in parts that tokens do not contain by chance.
const PATIENT: &str = concat!(
    r#"{"resourceType":"Patient","id":"record-number-7001","birthDate":"1944-02-29","#,
    r#""name":[{"use":"maiden","family":"Formerly"},"#,
    r#"{"use":"official","given":["Quintessa","M."],"family":"Xylander-Featherstone"}]}"#
);
const PRACTITIONER: &str = concat!(
    r#"{"resourceType":"Practitioner","id":"doc-1","#,
    r#""identifier":[{"system":"http://hl7.org/fhir/sid/us-npi","value":"9999900001"}],"#,
    r#""name":[{"family":"Ottokar-Weatherby","given":["Ignatius"],"prefix":["Dr."]}]}"#
);
/// What is said of a row whose columns were not sealed together.
const CHANGED: &str = "the record is not as it was sealed";
const SECRETS: [&str; 9] = [
    "Xylander",
    "Quintessa",
    "1944-02-29",
    "record-number",
    "first-request",
    "warfarin sodium",
    "evening with water",
    "Ottokar",
    "levothyroxine",
];

fn request(id: &str, patient: &str, drug: &str, directions: Option<&str>) -> String {
    let dosage = directions.map(|text| format!(r#","dosageInstruction":[{{"text":"{text}"}}]"#)).unwrap_or_default();
    let requester = "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999900001";
    [
        format!(r#"{{"resourceType":"MedicationRequest","id":"{id}","authoredOn":"1999-05-06T10:00:00Z","#),
        format!(r#""medicationCodeableConcept":{{"text":"{drug}"}},"subject":{{"reference":"Patient/{patient}"}},"#),
        format!(r#""requester":{{"reference":"{requester}"}}{dosage}}}"#),
    ]
    .concat()
}

fn export(folder: &Path, requests: &[String]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("Patient.ndjson"), format!("{PATIENT}\n\n")).unwrap();
    fs::write(folder.join("Practitioner.ndjson"), PRACTITIONER).unwrap();
    fs::write(folder.join("MedicationRequest.ndjson"), requests.join("\n")).unwrap();
}

#[test]
fn runs_twice_on_one_folder() {
    let scratch = Scratch::new("twice");
    let first = scratch.run(&["--count", "60"]);
    holds(&first);
    says(&first, "60 sealed and stored; 0 were here already");
    says(&first, "what comes back is what went in: 60 of 60 prescriptions");
    says(&first, "the scan finds what was planted: 20 of 20");
    says(&first, "moved and changed tokens are refused: 6 attempts, 0 opened");
    // By itself, another row's token is refused, and an old one of this row is not: the tag finds it.
    for ends in [
        ["another patient's drug", "open-failed", "tag-refused"],
        ["yesterday's directions put back", "OPENED", "tag-refused"],
        ["the directions removed", "none", "tag-refused"],
    ] {
        let shown = text(&first);
        let line = shown.lines().find(|line| line.trim_start().starts_with(ends[0])).unwrap();
        assert_eq!(line.trim().split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect::<Vec<_>>(), ends);
    }
    says(&first, "every token is under the new key: 60 rows under ");
    let keys = scratch.keys();
    assert_eq!(keys.len(), 1, "all rows are under one key");
    assert!(!scratch.dir().join("db/control.sqlite").exists());

    let second = scratch.run(&["--count", "60"]);
    holds(&second);
    says(&second, "0 sealed and stored; 60 were here already");
    says(&second, "generation 2");
    assert_eq!(scratch.rows("SELECT id FROM prescription").len(), 60);
    assert_ne!(scratch.keys(), keys, "it rotates again");
    assert!(text(&second).contains(&keys[0]), "and shows the key before");
}

/// Two at once in one folder: one works, the other says what the matter is and what to do. Twenty times, since which of
/// them comes first, and how far the other has come by then, differs.
#[test]
fn two_at_once_are_one_run_and_one_refusal() {
    let scratch = Scratch::new("at-once");
    let mut refused = 0;
    for _ in 0..20 {
        let start = || {
            let mut run = Command::new(example());
            run.args(["--count", "40", "--dir"]).arg(scratch.dir()).stdout(Stdio::piped()).stderr(Stdio::piped());
            run.spawn().unwrap()
        };
        let runs = [start(), start()].map(|run| run.wait_with_output().unwrap());
        for run in &runs {
            if run.status.success() {
                holds(run);
                continue;
            }
            refused += 1;
            let error = String::from_utf8(run.stderr.clone()).unwrap();
            let expected =
                format!("error: {}: another run of this example is using this folder: ", scratch.dir().display());
            assert!(error.starts_with(&expected) && error.contains("--dir"), "{error}");
            assert_eq!((run.status.code(), error.lines().count()), (Some(2), 1), "{error}");
        }
        assert!(runs.iter().any(|run| run.status.success()), "both were refused");
    }
    assert!(refused > 0, "no two of them met");
    holds(&scratch.run(&["--count", "40"]));
}

/// Whoever has seen the example looks at its keyring with the command: it is where the command looks.
#[test]
fn the_keyring_is_in_a_store_of_the_library() {
    let scratch = Scratch::new("store");
    let run = scratch.run(&["--count", "1"]);
    holds(&run);
    let keyrings = scratch.dir().join("keyrings");
    says(&run, &format!("--store file:{} ", keyrings.display()));
    for place in ["db", "keyrings", "root/root.key"] {
        says(&run, &format!("  {}  ", scratch.dir().join(place).display()));
    }
    says(&run, "whoever takes that folder reads everything");
    says(&run, "a search finds who was born on a day, and nobody else: 0 missed, 0 strangers");
    says(&run, "patient.born ");
    let store = FileStore::new(&keyrings);
    let stored = run_local(store.get("pharmacy-17")).unwrap().expect("the example's keyring is there");
    let primary = stored.keys().iter().find(|key| key.is_primary() && key.usage() == KeyUse::Seal).unwrap();
    assert_eq!(scratch.keys(), [primary.id().to_string()]);
}

#[test]
fn takes_in_more_and_other_inputs() {
    let scratch = Scratch::new("more");
    let folder = scratch.0.join("export");
    // The same numbers as in another system must not make one person of two.
    export(&folder, &[request("made-up-0000000", "record-number-7001", "levothyroxine 0.075 MG Oral Tablet", None)]);
    let fhir = ["--fhir", folder.to_str().unwrap()];
    holds(&scratch.run(&["--count", "2"]));
    let more = scratch.run(&["--count", "5"]);
    holds(&more);
    says(&more, "3 sealed and stored; 2 were here already");
    let other = scratch.run(&fhir);
    holds(&other);
    says(&other, "1 sealed and stored; 0 were here already");
    let again = scratch.run(&fhir);
    holds(&again);
    says(&again, "0 sealed and stored; 1 were here already");
    // The request came again with other content: what is stored stays.
    export(&folder, &[request("made-up-0000000", "record-number-7001", "levothyroxine 0.1 MG Oral Tablet", None)]);
    says(&scratch.run(&fhir), "1 sealed and stored; 0 were here already");
    assert_eq!(scratch.rows("SELECT id FROM prescription").len(), 7);
    assert_eq!(
        scratch
            .rows("SELECT patient FROM prescription WHERE directions IS NULL AND authored = '1999' GROUP BY 1")
            .len(),
        1
    );
}

#[test]
fn one_row_is_enough() {
    let scratch = Scratch::new("one");
    let run = scratch.run(&["--count", "1"]);
    holds(&run);
    says(&run, "refused: 5 attempts, 0 opened");
}

#[test]
fn reads_an_export() {
    let scratch = Scratch::new("fhir");
    let folder = scratch.0.join("export");
    export(
        &folder,
        &[
            request(
                "first-request",
                "record-number-7001",
                "warfarin sodium 5 MG Oral Tablet",
                Some("1 each evening with water"),
            ),
            request("second-request", "record-number-7001", "levothyroxine 0.075 MG Oral Tablet", None),
            request("third-request", "somebody-else", "fentanyl citrate 0.2 MG Buccal Film", None),
        ],
    );
    let run = scratch.run(&["--fhir", folder.to_str().unwrap()]);
    holds(&run);
    says(&run, "2 read from");
    says(&run, "1 left out");
    says(&run, "MedicationRequest.ndjson:3: its patient is not in the export");
    says(&run, "Quintessa M. Xylander-Featherstone");
    assert_eq!(scratch.rows("SELECT id FROM prescription WHERE directions IS NULL").len(), 1);
    assert_eq!(scratch.rows("SELECT id FROM prescription WHERE directions LIKE 'rxsX%'").len(), 1);
    let mut files = 0;
    for path in scratch.files() {
        let bytes = fs::read(&path).unwrap();
        files += 1;
        for (at, secret) in SECRETS.iter().enumerate() {
            assert!(!contains(&bytes, secret.as_bytes()), "secret number {at} is in {}", path.display());
        }
    }
    assert!(files >= 3, "database, keyring and root key");
}

#[test]
fn names_file_and_line_and_never_the_content() {
    let scratch = Scratch::new("bad");
    let good = request("first-request", "record-number-7001", "warfarin sodium 5 MG Oral Tablet", None);
    let cases = [
        (good[..good.len() - 40].to_owned(), "it is not JSON"),
        (
            good.replace(r#"{"text":"warfarin sodium 5 MG Oral Tablet"}"#, r#""warfarin sodium 5 MG Oral Tablet""#),
            "it is not a MedicationRequest",
        ),
        (r#"["warfarin sodium"]"#.to_owned(), "it is a resource of another type"),
        (PATIENT.to_owned(), "it is a resource of another type"),
    ];
    for (bad, problem) in cases {
        let folder = scratch.0.join("export");
        export(&folder, &[good.clone(), String::new(), bad]);
        let run = scratch.run(&["--fhir", folder.to_str().unwrap()]);
        assert_eq!(run.status.code(), Some(2));
        let error = String::from_utf8(run.stderr.clone()).unwrap();
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains("MedicationRequest.ndjson:3: ") && error.contains(problem), "{error}");
        for (at, secret) in SECRETS.iter().enumerate() {
            assert!(!text(&run).contains(secret), "secret number {at} is shown");
        }
        assert!(!scratch.dir().exists(), "nothing was begun");
    }
    let run = scratch.run(&["--fhir", scratch.0.join("nowhere").to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(2));
}

/// Release 0.1.0 had no record tags.
#[test]
fn says_that_a_database_is_of_an_older_release() {
    let scratch = Scratch::new("older");
    holds(&scratch.run(&["--count", "2"]));
    scratch.database().execute_batch("ALTER TABLE prescription DROP COLUMN tag").unwrap();
    let keys = scratch.keys();
    let run = scratch.run(&["--count", "2"]);
    assert_eq!(run.status.code(), Some(2));
    let error = String::from_utf8(run.stderr.clone()).unwrap();
    let expected = "pharmacy.sqlite: an older release of this example made this database";
    assert!(error.contains(expected) && error.contains("--dir") && error.lines().count() == 1, "{error}");
    assert_eq!(scratch.keys(), keys, "it was touched");
}

#[test]
fn names_the_check_where_a_row_was_damaged_and_leaves_it_alone() {
    let scratch = Scratch::new("damaged");
    holds(&scratch.run(&["--count", "60"]));
    let victim = &scratch.rows("SELECT id FROM prescription ORDER BY id LIMIT 1 OFFSET 30")[0];
    let whole = format!(
        "SELECT patient || authored || patient_name || birth_date || drug || ifnull(directions, '-') || prescriber || source || tag
         FROM prescription WHERE id = '{victim}'"
    );
    let undamaged = scratch.rows(&whole);
    for (column, damage, reason) in [
        // One character, another patient's drug, plaintext, another patient, and another year.
        ("drug", "substr(drug, 1, 60) || iif(substr(drug, 61, 1) = 'A', 'B', 'A') || substr(drug, 62)", CHANGED),
        ("drug", "(SELECT drug FROM prescription p WHERE p.patient <> prescription.patient LIMIT 1)", CHANGED),
        (
            "drug",
            "'warfarin sodium 5 MG Oral Tablet'",
            "not an rxseal token; plaintext is never read in place of a sealed value (field phi.rx.drug)",
        ),
        ("patient", "(SELECT patient FROM prescription p WHERE p.patient <> prescription.patient LIMIT 1)", CHANGED),
        ("authored", "'1999'", CHANGED),
    ] {
        let kept = scratch.rows(&format!("SELECT {column} FROM prescription WHERE id = '{victim}'"));
        scratch.change(&format!("UPDATE prescription SET {column} = {damage} WHERE id = '{victim}'"));
        let damaged = scratch.rows(&whole);
        assert_ne!(damaged, undamaged);
        let keys = scratch.keys();

        let run = scratch.run(&["--count", "60"]);
        assert_eq!(run.status.code(), Some(1));
        let error = String::from_utf8(run.stderr.clone()).unwrap();
        assert!(error.starts_with("FAILED: every stored row opens: 1 of 60 rows"), "{error}");
        assert!(error.contains(victim) && error.contains(reason), "{error}");
        assert!(!text(&run).contains("everything held"));
        assert!(!text(&run).contains("warfarin sodium 5 MG"), "the plaintext in the token's place is shown");
        assert_eq!(scratch.rows(&whole), damaged, "the damaged row was touched");
        assert_eq!(scratch.keys(), keys, "it went on to rotate");

        scratch.change(&format!("UPDATE prescription SET {column} = '{}' WHERE id = '{victim}'", kept[0]));
    }
    holds(&scratch.run(&["--count", "60"]));
}

#[test]
fn finds_plaintext_in_a_file_beside_the_database() {
    let scratch = Scratch::new("beside");
    let folder = scratch.0.join("export");
    export(&folder, &[request("first-request", "record-number-7001", "warfarin sodium 5 MG Oral Tablet", None)]);
    let fhir = ["--fhir", folder.to_str().unwrap()];
    holds(&scratch.run(&fhir));
    let dump = scratch.dir().join("db/dump.csv");
    // As it is, in hexadecimal, and in base64 at each of its three offsets.
    for found in [
        "4711;warfarin sodium 5 MG Oral Tablet;".to_owned(),
        "X'77617266617269".to_owned() + "6e20736f6469756d2035204d47204f72616c'",
        "eyJkIjoid2FyZmFyaW4gc29kaXVtIDUgTUcgT3JhbCBUYWJsZXQifQ".to_owned(),
    ] {
        fs::write(&dump, "-".repeat(70_000) + &found).unwrap();
        let run = scratch.run(&fhir);
        assert_eq!(run.status.code(), Some(1), "{}", text(&run));
        says(&run, "FAILED: no plaintext in any file: 1 found");
        says(&run, "dump.csv: drug ");
    }
    fs::remove_file(&dump).unwrap();
    holds(&scratch.run(&fhir));
}

#[test]
fn keys_that_are_gone_are_not_replaced() {
    let scratch = Scratch::new("keys");
    holds(&scratch.run(&["--count", "3"]));
    for file in ["root/root.key", "keyrings/pharmacy-17.keyring.json"] {
        let path = scratch.dir().join(file);
        let kept = scratch.0.join("kept");
        fs::rename(&path, &kept).unwrap();
        let run = scratch.run(&["--count", "3"]);
        assert_eq!(run.status.code(), Some(2), "{}", text(&run));
        assert_eq!(String::from_utf8(run.stderr.clone()).unwrap().lines().count(), 1);
        assert!(!path.exists(), "a new {file} would hide the loss");
        fs::rename(&kept, &path).unwrap();
        holds(&scratch.run(&["--count", "3"]));
    }
}

/// At 80 columns tokens of one record are told apart, and a first run claims nothing about rows that are not there.
#[test]
fn a_first_run_fits_a_terminal_and_claims_what_it_saw() {
    let scratch = Scratch::new("narrow");
    let run = scratch.run(&["--count", "3"]);
    holds(&run);
    let text = text(&run);
    let row: Vec<_> = text.lines().filter(|line| line.contains("  rxsX")).collect();
    assert!(row.len() >= 5 && row.iter().all(|line| line.chars().count() <= 80), "{row:#?}");
    let shown: std::collections::BTreeSet<_> = row.iter().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(shown.len(), row.len(), "two tokens look alike: {row:#?}");
    assert!(!text.contains(": 0 rows"), "{text}");
}

/// A folder that is gone after the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rxseal-pharmacy-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// What the example keeps.
    fn dir(&self) -> PathBuf {
        self.0.join("data")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(example()).args(arguments).arg("--dir").arg(self.dir()).output().unwrap()
    }

    fn database(&self) -> Connection {
        Connection::open(self.dir().join("db/pharmacy.sqlite")).unwrap()
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        let database = self.database();
        let mut query = database.prepare(sql).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn change(&self, sql: &str) {
        assert_eq!(self.database().execute(sql, []).unwrap(), 1);
    }

    /// The keys that drugs are sealed under.
    fn keys(&self) -> Vec<String> {
        self.rows("SELECT substring(drug, 5, 8) FROM prescription GROUP BY 1 HAVING drug LIKE 'rxsX%'")
    }

    fn files(&self) -> Vec<PathBuf> {
        let folders = ["db", "keyrings", "root"].map(|name| fs::read_dir(self.dir().join(name)).unwrap());
        folders.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The example's program. `cargo test --test` does not build examples, so this does, with the cargo that runs the test.
fn example() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let arguments = ["build", "--example", "pharmacy", "--message-format", "json-render-diagnostics"];
        let built =
            Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let messages = String::from_utf8(built.stdout).unwrap();
        let program = messages.lines().find_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).unwrap();
            let ours = message["target"]["name"] == "pharmacy" && message["target"]["kind"][0] == "example";
            message["executable"].as_str().filter(|_| ours).map(PathBuf::from)
        });
        program.expect("cargo names the program that it built")
    })
}

#[track_caller]
fn holds(run: &Output) {
    assert_eq!(run.status.code(), Some(0), "{}", text(run));
    assert!(run.stderr.is_empty(), "{}", text(run));
    let out = String::from_utf8(run.stdout.clone()).unwrap();
    assert_eq!(out.lines().last(), Some("everything held"));
    assert!(!out.contains('\u{1b}') && !out.contains('\r'), "plain text where nobody watches");
}

#[track_caller]
fn says(run: &Output, expected: &str) {
    assert!(text(run).contains(expected), "it does not say `{expected}`:\n{}", text(run));
}

fn text(run: &Output) -> String {
    [&run.stdout, &run.stderr].map(|bytes| String::from_utf8(bytes.clone()).unwrap()).concat()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
