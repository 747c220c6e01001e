//! The approvals of a job that unseals: what may be opened, and what was.

use sqlx::postgres::PgConnection;

use super::numbers::{int4, int8, nat};
use super::session::{self, Begin};
use super::trouble::Trouble;
use crate::approvals::{admit, missing, of_worker, spent};
use crate::progress::ApprovalUse;
use crate::spec::Operation;
use crate::work::Approval;

const ALL: &str = "SELECT b.name, b.allowed, (b.opened + coalesce((SELECT sum(o.opened) FROM rxseal_opening AS o \
    WHERE o.job = b.job AND o.name = b.name), 0))::int8, to_char(b.since AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') \
    FROM rxseal_approval AS b WHERE b.job = $1 ORDER BY b.no";
const ADD: &str = "INSERT INTO rxseal_approval (job, name, allowed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const LOCK: &str = "SELECT allowed, opened FROM rxseal_approval WHERE job = $1 AND name = $2 FOR UPDATE";
const OTHERS: &str =
    "SELECT coalesce(sum(opened), 0)::int8 FROM rxseal_opening WHERE job = $1 AND name = $2 AND chunk <> $3";
const CHARGE: &str = "INSERT INTO rxseal_opening AS o (job, name, chunk, opened) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (job, name, chunk) DO UPDATE SET opened = greatest(o.opened, excluded.opened)";
const SETTLE: &[&str] = &[
    "UPDATE rxseal_approval AS b SET opened = b.opened + o.opened FROM rxseal_opening AS o \
     WHERE o.job = $1 AND o.chunk = $2 AND b.job = o.job AND b.name = o.name",
    "DELETE FROM rxseal_opening WHERE job = $1 AND chunk = $2",
];

/// The approvals of a job, the oldest first.
pub(super) async fn all(db: &mut PgConnection, job: &str) -> Result<Vec<ApprovalUse>, Trouble> {
    let rows: Vec<(String, i64, i64, String)> =
        sqlx::query_as(ALL).persistent(false).bind(job).fetch_all(&mut *db).await?;
    let approved =
        |(name, allowed, opened, since)| ApprovalUse { name, values: nat(allowed), opened: nat(opened), since };
    Ok(rows.into_iter().map(approved).collect())
}

/// Adds an approval, if it is not there already.
pub(super) async fn add(
    db: &mut PgConnection,
    job: &str,
    operation: Operation,
    approval: &Approval,
) -> Result<(), Trouble> {
    admit(operation, &all(db, job).await?, approval)?;
    let query = sqlx::query(ADD).persistent(false).bind(job).bind(approval.name()).bind(int8(approval.values()));
    query.execute(&mut *db).await?;
    // Somebody may have added another one of this name meanwhile.
    Ok(admit(operation, &all(db, job).await?, approval)?)
}

/// What a worker opens. It is charged on a connection of its own before anything is opened, so it stays charged if the chunk is undone. When the
/// chunk is done again, its values are not charged a second time.
pub(super) struct Purse {
    url: String,
    job: String,
    name: String,
    db: Option<PgConnection>,
    chunk: u32,
    /// By this attempt at the chunk.
    opened: u64,
}

impl Purse {
    /// The purse of a worker of a job that unseals.
    pub(super) async fn of(
        db: &mut PgConnection,
        (url, job): (&str, &str),
        named: Option<&str>,
    ) -> Result<Self, Trouble> {
        let name = of_worker(named, &all(db, job).await?)?;
        Ok(Self { url: url.to_owned(), job: job.to_owned(), name, db: None, chunk: 0, opened: 0 })
    }

    /// A chunk begins, for the first time or anew.
    pub(super) fn begin(&mut self, chunk: u32) {
        (self.chunk, self.opened) = (chunk, 0);
    }

    /// Charges so many values more, or refuses all of them.
    pub(super) async fn charge(&mut self, values: u64) -> Result<(), Trouble> {
        if values == 0 {
            return Ok(());
        }
        // Taken out, so that a connection on which something failed is not used again.
        let mut db = match self.db.take() {
            Some(db) => db,
            None => session::connect(&self.url).await?,
        };
        self.opened = self.opened.saturating_add(values);
        self.charge_on(&mut db, values).await?;
        self.db = Some(db);
        Ok(())
    }

    async fn charge_on(&self, db: &mut PgConnection, values: u64) -> Result<(), Trouble> {
        let (job, name, chunk) = (self.job.as_str(), self.name.as_str(), int4(self.chunk));
        let mut charging = session::begin(db, Begin::Durable).await?;
        let locked: Option<(i64, i64)> =
            sqlx::query_as(LOCK).persistent(false).bind(job).bind(name).fetch_optional(&mut *charging).await?;
        let (allowed, done) = locked.ok_or_else(missing)?;
        // With the lock, nobody else charges between this and the next statement.
        let others = sqlx::query_scalar(OTHERS).persistent(false).bind(job).bind(name).bind(chunk);
        let others: i64 = others.fetch_one(&mut *charging).await?;
        let left = nat(allowed).saturating_sub(nat(done)).saturating_sub(nat(others));
        if self.opened > left {
            let before = self.opened.saturating_sub(values);
            return Err(spent(name, left.saturating_sub(before), values).into());
        }
        let query = sqlx::query(CHARGE).persistent(false).bind(job).bind(name).bind(chunk).bind(int8(self.opened));
        query.execute(&mut *charging).await?;
        Ok(charging.commit().await?)
    }

    /// The chunk is done, in its own transaction.
    pub(super) async fn settle(&self, db: &mut PgConnection) -> Result<(), Trouble> {
        for statement in SETTLE {
            let query = sqlx::query(*statement).persistent(false).bind(&self.job).bind(int4(self.chunk));
            query.execute(&mut *db).await?;
        }
        Ok(())
    }
}
