//! The keys of patients, for record types that have them.

use arrow_array::RecordBatch;
use pyo3::PyResult;
use rxseal::subjects::SubjectKeys;
use rxseal::{Keyring, run_local};
use rxseal_arrow::{BatchError, Keys};

use crate::error::{from_batch, from_core};
use crate::schema::Plan;
use crate::settings::Settings;

/// Where subject keys are, if anywhere.
pub(crate) struct Subjects(Option<SubjectKeys>);

impl Subjects {
    pub(crate) fn of(settings: &Settings) -> PyResult<Self> {
        settings.subject_keys().map(Self)
    }

    /// Runs `work` with `handle` and the subject keys of the batch, which are read in one query of their store. None is ever made.
    pub(crate) fn with<H, T>(
        &self,
        keyring: &Keyring,
        handle: &H,
        batch: &RecordBatch,
        plan: &Plan,
        work: impl FnOnce(Keys<'_, H>) -> Result<T, BatchError>,
    ) -> PyResult<T> {
        let done = match &self.0 {
            None => work(Keys::from(handle)),
            Some(subjects) => {
                let ids = rxseal_arrow::subjects(batch, &plan.0).map_err(|error| from_batch(&error))?;
                let loaded = run_local(subjects.load(keyring, ids.iter().map(String::as_str)));
                let loaded = loaded.map_err(|error| from_core(&error))?;
                work(Keys::from(handle).with_subjects(&loaded))
            }
        };
        done.map_err(|error| from_batch(&error))
    }
}
