//! Which source of the map a job is about, and what it is there.

use rxseal::Keyring;
use rxseal::schema::RecordSchema;
use rxseal_jobs::{Operation, Spec, Status};
use rxseal_map::{Keyspace, Map, Source};

use super::database::{Database, JobAt};
use crate::args::{Global, JobFiles};
use crate::config::Config;
use crate::failure::{Failure, usage};
use crate::keyring::unlock;
use crate::output::Output;

/// A job that was planned, and where the map has its table.
pub struct Found {
    pub job: JobAt,
    pub status: Status,
    map: Map,
}

/// What a worker needs beside the table.
pub struct Planned {
    pub spec: Spec,
    pub record: RecordSchema,
    pub keys: Keyring,
}

/// Every job of every database that the map names.
pub async fn jobs(files: &JobFiles) -> Result<Vec<(Database, Status)>, Failure> {
    jobs_of(&files.map.read_map()?, files).await
}

async fn jobs_of(map: &Map, files: &JobFiles) -> Result<Vec<(Database, Status)>, Failure> {
    let mut jobs = Vec::new();
    for database in databases(map, files)? {
        let listed = database.jobs().await?;
        jobs.extend(listed.into_iter().map(|status| (database.clone(), status)));
    }
    Ok(jobs)
}

/// The job of this name.
pub async fn find(files: &JobFiles, name: &str) -> Result<Found, Failure> {
    let map = files.map.read_map()?;
    let mut found: Vec<_> = jobs_of(&map, files).await?.into_iter().filter(|(_, status)| status.job == name).collect();
    match (found.pop(), found.len()) {
        (None, _) => {
            let text =
                format!("no job {name} is planned in the databases of the map: `rxseal job status` lists those that are");
            Err(Failure::Coded("job-refused", text))
        }
        (Some((database, status)), 0) => Ok(Found { job: database.open(name).await?, status, map }),
        (Some(_), more) => {
            let databases = more.saturating_add(1);
            Err(Failure::Usage(format!("{databases} databases of the map have a job {name}: use a map of one of them")))
        }
    }
}

impl Found {
    /// What the map, the schema and the keyring say now. A worker is refused if it is not what the job was planned with.
    pub async fn planned(&self, global: &Global, files: &JobFiles, output: &Output) -> Result<Planned, Failure> {
        let source = self.map.source(&self.status.at).ok_or_else(|| {
            let text = format!("the map has no source {}, which the job was planned for", self.status.at);
            Failure::Coded("job-mismatch", text)
        })?;
        planned(global, files, source, self.status.operation, output).await
    }
}

/// What a job over this source is.
pub async fn planned(
    global: &Global,
    files: &JobFiles,
    source: &Source,
    operation: Operation,
    output: &Output,
) -> Result<Planned, Failure> {
    let schema = files.map.read_schema()?;
    let record = schema.record(source.record()).ok_or_else(|| {
        let text = format!(
            "the map says that the rows of {} are of the record type {}, which the schema does not have",
            source.name(),
            source.record()
        );
        Failure::Coded("invalid-map", text)
    })?;
    let keyspace = keyspace(source, files)?;
    let keys = unlock(&Config::of(global)?, &keyspace, output).await?;
    let spec = Spec::new(operation, source, record, &keys)?;
    Ok(Planned { spec, record: record.clone(), keys })
}

fn keyspace(source: &Source, files: &JobFiles) -> Result<String, Failure> {
    match (source.keyspace(), &files.keyspace) {
        (Keyspace::One(one), None) => Ok(one.clone()),
        (_, None) => usage("the rows are of several keyspaces: say which one this job is for with --keyspace"),
        (some, Some(named)) if some.may_be(named) => Ok(named.clone()),
        (_, Some(named)) => usage(&format!("the map has no keyspace {named} there")),
    }
}

/// The databases of a map, each once.
fn databases(map: &Map, files: &JobFiles) -> Result<Vec<Database>, Failure> {
    let url = files.map.postgres_url()?;
    let mut databases = Vec::new();
    for source in map.sources() {
        if let Some(database) = Database::of(source.at(), url.as_deref())?
            && !databases.contains(&database)
        {
            databases.push(database);
        }
    }
    Ok(databases)
}
