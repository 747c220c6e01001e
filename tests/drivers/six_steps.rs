//! Proves the six steps of docs/COLUMNS.md on PostgreSQL, under an application that writes all the time: none of its writes fails, the
//! database takes no plaintext once it has the domain, and the server's log has none, with `log_statement = all`.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rxseal::columns::{ColumnLen, ColumnSql};
use rxseal::migrating::{Migrating, ReadThrough};
use rxseal::observe::{Observer, OpenEvent};
use rxseal::phi::Drug;
use rxseal::{Access, Keyring, Purpose};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use crate::support::*;

const ROWS: i64 = 1_000;
const WORKERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs .ci/servers"]
async fn no_write_fails_and_no_plaintext_is_taken_or_logged() {
    let schema = Schema::new().await;
    let canary = format!("Kanarienvogel-{}", std::process::id());
    let db = schema.client().await;
    db.batch_execute(&format!(
        "CREATE TABLE rx (id BIGINT PRIMARY KEY, drug TEXT NOT NULL, refills INT NOT NULL);
         INSERT INTO rx SELECT i, '{canary}-' || i || '-old', 0 FROM generate_series(1, {ROWS}) AS i"
    ))
    .await
    .unwrap();
    let stale = db.prepare("SELECT drug FROM rx LIMIT 1").await.unwrap();
    let app = App::start(&schema, &canary).await;
    app.runs().await;

    // 1. All programs learn to read tokens. They start anew one by one, as in any deployment.
    app.deploy(1).await;
    assert_eq!(tokens(&db).await, 0);
    // 2. All programs write tokens. While some do, the others read them.
    app.deploy(2).await;
    assert!(tokens(&db).await > 0);
    assert!(app.audit.taken() > 0, "plaintext was read, and told");

    // 3. The database refuses plaintext from now on, and leaves what is there.
    let sql = ColumnSql::sealed("rx", "drug", ColumnLen::of::<Drug>(60).any_suite()).unwrap().postgres().unwrap();
    db.batch_execute(&format!("BEGIN; {} COMMIT;", sql.begin())).await.unwrap();
    let mut left = plaintexts(&db).await;
    assert!(left > 0);
    for id in 1..=50 {
        let planted = format!("{canary}-{id}-planted");
        let update = db.execute("UPDATE rx SET drug = $1::text WHERE id = $2", &[&planted, &id]).await;
        assert_eq!(code(&update.expect_err("plaintext was taken"), &canary), None);
    }
    // A statement that returns the column, and was prepared before, fails once: the application selects `drug::text`.
    let error = db.query(&stale, &[]).await.unwrap_err();
    let text = error.as_db_error().map(|error| error.message().to_owned());
    assert_eq!(text.as_deref(), Some("cached plan must not change result type"));

    // 4. A job seals what is left, while the application runs.
    app.runs().await;
    while left > 0 {
        app.backfill().await;
        let now = plaintexts(&db).await;
        assert!(now < left, "the number of plaintexts only falls: {left} {now}");
        left = now;
    }
    // 5. The database proves that none is left.
    db.batch_execute(&format!("BEGIN; {} COMMIT;", sql.finish())).await.unwrap();
    app.audit.taken();
    app.runs().await;
    assert_eq!(app.audit.taken(), 0);
    // 6. No code reads plaintext.
    app.deploy(6).await;

    let (writes, keys) = app.stop().await;
    assert_eq!(plaintexts(&db).await, 0);
    let access = access();
    let rows = db.query("SELECT id, drug FROM rx", &[]).await.unwrap();
    assert!(rows.len() as i64 > ROWS);
    for row in &rows {
        let (id, drug): (i64, SealedDrug) = (row.get(0), row.get(1));
        let drug = drug.open(&record(&keys, id).opened_by(&access)).unwrap();
        assert!(drug.starts_with(&format!("{canary}-{id}-")), "row {id}");
    }
    println!("{writes} writes of the application, none failed; {} rows", rows.len());
    assert!(writes > 500, "{writes}");

    let log = std::fs::read_to_string(std::env::var("RXSEAL_TEST_POSTGRES_LOG").unwrap()).unwrap();
    let of_application = log.lines().filter(|line| line.contains("/* six steps */")).count();
    assert!(of_application as u64 >= writes, "{of_application} lines of {writes} writes");
    assert_eq!(log.matches(&canary).count(), 0, "the server's log has plaintext");
    schema.drop().await;
}

