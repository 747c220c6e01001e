//! Proves what `Migrating` reads and writes: plaintext only with a permit that has not ended, never what begins as a token does, and
//! each reading with an event. No text of it quotes a value.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use rxseal::migrating::{Migrating, Read, ReadThrough};
use rxseal::observe::{Observer, OpenEvent, Opening, Outcome};
use rxseal::phi::{Directions, Drug, PatientName};
use rxseal::testing::TestClock;
use rxseal::{Access, Error, ErrorCode, Keyring, Purpose, Record, Sealed};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

type MigratingDrug = Migrating<String, Drug>;

const CANARY: &str = "Canary-Jane-Doe-metformin";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    id: u64,
    drug: MigratingDrug,
    note: Option<Migrating<String, Directions>>,
}

#[test]
fn plaintext_is_read_with_a_permit_and_a_token_without_one() {
    let keys = keyring();
    let permitted = keys.read_through::<Drug>(&permit());
    let token = Sealed::<String, Drug>::seal(&record(&keys), "warfarin 5 MG").unwrap();
    for (text, is_plain) in [("warfarin 5 MG".to_owned(), true), (token.token().to_string(), false)] {
        let row: Row = serde_json::from_value(serde_json::json!({ "id": 7, "drug": text, "note": null })).unwrap();
        assert_eq!(row.drug.is_plain(), is_plain);
        let read = row.drug.read(&record(&permitted).opened_by(&access())).unwrap();
        assert_eq!(read.is_plain(), is_plain);
        assert_eq!(format!("{read:?}"), if is_plain { "Plain([REDACTED])" } else { "Sealed([REDACTED])" });
        assert_eq!(read.expose_value(), "warfarin 5 MG");
        // The permit is for one field, and what was made from a keyring without it has none.
        let others = [keys.clone(), keys.read_through::<Directions>(&permit())];
        for keys in others {
            let read = row.drug.read(&record(&keys).opened_by(&access()));
            assert_eq!(read.err().map(|error| error.code()), is_plain.then_some(ErrorCode::NotAToken));
        }
    }
}

/// However it is broken, and however the value came here.
#[test]
fn what_begins_as_a_token_does_is_a_token_or_an_error() {
    let keys = keyring().read_through::<Drug>(&permit());
    let rec = record(&keys);
    let reader = rec.opened_by(&access());
    let token = Sealed::<String, Drug>::seal(&rec, "warfarin 5 MG").unwrap();
    let foreign = Sealed::<String, Drug>::seal(&record(&keyring()), "warfarin 5 MG").unwrap();
    let mut numbers = 0_u32;
    let mut next = || {
        numbers = numbers.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (numbers >> 16) as usize
    };
    let db = rusqlite::Connection::open_in_memory().unwrap();
    let (mut tried, mut form, mut unopened) = (0, 0, 0);
    while tried < 10_000 {
        let mut text = [&token, &foreign][next() % 2].token().to_string();
        match next() % 8 {
            0 => drop(text.split_off(3 + next() % (text.len() - 3))),
            1 => text.push(char::from(b'!' + (next() % 90) as u8)),
            2 => text.insert(3 + next() % (text.len() - 3), ' '),
            3 => text = format!("rxs{}", "Take one daily ".repeat(next() % 9)),
            4 => text = format!("{}{text}", ["\n", " ", "\u{FEFF}", "\t\u{2003}", "\0"][next() % 5]),
            _ => {
                let at = 3 + next() % (text.len() - 3);
                text.replace_range(at..=at, &char::from(b'A' + (next() % 26) as u8).to_string());
            }
        }
        if text == token.token().to_string() {
            continue;
        }
        tried += 1;
        let by_json = serde_json::from_value::<MigratingDrug>(text.clone().into()).ok();
        let by_text = db.query_row("SELECT ?1", [&text], |row| row.get::<_, MigratingDrug>(0)).ok();
        let by_blob = db.query_row("SELECT ?1", [text.as_bytes()], |row| row.get::<_, MigratingDrug>(0)).ok();
        assert!(by_blob.is_none(), "a token's text is no plaintext in a binary column either");
        assert_eq!(by_json, by_text);
        let Some(drug) = by_json else {
            form += 1;
            continue;
        };
        assert!(!drug.is_plain(), "{text:?}");
        drug.read(&reader).unwrap_err();
        drug.rewrite(&rec, &access()).unwrap();
        unopened += 1;
    }
    assert!(form > 1_000 && unopened > 1_000, "{form} {unopened}");
    // The binary forms, of tokens, record tags and wrapped subject keys.
    for magic in [[0xAF, 0x1B], [0xAF, 0x1A], [0xAF, 0x19]] {
        let bytes = [&magic[..], CANARY.as_bytes()].concat();
        assert!(db.query_row("SELECT ?1", [&bytes], |row| row.get::<_, MigratingDrug>(0)).is_err());
        assert!(db.query_row("SELECT ?1", [&bytes], |row| row.get::<_, Migrating<Vec<u8>, Drug>>(0)).is_err());
    }
    for text in ["rxrS-a record tag", "rxkx-a wrapped key"] {
        assert!(serde_json::from_value::<MigratingDrug>(text.into()).is_err());
    }
}

