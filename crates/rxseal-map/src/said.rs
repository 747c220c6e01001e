//! An error as people read it.

use std::error::Error;
use std::fmt::Write as _;

/// With its causes, since what a database or a key service said is one of them. None has a value in it.
pub fn said(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        let _ = write!(said, ": {error}");
        cause = error.source();
    }
    said
}
