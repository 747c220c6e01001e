//! A field id is a valid name (FORMAT 1.3), and not empty.

rxseal::fields! { pub Upper = "Drug name" in Medication; }

mod empty {
    rxseal::fields! { pub Empty = "" in Medication; }
}

fn main() {}
