//! The jobs over all rows: take in, open and reseal. They go page by page, so that memory and locks stay small.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use rxseal::{Access, Error, Keyring, Record};
use uuid::Uuid;

use crate::checks::Failure;
use crate::prescription::{Prescription, RECORD_TYPE, SealedPrescription};
use crate::store::{Store, Stored};

/// Rows that are read, opened or committed together.
const PAGE: u32 = 256;

/// How long a job took, and how much of that was sealing or opening. The rest is SQLite's.
#[derive(Clone, Copy, Default)]
pub struct Timing {
    pub records: usize,
    pub total: Duration,
    pub crypto: Duration,
}

/// A row with its id, opened.
pub type Opened = (String, Prescription);

/// The row that a prescription is stored as, or will be.
pub struct Slot {
    pub id: String,
    pub fresh: bool,
}

/// Gives every incoming prescription its row: the stored row with exactly the same content, or a new one. A stored row
/// is never overwritten: a request that comes again with other content gets its own row.
///
/// Names and drugs are sealed with a new nonce each time, so the database cannot compare them. This compares them in
/// memory.
pub fn admit(incoming: &mut [Prescription], stored: &[Opened]) -> Vec<Slot> {
    number_patients(incoming, stored);
    let mut known: HashMap<&str, Vec<(&Prescription, String)>> = HashMap::new();
    for (id, row) in stored {
        known.entry(&row.source.expose_phi().request).or_default().push((row, id.clone()));
    }
    let mut slots = Vec::with_capacity(incoming.len());
    for prescription in incoming.iter() {
        let request = &prescription.source.expose_phi().request;
        let rows = known.entry(request).or_default();
        let same = rows.iter().find(|(row, _)| *row == prescription).map(|(_, id)| id.clone());
        let fresh = same.is_none();
        // A random id, made before the row exists. The tokens are bound to it, and it says nothing about anybody.
        let id = same.unwrap_or_else(|| Uuid::new_v4().to_string());
        if fresh {
            rows.push((prescription, id.clone()));
        }
        slots.push(Slot { id, fresh });
    }
    slots
}

/// Gives patients our own numbers. Two records are the same person if the record number, the name and the birth date
/// are the same: two systems may both have a number 1.
fn number_patients(incoming: &mut [Prescription], stored: &[Opened]) {
    let person = |row: &Prescription| {
        let number = row.source.expose_phi().patient.clone();
        (number, row.patient_name.expose_phi().clone(), row.birth_date.expose_phi().clone())
    };
    let mut known: HashMap<_, String> = stored.iter().map(|(_, row)| (person(row), row.patient.clone())).collect();
    for row in incoming {
        row.patient = known.entry(person(row)).or_insert_with(|| Uuid::new_v4().to_string()).clone();
    }
}

/// Seals and stores the prescriptions that have no row yet.
pub fn take_in(
    store: &mut Store,
    keys: &Keyring,
    incoming: &[Prescription],
    slots: &[Slot],
    bar: &ProgressBar,
) -> Result<Timing, Failure> {
    let mut timing = Timing::default();
    let started = Instant::now();
    let fresh: Vec<_> = incoming.iter().zip(slots).filter(|(_, slot)| slot.fresh).collect();
    for page in fresh.chunks(PAGE as usize) {
        let change = store.change()?;
        for (prescription, slot) in page {
            let sealing = Instant::now();
            let record = keys.record(RECORD_TYPE, &slot.id)?;
            let columns = prescription.seal(&record)?;
            timing.crypto += sealing.elapsed();
            change.insert(&Stored { id: slot.id.clone(), columns })?;
        }
        change.commit()?;
        timing.records += page.len();
        bar.inc(page.len() as u64);
    }
    timing.total = started.elapsed();
    Ok(timing)
}

/// Opens one row, as at the counter: one opening of one record.
pub fn open_one(row: &Stored, keys: &Keyring, access: &Access) -> Result<Prescription, Error> {
    let record = keys.record(RECORD_TYPE, &row.id)?;
    Prescription::open(&row.columns, &record.opened_by(access))
}

/// The result of `open_all`.
#[derive(Default)]
pub struct OpenedRows {
    pub rows: Vec<Opened>,
    /// Rows that did not open: their ids, and why.
    pub damaged: Vec<(String, String)>,
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
        let Some(last) = page.last() else { break };
        after = last.id.clone();
        let opening = Instant::now();
        let records = page.iter().map(|row| keys.record(RECORD_TYPE, &row.id)).collect::<Result<Vec<_>, _>>()?;
        let opened = rxseal::page::open_page(&records, access, |at, pass| {
            // One bad row must not hide the others, so its fault is a result like any other.
            let sealed = sealed_row(&page[at].columns);
            Ok(sealed.and_then(|row| row.open(pass).map_err(|error| error.to_string())))
        })?;
        found.timing.crypto += opening.elapsed();
        found.openings += 1;
        found.timing.records += page.len();
        bar.inc(page.len() as u64);
        for (row, opened) in page.into_iter().zip(opened) {
            match opened {
                Ok(prescription) => found.rows.push((row.id, prescription)),
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
        let Some(last) = page.last() else { break };
        after = last.id.clone();
        timing.records += page.len();
        bar.inc(page.len() as u64);
        for row in page {
            let resealing = Instant::now();
            let record = keys.record(RECORD_TYPE, &row.id)?;
            let columns = resealed(&row.columns, keys, &record)?;
            timing.crypto += resealing.elapsed();
            if let Some(columns) = columns {
                change.update(&Stored { id: row.id, columns })?;
            }
        }
        change.commit()?;
    }
    timing.total = started.elapsed();
    Ok(timing)
}

fn resealed(columns: &str, keys: &Keyring, record: &Record) -> Result<Option<String>, Failure> {
    let row = sealed_row(columns).map_err(Failure::new)?;
    if !row.needs_reseal(keys)? {
        return Ok(None);
    }
    let row = serde_json::to_string(&row.reseal(record)?);
    row.map(Some).map_err(|_| Failure::new("a row cannot be written as JSON"))
}

/// The tokens of a row. The error's text is ours and quotes nothing: the columns are text or null.
fn sealed_row(columns: &str) -> Result<SealedPrescription, String> {
    serde_json::from_str(columns).map_err(|error| error.to_string())
}
