//! The compliance officer: from a file that is offered for sale to who took it, and to the report.

use std::fs;

use rxseal::{Access, Purpose};
use rxseal_scan::{Canaries, Scan};
use rxseal_watch::verify::{Verdict, Verifier};

use crate::pharmacy::Pharmacy;
use crate::tell::{Failure, Tell, clock_time, grouped};
use crate::thief::LOGIN;

/// Finds a canary in what is for sale, and who opened it.
pub fn first_hour(pharmacy: &Pharmacy, canary: &str, tell: &Tell) -> Result<(), Failure> {
    let access = Access::new("user:ada.compliance", Purpose::HSYSADMIN)?;
    let list = fs::read_to_string(pharmacy.places.at("data/canaries.json"))?;
    let canaries = Canaries::open(&list, &pharmacy.keys_of_operators()?, &access)?;
    let found = Scan::new().looking_for(canaries.known()?).file(pharmacy.places.at("stolen/for-sale.csv"));
    let known: Vec<_> = found.findings().iter().filter_map(|finding| finding.known()).collect();
    tell.check("a canary is in the file that is for sale", known.len() == 2, "its name and its phone")?;

    let mut who = Vec::new();
    rxseal_watch::read_events(pharmacy.places.at("log"), |event| {
        if event.is_seen() && event.patients().any(|patient| patient == canary) {
            who.push((event.text("who").unwrap_or_default().to_owned(), event.time()));
        }
    })?;
    let [(who, at)] = who.as_slice() else { return Err("the canary was not opened once, and by one login".into()) };
    let detail = format_args!("{who} at {}", clock_time(*at));
    tell.check("the log says who opened the canary", who == LOGIN, detail)?;

    let report = verifier(pharmacy)?.verify(pharmacy.places.at("log"))?;
    let detail = format!("{} lines, a chain for each day", grouped(usize::try_from(report.events())?));
    tell.check("nobody changed the log", report.verdict() == Verdict::Whole, detail)
}

/// As somebody who has the public key, and the checkpoints from another machine.
pub fn verifier(pharmacy: &Pharmacy) -> Result<Verifier, Failure> {
    Ok(Verifier::new([pharmacy.verifier_key.clone()]).checkpoints(pharmacy.places.at("checkpoints"))?)
}
