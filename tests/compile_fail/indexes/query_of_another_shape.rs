//! A compound index is asked for a tuple, another one is not, and days are asked of dates.

use rxseal::index::Indexer;
use rxseal::phi::{BirthDate, FamilyName};
use rxseal_search::Find;

pub struct Patient {
    birth_date: String,
    last_name: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
        pub LastBorn = "patient.last-born": (family(last_name: FamilyName), date(birth_date: BirthDate)), bits 17;
        pub LastIs = "patient.last": family(last_name: FamilyName), bits 14;
    }
}

fn ask(indexer: &Indexer) {
    let _ = indexer.find::<LastBorn>("Smith");
    let _ = indexer.find::<BornOn>(("Smith", "1970-01-31"));
    let _ = indexer.find_days::<LastIs>("1970-01-01"..="1970-01-31");
}

fn main() {}
