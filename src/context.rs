//! Record contexts: what every token of a record is bound to (FORMAT 4).

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::codec::frame::{FrameWriter, domain};
use crate::error::{Error, ErrorKind, Reason};
use crate::id::{Identifier, Name};

/// FORMAT 4.1
const MAX_PARTS: usize = 8;

/// How a record id names rows (FORMAT 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    Bound,
    Wide,
    Unbound,
}

/// A record context: its ids in one allocation, and their digest.
#[derive(Clone)]
pub(crate) struct Context {
    /// keyspace | record type | record id | subject id | part path (frames), one after the other.
    ids: Vec<u8>,
    ends: Ends,
    parts: usize,
    binding: Binding,
    has_subject: bool,
    digest: [u8; 32],
}

#[derive(Clone, Copy)]
struct Ends {
    keyspace: usize,
    record_type: usize,
    record_id: usize,
    subject_id: usize,
}

impl Context {
    pub(crate) fn new(keyspace: &Name, record_type: &str, record_id: Option<&Identifier<'_>>) -> Result<Self, Error> {
        Name::check("record type", record_type)?;
        let (id, binding) = match record_id {
            Some(id) => (id.parse("record id")?, Binding::Bound),
            None => ("", Binding::Unbound),
        };
        let mut ids = Vec::with_capacity(96);
        let mut end_after = |text: &str| {
            ids.extend_from_slice(text.as_bytes());
            ids.len()
        };
        let keyspace = end_after(keyspace.as_str());
        let record_type = end_after(record_type);
        let record_id = end_after(id);
        let ends = Ends { keyspace, record_type, record_id, subject_id: record_id };
        let mut context = Self { ids, ends, parts: 0, binding, has_subject: false, digest: [0; 32] };
        context.digest();
        Ok(context)
    }

    /// The same ids as a wide context (FORMAT 4.3); unbound stays unbound.
    pub(crate) fn into_wide(mut self) -> Self {
        if self.binding == Binding::Bound {
            self.binding = Binding::Wide;
        }
        self
    }

    /// The same context with a subject, before any part is added.
    pub(crate) fn with_subject(&self, subject: &str) -> Self {
        let (head, path) = self.ids.split_at_checked(self.ends.subject_id).unwrap_or_default();
        let mut ids = Vec::with_capacity(self.ids.len().saturating_add(subject.len()));
        ids.extend_from_slice(head.get(..self.ends.record_id).unwrap_or_default());
        ids.extend_from_slice(subject.as_bytes());
        let subject_id = ids.len();
        ids.extend_from_slice(path);
        let ends = Ends { subject_id, ..self.ends };
        let mut context = Self { ids, ends, has_subject: true, ..*self };
        context.digest();
        context
    }

    /// The context of one part of this one.
    pub(crate) fn with_part(&self, name: &str, id: &Identifier<'_>) -> Result<Self, Error> {
        const REASON: Reason = "a record's parts nest at most 8 deep";
        Name::check("part name", name)?;
        let id = id.parse("part id")?;
        let parts = self.parts.saturating_add(1);
        if parts > MAX_PARTS {
            return Err(ErrorKind::InvalidId { what: "part path", reason: REASON }.into());
        }
        let mut ids = self.ids.clone();
        FrameWriter::new(domain::PART, &mut ids).part(1, name.as_bytes()).part(2, id.as_bytes());
        let mut context = Self { ids, parts, ..*self };
        context.digest();
        Ok(context)
    }

    pub(crate) fn record_type(&self) -> &str {
        self.text(self.ends.keyspace..self.ends.record_type)
    }

    pub(crate) fn record_id(&self) -> Option<&str> {
        (self.binding != Binding::Unbound).then(|| self.text(self.ends.record_type..self.ends.record_id))
    }

    pub(crate) fn subject_id(&self) -> Option<&str> {
        self.has_subject.then(|| self.text(self.ends.record_id..self.ends.subject_id))
    }

    pub(crate) fn is_bound(&self) -> bool {
        self.binding == Binding::Bound
    }

    pub(crate) fn has_record_id(&self) -> bool {
        self.binding != Binding::Unbound
    }

    /// FORMAT 4.2
    pub(crate) fn context_digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The first 12 bytes of the digest: the first half of every nonce of letter `X` (FORMAT 5).
    pub(crate) fn nonce_prefix(&self) -> [u8; 12] {
        let mut prefix = [0; 12];
        prefix.iter_mut().zip(self.digest).for_each(|(to, from)| *to = from);
        prefix
    }

    fn text(&self, range: Range<usize>) -> &str {
        // Everything in `ids` before the part path came from `str`, cut at the ends recorded for it.
        self.ids.get(range).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    fn digest(&mut self) {
        self.digest = Sha256::digest(self.context_bytes()).into();
    }

    /// FORMAT 4.1
    fn context_bytes(&self) -> Vec<u8> {
        let path = self.ids.get(self.ends.subject_id..).unwrap_or_default();
        let keyspace = self.ids.get(..self.ends.keyspace).unwrap_or_default();
        let mut bytes = Vec::with_capacity(self.ids.len().saturating_add(64));
        FrameWriter::new(domain::CONTEXT, &mut bytes)
            .part(1, keyspace)
            .part(2, self.record_type().as_bytes())
            .optional_part(3, self.record_id().map(str::as_bytes))
            .optional_part(4, self.subject_id().map(str::as_bytes))
            .optional_part(6, (self.parts > 0).then_some(path));
        bytes
    }
}
