//! What a tag covers: the sealed and the clear elements of one record, as they are collected.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::mem;
use std::ops::Range;

use crate::codec::frame::{FrameWriter, HEAD, domain};
use crate::error::{Error, ErrorKind, Reason};
use crate::id::{Class, FieldId, Identifier, Name};
use crate::scratch::{self, Spares};
use crate::secret::{PlainBuffer, reserve_wiping};
use crate::token::Token;

/// FORMAT 4.1, counted from the record of the tag.
const MAX_STEPS: usize = 8;

/// As large as what is beside it in an element: see "No unwritten room" in `secret`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
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
    pub(super) since: u32,
    /// The value with its head, as part 2 of the element.
    pub(super) value: Range<usize>,
    pub(super) path: Range<usize>,
}

/// The elements of one record. They come in the order of the struct's fields; the message has them in an order of its own.
pub(crate) struct Cover {
    buffers: Buffers,
    path: Range<usize>,
    /// What was before each part that is still open.
    outer: Vec<Outer>,
    since: Since,
}

/// What the thread keeps, wiped, for its next cover.
#[derive(Default)]
struct Buffers {
    /// Values and part paths.
    bytes: PlainBuffer,
    elements: Vec<Element>,
}

/// The largest buffers that are kept, in bytes and in elements.
const KEPT_BYTES: usize = 64 * 1024;
const KEPT_ELEMENTS: usize = 1024;

thread_local! {
    static BUFFERS: Spares<Buffers> = const { RefCell::new(Vec::new()) };
}

impl Default for Cover {
    fn default() -> Self {
        Self { buffers: scratch::take(&BUFFERS), path: 0..0, outer: Vec::new(), since: Since::default() }
    }
}

impl Drop for Cover {
    fn drop(&mut self) {
        let mut buffers = mem::take(&mut self.buffers);
        buffers.bytes.clear();
        buffers.elements.clear();
        if buffers.bytes.vec().capacity() <= KEPT_BYTES && buffers.elements.capacity() <= KEPT_ELEMENTS {
            scratch::give_back(&BUFFERS, buffers);
        }
    }
}

struct Outer {
    path: Range<usize>,
    since: Since,
}

/// From which cover number on the next element is covered. Nothing in a part is covered earlier than the part (FORMAT 14.9).
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
        let bytes = self.buffers.bytes.vec();
        let start = bytes.len();
        reserve_wiping(bytes, [before.len(), domain::PART.len(), name.len(), id.len(), 3 * HEAD].into_iter().sum());
        bytes.extend_from_within(before.clone());
        FrameWriter::new(domain::PART, bytes).part(1, name.as_bytes()).part(2, id.as_bytes());
        self.path = start..bytes.len();
        self.outer.push(Outer { path: before, since: self.since });
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
        let highest = self.elements().iter().map(|element| element.since).max();
        highest.and_then(|number| number.try_into().ok()).unwrap_or(1)
    }

    /// Puts the elements in the order of FORMAT 14.6. Tokens of one list stay in the order of the list.
    pub(super) fn sort(&mut self) -> Result<(), Error> {
        let Buffers { bytes, elements } = &mut self.buffers;
        let path = |element: &Element| bytes.as_slice().get(element.path.clone()).unwrap_or_default();
        // Most elements are of one part, which has its path in one place.
        let by_path = |a: &Element, b: &Element| {
            if a.path == b.path { Ordering::Equal } else { path(a).cmp(path(b)) }
        };
        // List by list, since a token and a value may have one id: between two values of that id it would hide that they are two.
        let list = |element: &Element| element.kind == Kind::Sealed;
        elements.sort_by(|a, b| by_path(a, b).then_with(|| a.id.cmp(b.id)).then_with(|| list(a).cmp(&list(b))));
        let repeats = |pair: &[Element]| {
            let [a, b] = pair else { return false };
            a.kind == Kind::Clear && b.kind == Kind::Clear && a.id == b.id && by_path(a, b).is_eq()
        };
        if elements.windows(2).any(repeats) { Err(ErrorKind::FieldRepeated.into()) } else { Ok(()) }
    }

    pub(super) fn elements(&self) -> &[Element] {
        &self.buffers.elements
    }

    pub(super) fn elements_mut(&mut self) -> &mut [Element] {
        &mut self.buffers.elements
    }

    /// The value, as part 2 of the element.
    pub(super) fn value_part(&self, element: &Element) -> &[u8] {
        self.buffers.bytes.as_slice().get(element.value.clone()).unwrap_or_default()
    }

    pub(super) fn path(&self, element: &Element) -> &[u8] {
        self.buffers.bytes.as_slice().get(element.path.clone()).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, id: &'static str, former: &'static [(FieldId, Class)], value: &[u8]) {
        let Buffers { bytes, elements } = &mut self.buffers;
        let bytes = bytes.vec();
        let start = bytes.len();
        reserve_wiping(bytes, HEAD.saturating_add(value.len()));
        FrameWriter::element(bytes).part(2, value);
        let (value, path) = (start..bytes.len(), self.path.clone());
        elements.push(Element { kind, declared: id, id, former, since: self.since.number().into(), value, path });
    }
}
