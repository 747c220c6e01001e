//! Proves that a token put into another place is refused (T8 to T12, T14; FORMAT 3.2, 3.5, 3.7, 4, 5.1).
//!
//! Each test makes one kind of swap and keeps everything else: 100,000 in a release build, a sample in a debug build
//! (`RXSEAL_FULL=1` runs all there too). Each token also opens in its own place, before and after, so that the swap is
//! the reason for the refusal.

use std::collections::BTreeMap;

use rxseal::keys::Suite;
use rxseal::root::RootKeys;
use rxseal::subjects::{SubjectKey, WrappedSubjectKey};
use rxseal::{Access, Keyring, Parts, Purpose, Record, RecordReader, Sealing, Token, run_local, testing};
use serde::{Deserialize, Serialize};

rxseal::fields! {
    Drug = "swaps.drug" in Medication;
    Dose = "swaps.dose" in Medication;
    Directions = "swaps.directions" in Medication;
    Note = "swaps.note" in Clinical;
}

/// The field of another program with the same id, which put it into another class.
mod elsewhere {
    rxseal::fields! { pub Drug = "swaps.drug" in Clinical; }
}

/// A field that names `Directions` as its former self: for it that token is legal, and no other is.
mod later {
    rxseal::fields! { pub Sig = "swaps.sig" in Medication, was "swaps.directions" in Medication; }
}

fn full() -> bool {
    !cfg!(debug_assertions) || std::env::var_os("RXSEAL_FULL").is_some()
}

type Swap = fn(&mut World) -> Refusals;

#[rustfmt::skip]
const KINDS: &[(&str, Swap)] = &[
    ("tenant", tenant),
    ("record type", |w| w.moved(|w| w.place(), |_, place| place.record_type = different(&place.record_type))),
    ("record id", |w| w.moved(|w| w.place(), |w, place| place.record_id = Some(w.other_id(place.record_id.as_deref())))),
    ("part", part),
    ("subject", subject),
    ("field", field),
    ("class", class),
    ("key", key),
    ("suite letter", letter),
    ("wide and unbound", wide),
    ("inside a serialized record", serialized),
];

#[test]
fn no_token_opens_in_another_place() {
    let wanted = if full() { 100_000 } else { 1_100 };
    let mut world = World::new();
    let mut counts = BTreeMap::new();
    for (kind, swap) in KINDS {
        let count: &mut usize = counts.entry(*kind).or_default();
        while *count < wanted / KINDS.len() + 1 {
            *count += swap(&mut world).0;
        }
    }
    let total: usize = counts.values().sum();
    counts.iter().for_each(|(kind, count)| println!("{count:>8} swaps of {kind}, 0 accepted"));
    println!("{total:>8} swaps, 0 accepted; {} openings in the right place", world.opened);
    assert!(total >= wanted, "{total} swaps are fewer than {wanted}");
    assert!(counts.values().all(|count| *count >= wanted / KINDS.len()), "every kind has its share");
}

/// Two keys of one subject id, which a store must not allow (FORMAT 10.2), stay two also where one of them has already opened
/// something in the scope that is active (T11).
#[test]
fn a_scope_does_not_lend_its_subject_key() {
    let world = World::new();
    let tenant = &world.own[0];
    let rec = tenant.keyring.record("prescription", 1).unwrap();
    let [own, other] = [0, 2].map(|at| rec.subject(&tenant.subjects[at]).unwrap());
    let (token, other_token) = (own.seal::<Drug>("a").unwrap(), other.seal::<Drug>("b").unwrap());
    let [own, other] = [own, other].map(|rec| rec.opened_by(&world.access));
    let result = own.run_opening(|| {
        assert_eq!(own.open::<Drug, String>(&token).unwrap(), "a");
        refused(other.open::<Drug, String>(&token));
        assert_eq!(other.open::<Drug, String>(&other_token).unwrap(), "b");
        refused(own.open::<Drug, String>(&other_token));
        Ok::<_, rxseal::Error>(())
    });
    result.unwrap();
}

/// How many swaps were tried and refused.
struct Refusals(usize);

