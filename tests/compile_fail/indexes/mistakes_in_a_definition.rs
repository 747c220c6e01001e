//! What the macro itself finds.

use rxseal::phi::{BirthDate, FamilyName};

pub struct Patient {
    birth_date: String,
    last_name: String,
}

rxseal_search::indexes! {
    for Patient as "Patient" {
        pub NoBits = "patient.no-bits": date(birth_date: BirthDate);
        pub FewBits = "patient.few": date(birth_date: BirthDate), bits 7;
        pub ManyBits = "patient.many": date(birth_date: BirthDate), bits 65;
        pub BothBits = "patient.both": date(birth_date: BirthDate), bits 14, unique;
        pub Twice = "patient.few": date(birth_date: BirthDate), bits 14;
        pub Alone = "patient.alone": (date(birth_date: BirthDate)), bits 14;
        pub TwoFields = "patient.two": date(birth_date: BirthDate, last_name: FamilyName), bits 14;
        pub Slotted = "patient.slotted": (date(birth_date: BirthDate), family(last_name: FamilyName)), bits 14,
            slots us_surnames_1 by record;
        pub SlottedOnce = "patient.once": family(last_name: FamilyName), unique, slots us_surnames_1 by record;
        pub Lenient = "patient.lenient": date(birth_date: BirthDate), bits 14, lenient;
        pub UniqueParts = "patient.parts": family_parts(last_name: FamilyName), unique;
        pub Former = "patient.former": date(birth_date: BirthDate), bits 14, formerly [(date, date); bits 200];
    }
}

fn main() {}