#[test]
fn a_permit_of_yesterday_refuses() {
    let clock = TestClock::default();
    clock.set_back(clock.now().duration_since(UNIX_EPOCH).unwrap());
    // 2027-03-01 23:59:59 UTC.
    clock.set_forward(Duration::from_secs(1_803_945_599));
    let permit = ReadThrough::until(2027, 3, 1, "CHG-1234").unwrap().clock(&clock);
    let keys = keyring().read_through::<Drug>(&permit);
    let first_step = keyring().read_through::<Drug>(&permit.clone().write_plain());
    let plain: MigratingDrug = serde_json::from_value(CANARY.into()).unwrap();
    let reader = record(&keys).opened_by(&access());
    assert_eq!(plain.read(&reader).unwrap().expose_value(), CANARY);
    plain.rewrite(&record(&keys), &access()).unwrap();
    MigratingDrug::write(&record(&first_step), CANARY).unwrap();

    clock.set_forward(Duration::from_secs(1));
    let errors = [
        plain.read(&reader).unwrap_err(),
        plain.rewrite(&record(&keys), &access()).unwrap_err(),
        MigratingDrug::write(&record(&first_step), CANARY).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), ErrorCode::NotAToken);
        assert_eq!(error.field_id(), Some("phi.rx.drug"));
        assert!(error.to_string().contains("has ended"), "{error}");
        quotes_nothing(&error);
    }
    // Sealing and tokens need no permit.
    let sealed = MigratingDrug::write(&record(&keys), "warfarin").unwrap();
    assert!(!sealed.read(&reader).unwrap().is_plain());
}

#[test]
fn what_was_read_as_plaintext_is_not_written_back() {
    let keys = keyring().read_through::<Drug>(&permit());
    let rec = record(&keys);
    let row: Row = serde_json::from_value(serde_json::json!({ "id": 7, "drug": CANARY, "note": null })).unwrap();
    assert_eq!(format!("{:?}", row.drug), "Migrating([plaintext])");
    let error = serde_json::to_string(&row).unwrap_err();
    quotes_nothing(&error);
    assert!(error.to_string().contains("rewrite"), "{error}");
    let db = rusqlite::Connection::open_in_memory().unwrap();
    quotes_nothing(&db.query_row("SELECT ?1", [&row.drug], |row| row.get::<_, String>(0)).unwrap_err());

    let saved = Row { drug: row.drug.rewrite(&rec, &access()).unwrap(), ..row.clone() };
    let json = serde_json::to_string(&saved).unwrap();
    assert!(json.starts_with("{\"id\":7,\"drug\":\"rxs"), "{json}");
    let sealed = saved.drug.clone().into_sealed().unwrap();
    assert_eq!(sealed.open(&rec.opened_by(&access())).unwrap(), CANARY);
    assert!(row.drug.clone().into_sealed().is_none());
    // A token stays as it is, byte for byte.
    assert_eq!(saved.drug.rewrite(&rec, &access()).unwrap(), saved.drug);

    // In the first step the program writes plaintext, also of what it read.
    let first_step = keyring().read_through::<Drug>(&permit().write_plain());
    let rec = record(&first_step);
    let written = MigratingDrug::write(&rec, CANARY).unwrap();
    assert_eq!(serde_json::to_string(&written).unwrap(), format!("{CANARY:?}"));
    assert_eq!(serde_json::to_string(&row.drug.rewrite(&rec, &access()).unwrap()).unwrap(), format!("{CANARY:?}"));
    for text in ["rxsX", "rxs", " rxs and more", "rxkx"] {
        let error = MigratingDrug::write(&rec, text).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TokenAsPlaintext, "{text}");
    }
    let bytes = Migrating::<Vec<u8>, Drug>::write(&rec, &vec![0xAF, 0x1B, 0x17]).unwrap_err();
    assert_eq!(bytes.code(), ErrorCode::TokenAsPlaintext);
}

/// `Sealed` has no tolerance, whatever the keyring permits.
#[test]
fn sealed_reads_no_plaintext() {
    let keys = keyring().read_through::<Drug>(&permit());
    assert!(serde_json::from_value::<Sealed<String, Drug>>(CANARY.into()).is_err());
    let db = rusqlite::Connection::open_in_memory().unwrap();
    assert!(db.query_row("SELECT ?1", [CANARY], |row| row.get::<_, Sealed<String, Drug>>(0)).is_err());
    let reader = record(&keys).opened_by(&access());
    assert!(reader.open_text::<Drug, String>(CANARY).is_err());
}

