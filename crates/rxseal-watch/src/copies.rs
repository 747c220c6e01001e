//! The copies of a log: each has a thread and a queue of its own, so that one that hangs holds up nothing.

use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::alarm::Alarm;
use crate::error::{Kind, WatchError};
use crate::shared::Shared;
use crate::sink::{Line, Sink};

/// How many rounds a copy may be behind.
const BEHIND: usize = 1024;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What a copy gets of one round.
#[derive(Clone)]
struct Batch {
    lines: Arc<[Line]>,
    checkpoint: Option<Arc<str>>,
}

/// The queues of all copies.
pub(crate) struct Copies(Vec<Queue>);

/// How long a watch that ends waits for its copies.
const LAST_WAIT: Duration = Duration::from_secs(1);

struct Queue {
    name: String,
    sender: SyncSender<Batch>,
    thread: JoinHandle<()>,
    missed: u64,
}

impl Copies {
    pub(crate) fn start(sinks: Vec<Box<dyn Sink>>, shared: &Arc<Shared>) -> Result<Self, WatchError> {
        let mut queues = Vec::with_capacity(sinks.len());
        for sink in sinks {
            let (sender, batches) = mpsc::sync_channel(BEHIND);
            let name = sink.name().to_owned();
            // A copy that hangs for ever must not keep the watch alive.
            let shared = Arc::downgrade(shared);
            let spawned = thread::Builder::new()
                .name("rxseal-watch-copy".to_owned())
                .spawn(move || copy(sink, &batches, &shared));
            let thread = spawned.map_err(|error| WatchError::from(Kind::Log).caused_by(error))?;
            queues.push(Queue { name, sender, thread, missed: 0 });
        }
        Ok(Self(queues))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits until the copies have what they were given, and no longer than a second: one that hangs stays behind.
    pub(crate) fn end(self) {
        let begun = Instant::now();
        let threads: Vec<_> = self.0.into_iter().map(|queue| queue.thread).collect();
        while threads.iter().any(|thread| !thread.is_finished()) && begun.elapsed() < LAST_WAIT {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Passes on what one round wrote.
    pub(crate) fn pass_on(&mut self, lines: Vec<Line>, checkpoint: Option<&str>, shared: &Shared) {
        let batch = Batch { lines: lines.into(), checkpoint: checkpoint.map(Into::into) };
        for queue in &mut self.0 {
            match queue.sender.try_send(batch.clone()) {
                Ok(()) if queue.missed > 0 => {
                    let lines = std::mem::take(&mut queue.missed);
                    shared.alarm(Alarm::CopyMissed { copy: queue.name.clone(), lines });
                }
                Ok(()) => {}
                Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) => {
                    let lines = u64::try_from(batch.lines.len()).unwrap_or(u64::MAX);
                    queue.missed = queue.missed.saturating_add(lines);
                }
            }
        }
    }
}

/// Gives a copy its batches, each until it is taken.
fn copy(mut sink: Box<dyn Sink>, batches: &Receiver<Batch>, shared: &Weak<Shared>) {
    for Batch { lines, checkpoint } in batches {
        let (mut has_lines, mut pause) = (false, FIRST_PAUSE);
        loop {
            let taken = if has_lines || lines.is_empty() { Ok(()) } else { sink.append(&lines) };
            has_lines = has_lines || taken.is_ok();
            let taken = taken.and_then(|()| checkpoint.as_deref().map_or(Ok(()), |note| sink.checkpoint(note)));
            let Err(reason) = taken else { break };
            // When the watch is gone, what failed is not tried again.
            let Some(shared) = shared.upgrade() else { return };
            if pause == FIRST_PAUSE {
                shared.alarm(Alarm::CopyFailed { copy: sink.name().to_owned(), reason: reason.to_string() });
            }
            let is_stopped = shared.is_stopped();
            drop(shared);
            if is_stopped && pause > FIRST_PAUSE {
                return;
            }
            thread::sleep(pause);
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }
}
