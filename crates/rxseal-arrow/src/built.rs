//! Columns that are made cell by cell. What did not become a column is wiped.

use std::str::FromStr;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, ByteArrayType, Date32Type, Float64Type, GenericBinaryType, GenericStringType, Int64Type,
    UInt64Type,
};
use arrow_array::{
    ArrayRef, BinaryViewArray, BooleanArray, GenericByteArray, OffsetSizeTrait, PrimitiveArray, StringViewArray,
};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer};
use arrow_schema::DataType;
use chrono::NaiveDate;
use zeroize::Zeroizing;

use crate::cells::Width;
use crate::error::BatchError;

/// The values of a column so far, one behind the other.
pub(crate) struct Built {
    values: Zeroizing<Vec<u8>>,
    lengths: Vec<usize>,
    nulls: NullBufferBuilder,
}

/// What a column becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text(Width),
    Bytes(Width),
    Bool,
    Date,
    Signed,
    Unsigned,
    Float,
}

impl Kind {
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Text(Width::Usual) => DataType::Utf8,
            Self::Text(Width::Large) => DataType::LargeUtf8,
            Self::Text(Width::View) => DataType::Utf8View,
            Self::Bytes(Width::Usual) => DataType::Binary,
            Self::Bytes(Width::Large) => DataType::LargeBinary,
            Self::Bytes(Width::View) => DataType::BinaryView,
            Self::Bool => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Signed => DataType::Int64,
            Self::Unsigned => DataType::UInt64,
            Self::Float => DataType::Float64,
        }
    }
}

impl Built {
    /// With room for `bytes` in `rows` cells, so that no value moves while the column grows.
    pub(crate) fn with_room(rows: usize, bytes: usize) -> Self {
        Self {
            values: Zeroizing::new(Vec::with_capacity(bytes)),
            lengths: Vec::with_capacity(rows),
            nulls: NullBufferBuilder::new(rows),
        }
    }

    pub(crate) fn push_null(&mut self) {
        self.lengths.push(0);
        self.nulls.append_null();
    }

    /// One cell, of what `write` appends, or null if it says that there is none. On an error the column is as it was.
    pub(crate) fn push<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>) -> Result<(), E> {
        let start = self.values.len();
        if write(&mut self.values)? {
            self.lengths.push(self.values.len().saturating_sub(start));
            self.nulls.append_non_null();
        } else {
            self.push_null();
        }
        Ok(())
    }

    /// One cell that is there already.
    pub(crate) fn push_bytes(&mut self, cell: &[u8]) {
        self.values.extend_from_slice(cell);
        self.lengths.push(cell.len());
        self.nulls.append_non_null();
    }

    /// # Errors
    ///
    /// `batch-too-large` if the offsets of the column are too narrow for it; `type-mismatch` if a value is not of its kind.
    pub(crate) fn finish(self, column: &str, kind: Kind) -> Result<ArrayRef, BatchError> {
        match kind {
            Kind::Text(Width::Usual) => self.bytes_of::<GenericStringType<i32>>(column).map(as_ref),
            Kind::Text(Width::Large) => self.bytes_of::<GenericStringType<i64>>(column).map(as_ref),
            Kind::Text(Width::View) => {
                self.bytes_of::<GenericStringType<i64>>(column).map(|array| as_ref(StringViewArray::from(&array)))
            }
            Kind::Bytes(Width::Usual) => self.bytes_of::<GenericBinaryType<i32>>(column).map(as_ref),
            Kind::Bytes(Width::Large) => self.bytes_of::<GenericBinaryType<i64>>(column).map(as_ref),
            Kind::Bytes(Width::View) => {
                self.bytes_of::<GenericBinaryType<i64>>(column).map(|array| as_ref(BinaryViewArray::from(&array)))
            }
            Kind::Bool => {
                let cells = self.parsed::<bool>(column).collect::<Result<Vec<_>, _>>()?;
                Ok(Arc::new(BooleanArray::from(cells)))
            }
            Kind::Date => self.numbers::<Date32Type, NaiveDate>(column, Date32Type::from_naive_date),
            Kind::Signed => self.numbers::<Int64Type, i64>(column, |number| number),
            Kind::Unsigned => self.numbers::<UInt64Type, u64>(column, |number| number),
            Kind::Float => self.numbers::<Float64Type, f64>(column, |number| number),
        }
    }

    fn bytes_of<T: ByteArrayType<Offset: OffsetSizeTrait>>(
        mut self,
        column: &str,
    ) -> Result<GenericByteArray<T>, BatchError> {
        let offsets = OffsetBuffer::try_from_lengths(self.lengths).map_err(|_| BatchError::too_large(column))?;
        // From here on it is the caller's.
        let values = Buffer::from_vec(std::mem::take(&mut *self.values));
        GenericByteArray::try_new(offsets, values, self.nulls.finish()).map_err(|_| BatchError::mismatch(column))
    }

    fn numbers<T: ArrowPrimitiveType, N: FromStr>(
        self,
        column: &str,
        native: impl Fn(N) -> T::Native,
    ) -> Result<ArrayRef, BatchError> {
        let cells = self.parsed::<N>(column).map(|cell| Ok(cell?.map(&native)));
        Ok(Arc::new(cells.collect::<Result<PrimitiveArray<T>, BatchError>>()?))
    }

    /// The cells as values of another type than text or bytes.
    fn parsed<N: FromStr>(&self, column: &str) -> impl Iterator<Item = Result<Option<N>, BatchError>> {
        let nulls = self.nulls.finish_cloned();
        let mut rest = self.values.as_slice();
        self.lengths.iter().enumerate().map(move |(row, length)| {
            let (cell, behind) = rest.split_at_checked(*length).unwrap_or_default();
            rest = behind;
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                return Ok(None);
            }
            let value = std::str::from_utf8(cell).ok().and_then(|text| text.parse().ok());
            value.map(Some).ok_or_else(|| BatchError::mismatch(column).at_row(row))
        })
    }
}

fn as_ref(array: impl arrow_array::Array + 'static) -> ArrayRef {
    Arc::new(array)
}
