//! What a watch writes its log to: a folder or a database.

use std::fmt;
use std::io;

use crate::chain::{ChainId, Head};
use crate::event::Previous;
use crate::note::SigningKey;

/// Where a watch writes its log: made of a [`FileLog`](crate::FileLog), or of a `PostgresLog` (feature `postgres`).
pub struct Log(Box<dyn Target>);

impl Log {
    pub(crate) fn of(target: impl Target + 'static) -> Self {
        Self(Box::new(target))
    }

    pub(crate) fn into_target(self) -> Box<dyn Target> {
        self.0
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("key", self.0.key()).finish_non_exhaustive()
    }
}

/// What the writer asks of a log. It has one chain at a time, and calls from one thread.
pub(crate) trait Target: Send {
    /// Signs checkpoints.
    fn key(&self) -> &SigningKey;

    /// How many events are written with one `append` at most, so that a slow log gets on too.
    fn most_at_once(&self) -> usize {
        usize::MAX
    }

    /// Makes room that is given up when the log is full, for what breaks the glass.
    fn reserve(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Gives that room up. Says whether there was any.
    fn give_up_reserve(&mut self) -> bool {
        false
    }

    /// The chain before the one that is to begin: the newest that has a line, as it is now. `left` is the one that this writer ended itself.
    fn previous(&mut self, left: Option<Previous>) -> io::Result<Option<Previous>>;

    /// Begins a chain.
    fn begin(&mut self, chain: ChainId, started: u64) -> io::Result<()>;

    /// Takes back a chain that has no line yet.
    fn undo_begin(&mut self);

    /// The bytes of this chain's lines.
    fn bytes(&self) -> u64;

    /// Writes whole lines. When this returns `Ok`, they outlive a power cut.
    fn append(&mut self, lines: &[u8]) -> Result<(), AppendFault>;

    /// Writes the checkpoint of this many lines.
    fn checkpoint(&mut self, size: u64, note: &str) -> io::Result<()>;

    /// Whether the log still has the chain that is written. If that cannot be asked now, it has.
    fn is_in_place(&mut self) -> bool;

    /// Leaves the chain as it is, with `head` as what is known to be in the log.
    fn leave(&mut self, head: Head);
}

/// Why lines were not written.
#[derive(Debug)]
pub(crate) enum AppendFault {
    /// The log is as it was before: the same events can be written later.
    Again(io::Error),
    /// The lines may be in the log, or may still arrive there: before anything else the same bytes are given again.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "a file says what is in it"))]
    Unsure(io::Error),
    /// It is not known what is in the log: the events belong into a new chain.
    Leave(io::Error),
}
