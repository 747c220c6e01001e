//! A column that is being migrated from plaintext to tokens, without a moment in which a program fails.
//!
//! A field of type [`Migrating<T, F>`] reads both. It is for the weeks, better the minutes, of a migration, and a
//! [`Sealed<T, F>`](crate::Sealed) takes its place at the end: that type reads no plaintext, so after the last step there is no code left that
//! does. [COLUMNS.md] has the steps with their SQL.
//!
//! [COLUMNS.md]: https://github.com/rxseal/rxseal/blob/v0.2.0/docs/COLUMNS.md
//!
//! | step | code | database |
//! |---|---|---|
//! | 1 all programs read both | `Migrating<T, F>`, a permit with [`write_plain`](ReadThrough::write_plain) | as it was |
//! | 2 all programs seal what they write | the same without `write_plain` | as it was |
//! | 3 the database refuses new plaintext | the same | a domain with a check that is `NOT VALID` |
//! | 4 what is left is sealed | a job that calls [`rewrite`](Migrating::rewrite) for each row | |
//! | 5 the database has no plaintext | the same | `VALIDATE CONSTRAINT` |
//! | 6 no code reads plaintext | `Sealed<T, F>` | |
//!
//! A struct of `#[derive(PhiRecord)]` has the marker [`Migrates<F>`](crate::records::Migrates) for such a field, also inside of `Option`, `Each` and
//! `Parts`.
//!
//! Somebody who can write to the column can plant plaintext between the steps 1 and 3, and whoever goes around the domain until step 5. So
//! what is read as plaintext is marked as [not authentic](crate::roles::NotAuthentic), and the observer hears of each. What begins as a
//! token does is a token or an error, and never plaintext, whatever the permit says: nobody can break a token to have it read as text.
//!
//! ```
//! use rxseal::migrating::{Migrating, Read, ReadThrough};
//! use rxseal::phi::Drug;
//! use rxseal::{Access, Purpose};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Prescription {
//!     drug: Migrating<String, Drug>,
//! }
//! // Until the end of that day, by an approved change. A row cannot say so, nor a configuration file.
//! let keys = keys.read_through::<Drug>(&ReadThrough::until(2099, 3, 1, "CHG-1234")?);
//! let rec = keys.record("prescription", 1001)?;
//! let access = Access::new("job:backfill", Purpose::TREAT)?;
//!
//! let old: Prescription = serde_json::from_str(r#"{"drug": "warfarin 5 MG"}"#)?;
//! match old.drug.read(&rec.opened_by(&access))? {
//!     Read::Sealed(drug) => println!("sealed: {} characters", drug.len()),
//!     Read::Plain(drug) => println!("whoever wrote it: {} characters", drug.expose_not_authentic().len()),
//! }
//! // It is not written back as it was read: either sealed, or not at all.
//! assert!(serde_json::to_string(&old).is_err());
//! let new = Prescription { drug: old.drug.rewrite(&rec, &access)? };
//! assert!(serde_json::to_string(&new)?.starts_with(r#"{"drug":"rxsX"#));
//! # Ok(())
//! # }
//! ```

mod any_format;
mod plain;

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

use self::plain::PlainBytes;
pub use self::plain::PlainColumn;
use crate::access::Access;
use crate::error::{Error, ErrorKind};
use crate::field::Field;
use crate::form::{Phi, Sealed};
use crate::keyring::Keyring;
pub use crate::read_through::ReadThrough;
use crate::record::{MayOpen, MaySeal, NotAuthentic, Record, RecordCore, RecordReader};
use crate::token::{Token, begins_as_our_text, begins_as_ours};

/// A value that is a token, or still plaintext.
///
/// It reads and writes through serde and every driver that [`Sealed`] does. Text columns get the token's text, and binary columns the
/// binary token; where the driver asks the type and not the column (sqlx, rusqlite, sea-orm), a `T` that is kept as text
/// ([`PlainColumn::IS_TEXT`]) gets text. `NULL` is an `Option<Migrating<T, F>>`.
///
/// Plaintext in it is wiped on drop and shown by no `Debug` and no error. What was read as plaintext cannot be written as it is:
/// [`rewrite`](Self::rewrite) seals it. sea-orm alone has no way to refuse a value, so give its active models only what `write` and
/// `rewrite` returned.
///
/// Two of them are equal if they are the same token or the same plaintext.
pub struct Migrating<T, F> {
    held: Held,
    value: PhantomData<fn() -> (T, F)>,
}

#[derive(Clone)]
enum Held {
    Token(Token),
    Plain {
        bytes: PlainBytes,
        /// Only what the program itself wrote in the first step.
        may_be_written: bool,
    },
}

