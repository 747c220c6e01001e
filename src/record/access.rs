//! Opening with an access: who, why, and the observer told of it.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::audit::Audit;
use super::core::RecordCore;
use super::open::OpenState;
use super::{MayOpen, Record};
use crate::access::Access;
use crate::error::{Error, ErrorKind};
use crate::field::Field;
use crate::payload::{self, Content};
use crate::scratch;
use crate::secret::reserve_wiping;
use crate::token::{Header, Token, decode_text};

impl<R: MayOpen> Record<R> {
    /// This record, opened by `access`: who and why.
    #[must_use]
    pub fn access(&self, access: &Access) -> RecordAccess {
        RecordAccess { core: Arc::clone(self.core()), access: access.clone() }
    }
}

/// A record together with who opens it and why. Owned, `Send` and `Sync`.
#[derive(Clone)]
pub struct RecordAccess {
    core: Arc<RecordCore>,
    access: Access,
}

/// A value that a compromised key cannot vouch for: whoever holds the key could have made it.
///
/// ```no_run
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let rec = keys.record("prescription", "RX-1001")?;
/// # let token = rec.seal::<rxseal::phi::Drug>("x")?;
/// # let access = rxseal::Access::new("user:kim", rxseal::Purpose::TREAT)?;
/// let suspect = rec.access(&access).open_compromised::<rxseal::phi::Drug, String>(&token)?;
/// let drug = suspect.expose_not_authentic();          // compare it with another source before it is used
/// # Ok(())
/// # }
/// ```
pub struct NotAuthentic<T>(T);

impl<T> NotAuthentic<T> {
    /// The value, which may be forged.
    pub fn expose_not_authentic(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for NotAuthentic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NotAuthentic([REDACTED])")
    }
}

impl RecordAccess {
    /// Opens several fields in one opening: one key set-up per class, and one event.
    ///
    /// ```
    /// use rxseal::phi::{Directions, Drug};
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let rec = keys.record("prescription", "RX-1001")?;
    /// # let (drug, directions) = (rec.seal::<Drug>("warfarin")?, rec.seal::<Directions>("daily")?);
    /// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
    /// let label = rec.access(&access).open_fields(|pass| {
    ///     let drug: String = pass.open::<Drug, _>(&drug)?;
    ///     let directions: String = pass.open::<Directions, _>(&directions)?;
    ///     Ok::<_, rxseal::Error>(format!("{drug}: {directions}"))
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `refused-by-observer`, and those of `work`.
    pub fn open_fields<T, E: From<Error>>(&self, work: impl FnOnce(&mut OpenPass<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut audit = Audit::begin(std::slice::from_ref(&self.core), &self.access)?;
        let result = work(&mut OpenPass::new(&self.core, &mut audit.state));
        audit.end();
        result
    }

    /// Opens one field whose key is marked compromised, which [`open`](Self::open) refuses.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), but for `key-compromised`.
    pub fn open_compromised<F: Field, T: DeserializeOwned>(&self, token: &Token) -> Result<NotAuthentic<T>, Error> {
        self.open_fields(|pass| {
            pass.state.allow_compromised = true;
            pass.open::<F, T>(token).map(NotAuthentic)
        })
    }

    pub(crate) fn core(&self) -> &Arc<RecordCore> {
        &self.core
    }

    pub(crate) fn begin_opening(&self) -> Result<Audit, Error> {
        Audit::begin([Arc::clone(&self.core)], self.access.clone())
    }

    pub(crate) fn who(&self) -> &Access {
        &self.access
    }
}

impl fmt::Debug for RecordAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordAccess")
            .field("record_type", &self.core.context().record_type())
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// Opens fields of one record, as one opening.
pub struct OpenPass<'a> {
    core: &'a RecordCore,
    state: &'a mut OpenState,
}

impl<'a> OpenPass<'a> {
    pub(super) fn new(core: &'a RecordCore, state: &'a mut OpenState) -> Self {
        Self { core, state }
    }

    /// Opens one field.
    ///
    /// # Errors
    ///
    /// Those of [`RecordAccess::open`].
    pub fn open<F: Field, T: DeserializeOwned>(&mut self, token: &Token) -> Result<T, Error> {
        self.open_form::<F, T>(TokenForm::Bytes(token.as_bytes()))
    }

    /// Opens one field from its token's text.
    ///
    /// # Errors
    ///
    /// Those of [`RecordAccess::open_text`].
    pub fn open_text<F: Field, T: DeserializeOwned>(&mut self, token: &str) -> Result<T, Error> {
        self.open_form::<F, T>(TokenForm::Text(token))
    }

    /// Opens one field of text or bytes from its binary token and appends the content to `out`, which the caller wipes.
    /// Where `out` has the room, nothing is allocated. On an error `out` is as it was.
    ///
    /// # Errors
    ///
    /// Those of [`RecordAccess::open`]; `type-mismatch` for a value that is neither text nor bytes.
    pub fn open_into<F: Field>(&mut self, token: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let Self { core, state } = self;
        scratch::with(|buffer| {
            TokenForm::Bytes(token).load(buffer.vec())?;
            let content = state.open::<F>(core, buffer.as_mut_slice())?;
            let bytes = content.scalar().ok_or(ErrorKind::TypeMismatch)?;
            reserve_wiping(out, bytes.len());
            out.extend_from_slice(bytes);
            Ok(())
        })
        .map_err(|error| core.located::<F>(error))
        .inspect_err(|error| state.note_failure(error))
    }

    pub(crate) fn open_form<F: Field, T: DeserializeOwned>(&mut self, token: TokenForm<'_>) -> Result<T, Error> {
        let Self { core, state } = self;
        open_form(token, |token| state.open::<F>(core, token))
            .map_err(|error| core.located::<F>(error))
            .inspect_err(|error| state.note_failure(error))
    }
}

impl fmt::Debug for OpenPass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenPass").finish_non_exhaustive()
    }
}

/// A token as it came.
#[derive(Clone, Copy)]
pub(crate) enum TokenForm<'t> {
    Bytes(&'t [u8]),
    Text(&'t str),
}

impl TokenForm<'_> {
    /// Puts the binary form into `out`.
    pub(super) fn load(self, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Bytes(bytes) => {
                // Its form and length are checked before it is copied anywhere.
                Header::parse(bytes)?;
                reserve_wiping(out, bytes.len());
                out.extend_from_slice(bytes);
                Ok(())
            }
            Self::Text(text) => decode_text(text, out).map(drop),
        }
    }
}

/// Opens `token` in the thread's scratch buffer. The value is decoded when `decrypt` is done, since decoding runs the
/// value's own `Deserialize`, which may come here again.
pub(crate) fn open_form<T: DeserializeOwned>(
    token: TokenForm<'_>,
    decrypt: impl for<'b> FnOnce(&'b mut [u8]) -> Result<Content<'b>, Error>,
) -> Result<T, Error> {
    scratch::with(|buffer| {
        token.load(buffer.vec())?;
        payload::decode(decrypt(buffer.as_mut_slice())?)
    })
}
