//! Numbers for drawing records. Nothing secret depends on them.

use rxseal::Error;
use rxseal::provider::fill_random;

/// The generator `SplitMix64`, from a seed of the system.
pub struct Random(u64);

impl Random {
    pub fn new() -> Result<Self, Error> {
        let mut seed = [0; 8];
        fill_random(&mut seed)?;
        Ok(Self(u64::from_le_bytes(seed)))
    }

    /// A number below `end`, each about as likely as the others. If `end` is 0, the number is 0 too.
    pub fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.next()).saturating_mul(u128::from(end));
        u64::try_from(wide.checked_shr(64).unwrap_or_default()).unwrap_or_default()
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn every_number_is_about_as_likely() {
        let mut random = Random(7);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[usize::try_from(random.below(10)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|times| (900..1_100).contains(times)), "{seen:?}");
        assert_eq!((random.below(1), random.below(0)), (0, 0));
    }
}
