//! The application: workers that write all the time, each in the version that was deployed to it last.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rxseal::migrating::ReadThrough;
use rxseal::observe::{Observer, OpenEvent};
use rxseal::phi::Drug;
use rxseal::{Keyring, Record};
use sqlx::{PgConnection, Row, query};
use tokio::task::JoinHandle;

use super::{MigratingDrug, SealedDrug, access, connect};
use crate::support::Database;

const WORKERS: usize = 4;

pub struct App {
    pub keys: Keyring,
    pub audit: Audit,
    shared: Arc<Shared>,
    versions: Vec<Arc<AtomicU8>>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    canary: String,
    /// Of the steps 1 and 2.
    keys: [Keyring; 2],
    rows: i64,
    next_id: AtomicI64,
    writes: AtomicU64,
    stopped: AtomicBool,
    /// Where what is bound to statements is not logged, and where it is.
    urls: [String; 2],
}

impl App {
    pub async fn start(database: &Database, canary: &str, rows: i64) -> Self {
        let audit = Audit::default();
        let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(audit.clone());
        let permit = ReadThrough::until(9999, 12, 31, "CHG-1234").unwrap();
        let first = keys.read_through::<Drug>(&permit.clone().write_plain());
        let url = |most: i32| database.url_with(&format!("-c log_statement=all -c log_parameter_max_length={most}"));
        let shared = Arc::new(Shared {
            canary: canary.to_owned(),
            keys: [first, keys.read_through::<Drug>(&permit)],
            rows,
            next_id: AtomicI64::new(rows),
            writes: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            urls: [url(0), url(-1)],
        });
        let versions: Vec<_> = (0..WORKERS).map(|_| Arc::new(AtomicU8::new(0))).collect();
        let workers = versions.iter().enumerate().map(|(number, version)| {
            let (shared, version) = (Arc::clone(&shared), Arc::clone(version));
            tokio::spawn(async move { shared.work(number as i64, &version).await })
        });
        let workers = workers.collect();
        Self { keys: shared.keys[1].clone(), shared, versions, workers, audit }
    }

    /// Lets each worker write some more.
    pub async fn runs(&self) {
        let until = self.shared.writes.load(Ordering::SeqCst) + 60 * WORKERS as u64;
        let begun = Instant::now();
        while self.shared.writes.load(Ordering::SeqCst) < until {
            assert!(begun.elapsed() < Duration::from_secs(60), "the application stands still");
            assert!(!self.workers.iter().any(JoinHandle::is_finished), "a write failed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn deploy(&self, version: u8) {
        for worker in &self.versions {
            worker.store(version, Ordering::SeqCst);
            self.runs().await;
        }
    }

    pub async fn stop(self) -> (u64, Keyring) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for worker in self.workers {
            worker.await.expect("no write failed");
        }
        (self.shared.writes.load(Ordering::SeqCst), self.keys)
    }
}

impl Shared {
    /// A panic is a write that failed.
    async fn work(&self, number: i64, version: &AtomicU8) {
        let (mut db, mut own) = (connect(&self.urls[0]).await, 0);
        let mut turn = number;
        while !self.stopped.load(Ordering::SeqCst) {
            let version = version.load(Ordering::SeqCst);
            if own < version {
                // A new version is a new process. What is bound to statements may be logged as soon as it is tokens alone.
                own = version;
                db = connect(&self.urls[usize::from(version >= 2)]).await;
            }
            turn += 1;
            let id = 1 + (turn * 7_919 + number * 104_729) % self.rows;
            match turn % 4 {
                0 => self.insert(&mut db, version).await,
                1 => self.change(&mut db, version, id, false).await,
                // Another column of a row that may have plaintext.
                2 => {
                    let update = query("UPDATE rx SET refills = refills + 1 WHERE id = $1 /* six steps */").bind(id);
                    assert_eq!(update.execute(&mut db).await.unwrap().rows_affected(), 1);
                }
                // The whole row, read and saved back.
                _ => self.change(&mut db, version, id, true).await,
            }
            self.writes.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn record(&self, version: u8, id: i64) -> Record {
        self.keys[usize::from(version >= 2)].record("prescription", id).unwrap()
    }

    async fn insert(&self, db: &mut PgConnection, version: u8) {
        let id = 1 + self.next_id.fetch_add(1, Ordering::SeqCst);
        let text = format!("{}-{id}-0", self.canary);
        let insert = query("INSERT INTO rx VALUES ($1, $2, 0, 0) /* six steps */").bind(id);
        let written = match version {
            0 => insert.bind(text),
            1 | 2 => insert.bind(MigratingDrug::write(&self.record(version, id), &text).unwrap()),
            _ => insert.bind(SealedDrug::seal(&self.record(version, id), &text).unwrap().to_text()),
        };
        assert_eq!(written.execute(db).await.unwrap().rows_affected(), 1);
    }

    /// A new text with the number of this write, or the old one as this version writes it.
    async fn change(&self, db: &mut PgConnection, version: u8, id: i64, saves_back: bool) {
        query("BEGIN").execute(&mut *db).await.unwrap();
        // Its connection keeps the statement, and the column gets a domain meanwhile: without the type and the collation it would fail once.
        let select = "SELECT drug::text COLLATE \"C\" AS drug, writes FROM rx WHERE id = $1 FOR UPDATE /* six steps */";
        let row = query(select).bind(id).fetch_one(&mut *db).await.unwrap();
        let count: i64 = row.get("writes");
        let count = if saves_back { count } else { count + 1 };
        let (text, record) = (format!("{}-{id}-{count}", self.canary), self.record(version, id));
        let update = query("UPDATE rx SET writes = $1, drug = $3 WHERE id = $2 /* six steps */").bind(count).bind(id);
        let written = match (version, saves_back) {
            (0, true) => update.bind(row.get::<String, _>("drug")),
            (0, false) => update.bind(text),
            (1 | 2, true) => {
                let drug: MigratingDrug = row.get("drug");
                assert_eq!(drug.read(&record.opened_by(&access())).unwrap().expose_value(), text);
                update.bind(drug.rewrite(&record, &access()).unwrap())
            }
            (1 | 2, false) => update.bind(MigratingDrug::write(&record, &text).unwrap()),
            (_, true) => {
                let drug: SealedDrug = row.get("drug");
                assert_eq!(drug.open(&record.opened_by(&access())).unwrap(), text);
                update.bind(drug.to_text())
            }
            (_, false) => update.bind(SealedDrug::seal(&record, &text).unwrap().to_text()),
        };
        assert_eq!(written.execute(&mut *db).await.unwrap().rows_affected(), 1);
        query("COMMIT").execute(&mut *db).await.unwrap();
    }
}

/// Counts what was read as plaintext.
#[derive(Clone, Default)]
pub struct Audit(Arc<Mutex<usize>>);

impl Audit {
    pub fn taken(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Audit {
    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        for plain in event.plaintexts() {
            assert_eq!((plain.field().as_str(), plain.record_type()), ("phi.rx.drug", "prescription"));
            assert_eq!(plain.change(), "CHG-1234");
        }
        *self.0.lock().unwrap() += event.plaintexts().len();
        Ok(())
    }
}
