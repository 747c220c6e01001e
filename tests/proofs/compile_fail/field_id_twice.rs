//! A field id stands once in an invocation.

rxseal::fields! {
    pub First = "rx.drug" in Medication;
    pub Second = "rx.drug" in Clinical;
}

fn main() {}
