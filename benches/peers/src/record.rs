//! The record that every candidate seals. It is the record of rxseal's own benches: five text fields of a prescription.

#[path = "../../common/record.rs"]
mod common;

pub use common::{
    BIRTH_DATE, BirthDate, DIRECTIONS, DRUG, Directions, Drug, FIELDS, NAME, Name, PRESCRIBER, Prescriber, RECORD_ID,
    access, roots,
};

/// Number of sealed fields.
pub const COUNT: usize = FIELDS.len();

/// The declared type of the record, which rxseal binds.
pub const RECORD_TYPE: &str = "prescription";

/// The tenant, for candidates that know tenants.
pub const TENANT: &str = "pharmacy-17";

/// A record and a tenant for which nothing was sealed.
pub const OTHER_RECORD_ID: &str = "0193a7e4-7c1e-7d5a-9b1f-2f6f3a0c4d12";
pub const OTHER_TENANT: &str = "pharmacy-18";

/// A name of 11 bytes, for the size of a short field.
pub const SHORT_NAME: &str = "Olevia Hahn";

/// The values, in the order of `FIELDS`.
pub fn values() -> [String; COUNT] {
    FIELDS.map(|(_, value)| value.to_owned())
}

/// Bytes of all values together.
pub fn plain_bytes() -> usize {
    FIELDS.iter().map(|(_, value)| value.len()).sum()
}

/// The AAD for a peer that takes one: record id and field id, unambiguous since a field id contains no `/`. One buffer
/// is reused, so that it costs two copies and no allocation.
pub fn aad<'a>(buffer: &'a mut Vec<u8>, record_id: &str, field: &str) -> &'a [u8] {
    buffer.clear();
    buffer.extend_from_slice(record_id.as_bytes());
    buffer.push(b'/');
    buffer.extend_from_slice(field.as_bytes());
    buffer
}
