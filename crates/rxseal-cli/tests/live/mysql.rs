//! What `rxseal ddl --mysql` prints, run by a server: MariaDB, since Debian has no MySQL.

use std::fmt::Write as _;
use std::process::Command;

use rxseal::columns::IndexSql;
use rxseal::index::Kind;
use rxseal::phi::Drug;
use rxseal::testing::insecure_keyring;

use crate::servers::{output, server};

/// What no error may quote.
const CANARY: &str = "Kanarienvogel";

/// A database of its own, under this mode of SQL.
struct Database {
    name: &'static str,
    mode: &'static str,
}

impl Database {
    fn new(name: &'static str, mode: &'static str) -> Self {
        let database = Self { name: "mysql", mode };
        database.ok(&format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}"));
        Self { name, mode }
    }

    fn run(&self, sql: &str) -> Command {
        let mut client = Command::new("mariadb");
        client.args([
            "--no-defaults",
            "--user=root",
            "--batch",
            "--skip-column-names",
            "--default-character-set=utf8mb4",
        ]);
        client.arg(format!("--socket={}", server("RXSEAL_TEST_MARIADB"))).arg(self.name);
        client.arg(format!("--execute=SET sql_mode = '{}'; {sql}", self.mode));
        client
    }

    #[track_caller]
    fn ok(&self, sql: &str) -> String {
        output(&mut self.run(sql)).trim().to_owned()
    }

    #[track_caller]
    fn refuses(&self, sql: &str) {
        let output = self.run(sql).output().unwrap();
        assert!(!output.status.success(), "in mode {:?} it took {sql}", self.mode);
        // The client repeats the statement. What the server says is a line.
        let told = String::from_utf8_lossy(&output.stderr);
        let error = told.lines().find(|line| line.starts_with("ERROR ")).unwrap_or(&told);
        // 4025 is that of a CHECK, and 1406 of what is too long.
        assert!(error.contains("ERROR 4025") || error.contains("ERROR 1406"), "{error}");
        assert!(!error.contains(CANARY), "{error}");
    }
}

/// What the command prints.
fn ddl(arguments: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
    command.env_clear().env("HOME", "/nonexistent").args(["ddl", "--mysql"]).args(arguments.split_whitespace());
    output(&mut command)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    bytes.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
    format!("x'{text}'")
}

/// Strict is the default. The second mode cuts what is too long, and the third one reads quotes and backslashes in another way.
const MODES: [(&str, &str); 3] = [
    ("rxseal_strict", "STRICT_ALL_TABLES"),
    ("rxseal_lax", ""),
    ("rxseal_ansi", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,STRICT_ALL_TABLES"),
];

#[test]
#[ignore = "needs .ci/servers"]
fn columns_take_tokens_only() {
    let record = insecure_keyring("pharmacy-17").unwrap().unobserved().record("prescription", 1).unwrap();
    let [fits, long] = [60, 100].map(|len| record.seal::<Drug>(&"w".repeat(len)).unwrap());
    for (name, mode) in MODES {
        let db = Database::new(name, mode);
        db.ok("CREATE TABLE rx (id BIGINT AUTO_INCREMENT PRIMARY KEY)");
        for column in ["drug --max 60", "bytes --max 60 --bytes", "note --max 100000", "scan --max 100000 --bytes"] {
            db.ok(&ddl(&format!("--table rx --column {column}")));
        }
        db.ok(&ddl("--table rx --column tag --record-tag"));
        let insert = |column: &str, value: &str| format!("INSERT INTO rx ({column}) VALUES ({value})");
        let (text, bytes) = (fits.to_string(), hex(fits.as_bytes()));
        for column in ["drug", "note"] {
            db.ok(&insert(column, &format!("'{text}'")));
            db.ok(&insert(column, "NULL"));
            for value in [format!("'{CANARY}'"), format!("'rxs{CANARY} '"), format!("'{}'", &text[..51])] {
                db.refuses(&insert(column, &value));
            }
        }
        for column in ["bytes", "scan"] {
            db.ok(&insert(column, &bytes));
            for value in [format!("'{CANARY}'"), hex(&fits.as_bytes()[..38]), format!("'{text}'")] {
                db.refuses(&insert(column, &value));
            }
        }
        // What the server cuts is longer than any token of the column.
        db.refuses(&insert("drug", &format!("'{long}'")));
        db.refuses(&insert("bytes", &hex(long.as_bytes())));
        db.refuses(&insert("tag", &format!("'{CANARY}'")));
        assert_eq!(db.ok(&format!("SELECT count(*) FROM rx WHERE drug = '{}'", text.to_lowercase())), "0", "in case");
    }
}

#[test]
#[ignore = "needs .ci/servers"]
fn index_columns_take_index_values_only() {
    for (name, mode) in [("rxseal_index", "STRICT_ALL_TABLES"), ("rxseal_index_lax", "")] {
        let db = Database::new(name, mode);
        db.ok("CREATE TABLE patient (id BIGINT PRIMARY KEY)");
        db.ok(&ddl("--table patient --column born_on --index whole --bits 14"));
        db.ok(&ddl("--table patient --column any_name --index parts --bits 14"));
        db.ok("INSERT INTO patient VALUES (1, x'c0b81f9c6c'), (2, x'c0b81f9c6d'), (3, NULL)");
        db.ok("INSERT INTO patient_any_name VALUES (x'0169bb56d4', 1), (x'0169bb56d5', 1), (x'0169bb56d4', 2)");
        for sql in ["INSERT INTO patient VALUES (4, '1970-01-31')", "INSERT INTO patient_any_name VALUES ('CANARY', 1)"]
        {
            db.refuses(&sql.replace("CANARY", CANARY));
        }
        let found = db.ok("SELECT id FROM patient WHERE born_on IN (x'c0b81f9c6c', x'ffffff9c6c')");
        assert_eq!(found, "1");
        let both = "SELECT id FROM patient_any_name WHERE ix IN (x'0169bb56d4') ORDER BY id";
        assert_eq!(db.ok(both), "1\n2");
        let by_prefix = "SELECT hex(substring(born_on, 1, 3)), count(*) FROM patient GROUP BY 1 ORDER BY 1";
        assert_eq!(db.ok(by_prefix), "NULL\t1\nC0B81F\t2");

        let clear = |sql: &IndexSql| sql.clear_mysql("id").unwrap().replace('?', "1");
        db.ok(&clear(&IndexSql::new("patient", "born_on", Kind::Whole, &[14]).unwrap()));
        db.ok(&clear(&IndexSql::new("patient", "any_name", Kind::Parts, &[14]).unwrap()));
        assert_eq!(db.ok("SELECT count(*) FROM patient WHERE born_on IS NULL AND id = 1"), "1");
        assert_eq!(db.ok(both), "2");
    }
}
