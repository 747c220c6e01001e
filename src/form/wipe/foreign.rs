//! What of other crates can be wiped.

use std::mem;

use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use super::Wipe;

impl<T: Zeroize> Wipe for Zeroizing<T> {
    fn wipe(&mut self) {
        (**self).zeroize();
    }
}

impl Wipe for Value {
    fn wipe(&mut self) {
        match self {
            Self::String(text) => text.wipe(),
            Self::Array(values) => values.wipe(),
            Self::Object(members) => {
                for (mut name, mut value) in mem::take(members) {
                    name.wipe();
                    value.wipe();
                }
            }
            Self::Null | Self::Bool(_) | Self::Number(_) => {}
        }
        self.overwrite(Self::Null);
    }
}

#[cfg(feature = "chrono_0_4")]
overwrite! {
    chrono::NaiveDate = chrono::DateTime::UNIX_EPOCH.date_naive();
    chrono::NaiveTime = Self::MIN;
    chrono::NaiveDateTime = chrono::DateTime::UNIX_EPOCH.naive_utc();
    chrono::TimeDelta = Self::zero();
}

/// The offset from UTC stays: a time zone of another crate has no fixed one.
#[cfg(feature = "chrono_0_4")]
impl<Z: chrono::TimeZone> Wipe for chrono::DateTime<Z> {
    fn wipe(&mut self) {
        let offset = self.offset().clone();
        self.overwrite(Self::from_naive_utc_and_offset(chrono::DateTime::UNIX_EPOCH.naive_utc(), offset));
    }
}

#[cfg(feature = "time_0_3")]
overwrite! {
    time::Date = Self::MIN;
    time::Time = Self::MIDNIGHT;
    time::PrimitiveDateTime = Self::MIN;
    time::OffsetDateTime = Self::UNIX_EPOCH;
    time::UtcDateTime = Self::UNIX_EPOCH;
    time::Duration = Self::ZERO;
}

#[cfg(feature = "jiff_0_2")]
overwrite! {
    jiff::civil::Date = Self::ZERO;
    jiff::civil::Time = Self::midnight();
    jiff::civil::DateTime = Self::ZERO;
    jiff::Timestamp = Self::UNIX_EPOCH;
    jiff::SignedDuration = Self::ZERO;
    jiff::Span = Self::new();
}

#[cfg(feature = "jiff_0_2")]
impl Wipe for jiff::Zoned {
    fn wipe(&mut self) {
        self.overwrite(Self::default());
    }
}

#[cfg(feature = "rust_decimal_1")]
overwrite! { rust_decimal::Decimal = Self::ZERO; }

#[cfg(feature = "uuid_1")]
overwrite! { uuid::Uuid = Self::nil(); }
