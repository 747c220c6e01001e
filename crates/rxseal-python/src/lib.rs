//! The Python module `rxseal._native`. What users see is in `python/rxseal`.

#![forbid(unsafe_code)]

mod counts;
mod error;
mod handle;
mod observer;
mod opener;
mod resealer;
mod roots;
mod schema;
mod sealer;
mod settings;
mod subjects;
mod tables;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::counts::{KeyCounts, count_by_key};
    #[pymodule_export]
    use crate::error::RxsealError;
    #[pymodule_export]
    use crate::observer::Event;
    #[pymodule_export]
    use crate::opener::Opener;
    #[pymodule_export]
    use crate::resealer::Resealer;
    #[pymodule_export]
    use crate::schema::{Plan, Schema};
    #[pymodule_export]
    use crate::sealer::Sealer;
}
