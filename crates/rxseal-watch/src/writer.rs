//! The thread that writes the log: it takes what waits in the buffers, makes lines, and puts them into the log.

mod chain;

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::alarm::Alarm;
use crate::chain::Head;
use crate::clock::SECOND;
use crate::copies::Copies;
use crate::error::{Kind, WatchError};
use crate::event::{Entry, Event, Previous, Start};
use crate::note::Checkpoint;
use crate::shared::Shared;
use crate::target::{AppendFault, Target};
use chain::{Batch, Chain};

/// The time between two rounds.
pub(crate) const LAG: Duration = Duration::from_millis(5);
/// The same while the log cannot be written.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a watch that ends tries to write what is left.
const LAST_TRIES: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 1000 });
/// A checkpoint comes after so many lines, or after so much time with new ones.
const CHECKPOINT_LINES: u64 = 1000;
const CHECKPOINT_TIME: u64 = 60 * SECOND;
/// A longer file is continued in a new chain.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// What the first line of a chain says of the program.
pub(crate) struct About {
    pub(crate) service: String,
    pub(crate) host: String,
    pub(crate) room: usize,
    pub(crate) copies: usize,
}

/// Lines on their way into the log, and the events that they are of.
struct Sent {
    batch: Batch,
    needs_checkpoint: bool,
    events: usize,
    lost: u64,
    /// Those events, as they came out of the buffers, in case they belong into another chain after all. Kept while the lines may be in the log.
    kept: Vec<u8>,
}

