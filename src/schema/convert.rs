//! From a cell to what is sealed, and back (FORMAT 7.12).

use super::cell::{OpenedAs, Plain};
use super::content::ContentType;
use super::field::FieldSchema;
use super::format::{Spelled, is_integer, spelled};
use super::short::Short;
use crate::error::{Error, ErrorKind, Reason};
use crate::payload::{self, Content, PayloadPlace, Plaintext, Value};
use crate::secret::{PlainBuffer, reserve_wiping};

/// What is sealed in the place of a cell.
pub(crate) enum Prepared<'c> {
    Content(Content<'c>),
    Short(Short),
    Unescaped(PlainBuffer),
    List(&'c [u8]),
    Single(f32),
    Double(f64),
}

impl Plaintext for Prepared<'_> {
    fn write_payload(&self, place: PayloadPlace, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Content(content) => content.write_payload(place, out),
            Self::Short(short) => Content::Text(short.as_str()).write_payload(place, out),
            Self::Unescaped(text) => {
                let text = std::str::from_utf8(text.as_slice()).unwrap_or_default();
                Content::Text(text).write_payload(place, out)
            }
            Self::List(bytes) => Value(*bytes).write_payload(place, out),
            Self::Single(number) => Value(number).write_payload(place, out),
            Self::Double(number) => Value(number).write_payload(place, out),
        }
    }
}

/// What is sealed for a cell of `field`.
pub(crate) fn prepare<'c>(field: &FieldSchema, cell: Plain<'c>) -> Result<Prepared<'c>, Error> {
    const UNKNOWN: Reason =
        "the schema does not say what the field holds, so only its own program can seal it: see `HasContent`";
    const NULL: Reason = "it is null, and the field seals no null";
    let content = field.content().ok_or_else(|| refused(UNKNOWN))?;
    match cell {
        Plain::Null if field.seals_null() => Ok(Prepared::Content(Content::Json("null"))),
        Plain::Null => Err(refused(NULL)),
        Plain::Text(text) => of_text(content, text),
        Plain::Bytes(bytes) => of_bytes(content, bytes),
    }
}

/// Whether `sealed` is what is sealed for a cell of this content.
pub(crate) fn is_sealed_for(sealed: &[u8], content: ContentType, cell: Plain<'_>) -> bool {
    let prepared = match cell {
        Plain::Null => return false,
        Plain::Text(text) => of_text(content, text),
        Plain::Bytes(bytes) => of_bytes(content, bytes),
    };
    let mut expected = PlainBuffer::default();
    let written = prepared.and_then(|prepared| prepared.write_payload(PayloadPlace::ALONE, expected.vec()));
    written.is_ok() && expected.as_slice() == sealed
}

fn of_bytes(content: ContentType, bytes: &[u8]) -> Result<Prepared<'_>, Error> {
    const NOT_UTF8: Reason = "it is bytes, and the field holds text";
    match content {
        ContentType::Bytes => Ok(Prepared::Content(Content::Bytes(bytes))),
        ContentType::ByteList => Ok(Prepared::List(bytes)),
        _ => of_text(content, std::str::from_utf8(bytes).map_err(|_| refused(NOT_UTF8))?),
    }
}

fn of_text(content: ContentType, text: &str) -> Result<Prepared<'_>, Error> {
    const BYTES: Reason = "it is text, and the field holds bytes";
    const FORM: Reason = "its text has another form than the field's type writes, such as a date that does not exist";
    const BOOL: Reason = "it is neither `true` nor `false`";
    const INTEGER: Reason = "it is no integer of the field's type in its shortest decimal";
    const NUMBER: Reason = "it is no finite number of the field's type";
    const JSON: Reason = "it is not one JSON value, it has a member twice, or it nests deeper than 100 levels";
    match content {
        ContentType::Text(format) => match spelled(format, text).ok_or_else(|| refused(FORM))? {
            Spelled::AsItIs(text) => Ok(Prepared::Content(Content::Text(text))),
            Spelled::Anew(short) => Ok(Prepared::Short(short)),
        },
        ContentType::Bytes | ContentType::ByteList => Err(refused(BYTES)),
        ContentType::Bool => match text {
            "true" | "t" | "1" => Ok(Prepared::Content(Content::Json("true"))),
            "false" | "f" | "0" => Ok(Prepared::Content(Content::Json("false"))),
            _ => Err(refused(BOOL)),
        },
        ContentType::Integer { signed, bits } if is_integer(text, signed, bits) => {
            Ok(Prepared::Content(Content::Json(text)))
        }
        ContentType::Integer { .. } => Err(refused(INTEGER)),
        ContentType::Number { bits } => number(text, bits).ok_or_else(|| refused(NUMBER)),
        ContentType::Json => json(text).ok_or_else(|| refused(JSON)),
    }
}

