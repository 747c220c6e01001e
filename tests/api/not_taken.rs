//! Proves that nothing is handed out whose event the observer did not take, and what an event counts.

use std::sync::{Arc, Mutex};

use rxseal::observe::{Observer, OpenEvent, Outcome};
use rxseal::page::open_page;
use rxseal::{Access, Class, Error, ErrorCode, Keyring, Purpose, Record, Sealed, Sealing, Token, phi, testing};
use serde::de::DeserializeSeed;
use serde::{Deserialize, Serialize};

/// Takes no event of an opening that succeeded.
struct Full;

impl Observer for Full {
    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
        if event.outcome() == Outcome::Opened { Err(Error::refused("the log is full")) } else { Ok(()) }
    }
}

#[derive(Serialize, Deserialize)]
struct Refill {
    #[serde(with = "Sealing::<phi::Drug>")]
    drug: String,
    #[serde(with = "Sealing::<phi::Directions>")]
    directions: String,
}

fn refill() -> Refill {
    Refill { drug: "warfarin".into(), directions: "daily".into() }
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

/// T72.
#[test]
fn no_way_of_opening_hands_out_what_was_not_taken() {
    let keys = testing::insecure_keyring("pharmacy-17").unwrap().observed_by(Full);
    let [record, other] = [1, 2].map(|id| keys.record("refill", id).unwrap());
    let token = record.seal::<phi::Drug>("warfarin").unwrap();
    let (text, sealed) = (token.to_string(), Sealed::<String, phi::Drug>::seal(&record, "warfarin").unwrap());
    let json = serde_json::to_string(&record.sealing(&refill())).unwrap();
    let open = record.opened_by(&access());
    let refused = |error: Option<Error>, way: &str| {
        assert_eq!(error.map(|error| error.code()), Some(ErrorCode::RefusedByObserver), "{way}");
    };

    refused(open.open::<phi::Drug, String>(&token).err(), "open");
    refused(open.open_text::<phi::Drug, String>(&text).err(), "open_text");
    refused(open.open_compromised::<phi::Drug, String>(&token).err(), "open_compromised");
    refused(sealed.open(&open).err(), "Sealed::open");
    refused(open.open_fields(|pass| pass.open::<phi::Drug, String>(&token)).err(), "open_fields");
    refused(open.run_opening(|| serde_json::from_str::<Refill>(&json)).err(), "run_opening");
    let page = open_page(std::slice::from_ref(&record), &access(), |_, pass| pass.open::<phi::Drug, String>(&token));
    refused(page.err(), "open_page");
    refused(record.rebind::<phi::Drug>(&other, &token, &access()).err(), "rebind");
    refused(open.nested_keys::<phi::Drug>(&token).err(), "nested_keys");
    let seed = open.opening::<Refill>().deserialize(&mut serde_json::Deserializer::from_str(&json));
    assert!(seed.err().unwrap().to_string().contains("the observer refused"), "opening");

    // An opening that failed keeps its own error.
    assert_eq!(
        other.opened_by(&access()).open::<phi::Drug, String>(&token).err().unwrap().code(),
        ErrorCode::OpenFailed
    );
}

/// What one event counts: fields, those that failed, and those of each class.
type Counts = (usize, usize, Vec<(Class, usize)>);

#[derive(Clone, Default)]
struct Counting(Arc<Mutex<Vec<Counts>>>);

impl Observer for Counting {
    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
        assert!(event.opening().hands_out());
        let counts = (event.fields(), event.failed_fields(), event.opened_by_class().collect());
        self.0.lock().unwrap().push(counts);
        Ok(())
    }
}

fn counting() -> (Keyring, Record, Counting) {
    let counting = Counting::default();
    let keys = testing::insecure_keyring("pharmacy-17").unwrap().observed_by(counting.clone());
    let record = keys.record("refill", 1).unwrap();
    (keys, record, counting)
}

#[test]
fn an_event_counts_fields_by_class_and_those_that_failed() {
    let (keys, record, counting) = counting();
    let take = || counting.0.lock().unwrap().pop().unwrap();
    let drug = record.seal::<phi::Drug>("warfarin").unwrap();
    let directions = record.seal::<phi::Directions>("daily").unwrap();
    let name = record.seal::<phi::PatientName>("Jane").unwrap();
    let open = record.opened_by(&access());

    open.open_fields(|pass| {
        pass.open::<phi::Drug, String>(&drug)?;
        pass.open::<phi::PatientName, String>(&name)?;
        pass.open::<phi::Directions, String>(&directions)?;
        assert!(pass.open::<phi::Drug, String>(&name).is_err());
        // What joins the pass counts in it.
        open.open::<phi::PatientName, String>(&name)?;
        assert!(open.open::<phi::PatientName, String>(&drug).is_err());
        Ok(())
    })
    .unwrap();
    let (fields, failed, classes) = take();
    assert_eq!((fields, failed), (4, 2));
    let class = |class| classes.iter().find(|(known, _)| *known == class).map(|(_, opened)| *opened);
    assert_eq!(classes.iter().map(|(_, opened)| opened).sum::<usize>(), 4);
    assert_eq!((class(Class::IDENTITY), class(Class::MEDICATION)), (Some(2), Some(2)));

    assert!(open.open::<phi::Drug, u32>(&drug).is_err());
    assert_eq!(take(), (1, 1, vec![(Class::MEDICATION, 1)]), "opened, and not of the type");
    assert!(open.open::<phi::Drug, u32>(&name).is_err());
    assert_eq!(take(), (0, 1, vec![]));

    let json = serde_json::to_string(&record.sealing(&refill())).unwrap();
    open.run_opening(|| serde_json::from_str::<Refill>(&json)).unwrap();
    assert_eq!(take(), (2, 0, vec![(Class::MEDICATION, 2)]));
    let of_other = keys.record("refill", 2).unwrap();
    assert!(of_other.opened_by(&access()).run_opening(|| serde_json::from_str::<Refill>(&json)).is_err());
    assert_eq!(take(), (0, 1, vec![]));
}

#[test]
fn classes_under_two_keys_are_counted_once() {
    let (roots, first) = testing::insecure_keyring_file("pharmacy-17").unwrap();
    let old = rxseal::run_local(Keyring::unlock("pharmacy-17", &roots, &first)).unwrap().unobserved();
    let token: Token = old.record("refill", 1).unwrap().seal::<phi::Drug>("warfarin").unwrap();
    let second = rxseal::run_local(testing::rotate_keyring_with(
        rxseal::keys::UnlockOptions::default(),
        "pharmacy-17",
        &roots,
        &first,
    ));
    let counting = Counting::default();
    let keys = rxseal::run_local(Keyring::unlock("pharmacy-17", &roots, &second.unwrap())).unwrap();
    let record = keys.observed_by(counting.clone()).record("refill", 1).unwrap();
    let fresh = record.seal::<phi::Drug>("warfarin").unwrap();
    let opened = record.opened_by(&access()).open_fields(|pass| {
        pass.open::<phi::Drug, String>(&token)?;
        pass.open::<phi::Drug, String>(&fresh)?;
        pass.open::<phi::Drug, String>(&token)
    });
    assert_eq!(opened.unwrap(), "warfarin");
    assert_eq!(counting.0.lock().unwrap().pop(), Some((3, 0, vec![(Class::MEDICATION, 3)])));
}
