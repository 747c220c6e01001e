//! What the thief could really read: each value of the stolen backup is tried with the stolen key, and with no key at all.

use std::collections::BTreeMap;

use rusqlite::{Connection, OpenFlags};
use rxseal::{Access, Class, Field, Keyring, Purpose, Record, Token, phi, run_local};

use crate::pharmacy::{KEYSPACE, Pharmacy};
use crate::tell::Failure;
use crate::thief::Loot;

/// In the order in which a report takes the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// It was opened through the service, or it opens with the stolen key.
    Readable,
    /// It is not sealed.
    Plaintext,
    /// It does not open.
    Sealed,
}

impl Found {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Readable => "readable",
            Self::Plaintext => "plaintext",
            Self::Sealed => "sealed",
        }
    }
}

/// Of each patient, each class.
pub type Truth = BTreeMap<String, BTreeMap<&'static str, Found>>;

/// All of it: what the backup gave, and what was opened through the service.
pub fn of(loot: &Loot, by_backup: Truth) -> Truth {
    let mut truth = by_backup;
    for (patient, classes) in &loot.seen {
        let known = truth.entry(patient.clone()).or_default();
        known.extend(classes.iter().map(|class| (class.as_str(), Found::Readable)));
    }
    truth
}

/// What the backup and the first key give without the service.
pub fn by_backup(pharmacy: &Pharmacy) -> Result<Truth, Failure> {
    // The first keyring has the stolen key and no other.
    let stolen = run_local(Keyring::unlock(KEYSPACE, &pharmacy.roots, &pharmacy.first_ring))?.unobserved();
    let backup = Connection::open_with_flags(pharmacy.places.at("stolen/backup.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut query = backup.prepare("SELECT * FROM patient")?;
    let mut rows = query.query(())?;
    let access = Access::new("user:thief", Purpose::HTEST)?;
    let mut truth = Truth::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get("id")?;
        let record = stolen.record("patient", &*id)?;
        let text = |column: &str| row.get::<_, String>(column);
        let found = [
            tried::<phi::PatientName>(&record, &text("name")?, &access),
            tried::<phi::BirthDate>(&record, &text("born")?, &access),
            tried::<phi::Phone>(&record, &text("phone")?, &access),
            tried::<phi::Drug>(&record, &text("drug")?, &access),
            tried::<phi::Directions>(&record, &text("directions")?, &access),
            tried::<phi::PrescriberName>(&record, &text("prescriber")?, &access),
        ];
        let known = truth.entry(id).or_default();
        for (class, found) in found {
            let first = known.entry(class.as_str()).or_insert(found);
            *first = found.min(*first);
        }
    }
    Ok(truth)
}

fn tried<F: Field>(record: &Record, text: &str, access: &Access) -> (Class, Found) {
    let found = match text.parse::<Token>() {
        Err(_) => Found::Plaintext,
        Ok(token) if record.opened_by(access).open::<F, String>(&token).is_ok() => Found::Readable,
        Ok(_) => Found::Sealed,
    };
    (F::CLASS, found)
}
