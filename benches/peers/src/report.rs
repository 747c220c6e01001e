//! The results of a run, as tables for a terminal and for Markdown.

mod tables;
mod targets;

use comfy_table::{ContentArrangement, Table, presets};

use crate::machine;
use crate::measure::{self, Plan, Time, Times};
use crate::peers::{Candidate, Facts, Footprint, name};

/// How to read the numbers. No program can measure this.
const READING: &str = include_str!("report/reading.md");

const COMMAND: &str = "cargo run --release --manifest-path benches/peers/Cargo.toml -- --write docs/BENCHMARKS.md";

pub struct Report {
    plan: Plan,
    rows: Vec<Row>,
    draw: Time,
    /// The load before and after.
    load: (String, String),
}

/// One candidate with its numbers.
pub struct Row {
    facts: Facts,
    times: Times,
    footprint: Footprint,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Seal,
    Open,
}

impl Report {
    /// Measures everything. The candidates have been checked.
    pub fn new(candidates: &mut [Candidate], plan: Plan) -> Self {
        let footprints: Vec<_> = candidates.iter_mut().map(|candidate| candidate.peer.footprint()).collect();
        let before = machine::load();
        let measured = measure::run(candidates, plan);
        let rows = candidates.iter().zip(measured.candidates).zip(footprints);
        let rows =
            rows.map(|((candidate, times), footprint)| Row { facts: candidate.facts, times, footprint }).collect();
        Self { plan, rows, draw: measured.draw, load: (before, machine::load()) }
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        for (title, mut table) in self.tables() {
            table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
            out.push_str(&format!("\n{title}\n{table}\n"));
        }
        format!("{out}\n{}\n", self.remarks())
    }

    pub fn markdown(&self) -> String {
        let mut out = format!("## rxseal beside its peers\n\n{}\n", self.introduction());
        for (title, mut table) in self.tables() {
            table.load_preset(presets::ASCII_MARKDOWN);
            out.push_str(&format!("\n### {title}\n\n{table}\n"));
            if title == TIME {
                out.push_str(&format!("\n{}\n", self.remarks()));
            }
        }
        format!("{out}\n{READING}")
    }

    fn tables(&self) -> [(&'static str, Table); 6] {
        [
            (TIME, tables::time(self)),
            ("Targets", targets::table(self)),
            ("Bytes and allocations", tables::footprint(self)),
            ("What is bound, and how it is made", tables::binding(self)),
            ("Versions", tables::versions(self)),
            ("Machine", tables::machine(self)),
        ]
    }

    fn introduction(&self) -> String {
        let Plan { rounds, repeats } = self.plan;
        format!(
            "```sh\n{COMMAND}\n```\n\n\
             One process seals and opens the same record with each candidate in turn. The record has five text fields of 20 to 51 \
             bytes, which go from `&str` to the stored form and back to `String`. Times are medians of {rounds} rounds of {repeats} \
             records each, in nanoseconds per record. Before it measures, the program checks that each candidate opens what it \
             sealed, and that a field moved to another tenant, record or field opens only if the table of bindings says so."
        )
    }

    /// Conclusions from the numbers, so that they change with them.
    fn remarks(&self) -> String {
        let rxseal = self.row(name::RXSEAL.text).expect("rxseal is always measured").times;
        let widest =
            self.rows.iter().flat_map(|row| [row.times.seal.spread, row.times.open.spread]).fold(0.0, f64::max);
        let draw = self.draw.median;
        let faster = |direction| {
            let peers = self.rows.iter().filter(|row| row.facts.binding.is_some() && row.facts.package != "rxseal");
            let names: Vec<_> =
                peers.filter(|row| row.times.of(direction) < rxseal.of(direction)).map(|row| row.facts.name).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        format!(
            "- One draw of 12 bytes from the operating system takes {draw:.0} ns here, {:.0} % of what rxseal takes to seal the \
             record. rxseal and the floors draw once per record; without the draw rxseal seals in {:.0} ns. The peers draw in user \
             space.\n\
             - Peers that seal faster than rxseal here: {}. Peers that open faster: {}.\n\
             - The quartiles of the batches are at most {:.0} % of the median apart. The load of the machine was {} before the run \
             and {} after it.",
            100.0 * draw / rxseal.seal.median,
            rxseal.seal.median - draw,
            faster(Direction::Seal),
            faster(Direction::Open),
            100.0 * widest,
            self.load.0,
            self.load.1,
        )
    }

    fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.facts.name == name)
    }

    /// The time of `other` divided by the time of `row`. `None` if `other` was not measured.
    fn ratio(&self, row: &Row, other: &str, direction: Direction) -> Option<f64> {
        Some(row.times.of(direction) / self.row(other)?.times.of(direction))
    }
}

const TIME: &str = "Time";

impl Times {
    fn of(&self, direction: Direction) -> f64 {
        match direction {
            Direction::Seal => self.seal.median,
            Direction::Open => self.open.median,
        }
    }
}
