//! Sets of index values as arrays of PostgreSQL.

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr};
use sea_orm::{ActiveValue, ColIdx, IntoActiveValue, QueryResult, TryGetError, TryGetable, Value};

use super::{from_value, refused};
use crate::error::Error;
use crate::index::{Index, IndexSet, IndexValue};

/// BYTEA[], and NULL for an empty set, so that nobody sees whether it was cleared (feature `sea_orm_postgres_2`).
impl<I: Index> From<IndexSet<I>> for Value {
    fn from(set: IndexSet<I>) -> Self {
        if set.as_slice().is_empty() {
            return Self::Array(ArrayType::Bytes, None);
        }
        let values = set.as_slice().iter().map(|value| Self::from(*value)).collect();
        Self::Array(ArrayType::Bytes, Some(Box::new(values)))
    }
}

/// As for `Value`.
impl<I: Index> ValueType for IndexSet<I> {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        let Value::Array(_, values) = value else { return Err(ValueTypeErr) };
        let values: Result<Vec<IndexValue<I>>, _> =
            values.iter().flat_map(|values| values.iter()).map(from_value).collect();
        Self::from_values(values?).map_err(|_| ValueTypeErr)
    }

    fn type_name() -> String {
        stringify!(IndexSet<I>).to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::Bytes
    }

    fn column_type() -> ColumnType {
        ColumnType::Array(ColumnType::VarBinary(sea_orm::sea_query::StringLen::None).into())
    }
}

/// As for `Value`.
impl<I: Index> Nullable for IndexSet<I> {
    fn null() -> Value {
        Value::Array(ArrayType::Bytes, None)
    }
}

/// Reads an array (feature `sea_orm_postgres_2`). NULL is the empty set, and anything else is `index-unreadable`, as
/// [`DbErr::TryIntoErr`](sea_orm::DbErr::TryIntoErr).
impl<I: Index> TryGetable for IndexSet<I> {
    fn try_get_by<C: ColIdx>(row: &QueryResult, index: C) -> Result<Self, TryGetError> {
        let values = match Vec::<Vec<u8>>::try_get_by(row, index) {
            Ok(values) => values.iter().map(|value| IndexValue::from_bytes(value)).collect::<Result<Vec<_>, Error>>(),
            Err(TryGetError::Null(_)) => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        values.and_then(Self::from_values).map_err(refused)
    }
}

/// As for `Value`.
impl<I: Index> IntoActiveValue<Self> for IndexSet<I> {
    fn into_active_value(self) -> ActiveValue<Self> {
        ActiveValue::Set(self)
    }
}
