//! `rxseal job` over a table of PostgreSQL: several workers, one that is killed, a pause from elsewhere, and the way back.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::servers::{output, server};

/// What nobody may see outside of the table.
const CANARY: &str = "Kanarienvogel";

/// As a program writes it.
const SCHEMA: &str = r#"{"rxseal_schema": 1, "records": [{"record": "prescription", "ids": [{"member": "rx_number"}], "fields": [
    {"member": "patient_name", "id": "phi.patient.name", "class": "identity", "block": 32, "max": 1024, "content": "text"},
    {"member": "drug", "id": "phi.rx.drug", "class": "medication", "block": 32, "max": 1024, "content": "text"}
]}]}"#;

/// A schema of the server with a table, a keyring in files, and a map of both.
struct Pharmacy {
    folder: PathBuf,
    schema: String,
}

impl Pharmacy {
    fn new(name: &str, rows: u32) -> Self {
        let schema = format!("jobs_command_{name}_{}", std::process::id());
        let folder = env::temp_dir().join(&schema);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let map = format!(
            "keyspace = \"pharmacy-17\"\n[[source]]\nat = \"postgres:{schema}.rx\"\nrecord = \"prescription\"\nid = \"rx_number\"\n\
             sealed = {{ patient_name = \"phi.patient.name\", drug = \"phi.rx.drug\" }}\n"
        );
        fs::write(folder.join("rxseal-map.toml"), map).unwrap();
        fs::write(folder.join("rxseal-schema.json"), SCHEMA).unwrap();
        let pharmacy = Self { folder, schema };
        pharmacy.sql(&format!(
            "CREATE SCHEMA {0}; CREATE TABLE {0}.rx (rx_number bigint PRIMARY KEY, patient_name text, drug text);
             INSERT INTO {0}.rx SELECT i * 7, '{CANARY} ' || i, '{CANARY} drug ' || i FROM generate_series(1, {rows}) AS i; ANALYZE {0}.rx",
            pharmacy.schema
        ));
        pharmacy.ok("key-file create root.key");
        pharmacy.ok("keyring init pharmacy-17");
        pharmacy
    }

    fn url(&self) -> String {
        format!("{}?options=-c%20search_path%3D{}", server("RXSEAL_TEST_POSTGRES"), self.schema)
    }

    /// What `psql` prints.
    fn sql(&self, sql: &str) -> String {
        let mut psql = Command::new("psql");
        psql.args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql, &server("RXSEAL_TEST_POSTGRES")]);
        output(&mut psql).trim().to_owned()
    }

    fn count(&self, what: &str) -> u64 {
        self.sql(&format!("SELECT count(*) FROM {}.{what}", self.schema)).parse().unwrap()
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
        command.current_dir(&self.folder).env_clear().args(arguments.split_whitespace()).stdin(Stdio::null());
        command
            .env("RXSEAL_STORE", "file:rings")
            .env("RXSEAL_ROOTS", "file:root.key")
            .env("RXSEAL_POSTGRES", self.url());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Whatever the command says, it says no value.
    #[track_caller]
    fn run(&self, arguments: &str) -> Output {
        let output = self.command(arguments).output().unwrap();
        assert!(!format!("{}{}", text(&output.stdout), text(&output.stderr)).contains(CANARY), "{arguments}");
        output
    }

    #[track_caller]
    fn ok(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    #[track_caller]
    fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("--json {arguments}"))).unwrap()
    }

    #[track_caller]
    fn fails(&self, arguments: &str, part: &str) {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        assert!(text(&output.stderr).contains(part), "{arguments}: {}", text(&output.stderr));
    }
}