/// What was read: a value that was sealed, or plaintext.
///
/// Its `Debug` shows no value.
pub enum Read<T> {
    /// It was sealed for this record and field.
    Sealed(T),
    /// It was plaintext. Whoever can write to the column may have made it.
    Plain(NotAuthentic<T>),
}

impl Keyring {
    /// The same keyring with a permit to read plaintext of field `F` in a [`Migrating<T, F>`]. Its records and handles have the permit too,
    /// and no other type reads plaintext with it. A later permit for the same field takes its place.
    ///
    /// [`migrating`](crate::migrating) has an example.
    #[must_use]
    pub fn read_through<F: Field>(&self, permit: &ReadThrough) -> Self {
        self.with_permit(F::ID, permit)
    }
}

impl<T, F: Field> Migrating<T, F> {
    /// What the column of this record gets: a sealed value, or the value itself if the permit says
    /// [`write_plain`](ReadThrough::write_plain).
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`]; with `write_plain` also `not-a-token` if the permit has ended, and `token-as-plaintext` for text that
    /// begins as a token does, since nobody could read it back.
    pub fn write<R: MaySeal>(record: &Record<R>, value: &T::Borrowed) -> Result<Self, Error>
    where
        T: PlainColumn,
    {
        Self::write_in(record.core(), value, || record.seal::<F>(value))
    }

    /// The same, for whoever has no record to seal with.
    pub(crate) fn write_in(
        core: &RecordCore,
        value: &T::Borrowed,
        seal: impl FnOnce() -> Result<Token, Error>,
    ) -> Result<Self, Error>
    where
        T: PlainColumn,
    {
        match core.permit(F::ID).filter(|permit| permit.writes_plain()) {
            None => seal().map(Self::from),
            Some(permit) => {
                let bytes = PlainBytes::new(T::to_plain(value));
                let ours = begins_as_ours(&bytes) || bytes.text().is_some_and(begins_as_our_text);
                let refused = if ours { Err(ErrorKind::TokenAsPlaintext.into()) } else { permit.check() };
                refused.map_err(|error| core.located(F::ID, error))?;
                Ok(Self::of(Held::Plain { bytes, may_be_written: true }))
            }
        }
    }

    /// The same for a field whose absence is sealed too, if there is no value: with `write_plain` nothing is written.
    pub(crate) fn write_null_in(
        core: &RecordCore,
        seal: impl FnOnce() -> Result<Token, Error>,
    ) -> Result<Option<Self>, Error> {
        match core.permit(F::ID).filter(|permit| permit.writes_plain()) {
            None => seal().map(Self::from).map(Some),
            Some(permit) => permit.check().map(|()| None).map_err(|error| core.located(F::ID, error)),
        }
    }

    /// Reads the value, and says whether it was sealed.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`]. For plaintext: `not-a-token` if the keyring has no permit for this field, or one that has ended;
    /// `class-locked`, `refused-by-observer`; `value-mismatch` if it is no `T`.
    pub fn read(&self, reader: &RecordReader) -> Result<Read<T>, Error>
    where
        T: PlainColumn + DeserializeOwned,
    {
        match &self.held {
            Held::Token(token) => reader.open::<F, T>(token).map(Read::Sealed),
            Held::Plain { .. } => {
                let value = reader.read_plaintext::<F, T>(|| self.plain_value())?;
                Ok(Read::Plain(NotAuthentic::new(value)))
            }
        }
    }

    /// The same for a field whose absence is sealed too: `seal = Migrates<F>` on an `Option<T>`. What was sealed may be an absence. Its row has an
    /// `Option<Migrating<T, F>>`, which is `None` for an absence that is not sealed yet.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn read_or_null(&self, reader: &RecordReader) -> Result<Read<Option<T>>, Error>
    where
        T: PlainColumn + DeserializeOwned,
    {
        match &self.held {
            Held::Token(token) => reader.open::<F, Option<T>>(token).map(Read::Sealed),
            Held::Plain { .. } => {
                let value = reader.read_plaintext::<F, T>(|| self.plain_value())?;
                Ok(Read::Plain(NotAuthentic::new(Some(value))))
            }
        }
    }

    /// The same value as this step of the migration writes it: a token stays as it is, and plaintext is sealed. It is how a row is saved back,
    /// and how the job of step 4 seals what is left.
    ///
    /// Sealing plaintext makes it authentic from then on, so it needs the permit and is an opening by `access`, of which the observer hears.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read) and [`write`](Self::write).
    pub fn rewrite<R: MaySeal + MayOpen>(&self, record: &Record<R>, access: &Access) -> Result<Self, Error>
    where
        T: PlainColumn + Borrow<T::Borrowed> + DeserializeOwned,
    {
        if self.is_plain() {
            let value = Phi::<T, F>::new(self.read(&record.opened_by(access))?.expose_value());
            return Self::write(record, value.expose_phi().borrow());
        }
        Ok(self.clone())
    }
}

