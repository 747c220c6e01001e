//! Checking a map against the program's schema, and against tables and files.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rxseal::phi::{Drug, Note};
use rxseal::schema::Schema;
use rxseal::{Each, PhiRecord, RecordTag, run_local};
use rxseal_map::{Addresses, Finding, Map};

rxseal::fields! {
    pub Dose = "rx.dose" in Medication, was "rx.strength" in Medication { max: 40 };
    pub Code = "rx.code" in Medication { max: 20 };
    pub Allergies = "rx.allergies" in Clinical;
    pub Line = "line.drug" in Medication;
}

/// A type that the derive does not know.
#[derive(serde::Serialize, serde::Deserialize)]
struct Ndc(String);

#[derive(PhiRecord)]
#[phi(part)]
struct RxLine {
    #[phi(id)]
    number: u32,
    #[phi(seal = Line)]
    drug: String,
}

#[derive(PhiRecord)]
#[phi(record = "prescription", was = "rx")]
struct Prescription {
    #[phi(id)]
    store: u32,
    #[phi(id)]
    number: u64,
    #[phi(subject)]
    patient: String,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Dose)]
    dose: String,
    #[phi(seal = Code)]
    code: Ndc,
    #[phi(seal = Each<Allergies>)]
    allergies: Vec<String>,
    #[phi(part = "line")]
    lines: Vec<RxLine>,
    #[phi(clear)]
    refills: u8,
    #[phi(record_tag)]
    tag: RecordTag,
}

#[derive(PhiRecord)]
#[phi(record = "message")]
struct Message {
    #[phi(id)]
    id: u64,
    #[phi(seal = Note)]
    note: String,
}

fn schema() -> Schema {
    Schema::new().with::<Prescription>().unwrap().with::<Message>().unwrap()
}

/// A map of all of it, in which each test changes something.
const GOOD: &str = "keyspace = 'pharmacy-17'
elsewhere = ['message']
[[source]]
at = 'sqlite:rx.db#rx'
record = 'prescription'
was = 'rx'
id = ['store', 'number']
subject = 'patient'
tag = 'tag'
sealed = { drug = 'phi.rx.drug', dose = 'rx.dose', allergies = 'rx.allergies', code = 'rx.code', 'lines:/*/drug' = 'line.drug' }
clear = { refills = 'none' }
";

fn codes(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| {
            let place = finding.place().map(|place| format!(" {place}")).unwrap_or_default();
            format!("{}{} {}{place}", if finding.is_fault() { "" } else { "note " }, finding.code(), finding.line())
        })
        .collect()
}

fn check(map: &str) -> Vec<Finding> {
    Map::parse(map).unwrap_or_else(|mistakes| panic!("{map}\n{mistakes}")).check(&schema())
}

const NOTES: [&str; 3] =
    ["note several-tokens 10 allergies", "note content-unknown 10 code", "note part-field 10 lines:/*/drug"];

