//! A column, or a place in a JSON document.

use std::fmt;

/// A column of a table, a member of a JSON object or a column of a file; and, if the column has JSON documents, a place in them.
///
/// As text it is `drug`, or `doc:/rx/drug`: a column, a colon and a JSON pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    column: Box<str>,
    pointer: Option<Box<str>>,
}

impl Place {
    /// From its text, or what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (column, pointer) = match text.split_once(":/") {
            Some((column, pointer)) => (column, Some(format!("/{pointer}").into_boxed_str())),
            None => (text, None),
        };
        if column.is_empty() || column.contains('\0') {
            return Err("the column's name is empty: write `drug`, or `doc:/rx/drug` for a place in a JSON document");
        }
        if pointer.as_deref().is_some_and(|pointer| !is_pointer(pointer)) {
            return Err("the JSON pointer is not valid: in a name, write `~` as `~0` and `/` as `~1`");
        }
        Ok(Self { column: column.into(), pointer })
    }

    /// The column.
    #[must_use]
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The place in the column's JSON documents, as a JSON pointer (RFC 6901) that begins with `/`. `None` for the whole column.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }

    /// Whether one of the two is, or is inside of, the other.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let is_in = |outer: &Self, inner: &Self| match (outer.pointer(), inner.pointer()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(outer), Some(inner)) => {
                inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        };
        self.column == other.column && (is_in(self, other) || is_in(other, self))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer() {
            Some(pointer) => write!(f, "{}:{pointer}", self.column),
            None => f.write_str(&self.column),
        }
    }
}

/// RFC 6901: each `~` is `~0` or `~1`.
fn is_pointer(pointer: &str) -> bool {
    pointer.len() > 1 && !pointer.contains('\0') && pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}
