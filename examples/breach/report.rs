//! The exposure report, and each of its figures beside what the thief could really open.

use std::collections::BTreeMap;
use std::fs;
use std::time::SystemTime;

use rxseal::keys::KeyUse;
use rxseal::run_local;
use rxseal::schema::Schema;
use rxseal_exposure::{Day, Exposure, State, Theft};
use rxseal_map::Map;

use crate::officer::verifier;
use crate::pharmacy::Pharmacy;
use crate::tell::{Failure, Tell, grouped};
use crate::thief::{LOGIN, Loot};
use crate::truth::{Found, Truth};

/// What the officer types after `--stolen`.
fn stolen(pharmacy: &Pharmacy, loot: &Loot) -> Vec<String> {
    let time = |time: SystemTime| humantime::format_rfc3339_seconds(time).to_string();
    let keys = pharmacy.first_ring.keys().iter().filter(|key| key.usage() == KeyUse::Seal);
    let mut stolen = vec![
        format!("actor:{LOGIN}@{}..{}", time(loot.from), time(loot.to)),
        format!("data:{}=sqlite:pharmacy.db#patient", pharmacy.places.at("stolen/backup.db").display()),
    ];
    stolen.extend(keys.map(|key| format!("key:{}", key.id())));
    stolen
}

/// Makes the report, as `rxseal exposure` does, and compares it.
pub fn make(pharmacy: &Pharmacy, loot: &Loot, truth: &Truth, tell: &Tell) -> Result<(), Failure> {
    let data = |name: &str| pharmacy.places.at("data").join(name);
    let schema = Schema::parse(&fs::read_to_string(data("rxseal-schema.json"))?)?;
    let mut theft = Theft::new(Map::read(data("rxseal-map.toml"))?, schema, day(loot.to)?)
        .name("2026-0007")
        .by("user:ada.compliance")
        .keyring(pharmacy.ring.clone())
        .log(pharmacy.places.at("log"), verifier(pharmacy)?);
    for thing in stolen(pharmacy, loot) {
        tell.line(format_args!("stolen: {}", thing.replace(&pharmacy.places.folder.display().to_string(), "..")));
        theft = theft.stolen(thing.parse()?);
    }
    let folder = pharmacy.places.at("report");
    let exposure = run_local(async { Ok(theft.report_into(&folder).await) })??;

    let listed = listed(&fs::read_to_string(folder.join("patients.csv"))?)?;
    let same = truth.iter().filter(|(patient, classes)| listed.get(*patient) == Some(*classes)).count();
    let (rows, is_right) = compared(&exposure, truth);
    tell.table(&rows);
    tell.check("the report counts what really opened", is_right, format_args!("{} figures", rows.len() - 1))?;
    let proven = truth.values().filter(|classes| classes.values().any(|found| *found != Found::Sealed)).count();
    let says = (exposure.totals.patients, exposure.totals.proven, exposure.totals.at_most);
    tell.check(
        "its first figure is right, and none is undecided",
        says == (truth.len() as u64, proven as u64, proven as u64),
        format_args!("{} of {} patients", grouped(proven), grouped(truth.len())),
    )?;
    tell.check(
        "so is its list, patient by patient and class by class",
        listed.len() == truth.len() && same == truth.len(),
        format_args!("{} lines", grouped(listed.len())),
    )
}

fn day(time: SystemTime) -> Result<Day, Failure> {
    let text = humantime::format_rfc3339_seconds(time).to_string();
    Ok(text.split('T').next().unwrap_or_default().parse()?)
}

/// A row for each class and state: what the report says, and what really opened.
fn compared(exposure: &Exposure, truth: &Truth) -> (Vec<Vec<String>>, bool) {
    let mut rows = vec![["kind of data", "state", "the report says", "really"].map(str::to_owned).to_vec()];
    let mut is_right = true;
    for of_class in exposure.classes.iter().filter(|class| !class.is_clear) {
        for (state, said) in &of_class.patients {
            let really = |classes: &&BTreeMap<_, Found>| {
                classes.get(&*of_class.class).map(|found| found.as_str()) == Some(state.as_str())
            };
            let really = truth.values().filter(really).count();
            is_right = is_right && *said == really as u64;
            if *said > 0 || really > 0 || *state == State::Undecided {
                let said = usize::try_from(*said).unwrap_or(usize::MAX);
                rows.push(vec![of_class.class.clone(), state.as_str().to_owned(), grouped(said), grouped(really)]);
            }
        }
    }
    (rows, is_right)
}

/// The list of patients, read back.
fn listed(csv: &str) -> Result<Truth, Failure> {
    const CLASSES: [&str; 4] = ["contact", "identity", "medication", "prescriber"];
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap_or_default();
    let at = |name: &str| {
        names.iter().position(|column| *column == name).ok_or_else(|| format!("patients.csv has no column {name}"))
    };
    let subject = at("subject")?;
    let mut listed = Truth::new();
    for cells in lines {
        let mut classes = BTreeMap::new();
        for class in CLASSES {
            let said = cells[at(class)?];
            let found =
                [Found::Readable, Found::Plaintext, Found::Sealed].into_iter().find(|found| found.as_str() == said);
            classes.insert(class, found.ok_or_else(|| format!("patients.csv says {said}"))?);
        }
        listed.insert(cells[subject].to_owned(), classes);
    }
    Ok(listed)
}
