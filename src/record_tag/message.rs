//! The message whose HMAC is in a tag (FORMAT 14.3 to 14.6).

use super::HEAD_LEN;
use super::cover::{Cover, Element, Kind};
use crate::codec::frame::{FrameWriter, HEAD, domain};
use crate::error::{Error, ErrorKind};

/// The length in bytes of what is before an element.
const LENGTH: usize = 4;

/// Appends the message. The elements are sorted.
pub(super) fn write(
    head: &[u8; HEAD_LEN],
    digest: &[u8; 32],
    cover: &Cover,
    number: u8,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let [clear, sealed] = [Kind::Clear, Kind::Sealed].map(|kind| List { cover, kind, number });
    let [clear_len, sealed_len] = [clear.len()?, sealed.len()?];
    FrameWriter::new(domain::RECORD, out)
        .part(1, head)
        .part(2, digest)
        .written_part(3, clear_len, |out| clear.write(out))
        .written_part(4, sealed_len, |out| sealed.write(out));
    Ok(())
}

/// The message over these elements, with a head and a context of zeros.
#[cfg(fuzzing)]
pub(crate) fn message_of(cover: &mut Cover, number: u8) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    cover.sort().ok()?;
    write(&[0; HEAD_LEN], &[0; 32], cover, number, &mut out).ok()?;
    Some(out)
}

/// The elements of one kind that a cover number covers.
struct List<'c> {
    cover: &'c Cover,
    kind: Kind,
    number: u8,
}

impl List<'_> {
    fn elements(&self) -> impl Iterator<Item = &Element> {
        self.cover.elements.iter().filter(|element| element.kind == self.kind && element.since <= self.number)
    }

    fn len(&self) -> Result<u32, Error> {
        let len = self
            .elements()
            .fold(0_usize, |sum, element| sum.saturating_add(LENGTH).saturating_add(self.element_len(element)));
        u32::try_from(len).map_err(|_| ErrorKind::TooLarge.into())
    }

    fn element_len(&self, element: &Element) -> usize {
        let path = self.cover.path(element).len();
        let path = if path > 0 { HEAD.saturating_add(path) } else { 0 };
        let [id, value] = [element.id.len(), self.cover.value(element).len()].map(|len| HEAD.saturating_add(len));
        id.saturating_add(value).saturating_add(path)
    }

    /// FORMAT 14.6
    fn write(&self, out: &mut Vec<u8>) {
        for element in self.elements() {
            // The whole list has a length of 4 bytes, as `len` saw.
            let len = u32::try_from(self.element_len(element)).unwrap_or(u32::MAX);
            out.extend_from_slice(&len.to_be_bytes());
            let path = self.cover.path(element);
            FrameWriter::element(out)
                .part(1, element.id.as_bytes())
                .part(2, self.cover.value(element))
                .optional_part(3, (!path.is_empty()).then_some(path));
        }
    }
}
