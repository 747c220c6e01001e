//! How far a job is while it runs: one bar for people, JSON lines for programs, and a line now and then for a log.

use std::fmt;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use rxseal_jobs::{ChunkDone, Status};

use crate::job::shown;
use crate::output::Output;

/// How often a log gets a line.
const LINE: Duration = Duration::from_secs(30);
const BAR: &str = "{msg} {wide_bar} {percent:>3} %  {human_pos} of {human_len} rows  {rate} a second  {eta} left";

pub struct Progress<'o> {
    output: &'o Output,
    bar: ProgressBar,
    said: Instant,
}

impl<'o> Progress<'o> {
    pub fn new(began: &Status, output: &'o Output) -> Self {
        let bar = ProgressBar::with_draw_target(Some(began.rows_total), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(BAR).map(|style| style.with_key("rate", rate));
        let bar = match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        bar.set_message(began.job.clone());
        // What was done before does not count for the rate.
        bar.set_position(began.counts.rows);
        bar.reset_eta();
        Self { output, bar, said: Instant::now() }
    }

    pub fn show(&mut self, status: &Status, last: Option<&ChunkDone>) {
        if self.output.is_json() {
            self.output.tell(&shown::progress(status, last));
        } else if !self.bar.is_hidden() {
            self.bar.set_position(status.counts.rows.min(status.rows_total));
        } else if self.said.elapsed() >= LINE {
            self.said = Instant::now();
            let (rows, total) = (shown::grouped(status.counts.rows), shown::grouped(status.rows_total));
            self.output.note(&format!("{}: {rows} of {total} rows", status.job));
        }
    }

    /// Somebody asked for the end: each worker finishes its chunk.
    pub fn stopping(&self) {
        self.bar.set_message("stopping after the chunk");
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn rate(state: &ProgressState, out: &mut dyn fmt::Write) {
    // Writing to a terminal's line cannot fail.
    let _ = write!(out, "{:.0}", state.per_sec());
}
