//! A day of the calendar, in UTC.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Serialize, Serializer};

const SECONDS: u64 = 86_400;
/// The last second of the year 9999.
const END: u64 = 253_402_300_799;

/// A day of the calendar, in UTC, from 1970 to 9999. As text it is `2026-09-02`.
///
/// ```
/// use rxseal_exposure::Day;
///
/// let discovered: Day = "2026-09-02".parse()?;
/// assert_eq!(discovered.plus(60).to_string(), "2026-11-01");
/// # Ok::<(), rxseal_exposure::NotADay>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u32);

/// The text is no day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADay;

impl Day {
    const LAST: u32 = 2_932_896;

    /// The day of a time in Unix seconds.
    #[must_use]
    pub fn of_unix(seconds: u64) -> Self {
        Self(u32::try_from(seconds.checked_div(SECONDS).unwrap_or_default()).unwrap_or(Self::LAST).min(Self::LAST))
    }

    /// When the day begins, in Unix seconds.
    #[must_use]
    pub fn begins(self) -> u64 {
        u64::from(self.0).saturating_mul(SECONDS)
    }

    /// The day that is this many days later.
    #[must_use]
    pub fn plus(self, days: u32) -> Self {
        Self(self.0.saturating_add(days).min(Self::LAST))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(rfc3339(self.begins()).split('T').next().unwrap_or_default())
    }
}

impl FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let time = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).map_err(|_| NotADay)?;
        let since = time.duration_since(UNIX_EPOCH).map_err(|_| NotADay)?;
        Ok(Self::of_unix(since.as_secs()))
    }
}

impl fmt::Display for NotADay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no day of the calendar: write it as 2026-09-02")
    }
}

impl std::error::Error for NotADay {}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `2026-08-30T20:51:07Z`
pub(crate) fn rfc3339(seconds: u64) -> String {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds.min(END))).unwrap_or(UNIX_EPOCH);
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::{Day, NotADay};

    #[test]
    fn a_day_is_read_and_written() {
        for text in ["1970-01-01", "2026-09-02", "2028-02-29", "9999-12-31"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        for text in ["", "2026-9-2", "2026-02-30", "2026-09-02T00:00:00Z", "1969-12-31", "10000-01-01"] {
            assert_eq!(text.parse::<Day>(), Err(NotADay), "{text}");
        }
        assert_eq!(Day::of_unix(u64::MAX).plus(u32::MAX).to_string(), "9999-12-31");
    }

    #[test]
    fn sixty_days_pass_months_and_leap_years() {
        let plus = |text: &str| text.parse::<Day>().unwrap().plus(60).to_string();
        assert_eq!(plus("2026-09-02"), "2026-11-01");
        assert_eq!(plus("2027-12-31"), "2028-02-29");
        assert_eq!(plus("2028-01-01"), "2028-03-01");
    }
}
