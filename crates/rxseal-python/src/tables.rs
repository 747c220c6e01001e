//! Batches from Python and to it, through the Arrow `PyCapsule` interface.

use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_pyarrow::{FromPyArrow, IntoPyArrow, Table};
use arrow_schema::SchemaRef;
use pyo3::prelude::*;
use rxseal_arrow::{Fault, OnError, faults_table};

use crate::error::refused;

/// What a call was given.
pub(crate) enum Given {
    /// One batch: a `pyarrow.RecordBatch`.
    Batch(RecordBatch),
    /// Batches: a `pyarrow.Table`, a data frame of pandas or Polars, or a reader.
    Stream(Box<dyn RecordBatchReader>),
}

impl Given {
    pub(crate) fn from(table: &Bound<'_, PyAny>) -> PyResult<Self> {
        if table.hasattr("__arrow_c_array__")? {
            return Ok(Self::Batch(RecordBatch::from_pyarrow_bound(table)?));
        }
        if table.hasattr("__arrow_c_stream__")? {
            return Ok(Self::Stream(Box::new(RecordBatchStreamReader::from_pyarrow_bound(table)?)));
        }
        Err(refused("column-type", "a table is a pyarrow Table or RecordBatch, or a data frame of pandas or Polars"))
    }

    /// Its batches, one after the other.
    pub(crate) fn batches(self) -> impl Iterator<Item = PyResult<RecordBatch>> {
        let (batch, stream) = match self {
            Self::Batch(batch) => (Some(batch), None),
            Self::Stream(stream) => (None, Some(stream)),
        };
        let unread = |_| refused("column-type", "a batch of the table could not be read");
        batch.map(Ok).into_iter().chain(stream.into_iter().flatten().map(move |batch| batch.map_err(unread)))
    }

    /// Has `change` make one batch of each, and gives back what the call was given: a `pyarrow.RecordBatch` or a `pyarrow.Table`.
    /// `change` gets the number of the batch's first row.
    pub(crate) fn map<'py>(
        self,
        py: Python<'py>,
        schema: impl FnOnce(&SchemaRef) -> PyResult<SchemaRef>,
        mut change: impl FnMut(RecordBatch, usize) -> PyResult<RecordBatch>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Batch(batch) => change(batch, 0)?.into_pyarrow(py),
            Self::Stream(stream) => {
                let schema = schema(&stream.schema())?;
                let (mut batches, mut rows) = (Vec::new(), 0_usize);
                for batch in Self::Stream(stream).batches() {
                    let batch = batch?;
                    let start = rows;
                    rows = rows.saturating_add(batch.num_rows());
                    batches.push(change(batch, start)?);
                }
                let table = Table::try_new(batches, schema)
                    .map_err(|_| refused("column-type", "the batches do not fit each other"))?;
                table.into_pyarrow(py)
            }
        }
    }

    /// The same for a `change` that lists what it refused in its batch. With `on_error="report"` the answer is the table and one of the faults.
    pub(crate) fn map_with_faults<'py>(
        self,
        py: Python<'py>,
        on_error: &str,
        schema: impl FnOnce(&SchemaRef) -> PyResult<SchemaRef>,
        mut change: impl FnMut(RecordBatch, usize, OnError) -> PyResult<(RecordBatch, Vec<Fault>)>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let on_error = parse_on_error(on_error)?;
        let mut faults = Vec::new();
        let table = self.map(py, schema, |batch, start| {
            let (batch, of_batch) = change(batch, start, on_error)?;
            faults.extend(of_batch.into_iter().map(|fault| fault.behind(start)));
            Ok(batch)
        })?;
        match on_error {
            OnError::Raise => Ok(table),
            OnError::Report => Ok((table, faults_table(&faults).into_pyarrow(py)?).into_pyobject(py)?.into_any()),
        }
    }
}

fn parse_on_error(on_error: &str) -> PyResult<OnError> {
    match on_error {
        "raise" => Ok(OnError::Raise),
        "report" => Ok(OnError::Report),
        _ => Err(refused("plan-refused", "on_error is 'raise' or 'report'")),
    }
}
