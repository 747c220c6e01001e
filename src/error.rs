//! One opaque error. Programs ask it questions (`is_…`) or branch on its stable [`code`](Error::code); people read its
//! text, which names the field, the record type and the key id, and never a value or a key byte.

mod code;
mod kind;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use code::ErrorCode;
pub(crate) use kind::{ErrorKind, Reason};

use crate::codec::text;

/// Why a call was refused or failed. It is one machine word in size.
///
/// Its text and its `Debug` never contain a value, a key byte or a record id. A wrong context and a damaged token give the same error
/// on purpose: an attacker who could tell them apart would learn which one to work on. The cause, such as the path of a key file or
/// the answer of a store, is its [`source`](std::error::Error::source).
///
/// # Example
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// let error = "Jane Doe".parse::<rxseal::Token>().unwrap_err();
/// assert!(error.is_not_a_token());
/// assert_eq!(error.code(), rxseal::ErrorCode::NotAToken);
/// assert!(!error.to_string().contains("Jane"));
/// # Ok(())
/// # }
/// ```
// `key_id` is in `id/key_id.rs`, since the type of a key id is there; the kinds with their texts are in `error/kind.rs`.
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    /// What is not valid, and why. Empty for kinds whose text says everything.
    what: Reason,
    reason: Reason,
    // Ids as plain data. Their types are a layer above, which converts them in `impl Error` blocks of its own.
    field: Option<&'static str>,
    index: Option<Cow<'static, str>>,
    record_type: Option<Box<str>>,
    key_id: Option<[u8; 6]>,
    /// That key is an index root.
    is_index_root: bool,
    time_left: Option<Duration>,
    clocks_apart: Option<Duration>,
    /// Line and column of what was read, counted from 1.
    place: Option<(usize, usize)>,
    /// Shared with the same error of other callers, who may look at its type.
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// What went wrong, for programs: each [`ErrorCode`] says what it means and what to do.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.kind.code()
    }

    /// The declared id of the field that the error is about, if it is about one.
    #[must_use]
    pub fn field_id(&self) -> Option<&'static str> {
        self.0.field
    }

    /// The id of the index that the error is about, if it is about one.
    #[must_use]
    pub fn index_id(&self) -> Option<&str> {
        self.0.index.as_deref()
    }

    /// The record type that the error is about, if it is about one.
    #[must_use]
    pub fn record_type(&self) -> Option<&str> {
        self.0.record_type.as_deref()
    }

    /// If the call came too early, how long to wait before you repeat it. Examples are a staged key that some readers may not have yet,
    /// and a key that programs may still seal under.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.0.time_left
    }

    /// The context differs from the one at sealing, or the token was changed. The error does not say which. Of a record with a tag: it is
    /// not as it was sealed.
    #[must_use]
    pub fn is_open_failure(&self) -> bool {
        matches!(self.0.kind, ErrorKind::OpenFailed | ErrorKind::SubjectKeyRefused | ErrorKind::TagRefused)
    }

    /// The input is not a token: it is plaintext, in another format, or cut off.
    #[must_use]
    pub fn is_not_a_token(&self) -> bool {
        self.code() == ErrorCode::NotAToken
    }

    /// The input that was read inside a scope is not valid: it is malformed or cut off, or a value in it is missing or of another type.
    /// In a request this is the client's mistake; in a store the row is damaged or not yours. Only serde_json's errors are recognised.
    /// The text gives the line and column, and quotes nothing.
    #[must_use]
    pub fn is_invalid_input(&self) -> bool {
        matches!(self.0.kind, ErrorKind::InvalidInput)
    }

    /// The token names a key that this keyring does not have. It may come from a newer generation than the loaded one, or from another
    /// keyspace.
    #[must_use]
    pub fn is_unknown_key(&self) -> bool {
        self.code() == ErrorCode::UnknownKey
    }

    /// The state of the key forbids this: compromised or destroyed.
    #[must_use]
    pub fn is_key_state(&self) -> bool {
        matches!(self.0.kind, ErrorKind::KeyCompromised | ErrorKind::KeyDestroyed)
    }

    /// The caller may not do this: the sealer or opener is limited to other classes, or the observer refused.
    #[must_use]
    pub fn is_locked_out(&self) -> bool {
        matches!(self.0.kind, ErrorKind::ClassLocked | ErrorKind::RefusedByObserver)
    }

    /// A field was written or read outside of a scope, or in a scope of the other direction.
    #[must_use]
    pub fn is_scope_missing(&self) -> bool {
        matches!(self.0.kind, ErrorKind::ScopeMissing | ErrorKind::ScopeOfAnotherTask | ErrorKind::WrongDirection)
    }

    /// The token is authentic, but its value is not of the requested type.
    #[must_use]
    pub fn is_type_mismatch(&self) -> bool {
        matches!(self.0.kind, ErrorKind::TypeMismatch)
    }

    /// The value cannot be sealed as it is: it is too large, a float that is not finite, nothing that JSON can hold, a token, a value with
    /// a token in it, not of the field's type, or a readable value that a record tag cannot cover. If the value came from a client, it is the client's mistake.
    #[must_use]
    pub fn is_value_refused(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::TooLarge
                | ErrorKind::NotFinite
                | ErrorKind::Unrepresentable
                | ErrorKind::TokenAsPlaintext
                | ErrorKind::TokenInside
                | ErrorKind::PhiInside
                | ErrorKind::ValueMismatch
                | ErrorKind::ClearRefused
                | ErrorKind::CellRefused
        )
    }

    /// An invalid record, part or subject id, or an invalid name. If the id came with a request, it is the client's mistake.
    #[must_use]
    pub fn is_invalid_id(&self) -> bool {
        matches!(self.0.kind, ErrorKind::InvalidId)
    }

    /// The provider of the root key, or the store, gave no definite answer. The same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::ProviderUnavailable
                | ErrorKind::StoreUnavailable
                | ErrorKind::FileUnavailable
                | ErrorKind::RandomFailed
        )
    }

    /// The subject was shredded: everything sealed with its key is lost for good.
    #[must_use]
    pub fn is_shredded(&self) -> bool {
        matches!(self.0.kind, ErrorKind::SubjectShredded)
    }

    /// Somebody else changed the stored keyring or subject meanwhile, so nothing was written.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self.0.kind, ErrorKind::StoreConflict | ErrorKind::KeyringExists)
    }

    /// The program made a mistake that no input can cause, such as sealing one field id twice in a record. It never results from
    /// untrusted data.
    #[must_use]
    pub fn is_api_misuse(&self) -> bool {
        self.0.kind.is_api_misuse()
    }

    /// A value that has no normal form, from a normaliser written outside this crate. `wanted` says what shape is wanted (code
    /// `not-indexable`). It is constant, so the value is never quoted.
    ///
    /// ```
    /// let error = rxseal::Error::not_indexable("a date is YYYY-MM-DD");
    /// assert!(error.is_not_indexable());
    /// ```
    #[must_use]
    pub fn not_indexable(wanted: &'static str) -> Self {
        ErrorKind::NotIndexable.because(wanted)
    }

    /// A number whose check digit is wrong, from a normaliser written outside this crate. `what` names the kind of number (code
    /// `bad-check-digit`).
    ///
    /// ```
    /// let error = rxseal::Error::bad_check_digit("an NPI");
    /// assert!(error.is_not_indexable());
    /// ```
    #[must_use]
    pub fn bad_check_digit(what: &'static str) -> Self {
        ErrorKind::BadCheckDigit.because(what)
    }

    /// A query of which nothing is left, from a search written outside this crate (code `empty-query`).
    #[must_use]
    pub fn empty_query() -> Self {
        ErrorKind::EmptyQuery.into()
    }

    /// A query that asks for too much, from a search written outside this crate (code `query-too-large`).
    #[must_use]
    pub fn query_too_large() -> Self {
        ErrorKind::QueryTooLarge.into()
    }

    /// The value has no normal form by which it could be found: it has another shape than the index wants, or a wrong check digit. If
    /// the value came from a client, it is the client's mistake.
    #[must_use]
    pub fn is_not_indexable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::NotIndexable | ErrorKind::BadCheckDigit)
    }

    /// Nothing is left of what was searched for. Ask for more input.
    #[must_use]
    pub fn is_empty_query(&self) -> bool {
        matches!(self.0.kind, ErrorKind::EmptyQuery)
    }

    /// A stored index value is not that of its record. A re-index of the row mends it.
    #[must_use]
    pub fn is_index_stale(&self) -> bool {
        matches!(self.0.kind, ErrorKind::IndexStale)
    }

    /// A stored index value is not one of the index, or was made under an index root or a definition that this program does not have. It
    /// may come from a newer generation of the keyring than the loaded one.
    #[must_use]
    pub fn is_index_unreadable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::IndexUnreadable)
    }

    /// An error of a root key provider written outside this crate. `retryable` tells whether the same call may succeed
    /// later. The cause is shown by [`source`](std::error::Error::source): keep key bytes out of it.
    #[must_use]
    pub fn from_provider(retryable: bool, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let kind = if retryable { ErrorKind::ProviderUnavailable } else { ErrorKind::ProviderRefused };
        Self::from(kind).caused_by(cause)
    }

    /// A root key was named or set up in a way that cannot work: a setting that is missing, a name that is not legal. `reason`
    /// says which, and what to do (code `invalid-root-key`). It is constant, so no setting is ever quoted.
    ///
    /// ```
    /// let error = rxseal::Error::invalid_root_key("the deadline is zero: allow at least a second");
    /// assert_eq!(error.code(), rxseal::ErrorCode::InvalidRootKey);
    /// ```
    #[must_use]
    pub fn invalid_root_key(reason: &'static str) -> Self {
        ErrorKind::InvalidRootKey.because(reason)
    }

    /// Somebody else can read or change a file with a secret, see [`SecretFile`](crate::provider::SecretFile) (code
    /// `root-key-permissions`). The cause names the file. It is also shown by `Debug`: keep what the file holds out of it.
    #[must_use]
    pub fn root_key_permissions(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::from(ErrorKind::RootKeyPermissions).caused_by(cause)
    }

    /// A call was made outside of the async runtime that it needs (code `runtime-needed`). For tokio see
    /// [`need_runtime`](crate::provider#functions).
    #[must_use]
    pub fn runtime_needed() -> Self {
        ErrorKind::RuntimeNeeded.into()
    }

    /// An error of a [`KeyringStore`](crate::store::KeyringStore) or [`SubjectTable`](crate::provider::SubjectTable) written outside this
    /// crate. `retryable` tells whether the same call may succeed later.
    #[must_use]
    pub fn from_store(retryable: bool, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let kind = if retryable { ErrorKind::StoreUnavailable } else { ErrorKind::StoreRefused };
        Self::from(kind).caused_by(cause)
    }

    /// A job over a table cannot be planned or run as it was asked for (code `job-refused`). The cause says why, and holds no value.
    #[must_use]
    pub fn job_refused(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::from(ErrorKind::JobRefused).caused_by(cause)
    }

    /// A worker does not have what a job was planned with (code `job-mismatch`). The cause says what differs.
    #[must_use]
    pub fn job_mismatch(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::from(ErrorKind::JobMismatch).caused_by(cause)
    }

    /// A job stopped, because there is more plaintext in the table than it left (code `job-stopped`).
    #[must_use]
    pub fn job_stopped() -> Self {
        ErrorKind::JobStopped.into()
    }

    /// The answer of a [`KeyringStore`](crate::store::KeyringStore) if the stored generation is not the one to be
    /// replaced.
    #[must_use]
    pub fn store_conflict() -> Self {
        ErrorKind::StoreConflict.into()
    }

    /// A map of sealed data that has mistakes, which the cause lists (code `invalid-map`). The crate `rxseal-map` reads maps.
    #[must_use]
    pub fn invalid_map(mistakes: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::from(ErrorKind::InvalidMap).caused_by(mistakes)
    }

    /// A refusal of an [`Observer`](crate::observe::Observer), with its reason as the cause.
    #[must_use]
    pub fn refused(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::from(ErrorKind::RefusedByObserver).caused_by(reason)
    }

    /// A stored time is that far in the future.
    pub(crate) fn clock_skew(apart: Duration, reason: Reason) -> Self {
        let mut error = ErrorKind::ClockSkew.because(reason);
        error.0.clocks_apart = Some(apart);
        error
    }

    /// An invalid name or identifier.
    pub(crate) fn invalid_id(what: Reason, reason: Reason) -> Self {
        let mut error = ErrorKind::InvalidId.because(reason);
        error.0.what = what;
        error
    }

    /// The text with those of its causes, for an event: the operator needs to see the provider's own text.
    pub(crate) fn with_cause(&self) -> String {
        match &*self.causes() {
            "" => self.to_string(),
            causes => format!("{self}: {causes}"),
        }
    }

    fn causes(&self) -> String {
        let mut texts = Vec::new();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            texts.push(error.to_string());
            cause = error.source();
        }
        texts.join(": ")
    }

    /// The same error for another caller that waited for the same call, or for each record of a page.
    pub(crate) fn again(&self) -> Self {
        Self(self.0.clone())
    }

    pub(crate) fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The key id's bytes, for `KeyId`.
    pub(crate) fn key_id_bytes(&self) -> Option<[u8; 6]> {
        self.0.key_id
    }

    pub(crate) fn with_field_id(mut self, field: &'static str) -> Self {
        self.0.field.get_or_insert(field);
        self
    }

    pub(crate) fn in_record(mut self, record_type: &str) -> Self {
        self.0.record_type.get_or_insert_with(|| record_type.into());
        self
    }

    pub(crate) fn with_key_id(mut self, key_id: [u8; 6]) -> Self {
        self.0.key_id.get_or_insert(key_id);
        self
    }

    /// The key that the error is about is an index root.
    pub(crate) fn of_index_root(mut self) -> Self {
        self.0.is_index_root = true;
        self
    }

    /// The error is about this index.
    pub(crate) fn of_index(mut self, index: impl Into<Cow<'static, str>>) -> Self {
        self.0.index = Some(index.into());
        self
    }

    /// Whether a normal form that is refused so is no row's.
    pub(crate) fn finds_nothing(&self) -> bool {
        self.is_not_indexable() || self.is_empty_query()
    }

    pub(crate) fn with_time_left(mut self, left: Duration) -> Self {
        self.0.time_left = Some(left);
        self
    }

    /// With `reason` if the token does not open.
    pub(crate) fn if_not_opened(mut self, reason: Reason) -> Self {
        if matches!(self.0.kind, ErrorKind::OpenFailed) {
            self.0.reason = reason;
        }
        self
    }

    /// What was refused inside a sealed value is a `Phi`.
    pub(crate) fn of_phi(mut self) -> Self {
        if matches!(self.0.kind, ErrorKind::TokenInside) {
            self.0.kind = ErrorKind::PhiInside;
        }
        self
    }

    /// An error at this line and column of what was read.
    pub(crate) fn at_place(mut self, line: usize, column: usize) -> Self {
        self.0.place = Some((line, column));
        self
    }

    pub(crate) fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(cause.into()));
        self
    }
}

