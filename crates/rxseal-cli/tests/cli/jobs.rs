//! `rxseal job` over a table of SQLite, as an operator uses it.

mod beside;
mod faults;
mod kills;
mod life;
mod opened;
mod records;
mod refused;
mod subjects;

use std::fs;
use std::process::{Command, Output, Stdio};

use rusqlite::Connection;
use rxseal::phi::{Directions, Drug, PatientName};
use rxseal::schema::Schema;
use rxseal::{Access, PhiRecord, Purpose, Token};
use serde_json::Value;

use crate::shop::Shop;

/// What nobody may ever see outside of the table.
const CANARY: &str = "canary";

#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct Prescription {
    #[phi(id)]
    rx_number: i64,
    #[phi(seal = PatientName)]
    patient_name: String,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Option<Directions>)]
    directions: Option<String>,
}

const TABLE: &str = "CREATE TABLE rx (
    rx_number INTEGER PRIMARY KEY, patient_name TEXT NOT NULL, drug TEXT NOT NULL, directions TEXT, refills INTEGER NOT NULL DEFAULT 0)";

const MAP: &str = r#"keyspace = "pharmacy-17"

[[source]]
at     = "sqlite:shop.db#rx"
record = "prescription"
id     = "rx_number"
sealed = { patient_name = "phi.patient.name", drug = "phi.rx.drug", directions = "phi.rx.directions" }
clear  = { refills = "none" }
"#;

/// A shop with a table of so many prescriptions, none of which is sealed.
struct Pharmacy {
    shop: Shop,
}

impl Pharmacy {
    fn new(name: &str, rows: u32) -> Self {
        let shop = Shop::opened(name, "file:HERE/rings");
        let pharmacy = Self { shop };
        let schema = Schema::new().with::<Prescription>().unwrap().to_json();
        fs::write(pharmacy.shop.path("rxseal-schema.json"), schema).unwrap();
        fs::write(pharmacy.shop.path("rxseal-map.toml"), MAP).unwrap();
        let db = pharmacy.db();
        db.execute_batch(TABLE).unwrap();
        db.pragma_update(None, "journal_mode", "wal").unwrap();
        let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
            INSERT INTO rx SELECT i * 3, 'canary patient ' || i, 'canary drug ' || i, CASE WHEN i % 5 THEN 'canary daily ' || i END, 0 FROM n";
        db.execute(fill, [rows]).unwrap();
        pharmacy
    }

    fn db(&self) -> Connection {
        let db = Connection::open(self.shop.path("shop.db")).unwrap();
        db.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
        db
    }

    fn count(&self, sql: &str) -> i64 {
        self.db().query_row(sql, (), |row| row.get(0)).unwrap()
    }

    fn text(&self, sql: &str) -> String {
        self.db().query_row(sql, (), |row| row.get(0)).unwrap()
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.shop.command();
        command.args(arguments.split_whitespace()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the command. Whatever it says, it says no value.
    #[track_caller]
    fn run(&self, arguments: &str) -> Output {
        let output = self.command(arguments).output().unwrap();
        assert_says_nothing(arguments, &output);
        output
    }

    #[track_caller]
    fn ok(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        let (text, error) = texts(&output);
        assert!(output.status.success(), "{arguments}: {text}{error}");
        text
    }

    /// Its standard output and error.
    #[track_caller]
    fn fails(&self, arguments: &str, exit: i32) -> (String, String) {
        let output = self.run(arguments);
        let texts = texts(&output);
        assert_eq!(output.status.code(), Some(exit), "{arguments}: {texts:?}");
        texts
    }

    #[track_caller]
    fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("--json {arguments}"))).unwrap()
    }

    /// Plans a job of this name, and does all of it.
    #[track_caller]
    fn whole(&self, job: &str, operation: &str) -> Value {
        self.ok(&format!("job plan {job} --op {operation} --chunk-rows 100"));
        self.json(&format!("job run {job}"))
    }

    /// Each row opens, and to what it was; `changed` says what an application made of a row.
    fn assert_opens(&self, changed: impl Fn(i64) -> Option<String>) {
        let (keys, db) = (self.shop.keys(), self.db());
        let access = Access::new("user:test", Purpose::TREAT).unwrap();
        let mut statement = db.prepare("SELECT rx_number, patient_name, drug, directions FROM rx").unwrap();
        let mut rows = statement.query(()).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let token = |at| row.get::<_, Option<String>>(at).unwrap().map(|text| text.parse::<Token>().unwrap());
            let rx_number: i64 = row.get(0).unwrap();
            let record = keys.record("prescription", rx_number).unwrap();
            let record = record.opened_by(&access);
            let number = rx_number / 3;
            let name: String = record.open::<PatientName, _>(&token(1).unwrap()).unwrap();
            let drug: String = record.open::<Drug, _>(&token(2).unwrap()).unwrap();
            let directions: Option<String> = token(3).map(|token| record.open::<Directions, _>(&token).unwrap());
            assert_eq!(name, format!("canary patient {number}"));
            assert_eq!(drug, changed(rx_number).unwrap_or_else(|| format!("canary drug {number}")));
            assert_eq!(directions, (number % 5 != 0).then(|| format!("canary daily {number}")));
        }
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[track_caller]
fn assert_says_nothing(arguments: &str, output: &Output) {
    let (text, error) = texts(output);
    assert!(!format!("{text}{error}").contains(CANARY), "{arguments}: {text}{error}");
}
