//! One buffer a thread for the work of sealing and opening, so that a field costs no allocation. Wiped after every use.

use std::cell::Cell;

use crate::secret::PlainBuffer;

/// What a thread keeps for the next field; more was for one large value and is given back.
const KEPT: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<Option<PlainBuffer>> = const { Cell::new(None) };
}

/// Runs `work` with an empty buffer. Where `work` comes here again (a sealed value inside a sealed value), it gets
/// another one.
pub(crate) fn with<T>(work: impl FnOnce(&mut PlainBuffer) -> T) -> T {
    // A thread that is ending has no spare any more.
    let mut buffer = SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default();
    let result = work(&mut buffer);
    buffer.clear();
    if buffer.vec().capacity() <= KEPT {
        // Where this fails the thread is ending, and the buffer goes with it.
        let _ = SPARE.try_with(|spare| spare.set(Some(buffer)));
    }
    result
}
