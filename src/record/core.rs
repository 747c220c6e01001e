//! What sealing and opening need of a record.

use std::sync::Arc;

use crate::context::Context;
use crate::error::{Error, ErrorKind, Reason};
use crate::id::{Class, FieldId, Identifier, Name};
use crate::key::SubjectKey;
use crate::keyring::{KeyringShare, KeyringShares, Shared};
use crate::observe::OpenedRecord;
use crate::payload;
use crate::read_through::ReadThrough;
use crate::token::{HEADER_LEN, Header};

/// Header, digest and the longest field id (FORMAT 4.4).
const MAX_AAD: usize = HEADER_LEN + 32 + 64;

/// Said whatever the token is: it follows from how the caller made the record alone.
const NO_SUBJECT: Reason =
    "this record was opened without a subject, and a token that was sealed with one needs `Record::subject`";

/// FORMAT 4.8
const MAX_FORMER: usize = 4;

pub(crate) struct RecordCore {
    share: Arc<KeyringShare>,
    context: Context,
    subject: Option<SubjectKey>,
    /// The same context under each former record type, which only opening tries (FORMAT 4.8).
    former: Box<[Context]>,
}

impl RecordCore {
    #[inline]
    pub(crate) fn bound(shares: &KeyringShares, record_type: &str, id: &Identifier<'_>) -> Result<Self, Error> {
        Self::of(shares, record_type, Some(id))
    }

    pub(crate) fn unbound(shares: &KeyringShares, record_type: &str) -> Result<Self, Error> {
        Self::of(shares, record_type, None)
    }

    #[inline]
    fn of(shares: &KeyringShares, record_type: &str, id: Option<&Identifier<'_>>) -> Result<Self, Error> {
        let keys = &shares.shared().keys;
        let context = Context::new(keys.backend(), keys.keyspace(), record_type, id)?;
        Ok(Self { share: shares.share(), context, subject: None, former: Box::default() })
    }

    pub(crate) fn to_wide(&self) -> Self {
        self.with(self.context.to_wide(), |former| former.iter().map(Context::to_wide).collect())
    }

    /// A part of this record, which keeps its former types.
    pub(crate) fn with_part(&self, name: &str, id: &Identifier<'_>) -> Result<Self, Error> {
        let context = self.context.with_part(name, id)?;
        // What the present context takes as a part, the former ones do.
        Ok(self.with(context, |former| former.iter().filter_map(|each| each.with_part(name, id).ok()).collect()))
    }

    pub(crate) fn with_subject(&self, key: &SubjectKey) -> Self {
        Self { subject: Some(key.share()), ..self.with_subject_id(key.subject_id()) }
    }

    /// The same with the id of the subject and without its key: nothing opens there, but a tag can be verified.
    pub(crate) fn with_subject_id(&self, id: &str) -> Self {
        self.with(self.context.with_subject(id), |former| former.iter().map(|each| each.with_subject(id)).collect())
    }

    /// The same record, in which nothing is sealed before it has a subject.
    pub(crate) fn needing_subject(self) -> Self {
        Self { context: self.context.needing_subject(), ..self }
    }

    /// The same record with former types, of which it has at most 4.
    pub(crate) fn was<S: AsRef<str>>(self, record_types: &[S]) -> Result<Self, Error> {
        if record_types.is_empty() { Ok(self) } else { self.add_former(record_types) }
    }

    #[cold]
    fn add_former<S: AsRef<str>>(self, record_types: &[S]) -> Result<Self, Error> {
        let mut former = self.former.into_vec();
        for record_type in record_types.iter().map(AsRef::as_ref) {
            let known = std::iter::once(&self.context).chain(&former).map(Context::record_type);
            check_former(known, record_type)?;
            former.push(self.context.with_record_type(record_type)?);
        }
        Ok(Self { former: former.into_boxed_slice(), ..self })
    }

    /// The same record in a core of its own.
    pub(crate) fn copy(&self) -> Result<Self, Error> {
        let copy = |context: &Context| context.with_record_type(context.record_type());
        let former = self.former.iter().map(copy).collect::<Result<_, _>>()?;
        Ok(self.with(copy(&self.context)?, |_| former))
    }

    /// The same keys and subject in `context`, with what `derive` makes of the former contexts.
    fn with(&self, context: Context, derive: impl FnOnce(&[Context]) -> Box<[Context]>) -> Self {
        let former = if self.former.is_empty() { Box::default() } else { derive(&self.former) };
        Self { share: Arc::clone(&self.share), context, subject: self.subject.as_ref().map(SubjectKey::share), former }
    }

