//! The common part of the benches.
#![allow(dead_code, clippy::print_stdout, clippy::unwrap_used, missing_docs)]

pub mod clock;
pub mod heap;
mod record;

pub use record::*;
use rxseal::keys::{Backend, Suite, UnlockOptions};
use rxseal::page::{OpenPass, SealPass};
use rxseal::roles::MaySeal;
use rxseal::{Error, Keyring, Record, RecordReader, run_local};

pub fn keyring(suite: Suite) -> Keyring {
    unlocked(suite).unobserved()
}

pub fn unlocked(suite: Suite) -> rxseal::keys::Unlocked {
    unlocked_with(suite, Backend::default())
}

pub fn unlocked_with(suite: Suite, backend: Backend) -> rxseal::keys::Unlocked {
    let roots = roots();
    let file = run_local(rxseal::testing::create_keyring("pharmacy-17", &roots, suite)).unwrap();
    let options = UnlockOptions::default().backend(backend).with_index_roots();
    run_local(Keyring::unlock_with(options, "pharmacy-17", &roots, &file)).unwrap()
}

/// The backends that were compiled.
pub fn backends() -> Vec<Backend> {
    vec![
        Backend::RustCrypto,
        #[cfg(feature = "aws-lc")]
        Backend::AwsLc,
    ]
}

/// Seals the five fields as one pass, as text.
pub fn seal_record<R: MaySeal>(record: &Record<R>) -> [String; 5] {
    record.seal_fields(seal_five).unwrap()
}

pub fn seal_five(pass: &mut SealPass<'_>) -> Result<[String; 5], Error> {
    Ok([
        pass.seal_text::<Name>(NAME)?,
        pass.seal_text::<BirthDate>(BIRTH_DATE)?,
        pass.seal_text::<Drug>(DRUG)?,
        pass.seal_text::<Directions>(DIRECTIONS)?,
        pass.seal_text::<Prescriber>(PRESCRIBER)?,
    ])
}

/// Opens them as one opening.
pub fn open_record(open: &RecordReader, tokens: &[String; 5]) -> [String; 5] {
    open.open_fields(|pass| open_five(pass, tokens)).unwrap()
}

pub fn open_five(
    pass: &mut OpenPass<'_>,
    [name, birth_date, drug, directions, prescriber]: &[String; 5],
) -> Result<[String; 5], Error> {
    Ok([
        pass.open_text::<Name, _>(name)?,
        pass.open_text::<BirthDate, _>(birth_date)?,
        pass.open_text::<Drug, _>(drug)?,
        pass.open_text::<Directions, _>(directions)?,
        pass.open_text::<Prescriber, _>(prescriber)?,
    ])
}

/// The middle value. Sorts them.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Prints a table. All columns but the first contain numbers.
pub fn print_table(headers: &[&str], rows: &[Vec<String>]) {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN).set_header(headers.to_vec());
    table.add_rows(rows.iter().cloned());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    println!("{table}");
}
