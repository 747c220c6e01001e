//! Two markers of one id, which different invocations of `fields!` declared.

use rxseal::PhiRecord;

rxseal::fields! { pub Home = "contact.phone" in Contact; }
rxseal::fields! { pub Work = "contact.phone.work" in Contact, was "contact.phone" in Contact; }

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    id: u64,
    #[phi(seal = Home)]
    home: String,
    #[phi(seal = Work)]
    work: String,
}

fn main() {}
