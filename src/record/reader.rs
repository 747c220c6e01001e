//! Opening with an access, which says who and why. The observer is told of it.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::audit::Audit;
use super::core::RecordCore;
use super::joined;
use super::open::OpenState;
use super::{MayOpen, Record};
use crate::access::Access;
use crate::error::{Error, ErrorKind};
use crate::field::{Declaration, Field};
use crate::id::{Class, FieldId};
use crate::payload::{self, Content};
use crate::scratch;
use crate::secret::{Unfinished, reserve_wiping};
use crate::token::{Token, TokenParts, decoded_len};

impl<R: MayOpen> Record<R> {
    /// This record, opened by `access`: who and why.
    #[must_use]
    pub fn opened_by(&self, access: &Access) -> RecordReader {
        RecordReader { core: Arc::clone(self.core()), access: access.clone() }
    }
}

/// A record together with who opens it and why: [`Record::opened_by`] makes it. It is owned, `Send` and `Sync`.
///
/// [`run_opening`](Self::run_opening) reads a whole struct with serde, [`open`](Self::open) reads one field, and
/// [`open_fields`](Self::open_fields) reads several without serde.
// Where its other methods are: `open`, `open_text`, `opening` and `run_opening` in `scope/opening.rs`, since they ask which scope is
// active; `nested_keys` in `record/nested.rs`.
#[derive(Clone)]
pub struct RecordReader {
    core: Arc<RecordCore>,
    access: Access,
}

/// A value that may be forged: under a compromised key, or plaintext in a column that is being migrated. Whoever holds the key, or can write
/// to the column, could have made it.
///
/// ```no_run
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let rec = keys.record("prescription", "RX-1001")?;
/// # let token = rec.seal::<rxseal::phi::Drug>("x")?;
/// # let access = rxseal::Access::new("user:kim", rxseal::Purpose::TREAT)?;
/// let suspect = rec.opened_by(&access).open_compromised::<rxseal::phi::Drug, String>(&token)?;
/// let drug = suspect.expose_not_authentic();          // compare it with another source before it is used
/// # Ok(())
/// # }
/// ```
pub struct NotAuthentic<T>(T);

impl<T> NotAuthentic<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

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

impl RecordReader {
    /// Opens several fields in one opening: one key set-up per class, and one event. Single openings of this record by this access that
    /// `work` makes, such as [`Sealed::open`](crate::Sealed::open), join it.
    ///
    /// ```
    /// use rxseal::{Sealed, phi};
    /// struct Row {
    ///     drug: Sealed<String, phi::Drug>,
    ///     directions: Sealed<String, phi::Directions>,
    /// }
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let rec = keys.record("prescription", "RX-1001")?;
    /// # let row = Row { drug: Sealed::seal(&rec, "warfarin")?, directions: Sealed::seal(&rec, "daily")? };
    /// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
    /// let label = rec.opened_by(&access).open_fields(|pass| {
    ///     Ok(format!("{}: {}", pass.open_field(&row.drug)?, pass.open_field(&row.directions)?))
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `refused-by-observer`, and those of `work`.
    pub fn open_fields<T>(&self, work: impl FnOnce(&mut OpenPass<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.try_open_fields(work)
    }

    /// As [`open_fields`](Self::open_fields), for `work` with an error type of its own.
    ///
    /// # Errors
    ///
    /// `refused-by-observer`, and those of `work`.
    pub fn try_open_fields<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut OpenPass<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut audit = Audit::begin(std::slice::from_ref(&self.core), &self.access)?;
        audit.join(&self.core);
        let result = work(&mut OpenPass::new(&self.core, &mut audit.state));
        audit.end_with(result)
    }

    /// Whether a pass over this record by this access is under way on this thread.
    pub(crate) fn is_in_pass(&self) -> bool {
        joined::is_in_pass(&self.core, &self.access)
    }

