//! What a tag covers: the sealed and the clear elements of one record, as they are collected.

use std::ops::Range;

use crate::codec::frame::{FrameWriter, domain};
use crate::error::{Error, ErrorKind, Reason};
use crate::id::{Class, FieldId, Identifier, Name};
use crate::token::Token;

/// FORMAT 4.1, counted from the record of the tag.
const MAX_STEPS: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Clear,
    Sealed,
}

/// One element of a list (FORMAT 14.4, 14.5).
pub(super) struct Element {
    pub(super) kind: Kind,
    /// The field's own id; empty for a part itself (FORMAT 14.7).
    pub(super) declared: &'static str,
    /// The id that the message has, which is a former one while those are tried (FORMAT 14.11).
    pub(super) id: &'static str,
    pub(super) former: &'static [(FieldId, Class)],
    /// From which cover number on it is covered.
    pub(super) since: u8,
    value: Range<usize>,
    path: Range<usize>,
}

/// The elements of one record. They come in the order of the struct's fields; the message has them in an order of its own.
pub(crate) struct Cover {
    /// Values and part paths.
    bytes: Vec<u8>,
    pub(super) elements: Vec<Element>,
    path: Range<usize>,
    /// What was before each part that is still open.
    outer: Vec<Outer>,
    since: Since,
}

/// Room for the tokens of most records, so that the buffers do not move.
const USUAL_BYTES: usize = 1024;
const USUAL_ELEMENTS: usize = 16;

impl Default for Cover {
    fn default() -> Self {
        Self {
            bytes: Vec::with_capacity(USUAL_BYTES),
            elements: Vec::with_capacity(USUAL_ELEMENTS),
            path: 0..0,
            outer: Vec::new(),
            since: Since::default(),
        }
    }
}

struct Outer {
    path: Range<usize>,
    since: Since,
}

/// From which cover number on the next element is covered. Nothing in a part is covered earlier than the part.
#[derive(Clone, Copy)]
struct Since {
    part: u8,
    field: u8,
}

impl Default for Since {
    fn default() -> Self {
        Self { part: 1, field: 1 }
    }
}

impl Since {
    fn number(self) -> u8 {
        self.part.max(self.field)
    }
}

impl Cover {
    /// The whole token of a field.
    pub(crate) fn sealed(&mut self, id: FieldId, former: &'static [(FieldId, Class)], token: &Token) {
        self.push(Kind::Sealed, id.as_str(), former, token.as_bytes());
    }

    /// A readable value, as its canonical text (FORMAT 14.8).
    pub(crate) fn clear(&mut self, id: FieldId, text: &str) {
        self.push(Kind::Clear, id.as_str(), &[], text.as_bytes());
    }

    /// The next elements are covered from this number on.
    pub(crate) fn since(&mut self, number: u8) {
        self.since.field = number;
    }

    /// The next elements are of this part, until [`leave`](Self::leave).
    pub(crate) fn enter(&mut self, name: &str, id: &Identifier<'_>) -> Result<(), Error> {
        const TOO_DEEP: Reason = "a record's parts nest at most 8 deep";
        Name::check("part name", name)?;
        let id = id.parse("part id")?;
        if self.outer.len() >= MAX_STEPS {
            return Err(Error::invalid_id("part path", TOO_DEEP));
        }
        let before = self.path.clone();
        let start = self.bytes.len();
        self.bytes.extend_from_within(before.clone());
        FrameWriter::new(domain::PART, &mut self.bytes).part(1, name.as_bytes()).part(2, id.as_bytes());
        self.outer.push(Outer { path: before, since: self.since });
        self.path = start..self.bytes.len();
        self.since = Since { part: self.since.number(), field: 1 };
        // FORMAT 14.7
        self.push(Kind::Clear, "", &[], &[]);
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        if let Some(Outer { path, since }) = self.outer.pop() {
            (self.path, self.since) = (path, since);
        }
    }

    /// The number that covers all elements.
    pub(crate) fn highest(&self) -> u8 {
        self.elements.iter().map(|element| element.since).max().unwrap_or(1)
    }

    /// Puts the elements in the order of FORMAT 14.6. Tokens of one list stay in the order of the list.
    pub(super) fn sort(&mut self) -> Result<(), Error> {
        let Self { bytes, elements, .. } = self;
        let path = |element: &Element| bytes.get(element.path.clone()).unwrap_or_default();
        // List by list, since a token and a value may have one id: between two values of that id it would hide that they are two.
        let list = |element: &Element| element.kind == Kind::Sealed;
        elements.sort_by(|a, b| path(a).cmp(path(b)).then_with(|| a.id.cmp(b.id)).then_with(|| list(a).cmp(&list(b))));
        let repeats = |pair: &[Element]| {
            let [a, b] = pair else { return false };
            a.id == b.id && a.kind == Kind::Clear && b.kind == Kind::Clear && path(a) == path(b)
        };
        if elements.windows(2).any(repeats) { Err(ErrorKind::FieldRepeated.into()) } else { Ok(()) }
    }

    pub(super) fn value(&self, element: &Element) -> &[u8] {
        self.bytes.get(element.value.clone()).unwrap_or_default()
    }

    pub(super) fn path(&self, element: &Element) -> &[u8] {
        self.bytes.get(element.path.clone()).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, id: &'static str, former: &'static [(FieldId, Class)], value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value);
        let (value, path) = (start..self.bytes.len(), self.path.clone());
        self.elements.push(Element { kind, declared: id, id, former, since: self.since.number(), value, path });
    }
}
