//! A column of last names, as the library computes it.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use rxseal::index::{Definition, Forms, Index, IndexValue, Kind, SlotOwner};
use rxseal::keys::UnlockOptions;
use rxseal::phi::FamilyName;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::{Class, Error, Field, FieldId, Identifier, Keyring, run_local};
use rxseal_search::slots::US_SURNAMES_1;

/// Somebody's last name, in a row of some table.
pub struct Row {
    pub last_name: String,
    pub person: String,
}

/// Without slots.
pub struct Plain<const BITS: u8>;
/// With slots, of which each person has one.
pub struct ByPerson<const BITS: u8>;
/// With slots, of which each row has one.
pub struct ByRow<const BITS: u8>;

const fn definition(bits: u8) -> Definition {
    Definition::new("patient", "patient.last", Kind::Whole, bits, &["family/1"])
}

macro_rules! indexes {
    ($($index:ident = $definition:expr;)*) => {$(
        impl<const BITS: u8> Index for $index<BITS> {
            type Record = Row;
            type Stored = Option<IndexValue<Self>>;
            const DEFINITION: Definition = $definition;
            const CLASSES: &'static [Class] = &[<FamilyName as Field>::CLASS];
            const FIELDS: &'static [FieldId] = &[<FamilyName as Field>::ID];

            fn forms(row: &Row, _: &Definition, forms: &mut Forms) -> Result<(), Error> {
                forms.push(&[row.last_name.as_bytes()])
            }

            fn person(row: &Row) -> Option<Identifier<'_>> {
                Some(row.person.as_str().into())
            }
        }
    )*};
}

indexes! {
    Plain = definition(BITS);
    ByPerson = definition(BITS).with_slots(&US_SURNAMES_1, SlotOwner::Person);
    ByRow = definition(BITS).with_slots(&US_SURNAMES_1, SlotOwner::Record);
}

/// The stored value of each row, under the keyring of a seed. A name without slots has one value, whoever has it, which is computed once.
pub fn column<I: Index<Record = Row, Stored = Option<IndexValue<I>>>>(rows: &[Row], seed: u64) -> Vec<Vec<u8>> {
    let keys = keyring(seed);
    let indexer = keys.indexer().unwrap();
    let row_type = keys.record_type("patient").unwrap();
    let stored =
        |at: u64, row| indexer.stored::<I>(&row_type.record(at).unwrap(), row).unwrap().unwrap().as_bytes().to_vec();
    let has_slots = |row: &Row| I::DEFINITION.slots().is_some_and(|table| table.slots(row.last_name.as_bytes()) > 1);
    let mut known: HashMap<&str, Vec<u8>> = HashMap::new();
    let mut values = Vec::with_capacity(rows.len());
    for (at, row) in (0_u64..).zip(rows) {
        values.push(if has_slots(row) {
            stored(at, row)
        } else {
            known.entry(&row.last_name).or_insert_with(|| stored(at, row)).clone()
        });
    }
    values
}

/// What a query for a last name asks for.
pub fn asked<I: Index<Record = Row>>(last_name: &str, seed: u64) -> Vec<Vec<u8>> {
    let indexer = keyring(seed).indexer().unwrap();
    let asked = indexer.asked::<I>(|_, forms| forms.push(&[last_name.as_bytes()])).unwrap();
    asked.iter().map(|value| value.as_bytes().to_vec()).collect()
}

/// A keyring whose keys are known, so that a run repeats: one of the golden ones.
fn keyring(seed: u64) -> Keyring {
    const FILES: [&str; 2] = [include_str!("../../golden/keyring-x.json"), include_str!("../../golden/keyring-c.json")];
    // Git keeps no modes, and only its owner may read a root key.
    let name = format!("rxseal-attack-{}-{:?}.key", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    file.write_all(include_bytes!("../../golden/root-key.txt")).unwrap();
    let roots = RootKeys::from(RootKeyFile::new(&path).load().unwrap());
    fs::remove_file(&path).unwrap();
    let options = UnlockOptions::default().with_index_roots();
    let file = FILES[(seed % 2) as usize].parse().unwrap();
    run_local(Keyring::unlock_with(options, "golden", &roots, &file)).unwrap().unobserved()
}
