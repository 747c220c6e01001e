//! Dates and times as text, for the three crates that have them.

use super::refused;
use crate::error::{Error, Reason};

pub(super) const YEARS: Reason = "its year is not one of 0000 to 9999";
const FINE: Reason = "it is finer than a microsecond, which a database does not keep: round it before it is sealed";
const LEAP: Reason = "a leap second, which a database does not keep";

const NANOS: u32 = 1_000_000_000;

/// `YYYY-MM-DD`
pub(crate) fn date(year: i32, month: u8, day: u8) -> Result<String, Error> {
    if (0..=9999).contains(&year) { Ok(format!("{year:04}-{month:02}-{day:02}")) } else { Err(refused(YEARS)) }
}

/// `HH:MM:SS.ffffff`
pub(crate) fn time(hour: u8, minute: u8, second: u8, nanos: u32) -> Result<String, Error> {
    if nanos >= NANOS || second > 59 {
        return Err(refused(LEAP));
    }
    if !nanos.is_multiple_of(1000) {
        return Err(refused(FINE));
    }
    Ok(format!("{hour:02}:{minute:02}:{second:02}.{:06}", nanos / 1000))
}

/// A date and a time of day without a zone.
pub(crate) fn civil(date: Result<String, Error>, time: Result<String, Error>) -> Result<String, Error> {
    Ok(format!("{}T{}", date?, time?))
}

/// A point in time, whose date and time are in UTC.
pub(crate) fn utc(civil: Result<String, Error>) -> Result<String, Error> {
    civil.map(|text| format!("{text}Z"))
}
