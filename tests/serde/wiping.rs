//! Proves that a `Phi` wipes dates, times, decimals and ids of other crates, and types that derive `Wipe`, and that what it seals of
//! them comes back.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::marker::PhantomData;

use chrono::TimeZone as _;
use rxseal::forms::Wipe;
use rxseal::testing::assert_round_trips;
use rxseal::{Phi, phi};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Wipes `value` to `left`, after it was sealed and opened.
#[track_caller]
fn wiped_to<T: Wipe + Serialize + DeserializeOwned + PartialEq + Debug>(mut value: T, left: T) {
    assert_round_trips::<phi::BirthDate, _>(&value);
    assert_ne!(value, left);
    value.wipe();
    assert_eq!(value, left);
}

#[test]
fn dates_times_and_decimals_are_wiped() {
    let born = chrono::NaiveDate::from_ymd_opt(1950, 7, 1).unwrap();
    let at = born.and_hms_opt(7, 8, 9).unwrap();
    wiped_to(born, chrono::DateTime::UNIX_EPOCH.date_naive());
    wiped_to(at.time(), chrono::NaiveTime::MIN);
    wiped_to(at, chrono::DateTime::UNIX_EPOCH.naive_utc());
    wiped_to(at.and_utc(), chrono::DateTime::UNIX_EPOCH);
    let offset = chrono::FixedOffset::east_opt(3600).unwrap();
    wiped_to(offset.from_utc_datetime(&at), chrono::DateTime::UNIX_EPOCH.with_timezone(&offset));

    let born = time::macros::date!(1950 - 07 - 01);
    wiped_to(born, time::Date::MIN);
    wiped_to(time::Time::from_hms(7, 8, 9).unwrap(), time::Time::MIDNIGHT);
    wiped_to(born.midnight(), time::PrimitiveDateTime::MIN);
    wiped_to(born.midnight().assume_utc(), time::OffsetDateTime::UNIX_EPOCH);
    wiped_to(time::Duration::hours(7), time::Duration::ZERO);

    let born = jiff::civil::date(1950, 7, 1);
    wiped_to(born, jiff::civil::Date::ZERO);
    wiped_to(jiff::civil::time(7, 8, 9, 0), jiff::civil::Time::midnight());
    wiped_to(born.at(7, 8, 9, 0), jiff::civil::DateTime::ZERO);
    wiped_to(jiff::Timestamp::MAX, jiff::Timestamp::UNIX_EPOCH);
    wiped_to(jiff::SignedDuration::from_hours(7), jiff::SignedDuration::ZERO);
    // Without a database of time zones this one is written and not read.
    assert_eq!(wiped(born.to_zoned(jiff::tz::TimeZone::UTC).unwrap()), jiff::Zoned::default());
    assert!(wiped(jiff::Span::new().days(7)).is_zero());

    wiped_to(rust_decimal::Decimal::new(725, 2), rust_decimal::Decimal::ZERO);
    wiped_to(uuid::Uuid::from_u128(7), uuid::Uuid::nil());
    wiped_to(serde_json::json!({"name": ["Zoraida", 7]}), serde_json::Value::Null);
    wiped_to(HashMap::from([("Zoraida".to_owned(), 7)]), HashMap::new());
    wiped_to(BTreeMap::from([("Zoraida".to_owned(), 7)]), BTreeMap::new());
}

#[derive(Debug, PartialEq, rxseal::Wipe)]
struct Name<T> {
    given: T,
    family: Vec<String>,
    born: time::Date,
    #[wipe(skip)]
    version: u32,
    #[wipe(skip)]
    of: PhantomData<std::rc::Rc<T>>,
}

#[derive(Debug, PartialEq, rxseal::Wipe)]
struct Pair(String, #[wipe(skip)] u8, u8);

#[derive(Debug, PartialEq, rxseal::Wipe)]
struct Unit;

#[derive(Debug, PartialEq, rxseal::Wipe)]
enum Finding<T> {
    Positive { test: T, titre: u32 },
    Referred(String, #[wipe(skip)] u8),
    Unknown,
}

/// No variant of it is without fields.
#[derive(Debug, PartialEq, rxseal::Wipe)]
enum Contact {
    Phone(String),
    Email { address: String },
}

#[derive(rxseal::Wipe)]
enum Never {}

/// A recursive type, whose parameter has a bound of its own and a default.
#[derive(Debug, PartialEq, rxseal::Wipe)]
struct Tree<T: Clone = String>
where
    T: Debug,
{
    value: T,
    below: Vec<Tree<T>>,
}

fn wiped<T: Wipe>(mut value: T) -> T {
    value.wipe();
    value
}

#[test]
fn a_derived_type_wipes_each_field_and_the_variant_it_was() {
    let name = Name {
        given: Some("Zoraida".to_owned()),
        family: vec!["Quimby".to_owned()],
        born: time::Date::MAX,
        version: 7,
        of: PhantomData,
    };
    let left = Name { given: None, family: vec![], born: time::Date::MIN, version: 7, of: PhantomData };
    assert_eq!(wiped(name), left);
    assert_eq!(wiped(Pair("Zoraida".to_owned(), 7, 7)), Pair(String::new(), 7, 0));
    assert_eq!(wiped(Unit), Unit);
    assert_eq!(wiped(Finding::Positive { test: "HIV".to_owned(), titre: 7 }), Finding::Unknown);
    assert_eq!(wiped(Finding::<u8>::Referred("Dr. Emard".to_owned(), 7)), Finding::Unknown);
    assert_eq!(wiped(Contact::Phone("555".to_owned())), Contact::Phone(String::new()));
    assert_eq!(wiped(Contact::Email { address: "z@q".to_owned() }), Contact::Email { address: String::new() });
    let leaf = Tree { value: 7, below: vec![] };
    assert_eq!(wiped(Tree { value: 8, below: vec![leaf] }), Tree { value: 0, below: vec![] });
    assert!(wiped(None::<Never>).is_none());
}

#[test]
fn a_date_lies_under_phi_without_a_wrapper() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Patient {
        born: Phi<time::Date, phi::BirthDate>,
        copay: Phi<Option<rust_decimal::Decimal>, phi::Quantity>,
    }
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    let record = keys.record("patient", "P-7").unwrap();
    let born = time::macros::date!(1950 - 07 - 01);
    let copay = Some(rust_decimal::Decimal::new(725, 2));
    let row = serde_json::to_string(&record.sealing(&Patient { born: born.into(), copay: copay.into() })).unwrap();
    assert!(!row.contains("1950"), "{row}");
    let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT).unwrap();
    let back: Patient = record.opened_by(&access).run_opening(|| serde_json::from_str(&row)).unwrap();
    assert_eq!((*back.born.expose_phi(), *back.copay.expose_phi()), (born, copay));
}
