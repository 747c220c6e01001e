//! The program of the page, in each of its versions.

use std::env;
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use rusqlite::Connection;
use rxseal::keys::UnlockOptions;
use rxseal::migrating::{Migrating, ReadThrough};
use rxseal::phi::{Directions, Drug};
use rxseal::records::Migrates;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::schema::Schema;
use rxseal::store::KeyringStore;
use rxseal::subjects::SubjectKeys;
use rxseal::{Access, Field, Keyring, PhiRecord, Purpose, Record, Sealed, Token, run_local};
use rxseal_sqlite::{SqliteStore, SqliteSubjectStore};
use serde_json::json;

use super::{PROGRAMS, ROWS};
use crate::servers::output;

#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct Prescription {
    #[phi(id)]
    rx_number: i64,
    #[phi(clear)]
    patient: String,
    #[phi(seal = Migrates<Drug>)]
    drug: String,
    #[phi(seal = Option<Migrates<Directions>>)]
    directions: Option<String>,
    #[phi(clear)]
    refills: i64,
}

/// With a key of the patient.
#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct PrescriptionOfPatient {
    #[phi(id)]
    rx_number: i64,
    #[phi(subject)]
    patient: String,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Option<Directions>)]
    directions: Option<String>,
    #[phi(clear)]
    refills: i64,
}

pub fn run(work: &str) {
    match work {
        "serve" => serve(),
        "schema" => say(&Schema::new().with::<Prescription>().unwrap().to_json()),
        "schema --subjects" => say(&Schema::new().with::<PrescriptionOfPatient>().unwrap().to_json()),
        "subjects" => {
            let keys = Keys::unlock();
            for patient in 0..3 {
                run_local(keys.subjects.subject_or_create(&keys.plain, format!("P-{patient}").as_str())).unwrap();
            }
            say("3 patients have keys\n");
        }
        other => panic!("pharmacy has no `{other}`"),
    }
}

fn ground(name: &str) -> String {
    format!("{}/{name}", env::var("GROUND").unwrap())
}

fn say(text: &str) {
    fs::write(ground("said"), text).unwrap();
}

/// Writes to both tables until it is stopped.
fn serve() {
    let keys = Keys::unlock();
    let file = Connection::open(ground("var/lib/pharmacy/pharmacy.db")).unwrap();
    file.busy_timeout(Duration::from_secs(20)).unwrap();
    let tables = [Table::Postgres(env::var("RXSEAL_POSTGRES").unwrap()), Table::Sqlite(file)];
    let (mut writes, mut next) = (0, ROWS as i64);
    'serving: loop {
        next += 1;
        for (table, program) in tables.iter().zip(PROGRAMS) {
            let deployed = fs::read_to_string(ground(&format!("deployed-{program}"))).unwrap();
            let Some(version) = Version::of(deployed.trim()) else { break 'serving };
            let row = table.row(1 + next * 7 % ROWS as i64);
            row.check(&keys, version);
            match next % 3 {
                0 => table.insert(&Row::new(next, "warfarin", "one daily").written(&keys, version)),
                1 => {
                    let changed = Row::new(row.id, &format!("drug {next}"), &format!("{next} daily"));
                    table.update(&changed.written(&keys, version));
                }
                _ => table.update(&row.read(&keys, version).written(&keys, version)),
            }
            writes += 1;
            fs::write(ground("running"), deployed.trim()).unwrap();
            fs::rename(ground("running"), ground(&format!("running-{program}"))).unwrap();
        }
        sleep(Duration::from_millis(5));
    }
    // In the last version of the page.
    let version = Version::of("step-0").unwrap();
    for table in &tables {
        for id in 1..=ROWS as i64 {
            table.row(id).check(&keys, version);
        }
    }
    println!("{writes} writes, none failed");
    assert!(writes > 100, "{writes}");
}

/// How a version of the program holds the fields.
#[derive(Clone, Copy)]
struct Version {
    form: Form,
    writes_plain: bool,
    /// With the patient's key: in what it writes and reads.
    subject: bool,
    /// Or in what it reads without.
    reads_both: bool,
}

#[derive(Clone, Copy)]
enum Form {
    Plain,
    Migrating,
    Sealed,
}

impl Version {
    fn of(name: &str) -> Option<Self> {
        let (form, writes_plain, subject, reads_both) = match name {
            "step-0" => (Form::Plain, true, false, false),
            "step-1" => (Form::Migrating, true, false, false),
            "step-2" => (Form::Migrating, false, false, false),
            "step-6" => (Form::Sealed, false, false, false),
            "subjects-1" => (Form::Sealed, false, true, true),
            "subjects-2" => (Form::Sealed, false, true, false),
            "back-1" => (Form::Migrating, false, true, false),
            "back-2" => (Form::Migrating, true, true, false),
            "stop" => return None,
            other => panic!("there is no version {other:?}"),
        };
        Some(Self { form, writes_plain, subject, reads_both })
    }
}

struct Keys {
    plain: Keyring,
    /// With a permit, without and with `write_plain`.
    permitted: [Keyring; 2],
    subjects: SubjectKeys,
}

