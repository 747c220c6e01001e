//! Compares rxseal with other ways to seal a field, in one run: `cargo run --release`, in this folder.
//!
//! Every candidate seals and opens the same five-field record many times in one process, one after the other, and the
//! medians are compared. `--write ../../docs/BENCHMARKS.md` renews that file's section on peers. `--smoke` checks that
//! each candidate opens what it seals and is bound to what its facts say.

mod allocations;
mod document;
mod lock;
mod machine;
mod measure;
mod peers;
mod record;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use measure::Plan;
use report::Report;

#[derive(Parser)]
#[command(about = "rxseal beside what else seals a field, in one run")]
struct Arguments {
    /// Renew the section on peers of this Markdown file
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Only check that each candidate opens what it seals, and that what is said of its binding is so
    #[arg(long, visible_alias = "test", conflicts_with = "write")]
    smoke: bool,
    /// How many rounds to make; the median is of as many batches
    #[arg(long, default_value_t = 300)]
    rounds: u32,
    /// Records in a batch
    #[arg(long, default_value_t = 200)]
    repeats: u32,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let mut candidates = peers::all();
    for candidate in &mut candidates {
        candidate.check()?;
    }
    if arguments.smoke {
        println!("{} candidates open what they seal and are bound to what they say", candidates.len());
        return Ok(());
    }
    if cfg!(debug_assertions) {
        return Err("numbers of a debug build mean nothing: cargo run --release".into());
    }
    let report = Report::new(&mut candidates, Plan { rounds: arguments.rounds, repeats: arguments.repeats });
    print!("{}", report.text());
    match &arguments.write {
        Some(file) => document::write_section(file, &report.markdown()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_candidate_opens_what_it_seals() {
        for candidate in &mut crate::peers::all() {
            candidate.check().unwrap();
        }
    }
}
