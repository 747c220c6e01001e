//! What a table is like before a job runs over it: what may not be there, what its operator must have looked at, and how large the work is.
//!
//! No part of it holds a value of the table. Names of tables, columns, triggers and the like are in it.

mod concern;
mod estimate;
mod shown;
mod steps;
pub(crate) mod target;

use std::time::Duration;

use rxseal::Error;

pub use self::concern::{Concern, ConcernKind, Weight};
pub use self::estimate::Estimate;
pub(crate) use self::estimate::Sizes;
pub use self::steps::Steps;
pub(crate) use self::steps::{Database, StepColumn};
pub(crate) use self::target::{Flow, Target, token_len};

use crate::trouble::refused;

/// What was found about one table. Its `Display` is what `rxseal job plan` prints.
#[derive(Clone, Debug)]
pub struct Preflight {
    table: String,
    concerns: Vec<Concern>,
    estimate: Option<Estimate>,
    replicas: Vec<Replica>,
    steps: Option<Steps>,
}

impl Preflight {
    pub(crate) fn of(table: &str) -> Self {
        Self { table: table.to_owned(), concerns: Vec::new(), estimate: None, replicas: Vec::new(), steps: None }
    }

    /// The table, as the map names it.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// What speaks against a job, or has to be known before one: the gravest first.
    #[must_use]
    pub fn concerns(&self) -> &[Concern] {
        &self.concerns
    }

    /// The concerns that keep a job from starting: those that [refuse](Weight::Refuses), and those that [ask](Weight::Asks) and whose
    /// [answer](Concern::answer) is not in `accepted`.
    pub fn open_concerns<'p>(&'p self, accepted: &'p [String]) -> impl Iterator<Item = &'p Concern> {
        self.concerns.iter().filter(|concern| match concern.weight() {
            Weight::Refuses => true,
            Weight::Asks => !accepted.contains(&concern.answer()),
            Weight::Advises => false,
        })
    }

    /// Whether a job may start.
    pub(crate) fn admit(&self, accepted: &[String]) -> Result<(), Error> {
        let open: Vec<_> = self.open_concerns(accepted).map(Concern::answer).collect();
        if open.is_empty() {
            return Ok(());
        }
        let (table, open) = (&self.table, open.join(", "));
        let text = format!(
            "{table} is not ready for this job: {open}. `rxseal job plan` says what each is, and some can be accepted by name"
        );
        Err(refused(text))
    }

    /// How large the work is. `None` if the table cannot be read.
    #[must_use]
    pub fn estimate(&self) -> Option<&Estimate> {
        self.estimate.as_ref()
    }

    /// The standbys and subscribers that the server sends its writes to, which a job may outrun. SQLite has none.
    #[must_use]
    pub fn replicas(&self) -> &[Replica] {
        &self.replicas
    }

    /// The steps of a migration with the SQL of this table, if the job is a backfill.
    #[must_use]
    pub fn steps(&self) -> Option<&Steps> {
        self.steps.as_ref()
    }

    pub(crate) fn add(&mut self, concern: Concern) {
        if !self.concerns.contains(&concern) {
            self.concerns.push(concern);
        }
    }

    /// Says how many rows the job leaves alone, by the column of the keyspace: those of no keyspace, and of others.
    pub(crate) fn leaves(&mut self, column: &str, of_none: u64, of_others: u64) {
        let kinds = [(ConcernKind::NoKeyspace, of_none), (ConcernKind::OtherKeyspaces, of_others)];
        for (kind, rows) in kinds.into_iter().filter(|(_, rows)| *rows > 0) {
            self.add(Concern::of(kind).column(column).detail(format!("{rows} rows")));
        }
    }

    pub(crate) fn has(&self, kind: ConcernKind) -> bool {
        self.concerns.iter().any(|concern| concern.kind() == kind)
    }

    pub(crate) fn measured(&mut self, estimate: Estimate) {
        self.estimate = Some(estimate);
    }

    pub(crate) fn sends_to(&mut self, replicas: Vec<Replica>) {
        self.replicas = replicas;
    }

    pub(crate) fn goes_by(&mut self, steps: Steps) {
        self.steps = Some(steps);
    }

    pub(crate) fn sorted(mut self) -> Self {
        self.concerns.sort_by_key(Concern::weight);
        self
    }
}

/// A server that receives what this one writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    pub(crate) name: String,
    pub(crate) is_synchronous: bool,
    pub(crate) bytes_behind: Option<u64>,
    pub(crate) lag: Option<Duration>,
}

impl Replica {
    /// The name under which it connected (`application_name`).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether commits wait for it.
    #[must_use]
    pub fn is_synchronous(&self) -> bool {
        self.is_synchronous
    }

    /// How many bytes of WAL it has not replayed. `None` if this role may not see it.
    #[must_use]
    pub fn bytes_behind(&self) -> Option<u64> {
        self.bytes_behind
    }

    /// How long it took to replay what was last written. `None` if it has nothing to replay, or if this role may not see it.
    #[must_use]
    pub fn lag(&self) -> Option<Duration> {
        self.lag
    }
}
