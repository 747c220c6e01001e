//! How a report is made and written.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use super::Theft;
use super::investigation::Investigation;
use crate::error::ExposureError;
use crate::jurisdiction::check;
use crate::model::Exposure;

impl Theft {
    /// Reads everything, writes the list of patients as CSV, and answers what was exposed. It needs no key, and changes nothing.
    ///
    /// Files and tables of `SQLite` are read on the calling thread, which can take minutes.
    ///
    /// # Errors
    ///
    /// `invalid-theft` if a stolen thing or the column of states does not fit the map, `not-read` if a keyring file cannot be read, `not-written` if the list cannot
    /// be written. What makes a report less sure is no error: it is in [`Exposure::doubts`].
    pub async fn report(self, patients: &mut impl Write) -> Result<Exposure, ExposureError> {
        if let Some(column) = &self.jurisdiction {
            check(&self.map, column)?;
        }
        let mut investigation = Investigation::new(&self)?;
        investigation.learn_keys();
        let classes = investigation.classes();
        let mut found = investigation.read_all(&classes).await?;
        let openings = investigation.read_log(&classes, &mut found)?;
        investigation.end(&classes, &found, openings, patients)
    }

    /// Makes a folder for the report, which must not exist, and writes four files into it that only their owner may read: `report.html` for people,
    /// `exposure.json` and `letter.json`, and `patients.csv`, which has the ids of patients.
    ///
    /// # Errors
    ///
    /// Those of [`report`](Self::report), and `not-written` if the folder exists or cannot be written. Nothing is left of it then.
    pub async fn report_into(self, folder: impl AsRef<Path>) -> Result<Exposure, ExposureError> {
        let folder = folder.as_ref();
        fs::create_dir(folder).map_err(|error| ExposureError::not_made(folder, error))?;
        let report = self.write_into(folder).await;
        if report.is_err() {
            // Half a report must not look like a report.
            let _ = fs::remove_dir_all(folder);
        }
        report
    }

    async fn write_into(self, folder: &Path) -> Result<Exposure, ExposureError> {
        let exposure = self.report(&mut private(&folder.join("patients.csv"))?).await?;
        write(&folder.join("exposure.json"), &exposure.to_json())?;
        write(&folder.join("letter.json"), &exposure.to_letter())?;
        write(&folder.join("report.html"), &exposure.to_html())?;
        Ok(exposure)
    }
}

/// A new file that only its owner may read.
fn private(path: &Path) -> Result<File, ExposureError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(ExposureError::not_written)
}

fn write(path: &Path, text: &str) -> Result<(), ExposureError> {
    let mut file = private(path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(ExposureError::not_written)
}