impl<T, F> Migrating<T, F> {
    /// Whether it is plaintext.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self.held, Held::Plain { .. })
    }

    /// The sealed value, if it is not plaintext.
    #[must_use]
    pub fn into_sealed(self) -> Option<Sealed<T, F>> {
        match self.held {
            Held::Token(token) => Some(token.into()),
            Held::Plain { .. } => None,
        }
    }

    pub(crate) fn token(&self) -> Option<&Token> {
        match &self.held {
            Held::Token(token) => Some(token),
            Held::Plain { .. } => None,
        }
    }

    /// The plaintext as a `T`. Only what has checked the permit calls it.
    pub(crate) fn plain_value(&self) -> Result<T, ErrorKind>
    where
        T: PlainColumn,
    {
        let value = match &self.held {
            Held::Plain { bytes, .. } => T::from_plain(bytes),
            Held::Token(_) => None,
        };
        value.ok_or(ErrorKind::ValueMismatch)
    }

    fn of(held: Held) -> Self {
        Self { held, value: PhantomData }
    }

    /// What a binary column holds.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        // A token's text in a binary column is no plaintext either.
        if begins_as_ours(bytes) || std::str::from_utf8(bytes).is_ok_and(begins_as_our_text) {
            return Token::try_from(bytes).map(Self::from);
        }
        Ok(Self::of(Held::Plain { bytes: PlainBytes::new(bytes.into()), may_be_written: false }))
    }

    /// What a text column holds.
    pub(crate) fn from_text(text: &[u8]) -> Result<Self, Error> {
        // The UTF-8 error is dropped, because it would say where the text is not UTF-8.
        let text = std::str::from_utf8(text).map_err(|_| ErrorKind::NotAToken)?;
        if begins_as_our_text(text) {
            return text.parse::<Token>().map(Self::from);
        }
        Ok(Self::of(Held::Plain { bytes: PlainBytes::new(text.as_bytes().into()), may_be_written: false }))
    }

    /// The same for sea-orm, which has no way to refuse a value.
    #[cfg(feature = "sea_orm_2")]
    pub(crate) fn written_in_any_case(mut self) -> Self {
        if let Held::Plain { may_be_written, .. } = &mut self.held {
            *may_be_written = true;
        }
        self
    }

    /// What a binary column gets.
    pub(crate) fn as_bytes(&self) -> Result<&[u8], Error> {
        match &self.held {
            Held::Token(token) => Ok(token.as_bytes()),
            Held::Plain { bytes, may_be_written: true } => Ok(bytes),
            Held::Plain { .. } => Err(ErrorKind::PlaintextHeld.into()),
        }
    }

    /// What a text column gets.
    pub(crate) fn to_text(&self) -> Result<Cow<'_, str>, Error> {
        match &self.held {
            Held::Token(token) => Ok(token.to_string().into()),
            Held::Plain { bytes, may_be_written: true } => Ok(bytes.text().ok_or(ErrorKind::ValueMismatch)?.into()),
            Held::Plain { .. } => Err(ErrorKind::PlaintextHeld.into()),
        }
    }
}

impl<T> Read<T> {
    /// The value, whether it was sealed or not. It may be forged unless [`is_plain`](Self::is_plain) is false.
    pub fn expose_value(self) -> T {
        match self {
            Self::Sealed(value) => value,
            Self::Plain(value) => value.expose_not_authentic(),
        }
    }

    /// Whether it was plaintext.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }
}

impl<T, F> From<Sealed<T, F>> for Migrating<T, F> {
    fn from(sealed: Sealed<T, F>) -> Self {
        sealed.into_token().into()
    }
}

impl<T, F> From<Token> for Migrating<T, F> {
    fn from(token: Token) -> Self {
        Self::of(Held::Token(token))
    }
}

impl<T, F> Clone for Migrating<T, F> {
    fn clone(&self) -> Self {
        Self::of(self.held.clone())
    }
}

impl<T, F> PartialEq for Migrating<T, F> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.held, &other.held) {
            (Held::Token(one), Held::Token(other)) => one == other,
            (Held::Plain { bytes: one, .. }, Held::Plain { bytes: other, .. }) => one.ct_eq(other).into(),
            _ => false,
        }
    }
}

impl<T, F> Eq for Migrating<T, F> {}

impl<T, F> fmt::Debug for Migrating<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.held {
            Held::Token(token) => write!(f, "Migrating({token:?})"),
            Held::Plain { .. } => f.write_str("Migrating([plaintext])"),
        }
    }
}

impl<T> fmt::Debug for Read<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_plain() { "Plain([REDACTED])" } else { "Sealed([REDACTED])" })
    }
}
