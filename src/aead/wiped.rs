//! Expanded keys in memory that is wiped in one go.

use std::mem::ManuallyDrop;
use std::ops::Deref;

use zeroize::optimization_barrier;

/// An expanded key on the heap, overwritten on drop.
///
/// The ciphers' own `Drop` writes zeros byte by byte (RustCrypto's `zeroize_flat_type`), which costs as much as sealing
/// a short field. Here the whole room is overwritten at once with an expanded key that is not secret. A barrier keeps
/// the write, as the documentation of zeroize advises for foreign types.
pub(crate) struct Wiped<T: Blank>(Box<ManuallyDrop<T>>);

/// What a cipher is overwritten with: an expanded constant. It never seals or opens anything.
pub(crate) trait Blank {
    fn blank() -> Self;
}

impl<T: Blank> Wiped<T> {
    pub(super) fn new(cipher: T) -> Self {
        Self(Box::new(ManuallyDrop::new(cipher)))
    }

    pub(super) fn wipe(&mut self) {
        self.replace(T::blank());
        optimization_barrier(&*self.0);
    }

    /// Replaces this cipher by another one.
    pub(super) fn replace(&mut self, cipher: T) {
        *self.0 = ManuallyDrop::new(cipher);
    }
}

impl<T: Blank> Deref for Wiped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Blank> Drop for Wiped<T> {
    fn drop(&mut self) {
        self.wipe();
    }
}
