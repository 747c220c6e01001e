//! Why there is no report.

use std::path::Path;

/// Why there is no report. What only makes a report less sure is a [`Doubt`](crate::Doubt) in it, and no error.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct ExposureError {
    code: &'static str,
    text: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ExposureError {
    /// What was said to be stolen cannot be understood, or does not fit the map.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { code: "invalid-theft", text: text.into(), source: None }
    }

    /// A file that was given cannot be read.
    pub(crate) fn not_read(
        text: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { code: "not-read", text: text.into(), source: Some(source.into()) }
    }

    /// The list of patients cannot be written, or is too long.
    pub(crate) fn not_written(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let text = "the list of patients cannot be written: look whether the disk is full".to_owned();
        Self { code: "not-written", text, source: Some(source.into()) }
    }

    pub(crate) fn not_made(folder: &Path, source: std::io::Error) -> Self {
        let text =
            format!("{}: the folder of the report cannot be made: name one that is not there yet", folder.display());
        Self { code: "not-written", text, source: Some(source.into()) }
    }

    pub(crate) fn too_many() -> Self {
        let text = "there are more patients than one report can have: make a report for each source".to_owned();
        Self { code: "too-many", text, source: None }
    }

    /// A stable word: `invalid-theft`, `not-read`, `not-written` or `too-many`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }
}
