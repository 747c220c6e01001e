//! A block is 1 to 4096 bytes (FORMAT 7.2).

rxseal::fields! { pub Padded = "rx.drug" in Medication { block: 4097 }; }

fn main() {}
