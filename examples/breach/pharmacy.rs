//! The pharmacy: one table of patients in SQLite, a keyring that was rotated once, and the watch over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

use rusqlite::Connection;
use rxseal::keys::{KeyringAdmin, KeyringFile, Suite};
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::schema::Schema;
use rxseal::store::FileStore;
use rxseal::testing::TestClock;
use rxseal::{Access, Error, Keyring, PhiRecord, Sealed, phi, run_local};
use rxseal_watch::{Alarm, Budgets, CheckpointFolder, FileLog, SigningKey, VerifierKey, Watch};

use crate::tell::Failure;

pub const KEYSPACE: &str = "pharmacy-17";

#[derive(PhiRecord)]
#[phi(record = "patient")]
pub struct Patient {
    #[phi(id)]
    pub id: String,
    #[phi(seal = phi::PatientName)]
    pub name: String,
    #[phi(seal = phi::BirthDate)]
    pub born: String,
    #[phi(seal = phi::Phone)]
    pub phone: String,
    #[phi(seal = phi::Drug)]
    pub drug: String,
    #[phi(seal = phi::Directions)]
    pub directions: String,
    #[phi(seal = phi::PrescriberName)]
    pub prescriber: String,
    #[phi(clear)]
    pub filled_at: String,
}

const TABLE: &str = "CREATE TABLE patient (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, born TEXT NOT NULL, phone TEXT NOT NULL,
    drug TEXT NOT NULL, directions TEXT NOT NULL, prescriber TEXT NOT NULL, filled_at TEXT NOT NULL) STRICT";

/// Which column has what: the officer's tools read it.
pub const MAP: &str = r#"keyspace = "pharmacy-17"

[[source]]
at     = "sqlite:pharmacy.db#patient"
record = "patient"
id     = "id"
sealed = { name = "phi.patient.name", born = "phi.patient.birth-date", phone = "phi.contact.phone", drug = "phi.rx.drug", directions = "phi.rx.directions", prescriber = "phi.prescriber.name" }
clear  = { filled_at = "date" }
"#;

/// The places of one run. In production they are on four machines.
pub struct Places {
    pub folder: PathBuf,
}

