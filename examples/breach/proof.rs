//! The evidence pack: made before the theft, and verified after it.

use std::fs;
use std::time::UNIX_EPOCH;

use rxseal_evidence::{Evidence, LogFacts, Topic};

use crate::officer::verifier;
use crate::pharmacy::Pharmacy;
use crate::tell::{Failure, Tell};

const WHO: &str = "user:sam.ops";

/// Once a month, as `rxseal evidence make` does it.
pub fn make(pharmacy: &Pharmacy, tell: &Tell) -> Result<(), Failure> {
    let data = |name: &str| pharmacy.places.at("data").join(name);
    let (map, schema) = (fs::read_to_string(data("rxseal-map.toml"))?, fs::read_to_string(data("rxseal-schema.json"))?);
    let now = pharmacy.clock.now().duration_since(UNIX_EPOCH)?;
    let mut evidence = Evidence::of(&map, &schema)?;
    evidence.at(now.as_secs());
    evidence.keyring(&pharmacy.ring, "file:keyrings");
    evidence.root_key_is_here();
    evidence.log(LogFacts::read(pharmacy.places.at("log"), &verifier(pharmacy)?)?);
    evidence.stated(Topic::Observed, "yes", "Sam Ito, security officer")?;
    let key = pharmacy.signing_key.parse()?;
    let pack = evidence.write(pharmacy.places.at("evidence"), WHO, &key)?;
    pharmacy.operators.ran(&pack.event(WHO)?)?;
    tell.line(format_args!("an evidence pack is made, as every month: {}", pack.verdict().as_str()));
    Ok(())
}

/// It is as it was made, and one byte that is changed shows.
pub fn verify(pharmacy: &Pharmacy, tell: &Tell) -> Result<(), Failure> {
    let (folder, keys) = (pharmacy.places.at("evidence"), [pharmacy.verifier_key.clone()]);
    let pack = rxseal_evidence::verify(&folder, &keys)?;
    tell.check(
        "the pack of four weeks ago is as it was made",
        true,
        format_args!("{} files, {}", pack.files(), pack.verdict()),
    )?;

    let page = folder.join("evidence.html");
    let was = fs::read(&page)?;
    let mut changed = was.clone();
    if let Some(byte) = changed.last_mut() {
        *byte ^= 1;
    }
    fs::write(&page, changed)?;
    let found = rxseal_evidence::verify(&folder, &keys);
    fs::write(&page, was)?;
    let names_it = found.err().is_some_and(|error| error.to_string().contains("evidence.html"));
    tell.check("one changed bit of it is found", names_it, "evidence.html")
}
