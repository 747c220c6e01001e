//! Index values and sets of them as columns, in each driver: bytes, text, arrays, NULL, and what is refused.

mod on_postgres;
mod on_sqlite;

use rxseal::index::{Definition, Forms, Index, IndexSet, IndexValue, Kind};
use rxseal::phi::BirthDate;
use rxseal::{Class, Error, Field, FieldId};

pub struct Patient;

/// Its values have 5 bytes, and those of its former definition have 6.
pub struct BornOn;

impl Index for BornOn {
    type Record = Patient;
    type Stored = Option<IndexValue<Self>>;
    const DEFINITION: Definition = Definition::new("patient", "patient.born", Kind::Whole, 14, &["date/1"]);
    const FORMER: &'static [Definition] = &[Definition::new("patient", "patient.born", Kind::Whole, 17, &["date/1"])];
    const CLASSES: &'static [Class] = &[Class::IDENTITY];
    const FIELDS: &'static [FieldId] = &[BirthDate::ID];

    fn forms(_: &Patient, _: &Definition, forms: &mut Forms) -> Result<(), Error> {
        forms.push(&[b"1970-01-31"])
    }
}

pub struct AnyName;

impl Index for AnyName {
    type Record = Patient;
    type Stored = IndexSet<Self>;
    const DEFINITION: Definition = Definition::new("patient", "patient.names", Kind::Parts, 14, &["family-parts/1"]);
    const CLASSES: &'static [Class] = &[Class::IDENTITY];
    const FIELDS: &'static [FieldId] = &[BirthDate::ID];

    fn forms(_: &Patient, _: &Definition, forms: &mut Forms) -> Result<(), Error> {
        forms.push(&[b"smithjones"])?;
        forms.push(&[b"jones"])
    }
}

/// The worked value of docs/FORMAT.md.
pub fn born() -> IndexValue<BornOn> {
    "wLgfnGw".parse().unwrap()
}

pub fn names() -> IndexSet<AnyName> {
    let values = ["AWm7VtQ", "wLgfnGw"].map(|text| text.parse().unwrap());
    IndexSet::from_values(values).unwrap()
}

/// What is no value of either index: too short, too long, with an unused bit, plaintext, and a token's beginning.
pub const OTHERS: [&[u8]; 5] = [&[1, 2, 3], &[1; 12], &[1, 2, 3, 4, 5], b"1970-01-31", b"rxsXAbCdEf12"];