impl Places {
    /// In a new folder.
    pub fn new(folder: &Path) -> Result<Self, Failure> {
        if folder.exists() {
            return Err(format!("{} is there already: give a folder that is not", folder.display()).into());
        }
        for name in ["data", "keys", "log", "checkpoints", "operators", "operators-checkpoints", "stolen"] {
            fs::create_dir_all(folder.join(name))?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }
}

pub struct Pharmacy {
    pub places: Places,
    pub keys: Keyring,
    /// The keyring before the rotation, which has the first key alone.
    pub first_ring: KeyringFile,
    pub ring: KeyringFile,
    pub roots: RootKeys,
    pub watch: Watch,
    /// The log of the command `rxseal`, which operators and the officer use.
    pub operators: Watch,
    pub alarms: Receiver<Alarm>,
    pub clock: TestClock,
    pub signing_key: String,
    pub verifier_key: VerifierKey,
    db: Connection,
}

impl Pharmacy {
    /// Seals `patients` under the first key, rotates, and moves all rows to the new key but the last `left`: that job was never ended.
    pub fn open(places: Places, clock: TestClock, patients: &[Patient], left: usize) -> Result<Self, Failure> {
        fs::write(places.at("data/rxseal-map.toml"), MAP)?;
        fs::write(places.at("data/rxseal-schema.json"), Schema::new().with::<Patient>()?.to_json())?;
        let key = SigningKey::generate("ph17-a.example")?;
        let (verifier_key, signing_key) = (key.verifier(), key.expose_text().to_string());
        fs::write(places.at("audit.pub"), verifier_key.to_string())?;
        let (send, alarms) = channel();
        let watch = Watch::over(FileLog::in_folder(places.at("log"), key)?)
            .service("fulfil-api")
            .host("ph17-a")
            .budgets(Budgets::pharmacy().frozen_in(places.at("frozen")))
            .copy_to(CheckpointFolder::new(places.at("checkpoints")))
            .on_alarm(move |alarm| drop(send.send(alarm.clone())))
            .clock(&clock)
            .start()?;
        let operators = Watch::over(FileLog::in_folder(places.at("operators"), signing_key.parse()?)?)
            .service("rxseal")
            .copy_to(CheckpointFolder::new(places.at("operators-checkpoints")))
            .clock(&clock)
            .start()?;

        let roots = RootKeys::from(RootKeyFile::new(places.at("keys/root.key")).load_or_create()?);
        let store = FileStore::new(places.at("keys/keyrings"));
        let admin = KeyringAdmin::new(store, roots.clone()).observed_by(watch.observer());
        let first_ring = run_local(admin.create(KEYSPACE, Suite::default()))?;
        let unlock = |ring: &KeyringFile| run_local(Keyring::unlock(KEYSPACE, &roots, ring));
        let first = unlock(&first_ring)?.observed_by(watch.observer());
        let rows = first.seal_all(patients)?;
        let (ring, _) = run_local(admin.rotate(KEYSPACE))?;
        let keys = unlock(&ring)?.observed_by(watch.observer());
        let (moved, old) = rows.split_at(rows.len().saturating_sub(left));
        let moved = keys.reseal_all(moved).into_iter().collect::<Result<Vec<_>, _>>()?;

        let mut db = Connection::open(places.at("data/pharmacy.db"))?;
        db.execute_batch(TABLE)?;
        let change = db.transaction()?;
        for row in moved.iter().chain(old) {
            change.prepare_cached("INSERT INTO patient VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(
                rusqlite::params![
                    row.id,
                    row.name.to_text(),
                    row.born.to_text(),
                    row.phone.to_text(),
                    row.drug.to_text(),
                    row.directions.to_text(),
                    row.prescriber.to_text(),
                    row.filled_at
                ],
            )?;
        }
        change.commit()?;
        Ok(Self {
            places,
            keys,
            first_ring,
            ring,
            roots,
            watch,
            operators,
            alarms,
            clock,
            signing_key,
            verifier_key,
            db,
        })
    }

    /// The keys as a command unlocks them.
    pub fn keys_of_operators(&self) -> Result<Keyring, Failure> {
        Ok(run_local(Keyring::unlock(KEYSPACE, &self.roots, &self.ring))?.observed_by(self.operators.observer()))
    }

    /// What the first screen of the service needs of a patient.
    pub fn row(&self, id: String) -> Result<Row, Failure> {
        let mut query = self.db.prepare_cached("SELECT name, born, phone, drug FROM patient WHERE id = ?1")?;
        let row = query.query_row([&id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let (name, born, phone, drug) = row;
        Ok(Row { id, name, born, phone, drug })
    }

    pub fn sql(&self, statement: &str) -> Result<usize, Failure> {
        Ok(self.db.execute(statement, ())?)
    }

    /// Shows who a patient is, and the drug if somebody asks for it.
    pub fn look(&self, row: &Row, access: &Access, with_drug: bool) -> Result<Screen, Error> {
        self.keys.record("patient", &*row.id)?.opened_by(access).open_fields(|pass| {
            Ok(Screen {
                name: pass.open::<phi::PatientName, _>(row.name.token())?,
                born: pass.open::<phi::BirthDate, _>(row.born.token())?,
                phone: pass.open::<phi::Phone, _>(row.phone.token())?,
                drug: with_drug.then(|| pass.open::<phi::Drug, _>(row.drug.token())).transpose()?,
            })
        })
    }
}

/// As it is stored.
pub struct Row {
    pub id: String,
    name: Sealed<String, phi::PatientName>,
    born: Sealed<String, phi::BirthDate>,
    phone: Sealed<String, phi::Phone>,
    drug: Sealed<String, phi::Drug>,
}

pub struct Screen {
    pub name: String,
    pub born: String,
    pub phone: String,
    pub drug: Option<String>,
}
