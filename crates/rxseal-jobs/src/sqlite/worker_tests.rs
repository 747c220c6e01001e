//! Tables, triggers and other writers, with work that only marks texts.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::options::PlanOptions;
use crate::preflight::Concern;
use crate::row::{Cell, NewCell, Row, WorkFuture};
use crate::spec::{Body, Column, ColumnRole, Operation};

/// Marks every text once. What begins with `rxs` is a fault.
struct Marking {
    columns: Vec<Column>,
    /// What another program does while this one works, the first time.
    meanwhile: Box<dyn Fn() + Send + Sync>,
    runs: AtomicU32,
}

impl ChunkWork for Marking {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn run<'a>(&'a self, rows: &'a [Row<'a>]) -> WorkFuture<'a> {
        if self.runs.fetch_add(1, Ordering::Relaxed) == 0 {
            (self.meanwhile)();
        }
        let last = self.columns.len() - 1;
        let outcome = |row: &Row<'_>| match row.cell(last) {
            Cell::Text(text) if text.starts_with("rxs") => {
                Outcome::Fault(vec![FieldFault::new("phi.note", Reason::LooksLikeToken)])
            }
            Cell::Text(text) if !text.starts_with("S:") => {
                let cells = vec![(last, NewCell::Text(format!("S:{text}").into()))];
                Outcome::Write(Change { cells, sealed: 1, unsealed: 0 })
            }
            _ => Outcome::Same,
        };
        let outcomes = rows.iter().map(outcome).collect();
        Box::pin(async move { Ok(outcomes) })
    }
}

struct Setup {
    folder: PathBuf,
    spec: Spec,
}

