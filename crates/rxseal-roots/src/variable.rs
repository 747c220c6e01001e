//! Settings in environment variables.

use std::env;
use std::ffi::OsString;

use crate::error::SpecError;

/// The value of a variable. An empty one counts as not set.
pub(crate) fn variable(name: &str) -> Result<Option<String>, SpecError> {
    let value = env::var_os(name).filter(|value| !value.is_empty()).map(OsString::into_string).transpose();
    value.map_err(|_| SpecError::usage(format!("{name} is not UTF-8")))
}
