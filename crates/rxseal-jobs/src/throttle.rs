//! How fast a worker may be: arithmetic on times that it is given.

use std::time::Duration;

use crate::limits::Limits;

/// Says after each chunk how long to pause.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
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
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { rows_per_second: limits.rows_per_second, took: Vec::new() }
    }

    /// How long to pause after a chunk of so many rows that took so long.
    ///
    /// That keeps the rate. A chunk that took 3 times the median of those before it shows that the database has other work to do, so the pause is
    /// as long as the chunk was, up to 30 seconds.
    pub(crate) fn after_chunk(&mut self, rows: u64, took: Duration) -> Duration {
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
