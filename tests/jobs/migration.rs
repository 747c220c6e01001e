//! The six steps of docs/MIGRATION.md on PostgreSQL, under an application that writes all the time: none of its writes fails or is lost, the
//! database takes no plaintext once it has the domain, and the server's log has none, with `log_statement = all`.

mod app;

use rxseal::columns::{ColumnLen, ColumnSql};
use rxseal::migrating::{Migrating, ReadThrough};
use rxseal::phi::Drug;
use rxseal::schema::Schema;
use rxseal::{Access, Keyring, PhiRecord, Purpose, Sealed};
use rxseal_jobs::postgres::{Job, Worker};
use rxseal_jobs::{DeclaredWork, Operation, PlanOptions, Spec, WorkerOptions};
use sqlx::{PgConnection, Row, query};
use std::sync::Arc;

use self::app::App;
use crate::rows::{map_of, source};
use crate::support::{Database, number};

type MigratingDrug = Migrating<String, Drug>;
type SealedDrug = Sealed<String, Drug>;

#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct Prescription {
    #[phi(id)]
    id: i64,
    #[phi(seal = rxseal::records::Migrates<Drug>)]
    drug: String,
}

fn access() -> Access {
    Access::new("svc:pharmacy", Purpose::TREAT).unwrap()
}

/// From this id on, values only look like tokens, and the application leaves them alone.
const ODD: i64 = 1_000_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs .ci/servers"]
async fn no_write_fails_or_is_lost_and_no_plaintext_is_taken_or_logged() {
    let (rows, odd) = (number(3_000, 100_000), number(100, 10_000));
    let database = Database::new().await;
    let canary = format!("Kanarienvogel-{}", std::process::id());
    database
        .run(&format!(
            "SET log_parameter_max_length = 0;
             CREATE TABLE rx (id BIGINT PRIMARY KEY, drug TEXT NOT NULL, writes BIGINT NOT NULL, refills BIGINT NOT NULL);
             INSERT INTO rx SELECT i, '{canary}-' || i || '-0', 0, 0 FROM generate_series(1, {rows}) AS i;
             INSERT INTO rx SELECT {ODD} + i, 'rxsX' || repeat(md5(i::text), 2), 0, 0 FROM generate_series(1, {odd}) AS i"
        ))
        .await;
    let app = App::start(&database, &canary, rows as i64).await;
    app.runs().await;

    // 1. All programs learn to read tokens. They start anew one by one, as in any deployment.
    app.deploy(1).await;
    assert_eq!(tokens(&database).await, 0);
    // 2. All programs write tokens. While some do, the others read them.
    app.deploy(2).await;
    assert!(tokens(&database).await > 0);
    assert!(app.audit.taken() > 0, "plaintext was read, and told");
    an_ended_permit_and_a_look_alike_are_refused(&database, &app.keys).await;

    // 3. The database refuses plaintext from now on, and leaves what is there.
    let table = format!("{}.rx", database.schema);
    let sql = ColumnSql::sealed(&table, "drug", ColumnLen::of::<Drug>(60).any_suite()).unwrap().postgres().unwrap();
    database.run(&format!("BEGIN; {} COMMIT;", sql.begin())).await;
    let mut db = database.connect().await;
    for id in 1..=50_i64 {
        let update = query("UPDATE rx SET drug = $1::text WHERE id = $2").bind(format!("{canary}-planted")).bind(id);
        let error = update.execute(&mut db).await.expect_err("plaintext was taken");
        assert!(!format!("{error} {error:?}").contains(&canary), "{error:?}");
    }
    assert!(plaintexts(&database).await > 0);

    // 4. A job seals what is left, while the application runs.
    let job = Backfill::plan(&database, &app.keys).await;
    app.runs().await;
    job.run(2).await;
    app.runs().await;
    assert_eq!(plaintexts(&database).await, 0);
    // What only looks like a token is a fault, untouched, and keeps the job from its end.
    let faults = job.job.faults(0, 20_000).await.unwrap();
    assert_eq!(faults.len(), odd);
    for (_, fault) in &faults {
        let reason = fault.reason.to_string();
        assert!(["looks-like-token", "unknown-key"].contains(&&*reason), "{reason}");
        let id = fault.row_id.trim_matches(['[', '"', ']']).parse::<i64>().unwrap();
        assert!(id > ODD, "{id}");
    }
    assert!(!job.job.finish(&job.spec).await.unwrap().is_clean());
    database.run(&format!("DELETE FROM rx WHERE id > {ODD} AND drug LIKE 'rxsX%' AND length(drug) = 68")).await;
    job.job.reopen(&job.spec).await.unwrap();
    let written = job.run(1).await;
    assert_eq!(written, 0, "a second run writes nothing");
    let ended = job.job.finish(&job.spec).await.unwrap();
    assert!(ended.is_clean(), "{ended:?}");

    // 5. The database proves that none is left.
    database.run(&format!("BEGIN; {} COMMIT;", sql.finish())).await;
    app.audit.taken();
    app.runs().await;
    assert_eq!(app.audit.taken(), 0);
    // 6. No code reads plaintext.
    app.deploy(6).await;

    let (writes, keys) = app.stop().await;
    let all = query("SELECT id, drug::text AS drug, writes FROM rx").fetch_all(&mut db).await.unwrap();
    assert!(all.len() > rows);
    for row in &all {
        let (id, drug, count): (i64, SealedDrug, i64) = (row.get("id"), row.get("drug"), row.get("writes"));
        let drug = drug.open(&keys.record("prescription", id).unwrap().opened_by(&access())).unwrap();
        assert_eq!(drug, format!("{canary}-{id}-{count}"), "a write was lost");
    }
    println!("{writes} writes of the application, none failed or lost; {} rows", all.len());
    assert!(writes > 500, "{writes}");

    let log = Database::log();
    let of_application = log.lines().filter(|line| line.contains("/* six steps */")).count();
    assert!(of_application as u64 >= writes, "{of_application} lines of {writes} writes");
    assert!(log.contains("rxseal_chunk"), "the job is logged too");
    assert_eq!(log.matches(&canary).count(), 0, "the server's log has plaintext");
}

