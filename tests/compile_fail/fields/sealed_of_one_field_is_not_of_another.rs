//! A token of one field is not a token of another.

use rxseal::{Sealed, phi};

fn same(drug: Sealed<String, phi::Drug>) -> Sealed<String, phi::PatientName> {
    drug
}

fn other_type(drug: Sealed<String, phi::Drug>) -> Sealed<u64, phi::Drug> {
    drug
}

fn main() {}
