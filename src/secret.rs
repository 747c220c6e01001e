//! Memory for keys and plaintext. It is wiped on drop and on growth, and shows nothing in `Debug`.
//!
//! # No unwritten room
//!
//! A value that moves to the heap takes its unwritten bytes along: the room that a small variant of an enum or an absent `Option`
//! leaves, or padding. Those bytes still hold what was on the stack before. Keys were seen there, and nobody wipes them.
//! So a type that goes to the heap writes all of its bytes: it boxes the large variants of an enum one by one, and instead of an
//! `Option` it has a pointer, or zeros and a flag. Comments elsewhere refer to this rule by its name.

use std::fmt;

use zeroize::optimization_barrier;

/// Overwrites `bytes` with zeros in a way that the compiler must keep.
///
/// One wide fill and one barrier: a volatile store per byte costs more than encrypting the bytes did.
pub(crate) fn wipe(bytes: &mut [u8]) {
    // An empty vector has no memory, and the masked store of a `memset` to nowhere takes some processors longer than SHA-256 does.
    if bytes.is_empty() {
        return;
    }
    bytes.fill(0);
    optimization_barrier(bytes);
}

/// Overwrites the stack below the caller's frame, where calls that have returned left their data.
#[inline(never)]
pub(crate) fn wipe_stack_below() {
    wipe(&mut [0xFF; 8 * 1024]);
}

/// Overwrites everything in `buffer` and empties it. The capacity does not change.
pub(crate) fn wipe_vec(buffer: &mut Vec<u8>) {
    wipe(buffer);
    buffer.clear();
}

/// Makes room for `additional` more bytes. If the buffer has to move, the old memory is wiped, which `Vec` does not do when
/// it grows.
#[inline]
pub(crate) fn reserve_wiping(buffer: &mut Vec<u8>, additional: usize) {
    // Each field calls this several times, and there is almost always room, so the rest is in a function of its own.
    if buffer.capacity().wrapping_sub(buffer.len()) < additional {
        grow_wiping(buffer, additional);
    }
}

#[cold]
#[inline(never)]
fn grow_wiping(buffer: &mut Vec<u8>, additional: usize) {
    move_wiping(buffer, buffer.len().saturating_add(additional).max(buffer.capacity().saturating_mul(2)).max(64));
}

/// The same as `reserve_wiping`, but with no spare room, for values that memory should hold little more than once.
pub(crate) fn reserve_exact_wiping(buffer: &mut Vec<u8>, additional: usize) {
    if buffer.capacity().wrapping_sub(buffer.len()) < additional {
        move_wiping(buffer, buffer.len().saturating_add(additional));
    }
}

fn move_wiping(buffer: &mut Vec<u8>, capacity: usize) {
    let mut moved = Vec::with_capacity(capacity);
    moved.extend_from_slice(buffer);
    wipe(buffer);
    *buffer = moved;
}

/// Plaintext that is being appended to a buffer. If it is dropped before it is [finished](Self::finish), even by a panic, the
/// plaintext is wiped and the buffer is as it was.
pub(crate) struct Unfinished<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
}

impl<'o> Unfinished<'o> {
    pub(crate) fn begin(out: &'o mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start }
    }

    pub(crate) fn vec(&mut self) -> &mut Vec<u8> {
        self.out
    }

    pub(crate) fn start(&self) -> usize {
        self.start
    }

    pub(crate) fn finish(self) {
        #[expect(clippy::disallowed_methods, reason = "it is only the duty to wipe what is not whole, and this is")]
        std::mem::forget(self);
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        wipe(self.out.get_mut(self.start..).unwrap_or_default());
        self.out.truncate(self.start);
    }
}

/// `N` secret bytes on the heap, so that moving the value leaves no copy behind.
///
/// It has no `Clone`, `Default`, `PartialEq` or serde, and `Debug` shows only the length.
pub(crate) struct SecretBytes<const N: usize>(Box<[u8; N]>);

impl<const N: usize> SecretBytes<N> {
    /// Fills the bytes in place.
    pub(crate) fn try_fill<E>(fill: impl FnOnce(&mut [u8; N]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0)?;
        Ok(secret)
    }

    pub(crate) fn copy_of(bytes: &[u8; N]) -> Self {
        let mut secret = Self(Box::new([0; N]));
        secret.0.copy_from_slice(bytes);
        secret
    }

    pub(crate) fn expose_bytes(&self) -> &[u8; N] {
        &self.0
    }

    /// Whether all bytes are zero: such a key is refused (FORMAT 1.8).
    pub(crate) fn is_zero(&self) -> bool {
        use subtle::ConstantTimeEq;
        self.0.ct_eq(&[0; N]).into()
    }
}

impl<const N: usize> Drop for SecretBytes<N> {
    fn drop(&mut self) {
        wipe(self.0.as_mut_slice());
    }
}

impl<const N: usize> fmt::Debug for SecretBytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes<{N}>([REDACTED])")
    }
}

/// A growing buffer of plaintext: wiped when it moves, when it is cleared and on drop.
#[derive(Default)]
pub(crate) struct PlainBuffer(Vec<u8>);

impl PlainBuffer {
    pub(crate) fn vec(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.0
    }

    pub(crate) fn clear(&mut self) {
        wipe_vec(&mut self.0);
    }
}

impl Drop for PlainBuffer {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for PlainBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainBuffer([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_byte() {
        let secret = SecretBytes::copy_of(&[0x41; 32]);
        assert_eq!(format!("{secret:?}"), "SecretBytes<32>([REDACTED])");
        let mut buffer = PlainBuffer::default();
        buffer.vec().extend_from_slice(b"Jane");
        assert_eq!(format!("{buffer:?}"), "PlainBuffer([REDACTED])");
    }

    #[test]
    fn every_length_is_wiped() {
        for len in 0..200 {
            let mut bytes = vec![0xA5; len + 2];
            wipe(&mut bytes[1..=len]);
            assert_eq!((bytes[0], bytes[len + 1]), (0xA5, 0xA5));
            assert!(bytes[1..=len].iter().all(|byte| *byte == 0), "{len}");
        }
    }

    #[test]
    fn growth_keeps_the_content() {
        let mut buffer = Vec::new();
        for i in 0..1000_u32 {
            reserve_wiping(&mut buffer, 4);
            buffer.extend_from_slice(&i.to_be_bytes());
        }
        assert_eq!(buffer.len(), 4000);
        assert_eq!(&buffer[3996..], &999_u32.to_be_bytes());
    }

    #[test]
    fn a_zero_key_is_seen() {
        assert!(SecretBytes::copy_of(&[0; 32]).is_zero());
        let mut one = [0; 32];
        one[31] = 1;
        assert!(!SecretBytes::copy_of(&one).is_zero());
    }
}
