//! What a `Phi` does to its value on drop.

use std::fmt;

use zeroize::Zeroize;

/// A value that can be wiped from memory: everything that implements [`zeroize::Zeroize`], and [`NotWiped`] by name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be wiped from memory",
    note = "derive `zeroize::Zeroize` for it, or hold it as `NotWiped<{Self}>` where it cannot be (dates, decimals)"
)]
pub trait Wipe {
    /// Overwrites the value.
    fn wipe(&mut self);
}

// Else the compiler asks for a trait of zeroize's insides, and the note above is never read.
#[diagnostic::do_not_recommend]
impl<T: Zeroize + ?Sized> Wipe for T {
    fn wipe(&mut self) {
        self.zeroize();
    }
}

/// A value that stays in freed memory, said by name: for types of other crates that cannot be wiped, such as dates and
/// decimals.
///
/// Transparent to serde; `Debug` is redacted.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct NotWiped<T>(pub T);

impl<T> Wipe for NotWiped<T> {
    fn wipe(&mut self) {}
}

impl<T> fmt::Debug for NotWiped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}
