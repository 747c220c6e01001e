//! What somebody can try who may write to the database but has no key.

use rxseal::{Access, Keyring};

use crate::checks::Failure;
use crate::jobs;
use crate::store::Store;

/// What replaces the drug, in words and as SQL.
const ATTEMPTS: &[(&str, &str)] = &[
    (ANOTHERS_DRUG, "others"),
    ("the patient's own name", "patient_name"),
    ("a drug in the clear", "'fentanyl 0.1 MG/HR Transdermal System'"),
    (
        "the right drug with one character changed",
        "substr(drug, 1, 40) || iif(substr(drug, 41, 1) = 'A', 'B', 'A') || substr(drug, 42)",
    ),
];
const ANOTHERS_DRUG: &str = "another patient's drug";

/// How an attempt ended.
pub struct Attempt {
    pub what: &'static str,
    /// The code of the refusal. `None` if the row opened.
    pub refused: Option<&'static str>,
}

/// Makes each attempt with a real UPDATE and opens the row as the counter would. The changes are rolled back, so the
/// row is unchanged even if the program is killed halfway.
pub fn attempt_all(
    store: &mut Store,
    keys: &Keyring,
    access: &Access,
    victim: &str,
    donor: &str,
) -> Result<Vec<Attempt>, Failure> {
    let mut attempts = Vec::new();
    for (what, expression) in ATTEMPTS {
        // With only one row, there is nothing to exchange.
        if *what == ANOTHERS_DRUG && victim == donor {
            continue;
        }
        let change = store.change()?;
        if !change.tamper(expression, victim, donor)? {
            return Err(Failure::new("the row to attack is gone"));
        }
        let opened = jobs::open_one(&change.row(victim)?, keys, access);
        attempts.push(Attempt { what, refused: opened.err().map(|error| error.code().as_str()) });
    }
    Ok(attempts)
}
