//! When an event happened, by two clocks: that of the machine, which somebody may set, and one that is never set.

use rxseal_watch::LoggedEvent;

use crate::time::Window;

/// The clock of the machine was set if both went on by more milliseconds than this apart, as the writer of a log judges it too (FORMAT 16.1).
const APART: u64 = 5_000;

/// When an event happened, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    /// Since 1970, by the clock of the machine.
    wall: u64,
    /// Since the chain began, by the one that is never set.
    since: u64,
}

impl Moment {
    pub(super) fn of(event: &LoggedEvent) -> Self {
        Self { wall: event.time(), since: event.count("m").unwrap_or_default() }
    }

    /// Another moment of the same chain, so many milliseconds since it began.
    pub(super) fn at(self, since: u64) -> Self {
        Self { wall: self.wall.saturating_sub(self.since).saturating_add(since), since }
    }

    /// As the line says it, in Unix seconds.
    pub(super) fn said(self) -> u64 {
        self.wall / 1000
    }

    /// When it may have been, if the clock of the machine was wrong by at most so many milliseconds.
    pub(super) fn within(self, wrong: u64) -> Window {
        (self.wall.saturating_sub(wrong) / 1000, self.wall.saturating_add(wrong) / 1000)
    }

    /// By how many milliseconds the clock of the machine was set since an earlier line of the chain.
    pub(super) fn set_since(self, before: Self) -> u64 {
        let went_on = |now: u64, then: u64| i128::from(now).saturating_sub(then.into());
        let apart = went_on(self.wall, before.wall).saturating_sub(went_on(self.since, before.since)).unsigned_abs();
        u64::try_from(apart).ok().map_or(u64::MAX, |apart| if apart > APART { apart } else { 0 })
    }

    /// Whether it may be from before its chain: an event that waited for a chain has the time of the chain's beginning.
    pub(super) fn may_have_waited(self) -> bool {
        self.since == 0
    }

    pub(super) fn earlier(self, other: Self) -> Self {
        if other.wall < self.wall { other } else { self }
    }

    pub(super) fn later(self, other: Self) -> Self {
        if other.wall > self.wall { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn a_clock_was_set_if_both_went_on_differently() {
        let at = |wall, since| Moment { wall, since };
        let before = at(1_000_000, 500);
        for (now, by) in [
            (at(1_002_000, 2_500), 0),
            (at(1_007_000, 2_500), 0),
            (at(1_007_001, 2_500), 5_001),
            (at(11_802_000, 2_500), 10_800_000),
            (at(2_000, 2_500), 1_000_000),
            (at(u64::MAX, 0), u64::MAX - 999_500),
        ] {
            assert_eq!(now.set_since(before), by);
        }
        assert_eq!((before.said(), before.within(1_500), before.at(2_500).said()), (1_000, (998, 1_001), 1_002));
        assert_eq!(at(0, u64::MAX).within(u64::MAX), (0, u64::MAX / 1000));
    }
}
