//! Reseals a table of 300,000 rows with five sealed fields each after a rotation. Measures rows per second, SQLite's
//! share of that, and memory. Checks what is left if the job is killed, races with a writer, or meets damaged rows.
//!
//! ```text
//! cargo bench -p rxseal-benches --bench reseal                        all of it
//! cargo bench -p rxseal-benches --bench reseal -- --rows 50000        on a smaller table
//! cargo bench -p rxseal-benches --bench reseal -- --test              once through, on a table of 2,000 rows
//! ```
//!
//! To copy: `job.rs`.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "../common/mod.rs"]
mod common;
mod job;
mod kill;
mod measure;
mod small;
mod table;
mod writer;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::Parser;
use common::print_table;
use job::Options;
use measure::{Meter, Report};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Reseals a large table, and kills the job on the way.
#[derive(Parser)]
struct Arguments {
    /// How many rows the table has
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u32).range(100..))]
    rows: u32,
    /// How many rows are read, resealed and committed together
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    page: u32,
    /// Go through all of it once, on a small table
    #[arg(long)]
    test: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
    /// Be the process that works on the table in this folder
    #[arg(long, hide = true)]
    folder: Option<PathBuf>,
    /// What that process does
    #[arg(long, hide = true, default_value = "reseal")]
    step: Step,
    /// The threads of that process
    #[arg(long, hide = true, default_value_t = 1)]
    workers: usize,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Step {
    /// The job.
    Reseal,
    /// The job without its cryptography: tokens are written unchanged.
    Copy,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let options = Options { page: arguments.page, workers: arguments.workers };
    match (&arguments.folder, arguments.step) {
        (Some(folder), Step::Reseal) => reseal(folder, options),
        (Some(folder), Step::Copy) => copy(folder, options),
        (None, _) if arguments.test => run(2_000, 100),
        (None, _) => run(arguments.rows, arguments.page),
    }
}

fn run(rows: u32, page: u32) -> Result<(), Failure> {
    small::check()?;
    let folder = Folder::new()?;
    let bench = Bench { folder: &folder.0, rows: i64::from(rows), page };
    let (sealed, inserted) = bench.fill()?;
    let revisions = kill::check(&bench)?;
    let one = bench.rotate_and_reseal(1, &revisions)?;
    let nothing_left = bench.child(Step::Reseal, 1)?.report()?;
    let two = bench.rotate_and_reseal(2, &revisions)?;
    table::rotate(bench.folder)?;
    let copied = bench.child(Step::Copy, 1)?.report()?;
    println!("\n{rows} rows with 5 sealed fields each, pages of {page}\n");
    print_table(
        &["what", "rows/s", "seconds", "CPU seconds", "MiB at 10 %", "50 %", "100 %"],
        &[
            bench.row("seal and insert", &sealed),
            bench.row("insert only", &inserted),
            bench.row("reseal, 1 thread", &one),
            bench.row("reseal, 2 threads", &two),
            bench.row("read and write only", &copied),
            bench.row("walk over rows that are done", &nothing_left),
        ],
    );
    let share = |alone: &Report, all: &Report| 100.0 * alone.cpu_seconds / all.cpu_seconds;
    println!(
        "\nSQLite's share of the processor's time: {:.0} % of sealing and inserting, {:.0} % of resealing",
        share(&inserted, &sealed),
        share(&copied, &one)
    );
    Ok(())
}

/// A folder of this run's own, on the disk of the build.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Failure> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reseal-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // If this fails there is nothing to do: the folder is in the build's own.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A table in a folder, and its keyring.
struct Bench<'f> {
    folder: &'f Path,
    rows: i64,
    page: u32,
}

impl Bench<'_> {
    /// Makes the table. Then does the same without cryptography, in a table that is thrown away.
    fn fill(&self) -> Result<(Report, Report), Failure> {
        let keys = table::keys(self.folder)?;
        let mut db = table::open(self.folder)?;
        let mut meter = Meter::begin("seal", self.rows as u64);
        table::fill(&mut db, &keys, self.rows, self.page, |rows| meter.add(rows))?;
        let sealed = meter.end();
        let thrown_away = Folder(self.folder.join("copies"));
        fs::create_dir(&thrown_away.0)?;
        let mut db = table::open(&thrown_away.0)?;
        let meter = Meter::begin("insert", self.rows as u64);
        table::fill_with_copies(&mut db, &keys, self.rows, self.page)?;
        Ok((sealed, meter.end()))
    }

    /// Lets another process do the job for the whole table, and checks each row.
    fn rotate_and_reseal(&self, workers: usize, revisions: &HashMap<i64, u32>) -> Result<Report, Failure> {
        let keys = table::rotate(self.folder)?;
        let db = table::open(self.folder)?;
        assert_eq!(job::count_left(&db, keys.primary_key())?, self.rows as u64);
        let report = self.child(Step::Reseal, workers)?.report()?;
        assert_eq!(job::count_left(&db, keys.primary_key())?, 0);
        table::check(&db, &keys, self.rows, revisions)?;
        Ok(report)
    }

    /// Starts this program again for one step.
    fn child(&self, step: Step, workers: usize) -> Result<Process, Failure> {
        let step = match step {
            Step::Reseal => "reseal",
            Step::Copy => "copy",
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--folder").arg(self.folder).args(["--step", step]);
        command.args(["--page", &self.page.to_string(), "--workers", &workers.to_string()]);
        Ok(Process(command.stdout(Stdio::piped()).spawn()?))
    }

    fn row(&self, what: &str, report: &Report) -> Vec<String> {
        let mib =
            |at: usize| report.resident.get(at).map_or_else(String::new, |kib| format!("{:.1}", *kib as f64 / 1024.0));
        vec![
            what.to_owned(),
            format!("{:.0}", self.rows as f64 / report.seconds),
            format!("{:.2}", report.seconds),
            format!("{:.2}", report.cpu_seconds),
            mib(0),
            mib(1),
            mib(2),
        ]
    }
}

/// A child process.
struct Process(Child);

impl Process {
    /// Waits for it and checks that it succeeded.
    fn report(self) -> Result<Report, Failure> {
        let output = self.0.wait_with_output()?;
        if !output.status.success() {
            return Err(format!("the job failed: {}", output.status).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// The child's work: the job, as a separate program would do it.
fn reseal(folder: &Path, options: Options) -> Result<(), Failure> {
    let (keys, mut db) = (table::keys(folder)?, table::open(folder)?);
    let mut meter = Meter::begin("reseal", job::count_left(&db, keys.primary_key())?);
    let summary = job::reseal_table(&mut db, &keys, options, |rows| meter.add(rows))?;
    if let Some((id, error)) = summary.failed.first() {
        return Err(format!("{} rows were not resealed: row {id}: {error}", summary.failed.len()).into());
    }
    let report = Report { changed_meanwhile: summary.changed_meanwhile, ..meter.end() };
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

/// The same loop with unchanged tokens.
fn copy(folder: &Path, options: Options) -> Result<(), Failure> {
    let (keys, mut db) = (table::keys(folder)?, table::open(folder)?);
    let mut meter = Meter::begin("copy", job::count_left(&db, keys.primary_key())?);
    let (mut summary, mut after) = (job::Summary::default(), 0);
    loop {
        let page = job::read_page(&db, keys.primary_key(), after, options.page)?;
        let Some(last) = page.last() else { break };
        after = last.id;
        let copies = page.iter().map(|row| Ok(row.tokens.clone())).collect();
        job::write_page(&mut db, &page, copies, &mut summary)?;
        meter.add(page.len());
    }
    println!("{}", serde_json::to_string(&meter.end())?);
    Ok(())
}
