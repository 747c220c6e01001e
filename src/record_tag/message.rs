//! The message whose HMAC is in a tag (FORMAT 14.3 to 14.6).

use super::HEAD_LEN;
use super::cover::{Cover, Element, Kind};
use crate::codec::frame::{HEAD, domain, part_head};
use crate::error::{Error, ErrorKind};

/// The length in bytes of what is before an element.
const LENGTH: usize = 4;

/// A message over sorted elements.
pub(super) struct Message<'c> {
    clear: List<'c>,
    sealed: List<'c>,
}

impl<'c> Message<'c> {
    /// The message over the elements that this cover number covers.
    pub(super) fn of(cover: &'c Cover, number: u8) -> Result<Self, Error> {
        let list = |kind| List::of(cover, kind, number.into());
        Ok(Self { clear: list(Kind::Clear)?, sealed: list(Kind::Sealed)? })
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        const FIXED: usize = 5 * HEAD + domain::RECORD.len() + HEAD_LEN + 32;
        FIXED.saturating_add(self.clear.len).saturating_add(self.sealed.len)
    }

    /// Appends the message, under this head and digest.
    pub(super) fn write(&self, head: &[u8; HEAD_LEN], digest: &[u8; 32], out: &mut Vec<u8>) {
        write_part(0, domain::RECORD.as_bytes(), out);
        write_part(1, head, out);
        write_part(2, digest, out);
        self.clear.write(3, out);
        self.sealed.write(4, out);
    }
}

fn write_part(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&part_head(tag, bytes.len()));
    out.extend_from_slice(bytes);
}

/// The message over these elements, with a head and a context of zeros.
#[cfg(fuzzing)]
pub(crate) fn message_of(cover: &mut Cover, number: u8) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    cover.sort().ok()?;
    Message::of(cover, number).ok()?.write(&[0; HEAD_LEN], &[0; 32], &mut out);
    Some(out)
}

/// The elements of one kind that a cover number covers.
struct List<'c> {
    cover: &'c Cover,
    kind: Kind,
    number: u32,
    /// All of them together, in bytes.
    len: usize,
}

impl<'c> List<'c> {
    fn of(cover: &'c Cover, kind: Kind, number: u32) -> Result<Self, Error> {
        let mut list = Self { cover, kind, number, len: 0 };
        let with_length = |element| LENGTH.saturating_add(Self::element_len(element));
        list.len = list.elements().map(with_length).fold(0, usize::saturating_add);
        if u32::try_from(list.len).is_ok() { Ok(list) } else { Err(ErrorKind::TooLarge.into()) }
    }

    fn elements(&self) -> impl Iterator<Item = &'c Element> {
        let (kind, number) = (self.kind, self.number);
        self.cover.elements().iter().filter(move |element| element.kind == kind && element.since <= number)
    }

    fn element_len(element: &Element) -> usize {
        let path = if element.path.is_empty() { 0 } else { HEAD.saturating_add(element.path.len()) };
        HEAD.saturating_add(element.id.len()).saturating_add(element.value.len()).saturating_add(path)
    }

    /// FORMAT 14.6
    fn write(&self, tag: u8, out: &mut Vec<u8>) {
        out.extend_from_slice(&part_head(tag, self.len));
        for element in self.elements() {
            // The whole list has a length of 4 bytes, as `of` saw.
            let [a, b, c, d] = u32::try_from(Self::element_len(element)).unwrap_or(u32::MAX).to_be_bytes();
            let [tag, e, f, g, h] = part_head(1, element.id.len());
            out.extend_from_slice(&[a, b, c, d, tag, e, f, g, h]);
            out.extend_from_slice(element.id.as_bytes());
            out.extend_from_slice(self.cover.value_part(element));
            if !element.path.is_empty() {
                write_part(3, self.cover.path(element), out);
            }
        }
    }
}
