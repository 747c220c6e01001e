//! Numbers of a page: for people, and as coordinates of a chart.

use std::fmt;

/// `2300000` as people write it: `2,300,000`.
#[must_use]
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut shown = String::with_capacity(digits.len().saturating_add(6));
    for (left, digit) in (0..digits.len()).rev().zip(digits.chars()) {
        shown.push(digit);
        if left > 0 && left.is_multiple_of(3) {
            shown.push(',');
        }
    }
    shown
}

/// A coordinate in tenths of a pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tenths(pub(crate) u64);

impl Tenths {
    pub(crate) const fn pixels(pixels: u64) -> Self {
        Self(pixels.saturating_mul(10))
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    pub(crate) const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10, self.0 % 10);
        if rest == 0 { write!(f, "{whole}") } else { write!(f, "{whole}.{rest}") }
    }
}

/// The part of `room` that `count` of `all` takes. What is more than `all` takes all of it.
pub(crate) fn scaled(count: u64, all: u64, room: Tenths) -> Tenths {
    let part = u128::from(count.min(all)).saturating_mul(u128::from(room.0)).checked_div(u128::from(all)).unwrap_or(0);
    Tenths(u64::try_from(part).unwrap_or(room.0))
}

#[cfg(test)]
mod tests {
    use super::{Tenths, number, scaled};

    #[test]
    fn numbers_have_commas() {
        let shown = [0, 12, 999, 1_000, 12_345, 2_300_000, u64::MAX].map(number);
        assert_eq!(shown, ["0", "12", "999", "1,000", "12,345", "2,300,000", "18,446,744,073,709,551,615"]);
    }

    #[test]
    fn a_part_is_never_more_than_the_room() {
        let room = Tenths::pixels(260);
        assert_eq!(scaled(1, 2, room), Tenths::pixels(130));
        assert_eq!(scaled(u64::MAX, u64::MAX, room), room);
        assert_eq!(scaled(3, 2, room), room);
        assert_eq!(scaled(3, 0, room), Tenths(0));
        assert_eq!(Tenths(125).to_string(), "12.5");
    }
}
