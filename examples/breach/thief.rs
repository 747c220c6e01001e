//! The thief: first with a pharmacist's login, then with a backup and an old key.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, SystemTime};

use rxseal::{Access, Class, Purpose};
use rxseal_watch::budget::FrozenList;
use rxseal_watch::{Act, Alarm, WatchError};

use crate::people;
use crate::pharmacy::{KEYSPACE, Pharmacy};
use crate::tell::{Failure, Tell, grouped};

/// Whose login the thief has.
pub const LOGIN: &str = "user:kim.rph";
/// How long until an operator has read the alarm and freezes the login.
const REACTION: Duration = Duration::from_secs(600);
/// A hundred patients a second.
const STEP: Duration = Duration::from_millis(10);
/// The first one. Whom Kim opened lately is free, and the thief wants others.
const FIRST: usize = 600;
/// Those of whom the thief offers a sample for sale.
const SAMPLE: std::ops::Range<usize> = 740..780;

/// What the thief got through the service: of which patient, which classes.
pub struct Loot {
    pub seen: BTreeMap<String, BTreeSet<Class>>,
    pub from: SystemTime,
    pub to: SystemTime,
}

/// Opens one patient after the other, and the drug of each fourth, until the login is frozen.
pub fn with_a_login(pharmacy: &Pharmacy, patients: usize, tell: &Tell) -> Result<Loot, Failure> {
    let from = pharmacy.clock.now();
    let access = Access::new(LOGIN, Purpose::TREAT)?.request_id("session-9f2c")?;
    let mut seen = BTreeMap::<_, BTreeSet<_>>::new();
    let (mut refused, mut before_refusal) = (0_usize, None);
    let mut sample = "name,born,phone\n".to_owned();
    let mut number = FIRST;
    while number < patients && pharmacy.clock.now().duration_since(from)? < REACTION {
        let row = pharmacy.row(people::id(number))?;
        match pharmacy.look(&row, &access, number.is_multiple_of(4)) {
            Ok(screen) => {
                let classes = seen.entry(row.id).or_default();
                classes.extend([Class::IDENTITY, Class::CONTACT]);
                classes.extend(screen.drug.map(|_| Class::MEDICATION));
                if SAMPLE.contains(&number) {
                    sample.push_str(&format!("{},{},{}\n", screen.name, screen.born, screen.phone));
                }
                number += 1;
            }
            Err(error) => {
                let refusal = WatchError::of(&error).filter(|error| error.is_over_budget()).ok_or("it did not open")?;
                refused += 1;
                before_refusal.get_or_insert(seen.len());
                // A patient thief waits for as long as the answer says.
                pharmacy.clock.advance(refusal.retry_after().unwrap_or(REACTION));
            }
        }
        pharmacy.clock.advance(STEP);
    }
    fs::write(pharmacy.places.at("stolen/for-sale.csv"), sample)?;
    tell.check(
        "a thief with a working login is refused",
        before_refusal.is_some_and(|opened| opened < 1100),
        format_args!("after {} patients", grouped(before_refusal.unwrap_or(seen.len()))),
    )?;
    tell.line(format_args!("the thief waits as each refusal says: {} refusals in ten minutes", grouped(refused)));
    freeze(pharmacy)?;
    let last = pharmacy.row(people::id(FIRST))?;
    let refused = pharmacy.look(&last, &access, false).err();
    let code = refused.as_ref().and_then(WatchError::of).map_or("opened", WatchError::code);
    tell.line("an operator reads the alarm, and freezes the login");
    tell.check(
        "a frozen login opens nothing",
        code == "frozen",
        format_args!("it had got {} patients", grouped(seen.len())),
    )?;
    pharmacy.watch.commit()?;
    Ok(Loot { seen, from, to: pharmacy.clock.now() })
}

/// As `rxseal budget freeze` does it. Every process that reads the list follows.
fn freeze(pharmacy: &Pharmacy) -> Result<(), Failure> {
    let act = Act::new("user:sam.ops", "budget-freeze", "alarm: opens patient after patient at night")?;
    let begun = pharmacy.operators.begin(act.keyspace(KEYSPACE).actor(LOGIN))?;
    FrozenList::at(pharmacy.places.at("frozen")).set(LOGIN, true)?;
    begun.done()?;
    pharmacy.clock.advance(Duration::from_secs(5));
    while !matches!(pharmacy.alarms.recv_timeout(Duration::from_secs(30))?, Alarm::Frozen { .. }) {}
    Ok(())
}
