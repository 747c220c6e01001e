//! Resealing from Python: tokens in, tokens out.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyType;
use rxseal::Keyring;
use rxseal_arrow::{Keys, reseal_batch};

use crate::handle::{Uses, refuse_pickle};
use crate::schema::{Plan, Schema};
use crate::settings::Settings;
use crate::subjects::Subjects;
use crate::tables::Given;

/// Moves tokens to the primary key, and hands out no value. `unlock` makes it.
#[pyclass(frozen, module = "rxseal.sealing")]
pub(crate) struct Resealer {
    keyring: Keyring,
    subjects: Subjects,
    schema: Py<Schema>,
    uses: Uses,
}

#[pymethods]
impl Resealer {
    /// Unlocks the keyring of `keyspace`, with one call of a root key.
    #[classmethod]
    #[pyo3(signature = (keyspace, *, roots, schema, observer, stored=None, store=None, subjects=None, min_generation=0))]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    fn unlock(
        _: &Bound<'_, PyType>,
        py: Python<'_>,
        keyspace: String,
        roots: Vec<String>,
        schema: &Bound<'_, PyAny>,
        observer: &Bound<'_, PyAny>,
        stored: Option<PathBuf>,
        store: Option<String>,
        subjects: Option<String>,
        min_generation: u64,
    ) -> PyResult<Self> {
        let schema = Schema::of(schema)?;
        let settings = Settings { keyspace, roots, stored, store, min_generation, classes: Vec::new(), subjects };
        let subjects = Subjects::of(&settings)?;
        Ok(Self { keyring: settings.unlock(py, observer)?, subjects, schema, uses: Uses::begin() })
    }

    /// The schema that it was unlocked with.
    #[getter]
    fn schema(&self, py: Python<'_>) -> Py<Schema> {
        self.schema.clone_ref(py)
    }

    /// The key that tokens are moved to.
    #[getter]
    fn primary_key(&self) -> String {
        self.keyring.primary_key().to_string()
    }

    /// Reseals the plan's columns of a table, and returns a `pyarrow.Table`, or a `RecordBatch` for a `RecordBatch`. With
    /// `on_error="report"` it returns the table and one of the faults; what did not open stays as it was.
    #[pyo3(signature = (table, plan, *, on_error="raise"))]
    fn reseal_batch<'py>(
        &self,
        py: Python<'py>,
        table: &Bound<'py, PyAny>,
        plan: &Plan,
        on_error: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.uses.check()?;
        Given::from(table)?.map_with_faults(
            py,
            on_error,
            |schema| Ok(schema.clone()),
            |batch, start, on_error| {
                let reseal = |keys: Keys<'_, _>| {
                    reseal_batch(keys, &batch, &plan.0, on_error).map_err(|error| error.behind(start))
                };
                let resealed = py.detach(|| self.subjects.with(&self.keyring, &self.keyring, &batch, plan, reseal))?;
                self.uses.count(batch.num_rows());
                Ok((resealed.batch, resealed.faults))
            },
        )
    }

    fn __repr__(&self) -> String {
        format!("Resealer({})", self.uses.shown())
    }

    #[expect(clippy::unused_self, reason = "a method of Python")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(refuse_pickle("a Resealer"))
    }
}
