//! How many index values are still under an index root that is to be destroyed.

use std::collections::BTreeSet;

use super::remaining_use::RemainingUse;
use crate::count::{Begun, IndexCounts};
use crate::error::{Error, ErrorKind, Reason};
use crate::id::KeyId;
use crate::index::{IndexPrefix, IndexSchema, Indexer};

impl RemainingUse {
    /// Adds up the index values under an index root: in each of `columns`, which are the ids of indexes with what was counted in a column of
    /// that index, and in `backups`, the number in everything else that has to stay searchable.
    ///
    /// No column can be forgotten: of every index of `schema`, one must be counted. And a zero is accepted only from a column that shows
    /// values under other index roots: a value that no listed definition makes may be under this root, so it is refused. If a
    /// column really has no value, say so with [`IndexCounts::confirmed_empty`].
    ///
    /// `indexer` must be of the newest keyring, and know the index root. Count after indexing anew, and after every program has stopped
    /// writing under the index root.
    ///
    /// ```
    /// use rxseal::count::IndexCounts;
    /// use rxseal::index::{IndexSchema, IndexedRecord};
    /// use rxseal::keys::RemainingUse;
    /// use rxseal::{Error, KeyId, Keyring};
    ///
    /// fn under<Patient: IndexedRecord>(
    ///     keys: &Keyring,
    ///     old: KeyId,
    ///     born: &IndexCounts,
    ///     phone: &IndexCounts,
    /// ) -> Result<RemainingUse, Error> {
    ///     let all = IndexSchema::default().with::<Patient>();
    ///     let columns = [("patient.born", born), ("patient.phone", phone)];
    ///     RemainingUse::counted_of_index_root(&keys.indexer()?, &all, columns, old, 0)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// `not-counted` if an index was not counted, or a zero proves nothing (see above), or a column may contain more than was counted
    /// ([`IndexCounts::doubt`]); `key-in-use` if some values are not index values, or are of no listed definition, because nobody knows what is
    /// in them; `unknown-key` if the indexer has no such index root; `backend-failed`.
    pub fn counted_of_index_root<'c>(
        indexer: &Indexer,
        schema: &IndexSchema,
        columns: impl IntoIterator<Item = (&'c str, &'c IndexCounts)>,
        root: KeyId,
        backups: u64,
    ) -> Result<Self, Error> {
        indexer.check_root(root)?;
        let prefixes = indexer.prefixes_of(schema)?;
        let refused = |reason: Reason| ErrorKind::NotCounted.because(reason).with_index_root(root);
        let mut counted = BTreeSet::new();
        let mut left = backups;
        // Nobody knows when `backups` was counted, but it was not later than now.
        let mut begun = Begun::default();
        for (index, column) in columns {
            let known =
                schema.ids().find(|known| *known == index).ok_or_else(|| refused(NO_SUCH_INDEX).caused_by(index))?;
            let of_index = prefixes.iter().filter(|prefix| prefix.index() == known);
            left =
                left.saturating_add(left_in(column, of_index, root).map_err(|error| error.of_index(known.to_owned()))?);
            begun = begun.earliest(column.begun());
            counted.insert(known);
        }
        match schema.ids().find(|index| !counted.contains(index)) {
            Some(forgotten) => Err(refused(FORGOTTEN).of_index(forgotten.to_owned())),
            None if counted.is_empty() => Err(refused("no index is listed, and no column was counted")),
            None => Ok(Self::counted_values(left, root, begun)),
        }
    }
}

const NO_SUCH_INDEX: Reason = "a column is of an index that is not in the list of all indexes";
const FORGOTTEN: Reason = "an index was not counted in any column";
const NOTHING: Reason = "a column that was counted shows no index value under another index root. Is it the right database, schema and column, \
    and may this role see every row? If it has no value, say so with `IndexCounts::confirmed_empty`";
const NOT_VALUES: Reason = "some of what was counted is no index value, so look at it first";
const STRANGE: Reason = "some of the counted values are of no definition and index root that is known here. List the former definitions that \
    made them, or index these rows anew";

/// How many values of a column are under the index root.
fn left_in<'p>(
    column: &IndexCounts,
    of_index: impl Iterator<Item = &'p IndexPrefix>,
    root: KeyId,
) -> Result<u64, Error> {
    let (mut own, mut others) = (BTreeSet::new(), BTreeSet::new());
    for prefix in of_index {
        if prefix.root() == root {
            own.insert(*prefix.as_bytes())
        } else {
            others.insert(*prefix.as_bytes())
        };
    }
    let (mut left, mut shown, mut strange) = (0_u64, 0_u64, 0_u64);
    for (prefix, count) in column.iter() {
        let sum = match prefix {
            _ if own.contains(&prefix) => &mut left,
            _ if others.contains(&prefix) => &mut shown,
            _ => &mut strange,
        };
        *sum = sum.saturating_add(count);
    }
    let refused = match column.doubt() {
        _ if column.not_values() > 0 => ErrorKind::IndexRootInUse.because(NOT_VALUES),
        _ if strange > 0 => ErrorKind::IndexRootInUse.because(STRANGE),
        Some(doubt) => ErrorKind::NotCounted.because(doubt),
        None if shown == 0 && left == 0 && !column.is_empty() => ErrorKind::NotCounted.because(NOTHING),
        None => return Ok(left),
    };
    Err(refused.with_index_root(root))
}
