//! How large the work is: rows, time, WAL and disk, as sums and products of what was measured in the table.

use std::time::Duration;

/// What is measured, and what [`Estimate`] computes from it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sizes {
    pub(crate) rows: u64,
    /// Bytes of a row now, and with its tokens; without the entries of indexes.
    pub(crate) old_row: f64,
    pub(crate) new_row: f64,
    /// Bytes of the table's own pages, and of its indexes'.
    pub(crate) table: u64,
    pub(crate) indexes: u64,
    pub(crate) index_count: u64,
    /// Whether the first change of a page after a checkpoint logs the page.
    pub(crate) logs_pages: bool,
    /// SQLite changes a row where it is, and its log is a file beside it.
    pub(crate) in_place: bool,
}

/// How large a job over a table is. The numbers are estimates: they are right within a factor of two for a table whose rows are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    rows: u64,
    size: u64,
    wal: u64,
    growth: u64,
    size_after: u64,
    in_place: bool,
}

/// A record of the WAL beside the row in it: the header, the offsets, and its share of the commit.
const LOGGED_ROW: f64 = 110.0;
/// The same of an entry of an index.
const LOGGED_ENTRY: f64 = 72.0;
/// Of a page, what rows can fill.
const FILLED: f64 = 0.97;

impl Estimate {
    pub(crate) fn of(sizes: &Sizes) -> Self {
        let rows = float(sizes.rows);
        let (table, indexes) = (float(sizes.table), float(sizes.indexes));
        let written = rows * sizes.new_row.max(sizes.old_row) / FILLED;
        let grown = rows * (sizes.new_row - sizes.old_row).max(0.0) / FILLED;
        let pages = if sizes.logs_pages { table + indexes } else { 0.0 };
        let entries = indexes + rows * float(sizes.index_count) * LOGGED_ENTRY;
        let (wal, growth) = if sizes.in_place {
            // Each page that changes is in the log until the next checkpoint.
            (table + grown, grown)
        } else {
            // Old rows and entries stay until vacuum, beside the new ones.
            (rows * (sizes.new_row + LOGGED_ROW) + entries + pages, written + indexes)
        };
        Self {
            rows: sizes.rows,
            size: whole(table + indexes),
            wal: whole(wal),
            growth: whole(growth),
            size_after: whole(table + indexes + grown),
            in_place: sizes.in_place,
        }
    }

    /// The rows that a job reads. It writes those that are not done yet.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The table with its indexes now (SQLite: the file), in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What the job writes into the WAL in all (SQLite: into its journal), in bytes. Each standby receives as much, and each archive keeps it.
    #[must_use]
    pub fn wal(&self) -> u64 {
        self.wal
    }

    /// By how much the table and its indexes (SQLite: the file) grow until vacuum frees the old rows, in bytes. The WAL is not in it.
    #[must_use]
    pub fn growth(&self) -> u64 {
        self.growth
    }

    /// The table with its indexes after `VACUUM FULL` (SQLite: `VACUUM`), in bytes. While that runs it needs as much beside the old table.
    #[must_use]
    pub fn size_after(&self) -> u64 {
        self.size_after
    }

    /// Whether rows are changed where they are, as in SQLite.
    pub(super) fn is_in_place(&self) -> bool {
        self.in_place
    }

    /// How long the job takes at this rate. A rate of 0 counts as 1.
    #[must_use]
    pub fn time(&self, rows_per_second: u64) -> Duration {
        Duration::from_secs(self.rows.div_ceil(rows_per_second.max(1)))
    }
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "an estimate")]
fn float(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::as_conversions, reason = "it saturates")]
fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Estimate, Sizes};

    /// The prototype's figure: 916 bytes of WAL for a row of five tokens.
    #[test]
    fn what_was_measured_is_what_is_estimated() {
        let sizes = Sizes {
            rows: 300_000,
            old_row: 160.0,
            new_row: 540.0,
            table: 300_000 * 165,
            indexes: 300_000 * 22,
            index_count: 1,
            logs_pages: true,
            in_place: false,
        };
        let estimate = Estimate::of(&sizes);
        let a_row = estimate.wal() / estimate.rows();
        assert!((700..1_200).contains(&a_row), "{a_row}");
        assert!(estimate.growth() > 2 * estimate.size());
        assert_eq!(estimate.time(20_000), Duration::from_secs(15));
        assert_eq!(estimate.time(0), Duration::from_secs(300_000));
    }

    #[test]
    fn a_table_without_rows_takes_nothing() {
        let estimate = Estimate::of(&Sizes::default());
        assert_eq!((estimate.rows(), estimate.wal(), estimate.growth()), (0, 0, 0));
        assert_eq!(estimate.time(20_000), Duration::ZERO);
    }
}
