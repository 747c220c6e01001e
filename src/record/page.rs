//! Many records in one call: a page of an import, an export or a batch job.

use std::sync::Arc;

use super::audit::Audit;
use super::core::RecordCore;
use super::reader::OpenPass;
use super::reseal::ResealPass;
use super::seal::{DRAWN_AT_ONCE, SealPass, SealState};
use super::{MayOpen, MaySeal, Record};
use crate::access::Access;
use crate::error::{Error, ErrorKind};
use crate::random;

/// Seals fields of many records: `work` is called for each in order, with its place in `records`.
///
/// Nonce bytes are drawn for 256 records in one system call instead of one for each record.
///
/// ```
/// use rxseal::{Sealed, phi};
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let rows = [("RX-1001", "warfarin 5 MG"), ("RX-1002", "lisinopril 10 MG")];
/// let records = rows.iter().map(|(id, _)| keys.record("prescription", *id)).collect::<Result<Vec<_>, _>>()?;
/// let drugs: Vec<Sealed<String, phi::Drug>> =
///     rxseal::page::seal_page(&records, |at, pass| pass.seal_field(rows[at].1))?;
/// assert_eq!(drugs.len(), 2);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// `random-failed`, and the first error of `work`.
pub fn seal_page<R: MaySeal, T>(
    records: &[Record<R>],
    work: impl FnMut(usize, &mut SealPass<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    try_seal_page(records, work)
}

/// As [`seal_page`], for `work` with an error type of its own.
///
/// # Errors
///
/// `random-failed`, and the first error of `work`.
pub fn try_seal_page<R: MaySeal, T, E: From<Error>>(
    records: &[Record<R>],
    mut work: impl FnMut(usize, &mut SealPass<'_>) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    with_nonces(records, |at, record, state| work(at, &mut SealPass::with_state(record, state)))
}

/// Reseals fields of many records: `work` is called for each in order, with its place in `records`.
///
/// ```
/// # use rxseal::{Sealed, phi};
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let records = [keys.record("prescription", "RX-1001")?];
/// # let drugs = [Sealed::<String, phi::Drug>::seal(&records[0], "warfarin 5 MG")?];
/// let resealed = rxseal::page::reseal_page(&records, |at, pass| pass.reseal_field(&drugs[at]))?;
/// assert_eq!(resealed[0].token().key_id(), keys.primary_key());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// `random-failed`, and the first error of `work`.
pub fn reseal_page<T>(
    records: &[Record],
    work: impl FnMut(usize, &mut ResealPass<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    try_reseal_page(records, work)
}

/// As [`reseal_page`], for `work` with an error type of its own.
///
/// # Errors
///
/// `random-failed`, and the first error of `work`.
pub fn try_reseal_page<T, E: From<Error>>(
    records: &[Record],
    mut work: impl FnMut(usize, &mut ResealPass<'_>) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let mut resealed = Resealed::default();
    let results = with_nonces(records, |at, record, state| {
        let mut pass = ResealPass::with_state(record, state);
        work(at, &mut pass).inspect(|_| resealed.add(record, pass.resealed()))
    })?;
    resealed.tell();
    Ok(results)
}

/// What a call has resealed, for its one event. Records of another keyring have an observer of their own.
#[derive(Default)]
pub(crate) struct Resealed<'r> {
    of: Option<&'r RecordCore>,
    records: usize,
    fields: usize,
}

impl<'r> Resealed<'r> {
    pub(crate) fn add(&mut self, record: &'r RecordCore, fields: usize) {
        if self.of.is_some_and(|of| !of.shares_keyring(record)) {
            std::mem::take(self).tell();
        }
        self.of = Some(record);
        self.records = self.records.saturating_add(usize::from(fields > 0));
        self.fields = self.fields.saturating_add(fields);
    }

    pub(crate) fn tell(self) {
        if let Some(of) = self.of {
            of.shared().tell_resealed(self.records, self.fields);
        }
    }
}

/// Runs `work` for each record, with a pass whose nonce bytes are drawn.
pub(super) fn with_nonces<'r, R: MaySeal, T, E: From<Error>>(
    records: &'r [Record<R>],
    mut work: impl FnMut(usize, &'r RecordCore, SealState) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    records.iter().try_for_each(|record| record.core().check_subject())?;
    let mut results = Vec::with_capacity(records.len());
    let mut drawn = [[0; 24]; DRAWN_AT_ONCE];
    for chunk in records.chunks(DRAWN_AT_ONCE) {
        let drawn = drawn.get_mut(..chunk.len()).unwrap_or_default();
        random::fill(drawn.as_flattened_mut())?;
        for (record, nonce) in chunk.iter().zip(drawn.iter()) {
            let state = SealState::with_nonce(record.core(), nonce);
            results.push(work(results.len(), record.core(), state)?);
        }
    }
    Ok(results)
}

/// Opens fields of many records as one opening, of which the observer hears once: `work` is called for each in order, with its
/// place in `records`. Single openings of that record by this access, such as [`Sealed::open`](crate::Sealed::open), join it.
///
/// ```
/// # use rxseal::{Sealed, phi};
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = rxseal::Access::new("job:nightly-report", rxseal::Purpose::HOPERAT)?;
/// # let records = [keys.record("prescription", "RX-1001")?];
/// # let sealed = [Sealed::<String, phi::Drug>::seal(&records[0], "warfarin 5 MG")?];
/// let drugs = rxseal::page::open_page(&records, &access, |at, pass| pass.open_field(&sealed[at]))?;
/// assert_eq!(drugs, ["warfarin 5 MG"]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// `refused-by-observer`, `keyspace-mismatch` where the records are not all of one unlocked keyring, and the first error of
/// `work`.
pub fn open_page<R: MayOpen, T>(
    records: &[Record<R>],
    access: &Access,
    work: impl FnMut(usize, &mut OpenPass<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    try_open_page(records, access, work)
}

/// As [`open_page`], for `work` with an error type of its own.
///
/// # Errors
///
/// `refused-by-observer`, `keyspace-mismatch`, and the first error of `work`.
pub fn try_open_page<R: MayOpen, T, E: From<Error>>(
    records: &[Record<R>],
    access: &Access,
    mut work: impl FnMut(usize, &mut OpenPass<'_>) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let cores: Vec<_> = records.iter().map(|record| Arc::clone(record.core())).collect();
    check_one_keyring(&cores)?;
    let mut audit = Audit::begin(cores, access)?;
    let joinable = records.first().map(|first| audit.join(first.core()));
    let (cores, state) = audit.parts();
    let opened = cores.iter().enumerate().map(|(at, core)| {
        state.next_record();
        if let Some(joinable) = joinable {
            joinable.next(core);
        }
        work(at, &mut OpenPass::new(core, state))
    });
    let results = opened.collect();
    audit.end_with(results)
}

/// A page has one observer. Without this check, records of another keyring would be opened without their own observer.
pub(super) fn check_one_keyring(cores: &[Arc<RecordCore>]) -> Result<(), Error> {
    let is_one = cores.iter().zip(cores.iter().skip(1)).all(|(one, next)| one.shares_keyring(next));
    if is_one { Ok(()) } else { Err(ErrorKind::KeyspaceMismatch.into()) }
}
