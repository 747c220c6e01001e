//! A thief who counts finds every drug.

pub struct Prescription {
    drug: String,
}

rxseal_search::indexes! {
    for Prescription as "prescription" {
        pub DrugIs = "prescription.drug": exact(drug: rxseal::phi::Drug), bits 14;
    }
}

fn main() {}
