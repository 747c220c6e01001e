//! The plaintext side: answering an authorised client, and accepting what it sends. Explicit scopes of their own; nothing
//! else writes or reads plaintext.

use std::fmt;

use serde::ser::{Error as _, Serialize, Serializer};

use super::frame::{Kind, enter};
use crate::error::Error;

/// A value that serializes with its fields as plaintext. Made by [`expose_plaintext`].
pub struct ExposedPlaintext<'a, T: ?Sized>(&'a T);

/// `value` as something that serializes with its marked fields as plaintext: the answer to an authorised client.
///
/// No key is needed or used, it nests in no other scope, and a [`Sealed`](crate::Sealed) field, which holds a token, is an
/// error. It may be what is sealed: a type with marked fields can only be sealed as one value so.
///
/// ```
/// # use rxseal::{Phi, expose_plaintext, accept_plaintext, phi};
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Summary {
///     drug: Phi<String, phi::Drug>,
/// }
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
/// let record = keys.record("chart", "P-1")?;
/// let summary = Summary { drug: "warfarin 5 MG".to_owned().into() };
/// let token = record.seal::<phi::Note>(&expose_plaintext(&summary))?;
/// let opener = record.opened_by(&access);
/// let summary: Summary = accept_plaintext(|| opener.open::<phi::Note, _>(&token))?;
/// # Ok(())
/// # }
/// ```
///
/// To answer a client:
///
/// ```
/// # use rxseal::{Sealing, phi};
/// #[derive(serde::Serialize)]
/// struct Refill {
///     #[serde(with = "Sealing::<phi::Drug>")]
///     drug: String,
/// }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let refill = Refill { drug: "warfarin 5 MG".into() };
/// let answer = serde_json::to_string(&rxseal::expose_plaintext(&refill))?;
/// assert_eq!(answer, r#"{"drug":"warfarin 5 MG"}"#);
/// # Ok(())
/// # }
/// ```
pub fn expose_plaintext<T: Serialize + ?Sized>(value: &T) -> ExposedPlaintext<'_, T> {
    ExposedPlaintext(value)
}

impl<T: Serialize + ?Sized> Serialize for ExposedPlaintext<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match enter(Kind::ExposePlaintext, || self.0.serialize(serializer)) {
            Ok((result, left)) => left.settle_as_text(result, S::Error::custom),
            Err(error) => Err(S::Error::custom(error)),
        }
    }
}

impl<T: ?Sized> fmt::Debug for ExposedPlaintext<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExposedPlaintext([REDACTED])")
    }
}

/// Runs `work`, in which marked fields are read as plaintext: the form of an authorised client.
///
/// A token in such a field is refused, so a client cannot post one that it has seen elsewhere.
///
/// The source of `work-failed` is the format's own error, and some formats (toml) show in it the whole line that they did not like, with
/// the marked fields in it. Do not log that source, nor send it back.
///
/// ```
/// # use rxseal::{Sealing, phi};
/// #[derive(serde::Deserialize)]
/// struct Refill {
///     #[serde(with = "Sealing::<phi::Drug>")]
///     drug: String,
/// }
/// # fn main() -> Result<(), rxseal::Error> {
/// let body = r#"{"drug":"warfarin 5 MG"}"#;
/// let refill: Refill = rxseal::accept_plaintext(|| serde_json::from_str(body))?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// `value-mismatch` for a marked field that is not of its type; `token-as-plaintext`; `plaintext-nested` inside another scope;
/// `invalid-input` for what serde_json says of the rest; `work-failed` with the error of `work` as its source for every other.
pub fn accept_plaintext<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let (result, left) = enter(Kind::AcceptPlaintext, work)?;
    left.settle(result)
}
