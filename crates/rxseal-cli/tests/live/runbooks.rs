//! Runs docs/RUNBOOKS.md word for word. Every block of commands runs in one shell, from top to bottom, and must print
//! every block of output below it. The page's addresses and folders are replaced, and `sleep` sets the programs' clock
//! forward instead of waiting.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rusqlite::{Connection, params};
use rxseal::index::{Definition, Forms, Index, IndexSchema, IndexValue, Kind, StoredIndex};
use rxseal::keys::UnlockOptions;
use rxseal::phi::{Drug, Note};
use rxseal::root::{RootKey, RootKeys};
use rxseal::schema::Schema;
use rxseal::store::KeyringStore;
use rxseal::subjects::SubjectKeys;
use rxseal::{Access, Class, FieldId, Keyring, PhiRecord, Purpose, Record, Token};
use rxseal_roots::RootSpec;
use rxseal_sqlite::{SqliteStore, SqliteSubjectStore};
use tokio::runtime::Runtime;

use crate::page_run::{run_page, said_in_passing_is_run, steps};
use crate::servers::{KEY_SERVICES, output, server};

const PAGE: &str = include_str!("../../../../docs/RUNBOOKS.md");

/// What says to this program that it is `pharmacy`, the service of the page: the work to do.
const WORK: &str = "RXSEAL_RUNBOOK_WORK";

/// What is said in passing is also in a block, or nobody has tried it.
#[test]
fn commands_of_the_text_are_in_blocks() {
    let steps = steps(PAGE);
    assert!(steps.len() > 30, "the page has its run-books");
    said_in_passing_is_run(PAGE, &steps);
}

#[test]
#[ignore = "needs .ci/servers"]
fn every_block_of_the_run_books() {
    let ground = Ground::new();
    run_page("docs/RUNBOOKS.md", PAGE, SLEEP, &ground.path("log"), ground.shell(), |commands| {
        ground.translate(commands)
    });
}

/// It counts seconds, as `10m` and `65m` have them, and the wrappers below add them to the clock.
const SLEEP: &str = r#"sleep() {
    local amount=$1
    [[ $amount == *m ]] && amount=$((${amount%m} * 60))
    echo $(($(cat "$GROUND/clock") + amount)) >"$GROUND/clock"
}"#;

/// A machine of its own for the page: folders, commands, keys in the servers, a database.
struct Ground {
    folder: PathBuf,
    key: String,
    arn: String,
    database: String,
}

