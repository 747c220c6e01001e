//! One chain, line by line.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

use serde::Deserialize;

use super::finding::{Fault, Finding};
use super::line::Beginning;
use super::unlocks::Unlock;
use crate::chain::{ChainId, Hash, Head, parse_hash, spells, split_line, split_text};
use crate::clock::MOST_APART;
use crate::event::Previous;
use crate::file_log::MAX_LINE;

/// What is known of a chain from elsewhere.
#[derive(Default)]
pub(super) struct Expected {
    /// Hashes at sizes, and whether such a checkpoint was kept elsewhere.
    pub(super) checkpoints: BTreeMap<u64, (Hash, bool)>,
    /// What later chains say of this one.
    pub(super) named: Vec<(ChainId, Previous)>,
}

impl Expected {
    /// The size and the hash of the largest checkpoint that was kept elsewhere.
    pub(super) fn last_elsewhere(&self) -> Option<(u64, Hash)> {
        let last = self.checkpoints.iter().rev().find(|(_, (_, is_elsewhere))| *is_elsewhere);
        last.map(|(size, (hash, _))| (*size, *hash))
    }
}

/// A chain while it is read.
pub(super) struct Checked {
    chain: ChainId,
    expected: Expected,
    young: u64,
    head: Head,
    bytes: u64,
    torn: u64,
    buf: u64,
    last: Option<(u64, u64)>,
    is_stopped: bool,
    covered: u64,
    /// When the first line was written that no checkpoint from elsewhere covers.
    uncovered_since: Option<u64>,
    /// The first line that is not as it was written: after it nothing can be said.
    bad: Option<(Fault, u64)>,
    findings: Vec<Finding>,
    unlocks: Vec<Unlock>,
}

#[derive(Deserialize)]
struct StartLine {
    chain: Option<String>,
    buf: Option<u64>,
    prev: Option<PrevLine>,
}

#[derive(Deserialize)]
struct PrevLine {
    chain: String,
    n: u64,
    h: String,
    #[serde(default)]
    torn: u64,
    #[serde(default)]
    again: u64,
}

#[derive(Deserialize)]
struct GapLine {
    #[serde(default)]
    lost: u64,
}

/// What the first line of a file says of the chain before it. If it is malformed, verifying the file finds that out.
pub(super) fn previous(file: &mut impl BufRead) -> io::Result<Option<Previous>> {
    let mut line = Vec::new();
    file.take(MAX_LINE).read_until(b'\n', &mut line)?;
    let start = split_line(&line).and_then(|(_, json)| serde_json::from_slice::<StartLine>(json).ok());
    Ok(start.and_then(|start| start.prev).and_then(|prev| {
        let PrevLine { chain, n, h, torn, again } = prev;
        Some(Previous { chain: ChainId::parse(&chain)?, n, hash: parse_hash(h.as_bytes())?, torn, again })
    }))
}

impl Checked {
    /// Lines after `young`, in Unix milliseconds, are on their way.
    pub(super) fn new(chain: ChainId, expected: Expected, young: u64) -> Self {
        Self {
            chain,
            expected,
            young,
            head: Head::START,
            bytes: 0,
            torn: 0,
            buf: 0,
            last: None,
            is_stopped: false,
            covered: 0,
            uncovered_since: None,
            bad: None,
            findings: Vec::new(),
            unlocks: Vec::new(),
        }
    }

    /// Reads the lines up to the end, or to the first bad one.
    pub(super) fn read(&mut self, file: &mut impl BufRead) -> io::Result<()> {
        let mut line = Vec::with_capacity(1024);
        loop {
            line.clear();
            let len = file.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
            let len = u64::try_from(len).unwrap_or(u64::MAX);
            self.bytes = self.bytes.saturating_add(len);
            match line.strip_suffix(b"\n") {
                Some(line) => {
                    if let Err(fault) = self.line(line) {
                        self.bad = Some((fault, self.head.size));
                        return Ok(());
                    }
                }
                None if len >= MAX_LINE => {
                    self.bad = Some((Fault::Changed, self.head.size));
                    return Ok(());
                }
                None => {
                    self.torn = len;
                    return Ok(());
                }
            }
        }
    }

