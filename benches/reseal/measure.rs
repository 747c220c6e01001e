//! The cost of a job: time, processor time and memory.

use std::fs;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::common::clock;

/// The report of a finished job. A child process prints it as JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    pub rows: u64,
    pub changed_meanwhile: u64,
    pub seconds: f64,
    pub cpu_seconds: f64,
    /// KiB of memory after a tenth, a half and all of the rows.
    pub resident: Vec<u64>,
}

/// Measures while a job runs.
pub struct Meter {
    bar: ProgressBar,
    begun: Instant,
    cpu: Duration,
    resident: Vec<u64>,
}

impl Meter {
    /// Begins to measure a job with this many rows. Its bar is shown on a terminal only.
    pub fn begin(what: &'static str, rows: u64) -> Self {
        let style = "{msg:<8} {bar:36.cyan/dim} {percent:>3}%  {human_pos} of {human_len} rows  {per_sec}  {eta} left";
        let style = ProgressStyle::with_template(style).expect("it is a template");
        let bar = ProgressBar::new(rows).with_message(what).with_style(style);
        Self { bar, begun: Instant::now(), cpu: clock::of_process(), resident: Vec::new() }
    }

    pub fn add(&mut self, rows: usize) {
        self.bar.inc(rows as u64);
        let tenths = 10 * self.bar.position() / self.bar.length().unwrap_or(1).max(1);
        if [1, 5, 10].get(self.resident.len()).is_some_and(|due| tenths >= *due) {
            self.resident.push(resident_kib());
        }
    }

    pub fn end(self) -> Report {
        let (seconds, cpu) = (self.begun.elapsed().as_secs_f64(), clock::of_process() - self.cpu);
        let rows = self.bar.position();
        self.bar.finish_and_clear();
        Report { rows, changed_meanwhile: 0, seconds, cpu_seconds: cpu.as_secs_f64(), resident: self.resident }
    }
}

/// Memory of this process that is in RAM, as Linux tells it.
fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
