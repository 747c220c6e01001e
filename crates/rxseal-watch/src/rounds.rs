//! Waiting until events are on the disk. The writer works in rounds: what was in the buffers when a round began is written when it is done.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::error::{Kind, WatchError};

/// How long a call waits for the disk before it says that the log is not written.
pub(crate) const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 300 } else { 1000 });

/// How far the writer is.
#[derive(Default)]
pub(crate) struct Rounds {
    begun: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    done: u64,
    writer: Option<Thread>,
    wakers: Vec<(Instant, Waker)>,
    ended: bool,
}

impl Rounds {
    /// The thread that writes, which sleeps between rounds.
    pub(crate) fn set_writer(&self, writer: Thread) {
        self.state().writer = Some(writer);
    }

    /// A round that writes everything that is in the buffers now.
    pub(crate) fn next(&self) -> u64 {
        self.begun.load(Ordering::SeqCst).saturating_add(1)
    }

    /// Begins a round; the writer alone does.
    pub(crate) fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::SeqCst).saturating_add(1)
    }

    /// All rounds up to this one are on the disk.
    pub(crate) fn done(&self, round: u64) {
        let mut state = self.state();
        state.done = round;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.changed.notify_all();
        for (_, waker) in wakers {
            waker.wake();
        }
    }

    /// There will be no more rounds.
    pub(crate) fn end(&self) {
        self.state().ended = true;
        let done = self.state().done;
        self.done(done);
    }

    /// Wakes the writer.
    pub(crate) fn hurry(&self) {
        if let Some(writer) = &self.state().writer {
            writer.unpark();
        }
    }

    /// Waits until a round is on the disk, and no longer than `patience`. Says whether it is.
    pub(crate) fn wait(&self, round: u64, patience: Duration) -> bool {
        self.hurry();
        let is_open = |state: &mut State| state.done < round && !state.ended;
        let state = self.state();
        let waited = self.changed.wait_timeout_while(state, patience, is_open);
        waited.unwrap_or_else(PoisonError::into_inner).0.done >= round
    }

    /// Wakes the tasks whose patience is at its end; the watch calls this from a thread that no disk holds up. Says whether there will be more
    /// rounds.
    pub(crate) fn wake_late(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        let (late, rest): (Vec<_>, Vec<_>) = state.wakers.drain(..).partition(|(ends, _)| *ends <= now);
        state.wakers = rest;
        let ended = state.ended;
        drop(state);
        for (_, waker) in late {
            waker.wake();
        }
        !ended
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until everything that was opened before is on the disk: [`Watch::committed`](crate::Watch::committed) makes it. It needs no runtime, and
/// blocks no thread.
#[must_use = "it does nothing until it is awaited"]
pub struct Committed {
    rounds: Result<Arc<Rounds>, Kind>,
    round: u64,
    ends: Instant,
}

impl Committed {
    pub(crate) fn next_of(rounds: &Arc<Rounds>) -> Self {
        let round = rounds.next();
        rounds.hurry();
        let ends = Instant::now();
        let ends = ends.checked_add(PATIENCE).unwrap_or(ends);
        Self { rounds: Ok(Arc::clone(rounds)), round, ends }
    }

    pub(crate) fn never(kind: Kind) -> Self {
        Self { rounds: Err(kind), round: 0, ends: Instant::now() }
    }
}

impl Future for Committed {
    type Output = Result<(), WatchError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let rounds = match &self.rounds {
            Ok(rounds) => rounds,
            Err(kind) => return Poll::Ready(Err((*kind).into())),
        };
        let mut state = rounds.state();
        if state.done >= self.round {
            Poll::Ready(Ok(()))
        } else if state.ended || Instant::now() >= self.ends {
            Poll::Ready(Err(Kind::AuditUnavailable.into()))
        } else {
            state.wakers.push((self.ends, context.waker().clone()));
            Poll::Pending
        }
    }
}

impl fmt::Debug for Committed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committed").finish_non_exhaustive()
    }
}
