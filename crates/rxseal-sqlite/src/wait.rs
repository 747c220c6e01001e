//! How long a call waits for another program that is writing.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

/// For a whole call, including the wait for the calls before it. A change takes milliseconds.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(5);

// SQLite's own timeout starts again at every step of a call, and its callback gets no data of ours. A call stays on its
// thread.
thread_local!(static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) });

/// The waits of this thread end 5 seconds from now.
pub fn wait_from_now() {
    DEADLINE.set(Instant::now().checked_add(BUSY_WAIT));
}

/// Whether SQLite tries once more to get a lock.
pub(crate) fn wait_on(_: i32) -> bool {
    let waits = DEADLINE.get().is_some_and(|deadline| Instant::now() < deadline);
    if waits {
        thread::sleep(POLL);
    }
    waits
}
