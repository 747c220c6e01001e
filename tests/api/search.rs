//! Index values: what they depend on, whose slots they have, under which index roots they are asked for, and what is refused.

use rxseal::index::{Definition, Forms, Index, IndexSet, IndexValue, Indexer, Kind, SlotOwner, SlotTable, StoredIndex};
use rxseal::keys::{KeyState, KeyUse, KeyringAdmin, KeyringFile, UnlockOptions};
use rxseal::root::RootKeys;
use rxseal::store::{KeyringStore, MemoryStore};
use rxseal::{Class, Error, FieldId, Identifier, KeyId, Keyring, Record, phi, run_local};

static NAMES: SlotTable = SlotTable::new("names/1", &[("jones", 200), ("smith", 42)]);

#[derive(Default)]
struct Patient {
    names: Vec<&'static str>,
    person: Option<&'static str>,
}

fn named(names: &[&'static str]) -> Patient {
    Patient { names: names.to_vec(), person: None }
}

macro_rules! index {
    ($name:ident: $stored:ty, $definition:expr $(, formerly $former:expr)?) => {
        enum $name {}

        impl Index for $name {
            type Record = Patient;
            type Stored = $stored;
            const DEFINITION: Definition = $definition;
            $(const FORMER: &'static [Definition] = $former;)?
            const CLASSES: &'static [Class] = &[Class::IDENTITY];
            const FIELDS: &'static [FieldId] = &[<phi::FamilyName as rxseal::Field>::ID];

            fn forms(patient: &Patient, definition: &Definition, forms: &mut Forms) -> Result<(), Error> {
                for name in &patient.names {
                    // The former normaliser knew no digits.
                    if definition.normalizers() == ["letters/1"] && name.bytes().any(|byte| byte.is_ascii_digit()) {
                        return Err(Error::not_indexable("letters"));
                    }
                    forms.push(&[name.as_bytes()])?;
                }
                Ok(())
            }

            fn person(patient: &Patient) -> Option<Identifier<'_>> {
                patient.person.map(Into::into)
            }
        }
    };
}

const fn whole(id: &'static str) -> Definition {
    Definition::new("patient", id, Kind::Whole, 64, &["exact/1"])
}

index!(Last: Option<IndexValue<Self>>, whole("patient.last"));
index!(OfRecord: Option<IndexValue<Self>>, whole("patient.slotted").with_slots(&NAMES, SlotOwner::Record));
index!(OfPerson: Option<IndexValue<Self>>, whole("patient.slotted").with_slots(&NAMES, SlotOwner::Person));
index!(Parts: IndexSet<Self>, Definition::new("patient", "patient.parts", Kind::Parts, 14, &["exact/1"]));
index!(
    Changed: Option<IndexValue<Self>>,
    whole("patient.changed"),
    formerly & [
        Definition::new("patient", "patient.changed", Kind::Whole, 20, &["letters/1"]),
        Definition::new("person", "patient.changed", Kind::Whole, 64, &["exact/1"]).with_slots(&NAMES, SlotOwner::Record),
    ]
);

fn keyring() -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved()
}

fn ask<I: Index>(indexer: &Indexer, name: &str) -> Vec<IndexValue<I>> {
    indexer.asked::<I>(|_, forms| forms.push(&[name.as_bytes()])).unwrap()
}

#[track_caller]
fn refused<T>(result: Result<T, Error>) -> &'static str {
    result.err().expect("it was accepted").code().as_str()
}

