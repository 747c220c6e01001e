//! Moving the fields of one record, or of many, to other records: for a merged patient, or for a row that gets a subject.

use std::fmt;
use std::sync::Arc;

use super::Record;
use super::audit::{Audit, MovingTo};
use super::core::RecordCore;
use super::open::OpenState;
use super::page::check_one_keyring;
use super::page::with_nonces;
use super::reader::TokenForm;
use super::reseal::{move_between, move_token};
use super::seal::{Claim, SealState};
use crate::access::Access;
use crate::error::{Error, ErrorKind, Reason};
use crate::field::{Declaration, Field};
use crate::schema::FieldSchema;
use crate::token::Token;

/// Moves fields of one record to another, each field id once. No plaintext leaves.
pub struct RebindPass<'r> {
    pub(super) from: &'r RecordCore,
    pub(super) to: &'r RecordCore,
    pub(super) open: &'r mut OpenState,
    pub(super) seal: SealState,
}

impl RebindPass<'_> {
    /// The value of a token of the present record, sealed for the other one.
    ///
    /// # Errors
    ///
    /// Those of opening and sealing the field, and `field-repeated`.
    pub fn rebind<F: Field>(&mut self, token: &Token) -> Result<Token, Error> {
        let (from, to) = ((self.from, &mut *self.open), (self.to, &mut self.seal));
        let moved = move_between(Declaration::of::<F>(), from, to, Claim::Token, token);
        moved.inspect_err(|error| self.open.note_failure(error))
    }

    /// The same of a field that a schema declares.
    ///
    /// # Errors
    ///
    /// Those of [`rebind`](Self::rebind).
    pub fn rebind_declared(&mut self, field: &FieldSchema, token: &Token) -> Result<Token, Error> {
        let mut out = Vec::new();
        let form = TokenForm::Bytes(token.as_bytes());
        let (from, to) = ((self.from, &mut *self.open), (self.to, &mut self.seal));
        let moved = move_token(field.declaration(), from, to, Claim::Token, form, &mut out);
        moved.map(|()| Token::from_sealed(out)).inspect_err(|error| self.open.note_failure(error))
    }
}

/// Moves fields of many records to other records: `work` is called for each in order, with its place. It is an opening of the records in
/// `from`, of which the observer hears once. A record that gets a subject is told with it.
///
/// This is how rows that were sealed without a subject get one: `to` has the same records with their subjects.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// use rxseal::phi::Drug;
/// let token = keys.record("prescription", 1001)?.seal::<Drug>("warfarin 5 MG")?;
///
/// let (patient, _wrapped) = keys.create_subject_key("P-7")?;
/// let from = [keys.record("prescription", 1001)?];
/// let to = [keys.record("prescription", 1001)?.subject(&patient)?];
/// let access = rxseal::Access::new("job:add-subjects", rxseal::Purpose::PATADMIN)?;
/// let tokens = rxseal::page::rebind_page(&from, &to, &access, |_, pass| pass.rebind::<Drug>(&token))?;
///
/// let drug: String = to[0].opened_by(&access).open::<Drug, _>(&tokens[0])?;
/// assert_eq!(drug, "warfarin 5 MG");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// `refused-by-observer`; `random-failed`; `subject-missing`; `keyspace-mismatch` if the records are not all of one unlocked keyring, or `to`
/// is of another keyspace; `invalid-input` if `to` has another number of records; the first error of `work`.
pub fn rebind_page<T>(
    from: &[Record],
    to: &[Record],
    access: &Access,
    work: impl FnMut(usize, &mut RebindPass<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    try_rebind_page(from, to, access, work)
}

/// As [`rebind_page`], for `work` with an error type of its own.
///
/// # Errors
///
/// Those of [`rebind_page`].
pub fn try_rebind_page<T, E: From<Error>>(
    from: &[Record],
    to: &[Record],
    access: &Access,
    mut work: impl FnMut(usize, &mut RebindPass<'_>) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    const COUNT: Reason = "as many records to move to are needed as there are records to move";
    if from.len() != to.len() {
        return Err(ErrorKind::InvalidInput.because(COUNT).into());
    }
    let cores: Vec<_> = from.iter().map(|record| Arc::clone(record.core())).collect();
    check_one_keyring(&cores)?;
    let keyspaces =
        cores.iter().zip(to).all(|(from, to)| from.shared().keys.keyspace() == to.core().shared().keys.keyspace());
    if !keyspaces {
        return Err(Error::from(ErrorKind::KeyspaceMismatch).into());
    }
    let moving = MovingTo(to.iter().map(|record| Arc::clone(record.core())).collect::<Vec<_>>());
    let mut audit = Audit::begin_as(moving, cores, access)?;
    let (cores, open) = audit.parts();
    let moved = with_nonces(to, |at, to, seal| {
        open.next_record();
        // There are as many as in `to`.
        let from = cores.get(at).ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        work(at, &mut RebindPass { from, to, open, seal })
    });
    audit.end_with(moved)
}

impl fmt::Debug for RebindPass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RebindPass").finish_non_exhaustive()
    }
}
