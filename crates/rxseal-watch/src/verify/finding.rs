//! What can be wrong with a log.

use std::fmt;

use crate::chain::ChainId;

/// What is to be said of logs as a whole. The worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Somebody changed it.
    Tampered,
    /// Events may be missing, or nothing proves that they are not.
    Incomplete,
    /// It is as it was written, and covered by checkpoints that were kept elsewhere.
    Whole,
}

/// One thing that is wrong, or that should be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A line is not what was written there, or there is one too many or too few.
    Changed,
    /// The first line is not the start of this chain, or a start comes again.
    NotItsStart,
    /// The row of a line in a database says another number or other patients than the line, so it is not found by them.
    RowDiffers,
    /// Lines follow the last one.
    AfterStop,
    /// The next chain names another last line than there is.
    LinkBroken,
    /// A chain that another one or a checkpoint names is not here.
    ChainMissing,
    /// A checkpoint covers more lines than there are.
    TailCut,
    /// A checkpoint has another hash for these lines.
    CheckpointDiffers,
    /// Two checkpoints of one size differ: two writers, such as a machine and its restored copy.
    Fork,
    /// A checkpoint is not one, or its signature is not that of the key that it names.
    CheckpointForged,
    /// There are no checkpoints from elsewhere, so this proves accidents only.
    NothingToCompare,
    /// The last lines are in no checkpoint from elsewhere.
    Uncovered {
        /// How many.
        lines: u64,
    },
    /// The chain has no end: its program was killed, or the machine was.
    NoStop {
        /// How many events may be missing at most, if the log could be written at that time.
        missing: u64,
    },
    /// The last line is not finished.
    Torn {
        /// How many bytes there are.
        bytes: u64,
    },
    /// The program itself says that events are missing.
    Gap {
        /// How many.
        lost: u64,
    },
    /// The two clocks of neighbouring lines differ by more than 5 seconds, and no line says so.
    ClockJumped,
    /// A file has no line.
    Empty,
    /// The first chain that is here names one before it.
    BeginsLater,
    /// A checkpoint names a key that was not given.
    UnknownKey,
    /// The last checkpoint beside the log is not finished.
    CheckpointTorn,
    /// A keyring was unlocked, and the log of the key service does not have that.
    UnlockNotAtService,
    /// The key service unlocked a keyring, and no log here has that: an opening outside of the audit.
    UnlockNotHere,
    /// A keyring was unlocked with a root key of this machine, of which no service has a log.
    UnlockWithoutService,
    /// The chain is being written.
    Running {
        /// How many of its lines are in no checkpoint from elsewhere yet.
        uncovered: u64,
    },
    /// Some lines are in two chains, since the disk failed between them.
    Again {
        /// How many.
        lines: u64,
    },
}

/// What was found, and where.
#[derive(Clone, Debug)]
pub struct Finding {
    fault: Fault,
    chain: Option<ChainId>,
    line: Option<u64>,
}

impl Finding {
    pub(super) fn new(fault: Fault, chain: Option<ChainId>, line: Option<u64>) -> Self {
        Self { fault, chain, line }
    }

    /// What it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The chain that it is in.
    #[must_use]
    pub fn chain(&self) -> Option<ChainId> {
        self.chain
    }