#[test]
fn each_plaintext_is_an_event() {
    let audit = Audit::default();
    let keys = keyring_observed(&audit).read_through::<Drug>(&permit()).read_through::<Directions>(&permit());
    let rec = record(&keys);
    let plain: MigratingDrug = serde_json::from_value(CANARY.into()).unwrap();
    let note: Migrating<String, Directions> = serde_json::from_value(CANARY.into()).unwrap();
    let name: Migrating<String, PatientName> = serde_json::from_value(CANARY.into()).unwrap();
    let sealed = MigratingDrug::write(&rec, "warfarin").unwrap();
    let reader = rec.opened_by(&access());

    plain.read(&reader).unwrap();
    assert_eq!(audit.take(), ["user:kim.rph 1 Opened phi.rx.drug prescription CHG-1234"]);
    sealed.read(&reader).unwrap();
    assert_eq!(audit.take(), ["user:kim.rph 1 Opened"]);
    note.rewrite(&rec, &access()).unwrap();
    assert_eq!(audit.take(), ["user:kim.rph 1 Opened phi.rx.directions prescription CHG-1234"]);
    sealed.rewrite(&rec, &access()).unwrap();
    assert!(audit.take().is_empty());
    // One that is refused is an opening that failed.
    assert!(name.read(&reader).is_err());
    assert_eq!(audit.take(), ["user:kim.rph 0 Failed(NotAToken)"]);
    let opener = keys.opener().only([<PatientName as rxseal::Field>::CLASS]);
    let limited = opener.record("prescription", 7).unwrap().opened_by(&access());
    assert_eq!(plain.read(&limited).unwrap_err().code(), ErrorCode::ClassLocked);
    assert_eq!(audit.take(), ["user:kim.rph 0 Failed(ClassLocked)"]);
    // Inside a scope they belong to its opening.
    let all = reader.run_opening(|| plain.read(&reader).and_then(|_| sealed.read(&reader)));
    all.unwrap();
    assert_eq!(audit.take(), ["user:kim.rph 2 Opened phi.rx.drug prescription CHG-1234"]);
    // The observer refuses plaintext as it refuses tokens.
    audit.refuse();
    assert_eq!(plain.read(&reader).unwrap_err().code(), ErrorCode::RefusedByObserver);
}

#[test]
fn every_format_has_both() {
    let keys = keyring();
    let first_step = keys.read_through::<Drug>(&permit().write_plain());
    for keys in [keys, first_step] {
        let row = Row { id: 7, drug: MigratingDrug::write(&record(&keys), CANARY).unwrap(), note: None };
        comes_back(&row, |row| serde_json::to_vec(row).unwrap(), |bytes| serde_json::from_slice(bytes).unwrap());
        comes_back(&row, |row| postcard::to_stdvec(row).unwrap(), |bytes| postcard::from_bytes(bytes).unwrap());
        comes_back(&row, |row| rmp_serde::to_vec_named(row).unwrap(), |bytes| rmp_serde::from_slice(bytes).unwrap());
    }
    let nothing: Row = serde_json::from_str(r#"{"id":7,"drug":"x","note":null}"#).unwrap();
    assert!(nothing.note.is_none());
    for wrong in ["7", "null", "[1]", "{}", "true"] {
        assert!(serde_json::from_str::<MigratingDrug>(wrong).is_err(), "{wrong}");
    }
}

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(
    row: &T,
    write: impl Fn(&T) -> Vec<u8>,
    read: impl Fn(&[u8]) -> T,
) {
    assert_eq!(read(&write(row)), *row);
}

fn permit() -> ReadThrough {
    ReadThrough::until(9999, 12, 31, "CHG-1234").unwrap()
}

fn keyring() -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved()
}

fn keyring_observed(audit: &Audit) -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(audit.clone())
}

fn record(keys: &Keyring) -> Record {
    keys.record("prescription", 7).unwrap()
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

fn quotes_nothing(error: &(impl std::error::Error + 'static)) {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    for text in causes.flat_map(|error| [error.to_string(), format!("{error:?}")]) {
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[derive(Clone, Default)]
struct Audit(Arc<Mutex<(Vec<String>, bool)>>);

impl Audit {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().0)
    }

    fn refuse(&self) {
        self.0.lock().unwrap().1 = true;
    }
}

impl Observer for Audit {
    fn before_open(&self, _: &Opening<'_>) -> Result<(), Error> {
        if self.0.lock().unwrap().1 { Err(Error::refused("not now")) } else { Ok(()) }
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        let outcome = match event.outcome() {
            Outcome::Failed(code) => format!("Failed({code:?})"),
            other => format!("{other:?}"),
        };
        let mut line = format!("{} {} {outcome}", event.opening().access().actor(), event.fields());
        for plain in event.plaintexts() {
            line += &format!(" {} {} {}", plain.field().as_str(), plain.record_type(), plain.change());
        }
        self.0.lock().unwrap().0.push(line);
        Ok(())
    }
}

/// So that the match in the documentation stays possible.
#[test]
fn both_arms_have_the_value() {
    let keys = keyring().read_through::<Drug>(&permit());
    let plain: MigratingDrug = serde_json::from_value(CANARY.into()).unwrap();
    match plain.read(&record(&keys).opened_by(&access())).unwrap() {
        Read::Sealed(_) => panic!("it is plaintext"),
        Read::Plain(value) => {
            assert_eq!(format!("{value:?}"), "NotAuthentic([REDACTED])");
            assert_eq!(value.expose_not_authentic(), CANARY);
        }
    }
}
