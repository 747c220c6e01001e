//! When somebody was told of something: again at most once a minute.

const MINUTE: u64 = 60_000_000_000;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told(Option<u64>);

impl Told {
    /// Whether it is to be told now, which counts as done.
    pub(super) fn is_due(&mut self, now: u64) -> bool {
        let is_due = self.0.is_none_or(|told| now.saturating_sub(told) >= MINUTE);
        if is_due {
            self.0 = Some(now);
        }
        is_due
    }
}
