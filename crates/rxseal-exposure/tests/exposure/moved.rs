//! Keys that moved since the theft: keyrings that are under another root key now, and stores of subject keys that changed.

use std::sync::Arc;

use rxseal::keys::{KeyringAdmin, KeyringFile, Suite};
use rxseal::phi::PatientName;
use rxseal::store::{KeyringStore as _, MemoryStore, MemorySubjectStore, SubjectKeyStore as _};
use rxseal::testing::{create_keyring, insecure_keyring_file, rotate_keyring};
use rxseal::{KeyId, Keyring, run_local};
use rxseal_exposure::Theft;

use crate::support::{Place, RX, stolen, told};

/// A keyring that was rewrapped was under the stolen root key before.
#[test]
fn a_keyring_that_is_under_another_root_key_now_is_undecided_without_its_older_file() {
    let place = Place::new();
    place.fill(1);
    std::fs::copy(place.path("rx.csv"), place.path("copy.csv")).unwrap();
    let (others, _) = insecure_keyring_file("pharmacy-17").unwrap();
    // Another keyring is under the stolen root key still, so it is known.
    let clinic = run_local(create_keyring("clinic-3", &place.roots, Suite::default())).unwrap();
    let root = place.ring.wraps().next().unwrap();
    let root = stolen(&format!("root:{}", root.root_key()));
    let store = Arc::new(MemoryStore::default());
    run_local(store.put(&place.ring, None)).unwrap();
    let admin = KeyringAdmin::new(Arc::clone(&store), place.roots.clone());
    let moved = run_local(admin.rewrap("pharmacy-17", &others)).unwrap();
    let theft = |rings: &[&KeyringFile]| -> Theft {
        let theft = place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).stolen(root.clone());
        rings.iter().fold(theft.keyring(clinic.clone()), |theft, ring| theft.keyring((*ring).clone()))
    };
    let now = told(theft(&[&moved]));
    assert_eq!((now.state("1", "identity"), now.codes()), ("undecided", vec!["key-undecided"]));
    assert_eq!(told(theft(&[&place.ring, &moved])).state("1", "identity"), "could-be-read");
    // A keyring that was always under the other one: its first generation is here.
    let first = run_local(create_keyring("pharmacy-17", &others, Suite::default())).unwrap();
    let keys = run_local(Keyring::unlock("pharmacy-17", &others, &first)).unwrap().unobserved();
    let name = keys.record("prescription", 1).unwrap().seal_text::<PatientName>("Jane Doe").unwrap();
    place.write("copy.csv", format!("{RX}\n1,,{name},,,\n"));
    let safe = told(theft(&[&first]));
    assert_eq!((safe.state("1", "identity"), safe.codes()), ("sealed", vec![]));
}

/// A patient with a key of its own, whose wrap is under the first of two keys of the keyring or under the second.
struct Wrapped {
    place: Place,
    stolen: KeyId,
    /// The store at the theft, and the store after its wraps were moved to a key that was not stolen.
    then: MemorySubjectStore,
    now: MemorySubjectStore,
}

fn wrapped() -> Wrapped {
    let place = Place::new();
    place.fill(1);
    let stolen = place.keys.primary_key();
    let (key, then_wrapped) = place.keys.create_subject_key("pat-7").unwrap();
    let record = place.keys.record("prescription", 9).unwrap().subject(&key).unwrap();
    let name = record.seal_text::<PatientName>("Jane Doe").unwrap();
    place.write("copy.csv", format!("{RX}\n9,pat-7,{name},,,\n"));
    let next = run_local(rotate_keyring("pharmacy-17", &place.roots, &place.ring)).unwrap();
    let next_keys = run_local(Keyring::unlock("pharmacy-17", &place.roots, &next)).unwrap().unobserved();
    let now_wrapped = next_keys.rewrap_subject_key("pat-7", &then_wrapped).unwrap();
    let (then, now) = (MemorySubjectStore::default(), MemorySubjectStore::default());
    run_local(then.insert("pharmacy-17", "pat-7", &then_wrapped)).unwrap();
    run_local(now.insert("pharmacy-17", "pat-7", &now_wrapped)).unwrap();
    let mut place = place;
    place.ring = next;
    Wrapped { place, stolen, then, now }
}

impl Wrapped {
    fn theft(&self) -> Theft {
        let theft = self.place.theft().stolen(self.place.copy("copy.csv", "csv:rx.csv"));
        theft.stolen(stolen(&format!("key:{}", self.stolen))).keyring(self.place.ring.clone())
    }
}

#[test]
fn a_store_of_today_does_not_say_what_the_stolen_one_had() {
    let state = |thing: &str, is_now: bool| {
        let wrapped = wrapped();
        let theft = wrapped.theft().stolen(stolen(thing));
        let told = told(theft.subject_keys(if is_now { wrapped.now } else { wrapped.then }));
        (told.state("pat-7", "identity").to_owned(), told.codes().contains(&"live-store"))
    };
    assert_eq!(state("subject-keys:file:x", false), ("readable".to_owned(), false));
    assert_eq!(state("subject-keys:file:x", true), ("undecided".to_owned(), true));
    // Whoever says that this is the copy knows that the wrap is under a key that nobody stole.
    assert_eq!(state("subject-keys:copy:file:x", true), ("sealed".to_owned(), false));
    assert_eq!(state("subject-keys:copy:file:x", false), ("readable".to_owned(), false));
}

/// The worst of them counts, in any order.
#[test]
fn several_stores_of_subject_keys_can_be_stolen() {
    let thing = || stolen("subject-keys:copy:file:x");
    for is_first in [true, false] {
        let wrapped = wrapped();
        let theft = wrapped.theft().stolen(thing()).stolen(thing());
        let (one, other) = if is_first { (wrapped.then, wrapped.now) } else { (wrapped.now, wrapped.then) };
        let told = told(theft.subject_keys(one).subject_keys(other));
        assert_eq!((told.state("pat-7", "identity"), told.codes()), ("readable", vec![]));
    }
    // One of them was not given: it may have had anybody's key.
    let wrapped = wrapped();
    let told = told(wrapped.theft().stolen(thing()).stolen(thing()).subject_keys(wrapped.now));
    assert_eq!(told.state("pat-7", "identity"), "undecided");
    assert!(told.codes().contains(&"subject-keys-not-read"), "{:?}", told.codes());
}

/// A key that was destroyed since is not a key that was never there.
#[test]
fn a_shredded_patient_of_today_may_have_had_a_key_at_the_theft() {
    let wrapped = wrapped();
    run_local(wrapped.then.shred("pharmacy-17", "pat-7", 1_788_120_000)).unwrap();
    let told = told(wrapped.theft().stolen(stolen("subject-keys:file:x")).subject_keys(wrapped.then));
    assert_eq!(told.state("pat-7", "identity"), "undecided");
}

/// Without a keyring file nobody knows the root of an index, and the report says why its values are undecided.
#[test]
fn an_index_whose_root_nobody_knows_has_a_doubt() {
    let place = Place::new();
    place.fill(1);
    place.write("copy.csv", format!("{RX}\n1,,,,AbCdEf12,\n"));
    let theft = || place.theft().stolen(place.copy("copy.csv", "csv:rx.csv"));
    let unknown = told(theft());
    assert_eq!((unknown.state("1", "index patient.name"), unknown.codes()), ("undecided", vec!["index-root-unknown"]));
    let known = told(theft().keyring(place.ring.clone()));
    assert_eq!((known.state("1", "index patient.name"), known.codes()), ("sealed", vec![]));
}
