//! Slot tables: how many values a common normal form has (FORMAT 15.6).

use super::versioned::is_versioned;
use crate::backend::Backend;
use crate::codec::frame::{FrameWriter, domain};
use crate::kdf;

/// FORMAT 15.4: the longest normal form in bytes.
pub(super) const MAX_FORM: usize = 256;
/// The largest number of slots of a form.
const MAX_SLOTS: u16 = 256;

/// How many values each common normal form has. A form that is not in it has one.
///
/// A table never changes: another one has another id.
///
/// ```
/// use rxseal::index::SlotTable;
///
/// static NAMES: SlotTable = SlotTable::new("our-names/1", &[("jones", 23), ("smith", 42)]);
/// assert_eq!(NAMES.slots(b"smith"), 42);
/// assert_eq!(NAMES.slots(b"zyzik"), 1);
/// ```
#[derive(Debug)]
pub struct SlotTable {
    id: &'static str,
    entries: &'static [(&'static str, u16)],
}

impl SlotTable {
    /// A table of forms in ascending order of their bytes, each with 2 to 256 slots. Another table does not compile, if it is a
    /// constant or a static.
    ///
    /// # Panics
    ///
    /// If the entries are out of order or have another number of slots, or if the id has no version.
    #[must_use]
    pub const fn new(id: &'static str, entries: &'static [(&'static str, u16)]) -> Self {
        assert!(is_versioned(id), "the id of a slot table is a name, `/` and a version from 1, as `us-surnames/1`");
        let mut rest = entries;
        while let [(form, slots), after @ ..] = rest {
            assert!(*slots >= 2 && *slots <= MAX_SLOTS, "a form has 2 to 256 slots");
            assert!(!form.is_empty() && form.len() <= MAX_FORM, "a form has 1 to 256 bytes");
            if let [(next, _), ..] = after {
                assert!(ascends(form.as_bytes(), next.as_bytes()), "forms ascend");
            }
            rest = after;
        }
        Self { id, entries }
    }

    /// The table's id, such as `us-surnames/1`.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// The forms in ascending order of their bytes, each with its number of slots.
    #[must_use]
    pub const fn entries(&self) -> &'static [(&'static str, u16)] {
        self.entries
    }

    /// How many slots a normal form has.
    #[must_use]
    pub fn slots(&self, form: &[u8]) -> u16 {
        let found = self.entries.binary_search_by(|(entry, _)| entry.as_bytes().cmp(form));
        found.ok().and_then(|at| self.entries.get(at)).map_or(1, |(_, slots)| *slots)
    }

    /// FORMAT 15.6
    pub(super) fn digest(&self, backend: Backend) -> [u8; 32] {
        let mut table = Vec::new();
        for (form, slots) in self.entries {
            FrameWriter::new(domain::INDEX_SLOT_ENTRY, &mut table)
                .part(1, form.as_bytes())
                .part(2, &slots.to_be_bytes());
        }
        kdf::sha256(backend, &table)
    }
}

/// Whether `a` is before `b`.
const fn ascends(mut a: &[u8], mut b: &[u8]) -> bool {
    loop {
        match (a, b) {
            ([x, more_a @ ..], [y, more_b @ ..]) => {
                if *x != *y {
                    return *x < *y;
                }
                (a, b) = (more_a, more_b);
            }
            (_, rest) => return !rest.is_empty(),
        }
    }
}
