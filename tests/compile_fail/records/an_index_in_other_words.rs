//! `index = Marker`, and `index = Marker as column`: each column once.

use rxseal::PhiRecord;

#[derive(PhiRecord)]
#[phi(record = "patient")]
struct Patient {
    #[phi(id)]
    id: u64,
    #[phi(seal = BirthDate, index = "born")]
    birth_date: String,
    #[phi(seal = FamilyName, index)]
    last_name: String,
    #[phi(seal = GivenName, index(FirstNameIs))]
    first_name: String,
}

#[derive(PhiRecord)]
#[phi(record = "person")]
struct Person {
    #[phi(id)]
    id: u64,
    #[phi(seal = BirthDate, index = BornOn, index = BornOn)]
    birth_date: String,
    #[phi(seal = FamilyName, index = LastName, index = LastAndBorn as both)]
    last_name: String,
    #[phi(seal = GivenName, index = LastAndBorn as other, index = Any as born_on)]
    first_name: String,
    #[phi(seal = Mrn, index = MrnIs as phone)]
    mrn: String,
    #[phi(seal = Phone)]
    phone: String,
}

fn main() {}
