//! What all handles share: the process that they are of, their counts, and that they cannot be pickled.

use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::error::refused;

/// The process that unlocked a handle, and what the handle did since.
pub(crate) struct Uses {
    process: u32,
    rows: AtomicU64,
    calls: AtomicU64,
}

impl Uses {
    pub(crate) fn begin() -> Self {
        Self { process: process::id(), rows: AtomicU64::new(0), calls: AtomicU64::new(0) }
    }

    /// Refuses in a process that was forked from the one that unlocked: its keys would be used there without an event of unlocking, and its
    /// observer's files and sockets would be those of the parent.
    pub(crate) fn check(&self) -> PyResult<()> {
        if process::id() == self.process {
            return Ok(());
        }
        Err(refused(
            "other-process",
            "this was unlocked in another process. Unlock in each worker: `rxseal.per_process` does it once",
        ))
    }

    pub(crate) fn count(&self, rows: usize) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.rows.fetch_add(u64::try_from(rows).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// `calls=2, rows=2000`.
    pub(crate) fn shown(&self) -> String {
        format!("calls={}, rows={}", self.calls.load(Ordering::Relaxed), self.rows.load(Ordering::Relaxed))
    }
}

/// Keys stay in their process: no pickle, no copy, no closure of an engine takes them along.
pub(crate) fn refuse_pickle(class: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "{class} holds keys, so it cannot be pickled or copied. Unlock it where it is used: `rxseal.per_process`"
    ))
}
