//! Index columns belong to the rows of a whole record, and to what is sealed there.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(nested)]
struct Name {
    #[phi(seal = FamilyName, index = LastNameIs)]
    family: String,
}

#[derive(PhiRecord)]
#[phi(part)]
struct Line {
    #[phi(id)]
    number: u64,
    #[phi(seal = FamilyName, index = LastNameIs)]
    name: String,
}

#[derive(PhiRecord)]
#[phi(record = "patient", projection)]
struct Label {
    #[phi(id)]
    id: u64,
    #[phi(seal = FamilyName, index = LastNameIs)]
    name: String,
}

#[derive(PhiRecord)]
#[phi(record = "patient")]
enum Person {
    Patient {
        #[phi(id)]
        id: u64,
        #[phi(seal = FamilyName, index = LastNameIs)]
        name: String,
    },
}

#[derive(PhiRecord)]
#[phi(record = "patient")]
struct Generic<T> {
    #[phi(id)]
    id: u64,
    #[phi(seal = FamilyName, index = LastNameIs)]
    name: T,
}

#[derive(PhiRecord)]
#[phi(record = "patient")]
struct Readable {
    #[phi(id, index = IdIs)]
    id: u64,
    #[phi(clear, index = BornOn)]
    birth_date: String,
}

fn main() {}
