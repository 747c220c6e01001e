//! Types that say what their sealed values are.

use std::borrow::Cow;
use std::iter;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;

use super::via::{SerdeWith, Via};
use crate::payload::{PayloadPlace, Plaintext, Value};
use crate::schema::{ContentType, Plain, TextFormat, is_sealed_for};
use crate::secret::PlainBuffer;

/// A type that says what its sealed values are, so that a [`Schema`](crate::schema::Schema) does, and tools can seal and open columns of
/// it.
///
/// Text, integers, floats, `bool`, bytes, UUIDs, dates, decimals and `serde_json::Value` say it, and an `Option` of them. Lists, maps and
/// enums do not: not every JSON value is one of them. Implement it for a type of your own, if each cell of its
/// column is a value of the type, and the type's `Serialize` writes what the [`ContentType`] says:
///
/// ```
/// use rxseal::records::HasContent;
/// use rxseal::schema::ContentType;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Ndc(String);
///
/// impl HasContent for Ndc {
///     const CONTENT: ContentType = ContentType::TEXT;
/// }
/// ```
pub trait HasContent: Sized {
    /// What the values are.
    const CONTENT: ContentType;

    /// Whether the absence of a value is sealed too.
    #[doc(hidden)]
    const SEALS_NULL: bool = false;

    /// Whether what it says counts without a sample.
    #[doc(hidden)]
    const IS_TRUSTED: bool = true;

    /// A value and the cell that it has. What is sealed for both is compared, since features of other crates change how their types are
    /// written.
    #[doc(hidden)]
    #[must_use]
    fn sample() -> Option<(Self, Plain<'static>)> {
        None
    }
}

/// What is known of a type's values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    pub(super) content: Option<ContentType>,
    pub(super) seals_null: bool,
}

/// Looks a type up: `ContentOf::<T>::known()` is this function if the type says what it is, and that of [`NoContent`] if not.
#[derive(Debug)]
pub struct ContentOf<T>(PhantomData<fn() -> T>);

impl<T: HasContent + Serialize> ContentOf<T> {
    /// What is known of a sealed value.
    #[must_use]
    pub fn known() -> Known {
        let Some((value, cell)) = T::sample() else {
            let content = T::IS_TRUSTED.then_some(T::CONTENT);
            return Known { content, seals_null: T::SEALS_NULL };
        };
        let mut sealed = PlainBuffer::default();
        let written = Value(&value).write_payload(PayloadPlace::ALONE, sealed.vec());
        // `Vec<u8>` is written as a list, unless its field says `serde_bytes`.
        let as_list = (T::CONTENT == ContentType::Bytes).then_some(ContentType::ByteList);
        let mut candidates = iter::once(T::CONTENT).chain(as_list);
        let content = candidates.find(|content| is_sealed_for(sealed.as_slice(), *content, cell));
        Known { content: content.filter(|_| written.is_ok()), seals_null: T::SEALS_NULL }
    }
}

/// What is known of a type that says nothing.
pub trait NoContent {
    /// Nothing.
    #[must_use]
    fn known() -> Known {
        Known::default()
    }
}

impl<T> NoContent for ContentOf<T> {}

/// Looks the type of a readable column up, in the same way.
#[derive(Debug)]
pub struct ClearOf<T>(PhantomData<fn() -> T>);

impl<T: HasContent> ClearOf<T> {
    /// What is known of a readable value: of the types below, whose texts under a record tag are known too.
    #[must_use]
    pub fn known() -> Known {
        let content = T::sample().map(|_| T::CONTENT);
        Known { content, seals_null: T::SEALS_NULL }
    }
}

impl<T> NoContent for ClearOf<T> {}

