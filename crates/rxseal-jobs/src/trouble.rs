//! Errors of jobs, each as one line that says what to do.

use rxseal::Error;

/// A job that cannot be planned or run as it was asked for.
pub(crate) fn refused(text: impl Into<String>) -> Error {
    Error::job_refused(text.into())
}
