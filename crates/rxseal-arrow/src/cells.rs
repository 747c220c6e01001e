//! The cells of a column, read in place: text, bytes, integers and booleans in each layout that Arrow has for them.

use std::fmt::{Display, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, BinaryArray, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, LargeBinaryArray, LargeStringArray,
    PrimitiveArray, RecordBatch, StringArray, StringViewArray,
};
use arrow_schema::DataType;
use rxseal::schema::Plain;
use zeroize::Zeroizing;

use crate::error::BatchError;

/// A column by its name in the batch.
pub(crate) struct Column<'b> {
    /// Its place in the batch.
    pub(crate) at: usize,
    pub(crate) name: &'b str,
    array: &'b dyn Array,
    cells: Cells<'b>,
}

enum Cells<'b> {
    /// A column of nothing but nulls, which engines make of no values.
    Nulls,
    Text(&'b StringArray),
    LargeText(&'b LargeStringArray),
    TextView(&'b StringViewArray),
    Bytes(&'b BinaryArray),
    LargeBytes(&'b LargeBinaryArray),
    BytesView(&'b BinaryViewArray),
    FixedBytes(&'b FixedSizeBinaryArray),
    Bool(&'b BooleanArray),
    Date(&'b PrimitiveArray<Date32Type>),
    Number(Box<dyn Numbers + 'b>),
}

/// One value of a column.
#[derive(Clone, Copy)]
pub(crate) enum Cell<'c> {
    Null,
    Text(&'c str),
    Bytes(&'c [u8]),
}

impl<'c> Cell<'c> {
    /// The value, to be sealed.
    pub(crate) fn plain(self) -> Plain<'c> {
        match self {
            Self::Null => Plain::Null,
            Self::Text(text) => Plain::Text(text),
            Self::Bytes(bytes) => Plain::Bytes(bytes),
        }
    }
}

/// How wide the offsets of a column are. What is made of a column is as wide as it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Usual,
    Large,
    View,
}

impl<'b> Column<'b> {
    /// # Errors
    ///
    /// `column-missing`; `column-type` if the column holds something else than text, bytes, numbers, booleans or days.
    pub(crate) fn of(batch: &'b RecordBatch, name: &str) -> Result<Self, BatchError> {
        let schema = batch.schema_ref();
        let at = schema.index_of(name).map_err(|_| BatchError::column_missing(name))?;
        let (field, array) = (schema.field(at), batch.column(at).as_ref());
        let cells =
            Cells::of(array).ok_or_else(|| BatchError::column_type(name, array.data_type(), "text or bytes"))?;
        Ok(Self { at, name: field.name(), array, cells })
    }

    /// A column of tokens.
    ///
    /// # Errors
    ///
    /// `column-missing`; `column-type` if it holds neither text nor bytes.
    pub(crate) fn of_tokens(batch: &'b RecordBatch, name: &str) -> Result<Self, BatchError> {
        let column = Self::of(batch, name)?;
        if column.is_text() || column.is_bytes() || matches!(column.cells, Cells::Nulls) {
            return Ok(column);
        }
        Err(BatchError::column_type(name, column.array.data_type(), "text or bytes"))
    }

    /// A column of ids: text and integers, which have one text each. A float has none.
    ///
    /// # Errors
    ///
    /// `column-missing`, `column-type`.
    pub(crate) fn of_ids(batch: &'b RecordBatch, name: &str) -> Result<Self, BatchError> {
        let column = Self::of(batch, name)?;
        if column.is_text() || column.array.data_type().is_integer() || matches!(column.cells, Cells::Nulls) {
            return Ok(column);
        }
        Err(BatchError::column_type(name, column.array.data_type(), "text or integers"))
    }

    pub(crate) fn width(&self) -> Width {
        Width::of(self.array.data_type())
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self.cells, Cells::Text(_) | Cells::LargeText(_) | Cells::TextView(_))
    }

    fn is_bytes(&self) -> bool {
        matches!(self.cells, Cells::Bytes(_) | Cells::LargeBytes(_) | Cells::BytesView(_) | Cells::FixedBytes(_))
    }

    /// How many bytes of memory its cells take, as a measure of the room that a column made of it needs.
    pub(crate) fn bytes(&self) -> usize {
        self.array.to_data().get_slice_memory_size().unwrap_or_default()
    }

    /// The cell of `row`. A number is written into `number`.
    pub(crate) fn cell<'c>(&'c self, row: usize, number: &'c mut Number) -> Cell<'c> {
        if self.array.is_null(row) {
            return Cell::Null;
        }
        match &self.cells {
            Cells::Nulls => Cell::Null,
            Cells::Text(array) => Cell::Text(array.value(row)),
            Cells::LargeText(array) => Cell::Text(array.value(row)),
            Cells::TextView(array) => Cell::Text(array.value(row)),
            Cells::Bytes(array) => Cell::Bytes(array.value(row)),
            Cells::LargeBytes(array) => Cell::Bytes(array.value(row)),
            Cells::BytesView(array) => Cell::Bytes(array.value(row)),
            Cells::FixedBytes(array) => Cell::Bytes(array.value(row)),
            Cells::Bool(array) => Cell::Text(if array.value(row) { "true" } else { "false" }),
            // A day outside of the calendar has no text, which nothing takes as a date.
            Cells::Date(array) => array.value_as_date(row).map_or(Cell::Text(""), |day| number.write(&day)),
            Cells::Number(numbers) => numbers.write(row, number),
        }
    }
}

impl Width {
    pub(crate) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::LargeUtf8 | DataType::LargeBinary => Self::Large,
            DataType::Utf8View | DataType::BinaryView => Self::View,
            _ => Self::Usual,
        }
    }
}

impl<'b> Cells<'b> {
    fn of(array: &'b dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Null => Self::Nulls,
            DataType::Utf8 => Self::Text(array.as_string_opt()?),
            DataType::LargeUtf8 => Self::LargeText(array.as_string_opt()?),
            DataType::Utf8View => Self::TextView(array.as_string_view_opt()?),
            DataType::Binary => Self::Bytes(array.as_binary_opt()?),
            DataType::LargeBinary => Self::LargeBytes(array.as_binary_opt()?),
            DataType::BinaryView => Self::BytesView(array.as_binary_view_opt()?),
            DataType::FixedSizeBinary(_) => Self::FixedBytes(array.as_fixed_size_binary_opt()?),
            DataType::Boolean => Self::Bool(array.as_boolean_opt()?),
            DataType::Date32 => Self::Date(array.as_primitive_opt()?),
            DataType::Int8 => Self::number::<Int8Type>(array)?,
            DataType::Int16 => Self::number::<Int16Type>(array)?,
            DataType::Int32 => Self::number::<Int32Type>(array)?,
            DataType::Int64 => Self::number::<Int64Type>(array)?,
            DataType::UInt8 => Self::number::<UInt8Type>(array)?,
            DataType::UInt16 => Self::number::<UInt16Type>(array)?,
            DataType::UInt32 => Self::number::<UInt32Type>(array)?,
            DataType::UInt64 => Self::number::<UInt64Type>(array)?,
            DataType::Float32 => Self::number::<Float32Type>(array)?,
            DataType::Float64 => Self::number::<Float64Type>(array)?,
            _ => return None,
        })
    }

    fn number<T: ArrowPrimitiveType<Native: Display>>(array: &'b dyn Array) -> Option<Self> {
        Some(Self::Number(Box::new(array.as_primitive_opt::<T>()?)))
    }
}

/// Numbers of any type.
trait Numbers {
    fn write<'n>(&self, row: usize, number: &'n mut Number) -> Cell<'n>;
}

impl<T: ArrowPrimitiveType<Native: Display>> Numbers for &PrimitiveArray<T> {
    fn write<'n>(&self, row: usize, number: &'n mut Number) -> Cell<'n> {
        number.write(&self.value(row))
    }
}

/// The text of a number or a day, which may be PHI: it is wiped.
#[derive(Default)]
pub(crate) struct Number(Zeroizing<String>);

/// Room for any number, so that its text never moves: the smallest `f64` has 327 characters.
const ROOM: usize = 384;

impl Number {
    fn write(&mut self, number: &dyn Display) -> Cell<'_> {
        self.0.clear();
        self.0.reserve(ROOM);
        // Writing to a `String` does not fail.
        let _ = write!(self.0, "{number}");
        Cell::Text(&self.0)
    }
}
