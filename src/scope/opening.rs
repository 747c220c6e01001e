//! Scopes that open.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error as _};

use super::frame::{Frame, Kind, Left, OpenFrame, check_nesting, enter_checked, find_frame, with_top};
use crate::error::{Error, ErrorCode, ErrorKind};
use crate::field::{Declaration, Field};
use crate::id::Identifier;
use crate::record::{Audit, Candidate, OpenPass, RecordReader, TokenForm, open_form};
use crate::token::Token;

/// Reads a `T` from any serde format and opens its fields. [`RecordReader::opening`] makes it.
pub struct RecordOpening<'a, T> {
    access: &'a RecordReader,
    value: PhantomData<fn() -> T>,
}

impl RecordReader {
    /// A seed that reads a `T` whose fields belong to this record.
    ///
    /// Errors come as the format's own error, with rxseal's text. To branch on them, use [`run_opening`](Self::run_opening).
    ///
    /// ```
    /// # use rxseal::{Sealing, phi};
    /// # use serde::de::DeserializeSeed;
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Refill { #[serde(with = "Sealing::<phi::Drug>")] drug: String }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let rec = keys.record("refill", 1001_u64)?;
    /// # let json = serde_json::to_string(&rec.sealing(&Refill { drug: "warfarin 5 MG".into() }))?;
    /// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
    /// let mut reader = serde_json::Deserializer::from_str(&json);
    /// let refill: Refill = rec.opened_by(&access).opening().deserialize(&mut reader)?;
    /// assert_eq!(refill.drug, "warfarin 5 MG");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn opening<T>(&self) -> RecordOpening<'_, T> {
        RecordOpening { access: self, value: PhantomData }
    }

    /// Runs `work`. Every field that it reads on this thread is opened for this record.
    ///
    /// The first refusal inside fails the whole call, even if a format or a type swallowed it.
    ///
    /// Do not run another task in `work`: it would read with this access, as [`run_sealing`](crate::Record::run_sealing) explains.
    ///
    /// ```
    /// # use rxseal::{Sealing, phi};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Refill { #[serde(with = "Sealing::<phi::Drug>")] drug: String }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let rec = keys.record("refill", 1001_u64)?;
    /// # let json = serde_json::to_string(&rec.sealing(&Refill { drug: "warfarin 5 MG".into() }))?;
    /// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
    /// let refill: Refill = rec.opened_by(&access).run_opening(|| serde_json::from_str(&json))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of opening; `invalid-input` if serde_json finds the input not valid; `work-failed` for any other error of `work`, which is
    /// then its source.
    pub fn run_opening<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let (result, mut left) = self.enter_opening(work)?;
        let kind = left.kind.take();
        let result = left.settle(result);
        match end(kind, result.as_ref().err().map(Error::code)) {
            Err(refusal) if result.is_ok() => Err(refusal),
            _ => result,
        }
    }

    /// Opens one field.
    ///
    /// Inside a scope or a pass of the same record and access it belongs to that opening. Otherwise it is an opening of its own, and the
    /// observer is told of it.
    ///
    /// # Errors
    ///
    /// [`is_open_failure`](Error::is_open_failure) if the token was changed, or is of another record, field or tenant;
    /// `unknown-key`, `key-compromised`, `key-destroyed`, `class-locked`, `refused-by-observer`, `type-mismatch`.
    pub fn open<F: Field, T: DeserializeOwned>(&self, token: &Token) -> Result<T, Error> {
        self.open_one(Declaration::of::<F>(), TokenForm::Bytes(token.as_bytes()))
    }

    /// The same as [`open`](Self::open), from a token's text.
    ///
    /// # Errors
    ///
    /// Also `not-a-token`.
    pub fn open_text<F: Field, T: DeserializeOwned>(&self, token: &str) -> Result<T, Error> {
        self.open_one(Declaration::of::<F>(), TokenForm::Text(token))
    }

    fn open_one<T: DeserializeOwned>(&self, field: &Declaration, token: TokenForm<'_>) -> Result<T, Error> {
        // A pass inside a scope is the nearer one.
        if self.is_in_pass() || with_same(self, |_| ()).is_none() {
            return self.open_single(|pass| pass.open_form(field, token));
        }
        let gone = || Error::from(ErrorKind::ScopeMissing);
        let result = open_form(token, |token, room| {
            with_same(self, |audit| audit.state.open(field, self.core(), token, room)).unwrap_or_else(|| Err(gone()))
        });
        let result = result.map_err(|error| self.core().located(field.id, error));
        result.inspect_err(|error| {
            with_same(self, |audit| audit.state.note_failed_field(error));
        })
    }

    /// Reads plaintext in place of a token of field `F`, by the keyring's permit. It is an opening like any other, or belongs to one.
    pub(crate) fn read_plaintext<F: Field, T>(&self, read: impl FnOnce() -> Result<T, ErrorKind>) -> Result<T, Error> {
        if with_same(self, |_| ()).is_none() {
            return self.open_fields(|pass| pass.read_plaintext::<F, T>(read));
        }
        let read = |audit: &mut Audit| OpenPass::new(self.core(), &mut audit.state).read_plaintext::<F, T>(read);
        with_same(self, read).unwrap_or_else(|| Err(ErrorKind::ScopeMissing.into()))
    }

    fn enter_opening<T>(&self, work: impl FnOnce() -> T) -> Result<(T, Left), Error> {
        // Before the observer is asked: what may not begin is no opening.
        check_nesting(false)?;
        enter_checked(Kind::Open(OpenFrame { audit: self.begin_opening()?, parts: Vec::new() }), work)
    }
}

