//! What somebody can try who may write to the database but has no key.

use rxseal::{Access, Error, Keyring, Sealed, SealedRecord, phi};

use crate::checks::Failure;
use crate::store::Store;

/// What is done to a row: in words, the column, and what is put there as SQL.
const ATTEMPTS: &[(&str, &str, &str)] = &[
    (ANOTHERS_DRUG, "drug", "others"),
    ("the patient's own name as drug", "drug", "patient_name"),
    ("a drug in the clear", "drug", "'fentanyl 0.1 MG/HR Transdermal System'"),
    (
        "the drug with one character changed",
        "drug",
        "substr(drug, 1, 40) || iif(substr(drug, 41, 1) = 'A', 'B', 'A') || substr(drug, 42)",
    ),
    ("yesterday's directions put back", "directions", "old"),
    ("the directions removed", "directions", "NULL"),
];
const ANOTHERS_DRUG: &str = "another patient's drug";

/// How an attempt ended: `OPENED`, or the code of the refusal.
pub struct Attempt {
    pub what: &'static str,
    /// The token that was put there, by itself.
    pub token: &'static str,
    pub row: &'static str,
    /// What the observer must have heard.
    pub openings: usize,
}

pub const OPENED: &str = "OPENED";

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
    for &(what, column, expression) in ATTEMPTS {
        // With only one row, there is nothing to exchange.
        if what == ANOTHERS_DRUG && victim == donor {
            continue;
        }
        let change = store.change()?;
        // Whoever copied the database yesterday has the directions from before a change.
        let yesterday = change.row(victim)??;
        let new = "Take 1 tablet by mouth every other day.".to_owned();
        change.put(&yesterday.set::<phi::Directions>(keys, &Some(new))?)?;
        change.tamper((column, expression), victim, donor, yesterday.directions.as_ref().map(Sealed::token))?;
        attempts.push(match change.row(victim)? {
            Ok(row) => {
                let reader = keys.record_of(&row)?.opened_by(access);
                let token = match column {
                    "drug" => Some(row.drug.open(&reader)),
                    _ => row.directions.as_ref().map(|directions| directions.open(&reader)),
                };
                let openings = 1 + usize::from(token.is_some());
                let token = token.map_or("none", |token| outcome(&token));
                Attempt { what, token, row: outcome(&keys.open(&row, access)), openings }
            }
            // It is not even a row of tokens.
            Err(error) => Attempt { what, token: error.code().as_str(), row: error.code().as_str(), openings: 0 },
        });
    }
    Ok(attempts)
}

fn outcome<T>(opened: &Result<T, Error>) -> &'static str {
    opened.as_ref().map_or_else(|error| error.code().as_str(), |_| OPENED)
}