impl ErrorKind {
    pub(crate) fn because(self, reason: Reason) -> Error {
        let mut error = Error::from(self);
        error.0.reason = reason;
        error
    }
}

impl From<ErrorKind> for Error {
    #[cold]
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            what: "",
            reason: "",
            field: None,
            index: None,
            record_type: None,
            key_id: None,
            is_index_root: false,
            time_left: None,
            clocks_apart: None,
            place: None,
            source: None,
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, what, reason, .. } = &*self.0;
        match (*kind, *reason) {
            (_, "") => write!(f, "{kind}"),
            (ErrorKind::OpenFailed, reason) => write!(f, "{kind}; {reason}"),
            (ErrorKind::WrongDirection, reason) => write!(f, "{kind} {reason}"),
            (ErrorKind::InvalidId, reason) => write!(f, "{what} {kind}: {reason}"),
            (_, reason) => write!(f, "{kind}: {reason}"),
        }?;
        let mut separator = " (";
        let mut detail = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            write!(f, "{separator}{name} {value}")?;
            separator = ", ";
            Ok(())
        };
        if let Some(field) = self.0.field {
            detail(f, "field", &field)?;
        }
        if let Some(index) = &self.0.index {
            detail(f, "index", index)?;
        }
        if let Some(record_type) = &self.0.record_type {
            detail(f, "record type", record_type)?;
        }
        if let Some(key_id) = self.0.key_id {
            detail(f, if self.0.is_index_root { "index root" } else { "key" }, &text::encode(&key_id))?;
        }
        if let Some(left) = self.0.time_left {
            detail(f, "time left", &Spoken(left))?;
        }
        if let Some(apart) = self.0.clocks_apart {
            detail(f, "ahead by", &Spoken(apart))?;
        }
        if let Some((line, column)) = self.0.place {
            detail(f, "line", &line)?;
            detail(f, "column", &column)?;
        }
        if separator == ", " { f.write_str(")") } else { Ok(()) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error[{}]: {self}", self.code())?;
        // Other causes are left out: the caller may have made one, and it may quote what the caller was parsing.
        match std::error::Error::source(self) {
            Some(cause) if self.0.kind.has_own_cause() => write!(f, ": {cause}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source: &(dyn std::error::Error + 'static) = self.0.source.as_deref()?;
        Some(source)
    }
}

/// A time for people, in its two largest units. Less than a second counts as one second.
struct Spoken(Duration);

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
        let mut rest = self.0.as_secs().saturating_add(u64::from(self.0.subsec_nanos() > 0));
        let mut written = 0_u8;
        for (seconds, unit) in UNITS {
            let count = rest.checked_div(seconds).unwrap_or_default();
            if written == 1 || (written == 0 && (count > 0 || seconds == 1)) {
                write!(f, "{}{count} {unit}", if written == 0 { "" } else { " " })?;
                written = written.saturating_add(1);
            }
            rest = rest.saturating_sub(count.saturating_mul(seconds));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (3900, "1 h 5 min"),
            (86_399, "23 h 59 min"),
            (90_000, "1 d 1 h"),
            (u64::MAX, "213503982334601 d 7 h"),
        ] {
            assert_eq!(Spoken(Duration::from_secs(seconds)).to_string(), text);
        }
        assert_eq!(Spoken(Duration::from_millis(300)).to_string(), "1 s");
    }

    #[test]
    fn one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }

    #[test]
    fn text_names_what_it_is_about() {
        let error = Error::from(ErrorKind::OpenFailed).with_field_id("rx.drug").in_record("prescription");
        assert!(error.to_string().ends_with("(field rx.drug, record type prescription)"), "{error}");
        let error = error.with_key_id([7; 6]);
        assert!(error.to_string().ends_with("(field rx.drug, record type prescription, key BwcHBwcH)"), "{error}");
        assert!(error.is_open_failure());
        assert_eq!(error.field_id(), Some("rx.drug"));
    }
}
