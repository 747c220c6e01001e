//! The normal forms of one record, or of one query, for one index.

use std::fmt;
use std::ops::Range;

use super::definition::{Definition, Kind};
use super::value::MAX_VALUES;
use crate::error::{Error, ErrorKind};
use crate::secret::{PlainBuffer, reserve_wiping};

/// FORMAT 15.4: the longest normal form in bytes.
const MAX_FORM: usize = 256;
/// FORMAT 15.8: the most values that one query asks for.
pub(super) const MAX_ASKED: usize = 1024;

/// Normal forms that a normaliser wrote. They are wiped when it is dropped.
pub struct Forms {
    components: usize,
    limit: usize,
    bytes: PlainBuffer,
    /// The components of all values, `components` for each.
    ranges: Vec<Range<usize>>,
}

impl Forms {
    /// An empty list, for the values of a record in an index.
    #[must_use]
    pub fn of_record(definition: &Definition) -> Self {
        let limit = match definition.kind() {
            Kind::Whole | Kind::Compound => 1,
            Kind::Parts | Kind::Sounds => MAX_VALUES,
        };
        Self::with_limit(definition, limit)
    }

    /// An empty list, for what a query asks for.
    #[must_use]
    pub fn of_query(definition: &Definition) -> Self {
        Self::with_limit(definition, MAX_ASKED)
    }

    fn with_limit(definition: &Definition, limit: usize) -> Self {
        Self { components: definition.normalizers().len(), limit, bytes: PlainBuffer::default(), ranges: Vec::new() }
    }

    /// Adds a value: the normal form of each component. A value with an empty component is left out, so an empty text never matches an
    /// empty text.
    ///
    /// # Errors
    ///
    /// `not-indexable` if a form is longer than 256 bytes, or if there are more values than the index has for a record (1, or 8 of parts
    /// and sounds) or than a query asks for (1,024).
    pub fn push(&mut self, components: &[&[u8]]) -> Result<(), Error> {
        if components.iter().any(|form| form.is_empty()) {
            return Ok(());
        }
        if components.len() != self.components {
            return Err(ErrorKind::NotIndexable.because("it has another number of components than its definition"));
        }
        if components.iter().any(|form| form.len() > MAX_FORM) {
            return Err(ErrorKind::NotIndexable.because("its normal form is longer than 256 bytes"));
        }
        if self.len() >= self.limit {
            return Err(ErrorKind::NotIndexable.because("it has more values than one record or one query may have"));
        }
        for form in components {
            let start = self.bytes.as_slice().len();
            reserve_wiping(self.bytes.vec(), form.len());
            self.bytes.vec().extend_from_slice(form);
            self.ranges.push(start..self.bytes.as_slice().len());
        }
        Ok(())
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.len().checked_div(self.components).unwrap_or_default()
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The components of each value, in plaintext.
    pub fn expose_values(&self) -> impl Iterator<Item = impl Iterator<Item = &[u8]>> {
        let bytes = self.bytes.as_slice();
        let part = move |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
        self.ranges.chunks(self.components.max(1)).map(move |ranges| ranges.iter().map(part))
    }
}

impl fmt::Debug for Forms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forms").field("values", &self.len()).finish_non_exhaustive()
    }
}
