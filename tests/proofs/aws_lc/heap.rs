//! The heap of this test program, both Rust's and AWS-LC's. While a thread is watched, the blocks that it frees are
//! kept, and the blocks that it allocated and still holds can be read.
//!
//! AWS-LC uses `malloc` and `free`, which Rust's `#[global_allocator]` does not see. The functions here replace the C
//! library's in this whole program, and Rust's own allocator calls them as well.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// Room for what one watched call gives back.
const ARENA: usize = 256 * 1024 * 1024;
/// Blocks that a watched call takes.
const MOST_TAKEN: usize = 1 << 17;
/// What stands before each block in the arena: its length.
const HEAD: usize = size_of::<usize>();

static START: AtomicPtr<u8> = AtomicPtr::new(null_mut());
static USED: AtomicUsize = AtomicUsize::new(0);
static TAKEN: [AtomicPtr<c_void>; MOST_TAKEN] = [const { AtomicPtr::new(null_mut()) }; MOST_TAKEN];
static TAKEN_LEN: AtomicUsize = AtomicUsize::new(0);
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

unsafe extern "C" {
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
    fn malloc_usable_size(block: *mut c_void) -> usize;
}

// All memory comes zeroed, so that nothing is found in a block that an earlier owner of its place left there.

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    note_taken(unsafe { __libc_calloc(1, size) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    note_taken(unsafe { __libc_calloc(count, size) })
}

/// Always moves, since the system's may: what stood in the old place is kept.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    unsafe {
        if block.is_null() {
            return malloc(size);
        }
        let moved = if size == 0 { null_mut() } else { malloc(size) };
        if !moved.is_null() {
            std::ptr::copy_nonoverlapping(block.cast::<u8>(), moved.cast(), size.min(malloc_usable_size(block)));
        }
        if size == 0 || !moved.is_null() {
            free(block);
        }
        moved
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: usize, size: usize) -> c_int {
    unsafe {
        let block = __libc_memalign(align, size);
        if block.is_null() {
            return 12; // ENOMEM
        }
        block.cast::<u8>().write_bytes(0, malloc_usable_size(block));
        *out = note_taken(block);
        0
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    unsafe {
        if !block.is_null() {
            // A thread that is ending is watched to its end: the flag needs no destructor.
            if WATCHED.try_with(Cell::get).unwrap_or(false) {
                keep(block.cast(), malloc_usable_size(block));
            }
            note_given(block);
        }
        __libc_free(block);
    }
}

// These run inside the allocator: they take no memory and no lock.

fn note_taken(block: *mut c_void) -> *mut c_void {
    if WATCHED.try_with(Cell::get).unwrap_or(false) {
        let at = TAKEN_LEN.fetch_add(1, Ordering::Relaxed);
        if let Some(place) = TAKEN.get(at) {
            place.store(block, Ordering::Relaxed);
        }
    }
    block
}

/// Of every thread: what a watched one took may be given back by another.
fn note_given(block: *mut c_void) {
    let taken = &TAKEN[..TAKEN_LEN.load(Ordering::Relaxed).min(MOST_TAKEN)];
    if let Some(place) = taken.iter().rev().find(|place| place.load(Ordering::Relaxed) == block) {
        place.store(null_mut(), Ordering::Relaxed);
    }
}

/// Copies a block into the arena.
unsafe fn keep(block: *const u8, len: usize) {
    let start = START.load(Ordering::Relaxed);
    let at = USED.fetch_add(HEAD + len, Ordering::Relaxed);
    if at + HEAD + len <= ARENA {
        unsafe {
            std::ptr::copy_nonoverlapping(len.to_ne_bytes().as_ptr(), start.add(at), HEAD);
            std::ptr::copy_nonoverlapping(block, start.add(at + HEAD), len);
        }
    }
}

/// Copies of what a watched call left behind.
pub struct Seen {
    /// Every block that it gave back, as it was when it was given back.
    pub given: Vec<Vec<u8>>,
    /// What it took and still held at its end.
    pub held: Vec<Vec<u8>>,
}

/// Runs `work`, and gives its result and what this thread did with its memory meanwhile.
pub fn watch<T>(work: impl FnOnce() -> T) -> (T, Seen) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if START.load(Ordering::Relaxed).is_null() {
        START.store(Vec::leak(vec![0_u8; ARENA]).as_mut_ptr(), Ordering::Relaxed);
    }
    USED.store(0, Ordering::Relaxed);
    TAKEN_LEN.store(0, Ordering::Relaxed);
    let watching = Watching::begin();
    let result = work();
    drop(watching);
    let held = held();
    TAKEN_LEN.store(0, Ordering::Relaxed);
    (result, Seen { given: given(), held })
}

fn given() -> Vec<Vec<u8>> {
    let used = USED.load(Ordering::Relaxed);
    assert!(used <= ARENA, "the arena is too small");
    // The arena is of this module and never given back; nobody else has it while `ONE_AT_A_TIME` is held.
    let arena = unsafe { std::slice::from_raw_parts_mut(START.load(Ordering::Relaxed), used) };
    let mut blocks = Vec::new();
    let mut rest = &*arena;
    while let Some((len, after)) = rest.split_first_chunk::<HEAD>() {
        let (block, after) = after.split_at(usize::from_ne_bytes(*len));
        blocks.push(block.to_vec());
        rest = after;
    }
    arena.fill(0);
    blocks
}

/// A copy of what was taken since the watch began, and not given back.
pub fn held() -> Vec<Vec<u8>> {
    let watched = WATCHED.replace(false);
    let len = TAKEN_LEN.load(Ordering::Relaxed);
    assert!(len <= MOST_TAKEN, "the list of blocks is too short");
    let blocks = TAKEN[..len].iter().map(|place| place.load(Ordering::Relaxed)).filter(|block| !block.is_null());
    // A block in the list was not given back, and was zeroed as far as it can be used.
    let copy = |block: *mut c_void| unsafe {
        std::slice::from_raw_parts(block.cast::<u8>(), malloc_usable_size(block)).to_vec()
    };
    let held = blocks.map(copy).collect();
    WATCHED.set(watched);
    held
}

/// This thread is watched as long as this lives; a thread that keeps it to its end is watched to its end.
pub struct Watching(());

impl Watching {
    pub fn begin() -> Self {
        WATCHED.set(true);
        Self(())
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        WATCHED.set(false);
    }
}
