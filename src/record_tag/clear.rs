//! Clear values as canonical text (FORMAT 14.8): what a tag covers of a readable column.

/// Implements [`ClearValue`] for the types of another crate, each with what makes its text.
#[cfg(any(feature = "chrono_0_4", feature = "time_0_3", feature = "jiff_0_2"))]
macro_rules! clear_texts {
    ($($type:ty: $text:expr;)*) => {$(
        impl ClearValue for $type {
            fn clear_text(&self) -> Result<Cow<'_, str>, Error> {
                let text: fn(Self) -> Result<String, Error> = $text;
                text(*self).map(Cow::from)
            }
        }
    )*};
}

pub(crate) mod calendar;
#[cfg(feature = "chrono_0_4")]
mod chrono_0_4;
pub(crate) mod decimal;
#[cfg(feature = "jiff_0_2")]
mod jiff_0_2;
#[cfg(feature = "rust_decimal_1")]
mod rust_decimal_1;
#[cfg(feature = "time_0_3")]
mod time_0_3;

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Reason};

/// A readable value that a record tag can cover, with `#[phi(clear, bind = "rx.status")]`.
///
/// The tag covers a text and not a value, because a database gives the value back in a form of its own. So a type is covered if each of
/// its values has one text that every database keeps:
///
/// | type | text |
/// |---|---|
/// | integers | the shortest decimal |
/// | `bool` | `true`, `false` |
/// | `String` | as it is |
/// | `uuid::Uuid` | lower case with hyphens |
/// | dates | `2026-11-29` |
/// | times of day | `07:30:00.000000` |
/// | timestamps | in UTC with six digits of fraction, `2026-11-29T07:30:00.000000Z`; without a zone if the type has none |
/// | decimals | without zeros at the end, or with as many digits of fraction as `scale` says |
///
/// A timestamp finer than a microsecond, and a decimal with zeros at the end, are refused when they are sealed (`clear-refused`): a
/// database would round or extend them, and the tag of an honest row would break. Floats and JSON have no such text at all, and do not
/// compile. Do not bind a column that the database itself changes: `updated_at` by a trigger, or a `char(n)` that a text does not fill, since it is
/// padded with spaces.
///
/// For an enum or a newtype of your own, give a text for each value that will never change:
///
/// ```
/// use std::borrow::Cow;
/// use rxseal::{Error, records::ClearValue};
///
/// enum Status { Active, Stopped }
///
/// impl ClearValue for Status {
///     fn clear_text(&self) -> Result<Cow<'_, str>, Error> {
///         Ok(match self {
///             Self::Active => "active".into(),
///             Self::Stopped => "stopped".into(),
///         })
///     }
/// }
/// ```
///
/// ```compile_fail
/// fn bound<T: rxseal::records::ClearValue>() {}
/// bound::<f64>();
/// ```
#[diagnostic::on_unimplemented(
    message = "a record tag cannot cover a `{Self}`",
    label = "has no text that every database keeps",
    note = "integers, `bool`, `String`, uuids, dates, timestamps and decimals can be bound; floats and JSON cannot. For an enum or a \
            newtype implement `rxseal::records::ClearValue`"
)]
pub trait ClearValue {
    /// The value's one text.
    ///
    /// # Errors
    ///
    /// `clear-refused` if this value has none: see [`Error::clear_refused`].
    fn clear_text(&self) -> Result<Cow<'_, str>, Error>;
}

/// A field that says `bind`: a [`ClearValue`], or an `Option` of one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a record tag cannot cover a `{Self}`",
    label = "has no text that every database keeps",
    note = "integers, `bool`, `String`, uuids, dates, timestamps and decimals can be bound, and an `Option` of them; floats and JSON \
            cannot. For an enum or a newtype implement `rxseal::records::ClearValue`"
)]
pub trait BoundValue {
    /// The text; `None` is null.
    ///
    /// # Errors
    ///
    /// `clear-refused`.
    fn bound_text(&self) -> Result<Option<Cow<'_, str>>, Error>;
}

impl<T: ClearValue> BoundValue for T {
    fn bound_text(&self) -> Result<Option<Cow<'_, str>>, Error> {
        self.clear_text().map(Some)
    }
}

impl<T: ClearValue> BoundValue for Option<T> {
    fn bound_text(&self) -> Result<Option<Cow<'_, str>>, Error> {
        self.as_ref().map(ClearValue::clear_text).transpose()
    }
}

/// A field that says `bind` and `scale`: a decimal with a fixed number of digits of fraction, or an `Option` of one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(message = "`{Self}` has no scale", note = "only decimals have one: leave `scale` out")]
pub trait ScaledValue {
    /// The text with exactly `scale` digits of fraction.
    ///
    /// # Errors
    ///
    /// `clear-refused` if the value has more digits than that.
    fn scaled_text(&self, scale: u32) -> Result<Option<Cow<'_, str>>, Error>;
}

impl<T: ScaledValue> ScaledValue for Option<T> {
    fn scaled_text(&self, scale: u32) -> Result<Option<Cow<'_, str>>, Error> {
        self.as_ref().map_or(Ok(None), |value| value.scaled_text(scale))
    }
}

impl Error {
    /// The answer of a [`ClearValue`] for a value that has no text. `reason` is constant, so the value is never quoted.
    #[must_use]
    pub fn clear_refused(reason: &'static str) -> Self {
        refused(reason)
    }
}

#[cold]
fn refused(reason: Reason) -> Error {
    ErrorKind::ClearRefused.because(reason)
}

impl ClearValue for String {
    fn clear_text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(self.as_str().into())
    }
}

impl ClearValue for bool {
    fn clear_text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(if *self { "true" } else { "false" }.into())
    }
}

macro_rules! displayed {
    ($($(#[$cfg:meta])* $type:ty)*) => {$(
        $(#[$cfg])*
        impl ClearValue for $type {
            fn clear_text(&self) -> Result<Cow<'_, str>, Error> {
                Ok(self.to_string().into())
            }
        }
    )*};
}

displayed!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize #[cfg(feature = "uuid_1")] uuid::Uuid);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_one_text() {
        let text = |value: &dyn ClearValue| value.clear_text().unwrap().into_owned();
        assert_eq!(text(&-7_i64), "-7");
        assert_eq!(text(&u128::MAX), "340282366920938463463374607431768211455");
        assert_eq!((text(&true), text(&false)), ("true".into(), "false".into()));
        assert_eq!(text(&String::from(" Ä ")), " Ä ");
        assert_eq!(None::<u8>.bound_text().unwrap(), None);
        assert_eq!(Some(3_u8).bound_text().unwrap().as_deref(), Some("3"));
        #[cfg(feature = "uuid_1")]
        assert_eq!(text(&uuid::Uuid::from_u128(0xAB)), "00000000-0000-0000-0000-0000000000ab");
    }
}