impl Drop for Pharmacy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
#[ignore = "needs .ci/servers"]
fn a_table_of_postgres_is_sealed_and_unsealed() {
    let pharmacy = Pharmacy::new("life", 1_000);
    pharmacy.fails("job run seal-rx", "no job seal-rx");
    let plan = pharmacy.json("job plan seal-rx --op backfill --chunk-rows 50");
    assert_eq!((&plan["status"]["rows_total"], &plan["status"]["chunks"]), (&json!(1_000), &json!(20)), "{plan}");
    assert!(plan["preflight"]["estimate"]["wal_bytes"].as_u64().unwrap() > 0, "{plan}");

    // Killed, paused from elsewhere, and done by four workers at once.
    let mut child = pharmacy.command("job run seal-rx --rows-per-second 200").spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while pharmacy.count("rxseal_chunk WHERE state = 'done'") < 2 {
        assert!(Instant::now() < until);
        sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(pharmacy.ok("job pause seal-rx").contains("paused"));
    pharmacy.fails("job run seal-rx --workers 2", "paused with");
    pharmacy.ok("job resume seal-rx");
    let done = pharmacy.json("job run seal-rx --workers 4 --max-replica-lag none");
    let counts = &done["status"]["counts"];
    assert_eq!((&counts["rows"], &counts["written"], &counts["sealed"]), (&json!(1_000), &json!(1_000), &json!(2_000)));
    assert_eq!((&done["ended"]["plaintext"], &done["ended"]["left"]), (&json!(0), &json!([])));
    assert_eq!(pharmacy.count("rx WHERE drug LIKE 'rxsX%' AND patient_name LIKE 'rxsX%'"), 1_000);
    assert!(pharmacy.ok("job status").contains("seal-rx"));

    // A trigger has to be accepted by name.
    pharmacy.sql(&format!(
        "CREATE FUNCTION {0}.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER rx_keep BEFORE UPDATE ON {0}.rx FOR EACH ROW EXECUTE FUNCTION {0}.keep()",
        pharmacy.schema
    ));
    pharmacy.fails("job plan open-rx --op unseal", "--accept trigger:rx_keep");
    pharmacy.ok("job plan open-rx --op unseal --accept trigger:rx_keep --chunk-rows 300");
    let verifier = pharmacy.ok("audit keygen --name db.example --out audit.key");
    for folder in ["log", "elsewhere"] {
        fs::create_dir(pharmacy.folder.join(folder)).unwrap();
    }
    pharmacy.ok(
        "job run open-rx --who user:kim --why HSYSADMIN --audit-log log --audit-key audit.key --audit-checkpoints elsewhere --approval CHG-1=2000 --yes",
    );
    assert_eq!(pharmacy.count(&format!("rx WHERE drug = '{CANARY} drug ' || rx_number / 7")), 1_000);
    assert!(pharmacy.ok("job status open-rx").contains("2,000 of 2,000 values opened"));
    pharmacy.ok(&format!("audit verify log --key {} --checkpoints elsewhere", verifier.trim()));
    pharmacy.sql(&format!("DROP SCHEMA {} CASCADE", pharmacy.schema));
}

/// Rows that are left as they are have their key, the field and the reason in the list.
#[test]
#[ignore = "needs .ci/servers"]
fn faults_of_a_table_of_postgres_are_listed() {
    let pharmacy = Pharmacy::new("faults", 100);
    let like = format!("rxsXAAAAAAAA{}", "Kanarie".repeat(8));
    pharmacy.sql(&format!("UPDATE {}.rx SET drug = '{like}' WHERE rx_number = 70", pharmacy.schema));
    pharmacy.ok("job plan seal-rx --op backfill --chunk-rows 30");
    pharmacy.fails("job run seal-rx", "1 faults");
    let output = pharmacy.run("--json job faults seal-rx");
    let faults: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(faults[0]["row_id"], json!("[\"70\"]"));
    assert_eq!((&faults[0]["field"], &faults[0]["reason"]), (&json!("phi.rx.drug"), &json!("unknown-key")));
    assert_eq!(output.status.code(), Some(1));
    pharmacy.sql(&format!("UPDATE {}.rx SET drug = '{CANARY} drug 10' WHERE rx_number = 70", pharmacy.schema));
    pharmacy.ok("job faults seal-rx --retry");
    let done = pharmacy.json("job run seal-rx");
    assert_eq!((&done["status"]["counts"]["written"], &done["ended"]["left"]), (&json!(1), &json!([])));
    pharmacy.sql(&format!("DROP SCHEMA {} CASCADE", pharmacy.schema));
}

/// A thief of a database has the tables that no map names too.
#[test]
#[ignore = "needs .ci/servers"]
fn a_theft_drill_names_the_other_tables_of_postgres() {
    let pharmacy = Pharmacy::new("a_theft", 3);
    pharmacy.sql(&format!("CREATE TABLE {0}.walkins AS SELECT '{CANARY}' AS name", pharmacy.schema));
    pharmacy.ok("audit keygen --name db.example --out audit.key");
    fs::create_dir(pharmacy.folder.join("log")).unwrap();
    let audit = "--audit-log log --audit-key audit.key --who user:lee.ops";
    let drill = |more: &str| {
        let output = pharmacy.run(&format!("--json drill theft --postgres {} {audit} {more}", pharmacy.url()));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let undeclared = |answer: &Value| {
        let undecided = answer["undecided"].as_array().unwrap().iter();
        undecided.filter(|of| of["code"] == "table-undeclared").map(|of| of["text"].to_string()).collect::<String>()
    };
    let answer = drill("");
    let (other, known) = (format!("{}.walkins", pharmacy.schema), format!("{}.rx", pharmacy.schema));
    let text = undeclared(&answer);
    assert!(text.contains(&other) && !text.contains(&known), "{answer}");
    assert!(!undeclared(&drill(&format!("--without-phi {other}"))).contains(&other));
    pharmacy.sql(&format!("DROP SCHEMA {} CASCADE", pharmacy.schema));
}
