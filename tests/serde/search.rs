//! Every error of search: its code, and that it names the index and no value.

use rxseal::index::{Definition, Forms, Index, IndexValue, Kind, SlotOwner, SlotTable};
use rxseal::keys::UnlockOptions;
use rxseal::{Class, Error, FieldId, Keyring, phi, run_local};

use crate::support::{CANARY, keyring};

static NAMES: SlotTable = SlotTable::new("names/1", &[("smith", 42)]);

struct Patient(&'static str);

macro_rules! index {
    ($name:ident, $definition:expr) => {
        enum $name {}

        impl Index for $name {
            type Record = Patient;
            type Stored = Option<IndexValue<Self>>;
            const DEFINITION: Definition = $definition;
            const CLASSES: &'static [Class] = &[Class::IDENTITY];
            const FIELDS: &'static [FieldId] = &[<phi::FamilyName as rxseal::Field>::ID];

            fn forms(patient: &Patient, _: &Definition, forms: &mut Forms) -> Result<(), Error> {
                match patient.0 {
                    "refused" => Err(Error::not_indexable("a name")),
                    "wrong" => Err(Error::bad_check_digit("an NPI")),
                    name => forms.push(&[name.as_bytes()]),
                }
            }
        }
    };
}

const WHOLE: Definition = Definition::new("patient", "patient.last", Kind::Whole, 14, &["exact/1"]);
index!(LastName, WHOLE);
index!(
    Slotted,
    Definition::new("patient", "patient.slotted", Kind::Whole, 14, &["exact/1"]).with_slots(&NAMES, SlotOwner::Record)
);

fn without_roots() -> Keyring {
    let (roots, file) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    run_local(Keyring::unlock_with(UnlockOptions::default(), "pharmacy-17", &roots, &file)).unwrap().unobserved()
}

/// Each error with the code that it must have.
pub fn errors() -> Vec<(&'static str, Error)> {
    let keys = keyring();
    let indexer = keys.indexer().unwrap();
    let record = indexer.record("patient", "P-1").unwrap();
    let stored = |name| indexer.stored::<LastName>(&record, &Patient(name));
    let canary = stored(CANARY).unwrap();
    let mut unknown = canary.unwrap().as_bytes().to_vec();
    unknown[0] ^= 1;
    let unknown = Some(IndexValue::from_bytes(&unknown).unwrap());
    let ask = |forms: usize| {
        indexer
            .asked::<LastName>(|_, out| (0..forms).try_for_each(|at| out.push(&[format!("{CANARY}{at}").as_bytes()])))
    };
    let fails = |result: Result<Option<IndexValue<LastName>>, Error>| result.unwrap_err();
    vec![
        ("not-indexable", fails(stored("refused"))),
        ("bad-check-digit", fails(stored("wrong"))),
        ("empty-query", ask(0).unwrap_err()),
        ("empty-query", indexer.asked::<LastName>(|_, forms| forms.push(&[b""])).unwrap_err()),
        ("query-too-large", ask(1025).unwrap_err()),
        ("query-too-large", Error::query_too_large()),
        ("index-unreadable", IndexValue::<LastName>::from_bytes(b"123456").unwrap_err()),
        ("index-unreadable", CANARY.parse::<IndexValue<LastName>>().unwrap_err()),
        ("index-unreadable", indexer.verify::<LastName>(&record, &Patient(CANARY), &unknown).unwrap_err()),
        ("index-stale", indexer.verify::<LastName>(&record, &Patient("another"), &canary).unwrap_err()),
        ("index-owner-missing", {
            let unbound = indexer.unbound("patient").unwrap();
            indexer.stored::<Slotted>(&unbound, &Patient(CANARY)).unwrap_err()
        }),
        ("index-mismatch", {
            let other = indexer.record("prescription", "P-1").unwrap();
            fails(indexer.stored::<LastName>(&other, &Patient(CANARY)))
        }),
        ("index-roots-missing", without_roots().indexer().unwrap_err()),
        ("class-locked", fails(indexer.clone().only([Class::CLINICAL]).stored::<LastName>(&record, &Patient(CANARY)))),
    ]
}

#[test]
fn errors_name_their_index() {
    let unnamed = ["index-roots-missing", "query-too-large"];
    for (code, error) in errors().into_iter().filter(|(code, _)| !unnamed.contains(code)) {
        assert!(error.index_id().is_some_and(|index| error.to_string().contains(index)), "{code}: {error}");
    }
}
