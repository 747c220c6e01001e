//! Only the vocabulary may use its ids.

rxseal::fields! { pub Mine = "phi.drug" in Medication; }

fn main() {}
