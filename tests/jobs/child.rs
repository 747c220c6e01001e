//! Workers in processes of their own, which can be killed and frozen.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use rxseal_jobs::postgres::{Job, Worker};
use rxseal_jobs::{DeclaredWork, Operation, Spec, WorkerOptions};

use crate::rows::{access, map, schema, source};
use crate::support::unlock;

const VARIABLE: &str = "RXSEAL_JOBS_CHILD";

/// A worker of the job named `job`, in another process.
pub struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts one, and waits until it has joined the job.
    pub fn start(url: &str, at: &str, operation: Operation, keys: &Path, idle_ms: u64) -> Self {
        let told = [url, at, operation.as_str(), keys.to_str().unwrap(), &idle_ms.to_string()].join("\n");
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child::works_in_a_process_of_its_own", "--nocapture"])
            .env(VARIABLE, told)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut process = Self { child, lines };
        process.wait_for("joined").expect("the worker joins");
        process
    }

    /// The rest of the next line that begins like this. `None` if the process ends before.
    pub fn wait_for(&mut self, begin: &str) -> Option<String> {
        // The test harness may have begun the line.
        self.lines.find_map(|line| Some(line.ok()?.split_once(&format!("worker {begin}"))?.1.to_owned()))
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Waits until it has ended by itself, and returns what it says at its end.
    pub fn end(mut self) -> String {
        let said = self.wait_for("ended").unwrap_or_default();
        // It must not write into a pipe that nobody reads.
        self.lines.by_ref().for_each(drop);
        assert!(self.child.wait().unwrap().success());
        said
    }
}

/// Does nothing unless a test starts it.
#[test]
fn works_in_a_process_of_its_own() {
    let Ok(told) = env::var(VARIABLE) else { return };
    let told: Vec<_> = told.split('\n').collect();
    let [url, at, operation, keys, idle_ms] = told[..] else { panic!("five lines") };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work(url, at, operation.parse().unwrap(), Path::new(keys), idle_ms.parse().unwrap()));
}

async fn work(url: &str, at: &str, operation: Operation, keys: &Path, idle_ms: u64) {
    let keys = unlock(keys);
    let map = map(at, "\"id\"");
    let spec = Spec::new(operation, source(&map), &schema(), &keys).unwrap();
    let work = DeclaredWork::new(&spec, &schema(), &keys).unwrap().with_access(access());
    let job = Job::open(url, "job").await.unwrap();
    let mut options = WorkerOptions::default();
    options.idle_timeout = Duration::from_millis(idle_ms);
    let mut worker = Worker::join(&job, &spec, Arc::new(work), options).await.unwrap();
    println!("\nworker joined");
    let mut chunks = 0;
    while let Some(done) = worker.run_chunk().await.unwrap() {
        chunks += 1;
        println!("\nworker chunk {} {}", done.no, done.counts.rows);
    }
    println!("\nworker ended {chunks} {}", peak_kib());
}

/// The most memory that this process had, in KiB.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
