//! Counting tokens by key.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use rxseal_arrow::count_batch;

use crate::error::from_batch;
use crate::tables::Given;

/// How many tokens are under which key.
#[pyclass(frozen, module = "rxseal", get_all)]
pub(crate) struct KeyCounts {
    keys: BTreeMap<String, u64>,
    nulls: u64,
    not_tokens: u64,
}

#[pymethods]
impl KeyCounts {
    fn __repr__(&self) -> String {
        format!("KeyCounts(keys={:?}, nulls={}, not_tokens={})", self.keys, self.nulls, self.not_tokens)
    }
}

/// Counts the tokens of columns by key. It needs no key, and opens nothing.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an argument of Python")]
pub(crate) fn count_by_key(py: Python<'_>, table: &Bound<'_, PyAny>, columns: Vec<String>) -> PyResult<KeyCounts> {
    let mut counts = rxseal::count::KeyCounts::default();
    for batch in Given::from(table)?.batches() {
        let batch = batch?;
        let of_batch = py.detach(|| count_batch(&batch, &columns)).map_err(|error| from_batch(&error))?;
        counts.merge(&of_batch);
    }
    let keys = counts.iter().map(|(key, count)| (key.to_string(), count)).collect();
    Ok(KeyCounts { keys, nulls: counts.nulls(), not_tokens: counts.not_tokens() })
}
