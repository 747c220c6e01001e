//! Four indexes, written by hand: their forms are the fields as they are, so that no normaliser is counted.

use rxseal::index::{Definition, Forms, Index, IndexValue, Kind, SlotOwner, SlotTable};
use rxseal::{Class, Error, Field, FieldId, phi};

static NAMES: SlotTable = SlotTable::new("names/1", &[("jones", 23), ("smith", 42), ("williams", 28)]);

pub struct Patient {
    last_name: String,
    birth_date: String,
    phone: String,
}

impl Patient {
    pub fn new() -> Self {
        Self { last_name: "smith".into(), birth_date: "1957-03-21".into(), phone: "13035550123".into() }
    }
}

macro_rules! index {
    ($name:ident: $definition:expr, $($field:ident as $marker:ident),+) => {
        pub enum $name {}

        impl Index for $name {
            type Record = Patient;
            type Stored = Option<IndexValue<Self>>;
            const DEFINITION: Definition = $definition;
            const CLASSES: &'static [Class] = &[$(phi::$marker::CLASS),+];
            const FIELDS: &'static [FieldId] = &[$(phi::$marker::ID),+];

            fn forms(patient: &Patient, _: &Definition, forms: &mut Forms) -> Result<(), Error> {
                forms.push(&[$(patient.$field.as_bytes()),+])
            }
        }
    };
}

const fn whole(id: &'static str, bits: u8) -> Definition {
    Definition::new("patient", id, Kind::Whole, bits, &["exact/1"])
}

index!(BornOn: whole("patient.born", 14), birth_date as BirthDate);
index!(LastNameIs: whole("patient.last", 14).with_slots(&NAMES, SlotOwner::Record), last_name as FamilyName);
index!(PhoneIs: whole("patient.phone", 17), phone as Phone);
index!(
    LastAndBorn: Definition::new("patient", "patient.last-born", Kind::Compound, 17, &["exact/1", "exact/1"]),
    last_name as FamilyName, birth_date as BirthDate
);
