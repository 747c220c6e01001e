//! The prefixes of every index, for whoever counts.

use std::fmt;

use super::declared::Index;
use super::definition::Definition;
use super::indexed::IndexedRecord;
use super::indexer::Indexer;
use crate::backend::Backend;
use crate::codec::text;
use crate::error::{Error, ErrorKind};
use crate::id::KeyId;
use crate::key::{IndexSchema, KeyState, prefix_under};

/// The prefix of the values that one definition of an index has under one index root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexPrefix {
    index: Box<str>,
    root: KeyId,
    state: KeyState,
    prefix: [u8; 3],
    is_current: bool,
}

impl IndexPrefix {
    /// The id of the index.
    #[must_use]
    pub fn index(&self) -> &str {
        &self.index
    }

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

/// As the text of a value begins with it: 4 characters.
impl fmt::Display for IndexPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::encode(&self.prefix))
    }
}

impl IndexSchema {
    /// The same list with every index of a record struct: the present and the former definitions of each.
    ///
    /// ```
    /// use rxseal::index::{IndexSchema, IndexedRecord};
    ///
    /// fn all_indexes<Patient: IndexedRecord, Prescriber: IndexedRecord>() -> IndexSchema {
    ///     IndexSchema::default().with::<Patient>().with::<Prescriber>()
    /// }
    /// ```
    #[must_use]
    pub fn with<R: IndexedRecord>(self) -> Self {
        let former = R::FORMER.iter().copied().chain(std::iter::repeat(&[][..]));
        R::INDEXES.iter().zip(former).fold(self, |schema, (present, former)| schema.with_definitions(present, former))
    }

    /// The same list with one more index: its present and its former definitions.
    #[must_use]
    pub fn with_index<I: Index>(self) -> Self {
        self.with_definitions(&I::DEFINITION, I::FORMER)
    }

    fn with_definitions(mut self, present: &Definition, former: &[Definition]) -> Self {
        for definition in std::iter::once(present).chain(former) {
            self.add(definition.id(), definition.digest(Backend::default()));
        }
        self
    }
}

impl Indexer {
    /// The prefixes of an index, of every index root that is not destroyed and every definition. They are no secret.
    ///
    /// # Errors
    ///
    /// `backend-failed`.
    pub fn prefixes<I: Index>(&self) -> Result<Vec<IndexPrefix>, Error> {
        self.prefixes_of(&IndexSchema::default().with_index::<I>())
    }

    /// Whether an index root is among those that a search asks for.
    pub(crate) fn check_root(&self, root: KeyId) -> Result<(), Error> {
        let is_known = self.keys().index_roots().any(|known| known.id == root);
        if is_known { Ok(()) } else { Err(Error::from(ErrorKind::UnknownIndexRoot).with_index_root(root)) }
    }

    /// The same of every index of a list.
    ///
    /// # Errors
    ///
    /// `backend-failed`.
    pub fn prefixes_of(&self, schema: &IndexSchema) -> Result<Vec<IndexPrefix>, Error> {
        let keys = self.keys();
        let mut prefixes = Vec::new();
        for entry in schema.entries() {
            for root in keys.index_roots() {
                let (backend, keyspace, index) = (keys.backend(), keys.keyspace().as_str(), entry.index.clone());
                let prefix = prefix_under(backend, &root.index_key(backend, keyspace, &index)?, &entry.digest)?;
                let is_current = root.primary && entry.is_present;
                prefixes.push(IndexPrefix { index, root: root.id, state: root.state, prefix, is_current });
            }
        }
        Ok(prefixes)
    }
}
