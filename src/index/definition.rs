//! What an index is: everything that its values follow from, beside keys and records (FORMAT 15.3).

use super::owner::SlotOwner;
use super::slots::SlotTable;
use crate::backend::Backend;
use crate::codec::frame::{FrameWriter, domain};
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
}

/// The definition of an index. A program declares it with `rxseal_search::indexes!`.
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
    /// A definition: the record type, the id of the index, its kind, the bits of a value (8 to 64, or 128 for a uniqueness check), and
    /// the ids of its normalisers, one for each component. Another one does not compile, if it is a constant.
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
        let components = normalizers.len();
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
    /// If the index is compound.
    #[must_use]
    pub const fn with_slots(self, table: &'static SlotTable, owner: SlotOwner) -> Self {
        assert!(!matches!(self.kind, Kind::Compound), "a compound index has no slots");
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
        (self.bits.div_ceil(8) as usize).saturating_add(super::value::PREFIX_LEN)
    }

    /// `d` of FORMAT 15.3.
    pub(super) fn digest(&self, backend: Backend) -> [u8; 32] {
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
