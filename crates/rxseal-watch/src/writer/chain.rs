//! The chain that is being written, and the lines of one round.

use crate::chain::{ChainId, Head, hash_text};
use crate::clock::MOST_APART;
use crate::error::WatchError;
use crate::event::{Entry, Event, write, write_tail};
use crate::sink::Line;

const MS: u64 = 1_000_000;
const DAY_MS: u64 = 86_400_000;

/// The chain that is being written.
pub(super) struct Chain {
    pub(super) id: ChainId,
    /// What is known to be on the disk.
    pub(super) head: Head,
    /// When it began, in nanoseconds of the watch.
    began: u64,
    /// Wall clock and monotonic clock of the last line.
    pub(super) last: (u64, u64),
    /// The day on which it began.
    pub(super) day: u64,
    /// How many lines no checkpoint covers.
    pub(super) uncovered: u64,
    /// When its last checkpoint was made, in the same.
    pub(super) checkpointed: u64,
}

impl Chain {
    pub(super) fn new(now: u64, started: u64) -> Result<Self, WatchError> {
        Ok(Self {
            id: ChainId::random()?,
            head: Head::START,
            began: now,
            last: (started, 0),
            day: day(started),
            uncovered: 0,
            checkpointed: now,
        })
    }

    /// Milliseconds since the chain began.
    pub(super) fn ms(&self, time: u64) -> u64 {
        time.saturating_sub(self.began) / MS
    }
}

/// Lines that go to the disk together.
pub(super) struct Batch {
    chain: ChainId,
    began: u64,
    now: u64,
    wall: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) head: Head,
    pub(super) last: (u64, u64),
    /// For the copies.
    pub(super) lines: Vec<Line>,
    keeps_lines: bool,
    pub(super) clock_jumps: Vec<i64>,
}

impl Batch {
    /// Behind the head of `chain`, at a time by both clocks.
    pub(super) fn new(chain: &Chain, (now, wall): (u64, u64), keeps_lines: bool) -> Self {
        Self {
            chain: chain.id,
            began: chain.began,
            now,
            wall,
            bytes: Vec::new(),
            head: chain.head,
            last: chain.last,
            lines: Vec::new(),
            keeps_lines,
            clock_jumps: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, time: u64, event: &Event<'_>) {
        let (t, m) = self.times(time);
        write(event, self.head.size, t, m, |json| self.push_json(json));
    }

    pub(super) fn push_entry(&mut self, entry: &Entry<'_>) {
        if let Some(tail) = entry.as_tail() {
            let (t, m) = self.times(entry.time);
            let json = write_tail(tail, self.head.size, t, m);
            self.push_json(&json);
        } else if let Some(opened) = entry.as_opened() {
            self.push(entry.time, &Event::Opened(&opened));
        } else {
            // What this program wrote itself is read; if not, it is said and not left out.
            let m = entry.time.saturating_sub(self.began) / MS;
            self.push(entry.time, &Event::Gap { lost: 1, from: m, to: m, why: "unreadable entry" });
        }
    }

    /// The wall clock at a time of the monotonic one, and the time since the chain began. A jump of the wall clock is a line of its own.
    fn times(&mut self, time: u64) -> (u64, u64) {
        // What began in the chain before is in this one from its beginning.
        let time = time.max(self.began);
        let t = self.wall.saturating_sub(self.now.saturating_sub(time) / MS);
        let m = time.saturating_sub(self.began) / MS;
        let (last_t, last_m) = std::mem::replace(&mut self.last, (t, m));
        let by = difference(t, last_t).saturating_sub(difference(m, last_m));
        if by.unsigned_abs() > MOST_APART {
            self.clock_jumps.push(by);
            write(&Event::Clock { by }, self.head.size, t, m, |json| self.push_json(json));
        }
        (t, m)
    }

    /// Makes a line, and gives the number of the next.
    fn push_json(&mut self, json: &[u8]) -> u64 {
        let n = self.head.size;
        self.head = self.head.then(json);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(hash_text(&self.head.hash).as_bytes());
        self.bytes.push(b' ');
        self.bytes.extend_from_slice(json);
        if self.keeps_lines {
            let text = str::from_utf8(self.bytes.get(start..).unwrap_or_default()).unwrap_or_default();
            self.lines.push(Line::new(self.chain, n, text.to_owned()));
        }
        self.bytes.push(b'\n');
        self.head.size
    }
}

/// The UTC day of a time.
pub(super) fn day(ms: u64) -> u64 {
    ms / DAY_MS
}

fn difference(one: u64, other: u64) -> i64 {
    i64::try_from(i128::from(one).saturating_sub(i128::from(other))).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(batch: &Batch) -> String {
        String::from_utf8(batch.bytes.clone()).unwrap()
    }

    #[test]
    fn a_jump_of_the_wall_clock_is_a_line() {
        let chain = Chain::new(0, 1_000_000).unwrap();
        let mut batch = Batch::new(&chain, (2_000 * MS, 1_002_000), false);
        batch.push(1_000 * MS, &Event::Stop { why: None });
        assert!(text(&batch).contains(r#"{"n":0,"t":1001000,"m":1000,"e":"stop"}"#), "{}", text(&batch));
        assert!(batch.clock_jumps.is_empty());
        // Two hours forward.
        let chain = Chain { head: batch.head, last: batch.last, ..chain };
        let mut batch = Batch::new(&chain, (3_000 * MS, 8_203_000), false);
        batch.push(3_000 * MS, &Event::Stop { why: None });
        batch.push(3_000 * MS, &Event::Stop { why: None });
        assert_eq!(batch.clock_jumps, [7_200_000]);
        assert!(text(&batch).contains(r#"{"n":1,"t":8203000,"m":3000,"e":"clock","by":7200000}"#), "{}", text(&batch));
        assert_eq!(text(&batch).lines().count(), 3);
    }
}
