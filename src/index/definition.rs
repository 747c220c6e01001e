//! What an index is: everything that its values follow from, beside keys and records (FORMAT 15.3).

use super::owner::SlotOwner;
use super::slots::SlotTable;
use super::value::PREFIX_LEN;
use super::versioned::is_versioned;
use crate::backend::Backend;
use crate::codec::frame::{FrameWriter, domain};
use crate::field::private::is_same_text;
use crate::id::is_name;
use crate::kdf;

/// How many values a record has in an index, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// One value of one field.
    Whole,
    /// One value of 2 to 4 fields.
    Compound,
    /// Up to 8 values, such as the parts of a name.
    Parts,
    /// Up to 8 values of how a name sounds.
    Sounds,
}

impl Kind {
    /// As in the format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Compound => "compound",
            Self::Parts => "parts",
            Self::Sounds => "sounds",
        }
    }

    /// Whether a record has a set of values.
    pub(super) const fn has_sets(self) -> bool {
        matches!(self, Self::Parts | Self::Sounds)
    }
}

/// The definition of an index. A program declares it with `rxseal_search::indexes!`.
///
/// ```
/// use rxseal::index::{Definition, Kind};
///
/// const BORN: Definition = Definition::new("patient", "patient.born", Kind::Whole, 14, &["date/1"]);
/// // A prefix of 3 bytes, and 14 bits.
/// assert_eq!(BORN.value_len(), 5);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    record_type: &'static str,
    id: &'static str,
    kind: Kind,
    bits: u8,
    slots: Option<(&'static SlotTable, SlotOwner)>,
    normalizers: &'static [&'static str],
}

