//! The patients that an actor opened last, of whom another opening is free.

const SETS: usize = 256;
const WAYS: usize = 4;

/// 1,024 patients by their hashes, 4 in each set: 8 KiB. Sets do not fill evenly, so only the last few hundred are surely there.
pub(super) struct Recent(Box<[[u64; WAYS]]>);

impl Default for Recent {
    fn default() -> Self {
        Self(vec![[0; WAYS]; SETS].into_boxed_slice())
    }
}

impl Recent {
    pub(super) fn contains(&self, patient: u64) -> bool {
        self.0.get(set_of(patient)).is_some_and(|set| set.contains(&marked(patient)))
    }

    /// Takes a patient in, in the place of the one of its set that came first.
    pub(super) fn insert(&mut self, patient: u64) {
        if let Some(set) = self.0.get_mut(set_of(patient)) {
            let [first, second, third, _] = *set;
            *set = [marked(patient), first, second, third];
        }
    }
}

fn set_of(patient: u64) -> usize {
    usize::try_from(patient >> 56).unwrap_or_default()
}

/// Never 0, which is an empty place.
fn marked(patient: u64) -> u64 {
    patient | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the docs of budgets say. The hashes are those of a fixed generator.
    #[test]
    fn the_last_few_hundred_are_known() {
        let hashes: Vec<_> = (1..=10_000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)).collect();
        let hashes: Vec<_> =
            hashes.iter().map(|hash| (hash ^ hash >> 31).wrapping_mul(0xBF58_476D_1CE4_E5B9)).collect();
        let mut recent = Recent::default();
        hashes.iter().for_each(|hash| recent.insert(*hash));
        let known = |last: usize| hashes.iter().rev().take(last).filter(|hash| recent.contains(**hash)).count();
        assert!(known(100) >= 99 && known(300) >= 290, "{} of 100, {} of 300", known(100), known(300));
    }

    #[test]
    fn the_last_of_each_set_are_known() {
        let mut recent = Recent::default();
        assert!(!recent.contains(0));
        for patient in 0..5 {
            recent.insert(patient << 8);
        }
        assert!(!recent.contains(0), "the first of five in one set");
        assert!((1..5).all(|patient| recent.contains(patient << 8)));
        recent.insert(u64::MAX);
        assert!(recent.contains(u64::MAX) && recent.contains(1 << 8));
    }
}
