//! What somebody tries who may write to the database but has no key.

use rxseal::{Access, Keyring};

use crate::checks::Failure;
use crate::prescription::{Prescription, RECORD_TYPE};
use crate::store::{Change, Store};

/// What is tried, and the SQL for it.
const ATTEMPTS: &[(&str, &str)] = &[
    (
        "another patient's drug",
        "UPDATE prescription SET drug = (SELECT drug FROM prescription WHERE id = :donor) WHERE id = :victim",
    ),
    (
        "the patient's own name where the drug belongs",
        "UPDATE prescription SET drug = patient_name WHERE id IN (:victim, :victim) OR :donor IS NULL",
    ),
    (
        "a drug in the clear",
        "UPDATE prescription SET drug = 'fentanyl 0.1 MG/HR Patch' WHERE id = :victim OR :donor IS NULL",
    ),
    (
        "the right drug with one character changed",
        "UPDATE prescription SET drug = substr(drug, 1, 40) || iif(substr(drug, 41, 1) = 'A', 'B', 'A') || substr(drug, 42)
         WHERE id = :victim OR :donor IS NULL",
    ),
];

/// How an attempt ended.
pub struct Attempt {
    pub what: &'static str,
    /// The code and the text of the refusal; none where the row opened.
    pub refused: Option<(&'static str, String)>,
}

/// Makes each attempt with a real UPDATE and opens the row, as the counter would. The changes are rolled back, so the
/// rows are as before even if the program is killed half way.
pub fn attempt_all(
    store: &mut Store,
    keys: &Keyring,
    access: &Access,
    victim: &str,
    donor: &str,
) -> Result<Vec<Attempt>, Failure> {
    let mut attempts = Vec::new();
    for (what, sql) in ATTEMPTS {
        // A row cannot be attacked with itself.
        if sql.contains("id = :donor") && victim == donor {
            continue;
        }
        let change = store.change()?;
        if change.tamper(sql, victim, donor)? != 1 {
            return Err(Failure::new("the row to attack is gone"));
        }
        let refused = match open(&change, keys, access, victim)? {
            Ok(_) => None,
            Err(error) => Some((error.code(), error.to_string())),
        };
        attempts.push(Attempt { what, refused });
    }
    Ok(attempts)
}

/// Opens one row, as the counter does it.
pub fn open(
    change: &Change<'_>,
    keys: &Keyring,
    access: &Access,
    id: &str,
) -> Result<Result<Prescription, rxseal::Error>, Failure> {
    let columns = change.columns(id)?.ok_or_else(|| Failure::new("the row is gone"))?;
    let record = keys.record(RECORD_TYPE, id)?.access(access);
    Ok(Prescription::open(&columns, &record))
}