    /// The number of the line, from 0.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        self.line
    }

    /// The first line of the chain that no checkpoint from elsewhere covers, if this finding is of such lines: [`Fault::Uncovered`] or
    /// [`Fault::Running`]. For the latter it may be a line that is still to come.
    #[must_use]
    pub fn uncovered_from(&self) -> Option<u64> {
        // Both are of the end of a chain, behind its last line.
        let (Fault::Uncovered { lines } | Fault::Running { uncovered: lines }) = self.fault else { return None };
        self.line?.checked_sub(lines)
    }

    /// What this finding alone means for the log.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.fault {
            Fault::Changed
            | Fault::NotItsStart
            | Fault::RowDiffers
            | Fault::AfterStop
            | Fault::LinkBroken
            | Fault::ChainMissing
            | Fault::TailCut
            | Fault::CheckpointDiffers
            | Fault::Fork
            | Fault::CheckpointForged => Verdict::Tampered,
            Fault::Running { .. } | Fault::Again { .. } => Verdict::Whole,
            _ => Verdict::Incomplete,
        }
    }

    /// A stable word.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.fault {
            Fault::Changed => "changed",
            Fault::NotItsStart => "not-its-start",
            Fault::RowDiffers => "row-differs",
            Fault::AfterStop => "after-stop",
            Fault::LinkBroken => "link-broken",
            Fault::ChainMissing => "chain-missing",
            Fault::TailCut => "tail-cut",
            Fault::CheckpointDiffers => "checkpoint-differs",
            Fault::Fork => "fork",
            Fault::CheckpointForged => "checkpoint-forged",
            Fault::NothingToCompare => "nothing-to-compare",
            Fault::Uncovered { .. } => "uncovered",
            Fault::NoStop { .. } => "no-stop",
            Fault::Torn { .. } => "torn",
            Fault::Gap { .. } => "gap",
            Fault::ClockJumped => "clock-jumped",
            Fault::Empty => "empty",
            Fault::BeginsLater => "begins-later",
            Fault::UnknownKey => "unknown-key",
            Fault::CheckpointTorn => "checkpoint-torn",
            Fault::UnlockNotAtService => "unlock-not-at-service",
            Fault::UnlockNotHere => "unlock-not-here",
            Fault::UnlockWithoutService => "unlock-without-service",
            Fault::Running { .. } => "running",
            Fault::Again { .. } => "again",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(chain) = self.chain {
            write!(f, "chain {chain}")?;
            if let Some(line) = self.line {
                write!(f, ", line {line}")?;
            }
            f.write_str(": ")?;
        }
        match self.fault {
            Fault::Changed => f.write_str("this is not the line that was written here"),
            Fault::NotItsStart => f.write_str("the first line is not the start of this chain, or a start comes again"),
            Fault::RowDiffers => f.write_str("its row in the database says another number or other patients than the line"),
            Fault::AfterStop => f.write_str("lines follow the last one"),
            Fault::LinkBroken => f.write_str("the next chain names another last line than there is"),
            Fault::ChainMissing => f.write_str("it is not here, and another chain or a checkpoint names it"),
            Fault::TailCut => f.write_str("a checkpoint covers lines up to here, and they are gone"),
            Fault::CheckpointDiffers => f.write_str("a checkpoint has another hash for the lines up to here"),
            Fault::Fork => f.write_str("two checkpoints of this size differ: two machines wrote the same chain"),
            Fault::CheckpointForged => f.write_str("a checkpoint is malformed, or its signature is not that of the key that it names"),
            Fault::NothingToCompare => f.write_str("no checkpoints from elsewhere: this proves accidents only"),
            Fault::Uncovered { lines } => write!(f, "uncovered: {lines} last lines are in no checkpoint from elsewhere"),
            Fault::NoStop { missing } => write!(f, "the program was killed: at most {missing} events are missing, 65,536 if its log could not be written then"),
            Fault::Torn { bytes } => write!(f, "the last line is not finished, {bytes} bytes"),
            Fault::Gap { lost } => write!(f, "{lost} events were lost while the log could not be written"),
            Fault::ClockJumped => f.write_str("the clocks differ by more than 5 seconds, and no line says so"),
            Fault::Empty => f.write_str("there is no line"),
            Fault::BeginsLater => f.write_str("chains before this one are not here"),
            Fault::UnknownKey => f.write_str("a checkpoint names a key that was not given"),
            Fault::CheckpointTorn => f.write_str("the last checkpoint beside the log is not finished"),
            Fault::UnlockNotAtService => f.write_str("the log of the key service does not have this unlocking"),
            Fault::UnlockNotHere => f.write_str("the key service unlocked a keyring that no log here knows of: something was opened outside of the audit"),
            Fault::UnlockWithoutService => f.write_str("unlocked with a root key of the machine: no service is a witness"),
            Fault::Running { uncovered } => write!(f, "it is being written, {uncovered} lines are in no checkpoint from elsewhere yet"),
            Fault::Again { lines } => write!(f, "its last {lines} lines come again in the next chain, since the disk failed between them"),
        }
    }
}