impl Candidate<'_> {
    /// Runs `work`, as [`RecordReader::run_opening`] does. Every field that it reads on this thread is opened for this candidate, as a part of the
    /// search.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::run_opening`], except `refused-by-observer`.
    pub fn run_opening<T, E>(&mut self, work: impl FnOnce() -> Result<T, E>) -> Result<T, Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        check_nesting(false)?;
        let frame = OpenFrame { audit: self.begin_part(), parts: Vec::new() };
        let (result, mut left) = enter_checked(Kind::Open(frame), work)?;
        let kind = left.kind.take();
        let result = left.settle(result);
        if let Some(Kind::Open(mut frame)) = kind {
            if let Err(error) = &result {
                frame.audit.state.failed = Some(error.code());
            }
            self.take(frame.audit);
        }
        result
    }
}

/// Ends the opening of a scope that failed with this code, or did not. On an error its value may not be handed out.
fn end(kind: Option<Kind>, failed: Option<ErrorCode>) -> Result<(), Error> {
    if let Some(Kind::Open(mut frame)) = kind {
        if failed.is_some() {
            // What the whole scope failed with says more than what it met first.
            frame.audit.state.failed = failed;
        }
        frame.audit.end()?;
    }
    Ok(())
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for RecordOpening<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        match self.access.enter_opening(|| T::deserialize(deserializer)) {
            Ok((result, mut left)) => {
                let reason = left.refusal.as_ref().or(left.mismatch.as_ref().filter(|_| result.is_err()));
                let code = reason.map(Error::code).or(result.is_err().then(|| ErrorKind::WorkFailed.code()));
                let ended = end(left.kind.take(), code);
                let value = left.settle_as_text(result, D::Error::custom)?;
                ended.map_err(D::Error::custom)?;
                Ok(value)
            }
            Err(error) => Err(D::Error::custom(error)),
        }
    }
}

impl<T> fmt::Debug for RecordOpening<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordOpening").finish_non_exhaustive()
    }
}

/// Opens `token` as a field of the active record, or of the part of it that is being read.
pub(crate) fn open_field<T: DeserializeOwned>(field: &Declaration, token: TokenForm<'_>) -> Result<T, Error> {
    let result = open_form(token, |token, room| {
        with_top(|frame| {
            let OpenFrame { audit, parts } = frame.opening()?;
            let (records, state) = audit.parts();
            let core = parts.last().or(records.first()).ok_or(ErrorKind::ScopeMissing)?;
            state.open(field, core, token, room)
        })
    });
    result.map_err(|error| {
        let around = with_top(|frame| {
            let (records, state) = frame.opening()?.audit.parts();
            state.count_failed_field();
            Ok(records.first().map(Arc::clone))
        });
        match around {
            Ok(Some(core)) => core.located(field.id, error),
            _ => error.at_field(field.id),
        }
    })
}

/// Runs `work` with a part of the active record as what fields are read for (FORMAT 4.7).
pub(crate) fn in_part<T>(name: &str, id: &str, work: impl FnOnce() -> T) -> Result<T, Error> {
    let ciphers = with_top(|frame| {
        let OpenFrame { audit, parts } = frame.opening()?;
        let (records, _) = audit.parts();
        let around = parts.last().or(records.first()).ok_or(ErrorKind::ScopeMissing)?;
        let part = around.with_part(name, &Identifier::from(id))?;
        parts.push(Arc::new(part));
        Ok(audit.state.ciphers())
    })?;
    let left = PartLeft { ciphers };
    let value = work();
    drop(left);
    Ok(value)
}

/// Leaves the part, also where its reading panics and somebody inside the scope catches that.
struct PartLeft {
    ciphers: usize,
}

impl Drop for PartLeft {
    fn drop(&mut self) {
        drop(with_top(|frame| {
            let OpenFrame { audit, parts } = frame.opening()?;
            audit.state.forget_ciphers(self.ciphers);
            Ok(parts.pop())
        }));
    }
}

/// Runs `work` on the opening of this same record by this same access that is active on this thread, if there is one.
fn with_same<T>(access: &RecordReader, work: impl FnOnce(&mut Audit) -> T) -> Option<T> {
    find_frame(
        |frame| match &mut frame.kind {
            Kind::Open(frame) if frame.audit.is_of(access.core(), access.who()) => Some(&mut frame.audit),
            _ => None,
        },
        work,
    )
}

impl Frame {
    fn opening(&mut self) -> Result<&mut OpenFrame, Error> {
        match &mut self.kind {
            Kind::Open(frame) => Ok(frame),
            _ => Err(ErrorKind::ScopeMissing.into()),
        }
    }
}
