//! What runs beside the service.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use rxseal_jobs::sqlite::{Job, Worker};
use rxseal_jobs::{DeclaredWork, Operation, PlanOptions, Spec, WorkerOptions};
use rxseal_map::Map;
use rxseal_watch::Act;
use uuid::Uuid;

use crate::records::schema;
use crate::{Service, TENANTS, watch};

/// The prescriptions for the warehouse, one JSON document a line: still sealed, so no key is needed. Then the old table.
pub async fn night(at: &Service, folder: &Path) -> Result<(), Box<dyn Error>> {
    for tenant in TENANTS {
        let mut file = File::create(folder.join(format!("{tenant}.jsonl")))?;
        for row in at.store.prescriptions(tenant, None).await? {
            writeln!(file, "{}", serde_json::to_string(&row)?)?;
        }
        migrate(at, &folder.join("pharmacy.db"), tenant).await?;
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

/// Seals what is still plaintext in the old table, beside the running service. When none is left, the marker is `phi::Phone` without
/// `Migrates`. docs/MIGRATION.md has all steps.
async fn migrate(at: &Service, database: &Path, tenant: &str) -> Result<(), Box<dyn Error>> {
    let keys = at.keyrings.keyring(tenant).await?;
    // The job makes no keys of patients.
    let plain = "SELECT patient FROM phone WHERE tenant = ?1 AND patient = coalesce(?2, patient) AND substr(number, 1, 3) <> 'rxs'";
    for (patient,) in at.store.rows::<(Uuid,)>(plain, tenant, None).await? {
        at.subjects.subject_or_create(&keys, patient).await?;
    }
    let (map, schema) = (Map::parse(include_str!("rxseal-map.toml"))?, schema()?);
    let table = map.source("sqlite:pharmacy.db#phone").zip(schema.record("phone"));
    let (source, phone) = table.ok_or("the map has no table of phones")?;
    let spec = Spec::new(Operation::Backfill, source, phone, &keys)?;
    let work = Arc::new(DeclaredWork::new(&spec, phone, &keys)?.with_subjects(at.subjects.clone()));
    // A keyring that was rotated has another generation, and gets a job of its own.
    let name = format!("phones-{tenant}-{}", spec.generation());
    let job = Job::open(database, &name).or_else(|_| Job::plan(database, &name, &spec, &PlanOptions::default()))?;
    job.reopen(&spec)?;
    Worker::join(&job, &spec, work, WorkerOptions::default())?.run(|_| true)?;
    let ended = job.finish(&spec)?;
    if ended.is_clean() { Ok(()) } else { Err(format!("{tenant}: phones stay behind: {ended:?}").into()) }
}

/// Makes new keys and moves all rows to them. It says which rows stay behind: those of forgotten patients, and damaged ones.
pub async fn rotate(at: &Service) -> Result<(), Box<dyn Error>> {
    for tenant in TENANTS {
        let act = Act::new("job:rotate", "keyring-rotate", "an operator ran the job rotate")?.keyspace(tenant);
        watch::acted(&at.watch, act, at.admin.rotate(tenant)).await?;
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
