//! A log in PostgreSQL. `RXSEAL_TEST_POSTGRES` names a database whose role is a superuser; `.ci/servers` starts one. Every test works in its own
//! schema, with roles of its own.

mod faults;
mod proxy;
mod reading;
mod roles;
mod speed;

use std::env;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use rxseal_watch::verify::{Report, Verifier};
use rxseal_watch::{CheckpointFolder, PostgresLog, PostgresReader, SigningKey, Watch, WatchBuilder};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::runtime::{Builder, Runtime};

use crate::conformance::AnyLog;
use crate::support::Place;

/// The tables in a schema of their own, its two roles, and a place elsewhere for checkpoints.
pub struct Tables {
    pub place: Place,
    pub schema: String,
    runtime: Runtime,
}

impl Tables {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("watch_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let tables = Self { place: Place::new(), schema, runtime };
        let (schema, writer, reader) = (&tables.schema, tables.writer(), tables.reader());
        tables.run(&format!(
            "CREATE SCHEMA {schema}; CREATE ROLE {writer} LOGIN; CREATE ROLE {reader} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {writer}, {reader}"
        ));
        tables.run(PostgresLog::SCHEMA);
        tables.run(&PostgresLog::grants(&writer, &reader).unwrap());
        tables
    }

    pub fn writer(&self) -> String {
        format!("{}_writer", self.schema)
    }

    pub fn reader(&self) -> String {
        format!("{}_reader", self.schema)
    }

    /// The address for a role: `rxseal` owns everything.
    pub fn url(&self, role: &str) -> String {
        let url = server("RXSEAL_TEST_POSTGRES").replacen("rxseal@", &format!("{role}@"), 1);
        format!("{url}?options=-c%20search_path%3D{}", self.schema)
    }

    pub fn writer_url(&self) -> String {
        self.url(&self.writer())
    }

    pub fn read(&self) -> PostgresReader {
        PostgresReader::connect(&self.url(&self.reader())).unwrap()
    }

    /// Runs SQL as the owner.
    pub fn run(&self, sql: &str) {
        self.try_run("rxseal", sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub fn try_run(&self, role: &str, sql: &str) -> Result<(), sqlx::Error> {
        self.runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.url(role)).await?;
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.map(drop)
        })
    }

    pub fn texts(&self, sql: &str) -> Vec<String> {
        self.runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.url("rxseal")).await.unwrap();
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap()
        })
    }

    pub fn count(&self, sql: &str) -> u64 {
        self.texts(&format!("SELECT ({sql})::text"))[0].parse().unwrap()
    }

    /// Does what the owner can do who takes the triggers away, and puts them back.
    pub fn meddle(&self, sql: &str) {
        let tables = ["rxseal_audit_chain", "rxseal_audit", "rxseal_audit_checkpoint"];
        let each = |what: &str| {
            tables.map(|table| format!("ALTER TABLE {table} {what} TRIGGER rxseal_audit_only_grows;")).concat()
        };
        self.run(&format!("BEGIN; {} {sql}; {} COMMIT", each("DISABLE"), each("ENABLE ALWAYS")));
    }

    /// A watch through another address, such as that of a proxy.
    pub fn watch_at(&self, url: &str) -> WatchBuilder {
        watch_in(self.place.folder(), url)
    }
}

impl AnyLog for Tables {
    fn watch(&self) -> WatchBuilder {
        self.watch_at(&self.writer_url())
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.read().read_lines(|line| lines.push(line.text().to_owned())).unwrap();
        lines
    }

    fn folder(&self) -> &Path {
        self.place.folder()
    }

    fn address(&self) -> Option<String> {
        Some(self.writer_url())
    }

    fn verify(&self) -> Report {
        let verifier = Verifier::new([self.place.key().verifier()]).at(u64::MAX);
        verifier.checkpoints(self.place.elsewhere()).unwrap().verify_postgres(&mut self.read()).unwrap()
    }
}

/// A watch over a database, with the key and the checkpoints of a place that another process may have made.
pub fn watch_in(folder: &Path, url: &str) -> WatchBuilder {
    let key: SigningKey = std::fs::read_to_string(folder.join("key")).unwrap().parse().unwrap();
    let log = PostgresLog::connect(url, key).unwrap();
    Watch::over(log).service("tests").copy_to(CheckpointFolder::new(folder.join("elsewhere")))
}

pub fn server(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `.ci/servers cargo test ..`"))
}