impl Sent {
    /// Lines that the writer itself has something to say with.
    fn own(batch: Batch, needs_checkpoint: bool) -> Self {
        Self { batch, needs_checkpoint, events: 0, lost: 0, kept: Vec::new() }
    }
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    log: Box<dyn Target>,
    about: About,
    copies: Copies,
    on_alarm: Box<dyn FnMut(&Alarm) + Send>,
    chain: Option<Chain>,
    /// The chain that was left, where it is known how far it is in the log.
    left: Option<Previous>,
    /// What may be in the log. It is written before anything else.
    unsure: Option<Sent>,
    /// The events that wait, as they came out of the buffers.
    backlog: Vec<u8>,
    failing_since: Option<Instant>,
    is_half_told: bool,
    is_list_unreadable: bool,
    /// When it looked around, and when it read the list of frozen actors, in nanoseconds of the watch.
    checked: u64,
    refrozen: u64,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        log: Box<dyn Target>,
        about: About,
        copies: Copies,
        on_alarm: Box<dyn FnMut(&Alarm) + Send>,
    ) -> Self {
        let now = shared.now();
        Self {
            shared,
            log,
            about,
            copies,
            on_alarm,
            chain: None,
            left: None,
            unsure: None,
            backlog: Vec::new(),
            failing_since: None,
            is_half_told: false,
            is_list_unreadable: false,
            checked: now,
            refrozen: now,
        }
    }

    /// Begins the first chain.
    pub(crate) fn begin(&mut self) -> Result<(), WatchError> {
        let failed = |error: io::Error| WatchError::from(Kind::Log).caused_by(error);
        self.begin_chain().map_err(failed)?;
        self.log.reserve().map_err(failed)
    }

    /// Writes until the watch ends.
    pub(crate) fn run(mut self) {
        let mut stopping: Option<Instant> = None;
        let mut is_closed = false;
        loop {
            if self.shared.is_stopped() {
                stopping.get_or_insert_with(Instant::now);
            }
            let is_written = self.round();
            self.look_around();
            self.give_alarms();
            match stopping {
                Some(_) if is_written && is_closed => {
                    self.shared.ended_whole();
                    self.end_chain(None);
                    break;
                }
                // One more round, for what was put in meanwhile.
                Some(_) if is_written => {
                    self.shared.close();
                    is_closed = true;
                }
                Some(since) if since.elapsed() > LAST_TRIES => {
                    self.shared.close();
                    break;
                }
                _ => thread::park_timeout(if is_written { LAG } else { PAUSE }),
            }
        }
        self.give_alarms();
        self.shared.rounds.end();
        self.shared.glass.end();
        self.copies.end();
    }

    /// Writes what is in the buffers now. Says whether it is on the disk.
    fn round(&mut self) -> bool {
        let round = self.shared.rounds.begin();
        self.shared.buffer.take(&mut self.backlog);
        let (lost, _) = self.shared.buffer.lost();
        let is_done = self.chain.is_some() && self.unsure.is_none() && self.backlog.is_empty() && lost == 0;
        let written = if is_done { Ok(()) } else { self.write_all() };
        match written {
            Ok(()) => {
                self.shared.rounds.done(round);
                self.shared.glass.done(round);
                self.shared.buffer.set_failing(false);
                self.is_half_told = false;
                if self.failing_since.take().is_some() {
                    self.shared.alarm(Alarm::LogRecovered(lost));
                    // On a disk that is full again there is no reserve until the log recovers the next time.
                    drop(self.log.reserve());
                }
                true
            }
            Err(error) => {
                self.note_failure(&error);
                if is_full(&error) && self.write_glass().is_ok() {
                    self.shared.glass.done(round);
                }
                false
            }
        }
    }

    fn write_all(&mut self) -> io::Result<()> {
        if let Some(sent) = self.unsure.take() {
            self.append(sent)?;
        }
        if self.chain.is_none() {
            self.begin_chain()?;
        }
        let backlog = std::mem::take(&mut self.backlog);
        let entries = entries(&backlog);
        let (done, written) = self.write_parts(&entries);
        match entries.get(done..) {
            _ if done == 0 && written.is_err() => self.backlog = backlog,
            Some(rest) if written.is_err() => rest.iter().for_each(|entry| entry.put(&mut self.backlog)),
            _ => {
                let is_large = backlog.capacity() > MAX_KEPT;
                self.backlog = backlog;
                self.backlog.clear();
                if is_large {
                    self.backlog.shrink_to(MAX_KEPT);
                }
                self.end_old_chain()?;
            }
        }
        written
    }

    /// Writes events, as many at once as the log takes. Says how many of them wait no more.
    fn write_parts(&mut self, entries: &[Entry<'_>]) -> (usize, io::Result<()>) {
        let most = self.log.most_at_once();
        let mut done = 0_usize;
        loop {
            let rest = entries.get(done..).unwrap_or_default();
            let (part, rest) = rest.split_at_checked(most).unwrap_or((rest, &[]));
            let lost = if rest.is_empty() { self.shared.buffer.lost() } else { (0, 0) };
            let written = self.write(part, lost);
            if written.is_ok() || self.unsure.is_some() {
                done = done.saturating_add(part.len());
            }
            if written.is_err() || rest.is_empty() {
                return (done, written);
            }
        }
    }

    /// Writes the events that break the glass alone, into what the disk keeps free for them. The others wait.
    fn write_glass(&mut self) -> io::Result<()> {
        if self.unsure.is_some() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let backlog = std::mem::take(&mut self.backlog);
        let (glass, rest): (Vec<_>, Vec<_>) = entries(&backlog).into_iter().partition(Entry::breaks_glass);
        let mut written = if glass.is_empty() { Ok(()) } else { self.write(&glass, (0, 0)) };
        if written.is_err() && self.log.give_up_reserve() {
            self.shared.alarm(Alarm::ReserveUsed);
            written = self.write(&glass, (0, 0));
        }
        if written.is_ok() || self.unsure.is_some() {
            for entry in rest {
                entry.put(&mut self.backlog);
            }
        } else {
            self.backlog = backlog;
        }
        written
    }

    /// Writes events as lines of the chain, and a checkpoint if one is due.
    fn write(&mut self, entries: &[Entry<'_>], (lost, lost_from): (u64, u64)) -> io::Result<()> {
        let chain = self.chain.as_ref().filter(|_| self.unsure.is_none());
        let Some(chain) = chain else { return Err(io::ErrorKind::NotConnected.into()) };
        let (now, wall) = self.shared.clock.both();
        let mut batch = Batch::new(chain, (now, wall), !self.copies.is_empty());
        let mut needs_checkpoint = false;
        for entry in entries {
            needs_checkpoint = needs_checkpoint || entry.needs_checkpoint();
            batch.push_entry(entry);
        }
        if lost > 0 {
            let why = "buffer full";
            batch.push(now, &Event::Gap { lost, from: chain.ms(lost_from), to: chain.ms(now), why });
        }
        let written = self.append(Sent { batch, needs_checkpoint, events: entries.len(), lost, kept: Vec::new() });
        if let Some(sent) = &mut self.unsure {
            for entry in entries {
                entry.put(&mut sent.kept);
            }
        }
        written
    }

    /// Puts the lines of a batch into the log.
    fn append(&mut self, sent: Sent) -> io::Result<()> {
        let Some(chain) = &mut self.chain else { return Err(io::ErrorKind::NotConnected.into()) };
        match self.log.append(&sent.batch.bytes) {
            Ok(()) => {}
            Err(AppendFault::Unsure(error)) => {
                self.unsure = Some(sent);
                return Err(error);
            }
            Err(AppendFault::Again(error)) => {
                self.backlog.extend_from_slice(&sent.kept);
                if chain.head == Head::START {
                    self.log.undo_begin();
                    self.chain = None;
                }
                return Err(error);
            }
            Err(AppendFault::Leave(error)) => {
                self.backlog.extend_from_slice(&sent.kept);
                let head = chain.head;
                self.log.leave(head);
                self.chain = None;
                return Err(error);
            }
        }
        let Sent { batch, needs_checkpoint, events, lost, .. } = sent;
        self.shared.buffer.written(events);
        self.shared.buffer.lost_told(lost);
        for by in batch.clock_jumps {
            self.shared.alarm(Alarm::ClockJumped(by));
        }
        chain.uncovered = chain.uncovered.saturating_add(batch.head.size.saturating_sub(chain.head.size));
        chain.head = batch.head;
        chain.last = batch.last;
        let note = (needs_checkpoint || chain.uncovered >= CHECKPOINT_LINES).then(|| self.checkpoint()).flatten();
        if !self.copies.is_empty() {
            self.copies.pass_on(batch.lines, note.as_deref(), &self.shared);
        }
        Ok(())
    }

    /// Signs the head of the chain, and writes that beside it.
    fn checkpoint(&mut self) -> Option<String> {
        let chain = self.chain.as_mut()?;
        let (now, time) = self.shared.clock.both();
        let checkpoint = Checkpoint { chain: chain.id, head: chain.head, time };
        let note = checkpoint.sign(self.log.key());
        chain.uncovered = 0;
        chain.checkpointed = now;
        if let Err(error) = self.log.checkpoint(checkpoint.head.size, &note) {
            self.shared.alarm(Alarm::CheckpointFailed(error.to_string()));
        }
        Some(note)
    }

    fn begin_chain(&mut self) -> io::Result<()> {
        let prev = self.log.previous(self.left)?;
        let (now, started) = self.shared.clock.both();
        let chain = Chain::new(now, started).map_err(io::Error::other)?;
        self.log.begin(chain.id, started)?;
        let About { service, host, room, copies } = &self.about;
        let digest = self.shared.ledger.budgets().digest();
        let start = Start {
            chain: Some(chain.id),
            svc: service,
            host,
            pid: Some(std::process::id()),
            uid: Some(rustix::process::getuid().as_raw()),
            version: Some(env!("CARGO_PKG_VERSION")),
            lag_ms: u64::try_from(LAG.as_millis()).unwrap_or(u64::MAX),
            buf: u64::try_from(*room).unwrap_or(u64::MAX),
            copies: u64::try_from(*copies).ok().filter(|copies| *copies > 0),
            budgets: Some(&digest),
            prev,
        };
        let mut batch = Batch::new(&chain, (now, started), !self.copies.is_empty());
        batch.push(now, &Event::Start(&start));
        self.chain = Some(chain);
        self.append(Sent::own(batch, false))?;
        self.left = None;
        Ok(())
    }

    /// Ends a chain that has become long or old, and begins another.
    fn end_old_chain(&mut self) -> io::Result<()> {
        let Some(chain) = &self.chain else { return Ok(()) };
        let why = match chain.day == chain::day(self.shared.clock.both().1) {
            false => "day",
            true if self.log.bytes() > MAX_FILE => "size",
            true => return Ok(()),
        };
        self.end_chain(Some(why));
        self.begin_chain()
    }

    /// Writes the last line and the last checkpoint of the chain. If the disk does not take them, the chain ends as after a crash.
    fn end_chain(&mut self, why: Option<&'static str>) {
        let Some(chain) = &self.chain else { return };
        let (now, wall) = self.shared.clock.both();
        let mut batch = Batch::new(chain, (now, wall), !self.copies.is_empty());
        batch.push(now, &Event::Stop { why });
        drop(self.append(Sent::own(batch, true)));
        self.unsure = None;
        self.leave_chain();
    }

    /// Leaves the chain where it is known to be in the log.
    fn leave_chain(&mut self) {
        if let Some(Chain { id, head, .. }) = self.chain.take() {
            let Head { size, hash } = head;
            self.left = size.checked_sub(1).map(|n| Previous { chain: id, n, hash, torn: 0, again: 0 });
            self.log.leave(head);
        }
    }

    fn note_failure(&mut self, error: &io::Error) {
        self.shared.buffer.set_failing(true);
        if self.failing_since.is_none() {
            self.failing_since = Some(Instant::now());
            self.shared.alarm(Alarm::LogFailed(error.to_string()));
        }
        let Shared { buffer, .. } = &*self.shared;
        if !self.is_half_told && buffer.waiting() > buffer.room() / 2 {
            self.is_half_told = true;
            self.shared.alarm(Alarm::BufferHalfFull);
        }
    }

    /// What is looked at from time to time: the file in its folder, checkpoints that are due, and the list of frozen actors.
    fn look_around(&mut self) {
        let now = self.shared.now();
        if now.saturating_sub(self.checked) < SECOND {
            return;
        }
        self.checked = now;
        if self.chain.is_some() && self.unsure.is_none() && !self.log.is_in_place() {
            self.shared.alarm(Alarm::LogReplaced);
            self.leave_chain();
        }
        let is_due = |chain: &Chain| chain.uncovered > 0 && now.saturating_sub(chain.checkpointed) >= CHECKPOINT_TIME;
        if self.chain.as_ref().is_some_and(is_due)
            && let Some(note) = self.checkpoint()
        {
            self.copies.pass_on(Vec::new(), Some(&note), &self.shared);
        }
        if now.saturating_sub(self.refrozen) >= 5 * SECOND {
            self.refrozen = now;
            self.refreeze();
        }
    }

    fn refreeze(&mut self) {
        match self.shared.ledger.refreeze() {
            Ok(changes) => {
                self.is_list_unreadable = false;
                for (actor, is_frozen) in changes {
                    let what = if is_frozen { "freeze" } else { "unfreeze" };
                    self.shared.keep_event(&Event::Budget { what, who: &actor }, true);
                    self.shared.alarm(Alarm::Frozen { actor, is_frozen });
                }
            }
            Err(reason) if !self.is_list_unreadable => {
                self.is_list_unreadable = true;
                self.shared.alarm(Alarm::FrozenListUnreadable(reason));
            }
            Err(_) => {}
        }
    }

    fn give_alarms(&mut self) {
        for alarm in self.shared.take_alarms() {
            (self.on_alarm)(&alarm);
        }
    }
}

/// A backlog is rarely larger, and need not stay so.
const MAX_KEPT: usize = 4 * 1024 * 1024;

/// The events in a backlog, by their time.
fn entries(backlog: &[u8]) -> Vec<Entry<'_>> {
    let mut rest = backlog;
    let mut entries: Vec<_> = std::iter::from_fn(|| {
        let (entry, len) = Entry::read(rest)?;
        rest = rest.get(len..).unwrap_or_default();
        Some(entry)
    })
    .collect();
    entries.sort_by_key(|entry| entry.time);
    entries
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
