//! The refusals of administrative calls, and the events of moving a token (T26, T29, T39; FORMAT 8.5 to 8.8 and 10.4).

use std::sync::{Arc, Mutex};

use rxseal::keys::{KeyState, KeyringFile, UnlockOptions};
use rxseal::observe::{KeyEvent, Observer, OpenEvent, Opening, Outcome};
use rxseal::phi::Drug;
use rxseal::root::RootKeys;
use rxseal::testing::insecure_keyring_file;
use rxseal::{Access, Error, Keyring, Purpose, run_local};

const TENANT: &str = "pharmacy-17";

fn rotated(roots: &RootKeys, file: &KeyringFile) -> KeyringFile {
    run_local(rxseal::testing::rotate_keyring(TENANT, roots, file)).unwrap()
}

fn unlocked(roots: &RootKeys, file: &KeyringFile) -> Keyring {
    run_local(Keyring::unlock(TENANT, roots, file)).unwrap().unobserved()
}

fn sealing_key(file: &KeyringFile) -> rxseal::KeyId {
    file.keys().iter().find(|key| key.is_primary() && key.suite().is_some()).unwrap().id()
}

#[test]
fn an_older_file_that_was_put_back_is_not_made_the_newest() {
    let (roots, first) = insecure_keyring_file(TENANT).unwrap();
    let second = rotated(&roots, &first);
    let at_least = |generation| UnlockOptions::default().min_generation(generation);

    let rotation = run_local(rxseal::testing::rotate_keyring_with(at_least(2), TENANT, &roots, &first));
    assert_eq!(rotation.unwrap_err().code().as_str(), "keyring-too-old");
    let old = sealing_key(&first);
    let change =
        rxseal::testing::force_key_state_with(at_least(3), TENANT, &roots, &second, old, KeyState::Compromised);
    assert_eq!(run_local(change).unwrap_err().code().as_str(), "keyring-too-old");

    let pinned = UnlockOptions::default().pin([7; 32]);
    assert_eq!(
        run_local(rxseal::testing::rotate_keyring_with(pinned, TENANT, &roots, &second)).unwrap_err().code().as_str(),
        "pin-mismatch"
    );
    let third = run_local(rxseal::testing::rotate_keyring_with(at_least(2), TENANT, &roots, &second)).unwrap();
    assert_eq!(third.generation(), 3);
}

#[derive(Default)]
struct Heard(Mutex<Vec<(Option<String>, Outcome)>>);

impl Observer for Heard {
    fn before_open(&self, opening: &Opening<'_>) -> Result<(), Error> {
        if opening.access().actor() == "svc:mallory" { Err(Error::refused("blocked")) } else { Ok(()) }
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        let record = event.opening().records().first().and_then(|record| record.record_id());
        self.0.lock().unwrap().push((record.map(str::to_owned), event.outcome()));
        Ok(())
    }
}

#[test]
fn rebinding_is_an_opening_of_the_record_it_takes_from() {
    let (roots, file) = insecure_keyring_file(TENANT).unwrap();
    let heard = Arc::new(Heard::default());
    let keys = run_local(Keyring::unlock(TENANT, &roots, &file)).unwrap().observed_by(Arc::clone(&heard));
    let [from, to] = ["P-1", "P-2"].map(|id| keys.record("patient", id).unwrap());
    let token = from.seal::<Drug>("warfarin").unwrap();
    let [clerk, mallory] = ["user:kim", "svc:mallory"].map(|actor| Access::new(actor, Purpose::PATADMIN).unwrap());

    let moved = from.rebind::<Drug>(&to, &token, &clerk).unwrap();
    assert_eq!(from.rebind::<Drug>(&to, &token, &mallory).unwrap_err().code().as_str(), "refused-by-observer");
    assert_eq!(from.rebind::<Drug>(&to, &moved, &clerk).unwrap_err().code().as_str(), "open-failed");
    let events = std::mem::take(&mut *heard.0.lock().unwrap());
    let source = Some("P-1".to_owned());
    assert_eq!(
        events,
        [
            (source.clone(), Outcome::Opened),
            (source.clone(), Outcome::Failed(rxseal::ErrorCode::RefusedByObserver)),
            (source, Outcome::Failed(rxseal::ErrorCode::OpenFailed)),
        ]
    );
    assert_eq!(to.opened_by(&clerk).open::<Drug, String>(&moved).unwrap(), "warfarin");
    assert!(from.reseal::<Drug>(&token).is_ok());
    assert_eq!(heard.0.lock().unwrap().len(), 1, "sealing and resealing are no openings");
}

