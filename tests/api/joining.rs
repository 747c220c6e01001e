//! Proves that single openings inside a pass over the same record by the same access are part of it, and that all others are openings of
//! their own. tests/serde/observer.rs proves the same of scopes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use rxseal::observe::{Observer, OpenEvent, Opening, Outcome};
use rxseal::page::open_page;
use rxseal::{Access, Class, Error, Keyring, Purpose, Record, Sealed, Token, phi, testing};
use serde::Deserialize;
use serde::de::Deserializer;

/// One event: record id, fields, classes in order, and how it ended.
#[derive(Debug, PartialEq)]
struct Event(String, usize, Vec<Class>, Outcome);

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<(usize, Vec<Event>)>>);

impl Observer for Heard {
    fn before_open(&self, _: &Opening<'_>) -> Result<(), Error> {
        self.0.lock().unwrap().0 += 1;
        Ok(())
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        let record_id = event.opening().records()[0].record_id().unwrap().to_owned();
        let classes = event.classes_and_keys().map(|(class, _)| class).collect();
        self.0.lock().unwrap().1.push(Event(record_id, event.fields(), classes, event.outcome()));
        Ok(())
    }
}

impl Heard {
    /// The events since the last call, each of which was asked about.
    fn take(&self) -> Vec<Event> {
        let (asked, events) = std::mem::take(&mut *self.0.lock().unwrap());
        assert_eq!(asked, events.len());
        events
    }
}

struct Row {
    drug: Sealed<String, phi::Drug>,
    name: Sealed<String, phi::PatientName>,
}

struct World {
    keys: Keyring,
    record: Record,
    row: Row,
    access: Access,
    heard: Heard,
}

fn world() -> World {
    let heard = Heard::default();
    let keys = testing::insecure_keyring("pharmacy-17").unwrap().observed_by(heard.clone());
    let record = keys.record("prescription", 1).unwrap();
    let row = row(&record);
    World { keys, record, row, access: access(), heard }
}

