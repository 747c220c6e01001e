//! `Sealed<T, F>`: a token that knows its type and its field.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};

use super::token_reader::{Wanted, read_token};
use crate::error::Error;
use crate::field::Field;
use crate::id::{FieldId, KeyId};
use crate::payload;
use crate::record::{MaySeal, Record, RecordReader, TokenForm};
use crate::scope;
use crate::token::Token;

/// A sealed value of type `T` and field `F`. It stays sealed until it is [opened](Self::open), and is written back unchanged.
///
/// A record that contains one can be read and written without a scope. If the field cannot be opened, the record is still saved
/// intact: a failed open never becomes a null that the next save writes over the token. It is also a column type of rusqlite, sqlx,
/// tokio-postgres, diesel and sea-orm (features `rusqlite_0_39`, `sqlx_0_9`, `postgres_types_0_2`, `diesel_2` and `sea_orm_2`).
///
/// ```
/// use rxseal::{Sealed, phi};
/// #[derive(Debug, serde::Serialize, serde::Deserialize)]
/// struct Prescription {
///     rx_number: u64,
///     prescriber: Sealed<String, phi::PrescriberName>,
/// }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
/// let rec = keys.record("prescription", 1001_u64)?;
/// let rx = Prescription { rx_number: 1001, prescriber: Sealed::seal(&rec, "Dr. Irvin Emard")? };
///
/// let json = serde_json::to_string(&rx)?;                     // no scope needed
/// let rx: Prescription = serde_json::from_str(&json)?;
/// assert_eq!(rx.prescriber.open(&rec.opened_by(&access))?, "Dr. Irvin Emard");
/// # Ok(())
/// # }
/// ```
///
/// It may be part of a record that is sealed, but not of a value that is sealed. That is the error `token-inside`, because no count,
/// reseal or destruction of a key could see it there.
///
/// Give each column its own marker. If two columns of a record have the same marker and are sealed separately, each opens the other's
/// tokens. With their own markers, one cannot be taken for the other:
///
/// ```compile_fail
/// # use rxseal::{Sealed, phi};
/// fn same(drug: Sealed<String, phi::Drug>) -> Sealed<String, phi::PatientName> { drug }
/// ```
// `open_phi` is in `form/typed.rs`.
pub struct Sealed<T, F> {
    token: Token,
    value: PhantomData<fn() -> (T, F)>,
}

impl<T, F: Field> Sealed<T, F> {
    /// Seals a value for this record.
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`].
    pub fn seal<R: MaySeal, V: Serialize + ?Sized>(record: &Record<R>, value: &V) -> Result<Self, Error>
    where
        T: SealedFrom<V>,
    {
        record.seal::<F>(value).map(Self::from)
    }

    /// Opens the value.
    ///
    /// Inside a scope or a pass of the same record and access it belongs to that opening.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`]. The token stays as it is.
    pub fn open(&self, reader: &RecordReader) -> Result<T, Error>
    where
        T: DeserializeOwned,
    {
        reader.open::<F, T>(&self.token)
    }

    /// The ids of the keys under which an earlier release sealed tokens inside the value: see [`RecordReader::nested_keys`].
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::nested_keys`].
    pub fn nested_keys(&self, reader: &RecordReader) -> Result<Vec<KeyId>, Error> {
        reader.nested_keys::<F>(&self.token)
    }

    /// The same value under the primary key and the field's current id, class and padding. It returns no plaintext.
    ///
    /// # Errors
    ///
    /// Those of [`Record::reseal`].
    pub fn reseal(&self, record: &Record) -> Result<Self, Error> {
        record.reseal::<F>(&self.token).map(Self::from)
    }
}

/// A value of which a `Sealed<Self, F>` is made: a reference to a `T`, or what a `T` borrows as, such as `str` for a `String`.
#[diagnostic::on_unimplemented(
    message = "a `Sealed<{Self}, _>` cannot be made of a `{V}`",
    note = "a `Phi` is sealed with `phi.seal(&record)`, or in a pass with `pass.seal_phi(&phi)`; `sealed.open_phi(&reader)` opens it again",
    note = "any other value has to be of the type that the `Sealed` names, or what it borrows as, such as `str` for `String`"
)]
pub trait SealedFrom<V: ?Sized> {}

// Without this the compiler names `Borrow`, and nobody reads the notes above.
#[diagnostic::do_not_recommend]
impl<T: Borrow<V>, V: ?Sized> SealedFrom<V> for T {}

impl<T, F> Sealed<T, F> {
    /// The token.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Returns the token.
    #[must_use]
    pub fn into_token(self) -> Token {
        self.token
    }
}

/// States the type and field of a token. Opening checks them.
impl<T, F> From<Token> for Sealed<T, F> {
    fn from(token: Token) -> Self {
        Self { token, value: PhantomData }
    }
}

impl<T, F> Clone for Sealed<T, F> {
    fn clone(&self) -> Self {
        Self::from(self.token.clone())
    }
}

impl<T, F> PartialEq for Sealed<T, F> {
    fn eq(&self, other: &Self) -> bool {
        self.token == other.token
    }
}

impl<T, F> Eq for Sealed<T, F> {}

impl<T, F> Hash for Sealed<T, F> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.token.hash(state);
    }
}

impl<T, F> fmt::Debug for Sealed<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({:?})", self.token)
    }
}

impl<T, F> Serialize for Sealed<T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_sealed(&self.token, serializer)
    }
}

impl<'de, T, F: Field> Deserialize<'de> for Sealed<T, F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match read_sealed(F::ID, deserializer) {
            Ok(token) => Ok(Self::from(token)),
            Err(error) => Err(error),
        }
    }
}

/// The same for all types and fields, so the compiler makes it once for a format.
fn write_sealed<S: Serializer>(token: &Token, serializer: S) -> Result<S::Ok, S::Error> {
    let refused = |error: Error| scope::keep(error, |text| S::Error::custom(text));
    payload::refuse_inside().and_then(|()| scope::refuses_tokens()).map_err(refused)?;
    if serializer.is_human_readable() {
        serializer.collect_str(token)
    } else {
        serializer.serialize_bytes(token.as_bytes())
    }
}

fn read_sealed<'de, D: Deserializer<'de>>(field: FieldId, deserializer: D) -> Result<Token, D::Error> {
    scope::refuses_tokens().map_err(|error| scope::keep(error, |text| D::Error::custom(text)))?;
    let parse = |token: TokenForm<'_>| match token {
        TokenForm::Text(text) => text.parse::<Token>(),
        TokenForm::Bytes(bytes) => Token::try_from(bytes),
    };
    read_token(deserializer, Wanted::token(field), parse)
}
