//! Expanded keys in memory that is wiped in one go.

use std::mem::ManuallyDrop;
use std::ops::Deref;

use zeroize::optimization_barrier;

/// An expanded key on the heap, overwritten on drop.
///
/// The ciphers' own `Drop` writes zeros byte by byte, which costs as much as sealing a short field does (RustCrypto's
/// `zeroize_flat_type`). Here the whole room is overwritten at once with an expanded key that is no secret, and held by a
/// barrier, as the documentation of zeroize advises for types of others.
pub(crate) struct Wiped<T: Blank>(Box<ManuallyDrop<T>>);

/// What a cipher is overwritten with: the expansion of a constant. Nothing is ever sealed or opened with it.
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

    /// Puts another cipher in the place of this one.
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
