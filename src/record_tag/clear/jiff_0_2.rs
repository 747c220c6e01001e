//! Dates and times of jiff 0.2.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::{ClearValue, calendar};
use crate::error::Error;

clear_texts! {
    Date: date;
    Time: time;
    DateTime: civil;
    Timestamp: |at| calendar::utc(civil(Offset::UTC.to_datetime(at)));
}

fn civil(at: DateTime) -> Result<String, Error> {
    calendar::civil(date(at.date()), time(at.time()))
}

fn date(date: Date) -> Result<String, Error> {
    calendar::date(i32::from(date.year()), narrow(date.month()), narrow(date.day()))
}

fn time(time: Time) -> Result<String, Error> {
    let nanos = u32::try_from(time.subsec_nanosecond()).unwrap_or(u32::MAX);
    calendar::time(narrow(time.hour()), narrow(time.minute()), narrow(time.second()), nanos)
}

/// No part of a date or a time is negative, but jiff gives it a sign.
fn narrow(part: i8) -> u8 {
    u8::try_from(part).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn texts_are_those_of_the_format() {
        let at = |nanos| date(2026, 1, 9).at(0, 30, 5, nanos);
        assert_eq!(date(2026, 1, 9).clear_text().unwrap(), "2026-01-09");
        assert_eq!(at(1_000).time().clear_text().unwrap(), "00:30:05.000001");
        assert_eq!(at(0).clear_text().unwrap(), "2026-01-09T00:30:05.000000");
        let berlin: Timestamp = "2026-01-09T00:30:05.12+01:00".parse().unwrap();
        assert_eq!(berlin.clear_text().unwrap(), "2026-01-08T23:30:05.120000Z");
        assert_eq!(at(1).clear_text().unwrap_err().code().as_str(), "clear-refused");
        assert_eq!(date(-1, 1, 1).clear_text().unwrap_err().code().as_str(), "clear-refused");
    }
}
