//! Which source of the map a job is about, and what it is there.

use std::path::Path;

use rxseal::Keyring;
use rxseal::schema::RecordSchema;
use rxseal::subjects::SubjectKeys;
use rxseal_jobs::{Operation, Spec, Status};
use rxseal_map::{Keyspace, Map, Source};

use super::database::{Database, JobAt};
use crate::args::{Global, JobFiles};
use crate::config::Config;
use crate::failure::{Failure, usage};
use crate::journal::Journal;
use crate::keyring::unlock;
use crate::map::Files;
use crate::output::Output;

/// What a command about jobs reads: the settings, the map and where the rest is.
pub struct Desk {
    config: Config,
    files: Files,
    keyspace: Option<String>,
    pub map: Map,
}

/// A job that was planned.
pub struct Found {
    pub job: JobAt,
    pub status: Status,
}

/// What a worker needs beside the table.
pub struct Planned {
    pub spec: Spec,
    pub record: RecordSchema,
    pub keys: Keyring,
}

impl Desk {
    pub fn of(global: &Global, files: &JobFiles) -> Result<Self, Failure> {
        let config = Config::of(global)?;
        let read = Files::of(&config, &files.map)?;
        let map = read.map()?;
        Ok(Self { config, files: read, keyspace: files.keyspace.clone(), map })
    }

    /// The log of this command.
    pub fn journal(&self) -> &Journal {
        &self.config.journal
    }

    /// The list of frozen actors that the settings name.
    pub fn frozen(&self) -> Option<&Path> {
        self.config.frozen.as_deref()
    }

    /// Where a source's table is.
    pub fn database(&self, source: &Source) -> Result<Option<Database>, Failure> {
        Database::of(source.at(), self.files.postgres.as_deref())
    }

    /// Every job of every database that the map names.
    pub async fn jobs(&self) -> Result<Vec<(Database, Status)>, Failure> {
        let (mut seen, mut jobs) = (Vec::new(), Vec::new());
        for source in self.map.sources() {
            let Some(database) = self.database(source)?.filter(|database| !seen.contains(database)) else { continue };
            let listed = database.jobs().await?;
            jobs.extend(listed.into_iter().map(|status| (database.clone(), status)));
            seen.push(database);
        }
        Ok(jobs)
    }

    /// The job of this name.
    pub async fn find(&self, name: &str) -> Result<Found, Failure> {
        let mut found: Vec<_> = self.jobs().await?.into_iter().filter(|(_, status)| status.job == name).collect();
        match (found.pop(), found.len()) {
            (None, _) => {
                let text = format!(
                    "no job {name} is planned in the databases of the map: `rxseal job status` lists those that are"
                );
                Err(Failure::Coded("job-refused", text))
            }
            (Some((database, status)), 0) => Ok(Found { job: database.open(name).await?, status }),
            (Some(_), more) => {
                let databases = more.saturating_add(1);
                let text = format!("{databases} databases of the map have a job {name}: use a map of one of them");
                Err(Failure::Usage(text))
            }
        }
    }

    /// What the map, the schema and the keyring say now of a job. A worker is refused if it is not what the job was planned with.
    pub async fn planned_for(&self, found: &Found, output: &Output) -> Result<Planned, Failure> {
        let (status, record) = (&found.status, found.job.record_type().await?);
        let source = self.map.source_of(&status.at, &record).ok_or_else(|| {
            let text = format!(
                "the map has no source {} with records of type {record}, which the job was planned for",
                status.at
            );
            Failure::Coded("job-mismatch", text)
        })?;
        self.planned(source, status.operation, output).await
    }

    /// What a job over this source is, and who hears of its openings.
    pub async fn planned(&self, source: &Source, operation: Operation, output: &Output) -> Result<Planned, Failure> {
        let schema = self.files.schema()?;
        let record = schema.record(source.record()).ok_or_else(|| {
            let text = format!(
                "the map says that the rows of {} are of the record type {}, which the schema does not have",
                source.name(),
                source.record()
            );
            Failure::Coded("invalid-map", text)
        })?;
        let unlocked = unlock(&self.config, &self.keyspace(source)?, output).await?;
        let keys = self.config.journal.observed(unlocked, output)?;
        let spec = Spec::new(operation, source, record, &keys)?;
        Ok(Planned { spec, record: record.clone(), keys })
    }

    /// Keys of subjects. Nothing is made there: a row of a patient without a key is a fault.
    pub async fn subjects(&self) -> Result<SubjectKeys, Failure> {
        Ok(SubjectKeys::new(self.config.subject_store(false).await?))
    }

    fn keyspace(&self, source: &Source) -> Result<String, Failure> {
        match (source.keyspace(), &self.keyspace) {
            (Keyspace::One(one), None) => Ok(one.clone()),
            (_, None) => usage("the rows are of several keyspaces: say which one this job is for with --keyspace"),
            (some, Some(named)) if some.may_be(named) => Ok(named.clone()),
            (_, Some(named)) => usage(&format!("the map has no keyspace {named} there")),
        }
    }
}
