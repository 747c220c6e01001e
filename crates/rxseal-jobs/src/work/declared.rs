//! Rows as a schema declares them, without a type of the program.

mod layout;
mod operations;
mod tagged;

use std::fmt;

use rxseal::schema::RecordSchema;
use rxseal::subjects::{LoadedSubjects, SubjectKeys};
use rxseal::{Access, Error, Keyring, Record};

use self::layout::Layout;
use crate::fault::FieldFault;
use crate::row::{ChunkWork, Outcome, Row, WorkFuture};
use crate::spec::{Column, Operation, Spec};
use crate::trouble::refused;

/// The work of a job whose rows are as a schema says: all operations but [`Reindex`](Operation::Reindex), which needs the normalisers of the program.
///
/// Resealing hands out no plaintext and needs no [`Access`]. [`Unseal`](Operation::Unseal) and [`AddSubject`](Operation::AddSubject) are openings
/// of which the keyring's observer hears, one event for each part of a chunk (in PostgreSQL, at most 500 rows).
pub struct DeclaredWork {
    spec: Spec,
    record: RecordSchema,
    layout: Layout,
    keys: Keyring,
    subjects: Option<SubjectKeys>,
    access: Option<Access>,
}

impl DeclaredWork {
    /// The work of a job over rows of this record type.
    ///
    /// # Errors
    ///
    /// `job-refused` if the rows need the program's own types: for [`Reindex`](Operation::Reindex), for a backfill of a table with index columns,
    /// and for a field of whose type the schema knows nothing. Run such a job through [`TypedWork`](crate::TypedWork).
    pub fn new(spec: &Spec, record: &RecordSchema, keys: &Keyring) -> Result<Self, Error> {
        let layout = Layout::of(spec, record)?;
        let makes_indexes = matches!(spec.operation(), Operation::Backfill | Operation::AddSubject) && layout.has_index;
        if spec.operation() == Operation::Reindex || makes_indexes {
            let text = "index values are made by the normalisers of the program, which a schema does not have: run the job in the program, with \
                        `rxseal_jobs::TypedWork`";
            return Err(refused(text));
        }
        let (spec, record, keys) = (spec.clone(), record.clone(), keys.clone());
        Ok(Self { spec, record, layout, keys, subjects: None, access: None })
    }

    /// The same with the store of subject keys, if records have a subject. A row whose subject has no key there is a fault: no key is made.
    #[must_use]
    pub fn with_subjects(self, subjects: SubjectKeys) -> Self {
        Self { subjects: Some(subjects), ..self }
    }

    /// The same with who opens and why, for the operations that are openings.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access: Some(access), ..self }
    }

    async fn outcomes(&self, rows: &[Row<'_>]) -> Result<Vec<Outcome>, Error> {
        let loaded = self.load(rows).await?;
        self.apply(rows, &loaded)
    }

    /// The keys of the subjects of these rows.
    async fn load(&self, rows: &[Row<'_>]) -> Result<LoadedSubjects, Error> {
        if self.layout.subject.is_none() {
            return Ok(LoadedSubjects::default());
        }
        let Some(subjects) = &self.subjects else {
            return Err(refused(
                "records have a subject, and the job has no store of subject keys: give it one with `with_subjects`",
            ));
        };
        // What is no id has no key, and must not keep the others from theirs.
        let named = rows.iter().filter_map(|row| self.layout.subject_id(&self.record, row).ok().flatten());
        subjects.load(&self.keys, named).await
    }

    /// The record of a row, with its subject's key if it has one.
    fn record_of(&self, row: &Row<'_>, loaded: &LoadedSubjects) -> Result<Record, FieldFault> {
        let record = self.record_without_subject(row)?;
        let Some(subject) = self.layout.subject_id(&self.record, row)? else { return Ok(record) };
        let fault = |error: Error| FieldFault::of(&error, "");
        record.subject(loaded.get(subject).map_err(fault)?).map_err(fault)
    }

    fn record_without_subject(&self, row: &Row<'_>) -> Result<Record, FieldFault> {
        let id = self.layout.record_id(&self.record, row)?;
        let record = self.keys.record(self.record.record_type(), id);
        let record = record.and_then(|record| self.record.former_types().try_fold(record, Record::was));
        record.map_err(|error| FieldFault::of(&error, ""))
    }
}

impl ChunkWork for DeclaredWork {
    fn columns(&self) -> &[Column] {
        self.spec.columns()
    }

    fn opens(&self, rows: &[Row<'_>]) -> u64 {
        match self.spec.operation() {
            Operation::Unseal => rows.iter().map(|row| self.tokens_of(row)).fold(0, u64::saturating_add),
            _ => 0,
        }
    }

    fn run<'a>(&'a self, rows: &'a [Row<'a>]) -> WorkFuture<'a> {
        Box::pin(self.outcomes(rows))
    }
}

impl fmt::Debug for DeclaredWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclaredWork").field("spec", &self.spec).finish_non_exhaustive()
    }
}
