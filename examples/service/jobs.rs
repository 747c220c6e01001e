//! What runs beside the service.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use rxseal::migrating::ReadThrough;
use rxseal::{Access, Purpose, phi};

use crate::{Service, TENANTS};

/// The prescriptions for the warehouse, one JSON document a line: still sealed, so no key is needed. Then the old table.
pub async fn night(at: &Service, folder: &Path) -> Result<(), Box<dyn Error>> {
    for tenant in TENANTS {
        let mut file = File::create(folder.join(format!("{tenant}.jsonl")))?;
        for row in at.store.prescriptions(tenant, None).await? {
            writeln!(file, "{}", serde_json::to_string(&row)?)?;
        }
        migrate(at, tenant).await?;
    }
    forget_again(at, folder).await
}

/// A restored database has index values again. So may a row that was written while its patient was forgotten.
async fn forget_again(at: &Service, folder: &Path) -> Result<(), Box<dyn Error>> {
    // Nobody was forgotten yet.
    if !folder.join("shredded.log").exists() {
        return Ok(());
    }
    for (tenant, patient) in at.subject_admin.reapply(&at.shredded).await?.to_clear() {
        at.store.clear_indexes(tenant, patient.parse()?).await?;
    }
    Ok(())
}

/// Seals each phone number that is still plaintext. When none is left, the marker is `phi::Phone` without `Migrates`.
async fn migrate(at: &Service, tenant: &str) -> Result<(), Box<dyn Error>> {
    let permit = ReadThrough::until(2099, 3, 1, "CHG-1234")?; // in earnest some weeks ahead
    let keys = at.keyrings.keyring(tenant).await?.read_through::<phi::Phone>(&permit);
    let access = Access::new("job:migrate", Purpose::TREAT)?;
    for row in at.store.phones(tenant).await?.iter().filter(|row| row.number.is_plain()) {
        let key = at.subjects.subject_or_create(&keys, row.patient).await?;
        let keys = keys.with_subjects(&key);
        at.store.save_phone(tenant, &keys.seal(&keys.open(row, &access)?)?).await?;
    }
    Ok(())
}

/// Makes new keys and moves all rows to them. It says which rows stay behind: those of forgotten patients, and damaged ones.
pub async fn rotate(at: &Service) -> Result<(), Box<dyn Error>> {
    for tenant in TENANTS {
        at.admin.rotate(tenant).await?;
        let keys = at.keyrings.keyring(tenant).await?;
        at.subject_admin.rewrap(&keys).await?;
        let (patients, rows) = (at.store.patients(tenant, None).await?, at.store.prescriptions(tenant, None).await?);
        let subjects = at.subjects.load(&keys, patients.iter().map(|row| row.id)).await?;
        let keys = keys.with_subjects(&subjects);
        for new in keys.reseal_all(&at.store.phones(tenant).await?) {
            match new {
                Ok(new) => at.store.save_phone(tenant, &new).await?,
                Err(error) => println!("{tenant}: a phone stays behind: {error}"),
            }
        }
        for new in keys.reseal_all(&patients) {
            match new {
                Ok(new) => at.store.save_patient(tenant, &new).await?,
                Err(error) => println!("{tenant}: a patient stays behind: {error}"),
            }
        }
        for (old, new) in rows.iter().zip(keys.reseal_all(&rows)) {
            match new {
                Ok(new) => at.store.save(tenant, &new, Some(&old.tag)).await?,
                Err(error) => println!("{tenant}: prescription {} stays behind: {error}", old.rx_number),
            }
        }
    }
    Ok(())
}
