//! The role that computes index values, and opens nothing.

use std::fmt;
use std::sync::Arc;

use super::Index;
use super::definition::Definition;
use super::forms::{Forms, MAX_ASKED};
use super::owner::{Owner, SlotOwner};
use super::prepared::Prepared;
use super::stored::StoredIndex;
use super::value::IndexValue;
use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::id::{Class, KeyId};
use crate::key::{KeyState, Keys};
use crate::keyring::{Keyring, KeyringShares};
use crate::record::{Record, Role};

/// A handle that computes index values, and neither seals nor opens. It is `Clone`, `Send` and `Sync`.
///
/// Whoever has one can guess: it tells whether a name or a birth date that somebody thinks of has a stored value.
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

/// The prefix of the values that one definition of an index has under one index root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexPrefix {
    root: KeyId,
    state: KeyState,
    prefix: [u8; 3],
    is_current: bool,
}

impl IndexPrefix {
    /// The index root.
    #[must_use]
    pub fn root(&self) -> KeyId {
        self.root
    }

    /// The state of the index root.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// The first 3 bytes of every value.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 3] {
        &self.prefix
    }

    /// Whether new values have it: of the primary index root and the present definition.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_current
    }
}

impl Indexer {
    /// The same handle, limited to these classes. It never allows more classes than before.
    #[must_use]
    pub fn only(mut self, classes: impl IntoIterator<Item = Class>) -> Self {
        self.shares = self.shares.only(classes);
        self
    }

    /// What a row of `record` has of an index.
    ///
    /// # Errors
    ///
    /// `not-indexable`, `bad-check-digit`; `index-owner-missing` if the index has slots and nobody is named whose they are;
    /// `class-locked`; `keyspace-mismatch` if the record is of another keyring.
    pub fn stored<I: Index>(&self, record: &Record<impl Role>, plain: &I::Record) -> Result<I::Stored, Error> {
        self.check_classes::<I>()?;
        let (own, context) = (&self.shares.shared().keys, record.core().context());
        if record.core().shared().keys.keyspace() != own.keyspace() {
            return Err(ErrorKind::KeyspaceMismatch.into());
        }
        stored::<I>(own, context, plain)
    }

    /// The values that a query asks for: of each normal form that `write` gives, under every index root that is not destroyed, every
    /// definition and every slot. Sorted, each once.
    ///
    /// # Errors
    ///
    /// Those of `write`; `empty-query` if it gives no normal form; `query-too-large` if that makes more than 1,024 values; `class-locked`.
    pub fn asked<I: Index>(
        &self,
        mut write: impl FnMut(&Definition, &mut Forms) -> Result<(), Error>,
    ) -> Result<Vec<IndexValue<I>>, Error> {
        self.check_classes::<I>()?;
        let mut values = Vec::new();
        for prepared in self.prepared::<I>()? {
            let definition = &prepared.definition;
            let mut forms = Forms::of_query(definition);
            write(definition, &mut forms)?;
            for form in forms.expose_values() {
                let components: Vec<_> = form.collect();
                let slots = slots_of(definition, &components);
                for slot in 0..slots.unwrap_or(1) {
                    if values.len() >= MAX_ASKED {
                        return Err(ErrorKind::QueryTooLarge.into());
                    }
                    values.push(prepared.value(slots.map(|_| slot), components.iter().copied())?);
                }
            }
        }
        if values.is_empty() {
            return Err(ErrorKind::EmptyQuery.into());
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    /// The prefixes of an index, of every index root that is not destroyed and every definition.
    ///
    /// # Errors
    ///
    /// `index-prefix-collision`; `backend-failed`.
    pub fn prefixes<I: Index>(&self) -> Result<Vec<IndexPrefix>, Error> {
        let of = |prepared: &Prepared| IndexPrefix {
            root: prepared.root,
            state: prepared.state,
            prefix: prepared.prefix,
            is_current: prepared.is_current,
        };
        Ok(self.prepared::<I>()?.iter().map(of).collect())
    }

    fn check_classes<I: Index>(&self) -> Result<(), Error> {
        let allowed = I::CLASSES.iter().all(|class| self.shares.share().allows(*class));
        if allowed { Ok(()) } else { Err(ErrorKind::ClassLocked.into()) }
    }

    fn prepared<I: Index>(&self) -> Result<Vec<Prepared>, Error> {
        prepared::<I>(&self.shares.shared().keys)
    }
}

/// What a row of a record has of an index. The caller has checked that it may use the fields of the index.
pub(super) fn stored<I: Index>(keys: &Keys, context: &Context, plain: &I::Record) -> Result<I::Stored, Error> {
    let prepared = prepared::<I>(keys)?;
    let current = prepared.iter().find(|prepared| prepared.is_current).ok_or(ErrorKind::IndexRootsMissing)?;
    let mut forms = Forms::of_record(&current.definition);
    I::forms(plain, &current.definition, &mut forms)?;
    let person = I::person(plain);
    let person = person.as_ref().map(|id| id.parse("person id")).transpose()?;
    let mut values = Vec::with_capacity(forms.len());
    for form in forms.expose_values() {
        let components: Vec<_> = form.collect();
        let slot = match slots_of(&current.definition, &components) {
            Some(slots) => Some(current.slot(owner(&current.definition, context, person)?, slots)?),
            None => None,
        };
        values.push(current.value(slot, components.iter().copied())?);
    }
    Ok(I::Stored::of_values(values))
}

fn prepared<I: Index>(keys: &Keys) -> Result<Vec<Prepared>, Error> {
    let mut all = Vec::new();
    for root in keys.index_roots() {
        for (at, definition) in std::iter::once(&I::DEFINITION).chain(I::FORMER).enumerate() {
            let mut prepared = Prepared::new(keys.backend(), keys.keyspace().as_str(), root, definition)?;
            prepared.is_current = at == 0 && root.primary;
            all.push(prepared);
        }
    }
    Ok(all)
}

/// How many slots a normal form has, if the definition has slots.
fn slots_of(definition: &Definition, components: &[&[u8]]) -> Option<u16> {
    let table = definition.slots()?;
    Some(table.slots(components.first().copied().unwrap_or_default()))
}

/// Whose slot it is (FORMAT 15.7).
fn owner<'a>(definition: &Definition, context: &'a Context, person: Option<&'a str>) -> Result<Owner<'a>, Error> {
    let by = |kind, id: Option<&'a str>| id.map(|id| Owner { kind, id });
    let owner = by("subject", context.subject_id()).or_else(|| match definition.slot_owner()? {
        SlotOwner::Person => by("person", person),
        SlotOwner::Record => by("record", context.record_id().filter(|_| context.is_bound())),
    });
    owner.ok_or_else(|| ErrorKind::IndexOwnerMissing.into())
}

impl fmt::Debug for Indexer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Indexer").field("only", self.shares.limit()).finish_non_exhaustive()
    }
}
