//! Slot tables of names that are common in the United States.
//!
//! A common name gets many values instead of one, so that counting a column does not name it. A slot table says how many:
//! `ceil(4096 s)` for a name that the share `s` of all people has, and at most 256. A name that is not in the table has one value.
//!
//! The tables are made from the lists of the US Census of 1990, which are in the public domain, by `census/tables.py`. They never change:
//! another table has another id. If your patients' names are others, ask the [planner](crate::plan) first. It writes a table from your own
//! rows.

mod us_given_1;
mod us_surnames_1;

pub use us_given_1::US_GIVEN_1;
pub use us_surnames_1::US_SURNAMES_1;

#[cfg(test)]
mod tests {
    use rxseal::index::SlotTable;
    use sha2::{Digest, Sha256};

    use super::*;

    /// What a definition binds: another table has another id.
    #[test]
    fn a_table_never_changes() {
        let tables = [
            (&US_SURNAMES_1, 464, "f54a6bfbccb42f9138444aaa257ece06593ed40bf3144ab46edf4fd62f46b215"),
            (&US_GIVEN_1, 645, "6e4b95ccdb6eeb2eb38223b2929dac983301906e92c2c9e971923b886cbb047b"),
        ];
        for (table, forms, digest) in tables {
            assert_eq!(table.entries().len(), forms, "{}", table.id());
            assert_eq!(hex(&Sha256::digest(encoded(table))), digest, "{}", table.id());
        }
    }

    #[test]
    fn a_common_name_has_many_slots_and_a_rare_one_has_one() {
        assert_eq!((US_SURNAMES_1.slots(b"smith"), US_SURNAMES_1.slots(b"zyzik")), (42, 1));
        assert_eq!((US_GIVEN_1.slots(b"james"), US_GIVEN_1.slots(b"mary")), (67, 56));
    }

    /// FORMAT 15.6: the list of the entries' frames.
    fn encoded(table: &SlotTable) -> Vec<u8> {
        let mut list = Vec::new();
        for (form, slots) in table.entries() {
            for (tag, part) in (0_u8..).zip([&b"rxseal/v1/index-slot-entry"[..], form.as_bytes(), &slots.to_be_bytes()])
            {
                list.push(tag);
                list.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
                list.extend(part);
            }
        }
        list
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
