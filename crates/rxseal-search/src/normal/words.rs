//! The words of a folded name, and which of them belong together.

use std::ops::Range;

/// Where words begin, by the place of their first byte: one bit each, so that no name needs the heap.
#[derive(Default)]
pub(super) struct Starts([u64; 16]);

impl Starts {
    pub(super) fn mark(&mut self, at: usize) {
        if let Some(bits) = self.0.get_mut(at >> 6) {
            *bits |= 1 << (at & 63);
        }
    }

    /// The first start from `from` on.
    fn next(&self, from: usize) -> Option<usize> {
        let first = from >> 6;
        let mut mask = u64::MAX << (from & 63);
        for (index, bits) in self.0.iter().enumerate().skip(first) {
            let left = bits & mask;
            if left != 0 {
                return usize::try_from(left.trailing_zeros()).ok().map(|bit| (index << 6) | bit);
            }
            mask = u64::MAX;
        }
        None
    }

    /// The last start before `end`.
    fn last_before(&self, end: usize) -> Option<usize> {
        (0..end).rev().find(|&at| self.0.get(at >> 6).is_some_and(|bits| bits >> (at & 63) & 1 == 1))
    }
}

/// The letters of a name without separators, in words.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    letters: &'a [u8],
    starts: &'a Starts,
}

impl<'a> Words<'a> {
    pub(super) fn new(letters: &'a [u8], starts: &'a Starts) -> Self {
        Self { letters, starts }
    }

    /// All letters: the words joined.
    pub(super) fn letters(self) -> &'a [u8] {
        self.letters
    }

    /// Without the suffixes at the end, such as `jr`, while more than one word is left.
    pub(super) fn without_suffixes(mut self) -> Self {
        while let Some(start) = self.starts.last_before(self.letters.len()).filter(|start| *start > 0) {
            let (rest, word) = self.letters.split_at(start);
            if !SUFFIXES.contains(&word) {
                break;
            }
            self.letters = rest;
        }
        self
    }

    /// The parts: each word with the particles before it. Particles at the end are a part of their own.
    pub(super) fn parts(self) -> impl Iterator<Item = &'a [u8]> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let part = self.part(from)?;
            from = part.end;
            self.letters.get(part)
        })
    }

    fn part(self, from: usize) -> Option<Range<usize>> {
        if from >= self.letters.len() {
            return None;
        }
        let mut word = from;
        loop {
            let end = self
                .starts
                .next(word.saturating_add(1))
                .map_or(self.letters.len(), |next| next.min(self.letters.len()));
            let is_particle = self.letters.get(word..end).is_some_and(|word| PARTICLES.contains(&word));
            if !is_particle || end >= self.letters.len() {
                return Some(from..end);
            }
            word = end;
        }
    }
}

const SUFFIXES: [&[u8]; 9] = [b"jr", b"sr", b"ii", b"iii", b"iv", b"v", b"md", b"phd", b"esq"];

const PARTICLES: [&[u8]; 23] = [
    b"al", b"bin", b"da", b"de", b"del", b"der", b"di", b"dos", b"du", b"el", b"ibn", b"la", b"le", b"mac", b"mc",
    b"o", b"san", b"st", b"ten", b"van", b"von", b"y", b"zu",
];
