//! Dates and times as databases and programs write them.

use super::short::Short;
use crate::clock::days_of;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: u16,
    pub(super) month: u8,
    pub(super) day: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    pub(super) nanos: u32,
}

/// What follows a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    /// Minutes east of UTC.
    Offset(i16),
}

/// A date, a time, and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) date: Date,
    pub(super) time: Time,
    pub(super) rest: Rest,
    /// Whether it is written as programs write it (RFC 3339).
    pub(super) is_iso: bool,
    /// Where its offset begins.
    offset_at: usize,
}

impl Moment {
    pub(super) fn of(text: &str) -> Option<Self> {
        let (date, behind) = date(text)?;
        let separator = behind.chars().next().filter(|separator| matches!(separator, 'T' | ' '))?;
        let (time, behind) = time(behind.get(1..)?)?;
        let (rest, is_short) = match behind {
            "" => (Rest::Nothing, false),
            "Z" => (Rest::Offset(0), false),
            _ => offset(behind)?,
        };
        let offset_at = text.len().checked_sub(behind.len())?;
        Some(Self { date, time, rest, is_iso: separator == 'T' && !is_short, offset_at })
    }

    /// The same as RFC 3339 writes it.
    pub(super) fn to_iso(self, text: &str) -> Option<Short> {
        let (date, time, offset) = (text.get(..10)?, text.get(11..self.offset_at)?, text.get(self.offset_at..)?);
        let parts: [&str; 2] = match (self.rest, offset.len()) {
            (Rest::Offset(0), 3) => ["Z", ""],
            (Rest::Offset(_), 3) => [offset, ":00"],
            _ => [offset, ""],
        };
        let [offset, minutes] = parts;
        Short::joined(&[date, "T", time, offset, minutes])
    }

    /// Date and time in UTC.
    pub(super) fn in_utc(self) -> Option<(Date, Time)> {
        let Rest::Offset(offset) = self.rest else { return None };
        let Time { hour, minute, .. } = self.time;
        let minutes = i16::from(hour).checked_mul(60)?.checked_add(minute.into())?.checked_sub(offset)?;
        let (day, minutes) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
        let date = match day {
            0 => self.date,
            1 => self.date.next()?,
            _ => self.date.before()?,
        };
        let (hour, minute) = (minutes.checked_div(60)?.try_into().ok()?, minutes.checked_rem(60)?.try_into().ok()?);
        Some((date, Time { hour, minute, ..self.time }))
    }
}

impl Date {
    fn next(self) -> Option<Self> {
        let Self { year, month, day } = self;
        Some(match (month, day) {
            (12, 31) => Self { year: year.checked_add(1)?, month: 1, day: 1 },
            _ if day == days_of(year, month) => Self { year, month: month.checked_add(1)?, day: 1 },
            _ => Self { year, month, day: day.checked_add(1)? },
        })
    }

    fn before(self) -> Option<Self> {
        let Self { year, month, day } = self;
        Some(match (month, day) {
            (1, 1) => Self { year: year.checked_sub(1)?, month: 12, day: 31 },
            (_, 1) => {
                let month = month.checked_sub(1)?;
                Self { year, month, day: days_of(year, month) }
            }
            _ => Self { year, month, day: day.checked_sub(1)? },
        })
    }
}

/// `YYYY-MM-DD`, a day of the calendar, and what follows it.
pub(super) fn date(text: &str) -> Option<(Date, &str)> {
    let (text, rest) = text.split_at_checked(10)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return None };
    let (century, year) = (two(*y1, *y2)?, two(*y3, *y4)?);
    let year = u16::from(century).checked_mul(100)?.checked_add(year.into())?;
    let (month, day) = (two(*m1, *m2)?, two(*d1, *d2)?);
    let is_one = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    is_one.then_some((Date { year, month, day }, rest))
}

/// `HH:MM:SS`, with up to nine digits of fraction, and what follows it. There are no leap seconds.
pub(super) fn time(text: &str) -> Option<(Time, &str)> {
    let (text, rest) = text.split_at_checked(8)?;
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text.as_bytes() else { return None };
    let (hour, minute, second) = (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?);
    let (nanos, rest) = match rest.strip_prefix('.') {
        Some(rest) => fraction(rest)?,
        None => (0, rest),
    };
    let is_one = hour < 24 && minute < 60 && second < 60;
    is_one.then_some((Time { hour, minute, second, nanos }, rest))
}

fn fraction(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, rest) = text.split_at_checked(digits)?;
    let missing = u32::try_from(9_usize.checked_sub(digits)?).ok()?;
    let nanos = fraction.parse::<u32>().ok()?.checked_mul(10_u32.checked_pow(missing)?)?;
    Some((nanos, rest))
}

/// `+HH:MM`, or `+HH` as PostgreSQL writes it; `true` for the latter.
fn offset(text: &str) -> Option<(Rest, bool)> {
    let (hours, minutes, is_short) = match text.as_bytes() {
        [_, h1, h2] => (two(*h1, *h2)?, 0, true),
        [_, h1, h2, b':', m1, m2] => (two(*h1, *h2)?, two(*m1, *m2)?, false),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let east = i16::from(hours).checked_mul(60)?.checked_add(minutes.into())?;
    match text.chars().next()? {
        '+' => Some((Rest::Offset(east), is_short)),
        '-' => Some((Rest::Offset(east.checked_neg()?), is_short)),
        _ => None,
    }
}

fn two(tens: u8, ones: u8) -> Option<u8> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| byte.wrapping_sub(b'0'));
    digit(tens)?.checked_mul(10)?.checked_add(digit(ones)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_in_utc_may_be_of_another_day() {
        for (text, day, hour, minute) in [
            ("2026-11-29 23:30:00-01", "2026-11-30", 0, 30),
            ("2026-12-31T23:30:00-00:45", "2027-01-01", 0, 15),
            ("2028-03-01T00:15:00+01:00", "2028-02-29", 23, 15),
            ("2026-01-01T00:00:00+23:59", "2025-12-31", 0, 1),
            ("2026-11-29T07:30:00Z", "2026-11-29", 7, 30),
        ] {
            let (date, time) = Moment::of(text).unwrap().in_utc().unwrap();
            assert_eq!(
                (format!("{:04}-{:02}-{:02}", date.year, date.month, date.day), time.hour, time.minute),
                (day.into(), hour, minute),
                "{text}"
            );
        }
        assert!(Moment::of("0000-01-01T00:00:00+01").unwrap().in_utc().is_none());
    }
}
