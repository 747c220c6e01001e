//! How many bytes of the heap are in use, and the most that were, counted while `watch` runs.
//!
//! Counting stops afterwards: threads that are timed would otherwise contend for these counters.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

static WATCHED: AtomicBool = AtomicBool::new(false);
static IN_USE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// What a piece of work did to the heap.
#[derive(Clone, Copy, Debug)]
pub struct Heap {
    /// Bytes that it left behind, including its result. Negative if it freed memory from before.
    pub left: i64,
    /// The most bytes in use at any time during it, beyond those before it.
    pub peak: i64,
}

/// Runs `work`. Nothing else may run meanwhile.
pub fn watch<T>(work: impl FnOnce() -> T) -> (T, Heap) {
    IN_USE.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    WATCHED.store(true, Relaxed);
    let result = work();
    WATCHED.store(false, Relaxed);
    (result, Heap { left: IN_USE.load(Relaxed), peak: PEAK.load(Relaxed) })
}

/// The system's allocator. The bench that watches sets it with `#[global_allocator]`.
pub struct Watched;

// SAFETY: all four are passed on as they are.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note_more(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note_more(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both exist while one is copied into the other.
        note_more(size);
        let new = unsafe { System.realloc(old, layout, size) };
        note_less(layout.size());
        new
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        unsafe { System.dealloc(old, layout) }
        note_less(layout.size());
    }
}

fn note_more(bytes: usize) {
    if WATCHED.load(Relaxed) {
        let in_use = IN_USE.fetch_add(bytes as i64, Relaxed) + bytes as i64;
        PEAK.fetch_max(in_use, Relaxed);
    }
}

fn note_less(bytes: usize) {
    if WATCHED.load(Relaxed) {
        IN_USE.fetch_sub(bytes as i64, Relaxed);
    }
}
