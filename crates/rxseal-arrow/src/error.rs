//! Why a batch was refused, and where.

use std::fmt;

use arrow_schema::DataType;

/// Why a batch or a plan was refused: with the row and the column, and never a value.
///
/// [`code`](Self::code) is the [`ErrorCode`](rxseal::ErrorCode) of rxseal's own error as text, or one of these:
///
/// | code | what it means |
/// |---|---|
/// | `plan-refused` | the plan does not fit the record type: the text says why |
/// | `column-missing` | the batch has no such column |
/// | `column-type` | the column has a type that holds no token, no id or no value of the field |
/// | `id-missing` | the id of a row is null |
/// | `batch-too-large` | a column would have more than 2 GiB: use smaller batches or `large` columns |
pub struct BatchError(Box<Inner>);

struct Inner {
    kind: Kind,
    column: Option<String>,
    row: Option<usize>,
}

enum Kind {
    Core(rxseal::Error),
    Plan(String),
    Missing,
    /// The type of the column, and what to cast it to.
    Type(DataType, &'static str),
    NoId,
    TooLarge,
    Mismatch,
}

impl BatchError {
    /// The stable code, such as `open-failed`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.0.kind {
            Kind::Core(error) => error.code().as_str(),
            Kind::Plan(_) => "plan-refused",
            Kind::Missing => "column-missing",
            Kind::Type(..) => "column-type",
            Kind::NoId => "id-missing",
            Kind::TooLarge => "batch-too-large",
            Kind::Mismatch => rxseal::ErrorCode::TypeMismatch.as_str(),
        }
    }

    /// The row of the batch that the error is about, counted from 0.
    #[must_use]
    pub fn row(&self) -> Option<usize> {
        self.0.row
    }

    /// The same error of a batch that is behind so many rows of a table.
    #[must_use]
    pub fn behind(mut self, rows: usize) -> Self {
        self.0.row = self.0.row.map(|row| row.saturating_add(rows));
        self
    }

    /// The column that the error is about.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// The declared id of the field that the error is about.
    #[must_use]
    pub fn field_id(&self) -> Option<&'static str> {
        match &self.0.kind {
            Kind::Core(error) => error.field_id(),
            _ => None,
        }
    }

    /// The error of rxseal behind it, if there is one.
    #[must_use]
    pub fn core(&self) -> Option<&rxseal::Error> {
        match &self.0.kind {
            Kind::Core(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn plan(what: impl Into<String>) -> Self {
        Self::of(Kind::Plan(what.into()))
    }

    pub(crate) fn column_missing(name: &str) -> Self {
        Self::of(Kind::Missing).in_column(name)
    }

    pub(crate) fn column_type(name: &str, data_type: &DataType, cast_to: &'static str) -> Self {
        Self::of(Kind::Type(data_type.clone(), cast_to)).in_column(name)
    }

    pub(crate) fn no_id() -> Self {
        Self::of(Kind::NoId)
    }

    pub(crate) fn too_large(column: &str) -> Self {
        Self::of(Kind::TooLarge).in_column(column)
    }

    pub(crate) fn mismatch(column: &str) -> Self {
        Self::of(Kind::Mismatch).in_column(column)
    }

    pub(crate) fn in_column(mut self, name: &str) -> Self {
        self.0.column = Some(name.to_owned());
        self
    }

    pub(crate) fn at_row(mut self, row: usize) -> Self {
        self.0.row = Some(row);
        self
    }

    fn of(kind: Kind) -> Self {
        Self(Box::new(Inner { kind, column: None, row: None }))
    }
}

impl From<rxseal::Error> for BatchError {
    fn from(error: rxseal::Error) -> Self {
        Self::of(Kind::Core(error))
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.0.row {
            write!(f, "row {row}, ")?;
        }
        if let Some(column) = &self.0.column {
            write!(f, "column {column}: ")?;
        }
        match &self.0.kind {
            Kind::Core(error) => write!(f, "{error}"),
            Kind::Plan(what) => f.write_str(what),
            Kind::Missing => f.write_str("the batch has no such column"),
            Kind::Type(data_type, cast_to) => {
                write!(f, "a column of {data_type} is not taken here. Cast it to {cast_to}")
            }
            Kind::NoId => f.write_str("the id is null"),
            Kind::TooLarge => {
                f.write_str("the column would be larger than its offsets allow. Use smaller batches, or a `large` type")
            }
            Kind::Mismatch => f.write_str("a value is not of the type that the schema says"),
        }
    }
}

impl fmt::Debug for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BatchError({}: {self})", self.code())
    }
}

impl std::error::Error for BatchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.core().and_then(std::error::Error::source)
    }
}
