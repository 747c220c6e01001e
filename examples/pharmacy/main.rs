//! The main use of rxseal from end to end: a pharmacy's prescriptions go into an SQLite file that tells a thief
//! nothing.
//!
//! ```text
//! cargo run --example pharmacy                        some 3,000 made-up prescriptions
//! cargo run --example pharmacy -- --fhir DIR          those of a FHIR R4 bulk export
//! ```
//!
//! It shows each step, checks what it claims, and ends with an error if a claim does not hold. Run it again on the same
//! folder to open the stored rows.
//!
//! To copy: `prescription.rs` shows what a record looks like, `keys.rs` how keys are kept, `store.rs` and `jobs.rs` how
//! sealed rows are stored and moved, and `search.rs` how they are found. The rest shows and checks.

mod attack;
mod checks;
mod data;
mod fhir;
mod jobs;
mod keys;
mod prescription;
mod scan;
mod search;
mod show;
mod steps;
mod store;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::checks::Failure;
use crate::prescription::Prescription;
use crate::show::{Show, grouped};
use crate::steps::Pharmacy;

/// Seals prescriptions into an SQLite file, and shows what a thief of it gets.
#[derive(Parser)]
#[command(name = "pharmacy")]
struct Arguments {
    /// Read a FHIR R4 bulk export: a folder with Patient, MedicationRequest and Practitioner as NDJSON
    #[arg(long, value_name = "DIR", conflicts_with = "count")]
    fhir: Option<PathBuf>,
    /// How many prescriptions to make up
    #[arg(long, value_name = "N", default_value_t = 3000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// The folder for the database and the keys
    #[arg(long, value_name = "DIR", default_value = "pharmacy-data")]
    dir: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse(), &Show::new()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(match failure {
                Failure::Check { .. } => 1,
                Failure::CannotRun(_) => 2,
            })
        }
    }
}

fn run(arguments: &Arguments, show: &Show) -> Result<(), Failure> {
    show.title("rxseal: the database of a pharmacy, and what a thief gets of it");
    let prescriptions = read_prescriptions(arguments, show)?;
    let mut pharmacy = Pharmacy::open(&arguments.dir, prescriptions, show)?;
    pharmacy.take_in()?;
    pharmacy.show_one_row()?;
    pharmacy.search()?;
    pharmacy.scan_files()?;
    pharmacy.attack()?;
    pharmacy.rotate()?;
    pharmacy.sum_up()?;
    pharmacy.say_what_is_left();
    show.print("");
    show.end("everything held");
    Ok(())
}

fn read_prescriptions(arguments: &Arguments, show: &Show) -> Result<Vec<Prescription>, Failure> {
    show.step("Prescriptions");
    let Some(folder) = &arguments.fhir else {
        show.line(format_args!("{} made up, of people who do not exist", grouped(arguments.count)));
        return Ok(data::prescriptions(arguments.count as usize));
    };
    let export = fhir::read(folder)?;
    show.line(format_args!("{} read from {}", grouped(export.prescriptions.len() as u64), folder.display()));
    if !export.left_out.is_empty() {
        show.line(format_args!("{} left out", grouped(export.left_out.len() as u64)));
        export.left_out.iter().take(5).for_each(|request| show.note(request));
    }
    if export.prescriptions.is_empty() {
        return Err(Failure::new("it has no prescription to take in").about(folder));
    }
    Ok(export.prescriptions)
}
