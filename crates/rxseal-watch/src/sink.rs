//! Copies of a log: what else gets its lines and its checkpoints.

use std::error::Error as StdError;

use crate::chain::ChainId;

/// What gets a copy of each line and each checkpoint, such as a second log or a shipper. It runs on a thread of its own, with a queue of its own,
/// and may fail: then the program goes on, and hears of it ([`Alarm::CopyFailed`](crate::Alarm::CopyFailed)).
///
/// ```
/// use rxseal_watch::{Line, Sink};
///
/// struct Shipper(std::net::TcpStream);
///
/// impl Sink for Shipper {
///     fn name(&self) -> &str { "siem" }
///
///     fn append(&mut self, lines: &[Line]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///         use std::io::Write;
///         for line in lines {
///             writeln!(self.0, "{} {}", line.chain(), line.text())?;
///         }
///         Ok(())
///     }
///
///     fn checkpoint(&mut self, note: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///         Ok(std::io::Write::write_all(&mut self.0, note.as_bytes())?)
///     }
/// }
/// ```
pub trait Sink: Send {
    /// A short name, for alarms.
    fn name(&self) -> &str;

    /// Takes lines, in order. They are in the log already.
    ///
    /// # Errors
    ///
    /// Any. The same lines are given again, with longer and longer pauses, until they are taken or the queue is full.
    fn append(&mut self, lines: &[Line]) -> Result<(), Box<dyn StdError + Send + Sync>>;

    /// Takes a checkpoint, a signed note.
    ///
    /// # Errors
    ///
    /// Any; as for `append`.
    fn checkpoint(&mut self, note: &str) -> Result<(), Box<dyn StdError + Send + Sync>>;
}

/// A line of a log, as a copy gets it.
#[derive(Clone, Debug)]
pub struct Line {
    chain: ChainId,
    n: u64,
    text: String,
}

impl Line {
    pub(crate) fn new(chain: ChainId, n: u64, text: String) -> Self {
        Self { chain, n, text }
    }

    /// The chain that it is in.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// Its number in the chain, from 0.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.n
    }

    /// Hash, space and JSON, as the log has them, without the line end.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The JSON alone.
    #[must_use]
    pub fn json(&self) -> &str {
        self.text.split_once(' ').map_or("", |(_, json)| json)
    }
}
