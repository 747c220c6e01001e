//! Counts what passes the two exits of a process: its allocator and the system's generator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static DRAWS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Of this thread: the one that writes a log has its own.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Random draws and heap allocations of one call.
pub fn entries_of(run: &mut dyn FnMut()) -> (u64, u64) {
    assert!(sees_draws(), "getrandom is not called by way of this binary: draws cannot be counted");
    let before = (DRAWS.load(Relaxed), ALLOCATIONS.get());
    run();
    (DRAWS.load(Relaxed) - before.0, ALLOCATIONS.get() - before.1)
}

fn count_allocation() {
    // A thread that is ending counts nothing.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

fn sees_draws() -> bool {
    let before = DRAWS.load(Relaxed);
    getrandom::fill(&mut [0; 12]).unwrap();
    DRAWS.load(Relaxed) - before == 1
}

/// The system's allocator. A growing buffer counts as a new one, since growing wipes the old one.
struct Counting;

// SAFETY: all four are passed on as they are.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_allocation();
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count_allocation();
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_allocation();
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        unsafe { System.dealloc(old, layout) }
    }
}

/// Replaces the C library's function of this name. Newer C libraries answer it without a system call that a tracer
/// could see.
#[unsafe(no_mangle)]
extern "C" fn getrandom(buffer: *mut libc::c_void, len: libc::size_t, flags: libc::c_uint) -> libc::ssize_t {
    // A test for this system call draws nothing.
    DRAWS.fetch_add(u64::from(len > 0), Relaxed);
    // SAFETY: the caller's own arguments.
    unsafe { libc::syscall(libc::SYS_getrandom, buffer, len, flags) as libc::ssize_t }
}