/// Where a token belongs.
#[derive(Clone)]
struct Place {
    suite: usize,
    record_type: String,
    record_id: Option<String>,
    wide: bool,
    subject: Option<usize>,
    parts: Vec<(&'static str, String)>,
}

struct Tenant {
    keyring: Keyring,
    before: Keyring,
    subjects: Vec<SubjectKey>,
}

struct World {
    /// Two suites of the tenant that is swapped within, and another tenant of each.
    own: [Tenant; 2],
    others: [Tenant; 2],
    access: Access,
    random: u64,
    opened: usize,
}

/// Two patients, and the first one once more with another key (which a store must not allow: FORMAT 10.2).
const SUBJECTS: [&str; 3] = ["patient-1", "patient-2", "patient-1"];

impl Tenant {
    fn new(keyspace: &str, suite: Suite) -> Self {
        let (roots, _) = testing::insecure_keyring_file(keyspace).unwrap();
        let first = run_local(rxseal::testing::create_keyring(keyspace, &roots, suite)).unwrap();
        let rotated = run_local(rxseal::testing::rotate_keyring(keyspace, &roots, &first)).unwrap();
        let unlock =
            |file: &_, roots: &RootKeys| run_local(Keyring::unlock(keyspace, roots, file)).unwrap().unobserved();
        let (before, keyring) = (unlock(&first, &roots), unlock(&rotated, &roots));
        let subjects = SUBJECTS.iter().map(|subject| keyring.create_subject_key(*subject).unwrap().0).collect();
        Self { keyring, before, subjects }
    }

    fn record(&self, place: &Place) -> Record {
        Self::record_of(&self.keyring, place, place.subject.map(|at| &self.subjects[at]))
    }

    fn record_of(keyring: &Keyring, place: &Place, subject: Option<&SubjectKey>) -> Record {
        let mut rec = match &place.record_id {
            Some(id) => keyring.record(&place.record_type, id).unwrap(),
            None => keyring.unbound(&place.record_type).unwrap(),
        };
        if place.wide {
            rec = rec.wide();
        }
        if let Some(key) = subject {
            rec = rec.subject(key).unwrap();
        }
        place.parts.iter().fold(rec, |rec, (name, id)| rec.part(name, id).unwrap())
    }
}

impl World {
    fn new() -> Self {
        let pair = |keyspace| [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305].map(|suite| Tenant::new(keyspace, suite));
        let access = Access::new("job:test", Purpose::HOPERAT).unwrap();
        Self { own: pair("pharmacy-17"), others: pair("pharmacy-18"), access, random: 17, opened: 0 }
    }

