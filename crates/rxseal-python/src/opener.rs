//! Opening from Python.

use std::path::PathBuf;

use arrow_array::RecordBatch;
use pyo3::prelude::*;
use pyo3::types::PyType;
use rxseal::{Access, Keyring, Purpose};
use rxseal_arrow::{OnError, open_batch};

use crate::error::{from_batch, from_core, refused};
use crate::handle::{Uses, refuse_pickle};
use crate::observer::take_raised;
use crate::schema::{Plan, Schema};
use crate::settings::Settings;
use crate::subjects::Subjects;
use crate::tables::Given;

/// Opens columns, and cannot seal. `unlock` makes it.
#[pyclass(frozen, module = "rxseal")]
pub(crate) struct Opener {
    keyring: Keyring,
    opener: rxseal::Opener,
    access: Access,
    subjects: Subjects,
    schema: Py<Schema>,
    classes: usize,
    uses: Uses,
}

#[pymethods]
impl Opener {
    /// Unlocks the keyring of `keyspace`, with one call of a root key.
    #[classmethod]
    #[pyo3(signature = (keyspace, *, roots, schema, classes, who, purpose, observer, stored=None, store=None, request_id=None, subjects=None, min_generation=0))]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    fn unlock(
        _: &Bound<'_, PyType>,
        py: Python<'_>,
        keyspace: String,
        roots: Vec<String>,
        schema: &Bound<'_, PyAny>,
        classes: Vec<String>,
        who: &str,
        purpose: &str,
        observer: &Bound<'_, PyAny>,
        stored: Option<PathBuf>,
        store: Option<String>,
        request_id: Option<&str>,
        subjects: Option<String>,
        min_generation: u64,
    ) -> PyResult<Self> {
        let access = access(who, purpose, request_id).map_err(|error| from_core(&error))?;
        let schema = Schema::of(schema)?;
        let settings = Settings { keyspace, roots, stored, store, min_generation, classes, subjects };
        let classes = settings.classes(schema.get())?;
        let subjects = Subjects::of(&settings)?;
        let keyring = settings.unlock(py, observer)?;
        Ok(Self {
            opener: keyring.opener().only(classes.iter().copied()),
            keyring,
            access,
            subjects,
            schema,
            classes: classes.len(),
            uses: Uses::begin(),
        })
    }

    /// The schema that it was unlocked with.
    #[getter]
    fn schema(&self, py: Python<'_>) -> Py<Schema> {
        self.schema.clone_ref(py)
    }

    /// Opens the plan's columns of a table, and returns a `pyarrow.Table`, or a `RecordBatch` for a `RecordBatch`. With
    /// `on_error="report"` it returns the table and one of the faults: `row`, `field`, `reason`.
    #[pyo3(signature = (table, plan, *, on_error="raise"))]
    fn open_batch<'py>(
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
            |schema| plan.0.opened_schema(schema).map_err(|error| from_batch(&error)),
            |batch, start, on_error| {
                let opened = py.detach(|| self.open_one(&batch, plan, on_error, start))?;
                Ok((opened.batch, opened.faults))
            },
        )
    }

    /// Opens one column: `values` has the tokens of `field`, and `ids` the id of each record.
    #[pyo3(signature = (values, *, record, ids, field))]
    fn open<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyAny>,
        record: &str,
        ids: &Bound<'py, PyAny>,
        field: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.uses.check()?;
        let columns = py.import("rxseal._columns")?;
        let (table, names): (Bound<'py, PyAny>, Vec<String>) =
            columns.call_method1("table_of", (values, ids))?.extract()?;
        let value = columns.getattr("VALUE")?;
        let plan = self.schema.get().plan_of_column(record, names, value.extract()?, field)?;
        self.open_batch(py, &table, &plan, "raise")?.call_method1("column", (value,))
    }

    fn __repr__(&self) -> String {
        format!("Opener(classes={}, {})", self.classes, self.uses.shown())
    }

    #[expect(clippy::unused_self, reason = "a method of Python")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(refuse_pickle("an Opener"))
    }
}

impl Opener {
    fn open_one(
        &self,
        batch: &RecordBatch,
        plan: &Plan,
        on_error: OnError,
        start: usize,
    ) -> PyResult<rxseal_arrow::Opened> {
        let opened = self.subjects.with(&self.keyring, &self.opener, batch, plan, |keys| {
            open_batch(keys, &self.access, batch, &plan.0, on_error).map_err(|error| error.behind(start))
        });
        // An observer that raised refuses the batch: what was opened is dropped.
        if let Some(cause) = take_raised() {
            let refused = refused("refused-by-observer", "the observer raised, so nothing was handed out");
            Python::attach(|py| refused.set_cause(py, Some(cause)));
            return Err(refused);
        }
        let opened = opened?;
        self.uses.count(batch.num_rows());
        Ok(opened)
    }
}

fn access(who: &str, purpose: &str, request_id: Option<&str>) -> Result<Access, rxseal::Error> {
    let access = Access::new(who, purpose.parse::<Purpose>()?)?;
    match request_id {
        Some(id) => access.request_id(id),
        None => Ok(access),
    }
}
