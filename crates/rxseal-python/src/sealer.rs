//! Sealing from Python.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyType;
use rxseal::Keyring;
use rxseal_arrow::{Keys, seal_batch};

use crate::error::from_batch;
use crate::handle::{Uses, refuse_pickle};
use crate::schema::{Plan, Schema};
use crate::settings::Settings;
use crate::subjects::Subjects;
use crate::tables::Given;

/// Seals columns, and cannot open. `unlock` makes it.
#[pyclass(frozen, module = "rxseal.sealing")]
pub(crate) struct Sealer {
    keyring: Keyring,
    sealer: rxseal::Sealer,
    subjects: Subjects,
    schema: Py<Schema>,
    classes: usize,
    uses: Uses,
}

#[pymethods]
impl Sealer {
    /// Unlocks the keyring of `keyspace`, with one call of a root key.
    #[classmethod]
    #[pyo3(signature = (keyspace, *, roots, schema, classes, observer, stored=None, store=None, subjects=None, min_generation=0))]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    fn unlock(
        _: &Bound<'_, PyType>,
        py: Python<'_>,
        keyspace: String,
        roots: Vec<String>,
        schema: &Bound<'_, PyAny>,
        classes: Vec<String>,
        observer: &Bound<'_, PyAny>,
        stored: Option<PathBuf>,
        store: Option<String>,
        subjects: Option<String>,
        min_generation: u64,
    ) -> PyResult<Self> {
        let schema = Schema::of(schema)?;
        let settings = Settings { keyspace, roots, stored, store, min_generation, classes, subjects };
        let classes = settings.classes(schema.get())?;
        let subjects = Subjects::of(&settings)?;
        let keyring = settings.unlock(py, observer)?;
        let sealer = keyring.sealer().only(classes.iter().copied());
        Ok(Self { keyring, sealer, subjects, schema, classes: classes.len(), uses: Uses::begin() })
    }

    /// The schema that it was unlocked with.
    #[getter]
    fn schema(&self, py: Python<'_>) -> Py<Schema> {
        self.schema.clone_ref(py)
    }

    /// Seals the plan's columns of a table, and returns a `pyarrow.Table`, or a `RecordBatch` for a `RecordBatch`.
    fn seal_batch<'py>(&self, py: Python<'py>, table: &Bound<'py, PyAny>, plan: &Plan) -> PyResult<Bound<'py, PyAny>> {
        self.uses.check()?;
        Given::from(table)?.map(
            py,
            |schema| plan.0.sealed_schema(schema).map_err(|error| from_batch(&error)),
            |batch, start| {
                let seal = |keys: Keys<'_, _>| seal_batch(keys, &batch, &plan.0).map_err(|error| error.behind(start));
                let sealed = py.detach(|| self.subjects.with(&self.keyring, &self.sealer, &batch, plan, seal))?;
                self.uses.count(batch.num_rows());
                Ok(sealed)
            },
        )
    }

    fn __repr__(&self) -> String {
        format!("Sealer(classes={}, {})", self.classes, self.uses.shown())
    }

    #[expect(clippy::unused_self, reason = "a method of Python")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(refuse_pickle("a Sealer"))
    }
}