#[test]
fn what_only_one_of_map_and_program_knows_is_a_fault() {
    assert_eq!(codes(&check(GOOD)), NOTES);
    for (from, to, expected, part) in [
        ("elsewhere = ['message']", "elsewhere = ['message', 'letter']", "elsewhere-unknown 0", "letter"),
        ("elsewhere = ['message']\n", "", "record-missing 0", "`elsewhere`"),
        ("'prescription'\nwas = 'rx'", "'rx'", "record-former 3", "calls these records prescription now"),
        ("'prescription'\nwas = 'rx'", "'refill'", "record-unknown 3", "no record type refill"),
        ("was = 'rx'", "was = ['rx', 'script']", "former-unknown 3", "was = \"script\""),
        ("['store', 'number']", "'number'", "id-columns 3", "store, number"),
        ("['store', 'number']", "['number', 'store']", "id-order 3", "store, number"),
        ("subject = 'patient'\n", "", "subject-missing 3", "patient"),
        ("tag = 'tag'\n", "", "tag-missing 3", "`tag`"),
        ("dose = 'rx.dose'", "dose = 'rx.strength'", "field-former 10 dose", "calls the field rx.dose now"),
        ("dose = 'rx.dose'", "dose = 'rx.does'", "field-unknown 10 dose", "rx.does"),
        ("dose = 'rx.dose', ", "", "field-missing 0", "rx.dose"),
        (", 'lines:/*/drug' = 'line.drug'", "", "field-missing 0", "line.drug"),
        ("dose = 'rx.dose', ", "", "clear-sealed 11 dose", "seals the field rx.dose"),
        ("clear = {", "index = { ix = 'rx.last' }\nclear = {", "index-unknown 11 ix", "rx.last"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let mut map = GOOD.replacen(from, to, 1);
        if expected.starts_with("clear-sealed") {
            map = map.replace("clear = {", "clear = { dose = 'health',");
        }
        let findings = check(&map);
        let at = codes(&findings).iter().position(|code| code == expected);
        let finding = &findings[at.unwrap_or_else(|| panic!("{expected}: {:?}", codes(&findings)))];
        assert!(finding.is_fault() && finding.to_string().contains(part), "{finding}");
    }
    // An export has fewer columns, and is no table whose rows are verified.
    let export = format!(
        "{GOOD}[[source]]\nat = 'csv:out/*.csv'\nrecord = 'prescription'\nid = ['store', 'number']\nsubject = 'patient'\nsealed = {{ drug = 'phi.rx.drug' }}\n"
    );
    assert_eq!(codes(&check(&export))[3..], ["note tag-missing 12"]);
    let simple = "keyspace = 'a'\nelsewhere = ['prescription']\n[[source]]\nat = 'csv:m.csv'\nrecord = 'message'\nid = 'id'\nsubject = 'who'\ntag = 'tag'\nsealed = { note = 'phi.clinical.note' }";
    assert_eq!(codes(&check(simple)), ["subject-unknown 3", "tag-unknown 3"]);
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rxseal-map-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn check(&self, map: &str, addresses: &Addresses) -> Vec<Finding> {
        fs::write(self.path("rxseal-map.toml"), map).unwrap();
        let map = Map::read(self.path("rxseal-map.toml")).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        run_local(async { Ok(map.check_sources(&schema(), addresses).await) }).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const TABLE: &str = "CREATE TABLE rx (store INTEGER, number INTEGER, patient TEXT, drug TEXT, dose VARCHAR(9), code BLOB, allergies TEXT,
    lines TEXT, Refills INTEGER, tag BLOB, PRIMARY KEY (store, number))";

fn database(path: &Path, sql: &str) {
    let _ = fs::remove_file(path);
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_table_of_sqlite_is_compared_with_the_map() {
    let folder = Folder::new("check");
    let nowhere = Addresses::default();
    assert_eq!(codes(&folder.check(GOOD, &nowhere)), ["store-refused 3"]);
    for (from, to, expected) in [
        ("", "", &[][..]),
        ("dose VARCHAR(9)", "dose INTEGER", &["column-type 10 dose"]),
        ("dose VARCHAR(9)", "dose DATE", &["column-type 10 dose"]),
        ("dose VARCHAR(9)", "dose TEXT AS (drug)", &["column-generated 10 dose"]),
        ("tag BLOB", "tag REAL", &["column-type 3 tag"]),
        ("lines TEXT", "lines INTEGER", &["column-type 10 lines:/*/drug"]),
        ("patient TEXT, ", "", &["column-missing 3 patient"]),
        (
            "patient TEXT",
            "patient TEXT, price REAL, \"a b\" TEXT",
            &["column-undeclared 3 price", "column-undeclared 3 a b"],
        ),
        ("CREATE TABLE rx ", "CREATE TABLE rx_old ", &["table-missing 3"]),
        (
            "number))",
            "number)); CREATE TABLE r2 AS SELECT * FROM rx; DROP TABLE rx; CREATE VIEW rx AS SELECT * FROM r2",
            &["note counts-doubted 3"],
        ),
    ] {
        database(&folder.path("rx.db"), &TABLE.replace(from, to));
        assert_eq!(codes(&folder.check(GOOD, &nowhere)), expected, "{to}");
    }
    // Two record types of one table: what one of them names is declared.
    database(&folder.path("rx.db"), &TABLE.replace("tag BLOB", "tag BLOB, message INTEGER, note TEXT, mood TEXT"));
    let both = format!(
        "{GOOD}[[source]]\nat = 'sqlite:rx.db#rx'\nrecord = 'message'\nid = 'message'\nsealed = {{ note = 'phi.clinical.note' }}\n"
    );
    assert_eq!(codes(&folder.check(&both, &nowhere)), ["column-undeclared 3 mood"]);
    fs::write(folder.path("rx.db"), "no database, and much too short to be one").unwrap();
    assert_eq!(codes(&folder.check(GOOD, &nowhere)), ["store-refused 3"]);
}

#[test]
fn files_are_compared_with_the_map() {
    let folder = Folder::new("check-files");
    let map = "keyspace = 'a'\n[[source]]\nat = 'csv:*.csv'\nrecord = 'message'\nid = 'id'\nsealed = { note = 'phi.clinical.note' }\n[[source]]\nat = 'ndjson:*.ndjson'\nrecord = 'message'\nid = 'id'\nsealed = { note = 'phi.clinical.note' }\n[[source]]\nat = 'parquet:*'\nrecord = 'message'\nid = 'id'\nsealed = { note = 'phi.clinical.note' }\n[[source]]\nat = 'postgres:a.b'\nrecord = 'message'\nid = 'id'\nsealed = { note = 'phi.clinical.note' }\n";
    let check = |folder: &Folder| codes(&folder.check(map, &Addresses::default()));
    assert_eq!(check(&folder), ["store-refused 2", "store-refused 7", "note not-compared 12", "note not-compared 17"]);
    fs::write(folder.path("a.csv"), "id,note\n").unwrap();
    fs::write(folder.path("b.csv"), "\u{feff}id,note,mood\n1,2\n").unwrap();
    fs::write(folder.path("a.ndjson"), "{\"id\":1}\n{\"id\":2,\"nota\":\"Jane Doe\"}\n").unwrap();
    let expected = [
        "column-undeclared 2 mood",
        "column-undeclared 7 nota",
        "column-missing 11 note",
        "note not-compared 12",
        "note not-compared 17",
    ];
    assert_eq!(check(&folder), expected);
    fs::write(folder.path("a.ndjson"), "Jane Doe").unwrap();
    let findings = folder.check(map, &Addresses::default());
    assert!(findings.iter().all(|finding| !finding.to_string().contains("Jane")), "{findings:?}");
}
