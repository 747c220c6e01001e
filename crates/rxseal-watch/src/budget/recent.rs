//! The patients that an actor opened last, of whom another opening is free.

const SETS: usize = 256;
const WAYS: usize = 4;

/// 1,024 patients by their hashes, 4 in each set: 8 KiB.
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
