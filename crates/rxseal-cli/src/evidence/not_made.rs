//! Failures of rxseal-evidence.

use rxseal_evidence::EvidenceError;

use crate::audit::log::failed;
use crate::failure::Failure;

pub fn not_made(error: EvidenceError) -> Failure {
    match error {
        EvidenceError::Watch(error) => failed(error),
        error => Failure::Coded(error.code(), error.to_string()),
    }
}
