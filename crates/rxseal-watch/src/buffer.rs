//! Events on their way from the threads that open to the one that writes.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The number of buffers. If there are more threads, some share one.
const SHARDS: usize = 8;
/// What an event takes, usually. A buffer with this much room for each does not grow.
const USUAL_LEN: usize = 160;
/// How many events wait while the log cannot be written.
pub(crate) const MOST_WHILE_FAILING: usize = 65_536;

/// The buffers. An event waits in one of them until the writer takes it.
pub(crate) struct Buffer {
    shards: [Shard; SHARDS],
    waiting: AtomicUsize,
    written: AtomicUsize,
    most: usize,
    is_failing: AtomicBool,
    /// How many were written when the log was last found to fail.
    written_then: AtomicUsize,
    lost: AtomicU64,
    lost_from: AtomicU64,
}

/// One buffer, in cache lines of its own.
#[repr(align(128))]
struct Shard(Mutex<Vec<u8>>);

impl Buffer {
    /// With room for `most` events that wait while the log is written.
    pub(crate) fn with_room(most: usize) -> Self {
        let room = most.saturating_mul(USUAL_LEN).checked_div(SHARDS).unwrap_or_default();
        Self {
            shards: std::array::from_fn(|_| Shard(Mutex::new(Vec::with_capacity(room)))),
            waiting: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            most,
            is_failing: AtomicBool::new(false),
            written_then: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
            lost_from: AtomicU64::new(0),
        }
    }

    /// How many events may wait now.
    pub(crate) fn room(&self) -> usize {
        if self.is_failing() { MOST_WHILE_FAILING.max(self.most) } else { self.most }
    }

    /// Nothing was written since the log was last found to fail.
    pub(crate) fn is_stuck(&self) -> bool {
        self.is_failing() && self.progress() == self.written_then.load(Ordering::Relaxed)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting() >= self.room()
    }

    /// Puts an event in, whether there is room or not.
    pub(crate) fn put(&self, write: impl FnOnce(&mut Vec<u8>)) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let shard = self.shards.get(shard_of_thread()).or_else(|| self.shards.first());
        if let Some(Shard(buffer)) = shard {
            write(&mut buffer.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Appends what is in the buffers to `to`.
    pub(crate) fn take(&self, to: &mut Vec<u8>) {
        for Shard(buffer) in &self.shards {
            let mut buffer = buffer.lock().unwrap_or_else(PoisonError::into_inner);
            to.extend_from_slice(&buffer);
            buffer.clear();
        }
    }

    /// So many events are written, and wait no more.
    pub(crate) fn written(&self, events: usize) {
        self.waiting.fetch_sub(events, Ordering::Relaxed);
        self.written.fetch_add(events, Ordering::Relaxed);
    }

    /// How many events were written since the watch began. It may begin again at 0.
    pub(crate) fn progress(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    /// The log is written, or not.
    pub(crate) fn set_failing(&self, is_failing: bool) {
        self.written_then.store(self.progress(), Ordering::Relaxed);
        self.is_failing.store(is_failing, Ordering::Relaxed);
    }

    /// An event was not kept, and the opening went on, as the program asked for.
    pub(crate) fn count_lost(&self, time: u64) {
        if self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
            self.lost_from.store(time, Ordering::Relaxed);
        }
    }

    /// How many were lost, and since when.
    pub(crate) fn lost(&self) -> (u64, u64) {
        (self.lost.load(Ordering::Relaxed), self.lost_from.load(Ordering::Relaxed))
    }

    /// So many of them are in the log as a gap.
    pub(crate) fn lost_told(&self, lost: u64) {
        self.lost.fetch_sub(lost, Ordering::Relaxed);
    }

    fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }
}

fn shard_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARD: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed).checked_rem(SHARDS).unwrap_or_default());
    }
    // A thread that is ending uses the first.
    SHARD.try_with(Cell::get).unwrap_or_default()
}
