//! Frames: the only encoding of everything that is bound (FORMAT 2).

use std::ops::Range;

/// Domain strings (FORMAT 2.3).
pub(crate) mod domain {
    pub(crate) const KEY: &str = "rxseal/v1/key";
    pub(crate) const CONTEXT: &str = "rxseal/v1/context";
    pub(crate) const PART: &str = "rxseal/v1/part";
    pub(crate) const SUBJECT: &str = "rxseal/v1/subject";
    pub(crate) const SUBJECT_WRAP: &str = "rxseal/v1/subject-wrap";
    pub(crate) const KEK_WRAP: &str = "rxseal/v1/kek-wrap";
    pub(crate) const KEYRING: &str = "rxseal/v1/keyring";
    pub(crate) const KEYRING_KEY: &str = "rxseal/v1/keyring-key";
    pub(crate) const KEYRING_BODY: &str = "rxseal/v1/keyring-body";
    pub(crate) const RECORD: &str = "rxseal/v1/record";
    pub(crate) const INDEX_DEFINITION: &str = "rxseal/v1/index-definition";
    pub(crate) const INDEX_COMPONENTS: &str = "rxseal/v1/index-components";
    pub(crate) const INDEX_SLOTS: &str = "rxseal/v1/index-slots";
    pub(crate) const INDEX_SLOT_ENTRY: &str = "rxseal/v1/index-slot-entry";
    pub(crate) const INDEX_PREFIX: &str = "rxseal/v1/index-prefix";
    pub(crate) const INDEX_SLOT: &str = "rxseal/v1/index-slot";
    pub(crate) const INDEX_VALUE: &str = "rxseal/v1/index-value";
}

/// The length in bytes of what `push` writes before a part.
pub(crate) const HEAD: usize = 5;

/// What is before a part of `len` bytes.
#[inline]
pub(crate) fn part_head(tag: u8, len: usize) -> [u8; HEAD] {
    // Everything that is framed is bounded far below 4 GiB (1 MiB keyrings, 64-byte names, 255-byte ids).
    let [a, b, c, d] = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
    [tag, a, b, c, d]
}

/// Appends one frame (FORMAT 2.1) to a buffer. If the buffer already has frames, the result is a list (FORMAT 2.2).
pub(crate) struct FrameWriter<'b> {
    out: &'b mut Vec<u8>,
    last_tag: u8,
}

impl<'b> FrameWriter<'b> {
    pub(crate) fn new(domain: &'static str, out: &'b mut Vec<u8>) -> Self {
        let mut writer = Self { out, last_tag: 0 };
        writer.push(0, domain.as_bytes());
        writer
    }

    /// The parts of an element of a record tag's list (FORMAT 14.6), which has no part 0.
    pub(crate) fn element(out: &'b mut Vec<u8>) -> Self {
        Self { out, last_tag: 0 }
    }

    /// Adds a part. Tags are constants of this crate and ascend.
    pub(crate) fn part(mut self, tag: u8, bytes: &[u8]) -> Self {
        debug_assert!(tag > self.last_tag, "tags ascend");
        self.push(tag, bytes);
        self
    }

    pub(crate) fn optional_part(self, tag: u8, bytes: Option<&[u8]>) -> Self {
        match bytes {
            Some(bytes) => self.part(tag, bytes),
            None => self,
        }
    }

    /// The range of the last part, which has `len` bytes.
    pub(crate) fn last_part(&self, len: usize) -> Range<usize> {
        self.out.len().saturating_sub(len)..self.out.len()
    }

    fn push(&mut self, tag: u8, bytes: &[u8]) {
        self.out.reserve(HEAD.saturating_add(bytes.len()));
        self.out.extend_from_slice(&part_head(tag, bytes.len()));
        self.out.extend_from_slice(bytes);
        self.last_tag = tag;
    }
}

/// Reads one part from the front of `bytes`. Returns its tag, its content and the rest.
fn split_part(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
    #[cfg(all(fuzzing, rxseal_planted = "allocation"))] // A bug that fuzz/planted.sh must find.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(len)));
    let (content, rest) = rest.split_at_checked(len)?;
    Some((*tag, content, rest))
}

/// Reads one frame of `domain` with exactly the parts `tags` from the front of `bytes` (FORMAT 2.4).
pub(crate) fn split_frame<'a, const N: usize>(
    domain: &str,
    tags: [u8; N],
    bytes: &'a [u8],
) -> Option<([&'a [u8]; N], &'a [u8])> {
    let (0, found, mut rest) = split_part(bytes)? else { return None };
    if found != domain.as_bytes() {
        return None;
    }
    let mut parts: [&[u8]; N] = [&[]; N];
    for (slot, wanted) in parts.iter_mut().zip(tags) {
        let (tag, content, after) = split_part(rest)?;
        if tag != wanted {
            return None;
        }
        *slot = content;
        rest = after;
    }
    Some((parts, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout() {
        let mut out = Vec::new();
        FrameWriter::new("d", &mut out).part(1, b"").optional_part(2, None).part(7, b"xy");
        assert_eq!(out, b"\x00\0\0\0\x01d\x01\0\0\0\0\x07\0\0\0\x02xy");
    }

    #[test]
    fn the_reader_takes_exactly_what_was_written() {
        let mut list = Vec::new();
        FrameWriter::new("d", &mut list).part(1, b"a").part(2, b"b");
        FrameWriter::new("d", &mut list).part(1, b"c").part(2, b"");
        let ([a, b], rest) = split_frame("d", [1, 2], &list).unwrap();
        assert_eq!((a, b), (&b"a"[..], &b"b"[..]));
        let ([c, d], rest) = split_frame("d", [1, 2], rest).unwrap();
        assert_eq!((c, d, rest), (&b"c"[..], &b""[..], &b""[..]));
        assert!(split_frame("e", [1, 2], &list).is_none());
        assert!(split_frame("d", [2, 1], &list).is_none());
        for cut in 0..list.len() / 2 {
            assert!(split_frame("d", [1, 2], &list[..cut]).is_none(), "{cut}");
        }
    }
}
