//! A door for the fuzz targets, which are a crate of their own, to what has no public name. Only in builds of cargo-fuzz.

use std::collections::BTreeMap;

use crate::codec::frame::FrameWriter;
use crate::field::MAX_CONTENT;
use crate::payload::{self, Content, Limits, Plaintext, Room, Value};

/// The frames of these parts, one after the other.
#[must_use]
pub fn frames(frames: &[BTreeMap<u8, Vec<u8>>]) -> Vec<u8> {
    let mut out = Vec::new();
    for parts in frames {
        parts.iter().fold(FrameWriter::new("fuzz", &mut out), |frame, (tag, bytes)| frame.part(*tag, bytes));
    }
    out
}

/// The payload of bytes under kind 0.
#[must_use]
pub fn write_bytes(bytes: &[u8], block: usize) -> Option<Vec<u8>> {
    write(&Content::Bytes(bytes), block)
}

/// The payload of a text under kind 1; none where the text is a token.
#[must_use]
pub fn write_text(text: &str, block: usize) -> Option<Vec<u8>> {
    write(&Value(text), block)
}

fn write(value: &impl Plaintext, block: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let limits = Limits::new(MAX_CONTENT, block);
    value.write_payload(Room { limits, head: 0, tail: 0 }, &mut out).ok()?;
    Some(out)
}

/// Kind and content of a payload.
#[must_use]
pub fn read_payload(payload: &[u8]) -> Option<(u8, Vec<u8>)> {
    match payload::content(payload).ok()? {
        Content::Bytes(bytes) => Some((0, bytes.to_vec())),
        Content::Text(text) => Some((1, text.as_bytes().to_vec())),
        Content::Json(json) => Some((2, json.as_bytes().to_vec())),
    }
}
