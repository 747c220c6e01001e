//! An index of a drug under the marker of a name: nobody would be found by the name, and a thief would count the drugs.

#[derive(rxseal::PhiRecord)]
#[phi(record = "prescription")]
pub struct Prescription {
    #[phi(id)]
    pub id: u64,
    #[phi(seal = rxseal::phi::FamilyName, index = LastNameIs)]
    pub last_name: String,
    #[phi(seal = rxseal::phi::Drug)]
    pub drug: String,
}

rxseal_search::indexes! {
    for Prescription as "prescription" {
        pub LastNameIs = "prescription.last": family(drug: rxseal::phi::FamilyName), bits 14;
    }
}

fn main() {}
