//! Tokens and tags as cells: read from either form, and written in the form that the cell has.

use rxseal::count::KeyCounts;
use rxseal::schema::Plain;
use rxseal::{Error, RecordTag, Token};
use zeroize::Zeroizing;

use crate::fault::Reason;
use crate::row::{Cell, Form, NewCell};

/// A cell that the schema's passes read.
pub(super) fn plain(cell: Cell<'_>) -> Result<Plain<'_>, Reason> {
    match cell {
        Cell::Null(_) => Ok(Plain::Null),
        Cell::Text(text) => Ok(Plain::Text(text)),
        Cell::Bytes(bytes) => Ok(Plain::Bytes(bytes)),
        Cell::Other => Err(Reason::ColumnType),
    }
}

/// The token in a cell. `None` for NULL.
pub(super) fn token(cell: Cell<'_>) -> Result<Option<Token>, Error> {
    match cell {
        Cell::Null(_) => Ok(None),
        Cell::Text(text) => text.parse().map(Some),
        Cell::Bytes(bytes) => Token::try_from(bytes).map(Some),
        // It is no token, and the library says so.
        Cell::Other => "".parse().map(Some),
    }
}

/// A token in the form of the cell that it takes the place of.
pub(super) fn cell(token: &Token, was: Cell<'_>) -> NewCell {
    match form(was) {
        Form::Text => NewCell::Text(Zeroizing::new(token.to_string())),
        Form::Bytes => NewCell::Bytes(Zeroizing::new(token.as_bytes().to_vec())),
    }
}

/// The record tag in a cell: that of a row without one for NULL.
pub(super) fn tag(cell: Cell<'_>) -> Result<RecordTag, Error> {
    match cell {
        Cell::Null(_) => Ok(RecordTag::new()),
        Cell::Text(text) => text.parse(),
        Cell::Bytes(bytes) => RecordTag::try_from(bytes),
        // It is no tag, and the library says so.
        Cell::Other => "".parse(),
    }
}

/// A record tag in the form of the cell that it takes the place of.
pub(super) fn tag_cell(tag: &RecordTag, was: Cell<'_>) -> Result<NewCell, Error> {
    Ok(match form(was) {
        Form::Text => NewCell::Text(Zeroizing::new(tag.text()?)),
        Form::Bytes => NewCell::Bytes(Zeroizing::new(tag.bytes()?.to_vec())),
    })
}

pub(super) fn form(cell: Cell<'_>) -> Form {
    match cell {
        Cell::Null(form) => form,
        Cell::Bytes(_) => Form::Bytes,
        Cell::Text(_) | Cell::Other => Form::Text,
    }
}

/// Whether a cell holds a token, a record tag or the like somewhere in a longer value, which a count would find there.
pub(super) fn holds_token(cell: Cell<'_>) -> bool {
    let counted = |text: &str| {
        let mut counts = KeyCounts::default();
        counts.add_text(text);
        counts.total() > 0 || counts.joined().next().is_some()
    };
    match cell {
        // All of them have these letters, and almost no value does.
        Cell::Text(text) => text.contains("rx") && counted(text),
        Cell::Bytes(bytes) => std::str::from_utf8(bytes).is_ok_and(|text| text.contains("rx") && counted(text)),
        Cell::Null(_) | Cell::Other => false,
    }
}

/// Whether a cell begins as a token, a record tag or a wrapped subject key does, as it is or behind space.
pub(super) fn looks_like_token(cell: Cell<'_>) -> bool {
    let begins = |text: &str| {
        let text = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{FEFF}');
        ["rxs", "rxr", "rxk"].iter().any(|magic| text.starts_with(magic))
    };
    match cell {
        Cell::Text(text) => begins(text),
        Cell::Bytes(bytes) => matches!(bytes, [0xAF, 0x19..=0x1B, ..]) || std::str::from_utf8(bytes).is_ok_and(begins),
        Cell::Null(_) | Cell::Other => false,
    }
}