    pub(crate) fn shared(&self) -> &Shared {
        self.share.shared()
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The same context under each former record type.
    pub(crate) fn former(&self) -> &[Context] {
        &self.former
    }

    pub(crate) fn subject(&self) -> Option<&SubjectKey> {
        self.subject.as_ref()
    }

    pub(crate) fn permit(&self, field: FieldId) -> Option<&ReadThrough> {
        self.share.permit(field)
    }

    pub(crate) fn allows(&self, class: Class) -> bool {
        self.share.allows(class)
    }

    /// What a token of `class` that is sealed now begins with.
    pub(crate) fn sealing_header(&self, class: Class) -> Result<Header, Error> {
        payload::refuse_inside()?;
        self.check_class(class)?;
        self.check_subject()?;
        let dek = self.shared().keys.primary();
        Ok(Header { letter: dek.suite.sealing_letter(self.context.is_bound()), key_id: dek.id })
    }

    /// `error` as one of a field of this record.
    pub(crate) fn located(&self, field: FieldId, error: Error) -> Error {
        let error = if self.subject.is_none() { error.if_not_opened(NO_SUBJECT) } else { error };
        error.at_field(field).in_record(self.context.record_type())
    }

    pub(crate) fn check_class(&self, class: Class) -> Result<(), Error> {
        if self.allows(class) { Ok(()) } else { Err(ErrorKind::ClassLocked.into()) }
    }

    /// Whether the record has the subject that its type needs. Asked before anything is drawn or sealed.
    pub(super) fn check_subject(&self) -> Result<(), Error> {
        if self.context.lacks_subject() { Err(ErrorKind::SubjectNotGiven.into()) } else { Ok(()) }
    }

    /// Whether both belong to the same unlocked keyring, and so have the same observer.
    pub(crate) fn shares_keyring(&self, other: &Self) -> bool {
        self.share.shares_keyring(&other.share)
    }

    /// Whether both are the same context of the same unlocked keyring, with the same subject key if any: what one opens the
    /// other opens, under the same ciphers.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let same_subject = match (self.subject(), other.subject()) {
            (None, None) => true,
            (Some(own), Some(other)) => own.is_same(other),
            _ => false,
        };
        same_subject && self.shares_keyring(other) && self.context.is_same(&other.context)
    }

    pub(crate) fn opened_record(&self) -> OpenedRecord<'_> {
        OpenedRecord {
            record_type: self.context.record_type(),
            record_id: self.context.record_id(),
            subject_id: self.context.subject_id(),
        }
    }
}

/// Whether `former` may be a former type of a record that has these types, the present one first (FORMAT 4.8).
pub(crate) fn check_former<'a>(mut known: impl Iterator<Item = &'a str>, former: &str) -> Result<(), Error> {
    const WHAT: &str = "former record type";
    const KNOWN: Reason = "a former record type is the present one, or is named twice";
    const TOO_MANY: Reason = "a record has at most 4 former types";
    Name::check(WHAT, former)?;
    let mut count = 0_usize;
    if known.any(|known| {
        count = count.saturating_add(1);
        known == former
    }) {
        return Err(Error::invalid_id(WHAT, KNOWN));
    }
    if count > MAX_FORMER { Err(Error::invalid_id(WHAT, TOO_MANY)) } else { Ok(()) }
}

/// Runs `work` with the AAD of a field in a context (FORMAT 4.4).
pub(crate) fn with_aad<T>(
    context: &Context,
    header: &[u8; HEADER_LEN],
    field: FieldId,
    work: impl FnOnce(&[u8]) -> T,
) -> T {
    let mut aad = [0; MAX_AAD];
    let id = field.as_str().as_bytes();
    if let Some((head, rest)) = aad.split_first_chunk_mut()
        && let Some((digest, rest)) = rest.split_first_chunk_mut()
        && let Some(room) = rest.get_mut(..id.len())
    {
        *head = *header;
        *digest = context.context_digest();
        #[cfg(all(fuzzing, rxseal_planted = "context"))] // A bug that fuzz/planted.sh must find.
        digest.fill(0);
        room.copy_from_slice(id);
    }
    work(aad.get(..HEADER_LEN.saturating_add(32).saturating_add(id.len())).unwrap_or_default())
}