/// With a permit of yesterday a program reads no plaintext; and with any permit it takes nothing for plaintext that begins as a token does.
async fn an_ended_permit_and_a_look_alike_are_refused(database: &Database, keys: &Keyring) {
    let mut db = database.connect().await;
    let plain = query("SELECT id, drug FROM rx WHERE left(drug, 3) <> 'rxs' LIMIT 1").fetch_one(&mut db).await.unwrap();
    let (id, drug): (i64, MigratingDrug) = (plain.get("id"), plain.get("drug"));
    let ended = keys.read_through::<Drug>(&ReadThrough::until(2020, 1, 1, "CHG-1234").unwrap());
    for keys in [&ended, &rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved()] {
        let reader = keys.record("prescription", id).unwrap().opened_by(&access());
        assert_eq!(drug.read(&reader).unwrap_err().code(), rxseal::ErrorCode::NotAToken);
    }
    let odd = query("SELECT id, drug FROM rx WHERE id > $1").bind(ODD).fetch_all(&mut db).await.unwrap();
    for row in &odd {
        let Ok(drug) = row.try_get::<MigratingDrug, _>("drug") else { continue };
        assert!(!drug.is_plain());
        let reader = keys.record("prescription", row.get::<i64, _>("id")).unwrap().opened_by(&access());
        assert!(drug.read(&reader).is_err());
    }
}

async fn tokens(database: &Database) -> i64 {
    database.count(&format!("SELECT count(*) FROM rx WHERE left(drug, 3) = 'rxs' AND id < {ODD}")).await
}

async fn plaintexts(database: &Database) -> i64 {
    database.count("SELECT count(*) FROM rx WHERE left(drug, 3) <> 'rxs'").await
}

/// The job of step 4. The server logs all that it sends.
struct Backfill {
    job: Job,
    spec: Spec,
    work: Arc<DeclaredWork>,
}

impl Backfill {
    async fn plan(database: &Database, keys: &Keyring) -> Self {
        let map = map_of(&format!(
            "at = \"{}\"\nrecord = \"prescription\"\nid = \"id\"\nsealed = {{ drug = \"phi.rx.drug\" }}",
            database.at("rx")
        ));
        let schema = Schema::new().with::<Prescription>().unwrap();
        let record = schema.record("prescription").unwrap();
        let spec = Spec::new(Operation::Backfill, source(&map), record, keys).unwrap();
        let work = Arc::new(DeclaredWork::new(&spec, record, keys).unwrap());
        let url = database.url_with("-c log_statement=all -c log_parameter_max_length=-1");
        let mut options = PlanOptions::default();
        options.chunk_rows = 200;
        let job = Job::plan(&url, "seal-rx", &spec, &options).await.unwrap();
        Self { job, spec, work }
    }

    /// How many rows so many workers wrote.
    async fn run(&self, workers: usize) -> u64 {
        let mut running = Vec::new();
        for _ in 0..workers {
            let work = Arc::clone(&self.work);
            let mut worker = Worker::join(&self.job, &self.spec, work, WorkerOptions::default()).await.unwrap();
            running.push(tokio::spawn(async move {
                let mut written = 0;
                while let Some(done) = worker.run_chunk().await.unwrap() {
                    written += done.counts.written;
                }
                written
            }));
        }
        let mut written = 0;
        for worker in running {
            written += worker.await.unwrap();
        }
        written
    }
}

async fn connect(url: &str) -> PgConnection {
    use sqlx::Connection as _;
    PgConnection::connect(url).await.unwrap()
}
