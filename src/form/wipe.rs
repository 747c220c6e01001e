//! How a `Phi` wipes its value on drop.

use std::fmt;

use serde::ser::{Error as _, Serialize, Serializer};
use zeroize::Zeroize;

use crate::error::ErrorKind;
use crate::payload;
use crate::scope::{self, Writing};

/// A value that can be wiped from memory: every type that implements [`zeroize::Zeroize`]. [`NotWiped`] opts out explicitly.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be wiped from memory",
    note = "derive `zeroize::Zeroize` for it, or hold it as `NotWiped<{Self}>` where it cannot be (dates, decimals)"
)]
pub trait Wipe {
    /// Overwrites the value.
    fn wipe(&mut self);
}

// Without this the compiler names an internal trait of zeroize, and nobody reads the note above.
#[diagnostic::do_not_recommend]
impl<T: Zeroize + ?Sized> Wipe for T {
    fn wipe(&mut self) {
        self.zeroize();
    }
}

/// A value that is not wiped, so it may stay in freed memory. Use it for types of other crates that cannot be wiped, such as dates
/// and decimals.
///
/// It does not seal by itself. serde writes it inside a field that is sealed or exposed, such as `Phi<NotWiped<Date>, F>`, and refuses
/// to write it anywhere else, because it would be plaintext there. `Debug` is redacted.
///
/// ```
/// use rxseal::forms::NotWiped;
/// use rxseal::{Phi, phi};
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Patient {
///     born: Phi<NotWiped<(u16, u8, u8)>, phi::BirthDate>,
/// }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let patient = Patient { born: NotWiped((1970, 1, 1)).into() };
/// let row = serde_json::to_string(&keys.record("patient", "P-7")?.sealing(&patient))?;
/// assert!(!row.contains("1970"));
/// assert!(serde_json::to_string(&NotWiped((1970, 1, 1))).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct NotWiped<T>(pub T);

impl<T: Serialize> Serialize for NotWiped<T> {
    /// Fails outside of a field that is sealed or exposed.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if payload::is_writing() || matches!(scope::writing(), Ok(Writing::Expose)) {
            return self.0.serialize(serializer);
        }
        let reason = "a `NotWiped` alone is not sealed: hold the value as `Phi<NotWiped<T>, Field>`";
        Err(scope::keep(ErrorKind::ScopeMissing.because(reason), |text| S::Error::custom(text)))
    }
}

impl<T> Wipe for NotWiped<T> {
    fn wipe(&mut self) {}
}

impl<T> fmt::Debug for NotWiped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}
