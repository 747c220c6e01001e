//! Record contexts, to which every token of a record is bound (FORMAT 4).

mod digest;

use std::ops::Range;

use crate::backend::Backend;
use crate::codec::frame::{FrameWriter, HEAD, domain};
use crate::error::{Error, Reason};
use crate::id::{Identifier, Name};
use crate::kdf;

use digest::LazyDigest;

/// FORMAT 4.1
const MAX_PARTS: usize = 8;

/// The offset of the keyspace: after the frame's domain and its own head.
const KEYSPACE_START: usize = HEAD + domain::CONTEXT.len() + HEAD;

/// A record context: its bytes (FORMAT 4.1), the ranges of the ids in them, and their digest. It takes one allocation.
pub(crate) struct Context {
    bytes: Vec<u8>,
    record_type: Range<usize>,
    /// Empty if there is no record id; an id is never empty. No `Option`: see "No unwritten room" in `secret`.
    record_id: Range<usize>,
    subject_id: Range<usize>,
    parts: Range<usize>,
    part_count: usize,
    is_wide: bool,
    needs_subject: bool,
    backend: Backend,
    digest: LazyDigest,
}

/// The ids of a context, before they are encoded.
#[derive(Clone, Copy)]
struct Ids<'a> {
    keyspace: &'a [u8],
    record_type: &'a str,
    record_id: Option<&'a str>,
    subject_id: Option<&'a str>,
    part_path: &'a [u8],
    part_count: usize,
    is_wide: bool,
    needs_subject: bool,
    backend: Backend,
}

impl Context {
    pub(crate) fn new(
        backend: Backend,
        keyspace: &Name,
        record_type: &str,
        record_id: Option<&Identifier<'_>>,
    ) -> Result<Self, Error> {
        Name::check("record type", record_type)?;
        let record_id = record_id.map(|id| id.parse("record id")).transpose()?;
        let keyspace = keyspace.as_str().as_bytes();
        let ids = Ids {
            keyspace,
            record_type,
            record_id,
            subject_id: None,
            part_path: &[],
            part_count: 0,
            is_wide: false,
            needs_subject: false,
            backend,
        };
        Ok(Self::encode(ids))
    }

    /// The same ids as a wide context (FORMAT 4.3); unbound stays unbound.
    pub(crate) fn to_wide(&self) -> Self {
        Self::encode(Ids { is_wide: true, ..self.ids() })
    }

    /// The same context, in which nothing is sealed without a subject. It has the same bytes.
    pub(crate) fn needing_subject(self) -> Self {
        Self { needs_subject: true, ..self }
    }

    /// The same ids under another record type (FORMAT 4.8).
    pub(crate) fn with_record_type(&self, record_type: &str) -> Result<Self, Error> {
        Name::check("record type", record_type)?;
        Ok(Self::encode(Ids { record_type, ..self.ids() }))
    }

    /// The same context with a subject.
    pub(crate) fn with_subject(&self, subject: &str) -> Self {
        Self::encode(Ids { subject_id: Some(subject), ..self.ids() })
    }

    /// The context of one part of this one.
    pub(crate) fn with_part(&self, name: &str, id: &Identifier<'_>) -> Result<Self, Error> {
        const REASON: Reason = "a record's parts nest at most 8 deep";
        Name::check("part name", name)?;
        let id = id.parse("part id")?;
        let part_count = self.part_count.saturating_add(1);
        if part_count > MAX_PARTS {
            return Err(Error::invalid_id("part path", REASON));
        }
        let mut part_path = self.ids().part_path.to_vec();
        FrameWriter::new(domain::PART, &mut part_path).part(1, name.as_bytes()).part(2, id.as_bytes());
        Ok(Self::encode(Ids { part_path: &part_path, part_count, ..self.ids() }))
    }

    pub(crate) fn record_type(&self) -> &str {
        self.text(&self.record_type)
    }

    pub(crate) fn record_id(&self) -> Option<&str> {
        (!self.record_id.is_empty()).then(|| self.text(&self.record_id))
    }

    pub(crate) fn subject_id(&self) -> Option<&str> {
        (!self.subject_id.is_empty()).then(|| self.text(&self.subject_id))
    }

    /// Whether a subject is still to be given before anything is sealed.
    pub(crate) fn lacks_subject(&self) -> bool {
        self.needs_subject && self.subject_id.is_empty()
    }

