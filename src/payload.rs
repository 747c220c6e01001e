//! Payloads: what is encrypted (FORMAT 7).

mod even;
mod in_place;
mod json_check;
mod json_keys;
mod json_text;
mod nested;
mod number;
mod one_value;
mod read;
mod write;
mod writing;

pub(crate) use even::{Even, Watch, is_json};
pub(crate) use in_place::{keep, unwrap_bytes, wrap_bytes};
pub(crate) use json_text::{bytes_of_list, escape, is_json_value, is_sealable_json, unescape};
pub(crate) use nested::{nested_keys, refuse_nested};
pub(crate) use read::{Content, content, decode};
pub(crate) use write::{Limits, PayloadPlace, Plaintext, Value};
pub(crate) use writing::{is_writing, refuse_inside, refused_phi};

/// FORMAT 7, the table of kinds.
const KIND_BYTES: u8 = 0;
const KIND_TEXT: u8 = 1;
const KIND_JSON: u8 = 2;

/// The first byte of padding (FORMAT 7.2).
const PAD_START: u8 = 0x80;
