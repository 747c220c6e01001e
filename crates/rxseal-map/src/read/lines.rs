//! Files of any length through one buffer, which is wiped.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;

use zeroize::Zeroizing;

const FIRST: usize = 256 * 1024;
/// The longest line or row, in bytes. A longer one is refused, so that memory does not grow with a file.
pub(super) const MAX: usize = 64 * 1024 * 1024;

/// Lines of a file.
pub(super) struct Lines {
    file: File,
    buffer: Zeroizing<Vec<u8>>,
    /// What was read and is not yet a line.
    begin: usize,
    end: usize,
    current: Range<usize>,
    line: u64,
}

impl Lines {
    pub(super) fn new(file: File) -> Self {
        Self { file, buffer: Zeroizing::new(vec![0; FIRST]), begin: 0, end: 0, current: 0..0, line: 0 }
    }

    /// The number of the line that was read last, from 1 on.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Goes to the next line, if there is one. The error has no text of the file.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        let mut searched = self.begin;
        loop {
            let fresh = self.buffer.get(searched..self.end).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let end = searched.saturating_add(at);
                self.current = self.begin..end;
                self.begin = end.saturating_add(1);
                self.line = self.line.saturating_add(1);
                return Ok(true);
            }
            searched = self.end.saturating_sub(self.begin);
            if self.fill()? == 0 {
                self.current = self.begin..self.end;
                self.begin = self.end;
                self.line = self.line.saturating_add(1);
                return Ok(!self.current.is_empty());
            }
        }
    }

    /// The line that was gone to, without its end.
    pub(super) fn current(&self) -> &[u8] {
        self.buffer.get(self.current.clone()).unwrap_or_default()
    }

    /// Reads on. What is left of the buffer moves to its beginning.
    fn fill(&mut self) -> io::Result<usize> {
        if self.begin > 0 {
            self.buffer.copy_within(self.begin..self.end, 0);
            self.end = self.end.saturating_sub(self.begin);
            self.begin = 0;
        }
        if self.end == self.buffer.len() {
            grow(&mut self.buffer)?;
        }
        let read = self.file.read(self.buffer.get_mut(self.end..).unwrap_or_default())?;
        self.end = self.end.saturating_add(read);
        Ok(read)
    }
}

/// Twice as long. The bytes of before are wiped where they were.
pub(super) fn grow(buffer: &mut Zeroizing<Vec<u8>>) -> io::Result<()> {
    let mut longer = Zeroizing::new(vec![0; next_len(buffer.len())?]);
    if let Some(beginning) = longer.get_mut(..buffer.len()) {
        beginning.copy_from_slice(buffer);
    }
    *buffer = longer;
    Ok(())
}

fn next_len(len: usize) -> io::Result<usize> {
    let next = len.saturating_mul(2).max(FIRST);
    if next > MAX {
        let text = format!("a line or a row is longer than {} MiB", MAX >> 20);
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// docs/MAP.md names the bound.
    #[test]
    fn a_buffer_ends_at_the_bound() {
        assert_eq!((next_len(0).unwrap(), next_len(MAX / 2).unwrap()), (FIRST, MAX));
        assert_eq!(next_len(MAX).unwrap_err().to_string(), "a line or a row is longer than 64 MiB");
    }
}
