//! Access for the fuzz targets, which are a crate of their own, to functions that are not public. It exists only in builds of
//! cargo-fuzz.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::codec::frame::{FrameWriter, domain, split_frame};
use crate::field::MAX_CONTENT;
use crate::id::FieldId;
use crate::payload::{self, Content, Limits, PayloadPlace, Plaintext, Value};
use crate::record_tag::{Cover, message_of};
use crate::root_key::LocalRootKey;
use crate::token::Token;

/// The frames of these parts, one after the other.
#[must_use]
pub fn frames(domain: &'static str, frames: &[BTreeMap<u8, Vec<u8>>]) -> Vec<u8> {
    let mut out = Vec::new();
    for parts in frames {
        parts.iter().fold(FrameWriter::new(domain, &mut out), |frame, (tag, bytes)| frame.part(*tag, bytes));
    }
    out
}

/// Key id and key bytes of the first frame of a keyring's body, and the rest.
#[must_use]
pub fn split_body(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let ([id, key], rest) = split_frame(domain::KEYRING_BODY, [1, 2], bytes)?;
    Some((id.to_vec(), key.to_vec(), rest.to_vec()))
}

/// The payload of bytes, with kind 0.
#[must_use]
pub fn write_bytes(bytes: &[u8], block: usize) -> Option<Vec<u8>> {
    write(&Content::Bytes(bytes), block)
}

/// The payload of a text, with kind 1; `None` if the text is a token.
#[must_use]
pub fn write_text(text: &str, block: usize) -> Option<Vec<u8>> {
    write(&Value(text), block)
}

/// The payload of any other value, with kind 2; `None` if JSON cannot hold it.
#[must_use]
pub fn write_json(value: &impl Serialize, block: usize) -> Option<Vec<u8>> {
    write(&Value(value), block)
}

fn write(value: &impl Plaintext, block: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let limits = Limits::new(MAX_CONTENT, block);
    value.write_payload(PayloadPlace { limits, head: 0, tail: 0 }, &mut out).ok()?;
    payload::refuse_nested(&out, |_| false).ok()?;
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

/// Reads the root key in `line`, and writes its line again.
#[must_use]
pub fn root_key_line(line: &[u8]) -> Option<Vec<u8>> {
    LocalRootKey::parse_line(line).ok().map(|root| root.expose_line().as_mut_slice().to_vec())
}

/// A step through a row.
#[derive(Debug)]
pub enum CoverStep<'a> {
    /// A token, whose bytes are all this one behind its magic.
    Sealed(&'static str, u8),
    /// A bound value.
    Clear(&'static str, &'a str),
    /// From which cover number on the next fields are covered.
    Since(u8),
    /// A part of this name, with an id of the same text.
    Enter(&'static str),
    /// The part ends.
    Leave,
}

/// The message under a record tag's HMAC; `None` if it is refused.
#[must_use]
pub fn tag_message(steps: &[CoverStep<'_>], number: u8) -> Option<Vec<u8>> {
    let mut cover = Cover::default();
    for step in steps {
        match step {
            CoverStep::Sealed(id, byte) => {
                let bytes = [&[0xAF, 0x1B, 0x17], [*byte; 60].as_slice()].concat();
                cover.sealed(FieldId::new(id), &[], &Token::try_from(bytes).ok()?);
            }
            CoverStep::Clear(id, text) => cover.clear(FieldId::new(id), text),
            CoverStep::Since(from) => cover.since(*from),
            CoverStep::Enter(part) => cover.enter(part, &(*part).into()).ok()?,
            CoverStep::Leave => cover.leave(),
        }
    }
    message_of(&mut cover, number)
}
