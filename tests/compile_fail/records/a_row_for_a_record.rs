//! A record is sealed and a row is opened. The other way round it says so, and names neither a missing derive nor a missing column.

use rxseal::phi::Drug;
use rxseal::{Access, Keyring, PhiRecord};

#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct Prescription {
    #[phi(id)]
    rx_number: u64,
    #[phi(seal = Drug)]
    drug: String,
}

fn a_row_is_sealed(keys: &Keyring, row: &SealedPrescription) {
    let _ = keys.seal(row);
}

fn a_record_is_opened(keys: &Keyring, rx: &Prescription, access: &Access) {
    let _ = keys.open(rx, access);
}

fn an_id_is_no_key(keys: &Keyring, rx: &Prescription) {
    let _ = keys.with_subjects(&rx.rx_number);
}

fn main() {}
