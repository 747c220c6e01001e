//! The record of these tests, with an index of each kind.

use rxseal::PhiRecord;
use rxseal::phi::{BirthDate, FamilyName, GivenName, Mrn, Phone};
use rxseal_search::indexes;

#[derive(PhiRecord, Clone, PartialEq)]
#[phi(record = "patient", derive(Debug))]
pub struct Patient {
    #[phi(id)]
    pub id: u64,
    #[phi(seal = FamilyName, index = LastNameIs, index = AnyName, index = LastAndBorn)]
    pub last_name: String,
    #[phi(seal = Option<FamilyNameBefore>, index = AnyName)]
    pub former_name: Option<String>,
    #[phi(seal = GivenName, index = FirstNameIs)]
    pub first_name: String,
    #[phi(seal = BirthDate, index = BornOn, index = LastAndBorn)]
    pub birth_date: String,
    #[phi(seal = Option<Phone>, index = PhoneIs)]
    pub phone: Option<String>,
    #[phi(seal = Mrn, index = MrnIs)]
    pub mrn: String,
}

rxseal::fields! {
    pub FamilyNameBefore = "patient.former-name" in Identity { search: whole };
}

indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
        pub LastNameIs = "patient.last": family(last_name: FamilyName), bits 14, slots us_surnames_1 by record;
        pub FirstNameIs = "patient.first": given(first_name: GivenName), bits 14, slots us_given_1 by |patient| &patient.id;
        pub AnyName = "patient.names": family_parts(last_name: FamilyName, former_name: FamilyNameBefore), bits 14,
            slots us_surnames_1 by record;
        pub PhoneIs = "patient.phone": phone(phone: Phone), bits 17, formerly [exact, bits 12];
        pub LastAndBorn = "patient.lastdob": (family(last_name: FamilyName), date(birth_date: BirthDate)), bits 17,
            formerly [bits 20; (exact, date)];
        pub MrnIs = "patient.mrn": id(mrn: Mrn), unique;
    }
}
