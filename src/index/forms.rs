//! The normal forms of one record, or of one query, for one index.

use std::fmt;
use std::ops::Range;

use super::definition::Definition;
use super::slots::MAX_FORM;
use super::value::MAX_VALUES;
use crate::codec::frame::{HEAD, part_head};
use crate::error::{Error, ErrorKind};
use crate::scratch::{self, Spares};
use crate::secret::{PlainBuffer, reserve_wiping};

/// The most values that one query asks for, and so the most forms.
pub(super) const MAX_ASKED: usize = 1024;
/// FORMAT 15.5: the tag of the first component.
pub(super) const FIRST_TAG: u8 = 8;
/// The largest room that a thread keeps, in bytes.
const KEPT: usize = 16 * 1024;

thread_local! {
    static ROOMS: Spares<Room> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Normal forms that a normaliser wrote. They are wiped when it is dropped.
pub struct Forms {
    components: usize,
    limit: usize,
    is_query: bool,
    room: Room,
}

/// The components of all values, framed as they are in the message of FORMAT 15.5, and the end of each.
#[derive(Default)]
struct Room {
    bytes: PlainBuffer,
    ends: Vec<usize>,
}

impl Forms {
    /// An empty list, for the normal forms of a record: at most one, or at most 8 for an index of `parts` or `sounds`.
    #[must_use]
    pub fn of_record(definition: &Definition) -> Self {
        let limit = if definition.kind().has_sets() { MAX_VALUES } else { 1 };
        Self { components: definition.normalizers().len(), limit, is_query: false, room: scratch::take(&ROOMS) }
    }

    /// An empty list, for what a query asks for: at most 1,024.
    #[must_use]
    pub fn of_query(definition: &Definition) -> Self {
        let components = definition.normalizers().len();
        Self { components, limit: MAX_ASKED, is_query: true, room: scratch::take(&ROOMS) }
    }

    /// Adds a value: the normal form of each component. Of a record, a value with an empty component is left out, so an empty text never
    /// matches an empty text, and a value that is there already is not added again.
    ///
    /// # Errors
    ///
    /// `not-indexable` if a form is longer than 256 bytes, or if a record has more values than its index takes. Of a query: `empty-query`
    /// for an empty component, and `query-too-large` for more than 1,024 values.
    pub fn push(&mut self, components: &[&[u8]]) -> Result<(), Error> {
        if components.iter().any(|form| form.is_empty()) {
            return if self.is_query { Err(ErrorKind::EmptyQuery.into()) } else { Ok(()) };
        }
        if components.len() != self.components {
            return Err(ErrorKind::NotIndexable.because("it has another number of components than its definition"));
        }
        if components.iter().any(|form| form.len() > MAX_FORM) {
            return Err(ErrorKind::NotIndexable.because("its normal form is longer than 256 bytes"));
        }
        if self.is_query && self.len() >= self.limit {
            return Err(ErrorKind::QueryTooLarge.into());
        }
        if !self.is_query && self.has(components) {
            return Ok(());
        }
        if self.len() >= self.limit {
            return Err(ErrorKind::NotIndexable.because("it has more values than the index takes of one record"));
        }
        for (tag, form) in (FIRST_TAG..).zip(components) {
            let bytes = self.room.bytes.vec();
            reserve_wiping(bytes, HEAD.saturating_add(form.len()));
            bytes.extend_from_slice(&part_head(tag, form.len()));
            bytes.extend_from_slice(form);
            let end = bytes.len();
            self.room.ends.push(end);
        }
        Ok(())
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.room.ends.len().checked_div(self.components).unwrap_or_default()
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.room.ends.is_empty()
    }

    /// The values, each as its components. They are plaintext.
    pub fn expose_values(&self) -> impl Iterator<Item = impl Iterator<Item = &[u8]>> {
        (0..self.len()).map(|at| self.components_of(at).map(|range| self.form(range)))
    }

    /// Whether a value is in both, component by component. Both are of the same definition.
    ///
    /// ```
    /// use rxseal::index::{Definition, Forms, Kind};
    ///
    /// const BORN: Definition = Definition::new("patient", "patient.born", Kind::Whole, 14, &["date/1"]);
    /// let mut sought = Forms::of_query(&BORN);
    /// sought.push(&[b"1970-01-31"])?;
    /// sought.push(&[b"1970-03-01"])?;
    /// let mut patient = Forms::of_record(&BORN);
    /// patient.push(&[b"1970-03-01"])?;
    /// assert!(sought.has_any_of(&patient));
    /// # Ok::<(), rxseal::Error>(())
    /// ```
    #[must_use]
    pub fn has_any_of(&self, other: &Self) -> bool {
        self.framed().any(|own| other.framed().any(|theirs| own == theirs))
    }

    /// Each value as it is in the message: its framed components.
    pub(super) fn framed(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| {
            let mut ranges = self.components_of(at);
            let start = ranges.next().unwrap_or_default();
            let end = ranges.last().unwrap_or(start.clone()).end;
            self.bytes(start.start..end)
        })
    }

    /// The normal form of a framed value of one component.
    pub(super) fn only_form(framed: &[u8]) -> &[u8] {
        framed.get(HEAD..).unwrap_or_default()
    }

    fn has(&self, components: &[&[u8]]) -> bool {
        (0..self.len()).any(|at| self.components_of(at).map(|range| self.form(range)).eq(components.iter().copied()))
    }

    /// Where the framed components of a value are.
    fn components_of(&self, value: usize) -> impl Iterator<Item = Range<usize>> {
        let first = value.saturating_mul(self.components);
        let end = |at: usize| self.room.ends.get(at).copied().unwrap_or_default();
        (first..first.saturating_add(self.components)).map(move |at| {
            let start = at.checked_sub(1).map_or(0, end);
            start..end(at)
        })
    }

    fn form(&self, framed: Range<usize>) -> &[u8] {
        Self::only_form(self.bytes(framed))
    }

    fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.room.bytes.as_slice().get(range).unwrap_or_default()
    }
}

impl Drop for Forms {
    fn drop(&mut self) {
        let mut room = std::mem::take(&mut self.room);
        room.bytes.clear();
        room.ends.clear();
        if room.bytes.vec().capacity() <= KEPT {
            scratch::give_back(&ROOMS, room);
        }
    }
}

impl fmt::Debug for Forms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forms").field("values", &self.len()).finish_non_exhaustive()
    }
}