impl Setup {
    /// A table `t` with these ids, whose last column `v` is marked.
    fn new(name: &str, sql: &str, ids: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("rxseal-jobs-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let columns = ids.iter().map(|id| Column::new(*id, ColumnRole::Id, ""));
        let body = Body {
            operation: Operation::Backfill,
            keyspace: "pharmacy-17".into(),
            at: "sqlite:t.db#t".into(),
            table: "t".into(),
            record_type: "t".into(),
            keyspace_column: None,
            columns: columns.chain([Column::new("v", ColumnRole::Sealed, "phi.note")]).collect(),
            schema: serde_json::Value::Null,
        };
        let setup = Self { folder, spec: Spec::of(body, 1, "AAAAAAAA".parse().unwrap()) };
        setup.db().execute_batch(sql).unwrap();
        setup
    }

    fn path(&self) -> PathBuf {
        self.folder.join("t.db")
    }

    fn db(&self) -> Connection {
        let db = Connection::open(self.path()).unwrap();
        db.busy_timeout(Duration::from_secs(5)).unwrap();
        db
    }

    fn plan(&self, chunk_rows: u32) -> Job {
        // What it asks about is what a test is for.
        let found = crate::sqlite::preflight(self.path(), &self.spec, &[]).unwrap();
        let accepted = found.concerns().iter().map(Concern::answer).collect();
        let options = PlanOptions { accepted, ..options(chunk_rows) };
        Job::plan(self.path(), "job-1", &self.spec, &options).unwrap()
    }

    fn worker(&self, job: &Job, meanwhile: impl Fn() + Send + Sync + 'static) -> Worker {
        let columns = self.spec.columns().to_vec();
        let work = Marking { columns, meanwhile: Box::new(meanwhile), runs: AtomicU32::new(0) };
        Worker::join(job, &self.spec, Arc::new(work), worker("w-1")).unwrap()
    }

    /// Plans a job and does all of it.
    fn run(&self, chunk_rows: u32) -> (Job, Counts) {
        let job = self.plan(chunk_rows);
        let mut worker = self.worker(&job, || {});
        while worker.run_chunk().unwrap().is_some() {}
        let status = job.status().unwrap();
        assert_eq!(status.chunks, status.chunks_done);
        assert_eq!(status.counts.rows, status.rows_total, "each row is in one chunk");
        (job, status.counts)
    }

    fn texts(&self) -> Vec<Option<String>> {
        let db = self.db();
        let mut statement = db.prepare("SELECT v FROM t ORDER BY rowid").unwrap();
        statement.query_map((), |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    fn count(&self, sql: &str) -> i64 {
        self.db().query_row(sql, (), |row| row.get(0)).unwrap()
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn options(chunk_rows: u32) -> PlanOptions {
    PlanOptions { chunk_rows, ..PlanOptions::default() }
}

fn worker(name: &str) -> WorkerOptions {
    WorkerOptions { name: name.into(), ..WorkerOptions::default() }
}

fn reasons(job: &Job) -> Vec<(String, &'static str)> {
    job.faults(0, 1000).unwrap().into_iter().map(|(_, fault)| (fault.row_id, fault.reason.as_str())).collect()
}

const ROWS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)";

#[test]
fn every_kind_of_key_is_in_one_chunk() {
    for (name, sql, ids) in [
        ("integer", "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", &["id"][..]),
        (
            "gaps",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t SELECT i * i * i * 1000, 'x' FROM n",
            &["id"],
        ),
        (
            "negative",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t SELECT 50 - i, 'x' FROM n",
            &["id"],
        ),
        (
            "text",
            "CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT); INSERT INTO t SELECT 'RX-' || (i * 7919 % 1000), 'x' FROM n",
            &["id"],
        ),
        (
            "uuid",
            "CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID; INSERT INTO t SELECT lower(hex(randomblob(16))), 'x' FROM n",
            &["id"],
        ),
        (
            "bytes",
            "CREATE TABLE t (id BLOB PRIMARY KEY, v TEXT); INSERT INTO t SELECT randomblob(16), 'x' FROM n",
            &["id"],
        ),
        (
            "mixed",
            "CREATE TABLE t (id PRIMARY KEY, v TEXT); INSERT INTO t SELECT CASE i % 3 WHEN 0 THEN i WHEN 1 THEN '' || i ELSE i / 8.0 END, 'x' FROM n",
            &["id"],
        ),
        (
            "unique",
            "CREATE TABLE t (id TEXT NOT NULL, v TEXT); CREATE UNIQUE INDEX u ON t (id); INSERT INTO t SELECT i, 'x' FROM n",
            &["id"],
        ),
        (
            "case",
            "CREATE TABLE t (id TEXT COLLATE NOCASE, v TEXT); CREATE UNIQUE INDEX u ON t (id COLLATE BINARY); INSERT INTO t SELECT CASE i % 2 WHEN 0 THEN 'a' ELSE 'A' END || (i / 2), 'x' FROM n",
            &["id"],
        ),
        (
            "composite",
            "CREATE TABLE t (a INT, b TEXT, v TEXT, PRIMARY KEY (b, a)); INSERT INTO t SELECT i % 7, 'k' || (i / 7), 'x' FROM n",
            &["a", "b"],
        ),
        (
            "wide",
            "CREATE TABLE t (a INT, b TEXT, c BLOB, v TEXT, PRIMARY KEY (a, b, c)) WITHOUT ROWID; INSERT INTO t SELECT i % 2, 'k' || (i % 5), x'00', 'x' FROM n WHERE i <= 10",
            &["c", "b", "a"],
        ),
    ] {
        let sql = sql.replace("INSERT INTO t SELECT", &format!("INSERT INTO t {ROWS} SELECT"));
        for chunk in [17, 100, 2000] {
            let setup = Setup::new(&format!("{name}-{chunk}"), &sql, ids);
            let (job, counts) = setup.run(chunk);
            assert_eq!(reasons(&job), [], "{name}");
            assert_eq!(counts.written, counts.rows, "{name}");
            assert_eq!(setup.count("SELECT count(*) FROM t WHERE v <> 'S:x'"), 0, "{name}");
            // All of it again writes nothing.
            job.reopen(&setup.spec).unwrap();
            let mut worker = setup.worker(&job, || {});
            while worker.run_chunk().unwrap().is_some() {}
            let again = job.status().unwrap().counts;
            assert_eq!((again.rows, again.written, again.sealed), (counts.rows, 0, 0), "{name}");
        }
    }
}

/// Of two unique keys the job takes the one that stays as it is, whichever comes first. The other one would put values into chunks and faults.
#[test]
fn a_key_over_a_sealed_column_is_not_taken() {
    for (name, keys) in [
        ("key-first", "CREATE UNIQUE INDEX a ON t (id); CREATE UNIQUE INDEX b ON t (v)"),
        ("key-last", "CREATE UNIQUE INDEX b ON t (v); CREATE UNIQUE INDEX a ON t (id)"),
    ] {
        let sql = format!(
            "CREATE TABLE t (id TEXT NOT NULL, v TEXT NOT NULL); {keys};
             INSERT INTO t VALUES ('1', 'one'), ('2', 'two'), ('3', 'three'), ('4', 'rxsX')"
        );
        let setup = Setup::new(name, &sql, &["id"]);
        let (job, counts) = setup.run(1);
        assert_eq!((counts.written, counts.failed), (3, 1), "{name}");
        assert_eq!(reasons(&job), [(r#"["4"]"#.to_owned(), "looks-like-token")], "{name}");
        let bounds = "SELECT count(*) FROM rxseal_chunk WHERE lo IN ('[\"t2\"]', '[\"t3\"]', '[\"t4\"]')";
        assert_eq!((setup.count("SELECT count(*) FROM rxseal_chunk"), setup.count(bounds)), (4, 3), "{name}");
    }
}

#[test]
fn rows_without_a_whole_key_are_in_one_chunk() {
    let sql = "CREATE TABLE t (a INT, b TEXT, v TEXT, PRIMARY KEY (a, b));
        INSERT INTO t VALUES (1, 'x', 'one'), (NULL, 'x', 'two'), (1, NULL, 'three'), (NULL, NULL, 'four'), (9, NULL, 'five'), (7, 'y', 'six');";
    for chunk in [1, 2, 10] {
        let setup = Setup::new(&format!("null-{chunk}"), sql, &["a", "b"]);
        let (job, counts) = setup.run(chunk);
        // Whether its id is one is for the work to say.
        assert_eq!((counts.written, counts.failed), (6, 0));
        assert_eq!(reasons(&job), []);
        let texts = ["S:one", "S:two", "S:three", "S:four", "S:five", "S:six"];
        assert_eq!(setup.texts(), texts.map(|text| Some(text.to_owned())));
    }
}

#[test]
fn a_table_that_cannot_be_worked_on_is_refused() {
    for (name, sql, id, part) in [
        ("bare", "CREATE TABLE t (id INT, v TEXT)", "id", "no-key"),
        ("sealed", "CREATE TABLE t (id INT, v TEXT UNIQUE)", "id", "no-key"),
        ("partial", "CREATE TABLE t (id INT, v TEXT); CREATE UNIQUE INDEX u ON t (id) WHERE id > 0", "id", "no-key"),
        ("other-key", "CREATE TABLE t (id INT, x INT PRIMARY KEY, v TEXT)", "id", "shared-id"),
        ("half", "CREATE TABLE t (id INT, x INT, v TEXT, PRIMARY KEY (id, x))", "id", "shared-id"),
        (
            "view",
            "CREATE TABLE s (id INTEGER PRIMARY KEY, v TEXT); CREATE VIEW t AS SELECT * FROM s",
            "id",
            "not-a-table",
        ),
        ("none", "CREATE TABLE s (id INTEGER PRIMARY KEY, v TEXT)", "id", "no-table"),
        ("number", "CREATE TABLE t (id INTEGER PRIMARY KEY, v DATE)", "id", "column-type"),
        ("generated", "CREATE TABLE t (id INTEGER PRIMARY KEY, w TEXT, v TEXT AS (lower(w)))", "id", "generated"),
        ("column", "CREATE TABLE t (id INTEGER PRIMARY KEY, w TEXT)", "id", "no-column"),
        ("rowid", "CREATE TABLE t (v TEXT)", "rowid", "no-column"),
    ] {
        let setup = Setup::new(name, sql, &[id]);
        let error = Job::plan(setup.path(), "job-1", &setup.spec, &options(10)).unwrap_err();
        assert_eq!(error.code().as_str(), "job-refused", "{name}");
        let text = std::error::Error::source(&error).unwrap().to_string();
        assert!(text.contains(part), "{name}: {text}");
        let left = setup.count("SELECT count(*) FROM sqlite_master WHERE name LIKE 'rxseal%'");
        assert_eq!(left, 0, "nothing is left behind");
    }
}

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
    INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'rxsX'), (5, NULL), (6, 'S:six');";

#[test]
fn what_others_change_meanwhile_is_not_lost() {
    let setup = Setup::new("meanwhile", TABLE, &["id"]);
    let job = setup.plan(100);
    let path = setup.path();
    let mut worker = setup.worker(&job, move || {
        let other = Connection::open(&path).unwrap();
        other
            .execute_batch(
                "UPDATE t SET v = 'new one' WHERE id = 1; UPDATE t SET v = 'S:new two' WHERE id = 2; DELETE FROM t WHERE id = 3;
                 UPDATE t SET v = NULL WHERE id = 4; UPDATE t SET v = 'rxsX' WHERE id = 5; INSERT INTO t VALUES (7, 'seven')",
            )
            .unwrap();
    });
    let done = worker.run_chunk().unwrap().unwrap();
    let counts = Counts { rows: 6, written: 2, skipped: 3, retried: 5, failed: 1, sealed: 2, unsealed: 0 };
    assert_eq!(done.counts, counts);
    assert_eq!(reasons(&job), [(r#"["5"]"#.to_owned(), "looks-like-token")]);
    let texts = [Some("S:new one"), Some("S:new two"), None, Some("rxsX"), Some("S:six"), Some("S:seven")];
    assert_eq!(setup.texts(), texts.map(|text| text.map(str::to_owned)));
    assert!(worker.run_chunk().unwrap().is_none());
}

#[test]
fn one_of_two_processes_does_a_chunk() {
    let setup = Setup::new("two", TABLE, &["id"]);
    let job = setup.plan(100);
    let mut first = setup.worker(&job, || {});
    let (again, spec) = (job.clone(), setup.spec.clone());
    let mut second = setup.worker(&job, move || {
        let columns = spec.columns().to_vec();
        let work = Marking { columns, meanwhile: Box::new(|| {}), runs: AtomicU32::new(0) };
        let mut other = Worker::join(&again, &spec, Arc::new(work), worker("w-2")).unwrap();
        assert!(other.run_chunk().unwrap().is_some());
    });
    assert!(second.run_chunk().unwrap().is_none());
    assert!(first.run_chunk().unwrap().is_none());
    assert_eq!(setup.count("SELECT count(*) FROM rxseal_chunk WHERE worker = 'w-2'"), 1);
    assert_eq!(job.status().unwrap().counts.written, 3);
}

#[test]
fn a_pause_takes_effect_before_the_chunk_is_written() {
    let setup = Setup::new("pause", TABLE, &["id"]);
    let job = setup.plan(2);
    let pausing = job.clone();
    let mut worker = setup.worker(&job, move || pausing.pause().unwrap());
    assert!(worker.run_chunk().unwrap().is_none());
    assert_eq!(job.status().unwrap().state, State::Paused);
    job.pause().unwrap();
    job.resume().unwrap();
    while worker.run_chunk().unwrap().is_some() {}
    assert_eq!(job.status().unwrap().counts.rows, 6);
    assert!(Job::open(setup.path(), "job-2").unwrap_err().code().as_str() == "job-refused");
    assert_eq!(Job::list(setup.path()).unwrap(), [job.status().unwrap()]);
    assert_eq!(Job::plan(setup.path(), "job-1", &setup.spec, &options(2)).unwrap_err().code().as_str(), "job-refused");
}

#[test]
fn what_a_table_refuses_is_a_fault_of_the_row() {
    for (name, more, reason) in [
        (
            "check",
            "CREATE TRIGGER c BEFORE UPDATE ON t WHEN new.id = 2 BEGIN SELECT RAISE(ABORT, 'two'); END",
            "refused-by-database",
        ),
        (
            "fail",
            "CREATE TRIGGER c AFTER UPDATE ON t WHEN new.id = 2 BEGIN SELECT RAISE(FAIL, 'two'); END",
            "refused-by-database",
        ),
        (
            "rollback",
            "CREATE TRIGGER c AFTER UPDATE ON t WHEN new.id = 2 BEGIN SELECT RAISE(ROLLBACK, 'two'); END",
            "refused-by-database",
        ),
        ("ignore", "CREATE TRIGGER c BEFORE UPDATE ON t WHEN new.id = 2 BEGIN SELECT RAISE(IGNORE); END", "rewritten"),
        (
            "unique",
            "CREATE UNIQUE INDEX c ON t (v) WHERE id IN (2, 6); UPDATE t SET v = 'S:two' WHERE id = 6",
            "refused-by-database",
        ),
        (
            "rewrite",
            "CREATE TRIGGER c AFTER UPDATE ON t WHEN new.id = 2 BEGIN UPDATE t SET v = 'plain' WHERE id = 2; END",
            "rewritten",
        ),
        (
            "delete",
            "CREATE TRIGGER c AFTER UPDATE ON t WHEN new.id = 2 BEGIN DELETE FROM t WHERE id = 2; END",
            "rewritten",
        ),
    ] {
        let setup = Setup::new(name, &format!("{TABLE} {more};"), &["id"]);
        let (job, counts) = setup.run(100);
        assert_eq!((counts.written, counts.failed), (2, 2), "{name}");
        assert_eq!(
            reasons(&job),
            [(r#"["2"]"#.to_owned(), reason), (r#"["4"]"#.to_owned(), "looks-like-token")],
            "{name}"
        );
        assert_eq!(setup.texts()[..4], ["S:one", "two", "S:three", "rxsX"].map(|text| Some(text.to_owned())), "{name}");
    }
}

#[test]
fn a_trigger_that_changes_other_rows_stops_the_work() {
    let trigger =
        "CREATE TRIGGER c AFTER UPDATE ON t WHEN new.id = 1 BEGIN UPDATE t SET v = 'other' WHERE id = 6; END;";
    let setup = Setup::new("others", &format!("{TABLE} {trigger}"), &["id"]);
    let job = setup.plan(100);
    let mut worker = setup.worker(&job, || {});
    let error = worker.run_chunk().unwrap_err();
    assert_eq!(error.code().as_str(), "job-refused");
    assert_eq!(setup.texts()[0].as_deref(), Some("one"));
    assert_eq!(job.status().unwrap().counts, Counts::default());
}

#[test]
fn a_full_disk_loses_nothing() {
    let setup = Setup::new("full", TABLE, &["id"]);
    let wide = "a".repeat(3000);
    let insert = format!("INSERT INTO t {ROWS} SELECT i + 10, 'w{wide}' || i FROM n");
    setup.db().execute_batch(&format!("CREATE TABLE filler (x); {insert}")).unwrap();
    let job = setup.plan(20);
    let mut worker = setup.worker(&job, || {});
    let pages: i64 = worker.connection.query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap();
    worker.connection.pragma_update(None, "max_page_count", pages).unwrap();
    setup
        .db()
        .execute_batch(&format!("CREATE TRIGGER c AFTER UPDATE ON t BEGIN INSERT INTO filler VALUES ('{wide}'); END"))
        .unwrap();
    for _ in 0..3 {
        let error = worker.run_chunk().unwrap_err();
        assert!(error.code().as_str() == "store-unavailable" && error.is_retryable());
    }
    assert_eq!((job.status().unwrap().chunks_done, setup.count("SELECT count(*) FROM t WHERE v GLOB 'S:*'")), (0, 1));
    worker.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    while worker.run_chunk().unwrap().is_some() {}
    assert_eq!(job.status().unwrap().counts.rows, 106);
    assert_eq!(setup.count("SELECT count(*) FROM t WHERE v GLOB 'S:*'"), 104);
}

#[test]
fn another_spec_or_an_older_keyring_may_not_join() {
    let setup = Setup::new("join", TABLE, &["id"]);
    let job = setup.plan(10);
    let body = |generation, target: &str, table: &str| {
        let columns = setup.spec.columns().to_vec();
        let body = Body {
            operation: Operation::Backfill,
            keyspace: "pharmacy-17".into(),
            at: "sqlite:t.db#t".into(),
            table: table.into(),
            record_type: "t".into(),
            columns,
            keyspace_column: None,
            schema: serde_json::Value::Null,
        };
        Spec::of(body, generation, target.parse().unwrap())
    };
    for (spec, is_admitted) in [
        (body(1, "AAAAAAAA", "t"), true),
        (body(2, "AAAAAAAA", "t"), true),
        (body(0, "AAAAAAAA", "t"), false),
        (body(2, "AAAAAAAB", "t"), false),
        (body(1, "AAAAAAAA", "T"), false),
    ] {
        let work = Marking { columns: spec.columns().to_vec(), meanwhile: Box::new(|| {}), runs: AtomicU32::new(0) };
        let joined = Worker::join(&job, &spec, Arc::new(work), worker("w-1"));
        assert_eq!(joined.is_ok(), is_admitted);
        if let Err(error) = joined {
            assert_eq!(error.code().as_str(), "job-mismatch");
        }
        assert_eq!(job.finish(&spec).is_ok(), is_admitted);
    }
}
