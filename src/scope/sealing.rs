//! Scopes that seal.

use std::fmt;
use std::sync::Arc;

use serde::ser::{Error as _, Serialize, Serializer};

use super::{Frame, Kind, enter, with_top};
use crate::codec::text;
use crate::error::{Error, ErrorKind};
use crate::field::Field;
use crate::id::Identifier;
use crate::payload::Value;
use crate::record::{MaySeal, Record, RecordCore, Repeat, SealState, Sealing, seal_text};

/// The record that fields are sealed for, and its pass.
pub(crate) struct SealFrame {
    core: Arc<RecordCore>,
    state: SealState,
}

/// A value that seals its fields while it is serialized, by any serde format. Made by [`Record::sealing`].
///
/// Each serialization draws its own nonces, so the same value serialized twice has no common token.
pub struct RecordSealing<'a, T: ?Sized> {
    core: &'a Arc<RecordCore>,
    value: &'a T,
}

impl<R: MaySeal> Record<R> {
    /// `value` as something that serializes with its fields sealed for this record: for `serde_json::to_string`,
    /// `axum::Json`, `sqlx::types::Json`.
    ///
    /// What goes wrong is reported as the format's own error, with our text. To branch on it, use
    /// [`run_sealing`](Self::run_sealing).
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

    /// Runs `work`, in which every field that is serialized on this thread is sealed for this record.
    ///
    /// The first refusal inside fails the whole call, also where a format or a type swallowed it.
    ///
    /// # Errors
    ///
    /// Those of sealing; `work-failed` with the error of `work` as its source.
    pub fn run_sealing<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        run(self.core(), SealState::default(), work)
    }
}

/// Runs `work` in a sealing scope that starts with `state`.
pub(crate) fn run<T, E>(
    core: &Arc<RecordCore>,
    state: SealState,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let (result, left) = enter(Kind::Seal(SealFrame { core: Arc::clone(core), state }), work)?;
    left.settle(result)
}

impl<T: Serialize + ?Sized> Serialize for RecordSealing<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_in(self.core, || self.value.serialize(serializer), S::Error::custom)
    }
}

impl<T: ?Sized> fmt::Debug for RecordSealing<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordSealing([REDACTED])")
    }
}

fn serialize_in<T, E>(
    core: &Arc<RecordCore>,
    work: impl FnOnce() -> Result<T, E>,
    report: impl Fn(String) -> E,
) -> Result<T, E> {
    let frame = SealFrame { core: Arc::clone(core), state: SealState::default() };
    match enter(Kind::Seal(frame), work) {
        Ok((result, left)) => left.settle_as_text(result, report),
        Err(error) => Err(report(error.to_string())),
    }
}

/// Seals `value` as field `F` of the active record and hands the token, as text or as bytes, to `take`.
pub(crate) fn seal_field<F: Field, T: Serialize + ?Sized, S: Serializer>(
    value: &T,
    repeat: Repeat,
    serializer: S,
) -> Result<Result<S::Ok, S::Error>, Error> {
    let core = with_top(|frame| frame.sealing().map(|frame| Arc::clone(&frame.core)))?;
    let encrypt = |sealing: Sealing<'_>| {
        with_top(|frame| {
            let frame = frame.sealing()?;
            sealing.encrypt(&frame.core, &mut frame.state, repeat)
        })
    };
    let mut result = None;
    seal_text::<F>(&core, &Value(value), encrypt, |token| {
        // A binary format gets bytes: in JSON those would be an array of numbers.
        result = Some(if serializer.is_human_readable() {
            serializer.serialize_str(&text::encode(token))
        } else {
            serializer.serialize_bytes(token)
        });
    })?;
    result.ok_or_else(|| ErrorKind::Unrepresentable.into())
}

/// Runs `work` in the scope of a part of the active record (FORMAT 4.7).
pub(crate) fn in_part<T, E>(
    name: &str,
    id: &str,
    work: impl FnOnce() -> Result<T, E>,
    report: impl Fn(String) -> E,
) -> Result<Result<T, E>, Error> {
    let core = with_top(|frame| {
        let core = &frame.sealing()?.core;
        Ok(core.with_context(core.context().with_part(name, &Identifier::from(id))?))
    })?;
    Ok(serialize_in(&Arc::new(core), work, report))
}

impl Frame {
    fn sealing(&mut self) -> Result<&mut SealFrame, Error> {
        match &mut self.kind {
            Kind::Seal(frame) => Ok(frame),
            _ => Err(ErrorKind::ScopeMissing.into()),
        }
    }
}