/// A float in the shortest text that reads back to it, as its type writes it.
fn number(text: &str, bits: u8) -> Option<Prepared<'_>> {
    // No `inf`, no `nan`.
    if !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    match bits {
        32 => text.parse().ok().filter(|number: &f32| number.is_finite()).map(Prepared::Single),
        _ => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Prepared::Double),
    }
}

/// JSON as it is, without the white space around it. A string is text (FORMAT 7.12).
fn json(text: &str) -> Option<Prepared<'_>> {
    let json = trimmed(text);
    if json.starts_with('"') && json.contains('\\') {
        let mut unescaped = PlainBuffer::default();
        reserve_wiping(unescaped.vec(), json.len());
        payload::unescape(json, unescaped.vec())?;
        return Some(Prepared::Unescaped(unescaped));
    }
    if !payload::is_sealable_json(json) {
        return None;
    }
    let inside = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Some(Prepared::Content(inside.map_or(Content::Json(json), Content::Text)))
}

/// Appends the cell that a column had for `content` to `out`. On an error the caller wipes what was appended.
pub(crate) fn give_back(field: &FieldSchema, content: Content<'_>, out: &mut Vec<u8>) -> Result<OpenedAs, Error> {
    let Some(declared) = field.content() else { return Err(refused(UNKNOWN_OPENED)) };
    let mut append = |bytes: &[u8]| {
        reserve_wiping(out, bytes.len());
        out.extend_from_slice(bytes);
    };
    let json_text = |json: &str| match declared {
        ContentType::Bool => matches!(json, "true" | "false"),
        ContentType::Integer { signed, bits } => is_integer(json, signed, bits),
        ContentType::Number { .. } => {
            json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) && payload::is_json_value(json)
        }
        ContentType::Json => payload::is_json_value(json),
        ContentType::Text(_) | ContentType::Bytes | ContentType::ByteList => false,
    };
    match (content, declared) {
        // FORMAT 7.9
        (Content::Json(json), _) if field.seals_null() && trimmed(json) == "null" => Ok(OpenedAs::Null),
        (Content::Text(text), ContentType::Text(_)) => {
            append(text.as_bytes());
            Ok(OpenedAs::Text)
        }
        (Content::Text(text), ContentType::Json) => {
            payload::escape(text, out)?;
            Ok(OpenedAs::Text)
        }
        // FORMAT 7.13: bytes and a list of bytes are read as each other.
        (Content::Bytes(bytes), ContentType::Bytes | ContentType::ByteList) => {
            append(bytes);
            Ok(OpenedAs::Bytes)
        }
        (Content::Json(json), ContentType::Bytes | ContentType::ByteList) => {
            payload::bytes_of_list(json, out)?;
            Ok(OpenedAs::Bytes)
        }
        (Content::Json(json), _) if json_text(trimmed(json)) => {
            append(trimmed(json).as_bytes());
            Ok(OpenedAs::Text)
        }
        _ => Err(ErrorKind::TypeMismatch.into()),
    }
}

const UNKNOWN_OPENED: Reason =
    "the schema does not say what the field holds, so only its own program can open it: see `HasContent`";

/// Without the white space that JSON allows around a value (FORMAT 7.9).
fn trimmed(json: &str) -> &str {
    json.trim_matches([' ', '\t', '\n', '\r'])
}

#[cold]
fn refused(reason: Reason) -> Error {
    ErrorKind::CellRefused.because(reason)
}
