//! Wiping what was opened and nobody gets. The derive sees no types, so the compiler chooses.

use crate::form::Wipe;

/// A value of a sealed field. An inherent method comes before that of a trait.
#[derive(Debug)]
pub struct Wiping<'a, T>(pub &'a mut T);

impl<T: Wipe> Wiping<'_, T> {
    /// Wipes the value.
    pub fn wipe_if_it_can(self) {
        self.0.wipe();
    }
}

/// A value whose type cannot be wiped.
pub trait CannotWipe: Sized {
    /// Leaves it as it is. A `Phi` is wiped when it is dropped.
    fn wipe_if_it_can(self) {}
}

impl<T> CannotWipe for Wiping<'_, T> {}
