//! The jobs over all rows: take in, open and reseal. They go page by page, so that memory and locks stay small.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use rxseal::{Access, Error, Keyring, SealedRecord};
use uuid::Uuid;

use crate::checks::Failure;
use crate::prescription::{Prescription, SealedPrescription};
use crate::store::Store;

/// Rows that are read, opened or committed together.
const PAGE: u32 = 256;

/// How long a job took, and how much of that was sealing or opening. The rest is SQLite's.
#[derive(Clone, Copy, Default)]
pub struct Timing {
    pub records: usize,
    pub total: Duration,
    pub crypto: Duration,
}

/// Gives every incoming prescription its row: the stored row with exactly the same content, or a new one. Returns the
/// places of those that are new. A stored row is never overwritten: a request that comes again with other content gets
/// its own row.
///
/// Names and drugs are sealed with a new nonce each time, so the database cannot compare them. This compares them in
/// memory.
pub fn admit(incoming: &mut [Prescription], stored: &[Prescription]) -> Vec<usize> {
    number_patients(incoming, stored);
    let mut known: HashMap<_, String> = stored.iter().map(|row| (row.content(), row.id.clone())).collect();
    let (mut ids, mut fresh) = (Vec::new(), Vec::new());
    for (at, row) in incoming.iter().enumerate() {
        let id = known.entry(row.content()).or_insert_with(|| {
            fresh.push(at);
            Uuid::new_v4().to_string()
        });
        ids.push(id.clone());
    }
    drop(known);
    incoming.iter_mut().zip(ids).for_each(|(row, id)| row.id = id);
    fresh
}

/// Gives patients our own numbers. Two records are the same person if the record number, the name and the birth date
/// are the same: two systems may both have a number 1.
fn number_patients(incoming: &mut [Prescription], stored: &[Prescription]) {
    let person = |row: &Prescription| {
        let number = row.source.expose_phi().patient.clone();
        (number, row.patient_name.expose_phi().clone(), row.birth_date.expose_phi().clone())
    };
    let mut known: HashMap<_, String> = stored.iter().map(|row| (person(row), row.patient.clone())).collect();
    for row in incoming {
        row.patient = known.entry(person(row)).or_insert_with(|| Uuid::new_v4().to_string()).clone();
    }
}

/// Seals and stores the prescriptions that have no row yet.
pub fn take_in(
    store: &mut Store,
    keys: &Keyring,
    fresh: &[&Prescription],
    bar: &ProgressBar,
) -> Result<Timing, Failure> {
    let mut timing = Timing::default();
    let started = Instant::now();
    for page in fresh.chunks(PAGE as usize) {
        let sealing = Instant::now();
        let rows = keys.seal_all(page.iter().copied())?;
        timing.crypto += sealing.elapsed();
        let change = store.change()?;
        rows.iter().try_for_each(|row| change.put(row))?;
        change.commit()?;
        timing.records += page.len();
        bar.inc(page.len() as u64);
    }
    timing.total = started.elapsed();
    Ok(timing)
}

/// The result of `open_all`.
#[derive(Default)]
pub struct OpenedRows {
    pub rows: Vec<Prescription>,
    /// Rows that did not open: their ids, and why.
    pub damaged: Vec<(String, Error)>,
    /// Openings that are reported to the observer.
    pub openings: usize,
    pub timing: Timing,
}

/// Opens every row. A page is one opening, which the observer hears of once.
pub fn open_all(store: &Store, keys: &Keyring, access: &Access, bar: &ProgressBar) -> Result<OpenedRows, Failure> {
    let mut found = OpenedRows::default();
    let started = Instant::now();
    let mut after = String::new();
    loop {
        let page = store.page(&after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        found.timing.records += page.len();
        bar.inc(page.len() as u64);
        let mut rows: Vec<SealedPrescription> = Vec::new();
        for (id, row) in page {
            match row {
                Ok(row) => rows.push(row),
                Err(why) => found.damaged.push((id, why)),
            }
        }
        let opening = Instant::now();
        let opened = keys.open_all(&rows, access);
        found.timing.crypto += opening.elapsed();
        found.openings += 1;
        for (row, opened) in rows.into_iter().zip(opened) {
            match opened {
                Ok(prescription) => found.rows.push(prescription),
                Err(why) => found.damaged.push((row.id, why)),
            }
        }
    }
    found.timing.total = started.elapsed();
    Ok(found)
}

/// Reseals every row under the key that seals now. This may be interrupted and started again: both keys open meanwhile.
pub fn reseal_all(store: &mut Store, keys: &Keyring, bar: &ProgressBar) -> Result<Timing, Failure> {
    let mut timing = Timing::default();
    let started = Instant::now();
    let mut after = String::new();
    loop {
        let change = store.change()?;
        let page = change.page(&after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        timing.records += page.len();
        bar.inc(page.len() as u64);
        for (_, row) in page {
            let row = row?;
            let resealing = Instant::now();
            let resealed = if row.needs_reseal(keys)? { Some(keys.reseal(&row)?) } else { None };
            timing.crypto += resealing.elapsed();
            resealed.iter().try_for_each(|row| change.put(row))?;
        }
        change.commit()?;
    }
    timing.total = started.elapsed();
    Ok(timing)
}
