//! The text for a person who seals a `Phi` as if it were the value inside.

use rxseal::page::SealPass;
use rxseal::{Error, Phi, Record, Sealed, phi};

type Drug = Phi<String, phi::Drug>;

fn one(record: &Record, drug: &Drug) -> Result<Sealed<String, phi::Drug>, Error> {
    Sealed::seal(record, drug)
}

fn several(pass: &mut SealPass<'_>, drug: &Drug) -> Result<Sealed<String, phi::Drug>, Error> {
    pass.seal_field(drug)
}

fn main() {}