macro_rules! contents {
    ($($(#[$cfg:meta])* $type:ty: $content:expr, $value:expr => $cell:expr;)*) => {$(
        $(#[$cfg])*
        impl HasContent for $type {
            const CONTENT: ContentType = $content;

            fn sample() -> Option<(Self, Plain<'static>)> {
                Some(($value, Plain::Text($cell)))
            }
        }
    )*};
}

contents! {
    String: ContentType::TEXT, "text".into() => "text";
    Box<str>: ContentType::TEXT, "text".into() => "text";
    Arc<str>: ContentType::TEXT, "text".into() => "text";
    Cow<'static, str>: ContentType::TEXT, "text".into() => "text";
    char: ContentType::Text(TextFormat::Char), 'x' => "x";
    bool: ContentType::Bool, true => "true";
    f32: ContentType::Number { bits: 32 }, 0.1 => "0.1";
    f64: ContentType::Number { bits: 64 }, 0.1 => "0.1";
    serde_json::Value: ContentType::Json, Self::Bool(true) => "true";
    #[cfg(feature = "uuid_1")]
    uuid::Uuid: ContentType::Text(TextFormat::Uuid), uuid::Uuid::nil() => "00000000-0000-0000-0000-000000000000";
    #[cfg(feature = "rust_decimal_1")]
    rust_decimal::Decimal: ContentType::Text(TextFormat::Decimal), Self::new(-150, 2) => "-1.50";
    #[cfg(feature = "chrono_0_4")]
    chrono::NaiveDate: ContentType::Text(TextFormat::Date), chrono::DateTime::UNIX_EPOCH.date_naive() => "1970-01-01";
    #[cfg(feature = "chrono_0_4")]
    chrono::NaiveTime: ContentType::Text(TextFormat::Time), Self::MIN => "00:00:00";
    #[cfg(feature = "chrono_0_4")]
    chrono::NaiveDateTime: ContentType::Text(TextFormat::DateTime), chrono::DateTime::UNIX_EPOCH.naive_utc() => "1970-01-01T00:00:00";
    #[cfg(feature = "chrono_0_4")]
    chrono::DateTime<chrono::Utc>: ContentType::Text(TextFormat::Timestamp), Self::UNIX_EPOCH => "1970-01-01T00:00:00Z";
    #[cfg(feature = "chrono_0_4")]
    chrono::DateTime<chrono::FixedOffset>: ContentType::Text(TextFormat::Timestamp), chrono::DateTime::UNIX_EPOCH.into() => "1970-01-01T00:00:00Z";
    #[cfg(feature = "time_0_3")]
    time::Date: ContentType::Text(TextFormat::Date), time::OffsetDateTime::UNIX_EPOCH.date() => "1970-01-01";
    #[cfg(feature = "time_0_3")]
    time::Time: ContentType::Text(TextFormat::Time), Self::MIDNIGHT => "00:00:00";
    #[cfg(feature = "time_0_3")]
    time::PrimitiveDateTime: ContentType::Text(TextFormat::DateTime), Self::new(time::OffsetDateTime::UNIX_EPOCH.date(), time::Time::MIDNIGHT) => "1970-01-01T00:00:00";
    #[cfg(feature = "time_0_3")]
    time::OffsetDateTime: ContentType::Text(TextFormat::Timestamp), Self::UNIX_EPOCH => "1970-01-01T00:00:00Z";
    #[cfg(feature = "jiff_0_2")]
    jiff::civil::Date: ContentType::Text(TextFormat::Date), jiff::civil::date(1970, 1, 1) => "1970-01-01";
    #[cfg(feature = "jiff_0_2")]
    jiff::civil::Time: ContentType::Text(TextFormat::Time), jiff::civil::time(7, 30, 0, 0) => "07:30:00";
    #[cfg(feature = "jiff_0_2")]
    jiff::civil::DateTime: ContentType::Text(TextFormat::DateTime), jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0) => "1970-01-01T00:00:00";
    #[cfg(feature = "jiff_0_2")]
    jiff::Timestamp: ContentType::Text(TextFormat::Timestamp), Self::UNIX_EPOCH => "1970-01-01T00:00:00Z";
}

macro_rules! integers {
    ($($type:ty: $signed:literal, $bits:expr;)*) => {$(
        impl HasContent for $type {
            const CONTENT: ContentType = ContentType::Integer { signed: $signed, bits: $bits };

            fn sample() -> Option<(Self, Plain<'static>)> {
                Some((7, Plain::Text("7")))
            }
        }
    )*};
}

/// Of an address: at most 64 bits.
const POINTER: u8 = if usize::BITS == 64 { 64 } else { 32 };

integers! {
    u8: false, 8;
    u16: false, 16;
    u32: false, 32;
    u64: false, 64;
    u128: false, 128;
    usize: false, POINTER;
    i8: true, 8;
    i16: true, 16;
    i32: true, 32;
    i64: true, 64;
    i128: true, 128;
    isize: true, POINTER;
}

/// An `Option` whose absence is sealed.
impl<T: HasContent> HasContent for Option<T> {
    const CONTENT: ContentType = T::CONTENT;
    const SEALS_NULL: bool = true;
    const IS_TRUSTED: bool = T::IS_TRUSTED;

    fn sample() -> Option<(Self, Plain<'static>)> {
        T::sample().map(|(value, cell)| (Some(value), cell))
    }
}

impl<T: HasContent> HasContent for Box<T> {
    const CONTENT: ContentType = T::CONTENT;
    const SEALS_NULL: bool = T::SEALS_NULL;
    const IS_TRUSTED: bool = T::IS_TRUSTED;

    fn sample() -> Option<(Self, Plain<'static>)> {
        T::sample().map(|(value, cell)| (Self::new(value), cell))
    }
}

/// A value that functions of the program's choice write: only the sample tells how.
impl<T: HasContent, W: SerdeWith<T>> HasContent for Via<T, W> {
    const CONTENT: ContentType = T::CONTENT;
    const SEALS_NULL: bool = T::SEALS_NULL;
    const IS_TRUSTED: bool = false;

    fn sample() -> Option<(Self, Plain<'static>)> {
        T::sample().map(|(value, cell)| (Self::new(value), cell))
    }
}

/// As its field says: bytes with `with = "serde_bytes"`, and a list of integers without.
impl HasContent for Vec<u8> {
    const CONTENT: ContentType = ContentType::Bytes;

    fn sample() -> Option<(Self, Plain<'static>)> {
        Some((vec![7, 0], Plain::Bytes(&[7, 0])))
    }
}
