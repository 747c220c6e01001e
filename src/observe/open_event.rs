//! What an observer hears of an opening.

use std::fmt;

use crate::access::Access;
use crate::error::ErrorCode;
use crate::id::{Class, FieldId, KeyId};

/// One record of an opening. Record and subject ids often identify a patient, so protect logs of them as you protect the
/// records.
#[derive(Clone, Copy)]
pub struct OpenedRecord<'a> {
    pub(crate) record_type: &'a str,
    pub(crate) record_id: Option<&'a str>,
    pub(crate) subject_id: Option<&'a str>,
}

impl<'a> OpenedRecord<'a> {
    /// The record type.
    #[must_use]
    pub fn record_type(&self) -> &'a str {
        self.record_type
    }

    /// The record id, unless the context is unbound.
    #[must_use]
    pub fn record_id(&self) -> Option<&'a str> {
        self.record_id
    }

    /// The subject's id, if a subject key is used.
    #[must_use]
    pub fn subject_id(&self) -> Option<&'a str> {
        self.subject_id
    }
}

impl fmt::Debug for OpenedRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedRecord").field("record_type", &self.record_type).finish_non_exhaustive()
    }
}

/// What is to be opened, by whom and why.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    pub(crate) keyspace: &'a str,
    pub(crate) access: &'a Access,
    pub(crate) records: &'a [OpenedRecord<'a>],
    pub(crate) hands_out: bool,
}

impl<'a> Opening<'a> {
    /// The keyspace.
    #[must_use]
    pub fn keyspace(&self) -> &'a str {
        self.keyspace
    }

    /// Who opens, and why.
    #[must_use]
    pub fn access(&self) -> &'a Access {
        self.access
    }

    /// The records: one, or all records of a page.
    #[must_use]
    pub fn records(&self) -> &'a [OpenedRecord<'a>] {
        self.records
    }

    /// Whether the caller gets what is opened, in this record or in another ([`Record::rebind`](crate::Record::rebind)). It does not where index
    /// values are computed anew.
    #[must_use]
    pub fn hands_out(&self) -> bool {
        self.hands_out
    }
}

/// How an opening ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Every requested field was opened.
    Opened,
    /// The opening failed or was refused, with an error of this [`code`](crate::Error::code).
    Failed(ErrorCode),
    /// The program panicked inside the scope.
    Panicked,
}

/// What happened in one opening.
#[derive(Clone, Copy, Debug)]
pub struct OpenEvent<'a> {
    pub(crate) opening: Opening<'a>,
    pub(crate) touched: &'a [Touched],
    pub(crate) plaintexts: &'a [PlaintextRead],
    pub(crate) fields: usize,
    pub(crate) failed_fields: usize,
    pub(crate) former_types: usize,
    pub(crate) former_fields: usize,
    pub(crate) accepts_compromised: bool,
    pub(crate) outcome: Outcome,
}

/// A field that was read as plaintext, in a column that is being migrated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaintextRead {
    pub(crate) field: FieldId,
    pub(crate) class: Class,
    pub(crate) record_type: String,
    pub(crate) change: &'static str,
}

impl PlaintextRead {
    /// The field.
    #[must_use]
    pub fn field(&self) -> FieldId {
        self.field
    }

    /// The class of the field.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// The type of the record that it was read for.
    #[must_use]
    pub fn record_type(&self) -> &str {
        &self.record_type
    }

    /// The change that permits it.
    #[must_use]
    pub fn change(&self) -> &'static str {
        self.change
    }
}

/// A class and a key that an opening used or asked for, and how many fields opened with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) class: Class,
    pub(crate) key_id: KeyId,
    pub(crate) opened: usize,
}

impl Touched {
    #[inline]
    pub(crate) fn is(&self, class: Class, key_id: KeyId) -> bool {
        self.class.is(class) && self.key_id == key_id
    }
}

impl<'a> OpenEvent<'a> {
    /// What was opened, by whom and why.
    #[must_use]
    pub fn opening(&self) -> &Opening<'a> {
        &self.opening
    }

    /// How many fields were opened.
    #[must_use]
    pub fn fields(&self) -> usize {
        self.fields
    }

    /// How many of them were of each class, plaintext that was read as such included. Each class comes once; a class of which no field opened does
    /// not come.
    pub fn opened_by_class(&self) -> impl Iterator<Item = (Class, usize)> + use<'a> {
        let (touched, plaintexts) = (self.touched, self.plaintexts);
        let opened_of = move |class: Class, from: usize| {
            let sealed = touched.iter().skip(from).filter(|touched| touched.class.is(class));
            let sealed = sealed.fold(0, |opened: usize, touched| opened.saturating_add(touched.opened));
            sealed.saturating_add(plaintexts.iter().filter(|read| read.class.is(class)).count())
        };
        let sealed = touched.iter().enumerate().filter_map(move |(at, Touched { class, .. })| {
            let is_first = !touched.iter().take(at).any(|earlier| earlier.class.is(*class));
            is_first.then(|| (*class, opened_of(*class, at)))
        });
        let read = plaintexts.iter().enumerate().filter_map(move |(at, PlaintextRead { class, .. })| {
            let is_first = !plaintexts.iter().take(at).any(|earlier| earlier.class.is(*class))
                && !touched.iter().any(|touched| touched.class.is(*class));
            is_first.then(|| (*class, opened_of(*class, 0)))
        });
        sealed.chain(read).filter(|(_, opened)| *opened > 0)
    }

    /// How many fields did not open. A value that opened and is not of its type counts here and in [`fields`](Self::fields).
    #[must_use]
    pub fn failed_fields(&self) -> usize {
        self.failed_fields
    }

    /// How many of them were sealed under a former type of the record ([`Record::was`](crate::Record::was)). While it is 0 for all
    /// records of a type, no former type is needed.
    #[must_use]
    pub fn former_types(&self) -> usize {
        self.former_types
    }

    /// How many of them were sealed under a former id or class of the field (`was` in [`fields!`](crate::fields)). While it is 0
    /// for all tokens of a field, no former pair is needed.
    #[must_use]
    pub fn former_fields(&self) -> usize {
        self.former_fields
    }

    /// Every (class, key) pair that was used or asked for. Each pair comes once.
    pub fn classes_and_keys(&self) -> impl Iterator<Item = (Class, KeyId)> + '_ {
        self.touched.iter().map(|touched| (touched.class, touched.key_id))
    }

    /// Whether tokens of a compromised key were accepted
    /// ([`RecordReader::open_compromised`](crate::RecordReader::open_compromised)). Their values may be forged.
    #[must_use]
    pub fn accepts_compromised(&self) -> bool {
        self.accepts_compromised
    }

    /// What was plaintext and read as such, by a permit of a migration ([`ReadThrough`](crate::migrating::ReadThrough)). Such values may be
    /// forged. A count that rises after the column has its domain is an alarm.
    #[must_use]
    pub fn plaintexts(&self) -> &'a [PlaintextRead] {
        self.plaintexts
    }

    /// How the opening ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }
}
