//! Blocks of whole lines of a file of any length, in a buffer that is wiped.

use std::io::{self, Read};
use std::ops::Range;

use zeroize::Zeroizing;

/// As much as is read at once, and the longest line that is seen whole.
const FIRST: usize = 1024 * 1024;
const MAX: usize = 16 * 1024 * 1024;
/// What two pieces of a longer line have in common, so that what lies between them is seen.
const COMMON: usize = 64 * 1024;
/// The least that is read at once.
const ROOM: usize = 64;

pub(super) struct Reader<R> {
    from: R,
    buffer: Zeroizing<Vec<u8>>,
    /// What is in the buffer.
    begin: usize,
    end: usize,
    /// How much of the beginning was seen before.
    seen: usize,
    /// How long the whole lines in it are, behind what was seen before. 0 without a whole line.
    whole: usize,
    line: u64,
    is_at_end: bool,
    ends_a_line: bool,
}

/// Lines that follow each other.
pub(super) struct Block<'b> {
    pub(super) text: &'b [u8],
    /// How much of it was in the block before.
    seen: usize,
    /// The line that it begins in.
    line: u64,
    /// Whether its last line goes on in the next block.
    pub(super) is_cut: bool,
}

impl Block<'_> {
    /// Whether it was not in the block before.
    pub(super) fn is_fresh(&self, range: &Range<usize>) -> bool {
        range.end > self.seen
    }

    pub(super) fn fresh(&self) -> usize {
        self.text.len().saturating_sub(self.seen)
    }

    /// The line of a place in it, from 1 on.
    pub(super) fn line_of(&self, at: usize) -> u64 {
        let before = self.text.get(self.seen.min(at)..at).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', before).count();
        self.line.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX))
    }
}

impl<R: Read> Reader<R> {
    pub(super) fn new(from: R) -> Self {
        let buffer = Zeroizing::new(vec![0; FIRST]);
        Self { from, buffer, begin: 0, end: 0, seen: 0, whole: 0, line: 1, is_at_end: false, ends_a_line: true }
    }

    /// Whether the last line has an end. An empty file has no line.
    pub(super) fn ends_a_line(&self) -> bool {
        self.ends_a_line
    }

    /// The next block, which is longer than what was seen of it.
    pub(super) fn next(&mut self) -> io::Result<Option<Block<'_>>> {
        loop {
            let held = self.end.saturating_sub(self.begin);
            let (len, is_cut) = match self.whole {
                _ if self.is_at_end => (held, false),
                0 if held >= MAX => (held, true),
                1.. if held >= FIRST => (self.whole, false),
                _ => {
                    self.fill()?;
                    continue;
                }
            };
            if len <= self.seen {
                return Ok(None);
            }
            return Ok(Some(self.take(len, is_cut)));
        }
    }

    fn take(&mut self, len: usize, is_cut: bool) -> Block<'_> {
        let (begin, end) = (self.begin, self.begin.saturating_add(len));
        let (seen, line) = (self.seen, self.line);
        let kept = if is_cut { COMMON.min(len) } else { 0 };
        self.begin = end.saturating_sub(kept);
        self.seen = kept;
        self.whole = 0;
        let text = self.buffer.get(begin..end).unwrap_or_default();
        let block = Block { text, seen, line, is_cut };
        self.line = block.line_of(len);
        self.ends_a_line = text.ends_with(b"\n");
        block
    }

    /// Reads on. What is left of the buffer moves to its beginning.
    fn fill(&mut self) -> io::Result<()> {
        if self.begin > 0 {
            self.buffer.copy_within(self.begin..self.end, 0);
            self.end = self.end.saturating_sub(self.begin);
            self.begin = 0;
        }
        if self.buffer.len().saturating_sub(self.end) < ROOM {
            // A vector that grows would leave its bytes behind.
            let mut longer = Zeroizing::new(vec![0; self.buffer.len().saturating_mul(2)]);
            if let Some(beginning) = longer.get_mut(..self.buffer.len()) {
                beginning.copy_from_slice(&self.buffer);
            }
            self.buffer = longer;
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.from.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        let fresh = room.get(..read).unwrap_or_default();
        if let Some(at) = memchr::memrchr(b'\n', fresh) {
            self.whole = self.end.saturating_sub(self.begin).saturating_add(at).saturating_add(1);
        }
        self.end = self.end.saturating_add(read);
        self.is_at_end = read == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Slow<'t>(&'t [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let len = to.len().min(self.0.len()).min(4093);
            to[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    #[test]
    fn blocks_are_whole_lines_and_none_is_missing() {
        let text: String = (0..60_000).map(|line| format!("line {line} {}\n", "x".repeat(line % 97))).collect();
        for text in [&*text, &text[..text.len() - 1], "a", "\n", ""] {
            let mut reader = Reader::new(Slow(text.as_bytes()));
            let mut whole = Vec::new();
            while let Some(block) = reader.next().unwrap() {
                let lines = whole.iter().filter(|byte| **byte == b'\n').count();
                assert_eq!((block.line, block.is_cut), (lines as u64 + 1, false));
                whole.extend_from_slice(block.text);
                assert!(whole.ends_with(b"\n") || whole.len() == text.len());
            }
            assert!(whole == text.as_bytes());
            assert_eq!(reader.ends_a_line(), text.is_empty() || text.ends_with('\n'));
        }
    }

    #[test]
    fn a_line_longer_than_the_buffer_comes_in_pieces_that_overlap() {
        let text = [&*vec![b'x'; MAX + MAX / 2], b"\nend"].concat();
        let mut reader = Reader::new(Slow(&text));
        let (mut fresh, mut cuts) = (0, 0);
        while let Some(block) = reader.next().unwrap() {
            assert!(block.text.len() <= MAX && (block.seen == 0 || block.seen == COMMON));
            fresh += block.fresh();
            cuts += usize::from(block.is_cut);
        }
        assert_eq!((fresh, cuts), (text.len(), 1));
    }
}
