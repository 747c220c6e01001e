//! How a `Phi` wipes its value on drop.

/// Types whose values can be copied: a fixed value takes their place.
macro_rules! overwrite {
    ($($type:ty = $value:expr;)*) => {$(
        impl Wipe for $type {
            fn wipe(&mut self) {
                self.overwrite($value);
            }

            fn wipe_all(values: &mut [Self]) {
                values.fill($value);
                zeroize::optimization_barrier(values);
            }
        }
    )*};
}

mod foreign;
mod plain;

use std::fmt;

use serde::ser::{Error as _, Serialize, Serializer};
use zeroize::optimization_barrier;

use crate::error::ErrorKind;
use crate::payload;
use crate::scope::{self, Writing};

/// A value that can be wiped from memory.
///
/// `#[derive(Wipe)]` (feature `derive`) wipes a type of yours field by field:
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use rxseal::{Phi, Wipe, phi};
///
/// #[derive(serde::Serialize, serde::Deserialize, Wipe)]
/// struct Name {
///     given: String,
///     family: String,
///     #[wipe(skip)]                       // holds nothing secret
///     version: u32,
/// }
///
/// struct Patient { name: Phi<Name, phi::PatientName> }
/// # }
/// ```
///
/// What can be wiped:
///
/// | types | what is overwritten |
/// |---|---|
/// | numbers, `bool`, `char`, `Duration`, IP addresses, arrays, tuples | all of it |
/// | `String`, `Box<str>`, `CString`, `Vec`, `VecDeque`, `Box`, `Option`, `Result` | all of it, with the spare room of the buffer; what an earlier, smaller buffer held is not |
/// | `BTreeMap`, `HashMap`, `BTreeSet`, `HashSet` | values, and what keys have on the heap, such as a text; the table itself, with keys that are numbers, is not |
/// | `serde_json::Value` | as the maps above |
/// | `zeroize::Zeroizing<T>` | what `T` itself wipes: use it for types of other crates that implement `Zeroize` |
/// | dates and times of `chrono`, `time` and `jiff`, `Decimal`, `Uuid` (features `chrono_0_4`, `time_0_3`, `jiff_0_2`, `rust_decimal_1`, `uuid_1`) | the value; its time zone is not |
///
/// A value that can be copied, such as a number or a date, leaves copies wherever the program moves it. Only the one inside the
/// `Phi` is wiped. A type of another crate that is not in the table can be held as [`NotWiped`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be wiped from memory, so `Phi` cannot hold it",
    note = "write `#[derive(rxseal::Wipe)]` on a type of yours (feature `derive`); dates, decimals and `Uuid` need the feature of their \
            crate, such as `time_0_3`",
    note = "a type of another crate that cannot be wiped is held as `Phi<NotWiped<{Self}>, Field>` (`rxseal::forms::NotWiped`)"
)]
pub trait Wipe {
    /// Overwrites the value. It stays a valid value of its type.
    fn wipe(&mut self);

    /// Overwrites many values: of plain numbers in one go.
    #[doc(hidden)]
    fn wipe_all(values: &mut [Self])
    where
        Self: Sized,
    {
        values.iter_mut().for_each(Self::wipe);
    }

    /// Replaces the value in a way that the compiler must keep.
    #[doc(hidden)]
    fn overwrite(&mut self, with: Self)
    where
        Self: Sized,
    {
        *self = with;
        optimization_barrier(self);
    }
}

/// A value that is not wiped, so it may stay in freed memory. Use it for types of other crates that cannot be wiped; [`Wipe`] lists
/// those that can.
///
/// It does not seal by itself. serde writes it inside a field that is sealed or exposed, such as `Phi<NotWiped<Date>, F>`, and refuses
/// to write it anywhere else, because it would be plaintext there. `Debug` is redacted.
///
/// ```
/// use rxseal::forms::NotWiped;
/// use rxseal::{Phi, phi};
/// use std::time::SystemTime;
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Patient {
///     admitted: Phi<NotWiped<SystemTime>, phi::FillDate>,
/// }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let patient = Patient { admitted: NotWiped(SystemTime::UNIX_EPOCH).into() };
/// let row = serde_json::to_string(&keys.record("patient", "P-7")?.sealing(&patient))?;
/// assert!(!row.contains("epoch"));
/// assert!(serde_json::to_string(&NotWiped(SystemTime::UNIX_EPOCH)).is_err());
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
