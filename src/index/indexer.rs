//! The role that computes index values, and opens nothing.

use std::fmt;
use std::sync::Arc;

use super::declared::Index;
use super::definition::Definition;
use super::forms::{Forms, MAX_ASKED};
use super::of_record;
use super::prepared::{Prepared, PreparedIndex};
use super::stored::StoredIndex;
use super::value::IndexValue;
use crate::error::{Error, ErrorKind};
use crate::id::{Class, Identifier, KeyId};
use crate::key::Keys;
use crate::keyring::{Keyring, KeyringShares};
use crate::record::{IndexOnly, Record, RecordCore, Role};

/// A handle that computes index values, and neither seals nor opens. It is `Clone`, `Send` and `Sync`.
///
/// Whoever has one can guess: it tells whether a name or a birth date that somebody thinks of has a stored value.
///
/// It has the keys of the keyring that it was made from, and never sees a newer generation. With a `KeyringManager`, make one for each
/// request, which costs only a reference count.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// use rxseal::index::{Definition, Forms, Index, IndexValue, Kind};
/// use rxseal::{Class, Error, FieldId};
///
/// struct Patient {
///     born: String,
/// }
///
/// /// `rxseal_search::indexes!` writes this, with a normaliser that knows dates.
/// enum BornOn {}
///
/// impl Index for BornOn {
///     type Record = Patient;
///     type Stored = Option<IndexValue<Self>>;
///     const DEFINITION: Definition = Definition::new("patient", "patient.born", Kind::Whole, 14, &["exact/1"]);
///     const CLASSES: &'static [Class] = &[Class::IDENTITY];
///     const FIELDS: &'static [FieldId] = &[<rxseal::phi::BirthDate as rxseal::Field>::ID];
///
///     fn forms(patient: &Patient, _: &Definition, forms: &mut Forms) -> Result<(), Error> {
///         forms.push(&[patient.born.as_bytes()])
///     }
/// }
///
/// let indexer = keys.indexer()?;
/// let record = indexer.record("patient", "P-1001")?;
/// let born_on = indexer.stored::<BornOn>(&record, &Patient { born: "1970-01-31".into() })?;
///
/// let asked = indexer.asked::<BornOn>(|_, forms| forms.push(&[b"1970-01-31"]))?;
/// assert!(asked.contains(&born_on.unwrap()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Indexer {
    shares: Arc<KeyringShares>,
}

impl Keyring {
    /// A handle that computes index values.
    ///
    /// # Errors
    ///
    /// `index-roots-missing` if the keyring was unlocked without its index roots
    /// ([`UnlockOptions::with_index_roots`](crate::keys::UnlockOptions::with_index_roots)).
    pub fn indexer(&self) -> Result<Indexer, Error> {
        if self.shares().shared().keys.primary_index_root().is_none() {
            return Err(ErrorKind::IndexRootsMissing.into());
        }
        Ok(Indexer { shares: Arc::clone(self.shares()) })
    }
}

impl Indexer {
    /// The same handle, limited to these classes. It never allows more classes than before. An index that is made of a field of another
    /// class is `class-locked`.
    #[must_use]
    pub fn only(mut self, classes: impl IntoIterator<Item = Class>) -> Self {
        self.shares = self.shares.only(classes);
        self
    }

