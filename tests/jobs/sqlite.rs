//! Jobs over tables of SQLite. Kills, writers beside a job and what an operator sees are in `crates/rxseal-cli/tests/cli/jobs`.

mod approvals;
mod disk;
mod ends;
mod keys_of_tables;
mod operations;
mod typed;
mod writers;

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, params_from_iter};
use rxseal::Keyring;
use rxseal_jobs::sqlite::{Job, Worker};
use rxseal_jobs::{Approval, ChunkDone, ChunkWork, DeclaredWork, Operation, PlanOptions, Spec, WorkerOptions};
use rxseal_map::Map;

use crate::rows::{COLUMNS, access, map, opened, schema, source, value};
use crate::support::Keys;

/// A database file beside a keyring.
struct Database {
    keys: Keys,
}

impl Database {
    fn new(sql: &str) -> Self {
        let database = Self { keys: Keys::new() };
        let db = database.connect();
        db.pragma_update(None, "journal_mode", "wal").unwrap();
        db.execute_batch(sql).unwrap();
        database
    }

    /// A table `rx` of rows with the ids 1, 2 and so on, times `gap`.
    fn filled(rows: usize, gap: usize) -> Self {
        let database = Self::new(
            "CREATE TABLE rx (id INTEGER PRIMARY KEY, name TEXT, drug TEXT, directions TEXT, prescriber TEXT, note TEXT,
             writes INTEGER NOT NULL DEFAULT 0)",
        );
        let values: Vec<_> = COLUMNS.iter().map(|column| format!("'{}' || (i * {gap})", value(column, ""))).collect();
        let sql = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             INSERT INTO rx SELECT i * {gap}, {}, 0 FROM n",
            values.join(", ")
        );
        database.connect().execute_batch(&sql).unwrap();
        database
    }

    fn path(&self) -> PathBuf {
        self.keys.folder.join("rx.db")
    }

    fn connect(&self) -> Connection {
        let db = Connection::open(self.path()).unwrap();
        db.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
        db
    }

    fn count(&self, sql: &str) -> i64 {
        self.connect().query_row(sql, (), |row| row.get(0)).unwrap()
    }

    fn map(&self, id: &str) -> Map {
        map(&format!("sqlite:{}#rx", self.path().display()), id)
    }

    /// A job over the table `rx`.
    fn plan(&self, name: &str, operation: Operation, chunk_rows: u32) -> Running {
        self.plan_of(name, &self.map("\"id\""), operation, chunk_rows)
    }

    fn plan_of(&self, name: &str, map: &Map, operation: Operation, chunk_rows: u32) -> Running {
        let keys = self.keys.unlocked();
        let spec = Spec::new(operation, source(map), &schema(), &keys).unwrap();
        let work = DeclaredWork::new(&spec, &schema(), &keys).unwrap();
        let work = if operation == Operation::Unseal { work.with_access(access()) } else { work };
        self.plan_with(name, spec, Arc::new(work), chunk_rows)
    }

    fn plan_with(&self, name: &str, spec: Spec, work: Arc<dyn ChunkWork>, chunk_rows: u32) -> Running {
        let mut options = PlanOptions::default();
        options.chunk_rows = chunk_rows;
        options.accepted = ["shared-id:id", "shared-id:tenant, id", "no-keyspace:tenant"].map(str::to_owned).to_vec();
        let job = Job::plan(self.path(), name, &spec, &options).unwrap();
        if spec.operation() == Operation::Unseal {
            job.approve(&Approval::new("CHG-1", 10_000_000).unwrap()).unwrap();
        }
        Running { job, spec, work }
    }

    /// Checks that all rows are sealed, and hold what they did. `writes` is how often an application wrote the row.
    fn check(&self, keys: &Keyring, sql: &str, expected: impl Fn(&str, &str, i64) -> String) -> usize {
        let db = self.connect();
        let mut statement = db.prepare(&format!("SELECT {sql}, writes, {} FROM rx", COLUMNS.join(", "))).unwrap();
        let mut rows = statement.query(()).unwrap();
        let mut count = 0;
        while let Some(row) = rows.next().unwrap() {
            let (id, writes): (String, i64) = (row.get(0).unwrap(), row.get(1).unwrap());
            for (at, column) in COLUMNS.iter().enumerate() {
                let token: String = row.get(at + 2).unwrap();
                let value =
                    opened(keys, &id, column, &token).unwrap_or_else(|error| panic!("{column} of {id}: {error}"));
                assert_eq!(value, expected(column, &id, writes), "{column} of {id}");
            }
            count += 1;
        }
        count
    }
}

/// A job, with what its workers need.
struct Running {
    job: Job,
    spec: Spec,
    work: Arc<dyn ChunkWork>,
}

impl Running {
    fn worker(&self) -> Worker {
        Worker::join(&self.job, &self.spec, Arc::clone(&self.work), WorkerOptions::default()).unwrap()
    }

    /// Works until nothing is left.
    fn run(&self) -> Vec<ChunkDone> {
        let mut done = Vec::new();
        self.worker()
            .run(|chunk| {
                done.push(*chunk);
                true
            })
            .unwrap();
        done
    }

    /// The faults, as row, field and reason.
    fn faults(&self) -> Vec<(String, String, String)> {
        let faults = self.job.faults(0, 1_000).unwrap().into_iter();
        let mut faults: Vec<_> =
            faults.map(|(_, fault)| (fault.row_id, fault.field, fault.reason.to_string())).collect();
        faults.sort();
        faults
    }
}

/// One row of texts.
fn insert(db: &Connection, sql: &str, ids: &[&str], id: &str) {
    let values = ids.iter().map(|id| (*id).to_owned()).chain(COLUMNS.iter().map(|column| value(column, id)));
    db.execute(sql, params_from_iter(values)).unwrap();
}
