//! Payloads: what is encrypted (FORMAT 7).

mod json_check;
mod read;
mod write;

pub(crate) use read::{Content, content, decode, raw_bytes};
pub(crate) use write::{Limits, Plaintext, Room, Value};

/// FORMAT 7.1
pub(crate) const MAX_CONTENT: usize = 16 * 1024 * 1024;
/// A kind byte and the first byte of padding.
pub(crate) const MIN_LEN: usize = 2;
/// FORMAT 6.3: the largest content, padded to the largest block.
pub(crate) const MAX_LEN: usize = MAX_CONTENT + 4096;

/// FORMAT 7, the table of kinds.
const KIND_BYTES: u8 = 0;
const KIND_TEXT: u8 = 1;
const KIND_JSON: u8 = 2;

/// The first byte of padding (FORMAT 7.2).
const PAD_START: u8 = 0x80;
