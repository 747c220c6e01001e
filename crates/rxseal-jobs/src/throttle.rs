//! How fast a worker may be: arithmetic on times that it is given.

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

/// Says after each chunk how long to pause.
#[derive(Clone, Debug)]
pub struct Throttle {
    rows_per_second: Option<u32>,
    /// How long the last chunks took, oldest first.
    took: Vec<Duration>,
}

/// How many chunks the median is of.
const REMEMBERED: usize = 31;
/// How many chunks must be known before one is called slow.
const ENOUGH: usize = 5;
/// How many times its median a chunk may take.
const SLOW: u32 = 3;
/// No single pause is longer.
const LONGEST: Duration = Duration::from_secs(30);

impl Throttle {
    /// A throttle of a worker that begins.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { rows_per_second: limits.rows_per_second, took: Vec::new() }
    }

    /// How long to pause after a chunk of so many rows that took so long.
    ///
    /// That keeps the rate. A chunk that took 3 times the median of those before it shows that the database has other work to do, so the pause is
    /// as long as the chunk was, up to 30 seconds.
    pub fn after_chunk(&mut self, rows: u64, took: Duration) -> Duration {
        let is_slow = self.median().is_some_and(|median| took > median.saturating_mul(SLOW));
        self.took.push(took);
        if self.took.len() > REMEMBERED {
            self.took.remove(0);
        }
        let for_rate = self.rows_per_second.map_or(Duration::ZERO, |rate| due(rows, rate).saturating_sub(took));
        let for_load = if is_slow { took.min(LONGEST) } else { Duration::ZERO };
        for_rate.max(for_load)
    }

    fn median(&self) -> Option<Duration> {
        let mut sorted = self.took.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().filter(|_| sorted.len() >= ENOUGH)
    }
}

/// How long so many rows take at this rate.
fn due(rows: u64, rate: u32) -> Duration {
    let micros = rows.saturating_mul(1_000_000).checked_div(u64::from(rate)).unwrap_or(u64::MAX);
    Duration::from_micros(micros)
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

    #[test]
    fn a_rate_is_kept() {
        let mut throttle = Throttle::new(&Limits { rows_per_second: Some(1_000), ..Limits::default() });
        assert_eq!(throttle.after_chunk(2_000, Duration::from_millis(500)), Duration::from_millis(1_500));
        assert_eq!(throttle.after_chunk(2_000, Duration::from_secs(3)), Duration::ZERO);
        assert_eq!(throttle.after_chunk(0, Duration::ZERO), Duration::ZERO);
        assert_eq!(due(1, 0), Duration::from_micros(u64::MAX));
    }

    #[test]
    fn a_slow_chunk_makes_it_wait() {
        let mut throttle = Throttle::new(&Limits::default());
        let usual = Duration::from_millis(20);
        for _ in 0..10 {
            assert_eq!(throttle.after_chunk(2_000, usual), Duration::ZERO);
        }
        assert_eq!(throttle.after_chunk(2_000, usual * 3), Duration::ZERO);
        assert_eq!(throttle.after_chunk(2_000, usual * 4), usual * 4);
        assert_eq!(throttle.after_chunk(2_000, Duration::from_secs(90)), LONGEST);
        assert_eq!(throttle.after_chunk(2_000, usual), Duration::ZERO);
        // What was slow for long is usual.
        for _ in 0..31 {
            throttle.after_chunk(2_000, usual * 10);
        }
        assert_eq!(throttle.after_chunk(2_000, usual * 10), Duration::ZERO);
        assert_eq!(throttle.took.len(), REMEMBERED);
    }
}