impl Ground {
    fn new() -> Self {
        let folder = env::temp_dir().join(format!("rxseal-runbooks-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for name in ["bin", "log", "var/lib", "etc/pharmacy", "media/escrow", "media/copy", "backup", "shm"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let made = output(Command::new("python3").arg(KEY_SERVICES));
        let key = made.trim().to_owned();
        let database = key.replace("rotation-", "runbooks_");
        let url = server("RXSEAL_TEST_POSTGRES");
        output(Command::new("psql").args(["--quiet", "--command", &format!("CREATE DATABASE {database}"), &url]));
        let mut ground =
            Self { arn: String::new(), database: url.replacen("/postgres", &format!("/{database}"), 1), key, folder };
        fs::write(ground.path("clock"), "0").unwrap();
        fs::write(ground.path("etc/pharmacy/vault.token"), server("RXSEAL_TEST_VAULT_TOKEN")).unwrap();
        fs::set_permissions(ground.path("etc/pharmacy/vault.token"), fs::Permissions::from_mode(0o600)).unwrap();
        ground.command("rxseal", &format!("{} \"$@\"", env!("CARGO_BIN_EXE_rxseal")), "");
        let dry =
            format!("rxseal --json keyring init a --dry-run --store file:rings --root aws-kms:alias/{}", ground.key);
        let shown: serde_json::Value = serde_json::from_str(&output(ground.shell().arg("-c").arg(dry))).unwrap();
        shown["keyring"]["root_keys"][0]["root_key"].as_str().unwrap().clone_into(&mut ground.arn);
        let this = env::current_exe().unwrap();
        let service = format!("{} --exact --ignored --nocapture runbooks::the_service_of_the_page", this.display());
        ground.command("pharmacy", &service, &format!("export {WORK}=\"$*\""));
        ground.command("systemctl", &service, &format!("[ \"$*\" = \"restart pharmacy\" ]; export {WORK}=serve"));
        ground
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// A command with the clock of the page.
    fn command(&self, name: &str, what: &str, before: &str) {
        let text = format!(
            "#!/bin/sh\nset -e\n{before}\nexec env LD_PRELOAD={} FAKETIME=\"+$(cat {})s\" FAKETIME_DONT_FAKE_MONOTONIC=1 {what}\n",
            server("RXSEAL_TEST_FAKETIME"),
            self.path("clock"),
        );
        fs::write(self.path(&format!("bin/{name}")), text).unwrap();
        fs::set_permissions(self.path(&format!("bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn shell(&self) -> Command {
        let mut shell = Command::new("bash");
        shell.env_clear().current_dir(&self.folder).env("GROUND", &self.folder).env("HOME", "/nonexistent");
        shell.env("PATH", format!("{}:{}", self.path("bin"), env::var("PATH").unwrap()));
        shell.env("AWS_ENDPOINT_URL", server("RXSEAL_TEST_MOTO")).env("AWS_REGION", "us-east-1");
        shell.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        shell
    }

    /// What the page names as examples, as it is here.
    fn translate(&self, commands: &str) -> String {
        let vault = format!("{}/transit/{}", server("RXSEAL_TEST_VAULT"), self.key);
        let mut text = commands
            .replace("arn:aws:kms:us-east-1:111122223333:key/KEY-ID", &self.arn)
            .replace("https://vault.example:8200/transit/phi-root", &vault)
            .replace("postgres://keyring_admin@db.example/keyrings", &self.database);
        for (there, here) in [
            ("/var/lib/", "var/lib/"),
            ("/media/", "media/"),
            ("/backup/", "backup/"),
            ("/dev/shm/", "shm/"),
            ("/etc/", "etc/"),
        ] {
            text = text.replace(there, &self.path(here));
        }
        text
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
        let name = self.database.rsplit('/').next().unwrap_or_default();
        let drop = format!("DROP DATABASE IF EXISTS {name}");
        let _ = Command::new("psql").args(["--quiet", "--command", &drop, &server("RXSEAL_TEST_POSTGRES")]).status();
    }
}

/// `pharmacy`: seals new rows as a service does, and opens every row; or reseals all of them.
#[test]
#[ignore = "started by the run-books"]
fn the_service_of_the_page() {
    let Ok(work) = env::var(WORK) else { return };
    let runtime = Runtime::new().unwrap();
    let place = |variable: &str| env::var(variable).unwrap().strip_prefix("sqlite:").unwrap().to_owned();
    let keyrings = place("RXSEAL_STORE");
    let keys = runtime.block_on(async {
        let mut roots: Vec<Arc<dyn RootKey>> = Vec::new();
        for root in env::var("RXSEAL_ROOTS").unwrap().split_whitespace() {
            roots.push(connect(root).await);
        }
        let mut roots = roots.into_iter();
        let first = RootKeys::from(roots.next().unwrap());
        let roots = roots.fold(first, RootKeys::and);
        let stored = SqliteStore::open(&keyrings).unwrap().get("pharmacy-17").await.unwrap().unwrap();
        let options = UnlockOptions::default().with_index_roots();
        Keyring::unlock_with(options, "pharmacy-17", &roots, &stored).await.unwrap().unobserved()
    });
    let subjects = SubjectKeys::new(SqliteSubjectStore::open(place("RXSEAL_SUBJECT_STORE")).unwrap());
    let database = Path::new(&keyrings).with_file_name("pharmacy.db");
    let rows = Connection::open(database).unwrap();
    let program = Pharmacy { runtime, keys, subjects, rows };
    match &*work {
        "serve" => program.serve(),
        "schema" => println!("{}", Schema::new().with::<Prescription>().unwrap().to_json()),
        "nested" => program.nested(),
        "reindex" => program.reindex(),
        "reseal" => program.reseal(false),
        "reseal --compromised" => program.reseal(true),
        other => match other.strip_prefix("indexes ") {
            Some(file) => fs::write(file, IndexSchema::default().with_index::<BornOn>().to_string()).unwrap(),
            None => panic!("pharmacy has no `{other}`"),
        },
    }
}

async fn connect(root: &str) -> Arc<dyn RootKey> {
    RootSpec::parse(root).unwrap().connect(false).await.unwrap()
}

const BORN: &str = "1970-01-31";

struct BornOn;

impl Index for BornOn {
    type Record = &'static str;
    type Stored = Option<IndexValue<Self>>;
    const DEFINITION: Definition = Definition::new("patient", "patient.born", Kind::Whole, 14, &["exact/1"]);
    const CLASSES: &'static [Class] = &[Class::IDENTITY];
    const FIELDS: &'static [FieldId] = &[];

    fn forms(born: &&'static str, _: &Definition, forms: &mut Forms) -> Result<(), rxseal::Error> {
        forms.push(&[born.as_bytes()])
    }
}

/// A row as the map of the page has it.
#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct Prescription {
    #[phi(id)]
    id: String,
    #[phi(subject)]
    patient: String,
    #[phi(seal = Drug)]
    medication: String,
    #[phi(seal = Note)]
    note: String,
}

struct Pharmacy {
    runtime: Runtime,
    keys: Keyring,
    subjects: SubjectKeys,
    rows: Connection,
}

impl Pharmacy {
    /// Each patient has one prescription; P-1 may be shredded.
    fn serve(&self) {
        self.admit_and_find();
        self.rows
            .execute_batch("CREATE TABLE IF NOT EXISTS prescriptions (id TEXT PRIMARY KEY, patient TEXT, medication TEXT, note TEXT)")
            .unwrap();
        let count: u32 = self.rows.query_row("SELECT count(*) FROM prescriptions", [], |row| row.get(0)).unwrap();
        for number in count + 1..=count + 5 {
            let record = self.record(number);
            let record = self.of_patient(number, &record).unwrap();
            let note = record.seal::<Note>("stable").unwrap().to_string();
            let medication = record.seal::<Drug>("warfarin").unwrap().to_string();
            self.rows
                .execute(
                    "INSERT INTO prescriptions (id, patient, medication, note) VALUES (?1, ?2, ?3, ?4)",
                    params![format!("RX-{number}"), format!("P-{number}"), medication, note],
                )
                .unwrap();
        }
        let access = Access::new("svc:pharmacy", Purpose::TREAT).unwrap();
        for (number, medication, note) in self.all() {
            let record = self.record(number);
            match self.of_patient(number, &record) {
                Ok(record) => {
                    let drug: String = record.opened_by(&access).open::<Drug, _>(&medication).unwrap();
                    assert_eq!(drug, "warfarin");
                    let note: String = record.opened_by(&access).open::<Note, _>(&note).unwrap();
                    assert_eq!(note, "stable");
                }
                Err(error) => assert!(number == 1 && error.is_shredded(), "{error}"),
            }
        }
    }

    /// All patients were born on one day, and a search finds all of them but those whose values were emptied.
    fn admit_and_find(&self) {
        self.rows.execute_batch("CREATE TABLE IF NOT EXISTS patients (id INTEGER PRIMARY KEY, born_ix TEXT)").unwrap();
        self.rows.execute("INSERT INTO patients (born_ix) VALUES (NULL)", []).unwrap();
        let id = self.rows.last_insert_rowid();
        self.rows.execute("UPDATE patients SET born_ix = ?2 WHERE id = ?1", params![id, self.born_ix(id)]).unwrap();
        let asked = self.keys.indexer().unwrap().asked::<BornOn>(|_, forms| forms.push(&[BORN.as_bytes()])).unwrap();
        let asked: Vec<_> = asked.iter().map(|value| format!("'{value}'")).collect();
        let found = format!("SELECT count(*) FROM patients WHERE born_ix IN ({})", asked.join(", "));
        let count = |sql: &str| self.rows.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count(&found), count("SELECT count(born_ix) FROM patients"), "a search misses no row");
    }

    fn reindex(&self) {
        let mut query = self.rows.prepare("SELECT id FROM patients WHERE born_ix IS NOT NULL").unwrap();
        let ids: Vec<i64> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for id in ids {
            self.rows.execute("UPDATE patients SET born_ix = ?2 WHERE id = ?1", params![id, self.born_ix(id)]).unwrap();
        }
    }

    fn born_ix(&self, id: i64) -> String {
        let record = self.keys.record("patient", id).unwrap();
        self.keys.indexer().unwrap().stored::<BornOn>(&record, &BORN).unwrap().values()[0].to_string()
    }

    fn nested(&self) {
        let access = Access::new("svc:pharmacy", Purpose::HSYSADMIN).unwrap();
        let mut found = 0;
        for (number, medication, note) in self.all() {
            let record = self.record(number);
            let patient = self.of_patient(number, &record).unwrap();
            found += patient.opened_by(&access).nested_keys::<Drug>(&medication).unwrap().len();
            found += patient.opened_by(&access).nested_keys::<Note>(&note).unwrap().len();
        }
        println!("{found} sealed values inside others");
        assert_eq!(found, 0);
    }

    fn reseal(&self, compromised: bool) {
        for (number, medication, note) in self.all() {
            let record = self.record(number);
            let patient = self.of_patient(number, &record).unwrap();
            let (medication, note) = if compromised {
                (
                    fresh(&patient.reseal_compromised::<Drug>(&medication)),
                    fresh(&patient.reseal_compromised::<Note>(&note)),
                )
            } else {
                (fresh(&patient.reseal::<Drug>(&medication)), fresh(&patient.reseal::<Note>(&note)))
            };
            let query = "UPDATE prescriptions SET medication = ?2, note = ?3 WHERE id = ?1";
            self.rows.execute(query, params![format!("RX-{number}"), medication, note]).unwrap();
        }
    }

    fn record(&self, number: u32) -> Record {
        self.keys.record("prescription", format!("RX-{number}").as_str()).unwrap()
    }

    fn of_patient(&self, number: u32, record: &Record) -> Result<Record, rxseal::Error> {
        let key = self.runtime.block_on(self.subjects.subject_or_create(&self.keys, format!("P-{number}").as_str()))?;
        record.subject(&key)
    }

    fn all(&self) -> Vec<(u32, Token, Token)> {
        let mut query = self.rows.prepare("SELECT id, medication, note FROM prescriptions").unwrap();
        let text = |row: &rusqlite::Row<'_>, at| row.get::<_, String>(at).unwrap();
        let rows = query.query_map([], |row| Ok((text(row, 0), text(row, 1), text(row, 2)))).unwrap();
        rows.map(|row| {
            let (id, medication, note) = row.unwrap();
            (id["RX-".len()..].parse().unwrap(), medication.parse().unwrap(), note.parse().unwrap())
        })
        .collect()
    }
}

fn fresh(token: &Result<Token, rxseal::Error>) -> String {
    token.as_ref().unwrap().to_string()
}