#[test]
fn a_value_is_found_by_a_query_of_it() {
    let (keys, other) = (keyring(), keyring());
    let indexer = keys.indexer().unwrap();
    let record = indexer.record("patient", "P-1").unwrap();
    let smith = indexer.stored::<Last>(&record, &named(&["smith"])).unwrap().unwrap();
    assert_eq!(ask::<Last>(&indexer, "smith"), [smith]);
    assert_ne!(ask::<Last>(&indexer, "Smith"), [smith], "a normaliser makes them one");
    assert_ne!(ask::<Last>(&other.indexer().unwrap(), "smith"), [smith], "another index root");
    for same in [keys.record("patient", "P-2").unwrap(), keys.record("patient", "P-1").unwrap().wide()] {
        assert_eq!(
            indexer.stored::<Last>(&same, &named(&["smith"])).unwrap(),
            Some(smith),
            "without slots it is of no record"
        );
    }
    let nothing = indexer.stored::<Last>(&record, &Patient::default()).unwrap();
    assert_eq!((nothing, indexer.stored::<Last>(&record, &named(&[""])).unwrap()), (None, None));
    assert_eq!(IndexValue::from_bytes(smith.as_bytes()).unwrap(), smith);
    assert_eq!(smith.to_string().parse::<IndexValue<Last>>().unwrap(), smith);
}

#[test]
fn a_set_has_each_value_once_in_order() {
    let keys = keyring();
    let indexer = keys.indexer().unwrap();
    let record = indexer.record("patient", "P-1").unwrap();
    let stored = |names: &[&'static str]| indexer.stored::<Parts>(&record, &named(names));
    let eight = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let set = stored(&eight).unwrap();
    assert!(set.as_slice().is_sorted() && set.as_slice().len() <= 8);
    assert_eq!(stored(&["h", "a", "", "g", "b", "f", "c", "e", "d", "a", "h"]).unwrap(), set);
    assert_eq!(stored(&[]).unwrap(), IndexSet::default());
    assert_eq!(refused(stored(&["a", "b", "c", "d", "e", "f", "g", "h", "i"])), "not-indexable");
    assert_eq!(IndexSet::from_values(set.as_slice().iter().rev().copied()).unwrap(), set);
    let nine = std::iter::repeat_n(set.as_slice()[0], 9);
    assert_eq!(refused(IndexSet::from_values(nine)), "index-unreadable");
}

#[test]
fn a_form_has_at_most_256_bytes() {
    let keys = keyring();
    let indexer = keys.indexer().unwrap();
    let record = indexer.record("patient", "P-1").unwrap();
    let long: &'static str = "x".repeat(257).leak();
    assert!(indexer.stored::<Last>(&record, &named(&[&long[..256]])).unwrap().is_some());
    assert_eq!(refused(indexer.stored::<Last>(&record, &named(&[long]))), "not-indexable");
    assert_eq!(refused(indexer.asked::<Last>(|_, forms| forms.push(&[long.as_bytes()]))), "not-indexable");
}

/// A person has one slot, over all rows and updates, and a query finds each.
#[test]
fn a_slot_is_its_owners() {
    let keys = keyring();
    let indexer = keys.indexer().unwrap();
    let smith = |record: &Record, person: Option<&'static str>| {
        let patient = Patient { names: vec!["smith"], person };
        let of_record = indexer.stored::<OfRecord>(record, &patient).map(Option::unwrap);
        let of_person = indexer.stored::<OfPerson>(record, &patient).map(Option::unwrap);
        (of_record, of_person)
    };
    let asked = ask::<OfRecord>(&indexer, "smith");
    assert_eq!(asked.len(), 42);
    let mut seen = std::collections::BTreeSet::new();
    for id in 0..1000 {
        let (of_record, of_person) = smith(&keys.record("patient", id).unwrap(), Some("person-1"));
        let (of_record, of_person) = (of_record.unwrap(), of_person.unwrap());
        assert!(asked.contains(&of_record));
        assert_eq!(
            of_person,
            smith(&keys.record("patient", 0).unwrap(), Some("person-1")).1.unwrap(),
            "one of a person"
        );
        seen.insert(of_record.to_string());
    }
    assert_eq!(seen.len(), 42, "all slots are used");

    let missing = "index-owner-missing";
    let record = keys.record("patient", 1).unwrap();
    assert_eq!(refused(smith(&record, None).1), missing);
    for without in [keys.record("patient", 1).unwrap().wide(), keys.unbound("patient").unwrap()] {
        assert_eq!(refused(smith(&without, None).0), missing);
        assert!(smith(&without, Some("person-1")).1.is_ok(), "a person is one everywhere");
    }
    assert_eq!(refused(smith(&record, Some("no id")).1), "invalid-id");
    // A rare name has one slot, and needs an owner nevertheless. A name that is not there needs none.
    let unbound = indexer.unbound("patient").unwrap();
    assert_eq!(refused(indexer.stored::<OfRecord>(&unbound, &named(&["zyzik"]))), missing);
    assert_eq!(indexer.stored::<OfRecord>(&unbound, &named(&[])).unwrap(), None);

    // The subject is the owner wherever there is one; a part is of its record.
    let (subject, _) = keys.create_subject_key("P-88").unwrap();
    let of_subject = smith(&keys.record("patient", 1).unwrap().subject(&subject).unwrap(), None).0.unwrap();
    for with_subject in [
        keys.record("patient", 2).unwrap(),
        keys.record("patient", 3).unwrap().wide(),
        keys.unbound("patient").unwrap(),
        keys.record("patient", 4).unwrap().part("line", 1).unwrap(),
    ] {
        let (of_record, of_person) = smith(&with_subject.subject(&subject).unwrap(), Some("person-1"));
        assert_eq!(of_record.unwrap(), of_subject);
        assert_eq!(of_person.unwrap().as_bytes(), of_subject.as_bytes());
    }
    let part = record.part("line", 1).unwrap();
    assert_eq!(smith(&part, None).0.unwrap(), smith(&record, None).0.unwrap());
}

