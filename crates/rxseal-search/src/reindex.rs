//! Giving the rows of a table new index values, a page at a time: for a new index root, a changed definition, or the first backfill.

use std::collections::BTreeMap;
use std::fmt;

use rxseal::Error;
use rxseal::records::Reindexed;

/// What a re-index came upon so far. Keep it with the place that the job has come to.
///
/// It has numbers and ids of indexes, and nothing of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    rows: u64,
    to_write: u64,
    written: u64,
    failed: u64,
    stale: BTreeMap<&'static str, u64>,
    not_indexed: BTreeMap<&'static str, u64>,
}

impl Progress {
    /// Rows that were looked at.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows that got other values. Those that another program changed meanwhile are in it too.
    #[must_use]
    pub fn to_write(&self) -> u64 {
        self.to_write
    }

    /// Rows that were written, as the program said with [`add_written`](Self::add_written).
    ///
    /// If fewer rows were written than there were [to write](Self::to_write) and nobody else writes to the table, look at the order of the
    /// statement's parameters: with old values in the wrong places no row is as it was read, and the database reports no error.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Counts the rows that a swap wrote, as the database reports them: 1, or 0 if another program was faster.
    pub fn add_written(&mut self, rows: u64) {
        add(&mut self.written, rows);
    }

    /// Rows that did not open, or could not be indexed at all. They keep their values, so an old index root cannot be destroyed before
    /// somebody has looked at them.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// For each index, how many rows had a value that was not that of the record. Searches missed these rows until now.
    pub fn stale(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.stale.iter().map(|(index, rows)| (*index, *rows))
    }

    /// For each index, how many rows it refused. They are null there, so no search by it finds them.
    pub fn not_indexed(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.not_indexed.iter().map(|(index, rows)| (*index, *rows))
    }
}

/// `1000 rows, 998 to write, 998 written, 1 failed; patient.npi: 4 not indexed`
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows, {} to write, {} written, {} failed", self.rows, self.to_write, self.written, self.failed)?;
        self.stale().try_for_each(|(index, rows)| write!(f, "; {index}: {rows} stale"))?;
        self.not_indexed().try_for_each(|(index, rows)| write!(f, "; {index}: {rows} not indexed"))
    }
}

/// A row to write, if the stored one is still as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swap<'p, S> {
    /// As it was read.
    pub old: &'p S,
    /// With its new values.
    pub new: S,
}

/// A page of rows after its re-index.
#[derive(Debug)]
pub struct Page<'p, S> {
    /// What to write, each by one statement that compares: [`ReindexSql::swap`](rxseal::columns::ReindexSql::swap).
    pub swaps: Vec<Swap<'p, S>>,
    /// The rows that did not open or could not be indexed, each with why. They stay as they are.
    pub failed: Vec<(&'p S, Error)>,
}

/// Says what to write of a page of rows, and counts what was found.
///
/// It neither reads nor writes: the program selects the page and writes each [`Swap`], by the statements of
/// [`ReindexSql`](rxseal::columns::ReindexSql). A swap that writes no row is no failure: another program was faster, and wrote present
/// values. To reseal the rows under the primary DEK in the same statement, give `swap.new` to `keys.reseal` before.
///
/// ```
/// use rxseal::{Access, PhiRecord, Purpose, phi};
/// use rxseal_search::indexes;
/// use rxseal_search::reindex::{Progress, reindex_page};
///
/// #[derive(PhiRecord)]
/// #[phi(record = "patient")]
/// struct Patient {
///     #[phi(id)]
///     id: u64,
///     #[phi(seal = phi::BirthDate, index = BornOn)]
///     birth_date: String,
/// }
///
/// indexes! {
///     for Patient as "patient" {
///         BornOn = "patient.born": date(birth_date: phi::BirthDate), bits 14;
///     }
/// }
///
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = Access::new("job:reindex", Purpose::HOPERAT)?;
/// let mut row = keys.seal(&Patient { id: 7, birth_date: "1970-01-31".into() })?;
/// row.born_on = None; // sealed before it had the column
///
/// let (rows, mut progress) = ([row], Progress::default());
/// let page = reindex_page(&rows, keys.reindex_all(&rows, &access), &mut progress);
/// assert!(page.swaps[0].new.born_on.is_some() && page.failed.is_empty());
/// progress.add_written(1); // what the database said of the swap's statement
/// assert_eq!(progress.to_string(), "1 rows, 1 to write, 1 written, 0 failed");
/// # Ok(())
/// # }
/// ```
pub fn reindex_page<'p, S>(
    rows: &'p [S],
    reindexed: impl IntoIterator<Item = Result<Reindexed<S>, Error>>,
    progress: &mut Progress,
) -> Page<'p, S> {
    let mut page = Page { swaps: Vec::new(), failed: Vec::new() };
    for (old, reindexed) in rows.iter().zip(reindexed) {
        add(&mut progress.rows, 1);
        match reindexed {
            Ok(row) => {
                row.stale().iter().for_each(|index| add(progress.stale.entry(*index).or_default(), 1));
                row.not_indexed()
                    .iter()
                    .for_each(|index| add(progress.not_indexed.entry(index.index()).or_default(), 1));
                if row.is_changed() {
                    add(&mut progress.to_write, 1);
                    page.swaps.push(Swap { old, new: row.into_row() });
                }
            }
            Err(error) => {
                add(&mut progress.failed, 1);
                page.failed.push((old, error));
            }
        }
    }
    page
}

fn add(count: &mut u64, more: u64) {
    *count = count.saturating_add(more);
}