impl Keys {
    fn unlock() -> Self {
        let roots = RootKeys::from(RootKeyFile::new(ground("etc/pharmacy/root.key")).load().unwrap());
        let store = SqliteStore::open(ground("var/lib/pharmacy/keyrings.db")).unwrap();
        let stored = run_local(store.get("pharmacy-17")).unwrap().unwrap();
        let unlocked = run_local(Keyring::unlock_with(UnlockOptions::default(), "pharmacy-17", &roots, &stored));
        let plain = unlocked.unwrap().unobserved();
        let permit = ReadThrough::until(9999, 12, 31, "CHG-1234").unwrap();
        let permitted = [permit.clone(), permit.write_plain()]
            .map(|permit| plain.read_through::<Drug>(&permit).read_through::<Directions>(&permit));
        let subjects = SubjectKeys::new(SqliteSubjectStore::open(ground("var/lib/subjects/subjects.db")).unwrap());
        Self { plain, permitted, subjects }
    }

    fn record(&self, version: Version, id: i64, subject: bool) -> Record {
        let record = self.permitted[usize::from(version.writes_plain)].record("prescription", id).unwrap();
        if !subject {
            return record;
        }
        let key = run_local(self.subjects.subject(&self.plain, patient(id).as_str())).unwrap();
        record.subject(&key).unwrap()
    }

    fn written<F: Field>(&self, version: Version, id: i64, text: &str) -> String {
        let record = self.record(version, id, version.subject);
        match version.form {
            Form::Plain => text.to_owned(),
            Form::Migrating => {
                let value = Migrating::<String, F>::write(&record, text).unwrap();
                serde_json::to_value(&value).unwrap().as_str().unwrap().to_owned()
            }
            Form::Sealed => Sealed::<String, F>::seal(&record, text).unwrap().token().to_string(),
        }
    }

    fn read<F: Field>(&self, version: Version, id: i64, column: &str) -> String {
        let access = Access::new("svc:pharmacy", Purpose::TREAT).unwrap();
        let reader = |subject| self.record(version, id, subject).opened_by(&access);
        match version.form {
            Form::Plain => column.to_owned(),
            Form::Migrating => {
                let value: Migrating<String, F> = serde_json::from_value(json!(column)).unwrap();
                value.read(&reader(version.subject)).unwrap().expose_value()
            }
            Form::Sealed => {
                let token: Token = column.parse().unwrap();
                let opened = reader(version.subject).open::<F, String>(&token);
                if version.reads_both && opened.is_err() {
                    return reader(false).open::<F, String>(&token).unwrap();
                }
                opened.unwrap()
            }
        }
    }
}

fn patient(id: i64) -> String {
    format!("P-{}", id % 3)
}

struct Row {
    id: i64,
    drug: String,
    directions: String,
}

impl Row {
    fn new(id: i64, drug: &str, directions: &str) -> Self {
        Self { id, drug: format!("Canary-{id}-{drug}"), directions: format!("Canary-{id}-{directions}") }
    }

    fn read(&self, keys: &Keys, version: Version) -> Self {
        let Self { id, drug, directions } = self;
        let (drug, directions) =
            (keys.read::<Drug>(version, *id, drug), keys.read::<Directions>(version, *id, directions));
        Self { id: *id, drug, directions }
    }

    fn written(&self, keys: &Keys, version: Version) -> Self {
        let Self { id, drug, directions } = self;
        let (drug, directions) =
            (keys.written::<Drug>(version, *id, drug), keys.written::<Directions>(version, *id, directions));
        Self { id: *id, drug, directions }
    }

    fn check(&self, keys: &Keys, version: Version) {
        let (begin, row) = (format!("Canary-{}-", self.id), self.read(keys, version));
        assert!(row.drug.starts_with(&begin) && row.directions.starts_with(&begin), "row {}", self.id);
    }
}

enum Table {
    Postgres(String),
    Sqlite(Connection),
}

impl Table {
    fn row(&self, id: i64) -> Row {
        let sql = format!("SELECT drug || '|' || directions FROM rx WHERE rx_number = {id}");
        let found = match self {
            Self::Postgres(url) => psql(url, &sql),
            Self::Sqlite(file) => file.query_row(&sql, (), |row| row.get::<_, String>(0)).unwrap(),
        };
        let (drug, directions) = found.trim().split_once('|').unwrap();
        Row { id, drug: drug.to_owned(), directions: directions.to_owned() }
    }

    fn insert(&self, row: &Row) {
        let Row { id, drug, directions } = row;
        self.run(&format!("INSERT INTO rx VALUES ({id}, '{}', '{drug}', '{directions}', 0)", patient(*id)));
    }

    fn update(&self, row: &Row) {
        let Row { id, drug, directions } = row;
        self.run(&format!("UPDATE rx SET drug = '{drug}', directions = '{directions}' WHERE rx_number = {id}"));
    }

    fn run(&self, sql: &str) {
        match self {
            Self::Postgres(url) => drop(psql(url, sql)),
            Self::Sqlite(file) => assert_eq!(file.execute(sql, ()).unwrap(), 1),
        }
    }
}

fn psql(url: &str, sql: &str) -> String {
    output(Command::new("psql").args(["-AtqX", "-v", "ON_ERROR_STOP=1", "-c", sql, url]))
}