struct Roots {
    roots: RootKeys,
    file: KeyringFile,
    admin: KeyringAdmin,
}

impl Roots {
    fn new() -> Self {
        let (roots, file) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
        let store = MemoryStore::default();
        run_local(store.put(&file, None)).unwrap();
        Self { admin: KeyringAdmin::new(store, roots.clone()), roots, file }
    }

    fn stage(&mut self) -> KeyId {
        let (file, id) = run_local(self.admin.stage_index_root("pharmacy-17")).unwrap();
        self.file = file;
        id
    }

    fn rotate(&mut self) {
        self.file = run_local(self.admin.rotate_index_root("pharmacy-17")).unwrap().0;
    }

    fn force(&mut self, id: KeyId, state: KeyState) {
        self.file =
            run_local(rxseal::testing::force_key_state("pharmacy-17", &self.roots, &self.file, id, state)).unwrap();
    }

    fn primary(&self) -> KeyId {
        self.file.keys().iter().find(|key| key.usage() == KeyUse::Index && key.is_primary()).unwrap().id()
    }

    fn indexer(&self) -> Indexer {
        let options = UnlockOptions::default().with_index_roots();
        let keys = run_local(Keyring::unlock_with(options, "pharmacy-17", &self.roots, &self.file)).unwrap();
        keys.unobserved().indexer().unwrap()
    }
}

