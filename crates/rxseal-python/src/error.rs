//! Errors as exceptions: with a code, and never a value.

use std::error::Error as _;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use rxseal_arrow::BatchError;
use rxseal_roots::SpecError;

pyo3::create_exception!(
    rxseal,
    RxsealError,
    PyException,
    "Why rxseal refused something: `code`, `row`, `column` and `field` say it."
);

/// An exception of a code of this module's own.
pub(crate) fn refused(code: &str, text: impl Into<String>) -> PyErr {
    raise(code, text.into(), None, None, None)
}

pub(crate) fn from_core(error: &rxseal::Error) -> PyErr {
    raise(error.code().as_str(), with_causes(error), None, None, error.field_id())
}

pub(crate) fn from_batch(error: &BatchError) -> PyErr {
    raise(error.code(), error.to_string(), error.row(), error.column(), error.field_id())
}

pub(crate) fn from_spec(error: &SpecError) -> PyErr {
    let text = match error.feature() {
        Some(feature) => format!("{error}: build the wheel with the feature {feature}"),
        None => error.to_string(),
    };
    raise(if error.code() == "usage" { "invalid-root-key" } else { error.code() }, text, None, None, None)
}

/// With its causes, such as the path of a key file that is not there.
fn with_causes(error: &rxseal::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn raise(code: &str, text: String, row: Option<usize>, column: Option<&str>, field: Option<&str>) -> PyErr {
    Python::attach(|py| {
        let error = RxsealError::new_err(text);
        let value = error.value(py);
        let set = value
            .setattr("code", code)
            .and_then(|()| value.setattr("row", row))
            .and_then(|()| value.setattr("column", column))
            .and_then(|()| value.setattr("field", field));
        set.err().unwrap_or(error)
    })
}