async fn tokens(db: &Client) -> i64 {
    db.query_one("SELECT count(*) FROM rx WHERE left(drug, 3) = 'rxs'", &[]).await.unwrap().get(0)
}

async fn plaintexts(db: &Client) -> i64 {
    db.query_one("SELECT count(*) FROM rx WHERE left(drug, 3) <> 'rxs'", &[]).await.unwrap().get(0)
}

fn access() -> Access {
    Access::new("svc:pharmacy", Purpose::TREAT).unwrap()
}

/// The application: workers that write all the time, each in the version that was deployed to it last.
struct App {
    shared: Arc<Shared>,
    versions: Vec<Arc<AtomicU8>>,
    workers: Vec<JoinHandle<()>>,
    job: Client,
    audit: Audit,
}

struct Shared {
    canary: String,
    /// Of each step.
    keys: [Keyring; 2],
    next_id: AtomicI64,
    writes: AtomicU64,
    stopped: AtomicBool,
}

impl App {
    async fn start(schema: &Schema, canary: &str) -> Self {
        let audit = Audit::default();
        let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(audit.clone());
        let permit = ReadThrough::until(9999, 12, 31, "CHG-1234").unwrap();
        let first = keys.read_through::<Drug>(&permit.clone().write_plain());
        let shared = Arc::new(Shared {
            canary: canary.to_owned(),
            keys: [first, keys.read_through::<Drug>(&permit)],
            next_id: AtomicI64::new(ROWS),
            writes: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        });
        let versions: Vec<_> = (0..WORKERS).map(|_| Arc::new(AtomicU8::new(0))).collect();
        let mut workers = Vec::new();
        for (number, version) in versions.iter().enumerate() {
            let (shared, version, url) = (Arc::clone(&shared), Arc::clone(version), schema.url());
            workers.push(tokio::spawn(async move { shared.work(number as i64, &version, &url).await }));
        }
        Self { job: connect(&schema.url(), true).await, shared, versions, workers, audit }
    }