    /// Whether letter `X` seals here (FORMAT 5.1).
    pub(crate) fn is_bound(&self) -> bool {
        self.has_record_id() && !self.is_wide
    }

    /// Whether letter `X` opens here (FORMAT 5.1).
    pub(crate) fn has_record_id(&self) -> bool {
        !self.record_id.is_empty()
    }

    /// FORMAT 4.2
    pub(crate) fn context_digest(&self) -> [u8; 32] {
        self.digest.get(|| kdf::sha256(self.backend, &self.bytes))
    }

    /// The first 12 bytes of the digest: the first half of every nonce of letter `X` (FORMAT 5).
    pub(crate) fn nonce_prefix(&self) -> [u8; 12] {
        // A digest has 32 bytes, so the default is never used.
        self.context_digest().first_chunk().copied().unwrap_or_default()
    }

    /// Whether both have the same bytes, and so the same ids: the encoding is injective (FORMAT 4.1).
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }

    #[cfg(test)]
    pub(crate) fn context_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn ids(&self) -> Ids<'_> {
        // The keyspace is the first part after the domain. It ends where the head of the record type begins.
        let keyspace_end = self.record_type.start.saturating_sub(HEAD);
        Ids {
            keyspace: self.bytes.get(KEYSPACE_START..keyspace_end).unwrap_or_default(),
            record_type: self.record_type(),
            record_id: self.record_id(),
            subject_id: self.subject_id(),
            part_path: self.bytes.get(self.parts.clone()).unwrap_or_default(),
            part_count: self.part_count,
            is_wide: self.is_wide,
            needs_subject: self.needs_subject,
            backend: self.backend,
        }
    }

    fn text(&self, range: &Range<usize>) -> &str {
        // Every range was recorded when a `str` was written there.
        self.bytes.get(range.clone()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// FORMAT 4.1
    fn encode(ids: Ids<'_>) -> Self {
        let texts = [ids.record_type.len(), ids.record_id.map_or(0, str::len), ids.subject_id.map_or(0, str::len)];
        let lengths = texts.into_iter().chain([ids.keyspace.len(), ids.part_path.len(), KEYSPACE_START, 4 * HEAD]);
        let mut bytes = Vec::with_capacity(lengths.sum());
        let frame = FrameWriter::new(domain::CONTEXT, &mut bytes).part(1, ids.keyspace);
        let frame = frame.part(2, ids.record_type.as_bytes());
        let record_type = frame.last_part(ids.record_type.len());
        let frame = frame.optional_part(3, ids.record_id.map(str::as_bytes));
        let record_id = ids.record_id.map_or(0..0, |id| frame.last_part(id.len()));
        let frame = frame.optional_part(4, ids.subject_id.map(str::as_bytes));
        let subject_id = ids.subject_id.map_or(0..0, |id| frame.last_part(id.len()));
        let frame = frame.optional_part(6, (ids.part_count > 0).then_some(ids.part_path));
        let parts = frame.last_part(ids.part_path.len());
        Self {
            bytes,
            record_type,
            record_id,
            subject_id,
            parts,
            part_count: ids.part_count,
            is_wide: ids.is_wide,
            needs_subject: ids.needs_subject,
            backend: ids.backend,
            digest: LazyDigest::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_every_way_of_making_a_context() {
        let keyspace = Name::parse("keyspace", "pharmacy-17").unwrap();
        let context = Context::new(Backend::RustCrypto, &keyspace, "prescription", Some(&"RX-1".into())).unwrap();
        let context = context.with_part("line", &"7".into()).unwrap().with_subject("P-1");
        let context = context.with_part("fill", &"2".into()).unwrap();
        let straight = Context::new(Backend::RustCrypto, &keyspace, "prescription", Some(&"RX-1".into()))
            .unwrap()
            .with_subject("P-1");
        let straight = straight.with_part("line", &"7".into()).unwrap().with_part("fill", &"2".into()).unwrap();
        assert_eq!(context.bytes, straight.bytes);
        assert_eq!(context.record_type(), "prescription");
        assert_eq!((context.record_id(), context.subject_id()), (Some("RX-1"), Some("P-1")));
        assert_eq!(context.with_subject("P-1").bytes, context.bytes);
        assert!(context.is_bound());
        assert!(!context.to_wide().is_bound());
    }
}
