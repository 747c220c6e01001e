//! What a worker holds itself to.

use std::time::Duration;

use rxseal::Error;

use crate::trouble::refused;

/// What a worker holds itself to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// At most this many rows in a second.
    pub rows_per_second: Option<u32>,
    /// It waits while a replica is further behind than this. `None` asks nothing of replicas.
    pub max_replica_lag: Option<Duration>,
    /// It works only in these hours.
    pub between: Option<Hours>,
}

impl Default for Limits {
    /// As fast as it can be, at all hours, and never with a replica more than 10 seconds behind.
    fn default() -> Self {
        Self { rows_per_second: None, max_replica_lag: Some(Duration::from_secs(10)), between: None }
    }
}

/// Hours of the day, such as `22:00-05:00`, by the clock and the time zone of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: u16,
    to: u16,
}

const MINUTES_A_DAY: u16 = 24 * 60;

impl Hours {
    /// Reads `22:00-05:00`. The end may be on the next day.
    ///
    /// # Errors
    ///
    /// `job-refused` if it is another text, or both ends are the same.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let ends = text.split_once('-').and_then(|(from, to)| Some((minute_of(from)?, minute_of(to)?)));
        match ends {
            Some((from, to)) if from != to => Ok(Self { from, to }),
            _ => Err(refused("hours are written as 22:00-05:00")),
        }
    }

    /// How long to wait at this minute of the day until the hours begin. Zero within them.
    #[must_use]
    pub fn wait(&self, minute: u16) -> Duration {
        let after =
            |start: u16| minute.checked_sub(start).or_else(|| minute.checked_add(MINUTES_A_DAY)?.checked_sub(start));
        let length =
            self.to.checked_sub(self.from).or_else(|| self.to.checked_add(MINUTES_A_DAY)?.checked_sub(self.from));
        match (after(self.from), length) {
            (Some(since), Some(length)) if since < length => Duration::ZERO,
            (Some(since), _) => Duration::from_secs(60).saturating_mul(u32::from(MINUTES_A_DAY.saturating_sub(since))),
            _ => Duration::ZERO,
        }
    }
}

fn minute_of(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    (hour < 24 && minute < 60).then(|| hour.saturating_mul(60).saturating_add(minute))
}

fn two_digits(text: &str) -> Option<u16> {
    text.parse().ok().filter(|_| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_may_end_on_the_next_day() {
        let night = Hours::parse("22:00-05:00").unwrap();
        let minutes = |hour: u16, minute: u16| hour * 60 + minute;
        for (hour, minute, wait) in
            [(22, 0, 0), (23, 59, 0), (0, 0, 0), (4, 59, 0), (5, 0, 17 * 60), (21, 59, 1), (12, 30, 9 * 60 + 30)]
        {
            assert_eq!(night.wait(minutes(hour, minute)), Duration::from_secs(wait * 60), "{hour}:{minute}");
        }
        let day = Hours::parse("09:00-17:30").unwrap();
        for (hour, minute, wait) in [(9, 0, 0), (17, 29, 0), (17, 30, 15 * 60 + 30), (8, 0, 60), (0, 0, 9 * 60)] {
            assert_eq!(day.wait(minutes(hour, minute)), Duration::from_secs(wait * 60), "{hour}:{minute}");
        }
        for text in ["", "22:00", "22-05", "22:00-22:00", "24:00-05:00", "22:60-05:00", "+2:00-05:00", "2:00-05:00"] {
            assert_eq!(Hours::parse(text).unwrap_err().code().as_str(), "job-refused", "{text}");
        }
    }
}
