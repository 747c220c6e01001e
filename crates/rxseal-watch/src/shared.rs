//! What the threads that open and the thread that writes have in common.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::alarm::Alarm;
use crate::budget::Ledger;
use crate::buffer::Buffer;
use crate::clock::Clock;
use crate::error::Kind;
use crate::event::{Entry, Event, tail};
use crate::rounds::{PATIENCE, Rounds};

/// How long a full buffer holds up an opening, while nothing is written, before the log counts as hung.
pub(crate) const HUNG: Duration = Duration::from_millis(100);
/// How long it waits at once.
const GLANCE: Duration = Duration::from_millis(10);

/// When an opening gives its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At once: the event is in a buffer, which is written every 5 milliseconds. What a killed process had not written is lost, at most twice the size of
    /// the buffer; the next run finds out that it was killed. With [`Watch::committed`](crate::Watch::committed) before a response leaves, nothing
    /// that was answered is lost.
    Queued,
    /// When the event is on the disk: a few milliseconds for each opening.
    Durable,
}

/// What happens to openings when the log cannot be written and the buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// They fail: nothing is opened that is not in the log.
    Fail,
    /// They go on. What is lost is counted, and the log says how many when it is written again.
    Continue,
}

/// What a watch has one of.
pub(crate) struct Shared {
    pub(crate) ledger: Ledger,
    pub(crate) buffer: Buffer,
    pub(crate) rounds: Arc<Rounds>,
    /// The same rounds, of what breaks the glass: that may be written while the rest waits.
    pub(crate) glass: Rounds,
    pub(crate) when: When,
    pub(crate) on_full: OnFull,
    pub(crate) clock: Clock,
    pid: u32,
    is_stopped: AtomicBool,
    /// The last round begins: what is put into a buffer from now on may be in no log.
    is_closed: AtomicBool,
    is_whole: AtomicBool,
    told_too_many: AtomicBool,
    alarms: Mutex<Vec<Alarm>>,
}

impl Shared {
    pub(crate) fn new(ledger: Ledger, clock: Clock, room: usize, (when, on_full): (When, OnFull)) -> Self {
        Self {
            ledger,
            buffer: Buffer::with_room(room),
            rounds: Arc::default(),
            glass: Rounds::default(),
            when,
            on_full,
            clock,
            pid: std::process::id(),
            is_stopped: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            is_whole: AtomicBool::new(false),
            told_too_many: AtomicBool::new(false),
            alarms: Mutex::default(),
        }
    }

    /// Nanoseconds since the watch began, by the clock that is never set.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Whether this process is a fork of the one with the threads.
    pub(crate) fn is_forked(&self) -> bool {
        std::process::id() != self.pid
    }

    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        self.rounds.hurry();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// Everything that was kept before the last round is in the log, and the writer writes no more.
    pub(crate) fn ended_whole(&self) {
        self.is_whole.store(true, Ordering::SeqCst);
    }

    /// Whether something that was kept is not in the log. What comes after its end, such as the lock of a keyring that outlives the watch, was not
    /// kept.
    pub(crate) fn lacks_something(&self) -> bool {
        !self.is_whole.load(Ordering::SeqCst) && self.buffer.waiting() > 0
    }

    /// Before the last round.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }

    /// Tells once that there are more actors than are told apart.
    pub(crate) fn tell_too_many(&self) {
        if !self.told_too_many.swap(true, Ordering::Relaxed) {
            self.alarm(Alarm::TooManyActors);
        }
    }

    pub(crate) fn alarm(&self, alarm: Alarm) {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).push(alarm);
    }

    pub(crate) fn take_alarms(&self) -> Vec<Alarm> {
        std::mem::take(&mut *self.alarms.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps an event of an opening. One that breaks the glass is on the disk before the answer.
    pub(crate) fn keep(&self, breaks_glass: bool, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Kind> {
        if self.is_stopped() {
            return Err(Kind::Stopped);
        }
        // What breaks the glass has a reserve of the disk, and is never turned away here.
        if !breaks_glass && self.buffer.is_full() && !self.waits_for_room() {
            return match self.on_full {
                OnFull::Fail => Err(Kind::AuditUnavailable),
                OnFull::Continue => {
                    self.buffer.count_lost(self.now());
                    Ok(())
                }
            };
        }
        self.buffer.put(write);
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(Kind::Stopped);
        }
        let rounds = match self.when {
            _ if breaks_glass => &self.glass,
            When::Durable => &*self.rounds,
            When::Queued => return Ok(()),
        };
        let round = self.rounds.next();
        self.rounds.hurry();
        match rounds.wait(round, PATIENCE) {
            true => Ok(()),
            false if self.on_full == OnFull::Continue => Ok(()),
            false => Err(Kind::AuditUnavailable),
        }
    }

    /// Keeps an event that no opening waits for.
    pub(crate) fn keep_event(&self, event: &Event<'_>, with_checkpoint: bool) {
        let mut json = Vec::with_capacity(256);
        tail(&mut json, event);
        self.buffer.put(|buffer| Entry::write_tail(buffer, self.now(), with_checkpoint, &json));
    }

    /// Keeps an event that is not an opening, and waits until it is on the disk.
    pub(crate) fn keep_on_disk(&self, event: &Event<'_>) -> Result<(), Kind> {
        if self.is_forked() {
            return Err(Kind::Forked);
        }
        if self.is_stopped() {
            return Err(Kind::Stopped);
        }
        self.keep_event(event, true);
        let round = self.rounds.next();
        if self.rounds.wait(round, PATIENCE) { Ok(()) } else { Err(Kind::AuditUnavailable) }
    }

    /// Waits for the writer to make room. If it writes nothing for a while, its log is hung: then more events may wait. A log that failed and
    /// gets on again is waited for too, or a busy program would be refused as long as the log needs for what has waited.
    fn waits_for_room(&self) -> bool {
        if self.buffer.is_stuck() {
            return false;
        }
        let (mut written, mut since) = (self.buffer.progress(), Instant::now());
        while self.buffer.is_full() {
            let left = HUNG.saturating_sub(since.elapsed());
            if left.is_zero() {
                self.buffer.set_failing(true);
                return !self.buffer.is_full();
            }
            // A log that gets on slowly says so between its rounds.
            self.rounds.wait(self.rounds.next(), left.min(GLANCE));
            let now = self.buffer.progress();
            if now != written {
                (written, since) = (now, Instant::now());
            }
        }
        true
    }
}
