//! Plaintext for authorised clients: answering them, and accepting what they send. Both have explicit scopes of their own, and
//! nothing else writes or reads plaintext.

use std::fmt;

use serde::ser::{Error as _, Serialize, Serializer};

use super::frame::{Kind, enter};
use crate::error::Error;

/// A value that serializes with its fields as plaintext. [`expose_plaintext`] makes it.
pub struct ExposedPlaintext<'a, T: ?Sized>(&'a T);

/// Makes `value` serialize with its marked fields as plaintext, as an answer to an authorised client.
///
/// It needs and uses no key, and cannot be nested in another scope. A [`Sealed`](crate::Sealed) field, which contains a token, is an
/// error. The result may itself be sealed: this is the only way to seal a type with marked fields as one value.
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

impl<T: Serialize + ?Sized> ExposedPlaintext<'_, T> {
    /// The value as JSON, for the body of an answer. Nothing is written if a part of it is refused.
    ///
    /// As a `Serialize`, this gives errors as the format's own, with rxseal's text. Here they can be branched on.
    ///
    /// ```
    /// # use rxseal::{Phi, phi};
    /// #[derive(serde::Serialize)]
    /// struct Refill {
    ///     drug: Phi<String, phi::Drug>,
    /// }
    /// # fn main() -> Result<(), rxseal::Error> {
    /// let refill = Refill { drug: "warfarin 5 MG".to_owned().into() };
    /// assert_eq!(rxseal::expose_plaintext(&refill).to_json()?, br#"{"drug":"warfarin 5 MG"}"#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `wrong-direction` if a [`Sealed`](crate::Sealed) is in the value; `plaintext-nested` inside another scope; `work-failed` if a
    /// type cannot be written as JSON. Its source is serde_json's error, which may quote the value: do not log it or send it back.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        let (result, left) = enter(Kind::ExposePlaintext, || serde_json::to_vec(self.0))?;
        left.settle(result)
    }
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

/// Runs `work`. Marked fields that it reads are plaintext, such as a form that an authorised client sent.
///
/// A token in such a field is refused, so a client cannot post one that it has seen elsewhere.
///
/// The source of `work-failed` is the format's own error. Some formats (toml) show the whole faulty line in it, including its marked
/// fields. So do not log that source or send it back.
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
/// `value-mismatch` if a marked field is not of its type; `token-as-plaintext`; `plaintext-nested` inside another scope;
/// `invalid-input` if serde_json finds the rest not valid; `work-failed` for any other error of `work`, which is then its source.
pub fn accept_plaintext<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let (result, left) = enter(Kind::AcceptPlaintext, work)?;
    left.settle(result)
}
