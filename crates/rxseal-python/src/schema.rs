//! The program's schema, and plans made from it.

use std::collections::BTreeMap;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};

use arrow_pyarrow::{FromPyArrow, ToPyArrow};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};
use rxseal::Class;
use rxseal::schema::RecordSchema;
use rxseal_arrow::Tokens;

use crate::error::{from_batch, from_core, refused};

/// What a program says of its record types, from its `rxseal-schema.json`.
#[pyclass(frozen, module = "rxseal")]
pub(crate) struct Schema(rxseal::schema::Schema);

#[pymethods]
impl Schema {
    /// Reads a schema file.
    #[classmethod]
    #[expect(clippy::needless_pass_by_value, reason = "an argument of Python")]
    fn read(_: &Bound<'_, PyType>, path: PathBuf) -> PyResult<Self> {
        Self::read_file(&path)
    }

    /// Reads the text of a schema file.
    #[classmethod]
    fn parse(_: &Bound<'_, PyType>, text: &str) -> PyResult<Self> {
        Self::parse_text(text)
    }

    /// Which columns are which fields: `fields` maps columns to field ids, and `None` takes every field in the column of its name.
    #[pyo3(signature = (record, fields=None, *, ids=None, subject=None, tokens="binary", unverified=false))]
    fn plan(
        &self,
        record: &str,
        fields: Option<&Bound<'_, PyDict>>,
        ids: Option<Vec<String>>,
        subject: Option<String>,
        tokens: &str,
        unverified: bool,
    ) -> PyResult<Plan> {
        let mut plan = rxseal_arrow::Plan::new(self.record(record)?).map_err(|error| from_batch(&error))?;
        if let Some(ids) = ids {
            plan = plan.ids(ids);
        }
        if let Some(subject) = subject {
            plan = plan.subject(subject);
        }
        if unverified {
            plan = plan.unverified();
        }
        plan = match tokens {
            "binary" => plan.tokens(Tokens::Binary),
            "text" => plan.tokens(Tokens::Text),
            _ => return Err(refused("plan-refused", "tokens is 'binary' or 'text'")),
        };
        let Some(fields) = fields else {
            return Ok(Plan(plan.all_fields().map_err(|error| from_batch(&error))?));
        };
        for (column, field) in fields {
            let (column, field): (String, String) = (column.extract()?, field.extract()?);
            plan = plan.field(column, &field).map_err(|error| from_batch(&error))?;
        }
        Ok(Plan(plan))
    }

    /// The record types, each with its field ids.
    #[getter]
    fn records(&self) -> BTreeMap<String, Vec<&'static str>> {
        let fields = |record: &RecordSchema| record.fields().iter().map(|field| field.id().as_str()).collect();
        self.0.records().iter().map(|record| (record.record_type().to_owned(), fields(record))).collect()
    }

    fn __repr__(&self) -> String {
        format!("Schema(records={})", self.0.records().len())
    }
}

impl Schema {
    fn parse_text(text: &str) -> PyResult<Self> {
        rxseal::schema::Schema::parse(text).map(Self).map_err(|error| from_core(&error))
    }

    /// A schema, or that of a file.
    pub(crate) fn of(schema: &Bound<'_, PyAny>) -> PyResult<Py<Self>> {
        match schema.cast::<Self>() {
            Ok(schema) => Ok(schema.clone().unbind()),
            Err(_) => Py::new(schema.py(), Self::read_file(&schema.extract::<PathBuf>()?)?),
        }
    }

    fn read_file(path: &Path) -> PyResult<Self> {
        let text = fs::read_to_string(path)
            .map_err(|error| refused("invalid-schema", format!("{}: {error}", path.display())))?;
        Self::parse_text(&text)
    }

    /// A plan of one column.
    pub(crate) fn plan_of_column(&self, record: &str, ids: Vec<String>, column: String, field: &str) -> PyResult<Plan> {
        let plan = rxseal_arrow::Plan::new(self.record(record)?).map(|plan| plan.ids(ids).unverified());
        plan.and_then(|plan| plan.field(column, field)).map(Plan).map_err(|error| from_batch(&error))
    }

    fn record(&self, name: &str) -> PyResult<&RecordSchema> {
        self.0.record(name).ok_or_else(|| refused("plan-refused", format!("the schema has no record type {name}")))
    }

    /// The class of this name, which fields of the schema have.
    pub(crate) fn class(&self, name: &str) -> PyResult<Class> {
        let fields = self.0.records().iter().flat_map(RecordSchema::fields);
        // Tokens of a field that moved here may still be of its former class.
        let mut classes =
            fields.flat_map(|field| iter::once(field.class()).chain(field.former().iter().map(|(_, class)| *class)));
        let class = classes.find(|class| class.as_str() == name);
        class.ok_or_else(|| refused("class-locked", format!("no field of the schema is of the class {name}")))
    }
}

/// Which columns of a table are which fields of which record. `Schema.plan` makes it.
#[pyclass(frozen, module = "rxseal")]
pub(crate) struct Plan(pub(crate) rxseal_arrow::Plan);

#[pymethods]
impl Plan {
    /// The record type.
    #[getter]
    fn record(&self) -> &str {
        self.0.record_type()
    }

    /// Columns to field ids.
    #[getter]
    fn fields(&self) -> BTreeMap<&str, &'static str> {
        self.0.fields().collect()
    }

    /// The `pyarrow.Schema` that a table of this one has after it was sealed.
    fn sealed_schema<'py>(&self, py: Python<'py>, schema: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let schema = self.0.sealed_schema(&arrow_schema::Schema::from_pyarrow_bound(schema)?);
        schema.map_err(|error| from_batch(&error))?.to_pyarrow(py)
    }

    /// The `pyarrow.Schema` that a table of this one has after it was opened.
    fn opened_schema<'py>(&self, py: Python<'py>, schema: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let schema = self.0.opened_schema(&arrow_schema::Schema::from_pyarrow_bound(schema)?);
        schema.map_err(|error| from_batch(&error))?.to_pyarrow(py)
    }

    fn __repr__(&self) -> String {
        format!("Plan(record='{}', fields={})", self.0.record_type(), self.0.fields().count())
    }
}