/// FORMAT 15.9
#[test]
fn the_state_of_an_index_root_says_who_uses_it() {
    let mut roots = Roots::new();
    let first = roots.primary();
    let stored = |indexer: &Indexer| {
        indexer.stored::<Last>(&indexer.record("patient", 1).unwrap(), &named(&["smith"])).unwrap().unwrap()
    };
    let old = stored(&roots.indexer());

    let staged = roots.stage();
    let indexer = roots.indexer();
    assert_eq!(stored(&indexer), old, "nothing is written under a staged one");
    assert_eq!((ask::<Last>(&indexer, "smith").len(), indexer.roots().count()), (2, 2), "and it is asked for");
    assert!(!indexer.needs_reindex::<Last>(&Some(old)).unwrap());

    roots.force(staged, KeyState::Destroyed);
    assert_eq!(ask::<Last>(&roots.indexer(), "smith"), [old]);
    roots.rotate();
    let indexer = roots.indexer();
    let new = stored(&indexer);
    assert_ne!(new, old);
    let asked = ask::<Last>(&indexer, "smith");
    // The store still has the staged one.
    assert!(asked.len() == 3 && asked.is_sorted() && asked.contains(&old) && asked.contains(&new));
    assert!(indexer.needs_reindex::<Last>(&Some(old)).unwrap());
    assert!(!indexer.needs_reindex::<Last>(&Some(new)).unwrap());
    assert!(!indexer.needs_reindex::<Last>(&None).unwrap(), "null says nothing");

    let state = |roots: &Roots| roots.file.keys().iter().find(|key| key.id() == first).unwrap().state();
    assert_eq!(state(&roots), KeyState::Deactivated);
    roots.force(first, KeyState::Compromised);
    assert!(ask::<Last>(&roots.indexer(), "smith").contains(&old));
    assert_eq!(stored(&roots.indexer()), new);
    roots.force(first, KeyState::Destroyed);
    let indexer = roots.indexer();
    let asked = ask::<Last>(&indexer, "smith");
    assert!(asked.len() == 2 && asked.contains(&new) && !asked.contains(&old));
    assert_eq!(refused(indexer.needs_reindex::<Last>(&Some(old))), "index-unreadable");
}

#[test]
fn a_former_definition_is_asked_for_and_not_written() {
    let mut roots = Roots::new();
    roots.stage();
    let indexer = roots.indexer();
    let record = indexer.record("patient", 1).unwrap();
    let asked = ask::<Changed>(&indexer, "smith");
    assert_eq!(asked.len(), 2 * (1 + 1 + 42));
    let stored = indexer.stored::<Changed>(&record, &named(&["smith"])).unwrap();
    assert!(asked.contains(&stored.unwrap()) && !indexer.needs_reindex::<Changed>(&stored).unwrap());
    for value in asked {
        let is_own = Some(value) == stored;
        let verified = indexer.verify::<Changed>(&record, &named(&["smith"]), &Some(value));
        // Of 42 slots one is the record's.
        assert!(verified.is_ok() || verified.unwrap_err().is_index_stale());
        assert!(!is_own || indexer.verify::<Changed>(&record, &named(&["smith"]), &Some(value)).is_ok());
    }
    // What the former normaliser refused is in no row of it.
    let asked = indexer.asked::<Changed>(|definition, forms| Changed::forms(&named(&["smith 3"]), definition, forms));
    assert_eq!(asked.unwrap().len(), 2 * 2);
}

