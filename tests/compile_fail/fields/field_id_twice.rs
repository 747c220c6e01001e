//! An invocation has each field id once.

rxseal::fields! {
    pub First = "rx.drug" in Medication;
    pub Second = "rx.drug" in Clinical;
}

fn main() {}
