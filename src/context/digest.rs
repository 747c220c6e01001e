//! A digest that is computed when it is first needed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The digest of bytes that never change (FORMAT 4.2). If a record is made only to get a subject or a part, its own digest is never
/// needed.
///
/// It uses atomics and not a `OnceLock`: see "No unwritten room" in `secret`.
pub(super) struct LazyDigest {
    is_taken: AtomicBool,
    words: [AtomicU64; 4],
}

impl LazyDigest {
    pub(super) fn new() -> Self {
        Self { is_taken: AtomicBool::new(false), words: [const { AtomicU64::new(0) }; 4] }
    }

    /// The digest that `take` computed the first time. Threads that ask at once may each compute it, with the same result.
    pub(super) fn get(&self, take: impl FnOnce() -> [u8; 32]) -> [u8; 32] {
        let mut digest = [0; 32];
        if self.is_taken.load(Ordering::Acquire) {
            for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(&self.words) {
                *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
            }
            return digest;
        }
        digest = take();
        for (bytes, word) in digest.as_chunks().0.iter().zip(&self.words) {
            word.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
        }
        self.is_taken.store(true, Ordering::Release);
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_taken_once() {
        let lazy = LazyDigest::new();
        let bytes = std::array::from_fn(|at| at as u8 + 1);
        assert_eq!(lazy.get(|| bytes), bytes);
        assert_eq!(lazy.get(|| unreachable!()), bytes);
    }

    #[test]
    fn threads_that_ask_at_once_get_the_same() {
        for round in 1..200 {
            let lazy = LazyDigest::new();
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| assert_eq!(lazy.get(|| [round; 32]), [round; 32]));
                }
            });
        }
    }
}
