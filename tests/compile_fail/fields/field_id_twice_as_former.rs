//! A former id is an id too.

rxseal::fields! {
    pub First = "rx.drug" in Medication;
    pub Second = "rx.product" in Medication, was "rx.drug" in Medication;
}

fn main() {}
