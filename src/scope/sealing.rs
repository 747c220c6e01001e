//! Scopes that seal.

use std::fmt;
use std::sync::Arc;

use serde::ser::{Error as _, Serialize, Serializer};

use super::frame::{Frame, Kind, SealFrame, enter, with_top};
use crate::codec::text;
use crate::error::{Error, ErrorKind};
use crate::field::Declaration;
use crate::id::{FieldId, Identifier};
use crate::payload::Value;
use crate::record::{Claim, MaySeal, Record, RecordCore, SealState, seal_appending};
use crate::scratch;

/// A value whose fields are sealed while any serde format serializes it. [`Record::sealing`] makes it.
///
/// Each serialization draws its own nonces, so serializing the same value twice gives different tokens.
pub struct RecordSealing<'a, T: ?Sized> {
    core: &'a Arc<RecordCore>,
    value: &'a T,
}

impl<R: MaySeal> Record<R> {
    /// Makes `value` serialize with its fields sealed for this record. Pass the result to `serde_json::to_string`, `axum::Json` or
    /// `sqlx::types::Json`.
    ///
    /// Errors come as the format's own error, with rxseal's text. To branch on them, use [`run_sealing`](Self::run_sealing).
    ///
    /// ```
    /// use rxseal::{Sealing, phi};
    /// #[derive(serde::Serialize)]
    /// struct Refill {
    ///     rx_number: u64,
    ///     #[serde(with = "Sealing::<phi::Drug>")]
    ///     drug: String,
    /// }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// let refill = Refill { rx_number: 1001, drug: "warfarin 5 MG".into() };
    /// let json = serde_json::to_string(&keys.record("refill", 1001_u64)?.sealing(&refill))?;
    /// assert!(json.starts_with(r#"{"rx_number":1001,"drug":"rxsX"#));
    /// assert!(serde_json::to_string(&refill).is_err(), "never plaintext");
    /// # Ok(())
    /// # }
    /// ```
    pub fn sealing<'a, T: Serialize + ?Sized>(&'a self, value: &'a T) -> RecordSealing<'a, T> {
        RecordSealing { core: self.core(), value }
    }

    /// Runs `work`. Every field that it serializes on this thread is sealed for this record.
    ///
    /// The first refusal inside fails the whole call, even if a format or a type swallowed it.
    ///
    /// **Do not run another task in `work`.** Whatever `work` polls on this thread counts as its own work and is sealed for this record:
    /// a future of a `FuturesUnordered`, a `LocalSet`, an executor that `block_on` drives. With the feature `tokio_1` (which
    /// `keyring-manager`, and root keys and stores over a network, turn on) rxseal recognises a task that tokio spawned: its fields are
    /// refused with `scope-missing`, and so is the whole call. Await first, then enter the scope with the results.
    ///
    /// A format that writes each row twice (csv with headers, bincode 1) fails with `field-repeated`, because each field is then sealed
    /// twice in one pass: give it [`sealing(&row)`](Self::sealing) instead.
    ///
    /// # Errors
    ///
    /// Those of sealing; `work-failed`, whose source is the error of `work`.
    pub fn run_sealing<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let frame = SealFrame { core: Arc::clone(self.core()), state: SealState::default() };
        let (result, left) = enter(Kind::Seal(frame), work)?;
        left.settle(result)
    }
}

impl<T: Serialize + ?Sized> Serialize for RecordSealing<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let frame = SealFrame { core: Arc::clone(self.core), state: SealState::default() };
        match enter(Kind::Seal(frame), || self.value.serialize(serializer)) {
            Ok((result, left)) => left.settle_as_text(result, S::Error::custom),
            Err(error) => Err(S::Error::custom(error)),
        }
    }
}

impl<T: ?Sized> fmt::Debug for RecordSealing<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordSealing([REDACTED])")
    }
}

/// Seals `value` as a field of the active record and hands the token, as text or as bytes, to `serializer`.
pub(crate) fn seal_field<T: Serialize + ?Sized, S: Serializer>(
    field: &Declaration,
    value: &T,
    claim: Claim,
    serializer: S,
) -> Result<Result<S::Ok, S::Error>, Error> {
    scratch::with(|buffer| {
        write_token(field, value, claim, buffer.vec())?;
        // A binary format gets bytes: in JSON those would be an array of numbers.
        let taken = if serializer.is_human_readable() {
            serializer.serialize_str(text::encode_behind(buffer.vec()))
        } else {
            serializer.serialize_bytes(buffer.as_mut_slice())
        };
        if taken.is_err() && claim == Claim::Token {
            release(field.id);
        }
        Ok(taken)
    })
    .map_err(|error: Error| located(field, error))
}

fn write_token(
    field: &Declaration,
    value: &(impl Serialize + ?Sized),
    claim: Claim,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let header = with_top(|frame| frame.sealing()?.core.sealing_header(field.class))?;
    seal_appending(field, header, &Value(value), out, |sealing| {
        with_top(|frame| {
            let frame = frame.sealing()?;
            sealing.encrypt(&frame.core, &mut frame.state, claim)
        })
    })
}

/// `error` as one of a field of the active record, if there is one.
fn located(field: &Declaration, error: Error) -> Error {
    match with_top(|frame| Ok(Arc::clone(&frame.sealing()?.core))) {
        Ok(core) => core.located(field.id, error),
        Err(_) => error,
    }
}

/// Runs `write`, which writes a list or a map whose elements are sealed as `field` of the active record: the only one of
/// that field, also beside a token of it (FORMAT 4.5).
pub(crate) fn claim_container<T, E>(
    field: FieldId,
    write: impl FnOnce() -> Result<T, E>,
) -> Result<Result<T, E>, Error> {
    with_top(|frame| match &mut frame.kind {
        Kind::Seal(frame) => frame.state.claim(field),
        _ => Ok(()),
    })?;
    let taken = write();
    if taken.is_err() {
        release(field);
    }
    Ok(taken)
}

/// Takes the claim on `field` back, since the format did not take what was sealed: toml tries every value on a serializer
/// that fails, and writes it after that.
fn release(field: FieldId) {
    let _ = with_top(|frame| {
        frame.sealing()?.state.release(field);
        Ok(())
    });
}

/// Runs `work` in the scope of a part of the active record (FORMAT 4.7). Its refusal is the caller's.
pub(crate) fn in_part<T, E>(name: &str, id: &str, work: impl FnOnce() -> Result<T, E>) -> Result<Result<T, E>, Error> {
    let core = with_top(|frame| frame.sealing()?.core.with_part(name, &Identifier::from(id)))?;
    let frame = SealFrame { core: Arc::new(core), state: SealState::default() };
    let (result, left) = enter(Kind::Seal(frame), work)?;
    match left.refusal {
        Some(refusal) => Err(refusal),
        None => Ok(result),
    }
}

impl Frame {
    fn sealing(&mut self) -> Result<&mut SealFrame, Error> {
        match &mut self.kind {
            Kind::Seal(frame) => Ok(frame),
            _ => Err(ErrorKind::ScopeMissing.into()),
        }
    }
}
