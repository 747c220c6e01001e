//! A theft, from the first alarm to the report for the compliance officer, on an embedded database.
//!
//! ```text
//! cargo run --example breach                  in a new folder, which it names at the end
//! cargo run --example breach -- FOLDER        in this one, which is not there yet
//! ```
//!
//! It checks each figure of the report: the example tries to open every stolen value with what was stolen, and counts.

mod officer;
mod people;
mod pharmacy;
mod proof;
mod report;
mod shifts;
mod tell;
mod thief;
mod truth;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use rxseal::testing::TestClock;
use rxseal_scan::{Canaries, Canary};

use pharmacy::{Patient, Pharmacy, Places};
use tell::{Failure, Tell, grouped};
use truth::Found;

const PATIENTS: usize = 2500;
/// The last ones are still under the first key.
const LEFT: usize = 400;
/// The patient who does not exist.
const CANARY: usize = 760;
const DAY: u64 = 86_400;

fn main() -> ExitCode {
    let unnamed = || std::env::temp_dir().join(format!("rxseal-breach-{}", std::process::id()));
    let folder = std::env::args_os().nth(1).map_or_else(unnamed, PathBuf::from);
    match play(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn play(folder: &Path) -> Result<(), Failure> {
    let tell = Tell::default();
    tell.print("rxseal: a theft, and what is known within the hour");

    tell.scene("A pharmacy, four weeks ago");
    let pharmacy = opened(folder, &tell)?;
    proof::make(&pharmacy, &tell)?;

    tell.scene("Four weeks of shifts");
    shifts::four_weeks(&pharmacy, &tell)?;
    pharmacy.sql(&format!("VACUUM INTO '{}'", pharmacy.places.at("stolen/backup.db").display()))?;

    tell.scene("At 02:13 somebody uses Kim's login");
    pharmacy.clock.advance(Duration::from_secs(6 * 3600 + 13 * 60));
    let loot = thief::with_a_login(&pharmacy, PATIENTS, &tell)?;
    pharmacy.watch.stop()?;

    tell.scene("The thief has last night's backup too, and a key from an old disk");
    let by_backup = truth::by_backup(&pharmacy)?;
    let readable = |found| by_backup.values().filter(|classes| classes.values().any(|it| *it == found)).count();
    tell.line(format_args!("the backup has all {} patients, sealed", grouped(by_backup.len())));
    tell.check("with the old key the rows open that no job moved", readable(Found::Readable) == LEFT, grouped(LEFT))?;
    let typed = readable(Found::Plaintext);
    tell.line(format_args!("{typed} directions of other patients were typed in by hand, and never sealed"));

    tell.scene("The first hour");
    officer::first_hour(&pharmacy, &people::id(CANARY), &tell)?;

    tell.scene("The report, and what really opens");
    report::make(&pharmacy, &loot, &truth::of(&loot, by_backup), &tell)?;

    tell.scene("Was the rest sealed? What was signed before the theft");
    pharmacy.operators.stop()?;
    proof::verify(&pharmacy, &tell)?;

    tell.print(format_args!("\n{} checks held. All of it is in {}", tell.checks(), folder.display()));
    tell.table(&LEFT_BEHIND.map(|row| row.map(str::to_owned).to_vec()));
    tell.line("docs/BREACH.md says what an officer does with it, hour by hour.");
    Ok(())
}

/// What to look at.
const LEFT_BEHIND: [[&str; 2]; 5] = [
    ["where", "what it is"],
    ["report/report.html", "the page for whoever decides: open it in a browser"],
    ["report/patients.csv", "each patient, with what could be read of them"],
    ["evidence/evidence.html", "how things were before the theft, signed"],
    ["log, checkpoints", "who opened what, for `rxseal audit verify`"],
];

/// Seals all patients, with a canary among them, and twelve directions that somebody typed in by hand.
fn opened(folder: &Path, tell: &Tell) -> Result<Pharmacy, Failure> {
    let canary = Canary::make()?;
    let mut patients: Vec<_> = (0..PATIENTS).map(people::patient).collect();
    hide(&canary, &mut patients[CANARY]);
    let pharmacy = Pharmacy::open(Places::new(folder)?, four_weeks_ago()?, &patients, LEFT)?;
    let mut canaries = Canaries::default();
    canaries.add(canary);
    fs::write(pharmacy.places.at("data/canaries.json"), canaries.seal(&pharmacy.keys)?)?;
    let by_hand = "UPDATE patient SET directions = 'Take 1 by mouth at bedtime.' WHERE substr(id, 3) % 200 = 150";
    let typed = pharmacy.sql(by_hand)?;
    tell.line(format_args!(
        "{} patients are sealed, and one of them does not exist: a canary",
        grouped(patients.len())
    ));
    tell.line("every opening is watched: a log, checkpoints elsewhere, a pharmacy's budgets");
    tell.line(format_args!("two mistakes: a job that moves rows to the new key was never ended ({LEFT}"));
    tell.line(format_args!("patients), and {typed} directions were typed in by hand and are not sealed"));
    Ok(pharmacy)
}

/// Stores the canary's values as those of any other patient.
fn hide(canary: &Canary, patient: &mut Patient) {
    for (what, value) in canary.values() {
        let place = match what {
            "name" => &mut patient.name,
            "drug" => &mut patient.drug,
            "prescriber" => &mut patient.prescriber,
            _ => &mut patient.phone,
        };
        *place = value.to_owned();
    }
}

/// At eight in the morning, 28 days before yesterday.
fn four_weeks_ago() -> Result<TestClock, Failure> {
    let clock = TestClock::default();
    let now = clock.now().duration_since(UNIX_EPOCH)?;
    let first_shift = now.as_secs() / DAY * DAY - DAY - u64::from(shifts::DAYS) * DAY + 8 * 3600;
    clock.set_back(now - Duration::from_secs(first_shift));
    Ok(clock)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_check_of_the_story_holds() {
        let folder = std::env::temp_dir().join(format!("rxseal-breach-test-{}", std::process::id()));
        super::play(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