    pub(super) fn lines(&self) -> u64 {
        self.head.size
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let (hash, json) = split_text(line).ok_or(Fault::Changed)?;
        let next = self.head.then(json);
        let beginning = Beginning::read(json).filter(|beginning| beginning.n == self.head.size);
        let beginning = beginning.filter(|_| spells(hash, &next.hash)).ok_or(Fault::Changed)?;
        if self.is_stopped {
            return Err(Fault::AfterStop);
        }
        if (beginning.kind == "start") != (self.head.size == 0) {
            return Err(Fault::NotItsStart);
        }
        self.event(beginning, json)?;
        self.head = next;
        self.uncovered_since.get_or_insert(beginning.t);
        if let Some((hash, is_elsewhere)) = self.expected.checkpoints.get(&next.size) {
            if *hash != next.hash {
                return Err(Fault::CheckpointDiffers);
            }
            if *is_elsewhere {
                self.covered = next.size;
                self.uncovered_since = None;
            }
        }
        let n = next.size.saturating_sub(1);
        if self.expected.named.iter().any(|(_, prev)| prev.n == n && prev.hash != next.hash) {
            return Err(Fault::LinkBroken);
        }
        Ok(())
    }

    fn event(&mut self, Beginning { t, m, kind, .. }: Beginning<'_>, json: &[u8]) -> Result<(), Fault> {
        match kind {
            "start" => {
                let start: StartLine = serde_json::from_slice(json).map_err(|_| Fault::NotItsStart)?;
                if start.chain.as_deref().and_then(ChainId::parse) != Some(self.chain) {
                    return Err(Fault::NotItsStart);
                }
                self.buf = start.buf.unwrap_or_default();
            }
            "stop" => self.is_stopped = true,
            "gap" => {
                let lost = serde_json::from_slice(json).map_or(0, |GapLine { lost }| lost);
                self.find(Fault::Gap { lost });
            }
            "unlock" => self.unlocks.extend(Unlock::read(json, self.chain, self.head.size)),
            _ => {}
        }
        if let Some((last_t, last_m)) = self.last
            && kind != "clock"
        {
            let (later, longer) =
                (i128::from(t).saturating_sub(last_t.into()), i128::from(m).saturating_sub(last_m.into()));
            if later.saturating_sub(longer).unsigned_abs() > MOST_APART.into() {
                self.find(Fault::ClockJumped);
            }
        }
        self.last = Some((t, m));
        Ok(())
    }

    fn find(&mut self, fault: Fault) {
        self.findings.push(Finding::new(fault, Some(self.chain), Some(self.head.size)));
    }

    /// What is to be said when the file is at its end. Gives the unlockings in it.
    pub(super) fn end(mut self, has_witness: bool, findings: &mut Vec<Finding>) -> Vec<Unlock> {
        let size = self.head.size;
        match self.bad {
            Some((fault, line)) => {
                self.findings.push(Finding::new(fault, Some(self.chain), Some(line)));
            }
            None => self.judge_end(size, has_witness),
        }
        findings.append(&mut self.findings);
        self.unlocks
    }

    fn judge_end(&mut self, size: u64, has_witness: bool) {
        if let Some(cut) = self.expected.checkpoints.keys().copied().find(|covered| *covered > size) {
            self.findings.push(Finding::new(Fault::TailCut, Some(self.chain), cut.checked_sub(1)));
            return;
        }
        let mut is_named_torn = false;
        for (_, prev) in &self.expected.named {
            // Where the next run found an unfinished line, nobody wrote any more.
            let is_dead = prev.torn > 0;
            let is_so = prev.n < size && (!is_dead || (prev.n.saturating_add(1) == size && prev.torn == self.torn));
            if !is_so {
                self.findings.push(Finding::new(Fault::LinkBroken, Some(self.chain), Some(prev.n)));
                return;
            }
            is_named_torn = is_named_torn || is_dead;
            if prev.again > 0 {
                let again = Fault::Again { lines: prev.again };
                self.findings.push(Finding::new(again, Some(self.chain), Some(prev.n)));
            }
        }
        let uncovered = size.saturating_sub(self.covered);
        let is_young = self.last.is_some_and(|(t, _)| t >= self.young);
        // Lines that are older should be elsewhere, even if others were written after them.
        let is_on_its_way = is_young && self.uncovered_since.is_none_or(|since| since >= self.young);
        if is_young && !self.is_stopped && !is_named_torn {
            let is_late = has_witness && !is_on_its_way;
            self.find(if is_late { Fault::Uncovered { lines: uncovered } } else { Fault::Running { uncovered } });
            return;
        }
        if self.torn > 0 {
            self.find(Fault::Torn { bytes: self.torn });
        }
        if size == 0 {
            self.find(Fault::Empty);
            return;
        }
        if !self.is_stopped {
            self.find(Fault::NoStop { missing: self.buf.saturating_mul(2) });
        }
        // A chain that ended a moment ago may still be on its way to the other place.
        match uncovered {
            0 => {}
            _ if !has_witness => {}
            _ if is_on_its_way => self.find(Fault::Running { uncovered }),
            lines => self.find(Fault::Uncovered { lines }),
        }
    }
}