fn row(record: &Record) -> Row {
    Row { drug: Sealed::seal(record, "warfarin").unwrap(), name: Sealed::seal(record, "Zoraida").unwrap() }
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

fn event(id: &str, fields: usize, classes: &[Class], outcome: Outcome) -> Event {
    Event(id.to_owned(), fields, classes.to_vec(), outcome)
}

const BOTH: [Class; 2] = [Class::MEDICATION, Class::IDENTITY];

#[test]
fn what_a_pass_opens_one_by_one_is_one_opening() {
    let World { record, row, access, heard, .. } = world();
    let reader = record.opened_by(&access);
    let opened = reader.open_fields(|pass| {
        // Another reader of the same record and access is the same opening.
        let again = record.opened_by(&access);
        Ok((pass.open_field(&row.drug)?, row.drug.open(&reader)?, row.name.open_phi(&again)?))
    });
    assert_eq!(opened.unwrap().2.expose_phi(), "Zoraida");
    assert_eq!(heard.take(), [event("1", 3, &BOTH, Outcome::Opened)]);
    reader.open_fields(|_| reader.open_text::<phi::Drug, String>(&row.drug.token().to_string())).unwrap();
    assert_eq!(heard.take(), [event("1", 1, &BOTH[..1], Outcome::Opened)]);
    // Outside of a pass each is an opening of its own.
    row.drug.open(&reader).unwrap();
    row.drug.open(&reader).unwrap();
    assert_eq!(heard.take().len(), 2);
}

#[test]
fn a_page_is_joined_by_the_record_it_is_at() {
    let World { keys, record, row: first, access, heard } = world();
    let second = keys.record("prescription", 2).unwrap();
    let records = [record, second];
    let rows = [first, row(&records[1])];
    open_page(&records, &access, |at, _| rows[at].drug.open(&records[at].opened_by(&access))).unwrap();
    assert_eq!(heard.take(), [event("1", 2, &BOTH[..1], Outcome::Opened)]);
    assert!(open_page::<rxseal::roles::SealAndOpen, ()>(&[], &access, |_, _| Ok(())).unwrap().is_empty());
    heard.0.lock().unwrap().0 = 0;
    heard.0.lock().unwrap().1.clear();
    let elsewhere = open_page(&records[..1], &access, |_, _| rows[1].drug.open(&records[1].opened_by(&access)));
    elsewhere.unwrap();
    assert_eq!(
        heard.take(),
        [event("2", 1, &BOTH[..1], Outcome::Opened), event("1", 0, &[], Outcome::Opened)],
        "another record than the page is at"
    );
}

#[test]
fn another_record_access_or_thread_does_not_join() {
    let World { keys, record, row, access, heard } = world();
    let reader = record.opened_by(&access);
    let part = record.part("line", 1).unwrap();
    let of_part = Sealed::<String, phi::Drug>::seal(&part, "daily").unwrap();
    let (patient, _) = keys.create_subject_key("P-7").unwrap();
    let with_subject = record.subject(&patient).unwrap();
    let of_subject = Sealed::<String, phi::Drug>::seal(&with_subject, "daily").unwrap();
    reader
        .open_fields(|_| {
            of_part.open(&part.opened_by(&access))?;
            of_subject.open(&with_subject.opened_by(&access))?;
            row.drug.open(&record.opened_by(&self::access()))?;
            std::thread::scope(|scope| scope.spawn(|| row.drug.open(&reader)).join().unwrap())
        })
        .unwrap();
    let events = heard.take();
    assert_eq!(events.iter().map(|event| event.1).collect::<Vec<_>>(), [1, 1, 1, 1, 0]);
}

#[test]
fn failures_and_panics_inside_count_for_the_pass() {
    let World { keys, record, row, access, heard } = world();
    let reader = record.opened_by(&access);
    let foreign = row_of_another(&keys);
    // Swallowed by the caller, and told to the observer all the same.
    reader
        .open_fields(|pass| {
            row.drug.open(&reader)?;
            assert!(reader.open::<phi::Drug, String>(&foreign).is_err());
            pass.open_field(&row.name)
        })
        .unwrap();
    let failed = Outcome::Failed(rxseal::ErrorCode::OpenFailed);
    assert_eq!(heard.take(), [event("1", 2, &[BOTH[1], BOTH[0]], failed)]);

    let panicking = || {
        reader.open_fields(|_| {
            row.drug.open(&reader)?;
            panic!("constant")
        })
    };
    let caught: Result<Result<(), Error>, _> = catch_unwind(AssertUnwindSafe(panicking));
    assert!(caught.is_err());
    assert_eq!(heard.take(), [event("1", 1, &BOTH[..1], Outcome::Panicked)]);
    // Nothing is left of it: the next opening is its own.
    row.drug.open(&reader).unwrap();
    assert_eq!(heard.take(), [event("1", 1, &BOTH[..1], Outcome::Opened)]);

    // A value whose reading panics was opened.
    reader
        .open_fields(|_| {
            let read = || reader.open::<phi::Drug, Panics>(row.drug.token());
            assert!(catch_unwind(AssertUnwindSafe(read)).is_err());
            Ok(())
        })
        .unwrap();
    assert_eq!(heard.take(), [event("1", 1, &BOTH[..1], Outcome::Opened)]);
}

#[test]
fn the_innermost_pass_is_joined() {
    let World { record, row, access, heard, .. } = world();
    let reader = record.opened_by(&access);
    let nested = reader.open_fields(|pass| {
        pass.open_field(&row.name)?;
        reader.open_fields(|_| row.drug.open(&reader))?;
        row.name.open(&reader)
    });
    nested.unwrap();
    assert_eq!(heard.take(), [event("1", 1, &BOTH[..1], Outcome::Opened), event("1", 2, &BOTH[1..], Outcome::Opened)]);
    // A pass in a scope, too.
    let scope = reader.run_opening(|| reader.open_fields(|_| row.drug.open(&reader)));
    scope.unwrap();
    assert_eq!(heard.take()[0], event("1", 1, &BOTH[..1], Outcome::Opened));
}

fn row_of_another(keys: &Keyring) -> Token {
    keys.record("prescription", 2).unwrap().seal::<phi::Drug>("warfarin").unwrap()
}

struct Panics;

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("constant")
    }
}
