//! Dates and times of chrono 0.4.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike};

use super::{ClearValue, calendar};
use crate::error::Error;

clear_texts! {
    NaiveDate: date;
    NaiveTime: time;
    NaiveDateTime: civil;
}

impl<Z: TimeZone> ClearValue for DateTime<Z> {
    fn clear_text(&self) -> Result<Cow<'_, str>, Error> {
        calendar::utc(civil(self.naive_utc())).map(Cow::from)
    }
}

fn civil(at: NaiveDateTime) -> Result<String, Error> {
    calendar::civil(date(at.date()), time(at.time()))
}

fn date(date: NaiveDate) -> Result<String, Error> {
    calendar::date(date.year(), narrow(date.month()), narrow(date.day()))
}

fn time(time: NaiveTime) -> Result<String, Error> {
    calendar::time(narrow(time.hour()), narrow(time.minute()), narrow(time.second()), time.nanosecond())
}

/// Every part of a date or a time is below 60, but chrono gives it 32 bits.
fn narrow(part: u32) -> u8 {
    u8::try_from(part).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::FixedOffset;

    #[test]
    fn texts_are_those_of_the_format() {
        let day = NaiveDate::from_ymd_opt(2026, 1, 9).unwrap();
        let at = |nanos| day.and_hms_nano_opt(0, 30, 5, nanos).unwrap();
        assert_eq!(day.clear_text().unwrap(), "2026-01-09");
        assert_eq!(at(1_000).time().clear_text().unwrap(), "00:30:05.000001");
        assert_eq!(at(0).clear_text().unwrap(), "2026-01-09T00:30:05.000000");
        let berlin = FixedOffset::east_opt(3600).unwrap().from_local_datetime(&at(120_000_000)).unwrap();
        assert_eq!(berlin.clear_text().unwrap(), "2026-01-08T23:30:05.120000Z");
        let year = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap().clear_text().map(Cow::into_owned);
        assert_eq!(year(0).unwrap(), "0000-01-01");
        let leap = day.and_hms_nano_opt(0, 0, 59, 1_000_000_000).unwrap().clear_text().map(Cow::into_owned);
        let refused = [at(1).clear_text().map(Cow::into_owned), leap, year(-1), year(10_000)];
        for refused in refused {
            assert_eq!(refused.unwrap_err().code().as_str(), "clear-refused");
        }
    }
}
