//! Makes payloads of bytes around the content of a buffer, and removes them again. A value is copied once, however
//! large it is.

use super::write::PayloadPlace;
use super::{KIND_BYTES, PAD_START};
use crate::error::{Error, ErrorKind};
use crate::secret::{reserve_exact_wiping, wipe};

/// Turns the content of `buffer` into `place.head` zero bytes and a payload (FORMAT 7, 7.2). On an error the buffer is
/// unchanged.
pub(crate) fn wrap_bytes(place: PayloadPlace, buffer: &mut Vec<u8>) -> Result<(), Error> {
    let len = buffer.len();
    if len > place.limits.max() {
        return Err(ErrorKind::TooLarge.into());
    }
    let front = place.head.saturating_add(1);
    let padding = place.limits.padding(len.saturating_add(1));
    reserve_exact_wiping(buffer, front.saturating_add(padding).saturating_add(place.tail));
    buffer.resize(len.saturating_add(front), 0);
    buffer.copy_within(..len, front);
    if let Some((kind, head)) = buffer.get_mut(..front).and_then(<[u8]>::split_last_mut) {
        head.fill(0);
        *kind = KIND_BYTES;
    }
    buffer.push(PAD_START);
    buffer.resize(buffer.len().saturating_add(padding).saturating_sub(1), 0);
    Ok(())
}

/// Undoes `wrap_bytes` of `len` bytes.
pub(crate) fn unwrap_bytes(head: usize, len: usize, buffer: &mut Vec<u8>) {
    keep(buffer, 0, head.saturating_add(1), len);
}

/// Moves `len` bytes from `start` to `to`, and wipes everything after them.
pub(crate) fn keep(buffer: &mut Vec<u8>, to: usize, start: usize, len: usize) {
    let end = start.saturating_add(len).min(buffer.len());
    buffer.copy_within(start.min(end)..end, to.min(start));
    let kept = to.saturating_add(len);
    wipe(buffer.get_mut(kept..).unwrap_or_default());
    buffer.truncate(kept);
}