    /// Lets each worker write some more.
    async fn runs(&self) {
        let until = self.shared.writes.load(Ordering::SeqCst) + 60 * WORKERS as u64;
        let begun = Instant::now();
        while self.shared.writes.load(Ordering::SeqCst) < until {
            assert!(begun.elapsed() < Duration::from_secs(60), "the application stands still");
            assert!(!self.workers.iter().any(JoinHandle::is_finished), "a write failed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn deploy(&self, version: u8) {
        for worker in &self.versions {
            worker.store(version, Ordering::SeqCst);
            self.runs().await;
        }
    }

    /// Seals some of what is left.
    async fn backfill(&self) {
        let [_, keys] = &self.shared.keys;
        let access = Access::new("job:backfill", Purpose::TREAT).unwrap();
        let db = &self.job;
        db.batch_execute("BEGIN").await.unwrap();
        let select = "SELECT id, drug::text FROM rx WHERE left(drug, 3) <> 'rxs' LIMIT 100 FOR UPDATE SKIP LOCKED";
        for row in db.query(select, &[]).await.unwrap() {
            let (id, drug): (i64, Migrating<String, Drug>) = (row.get(0), row.get(1));
            let sealed = drug.rewrite(&record(keys, id), &access).unwrap();
            db.execute("UPDATE rx SET drug = $1 WHERE id = $2", &[&sealed, &id]).await.unwrap();
        }
        db.batch_execute("COMMIT").await.unwrap();
    }

    async fn stop(self) -> (u64, Keyring) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for worker in self.workers {
            worker.await.expect("no write failed");
        }
        let [_, keys] = &self.shared.keys;
        (self.shared.writes.load(Ordering::SeqCst), keys.clone())
    }
}

impl Shared {
    /// A panic is a write that failed.
    async fn work(&self, number: i64, version: &AtomicU8, url: &str) {
        let (mut db, mut own) = (connect(url, false).await, 0);
        let mut turn = number;
        while !self.stopped.load(Ordering::SeqCst) {
            let version = version.load(Ordering::SeqCst);
            if own < version {
                // A new version is a new process. What is bound to statements may be logged as soon as it is tokens alone.
                own = version;
                db = connect(url, version >= 2).await;
            }
            turn += 1;
            let id = 1 + (turn * 7_919 + number * 104_729) % ROWS;
            let text = format!("{}-{id}-{turn}", self.canary);
            match turn % 4 {
                0 => {
                    let id = 1 + self.next_id.fetch_add(1, Ordering::SeqCst);
                    let text = format!("{}-{id}-new", self.canary);
                    self.write(&db, version, "INSERT INTO rx VALUES ($2, $1, 0) /* six steps */", id, &text).await;
                }
                1 => self.write(&db, version, "UPDATE rx SET drug = $1 WHERE id = $2 /* six steps */", id, &text).await,
                // Another column of a row that may have plaintext.
                2 => {
                    let update = "UPDATE rx SET refills = refills + 1 WHERE id = $1 /* six steps */";
                    assert_eq!(db.execute(update, &[&id]).await.unwrap(), 1);
                }
                // The whole row, read and saved back.
                _ => self.save_back(&db, version, id).await,
            }
            self.writes.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn write(&self, db: &Client, version: u8, sql: &str, id: i64, text: &str) {
        let [first, keys] = &self.keys;
        let written = match version {
            0 => db.execute(sql, &[&text, &id]).await,
            1 | 2 => {
                let keys = if version == 1 { first } else { keys };
                let drug = Migrating::<String, Drug>::write(&record(keys, id), text).unwrap();
                db.execute(sql, &[&drug, &id]).await
            }
            _ => {
                let drug = SealedDrug::seal(&record(keys, id), text).unwrap();
                db.execute(sql, &[&drug, &id]).await
            }
        };
        assert_eq!(written.unwrap(), 1);
    }

    async fn save_back(&self, db: &Client, version: u8, id: i64) {
        let [first, keys] = &self.keys;
        let expected = format!("{}-{id}-", self.canary);
        db.batch_execute("BEGIN").await.unwrap();
        let select = "SELECT drug::text FROM rx WHERE id = $1 FOR UPDATE /* six steps */";
        let update = "UPDATE rx SET drug = $1, refills = refills + 1 WHERE id = $2 /* six steps */";
        let row = db.query_one(select, &[&id]).await.unwrap();
        let written = match version {
            0 => db.execute(update, &[&row.get::<_, String>(0), &id]).await,
            1 | 2 => {
                let rec = record(if version == 1 { first } else { keys }, id);
                let drug: Migrating<String, Drug> = row.get(0);
                let text = drug.read(&rec.opened_by(&access())).unwrap().expose_value();
                assert!(text.starts_with(&expected));
                db.execute(update, &[&drug.rewrite(&rec, &access()).unwrap(), &id]).await
            }
            _ => {
                let drug: SealedDrug = row.get(0);
                let text = drug.open(&record(keys, id).opened_by(&access())).unwrap();
                assert!(text.starts_with(&expected));
                db.execute(update, &[&drug, &id]).await
            }
        };
        assert_eq!(written.unwrap(), 1);
        db.batch_execute("COMMIT").await.unwrap();
    }
}

/// The server logs every statement of this connection, and the values that are bound to it if asked.
async fn connect(url: &str, logs_values: bool) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let most = if logs_values { -1 } else { 0 };
    client.batch_execute(&format!("SET log_statement = 'all'; SET log_parameter_max_length = {most}")).await.unwrap();
    client
}

/// Counts what was read as plaintext.
#[derive(Clone, Default)]
struct Audit(Arc<Mutex<usize>>);

impl Audit {
    fn taken(&self) -> usize {
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