#[test]
fn a_subject_key_under_a_compromised_key_is_rewrapped_only_by_that_name() {
    let (roots, first) = insecure_keyring_file(TENANT).unwrap();
    let (_, wrapped) = unlocked(&roots, &first).create_subject_key("P-1").unwrap();
    let second = rotated(&roots, &first);
    let old = sealing_key(&first);
    let third =
        run_local(rxseal::testing::force_key_state(TENANT, &roots, &second, old, KeyState::Compromised)).unwrap();
    let keys = unlocked(&roots, &third);

    assert_eq!(keys.unwrap_subject_key("P-1", &wrapped).unwrap_err().code().as_str(), "key-compromised");
    assert_eq!(keys.rewrap_subject_key("P-1", &wrapped).unwrap_err().code().as_str(), "key-compromised");
    let fresh = keys.rewrap_subject_key_compromised("P-1", &wrapped).unwrap();
    assert_eq!(fresh.key_id(), keys.primary_key());
    let subject = keys.unwrap_subject_key("P-1", &fresh).unwrap();

    let record = keys.record("patient", "P-1").unwrap().subject(&subject).unwrap();
    assert_eq!(record.subject(&subject).unwrap_err().code().as_str(), "subject-mismatch", "a record has one subject");
}

mod before {
    rxseal::fields! { pub Copayer = "billing.copayer" in Contact; }
}

mod after {
    rxseal::fields! { pub Copayer = "billing.copayer" in Coverage, was "billing.copayer" in Contact; }
}

#[test]
fn a_field_changes_its_class_and_keeps_its_id() {
    let (roots, file) = insecure_keyring_file(TENANT).unwrap();
    let keys = unlocked(&roots, &file);
    let record = keys.record("prescription", 1).unwrap();
    let old = record.seal::<before::Copayer>("Jane Doe").unwrap();
    let access = Access::new("user:kim", Purpose::HPAYMT).unwrap();
    assert_eq!(record.opened_by(&access).open::<after::Copayer, String>(&old).unwrap(), "Jane Doe");
    let new = record.reseal::<after::Copayer>(&old).unwrap();
    assert!(
        record.opened_by(&access).open::<before::Copayer, String>(&new).is_err(),
        "the former class does not open it"
    );
}

#[test]
fn an_opening_that_accepts_compromised_keys_says_so() {
    struct Flags(Mutex<Vec<bool>>);

    impl Observer for Flags {
        fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
            self.0.lock().unwrap().push(event.accepts_compromised());
            Ok(())
        }
    }

    let (roots, file) = insecure_keyring_file(TENANT).unwrap();
    let flags = Arc::new(Flags(Mutex::default()));
    let keys = run_local(Keyring::unlock(TENANT, &roots, &file)).unwrap().observed_by(Arc::clone(&flags));
    let record = keys.record("prescription", 1).unwrap();
    let token = record.seal::<Drug>("warfarin").unwrap();
    let open = record.opened_by(&Access::new("user:kim", Purpose::TREAT).unwrap());
    open.open::<Drug, String>(&token).unwrap();
    open.open_compromised::<Drug, String>(&token).unwrap();
    assert_eq!(*flags.0.lock().unwrap(), [false, true]);
}

#[test]
fn an_observer_hears_which_keys_are_here_and_when_they_are_gone() {
    struct Told(Mutex<Vec<String>>);

    impl Observer for Told {
        fn opened(&self, _: &OpenEvent<'_>) -> Result<(), Error> {
            Ok(())
        }

        fn key_event(&self, event: &KeyEvent<'_>) {
            let text = match event {
                KeyEvent::Unlocked { generation, key_ids, request_id, .. } => {
                    format!("unlocked {generation}: {key_ids:?}, {request_id:?}")
                }
                KeyEvent::Locked { keyspace, generation, .. } => format!("locked {keyspace} {generation}"),
                other => panic!("{other:?}"),
            };
            self.0.lock().unwrap().push(text);
        }
    }

    let (roots, first) = insecure_keyring_file(TENANT).unwrap();
    let file = rotated(&roots, &first);
    let told = Arc::new(Told(Mutex::default()));
    let unlocked = run_local(Keyring::unlock(TENANT, &roots, &file)).unwrap();
    let keys = unlocked.observed_by(Arc::clone(&told));
    let record = keys.record("patient", "P-1").unwrap();
    let mut ids = vec![keys.primary_key(), sealing_key(&first)];
    drop(keys);
    assert_eq!(told.0.lock().unwrap().len(), 1, "a record holds the keyring");
    drop(record);
    let heard = told.0.lock().unwrap().clone();
    let [unlocked, locked] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!(locked, &format!("locked {TENANT} 2"));
    assert!(unlocked.starts_with("unlocked 2: [") && unlocked.ends_with(", None"), "{unlocked}");
    assert!(ids.drain(..).all(|id| unlocked.contains(&format!("{id:?}"))), "{unlocked}");
}
