//! Dates and times of time 0.3.

use std::borrow::Cow;

use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use super::{ClearValue, calendar};
use crate::error::Error;

clear_texts! {
    Date: date;
    Time: time;
    PrimitiveDateTime: |at| calendar::civil(date(at.date()), time(at.time()));
    // At the ends of the calendar there may be no such date in UTC.
    OffsetDateTime: |at| {
        let utc = at.checked_to_offset(UtcOffset::UTC).ok_or_else(|| super::refused(calendar::YEARS))?;
        calendar::utc(calendar::civil(date(utc.date()), time(utc.time())))
    };
}

fn date(date: Date) -> Result<String, Error> {
    calendar::date(date.year(), u8::from(date.month()), date.day())
}

fn time(time: Time) -> Result<String, Error> {
    calendar::time(time.hour(), time.minute(), time.second(), time.nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Month;

    #[test]
    fn texts_are_those_of_the_format() {
        let day = Date::from_calendar_date(2026, Month::January, 9).unwrap();
        let at = |nanos| PrimitiveDateTime::new(day, Time::from_hms_nano(0, 30, 5, nanos).unwrap());
        assert_eq!(day.clear_text().unwrap(), "2026-01-09");
        assert_eq!(at(1_000).time().clear_text().unwrap(), "00:30:05.000001");
        assert_eq!(at(0).clear_text().unwrap(), "2026-01-09T00:30:05.000000");
        let berlin = at(120_000_000).assume_offset(UtcOffset::from_hms(1, 0, 0).unwrap());
        assert_eq!(berlin.clear_text().unwrap(), "2026-01-08T23:30:05.120000Z");
        assert_eq!(at(1).clear_text().unwrap_err().code().as_str(), "clear-refused");
        let past = Date::from_calendar_date(-1, Month::January, 1).unwrap();
        assert_eq!(past.clear_text().unwrap_err().code().as_str(), "clear-refused");
    }
}
