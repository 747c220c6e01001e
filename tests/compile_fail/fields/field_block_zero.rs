//! A block is 1 to 4096 bytes (FORMAT 7.2).

rxseal::fields! { pub Unpadded = "rx.drug" in Medication { block: 0 }; }

fn main() {}