    fn random(&mut self, end: usize) -> usize {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn other_id(&mut self, id: Option<&str>) -> String {
        // Spellings that a lax comparison would take for the same, and any other.
        let id = id.unwrap_or("1");
        match self.random(5) {
            0 => format!("0{id}"),
            1 => format!("+{id}"),
            2 => format!("{id}.0"),
            3 => format!("{id}{}", self.random(1000)),
            _ => format!("RX-{id}"),
        }
    }

    /// Some place that tokens belong to.
    fn place(&mut self) -> Place {
        let suite = self.random(2);
        let record_type = ["prescription", "refill", "claim"][self.random(3)].to_owned();
        let record_id = Some(self.random(100_000).to_string());
        let subject = [None, Some(0), Some(1)][self.random(3)];
        let parts = (0..self.random(3)).map(|_| (["line", "dose"][self.random(2)], self.random(20).to_string()));
        let parts = parts.collect();
        Place { suite, record_type, record_id, wide: self.random(4) == 0, subject, parts }
    }

    fn own(&self, place: &Place) -> &Tenant {
        &self.own[place.suite]
    }

    fn seal(&mut self, place: &Place) -> Token {
        let token = self.own(place).record(place).seal::<Drug>("warfarin 5 MG").unwrap();
        self.assert_opens(place, &token);
        token
    }

    fn assert_opens(&mut self, place: &Place, token: &Token) {
        let opened: String = self.opened_by(place).open::<Drug, _>(token).expect("it opens where it belongs");
        assert_eq!(opened, "warfarin 5 MG");
        self.opened += 1;
    }

    fn opened_by(&self, place: &Place) -> RecordReader {
        self.own(place).record(place).opened_by(&self.access)
    }

    /// A token of some place in a place that `change` makes of it, and the other way round.
    fn moved(
        &mut self,
        place: impl FnOnce(&mut Self) -> Place,
        change: impl FnOnce(&mut Self, &mut Place),
    ) -> Refusals {
        let here = place(self);
        let mut there = here.clone();
        change(self, &mut there);
        let (token, other) = (self.seal(&here), self.seal(&there));
        refused(self.opened_by(&there).open::<Drug, String>(&token));
        refused(self.opened_by(&here).open::<Drug, String>(&other));
        // Also not as what is moved by the program itself: resealing opens first.
        refused(self.own(&there).record(&there).reseal::<Drug>(&token));
        Refusals(3)
    }
}

/// Nothing but the one error that tells nothing apart (T16).
fn refused<T>(result: Result<T, rxseal::Error>) {
    let error = result.err().expect("a token was accepted in another place");
    assert_eq!(error.code().as_str(), "open-failed");
}

fn different(text: &str) -> String {
    format!("{text}s")
}

/// T10. Under the other tenant's key id too, since a thief can write that into the token.
fn tenant(w: &mut World) -> Refusals {
    let mut place = w.place();
    // A subject key is of one tenant and does not fit the other at all.
    place.subject = None;
    let token = w.seal(&place);
    let other = &w.others[place.suite];
    let rec = other.record(&place);
    let access = rec.opened_by(&w.access);
    assert!(access.open::<Drug, String>(&token).unwrap_err().is_unknown_key());
    refused(access.open::<Drug, String>(&with_key_id(&token, *other.keyring.primary_key().as_bytes())));
    assert_eq!(rec.subject(&w.own[0].subjects[0]).unwrap_err().code().as_str(), "subject-mismatch");
    assert_eq!(
        w.own(&place).record(&place).rebind::<Drug>(&rec, &token, &w.access).unwrap_err().code().as_str(),
        "keyspace-mismatch"
    );
    Refusals(2)
}

fn part(w: &mut World) -> Refusals {
    let how = w.random(6);
    w.moved(World::place, |w, place| {
        let (id, longer) = (w.random(20).to_string(), w.random(20).to_string());
        let parts = &mut place.parts;
        match how {
            0 => parts.push(("line", id)),
            1 => parts.insert(0, ("patient", id)),
            2 if parts.pop().is_some() => {}
            3 if parts.len() == 2 && parts[0] != parts[1] => parts.swap(0, 1),
            4 if !parts.is_empty() => parts[0].1.push_str(&longer),
            5 if !parts.is_empty() => parts[0].0 = "item",
            _ => parts.push(("other", id)),
        }
    })
}

fn subject(w: &mut World) -> Refusals {
    let how = w.random(3);
    let mut refusals = w.moved(World::place, |_, place| {
        place.subject = match (place.subject, how) {
            (None, _) => Some(how % 2),
            (Some(_), 0) => None,
            (Some(0), 1) => Some(1),
            // Another key of the same subject id.
            (Some(0), _) => Some(2),
            (Some(_), _) => Some(0),
        };
    });
    // A wrapped subject key is of its subject only (FORMAT 10.1).
    let keyring = &w.own[0].keyring;
    let (_, wrapped) = keyring.create_subject_key("patient-3").unwrap();
    refused_subject_key(keyring, "patient-4", &wrapped);
    refusals.0 += 1;
    refusals
}

fn refused_subject_key(keyring: &Keyring, subject: &str, wrapped: &WrappedSubjectKey) {
    assert_eq!(keyring.unwrap_subject_key(subject, wrapped).unwrap_err().code().as_str(), "subject-key-refused");
}

fn field(w: &mut World) -> Refusals {
    let place = w.place();
    let rec = w.own(&place).record(&place);
    let access = rec.opened_by(&w.access);
    let (drug, directions, note) = rec
        .seal_fields(|pass| {
            Ok::<_, rxseal::Error>((pass.seal::<Drug>("a")?, pass.seal::<Directions>("a")?, pass.seal::<Note>("a")?))
        })
        .unwrap();
    // T9 names the one exception: it is what the declaration of the former id asks for.
    assert_eq!(access.open::<later::Sig, String>(&directions).unwrap(), "a");
    refused(access.open::<Dose, String>(&drug));
    refused(access.open::<Directions, String>(&drug));
    refused(access.open::<Drug, String>(&directions));
    refused(access.open::<Note, String>(&directions));
    refused(access.open::<Drug, String>(&note));
    refused(access.open::<later::Sig, String>(&drug));
    w.opened += 1;
    Refusals(6)
}

fn class(w: &mut World) -> Refusals {
    let place = w.place();
    let token = w.seal(&place);
    let rec = w.own(&place).record(&place);
    let other = rec.seal::<elsewhere::Drug>("warfarin 5 MG").unwrap();
    refused(rec.opened_by(&w.access).open::<elsewhere::Drug, String>(&token));
    refused(rec.opened_by(&w.access).open::<Drug, String>(&other));
    Refusals(2)
}

/// A token relabelled with the id of another key that is there (T12), and of one that is not.
fn key(w: &mut World) -> Refusals {
    let place = w.place();
    let tenant = w.own(&place);
    let subject = place.subject.map(|at| &tenant.subjects[at]);
    let old = Tenant::record_of(&tenant.before, &place, subject).seal::<Drug>("warfarin 5 MG").unwrap();
    let [old_id, new_id] = [&tenant.before, &tenant.keyring].map(|keys| *keys.primary_key().as_bytes());
    let new = w.seal(&place);
    w.assert_opens(&place, &old);
    let access = w.opened_by(&place);
    refused(access.open::<Drug, String>(&with_key_id(&old, new_id)));
    refused(access.open::<Drug, String>(&with_key_id(&new, old_id)));
    let unknown = access.open::<Drug, String>(&with_key_id(&new, [7; 6])).unwrap_err();
    assert!(unknown.is_unknown_key());
    Refusals(3)
}

/// Every other letter, with the nonce as it is, made longer and made shorter (T12, FORMAT 5.1).
fn letter(w: &mut World) -> Refusals {
    let place = w.place();
    let token = w.seal(&place);
    let access = w.opened_by(&place);
    let (own, rest) = (&token.as_bytes()[..3], &token.as_bytes()[3..]);
    let mut count = 0;
    for magic in [[0xAF, 0x1B, 0x17], [0xAF, 0x1B, 0x31], [0xAF, 0x1B, 0x1C]] {
        let (key_id, body) = rest.split_at(6);
        let longer = [&magic, key_id, &[0; 12], body].concat();
        let shorter = [&magic, key_id, &body[12..]].concat();
        for changed in [[&magic, rest].concat(), longer, shorter] {
            if magic == own {
                continue;
            }
            // Where it is too short to be a token of that letter, it is not even tried.
            if let Ok(changed) = Token::try_from(changed) {
                refused(access.open::<Drug, String>(&changed));
                count += 1;
            }
        }
    }
    Refusals(count)
}

/// Bound, wide and unbound places of other ids. (The same ids, wide and bound, are one place: FORMAT 4.3.)
fn wide(w: &mut World) -> Refusals {
    let mut here = w.place();
    here.wide = false;
    let token = w.seal(&here);
    let same = Place { wide: true, ..here.clone() };
    w.assert_opens(&same, &token);
    let other_id = w.other_id(here.record_id.as_deref());
    let elsewhere = Place { record_id: Some(other_id), ..same.clone() };
    let unbound = Place { record_id: None, ..here.clone() };
    let (wide_token, unbound_token) = (w.seal(&elsewhere), w.seal(&unbound));
    refused(w.opened_by(&elsewhere).open::<Drug, String>(&token));
    refused(w.opened_by(&unbound).open::<Drug, String>(&token));
    refused(w.opened_by(&unbound).open::<Drug, String>(&wide_token));
    refused(w.opened_by(&here).open::<Drug, String>(&wide_token));
    refused(w.opened_by(&here).open::<Drug, String>(&unbound_token));
    refused(w.opened_by(&same).open::<Drug, String>(&unbound_token));
    Refusals(6)
}

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(with = "Sealing::<Drug>")]
    drug: String,
    #[serde(with = "Sealing::<Directions>")]
    directions: String,
    #[serde(with = "Sealing::<Parts<Note>>")]
    notes: BTreeMap<u32, String>,
}

