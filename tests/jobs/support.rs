//! A schema of PostgreSQL, a keyring in files, and a table of rows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use rxseal::keys::KeyringAdmin;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::store::FileStore;
use rxseal::{Keyring, run_local};
use rxseal_jobs::postgres::{Job, Worker};
use rxseal_jobs::{Approval, ChunkDone, ChunkWork, DeclaredWork, Operation, PlanOptions, Spec, WorkerOptions};
use rxseal_map::Map;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::rows::{COLUMNS, map, schema, source, value};

pub const KEYSPACE: &str = "pharmacy-17";

/// The number of a landing run, or with `RXSEAL_FULL` that of the design.
pub fn number(landing: usize, full: usize) -> usize {
    if env::var_os("RXSEAL_FULL").is_some() { full } else { landing }
}

/// A keyring in a folder, so that other processes unlock it too.
pub struct Keys {
    pub folder: PathBuf,
}

impl Keys {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder =
            env::temp_dir().join(format!("rxseal-jobs-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let keys = Self { folder };
        keys.unlocked();
        keys
    }

    pub fn unlocked(&self) -> Keyring {
        unlock(&self.folder)
    }

    /// A new primary key.
    pub fn rotate(&self) {
        let roots = RootKeys::from(RootKeyFile::new(self.folder.join("secret/root.key")).load().unwrap());
        run_local(KeyringAdmin::new(FileStore::new(self.folder.join("keyrings")), roots).rotate(KEYSPACE)).unwrap();
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

pub fn unlock(folder: &Path) -> Keyring {
    let options = rxseal::keys::UnlockOptions::default().with_index_roots();
    let unlocked = Keyring::unlock_or_create_local_with(
        options,
        folder.join("secret/root.key"),
        folder.join("keyrings"),
        KEYSPACE,
    );
    unlocked.unwrap().unobserved()
}

/// A schema of its own in the database of the tests.
pub struct Database {
    pub schema: String,
}

impl Database {
    pub async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("jobs_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut db = PgConnection::connect(&server()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&mut db).await.unwrap();
        Self { schema }
    }

    /// With more settings, such as `-c log_statement=all`.
    pub fn url_with(&self, settings: &str) -> String {
        let settings = format!("-c search_path={} {settings}", self.schema).replace(' ', "%20").replace('=', "%3D");
        format!("{}?options={settings}", server())
    }

    pub fn url(&self) -> String {
        self.url_with("")
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    pub async fn run(&self, sql: &str) {
        let mut db = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut db)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub async fn count(&self, sql: &str) -> i64 {
        let mut db = self.connect().await;
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut db).await.unwrap()
    }

    /// A table of rows with the ids 1, 2 and so on, times `gap`.
    pub async fn fill(&self, rows: usize, gap: usize) {
        self.run("CREATE TABLE rx (id bigint PRIMARY KEY, name text, drug text, directions text, prescriber text, note text, writes int NOT NULL DEFAULT 0)").await;
        let values: Vec<_> = COLUMNS.iter().map(|column| format!("'{}' || i * {gap}", value(column, ""))).collect();
        self.run(&format!(
            "INSERT INTO rx SELECT i * {gap}, {} FROM generate_series(1, {rows}) AS i; ANALYZE rx",
            values.join(", ")
        ))
        .await;
    }

    pub fn at(&self, table: &str) -> String {
        format!("postgres:{}.{table}", self.schema)
    }

    /// The map of the table `rx`.
    pub fn map(&self) -> Map {
        map(&self.at("rx"), "\"id\"")
    }

    /// What the server has written into its log.
    pub fn log() -> String {
        fs::read_to_string(env::var_os("RXSEAL_TEST_POSTGRES_LOG").expect("run it with .ci/servers")).unwrap()
    }
}

/// As `.ci/servers` says.
pub fn server() -> String {
    env::var("RXSEAL_TEST_POSTGRES").expect("run it with .ci/servers")
}

/// A job over the table `rx`, with what its workers need.
pub struct Running {
    pub url: String,
    pub job: Job,
    pub spec: Spec,
    pub work: Arc<dyn ChunkWork>,
}

impl Running {
    pub async fn plan(database: &Database, keys: &Keyring, operation: Operation, chunk_rows: u32) -> Self {
        Self::plan_of(database, &database.map(), keys, operation, chunk_rows).await
    }

    pub async fn plan_of(
        database: &Database,
        map: &Map,
        keys: &Keyring,
        operation: Operation,
        chunk_rows: u32,
    ) -> Self {
        let spec = Spec::new(operation, source(map), &schema(), keys).unwrap();
        let work = DeclaredWork::new(&spec, &schema(), keys).unwrap();
        let work = if operation == Operation::Unseal { work.with_access(crate::rows::access()) } else { work };
        Self::plan_with(&database.url(), "job", spec, Arc::new(work), chunk_rows).await
    }

    pub async fn plan_with(url: &str, name: &str, spec: Spec, work: Arc<dyn ChunkWork>, chunk_rows: u32) -> Self {
        let mut options = PlanOptions::default();
        options.chunk_rows = chunk_rows;
        // What tests put on their tables.
        let accepted = [
            "trigger:slow",
            "trigger:full_disk",
            "trigger:upper_note",
            "check:rx_check",
            "shared-id:id",
            "shared-id:tenant, id",
            "shared-id",
            "unique:rx_drug_key",
        ];
        options.accepted = accepted.map(str::to_owned).to_vec();
        let job = Job::plan(url, name, &spec, &options).await;
        let job = job.unwrap_or_else(|error| panic!("{error}: {}", std::error::Error::source(&error).unwrap()));
        if spec.operation() == Operation::Unseal {
            job.approve(&Approval::new("CHG-1", 1_000_000).unwrap()).await.unwrap();
        }
        Self { url: url.to_owned(), job, spec, work }
    }

    pub async fn worker(&self) -> Worker {
        self.worker_with(WorkerOptions::default()).await
    }

    pub async fn worker_with(&self, options: WorkerOptions) -> Worker {
        Worker::join(&self.job, &self.spec, Arc::clone(&self.work), options).await.unwrap()
    }

    /// Works until nothing is left.
    pub async fn run(&self) -> Vec<ChunkDone> {
        let mut worker = self.worker().await;
        let mut all = Vec::new();
        while let Some(done) = worker.run_chunk().await.unwrap() {
            all.push(done);
        }
        all
    }

    /// The faults, as row, field and reason.
    pub async fn faults(&self) -> Vec<(String, String, String)> {
        let faults = self.job.faults(0, 1_000).await.unwrap();
        let mut faults: Vec<_> =
            faults.into_iter().map(|(_, fault)| (fault.row_id, fault.field, fault.reason.to_string())).collect();
        faults.sort();
        faults
    }
}

/// Checks that all rows of `rx` are sealed and hold what they did.
pub async fn check_rows(
    database: &Database,
    keys: &Keyring,
    rows: usize,
    expected: impl Fn(&str, &str, i32) -> String,
) {
    let mut db = database.connect().await;
    let sql = format!("SELECT id::text, writes, {} FROM rx ORDER BY id", COLUMNS.join(", "));
    let all: Vec<(String, i32, String, String, String, String, Option<String>)> =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut db).await.unwrap();
    assert_eq!(all.len(), rows);
    for (id, writes, name, drug, directions, prescriber, note) in all {
        for (column, token) in COLUMNS.iter().zip([Some(name), Some(drug), Some(directions), Some(prescriber), note]) {
            if let Some(token) = token {
                let opened = crate::rows::opened(keys, &id, column, &token);
                let opened = opened.unwrap_or_else(|error| panic!("{column} of {id}: {error}"));
                assert_eq!(opened, expected(column, &id, writes), "{column} of {id}");
            }
        }
    }
}
