//! An allocator that keeps a copy of every block that is freed while a thread is watched.
//!
//! The copies are searched afterwards, so that keys that a call has only just made can be looked for too. A
//! reallocation counts as a move, since the system may move the block: the content of the old place is kept.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Room for what one watched call gives back.
const ARENA: usize = 128 * 1024 * 1024;

pub struct Recorder;

static START: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
static USED: AtomicUsize = AtomicUsize::new(0);
/// What stands before each block: its length.
const HEAD: usize = size_of::<usize>();
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

// Every call goes to the system's allocator with the layout it came with; a block is only read, before it is given back and
// as far as its layout says.
unsafe impl GlobalAlloc for Recorder {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that nothing is found that an earlier block left in this one.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe {
            keep(block, layout.size());
            System.dealloc(block, layout);
        }
    }

    // `realloc` is the provided one: allocate, copy, give the old block back. So growing always moves.
}

/// Copies a block into the arena. Takes no memory and no lock, since it runs inside the allocator.
unsafe fn keep(block: *const u8, len: usize) {
    // A thread that is ending is watched to its end: the flag needs no destructor.
    if !WATCHED.try_with(Cell::get).unwrap_or(false) {
        return;
    }
    let start = START.load(Ordering::Relaxed);
    let at = USED.fetch_add(HEAD + len, Ordering::Relaxed);
    if at + HEAD + len <= ARENA {
        unsafe {
            std::ptr::copy_nonoverlapping(len.to_ne_bytes().as_ptr(), start.add(at), HEAD);
            std::ptr::copy_nonoverlapping(block, start.add(at + HEAD), len);
        }
    }
}

/// What was given back during a call.
pub struct Given<'a> {
    bytes: &'a mut [u8],
    _alone: MutexGuard<'a, ()>,
}

impl Given<'_> {
    /// Every block, as it was when it was given back.
    pub fn blocks(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.bytes;
        std::iter::from_fn(move || {
            let (len, after) = rest.split_first_chunk::<HEAD>()?;
            let (block, after) = after.split_at_checked(usize::from_ne_bytes(*len))?;
            rest = after;
            Some(block)
        })
    }
}

impl Drop for Given<'_> {
    fn drop(&mut self) {
        self.bytes.fill(0);
    }
}

/// Runs `work`, and gives its result and what this thread gave back meanwhile.
pub fn watch<T>(work: impl FnOnce() -> T) -> (T, Given<'static>) {
    let alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if START.load(Ordering::Relaxed).is_null() {
        START.store(Vec::leak(vec![0_u8; ARENA]).as_mut_ptr(), Ordering::Relaxed);
    }
    USED.store(0, Ordering::Relaxed);
    let watching = Watching::begin();
    let result = work();
    drop(watching);
    let used = USED.load(Ordering::Relaxed);
    assert!(used <= ARENA, "the arena is too small");
    // The arena is of this module and never given back; nobody else has it while `alone` is held.
    let bytes = unsafe { std::slice::from_raw_parts_mut(START.load(Ordering::Relaxed), used) };
    (result, Given { bytes, _alone: alone })
}

/// This thread is watched as long as this lives; a thread that keeps it to its end is watched to its end.
pub struct Watching;

impl Watching {
    pub fn begin() -> Self {
        WATCHED.set(true);
        Self
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        WATCHED.set(false);
    }
}
