//! A generator for simulations, with a fixed seed, so that one sample always has one report. Nothing secret comes from it.

/// `SplitMix64`.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        scramble(self.0)
    }

    /// Below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let high = u128::from(self.roll()).wrapping_mul(u128::from(bound)) >> 64;
        u64::try_from(high).unwrap_or(0)
    }

    /// About normally distributed: the sum of 12 even draws, as a multiple of 1/65,536 of the standard deviation.
    fn bell(&mut self) -> i64 {
        let mut sum: i64 = 0;
        for _ in 0..3 {
            let roll = self.roll();
            for at in [0, 16, 32, 48] {
                sum = sum.wrapping_add(i64::try_from((roll >> at) & 0xFFFF).unwrap_or(0));
            }
        }
        sum.wrapping_sub(6 * 0xFFFF)
    }

    /// How many of `rows` have each of `slots` slots.
    pub(super) fn split(&mut self, rows: u32, slots: u16, into: &mut Vec<u32>) {
        into.clear();
        if slots <= 1 {
            into.push(rows);
            return;
        }
        let (rows, slots) = (u64::from(rows), u64::from(slots));
        if rows < slots.saturating_mul(MANY) {
            into.resize(usize::try_from(slots).unwrap_or(1), 0);
            for _ in 0..rows {
                let at = usize::try_from(self.below(slots)).unwrap_or(0);
                if let Some(slot) = into.get_mut(at) {
                    *slot = slot.saturating_add(1);
                }
            }
            return;
        }
        let mut left = rows;
        for after in (0..slots).rev() {
            let among = after.saturating_add(1);
            let mean = left.checked_div(among).unwrap_or(left);
            // The standard deviation of one of `among` equal parts.
            let variance = mean.saturating_mul(after).checked_div(among).unwrap_or(0);
            let deviation = i64::try_from(variance.isqrt()).unwrap_or(0);
            let off = self.bell().saturating_mul(deviation) >> 16;
            let part = if after == 0 { left } else { mean.saturating_add_signed(off).min(left) };
            into.push(u32::try_from(part).unwrap_or(u32::MAX));
            left = left.saturating_sub(part);
        }
    }
}

/// The value of a form's slot under a key, in place of the HMAC, of which it has the same distribution.
pub(super) fn value(key: u64, form: u64, slot: u64) -> u64 {
    scramble(scramble(key ^ form.wrapping_mul(GOLDEN)).wrapping_add(slot.wrapping_mul(GOLDEN)))
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
/// From so many rows for each slot, numbers of rows are drawn at once.
const MANY: u64 = 64;

fn scramble(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_evenly_and_none_is_lost() {
        let mut dice = Dice::new(1);
        let mut parts = Vec::new();
        for (rows, slots) in [(0, 1), (1, 256), (1000, 1), (1000, 42), (1_000_000, 42), (20_000, 256)] {
            dice.split(rows, slots, &mut parts);
            assert_eq!((parts.iter().sum::<u32>(), parts.len()), (rows, usize::from(slots)));
            let mean = f64::from(rows) / f64::from(slots);
            let far = |part: &u32| (f64::from(*part) - mean).abs() > 6.0 * mean.sqrt() + 4.0;
            assert!(!parts.iter().any(far), "{rows} rows in {slots} slots: {parts:?}");
        }
        // As far apart as by chance, not evener.
        dice.split(1_000_000, 100, &mut parts);
        let variance = parts.iter().map(|part| (f64::from(*part) - 10_000.0).powi(2)).sum::<f64>() / 100.0;
        assert!((5000.0..20_000.0).contains(&variance), "{variance}");
    }
}
