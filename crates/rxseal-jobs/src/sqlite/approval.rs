//! The approvals of a job that unseals: what may be opened, and what was.

use std::cell::Cell;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::numbers::{count, number};
use super::trouble::Trouble;
use crate::approvals::{admit, missing, of_worker, spent};
use crate::progress::ApprovalUse;
use crate::spec::Operation;
use crate::work::Approval;

/// The approvals of a job, the oldest first.
pub(super) fn all(connection: &Connection, job: &str) -> Result<Vec<ApprovalUse>, Trouble> {
    let sql = "SELECT b.name, b.allowed, b.opened + coalesce((SELECT sum(o.opened) FROM rxseal_opening AS o
                   WHERE o.job = b.job AND o.name = b.name), 0), b.since
               FROM rxseal_approval AS b WHERE b.job = ?1 ORDER BY b.no";
    let approved = |row: &Row<'_>| {
        Ok(ApprovalUse { name: row.get(0)?, values: count(row, 1)?, opened: count(row, 2)?, since: row.get(3)? })
    };
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([job], approved)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Adds an approval, if it is not there already.
pub(super) fn add(
    connection: &Connection,
    job: &str,
    operation: Operation,
    approval: &Approval,
) -> Result<(), Trouble> {
    admit(operation, &all(connection, job)?, approval)?;
    let sql = "INSERT INTO rxseal_approval (job, name, allowed, since)
               VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%SZ', 'now')) ON CONFLICT DO NOTHING";
    connection.execute(sql, params![job, approval.name(), number(approval.values())])?;
    Ok(())
}

/// What a worker opens. It is charged before anything is opened, in a transaction of its own, so it stays charged if the chunk is undone. When the chunk
/// is done again, its values are not charged a second time.
pub(super) struct Purse {
    job: String,
    name: String,
    chunk: Cell<u32>,
    /// By this attempt at the chunk.
    opened: Cell<u64>,
}

impl Purse {
    /// The purse of a worker of a job that unseals.
    pub(super) fn of(connection: &Connection, job: &str, named: Option<&str>) -> Result<Self, Trouble> {
        let name = of_worker(named, &all(connection, job)?)?;
        Ok(Self { job: job.to_owned(), name, chunk: Cell::new(0), opened: Cell::new(0) })
    }

    /// A chunk begins, for the first time or anew.
    pub(super) fn begin(&self, chunk: u32) {
        self.chunk.set(chunk);
        self.opened.set(0);
    }

    /// Charges so many values more, or refuses all of them.
    pub(super) fn charge(&self, connection: &Connection, values: u64) -> Result<(), Trouble> {
        if values == 0 {
            return Ok(());
        }
        self.opened.set(self.opened.get().saturating_add(values));
        if !connection.is_autocommit() {
            // Rows that were changed while the chunk was worked on.
            return self.charge_in(connection, values);
        }
        let charging = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        self.charge_in(&charging, values)?;
        Ok(charging.commit()?)
    }

    fn charge_in(&self, connection: &Connection, values: u64) -> Result<(), Trouble> {
        let (job, name, chunk) = (self.job.as_str(), self.name.as_str(), self.chunk.get());
        let sql = "SELECT allowed, opened + coalesce((SELECT sum(o.opened) FROM rxseal_opening AS o
                       WHERE o.job = b.job AND o.name = b.name AND o.chunk <> ?3), 0)
                   FROM rxseal_approval AS b WHERE job = ?1 AND name = ?2";
        let read = |row: &Row<'_>| Ok((count(row, 0)?, count(row, 1)?));
        let found = connection.query_row(sql, params![job, name, chunk], read).optional()?;
        let (allowed, others) = found.ok_or_else(missing)?;
        let left = allowed.saturating_sub(others);
        if self.opened.get() > left {
            let before = self.opened.get().saturating_sub(values);
            return Err(spent(name, left.saturating_sub(before), values).into());
        }
        let sql = "INSERT INTO rxseal_opening (job, name, chunk, opened) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (job, name, chunk) DO UPDATE SET opened = max(opened, excluded.opened)";
        connection.execute(sql, params![job, name, chunk, number(self.opened.get())])?;
        Ok(())
    }

    /// The chunk is done, in its own transaction.
    pub(super) fn settle(&self, connection: &Connection) -> Result<(), Trouble> {
        let key = params![self.job, self.chunk.get()];
        connection.execute(
            "UPDATE rxseal_approval SET opened = opened + (SELECT o.opened FROM rxseal_opening AS o
                 WHERE o.job = ?1 AND o.chunk = ?2 AND o.name = rxseal_approval.name)
             WHERE job = ?1 AND name IN (SELECT name FROM rxseal_opening WHERE job = ?1 AND chunk = ?2)",
            key,
        )?;
        connection.execute("DELETE FROM rxseal_opening WHERE job = ?1 AND chunk = ?2", key)?;
        Ok(())
    }
}