    /// The record of this type and id, for its index values alone: it neither seals nor opens.
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn record<'a>(&self, record_type: &str, id: impl Into<Identifier<'a>>) -> Result<Record<IndexOnly>, Error> {
        Record::new(RecordCore::bound(&self.shares, record_type, &id.into())?)
    }

    /// As [`Keyring::unbound`], for index values alone.
    ///
    /// # Errors
    ///
    /// `invalid-id`.
    pub fn unbound(&self, record_type: &str) -> Result<Record<IndexOnly>, Error> {
        Record::new(RecordCore::unbound(&self.shares, record_type)?)
    }

    /// What a row of `record` has of an index. The record is of any handle of this keyring. If the index has slots, the record must have
    /// the subject that its rows are sealed with, if they are; a record struct of the derive that names its subject says it by itself.
    ///
    /// # Errors
    ///
    /// `not-indexable`, `bad-check-digit`; `index-owner-missing` if the index has slots and nothing says whose they are;
    /// `class-locked`; `index-mismatch` if the record is of another type than the index; `index-prefix-collision`; `keyspace-mismatch` if
    /// the record is of another keyspace.
    pub fn stored<I: Index>(&self, record: &Record<impl Role>, plain: &I::Record) -> Result<I::Stored, Error> {
        self.check::<I>(record)?;
        of_record::stored::<I>(self.keys(), record.core().context(), plain)
    }

    /// Whether `stored` is what a row of `record` has of an index, under the index root and the definition that its prefix names. Of null,
    /// or an empty set: whether there is nothing to find the record by.
    ///
    /// It needs the opened record, and opens nothing itself. A re-index does this before it replaces a value.
    ///
    /// # Errors
    ///
    /// `index-stale` if it is another value: somebody changed the field or the column without the other, or the row is not indexed yet.
    /// `index-unreadable` if its prefix is of no index root and definition that is asked for. And those of [`stored`](Self::stored).
    pub fn verify<I: Index>(
        &self,
        record: &Record<impl Role>,
        plain: &I::Record,
        stored: &I::Stored,
    ) -> Result<(), Error> {
        self.check::<I>(record)?;
        of_record::verify::<I>(self.keys(), record.core().context(), plain, stored)
    }

    /// Whether a stored value was made under another index root or another definition than new ones are, by its prefix alone. Null, or an
    /// empty set, is not: it says nothing about what the row was written with. So the first indexing of a table, and that after another
    /// normaliser, goes through the rows with null too.
    ///
    /// # Errors
    ///
    /// `index-unreadable`, as for [`verify`](Self::verify); `index-prefix-collision`.
    pub fn needs_reindex<I: Index>(&self, stored: &I::Stored) -> Result<bool, Error> {
        let index = PreparedIndex::<I>::of(self.keys())?;
        let mut is_former = false;
        for value in stored.values() {
            let made_with = index.of_prefix(value.prefix()).map_err(|error| error.of_index(I::DEFINITION.id()))?;
            is_former |= !made_with.is_current;
        }
        Ok(is_former)
    }

    /// The index roots that a search asks under, in ascending order of their ids.
    pub fn roots(&self) -> impl Iterator<Item = KeyId> {
        self.keys().index_roots().map(|root| root.id)
    }

    /// The values that a query asks for: of each normal form that `write` gives, under every index root that is not destroyed, every
    /// definition and every slot. Sorted, each once. A form that only a former definition refuses is not asked for under that one, since
    /// no row has it. The present definition comes first.
    ///
    /// A program calls `find` of rxseal-search, which calls this.
    ///
    /// # Errors
    ///
    /// Those of `write` for the present definition; `empty-query` if it gives no normal form or an empty one; `query-too-large` if that makes
    /// more than 1,024 values; `class-locked`; `index-prefix-collision`.
    pub fn asked<I: Index>(
        &self,
        mut write: impl FnMut(&Definition, &mut Forms) -> Result<(), Error>,
    ) -> Result<Vec<IndexValue<I>>, Error> {
        let mut asked = || {
            self.check_classes::<I>()?;
            let mut values = Vec::new();
            for (at, under_roots) in PreparedIndex::<I>::of(self.keys())?.by_definition().enumerate() {
                let Some(first) = under_roots.first() else { continue };
                let mut forms = Forms::of_query(&first.definition);
                match write(&first.definition, &mut forms) {
                    Err(refused) if at > 0 && refused.finds_nothing() => {}
                    Err(refused) => return Err(refused),
                    Ok(()) => ask(under_roots, &forms, &mut values)?,
                }
            }
            Ok(values)
        };
        let mut values = asked().map_err(|error: Error| error.of_index(I::DEFINITION.id()))?;
        if values.is_empty() {
            return Err(Error::from(ErrorKind::EmptyQuery).of_index(I::DEFINITION.id()));
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    fn check<I: Index>(&self, record: &Record<impl Role>) -> Result<(), Error> {
        let of = record.core().shared().keys.keyspace();
        if of != self.keys().keyspace() {
            return Err(ErrorKind::KeyspaceMismatch.into());
        }
        self.check_classes::<I>()
    }

    fn check_classes<I: Index>(&self) -> Result<(), Error> {
        let limit = self.shares.limit().as_deref();
        let allowed = limit.is_none_or(|limit| I::CLASSES.iter().all(|class| limit.contains(class)));
        if allowed { Ok(()) } else { Err(Error::from(ErrorKind::ClassLocked).of_index(I::DEFINITION.id())) }
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.shares.shared().keys
    }
}

/// The values of a query's forms for one definition, under all index roots.
fn ask<I>(under_roots: &[Prepared], forms: &Forms, values: &mut Vec<IndexValue<I>>) -> Result<(), Error> {
    let Some(first) = under_roots.first() else { return Ok(()) };
    let slots = forms.framed().map(|framed| usize::from(first.slots_of(framed)));
    let more = slots.fold(0_usize, usize::saturating_add).saturating_mul(under_roots.len());
    if values.len().saturating_add(more) > MAX_ASKED {
        return Err(ErrorKind::QueryTooLarge.into());
    }
    values.reserve(more);
    for framed in forms.framed() {
        let slots = first.slots_of(framed);
        for prepared in under_roots {
            values.extend((0..slots).map(|slot| prepared.value(slot, framed)));
        }
    }
    Ok(())
}

impl fmt::Debug for Indexer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Indexer").field("only", self.shares.limit()).finish_non_exhaustive()
    }
}
