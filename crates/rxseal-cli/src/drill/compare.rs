//! What opens, against what should.

use rxseal::KeyId;

use super::opening::Tried;

/// How many drawn values open, and how many do not do what the keys say.
#[derive(Clone, Copy, Default)]
pub struct Compared {
    pub opened: u64,
    pub drawn: u64,
    /// How many open although no key is left for them.
    pub opened_against_rule: u64,
    /// How many do not open although one is.
    pub closed_against_rule: u64,
}

impl Compared {
    /// Whether a value under a key should open is `None` if nobody knows.
    pub fn add(&mut self, tried: &Tried, should_open: impl Fn(KeyId) -> Option<bool>) {
        for (key, of) in &tried.0 {
            let (opened, closed) = (of.opened, of.failures());
            let add = |sum: &mut u64, count: u64| *sum = sum.saturating_add(count);
            add(&mut self.opened, opened);
            add(&mut self.drawn, opened.saturating_add(closed));
            match should_open(*key) {
                Some(true) => add(&mut self.closed_against_rule, closed),
                Some(false) => add(&mut self.opened_against_rule, opened),
                None => {}
            }
        }
    }
}