impl Definition {
    /// A definition: the record type, the id of the index, its kind, the bits of a value, and the ids of its normalisers, one for each
    /// component. The bits are 8 to 64. A whole or compound index may have 128 for a uniqueness check: then a value names its record, and
    /// whoever has the index root tells who is in the table. Another definition does not compile, if it is a constant.
    ///
    /// # Panics
    ///
    /// If one of them is out of bounds.
    #[must_use]
    pub const fn new(
        record_type: &'static str,
        id: &'static str,
        kind: Kind,
        bits: u8,
        normalizers: &'static [&'static str],
    ) -> Self {
        assert!(
            is_name(record_type),
            "a record type is 1 to 64 of a-z, 0-9, `.`, `_` and `-`, and begins with a letter or digit"
        );
        assert!(is_name(id), "an index id is 1 to 64 of a-z, 0-9, `.`, `_` and `-`, and begins with a letter or digit");
        assert!(
            (bits >= 8 && bits <= 64) || bits == 128,
            "an index value has 8 to 64 bits, or 128 for a uniqueness check"
        );
        assert!(bits != 128 || !kind.has_sets(), "an index of `parts` or `sounds` is no uniqueness check");
        let (components, mut rest) = (normalizers.len(), normalizers);
        while let [normalizer, others @ ..] = rest {
            assert!(
                is_versioned(normalizer),
                "the id of a normaliser is a name, `/` and a version from 1, as `family/1`"
            );
            rest = others;
        }
        match kind {
            Kind::Compound => assert!(components >= 2 && components <= 4, "a compound index has 2 to 4 components"),
            _ => assert!(components == 1, "an index that is not compound has one component"),
        }
        Self { record_type, id, kind, bits, slots: None, normalizers }
    }

    /// The same with slots: a common normal form has several values, and each owner has one of them.
    ///
    /// # Panics
    ///
    /// If the index is compound or has 128 bits.
    #[must_use]
    pub const fn with_slots(self, table: &'static SlotTable, owner: SlotOwner) -> Self {
        assert!(!matches!(self.kind, Kind::Compound), "a compound index has no slots");
        assert!(self.bits != 128, "a uniqueness check has no slots");
        Self { slots: Some((table, owner)), ..self }
    }

    /// The record type.
    #[must_use]
    pub const fn record_type(&self) -> &'static str {
        self.record_type
    }

    /// The id of the index.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The bits of a value, without its prefix.
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// The slot table.
    #[must_use]
    pub const fn slots(&self) -> Option<&'static SlotTable> {
        match self.slots {
            Some((table, _)) => Some(table),
            None => None,
        }
    }

    /// Whose slot it is, if there are slots and the record has no subject.
    #[must_use]
    pub const fn slot_owner(&self) -> Option<SlotOwner> {
        match self.slots {
            Some((_, owner)) => Some(owner),
            None => None,
        }
    }

    /// The ids of the normalisers, one for each component.
    #[must_use]
    pub const fn normalizers(&self) -> &'static [&'static str] {
        self.normalizers
    }

    /// The length of a value in bytes, with its prefix: 4 to 19.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "it widens, and `From` is not const")]
    pub const fn value_len(&self) -> usize {
        (self.bits.div_ceil(8) as usize).saturating_add(PREFIX_LEN)
    }

    /// Whether `former` may be a former definition of the same index (FORMAT 15.10). The record type may have had another name.
    pub(super) const fn may_succeed(&self, former: &Self) -> bool {
        is_same_text(self.id, former.id)
            && is_same_text(self.kind.as_str(), former.kind.as_str())
            && self.normalizers.len() == former.normalizers.len()
    }

    /// Whether both make the same values. Their slot tables are told apart by their ids.
    pub(super) const fn is_same(&self, other: &Self) -> bool {
        let same_slots = match (self.slots(), other.slots()) {
            (None, None) => true,
            (Some(own), Some(other)) => is_same_text(own.id(), other.id()),
            _ => false,
        };
        let (mut own, mut others) = (self.normalizers, other.normalizers);
        while let ([a, more_own @ ..], [b, more_others @ ..]) = (own, others) {
            if !is_same_text(a, b) {
                return false;
            }
            (own, others) = (more_own, more_others);
        }
        let same_normalizers = own.is_empty() && others.is_empty();
        same_slots && same_normalizers && self.bits == other.bits && is_same_text(self.record_type, other.record_type)
    }

    /// `d` of FORMAT 15.3.
    pub(crate) fn digest(&self, backend: Backend) -> [u8; 32] {
        let mut components = Vec::new();
        let mut frame = FrameWriter::new(domain::INDEX_COMPONENTS, &mut components);
        for (tag, normalizer) in (1..).zip(self.normalizers) {
            frame = frame.part(tag, normalizer.as_bytes());
        }
        let slots = self.slots().map(|table| {
            let mut slots = Vec::new();
            FrameWriter::new(domain::INDEX_SLOTS, &mut slots)
                .part(1, table.id().as_bytes())
                .part(2, &table.digest(backend));
            slots
        });
        let mut definition = Vec::new();
        FrameWriter::new(domain::INDEX_DEFINITION, &mut definition)
            .part(1, self.record_type.as_bytes())
            .part(2, self.id.as_bytes())
            .part(3, self.kind.as_str().as_bytes())
            .part(4, &[self.bits])
            .optional_part(5, slots.as_deref())
            .part(6, &components);
        kdf::sha256(backend, &definition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(make: impl FnOnce() -> Definition + std::panic::UnwindSafe) {
        assert!(std::panic::catch_unwind(make).is_err());
    }

    #[test]
    fn definitions_out_of_bounds_are_refused() {
        static NAMES: SlotTable = SlotTable::new("names/1", &[("smith", 42)]);
        let whole = |bits| Definition::new("patient", "patient.born", Kind::Whole, bits, &["date/1"]);
        for bits in [8, 14, 63, 64, 128] {
            assert_eq!(whole(bits).value_len(), 3 + usize::from(bits).div_ceil(8));
        }
        for bits in [0, 7, 65, 127, 129, 255] {
            refused(move || whole(bits));
        }
        for kind in [Kind::Parts, Kind::Sounds] {
            let names = Definition::new("patient", "patient.last", kind, 64, &["family/1"]);
            assert!(names.with_slots(&NAMES, SlotOwner::Record).slots().is_some());
            refused(move || Definition::new("patient", "patient.last", kind, 128, &["family/1"]));
            refused(move || Definition::new("patient", "patient.last", kind, 14, &["family/1", "given/1"]));
        }
        let compound = |normalizers| Definition::new("patient", "patient.both", Kind::Compound, 17, normalizers);
        compound(&["date/1", "date/1"]);
        compound(&["date/1", "date/1", "date/1", "date/1"]);
        refused(move || compound(&["date/1"]));
        refused(move || compound(&["date/1", "date/1", "date/1", "date/1", "date/1"]));
        refused(move || compound(&["date/1", "date"]));
        refused(move || compound(&["date/1", "date/1"]).with_slots(&NAMES, SlotOwner::Record));
        refused(move || whole(128).with_slots(&NAMES, SlotOwner::Record));
        refused(|| Definition::new("Patient", "patient.born", Kind::Whole, 14, &["date/1"]));
        refused(|| Definition::new("patient", "patient born", Kind::Whole, 14, &["date/1"]));
    }
}
