//! Settings in environment variables.

use std::env;
use std::ffi::OsString;

use crate::failure::Failure;

/// The value of a variable. An empty one counts as not set.
pub fn variable(name: &str) -> Result<Option<String>, Failure> {
    let value = variable_os(name).map(OsString::into_string).transpose();
    value.map_err(|_| Failure::Usage(format!("{name} is not UTF-8")))
}

pub fn variable_os(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
