//! Slot tables: how many values a common normal form has (FORMAT 15.6).

use std::fmt;

use super::versioned::is_versioned;
use crate::backend::Backend;
use crate::codec::frame::{FrameWriter, domain};
use crate::kdf;

/// FORMAT 15.4: the longest normal form in bytes.
pub(super) const MAX_FORM: usize = 256;
/// The largest number of slots of a form.
const MAX_SLOTS: u16 = 256;
/// The ranks of a letter: before `a`, `a` to `z`, after `z`.
const RANKS: usize = 28;
/// Two letters, and the end.
const STARTS: usize = RANKS * RANKS + 1;

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
pub struct SlotTable {
    id: &'static str,
    entries: &'static [(&'static str, u16)],
    /// How many entries are before those that begin with two letters, by the ranks of these: so a form is looked for among a few.
    starts: [u16; STARTS],
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
        assert!(entries.len() <= 60_000, "a table has at most 60,000 forms");
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
        Self { id, entries, starts: starts(entries) }
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
        let place = ranks(form);
        let ends = self.starts.get(place..).and_then(<[u16]>::first_chunk);
        let range = ends.map_or(0..0, |[start, end]| usize::from(*start)..usize::from(*end));
        let mut few = self.entries.get(range).unwrap_or_default().iter();
        few.find(|(entry, _)| entry.as_bytes() == form).map_or(1, |(_, slots)| *slots)
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

/// [`SlotTable::starts`]. The ranks ascend as the forms do.
const fn starts(mut entries: &[(&str, u16)]) -> [u16; STARTS] {
    let mut starts = [0; STARTS];
    let mut left: &mut [u16] = &mut starts;
    let (mut place, mut before) = (0_usize, 0_u16);
    while let [start, rest @ ..] = left {
        while let [(form, _), others @ ..] = entries {
            if ranks(form.as_bytes()) >= place {
                break;
            }
            before = before.saturating_add(1);
            entries = others;
        }
        *start = before;
        place = place.saturating_add(1);
        left = rest;
    }
    starts
}

/// Of the first two bytes, as one number. The second one counts behind a letter, since all other first bytes share two ranks.
const fn ranks(form: &[u8]) -> usize {
    let (first, second) = match form {
        [first @ b'a'..=b'z', second, ..] => (rank(*first), rank(*second)),
        [first, ..] => (rank(*first), 0),
        [] => (0, 0),
    };
    first.saturating_mul(RANKS).saturating_add(second)
}

#[expect(clippy::as_conversions, reason = "it widens, and `From` is not const")]
const fn rank(letter: u8) -> usize {
    match letter {
        b'a'..=b'z' => letter.saturating_sub(b'a').saturating_add(1) as usize,
        ..b'a' => 0,
        _ => RANKS - 1,
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

impl fmt::Debug for SlotTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotTable").field("id", &self.id).field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_its_own_number_and_every_other_one() {
        static TABLE: SlotTable = SlotTable::new(
            "test/1",
            &[
                ("1", 2),
                ("1a", 3),
                ("A", 4),
                ("a", 5),
                ("a'", 6),
                ("aa", 7),
                ("aaa", 8),
                ("ab", 9),
                ("az", 10),
                ("a\u{ef}", 11),
                ("b", 12),
                ("z", 13),
                ("zz", 14),
                ("zzz", 15),
                ("\u{5b5}", 16),
                ("\u{738b}", 256),
            ],
        );
        for (form, slots) in TABLE.entries() {
            assert_eq!(TABLE.slots(form.as_bytes()), *slots, "{form}");
        }
        for other in ["", "0", "1b", "aaaa", "ac", "azz", "ba", "y", "zy", "zzzz", "\u{738c}", "\u{0}"] {
            assert_eq!(TABLE.slots(other.as_bytes()), 1, "{other}");
        }
    }

    #[test]
    fn tables_out_of_order_are_refused() {
        let new = |entries: &'static [(&'static str, u16)]| {
            std::panic::catch_unwind(|| SlotTable::new("test/1", entries)).is_ok()
        };
        assert!(new(&[]) && new(&[("a", 2), ("aa", 256)]));
        for entries in [
            &[("a", 1)][..],
            &[("a", 257)],
            &[("a", 0)],
            &[("", 2)],
            &[("b", 2), ("a", 2)],
            &[("a", 2), ("a", 2)],
            &[("aa", 2), ("a", 2)],
        ] {
            assert!(!new(entries), "{entries:?}");
        }
    }
}
