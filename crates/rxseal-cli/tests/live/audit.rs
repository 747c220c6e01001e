//! `rxseal audit` over a log in PostgreSQL: what it prints makes the tables, and it reads what a program wrote there.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rxseal::phi::Drug;
use rxseal::{Access, Purpose};
use rxseal_watch::{CheckpointFolder, PostgresLog, Watch};

use crate::servers::{output, server};

/// A schema and two roles of its own, and a folder.
struct Ground {
    schema: String,
    folder: PathBuf,
}

impl Ground {
    fn new() -> Self {
        let schema = format!("audit_{}", std::process::id());
        let folder = std::env::temp_dir().join(format!("rxseal-cli-{schema}"));
        fs::create_dir_all(folder.join("elsewhere")).unwrap();
        let ground = Self { schema, folder };
        let schema = &ground.schema;
        ground.sql(&format!(
            "CREATE SCHEMA {schema}; CREATE ROLE {schema}_w LOGIN; CREATE ROLE {schema}_r LOGIN; GRANT USAGE ON SCHEMA {schema} TO {schema}_w, {schema}_r"
        ));
        ground
    }

    fn url(&self, role: &str) -> String {
        let url = server("RXSEAL_TEST_POSTGRES").replacen("rxseal@", &format!("{role}@"), 1);
        format!("{url}?options=-csearch_path%3D{}", self.schema)
    }

    fn sql(&self, sql: &str) {
        output(Command::new("psql").args(["-qX", "-v", "ON_ERROR_STOP=1", "-c", sql, &self.url("rxseal")]));
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
        command.current_dir(&self.folder).env_clear().args(arguments.split_whitespace());
        command
    }

    #[track_caller]
    fn ok(&self, arguments: &str) -> String {
        output(&mut self.command(arguments))
    }

    /// Exit status, and everything that is printed.
    fn status(&self, arguments: &str) -> (i32, String) {
        let output = self.command(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

#[test]
#[ignore = "needs .ci/servers"]
fn a_log_in_postgres_is_read_as_one_in_files() {
    let ground = Ground::new();
    let schema = &ground.schema;
    let (writer, reader) = (format!("{schema}_w"), format!("{schema}_r"));
    let key = ground.ok("audit keygen --name ph17-a.example --out audit.key").trim().to_owned();
    let url = ground.url(&reader);
    let (status, text) = ground.status(&format!("audit show {url}"));
    assert!(status != 0 && text.contains("rxseal audit ddl"), "{status}: {text}");
    ground.sql(&ground.ok(&format!("audit ddl --writer {writer} --reader {reader}")));

    let signing = fs::read_to_string(ground.folder.join("audit.key")).unwrap().parse().unwrap();
    let watch = Watch::over(PostgresLog::connect(&ground.url(&writer), signing).unwrap());
    let watch = watch.copy_to(CheckpointFolder::new(ground.folder.join("elsewhere"))).start().unwrap();
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(watch.observer());
    for (id, actor) in [("RX-1", "user:kim.rph"), ("RX-2", "user:kim.rph"), ("RX-1", "user:lee.rph")] {
        let record = keys.record("prescription", id).unwrap();
        let token = record.seal::<Drug>("Canary-metformin").unwrap();
        let access = Access::new(actor, Purpose::TREAT).unwrap();
        record.opened_by(&access).open::<Drug, String>(&token).unwrap();
    }
    drop((keys, watch));

    let verify = |log: &str| format!("audit verify {log} --key {key} --checkpoints elsewhere");
    let text = ground.ok(&verify(&url));
    assert!(text.starts_with("whole: 7 events in 1 chains"), "{text}");
    let accesses = ground.ok(&format!("audit accesses {url} --subject RX-1"));
    assert_eq!((accesses.lines().count(), accesses.matches("RX-1").count()), (2, 2), "{accesses}");
    assert!(accesses.contains("user:kim.rph") && accesses.contains("user:lee.rph") && !accesses.contains("Canary"));
    let of_kim = ground.ok(&format!("--json audit show {url} --actor user:kim.rph"));
    assert_eq!(of_kim.lines().count(), 2, "{of_kim}");

    fs::create_dir(ground.folder.join("files")).unwrap();
    ground.ok(&format!("audit export {url} --to files"));
    assert_eq!(ground.ok(&verify("files")), text);
    assert_eq!(ground.ok("audit accesses files --subject RX-1"), accesses);
    let (status, text) = ground.status(&format!("audit export {url} --to files"));
    assert!(status == 1 && text.contains("File exists"), "{status}: {text}");
    assert_eq!(ground.status("audit export files --to files").0, 2);

    ground.sql(
        "ALTER TABLE rxseal_audit DISABLE TRIGGER rxseal_audit_only_grows; \
        UPDATE rxseal_audit SET line = replace(line, 'user:lee.rph', 'user:kim.rph')",
    );
    let (status, text) = ground.status(&verify(&url));
    assert!(status == 1 && text.contains("changed: chain") && text.contains("line 4"), "{status}: {text}");
    let (status, text) = ground.status(&format!("audit show {}", url.replacen('@', ":s3cret@", 1)));
    assert!(status == 2 && text.contains("password") && !text.contains("s3cret"), "{status}: {text}");
}