/// Tokens exchanged in the JSON of a record: between fields, between the keys of a map, and between two records.
fn serialized(w: &mut World) -> Refusals {
    let here = w.place();
    let mut there = here.clone();
    there.record_id = Some(w.other_id(here.record_id.as_deref()));
    let row =
        Row { drug: "a".into(), directions: "a".into(), notes: BTreeMap::from([(1, "a".into()), (2, "a".into())]) };
    let json = |place: &Place| serde_json::to_value(w.own(place).record(place).sealing(&row)).unwrap();
    let (own, other) = (json(&here), json(&there));
    let access = w.opened_by(&here);
    let read = |value: &serde_json::Value| access.run_opening(|| serde_json::from_value::<Row>(value.clone()));
    assert!(read(&own).is_ok());
    let changed = |change: fn(&mut serde_json::Value, &serde_json::Value)| {
        let mut value = own.clone();
        change(&mut value, &other);
        refused(read(&value));
    };
    changed(|own, _| own["drug"] = own["directions"].clone());
    changed(|own, _| own["directions"] = own["drug"].clone());
    changed(|own, _| own["drug"] = own["notes"]["1"].clone());
    changed(|own, _| own["notes"]["1"] = own["notes"]["2"].clone());
    changed(|own, _| own["notes"]["3"] = own["notes"]["2"].clone());
    changed(|own, other| own["drug"] = other["drug"].clone());
    changed(|own, other| own["notes"] = other["notes"].clone());
    changed(|own, other| own["notes"]["2"] = other["notes"]["2"].clone());
    w.opened += 1;
    Refusals(8)
}

fn with_key_id(token: &Token, key_id: [u8; 6]) -> Token {
    let bytes = token.as_bytes();
    Token::try_from([&bytes[..3], &key_id, &bytes[9..]].concat()).unwrap()
}