#[test]
fn a_stored_value_is_verified() {
    let keys = keyring();
    let indexer = keys.indexer().unwrap();
    let record = keys.record("patient", 1).unwrap();
    let (smith, jones, nobody) = (named(&["smith"]), named(&["jones"]), named(&[]));
    let of = |patient| indexer.stored::<OfRecord>(&record, patient).unwrap();
    let verify = |patient: &Patient, stored| indexer.verify::<OfRecord>(&record, patient, &stored);
    verify(&smith, of(&smith)).unwrap();
    verify(&nobody, None).unwrap();
    for (patient, stored) in [(&jones, of(&smith)), (&nobody, of(&smith)), (&smith, None)] {
        assert!(verify(patient, stored).unwrap_err().is_index_stale());
    }
    // One record of 42 has the same slot by chance.
    let elsewhere = |id| indexer.verify::<OfRecord>(&keys.record("patient", id).unwrap(), &smith, &of(&smith));
    let stale = (2..102).filter(|id| elsewhere(*id).is_err_and(|error| error.is_index_stale())).count();
    assert!(stale > 50, "the slot is another record's: {stale}");
    let foreign = keyring().indexer().unwrap();
    let foreign = foreign.stored::<OfRecord>(&foreign.record("patient", 1).unwrap(), &smith).unwrap();
    assert!(verify(&smith, foreign).unwrap_err().is_index_unreadable());

    let set = |names: &[&'static str]| indexer.stored::<Parts>(&record, &named(names)).unwrap();
    indexer.verify::<Parts>(&record, &named(&["b", "a"]), &set(&["a", "b"])).unwrap();
    let stale = indexer.verify::<Parts>(&record, &named(&["a", "b"]), &set(&["a"]));
    assert!(stale.unwrap_err().is_index_stale());
    assert_eq!(set(&["a", "b"]).values().len(), 2);
}

#[test]
fn a_query_is_never_cut_off() {
    let keys = keyring();
    let indexer = keys.indexer().unwrap();
    let ask =
        |inputs: usize| indexer.asked::<OfRecord>(|_, forms| (0..inputs).try_for_each(|_| forms.push(&[b"jones"])));
    assert_eq!(ask(5).unwrap().len(), 200, "five times the same, asked for once");
    assert_eq!(refused(ask(6)), "query-too-large");
    assert_eq!(refused(ask(0)), "empty-query");
    assert_eq!(refused(indexer.asked::<Last>(|_, forms| forms.push(&[b""]))), "empty-query");
}

#[test]
fn who_may_compute_what() {
    let keys = keyring();
    let indexer = keys.indexer().unwrap();
    let smith = named(&["smith"]);
    let record = indexer.record("patient", 1).unwrap();
    let identity = indexer.clone().only([Class::IDENTITY, Class::CONTACT]);
    identity.stored::<Last>(&record, &smith).unwrap();
    let clinical = identity.only([Class::CLINICAL, Class::CONTACT]);
    assert_eq!(refused(clinical.stored::<Last>(&record, &smith)), "class-locked");
    assert_eq!(refused(clinical.asked::<Last>(|_, forms| forms.push(&[b"smith"]))), "class-locked");
    assert_eq!(refused(clinical.verify::<Last>(&record, &smith, &None)), "class-locked");

    let other = keys.record("prescription", 1).unwrap();
    let error = indexer.stored::<Last>(&other, &smith).unwrap_err();
    assert!(error.is_api_misuse() && error.code().as_str() == "index-mismatch");
    let elsewhere = rxseal::testing::insecure_keyring("pharmacy-18").unwrap().unobserved();
    let elsewhere = elsewhere.record("patient", 1).unwrap();
    assert_eq!(refused(indexer.stored::<Last>(&elsewhere, &smith)), "keyspace-mismatch");
    assert!(indexer.stored::<Last>(&keys.sealer().record("patient", 1).unwrap(), &smith).unwrap().is_some());
}

#[test]
fn bytes_of_another_shape_are_refused() {
    let keys = keyring();
    let indexer = keys.indexer().unwrap();
    let record = indexer.record("patient", 1).unwrap();
    let value = indexer.stored::<Parts>(&record, &named(&["smith"])).unwrap().as_slice()[0];
    assert_eq!(value.as_bytes().len(), 5);
    for len in [0, 3, 4, 6, 19, 20, 1000] {
        let bytes: Vec<_> = value.as_bytes().iter().copied().cycle().take(len).collect();
        assert_eq!(refused(IndexValue::<Parts>::from_bytes(&bytes)), "index-unreadable", "{len}");
    }
    let mut unused = value.as_bytes().to_vec();
    unused[4] |= 1;
    assert_eq!(refused(IndexValue::<Parts>::from_bytes(&unused)), "index-unreadable", "14 bits leave 2 zeros");
    let text = value.to_string();
    for wrong in [format!("{text}="), format!(" {text}"), text[..6].to_owned(), "Smith".to_owned(), String::new()] {
        assert_eq!(refused(wrong.parse::<IndexValue<Parts>>()), "index-unreadable", "{wrong}");
    }
}
