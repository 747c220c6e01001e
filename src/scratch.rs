//! What a thread keeps, wiped, for its next use, so that a field costs no allocation.

use std::cell::RefCell;
use std::thread::LocalKey;

use crate::secret::PlainBuffer;

/// What a thread keeps of one kind: resealing takes two at once, a scope inside a scope one more.
pub(crate) type Spares<T> = RefCell<Vec<T>>;

const MAX_SPARES: usize = 4;
/// The most bytes of a buffer that is kept; what is larger was for one large value and is given back.
const KEPT: usize = 64 * 1024;

thread_local! {
    static BUFFERS: Spares<PlainBuffer> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` with an empty buffer, which is wiped afterwards. Where `work` comes here again (a sealed value inside a
/// sealed value), it gets another one.
pub(crate) fn with<T>(work: impl FnOnce(&mut PlainBuffer) -> T) -> T {
    let mut buffer = take(&BUFFERS);
    let result = work(&mut buffer);
    buffer.clear();
    if buffer.vec().capacity() <= KEPT {
        give_back(&BUFFERS, buffer);
    }
    result
}

/// One of the thread's spare ones, or a new one. A thread that is ending has none any more.
pub(crate) fn take<T: Default>(spares: &'static LocalKey<Spares<T>>) -> T {
    let spare = spares.try_with(|spares| spares.try_borrow_mut().ok()?.pop());
    spare.ok().flatten().unwrap_or_default()
}

/// Keeps `used`, of which nothing secret is left, for the next time.
pub(crate) fn give_back<T>(spares: &'static LocalKey<Spares<T>>, used: T) {
    // Where this fails the thread is ending, and what was used goes with it.
    let _ = spares.try_with(|spares| {
        if let Ok(mut spares) = spares.try_borrow_mut()
            && spares.len() < MAX_SPARES
        {
            spares.push(used);
        }
    });
}
