//! The ids of the vocabulary are its own.

rxseal::fields! { pub Mine = "phi.drug" in Medication; }

fn main() {}