    /// Opens one field, as part of the pass around it if that is of the same record and access.
    pub(crate) fn open_single<T>(&self, work: impl FnOnce(&mut OpenPass<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let work = |state: &mut OpenState| work(&mut OpenPass::new(&self.core, state));
        joined::open(&self.core, &self.access, work).unwrap_or_else(|work| self.alone(work))
    }

    /// An opening of its own that nothing joins: no closure of the caller runs in it.
    pub(super) fn open_alone<T>(&self, work: impl FnOnce(&mut OpenPass<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.alone(|state| work(&mut OpenPass::new(&self.core, state)))
    }

    fn alone<T>(&self, work: impl FnOnce(&mut OpenState) -> Result<T, Error>) -> Result<T, Error> {
        let mut audit = Audit::begin(std::slice::from_ref(&self.core), &self.access)?;
        let result = work(&mut audit.state);
        audit.end_with(result)
    }

    /// Opens one field whose key is marked compromised, which [`open`](Self::open) refuses.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), except `key-compromised`.
    pub fn open_compromised<F: Field, T: DeserializeOwned>(&self, token: &Token) -> Result<NotAuthentic<T>, Error> {
        self.open_alone(|pass| {
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

impl fmt::Debug for RecordReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordReader")
            .field("record_type", &self.core.context().record_type())
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// Opens fields of one record, as one opening.
///
/// [`open_field`](Self::open_field) and [`open_phi`](Self::open_phi) open a [`Sealed`](crate::Sealed), which knows its marker and its
/// type. The others open tokens, of the marker that the caller names.
// The typed calls are in `form/typed.rs`, and `nested_keys` in `record/nested.rs`.
pub struct OpenPass<'a> {
    pub(super) core: &'a RecordCore,
    pub(super) state: &'a mut OpenState,
}

impl<'a> OpenPass<'a> {
    pub(crate) fn new(core: &'a RecordCore, state: &'a mut OpenState) -> Self {
        Self { core, state }
    }

    /// Reads plaintext in place of a token of field `F`, by the keyring's permit.
    pub(crate) fn read_plaintext<F: Field, T>(
        &mut self,
        read: impl FnOnce() -> Result<T, ErrorKind>,
    ) -> Result<T, Error> {
        let Self { core, state } = self;
        let accepted = state.accept_plaintext(Declaration::of::<F>(), core);
        let value = accepted.and_then(|()| Ok(read()?)).map_err(|error| core.located(F::ID, error));
        value.inspect_err(|error| state.note_failed_field(error))
    }

    /// Opens one field.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`].
    pub fn open<F: Field, T: DeserializeOwned>(&mut self, token: &Token) -> Result<T, Error> {
        self.open_form(Declaration::of::<F>(), TokenForm::Bytes(token.as_bytes()))
    }

    /// Opens one field from its token's text.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open_text`].
    pub fn open_text<F: Field, T: DeserializeOwned>(&mut self, token: &str) -> Result<T, Error> {
        self.open_form(Declaration::of::<F>(), TokenForm::Text(token))
    }

    /// Opens a field that no type declares, by its id and its class. It is for tools that get both at run time, such as a recovery
    /// drill; a program declares its fields with [`fields!`](crate::fields). It does not try former ids of the field.
    ///
    /// ```
    /// use rxseal::{Access, Class, FieldId, Purpose};
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let rec = keys.record("prescription", "RX-1001")?;
    /// # let token = rec.seal::<rxseal::phi::Drug>("warfarin")?;
    /// let (field, class) = (FieldId::parse("phi.rx.drug")?, Class::parse("medication")?);
    /// let access = Access::new("user:kim", Purpose::TREAT)?;
    /// let drug: String = rec.opened_by(&access).open_fields(|pass| pass.open_by_id(field, class, &token))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`].
    pub fn open_by_id<T: DeserializeOwned>(&mut self, field: FieldId, class: Class, token: &Token) -> Result<T, Error> {
        let Self { core, state } = self;
        let declared = Declaration::to_open(field, class);
        open_form(TokenForm::Bytes(token.as_bytes()), |token, out| state.open(&declared, core, token, out))
            .map_err(|error| error.at_field(field).in_record(core.context().record_type()))
            .inspect_err(|error| state.note_failed_field(error))
    }

    /// Opens one field of text or bytes from its binary token and appends the content to `out`, which the caller wipes. If `out` has
    /// enough room, including room for the padding, nothing is allocated. On an error `out` is unchanged.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`]; `type-mismatch` for a value that is neither text nor bytes.
    pub fn open_into<F: Field>(&mut self, token: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.append_opened(Declaration::of::<F>(), token, out)
    }

    fn append_opened(&mut self, field: &Declaration, token: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let Self { core, state } = self;
        let mut append = || {
            let token = TokenParts::parse(token)?;
            let payload_len = token.text.len();
            reserve_wiping(out, payload_len);
            let mut opened = Unfinished::begin(out);
            let start = opened.start();
            opened.vec().resize(start.saturating_add(payload_len), 0);
            let room = opened.vec().get_mut(start..).unwrap_or_default();
            let len = state.open(field, core, token, room)?.scalar().ok_or(ErrorKind::TypeMismatch)?.len();
            payload::keep(opened.vec(), start, start.saturating_add(1), len);
            opened.finish();
            Ok(())
        };
        let result = append().map_err(|error| core.located(field.id, error));
        result.inspect_err(|error| state.note_failed_field(error))
    }

    /// Opens one field of text or bytes in place: before the call `buffer` contains its binary token, and afterwards its content, which
    /// the caller wipes. Use it for large values, such as a scan, to have only one copy. On an error `buffer` is unchanged.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`]; `type-mismatch` for a value that is neither text nor bytes.
    pub fn open_in_place<F: Field>(&mut self, buffer: &mut Vec<u8>) -> Result<(), Error> {
        let Self { core, state } = self;
        let field = Declaration::of::<F>();
        let result = state.open_in_place(field, core, buffer).map_err(|error| core.located(field.id, error));
        result.inspect_err(|error| state.note_failed_field(error))
    }

    /// Whether a field opens. Its value is wiped.
    pub(crate) fn check(&mut self, field: &Declaration, token: &Token) -> Result<(), Error> {
        let Self { core, state } = self;
        TokenForm::Bytes(token.as_bytes())
            .with_room(|token, out| state.open(field, core, token, out).map(drop))
            .map_err(|error| core.located(field.id, error))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn open_form<T: DeserializeOwned>(
        &mut self,
        field: &Declaration,
        token: TokenForm<'_>,
    ) -> Result<T, Error> {
        let Self { core, state } = self;
        open_form(token, |token, out| state.open(field, core, token, out))
            .map_err(|error| core.located(field.id, error))
            .inspect_err(|error| state.note_failed_field(error))
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
    /// Runs `work` with what was read of it, once, and with room for the payload, in the thread's scratch buffer.
    pub(super) fn with_room<T>(
        self,
        work: impl FnOnce(TokenParts<'_>, &mut [u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        scratch::with(|buffer| {
            let buffer = buffer.vec();
            let (token, room) = match self {
                Self::Bytes(token) => {
                    // Its form and length are checked before room is made.
                    let token = TokenParts::parse(token)?;
                    buffer.resize(token.text.len(), 0);
                    (token, buffer.as_mut_slice())
                }
                Self::Text(text) => {
                    // Room for both at once: what is decoded may be plaintext that only looks like a token, and must not be moved.
                    let token_len = decoded_len(text)?;
                    buffer.resize(token_len.saturating_mul(2), 0);
                    let (token, room) = buffer.split_at_mut_checked(token_len).unwrap_or_default();
                    let token = TokenParts::decode(text, token)?;
                    (token, room.get_mut(..token.text.len()).unwrap_or_default())
                }
            };
            work(token, room)
        })
    }
}

/// Opens `token` in the thread's scratch buffer. The value is decoded when `decrypt` is done, since decoding runs the
/// value's own `Deserialize`, which may come here again.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn open_form<T: DeserializeOwned>(
    token: TokenForm<'_>,
    decrypt: impl for<'b> FnOnce(TokenParts<'_>, &'b mut [u8]) -> Result<Content<'b>, Error>,
) -> Result<T, Error> {
    token.with_room(|token, room| payload::decode(decrypt(token, room)?))
}
