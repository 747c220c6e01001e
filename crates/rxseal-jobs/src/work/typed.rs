//! Rows as structs of the program, with its types, normalisers and index columns.

mod operations;
mod reading;
mod writing;

use std::fmt;
use std::marker::PhantomData;

use rxseal::records::WholeRecord;
use rxseal::subjects::{LoadedSubjects, SubjectKeys};
use rxseal::{Access, Error, Keyring, PhiRecord};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::reading::read;
use super::sealed_cell::Contents;
use crate::fault::{FieldFault, Reason};
use crate::row::{ChunkWork, Outcome, Row, WorkFuture};
use crate::spec::{Column, ColumnRole, Operation, Spec};
use crate::trouble::refused;

/// The work of a job whose rows are the twin `S` of a record struct, for what a schema alone cannot do: index columns with the program's
/// normalisers, and fields of its own types.
///
/// The twin reads and writes rows by serde, so the struct says `#[phi(derive(Serialize, Deserialize))]`. Its fields have the names of the
/// columns. A [backfill](Operation::Backfill) needs fields of the marker [`Migrates`](rxseal::records::Migrates) and a keyring with their permits:
/// a column of lists or maps is text with JSON, or an array of texts, and its field says `Each<Migrates<F>>` or `Parts<Migrates<F>>`.
/// It and [`Reindex`](Operation::Reindex) are openings, of which the keyring's observer hears, one event for each part of a chunk (in PostgreSQL,
/// at most 500 rows).
pub struct TypedWork<S> {
    spec: Spec,
    keys: Keyring,
    subjects: Option<SubjectKeys>,
    access: Option<Access>,
    or_null: bool,
    row: PhantomData<fn() -> S>,
}

/// The twin of a record struct that can be read from a row of a table and written back. Every twin that is `Serialize` and `Deserialize` is
/// one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the row of a job",
    note = "it is the twin of a record struct that says `#[phi(derive(serde::Serialize, serde::Deserialize))]`"
)]
pub trait TableRow:
    WholeRecord<Open: PhiRecord<Sealed = Self> + Send> + Serialize + DeserializeOwned + Send + Sync
{
}

impl<S> TableRow for S where
    S: WholeRecord<Open: PhiRecord<Sealed = S> + Send> + Serialize + DeserializeOwned + Send + Sync
{
}

impl<S: TableRow> TypedWork<S> {
    /// The work of a job over rows of this type.
    ///
    /// # Errors
    ///
    /// `job-refused` if the spec is of another record type, or of an operation that is done by the schema alone:
    /// [`DeclaredWork`](crate::DeclaredWork) unseals and adds subjects.
    pub fn new(spec: &Spec, keys: &Keyring) -> Result<Self, Error> {
        if spec.record_type() != S::RECORD_TYPE {
            return Err(refused("the rows of the program are of another record type than the spec"));
        }
        if matches!(spec.operation(), Operation::Unseal | Operation::AddSubject) {
            return Err(refused("this operation is done by the schema alone: run it with `rxseal_jobs::DeclaredWork`"));
        }
        let (spec, keys) = (spec.clone(), keys.clone());
        Ok(Self { spec, keys, subjects: None, access: None, or_null: false, row: PhantomData })
    }

    /// The same with the store of subject keys, if records have a subject. A row whose subject has no key there is a fault: no key is made.
    #[must_use]
    pub fn with_subjects(self, subjects: SubjectKeys) -> Self {
        Self { subjects: Some(subjects), ..self }
    }

    /// The same with who opens and why: for a backfill, which reads plaintext by the permits of the keyring, and for a re-index.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access: Some(access), ..self }
    }

    /// The same, but a value that an index refuses is NULL in its column, and no fault. A search by that index does not find the record.
    #[must_use]
    pub fn or_null(self) -> Self {
        Self { or_null: true, ..self }
    }

    async fn outcomes(&self, rows: &[Row<'_>]) -> Result<Vec<Outcome>, Error> {
        let read: Vec<_> = rows.iter().map(|row| self.read(row)).collect();
        let loaded = self.load(&read).await?;
        self.apply(rows, read, &loaded)
    }

    /// A row as the program's type.
    fn read(&self, row: &Row<'_>) -> Result<S, Vec<FieldFault>> {
        read(self.spec.columns(), row).map_err(|_| {
            let faults = |is_wrong: fn(Contents) -> bool| -> Vec<_> {
                let wrong = self.contents(row).filter(|(_, contents)| is_wrong(*contents));
                wrong.map(|(column, contents)| FieldFault::new(column.of(), contents.reason())).collect()
            };
            // Those that no type reads, or those that may not be plaintext, as it seems.
            let all =
                [faults(Contents::is_odd), faults(Contents::is_plain)].into_iter().find(|faults| !faults.is_empty());
            all.unwrap_or_else(|| vec![FieldFault::new("", Reason::Code(rxseal::ErrorCode::InvalidInput))])
        })
    }

    /// What is in the sealed cells of a row.
    fn contents<'s>(&'s self, row: &'s Row<'_>) -> impl Iterator<Item = (&'s Column, Contents)> {
        let columns = self.spec.places(ColumnRole::Sealed);
        columns.map(|(at, column)| (column, Contents::of(row.cell(at), column.holds())))
    }

    /// The keys of the subjects of these rows.
    async fn load(&self, read: &[Result<S, Vec<FieldFault>>]) -> Result<LoadedSubjects, Error> {
        let Some(subjects) = &self.subjects else { return Ok(LoadedSubjects::default()) };
        let rows: Vec<_> = read.iter().flatten().collect();
        subjects.load_of(&self.keys, rows).await
    }
}

impl<S: TableRow> ChunkWork for TypedWork<S> {
    fn columns(&self) -> &[Column] {
        self.spec.columns()
    }

    fn run<'a>(&'a self, rows: &'a [Row<'a>]) -> WorkFuture<'a> {
        Box::pin(self.outcomes(rows))
    }
}

impl<S> fmt::Debug for TypedWork<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedWork").field("spec", &self.spec).finish_non_exhaustive()
    }
}
