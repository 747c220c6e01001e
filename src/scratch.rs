//! Wiped buffers that a thread keeps for its next use, so that a field costs no allocation.

use std::cell::RefCell;
use std::thread::LocalKey;

use crate::secret::PlainBuffer;

/// The spare objects of one kind. Resealing takes two at once, and a scope inside a scope one more.
pub(crate) type Spares<T> = RefCell<Vec<T>>;

const MAX_SPARES: usize = 4;
/// The largest buffer that is kept, in bytes. A larger one was for a single large value, and is freed.
const KEPT: usize = 64 * 1024;

thread_local! {
    static BUFFERS: Spares<PlainBuffer> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` with an empty buffer, and wipes the buffer afterwards. If `work` calls this again (a sealed value inside a
/// sealed value), it gets another buffer.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn with<T>(work: impl FnOnce(&mut PlainBuffer) -> T) -> T {
    let mut buffer = take(&BUFFERS);
    let result = work(&mut buffer);
    buffer.clear();
    if buffer.vec().capacity() <= KEPT {
        give_back(&BUFFERS, buffer);
    }
    result
}

/// A spare one of this thread, or a new one. A thread that is ending has no spare ones.
pub(crate) fn take<T: Default>(spares: &'static LocalKey<Spares<T>>) -> T {
    let spare = spares.try_with(|spares| spares.try_borrow_mut().ok()?.pop());
    spare.ok().flatten().unwrap_or_default()
}

/// Keeps `used` for the next time. It must no longer contain anything secret.
pub(crate) fn give_back<T>(spares: &'static LocalKey<Spares<T>>, used: T) {
    // If this fails, the thread is ending, and `used` is dropped.
    let _ = spares.try_with(|spares| {
        if let Ok(mut spares) = spares.try_borrow_mut()
            && spares.len() < MAX_SPARES
        {
            spares.push(used);
        }
    });
}
