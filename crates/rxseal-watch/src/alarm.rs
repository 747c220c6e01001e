//! What somebody should look at.

use std::fmt;

/// Something that a person should look at, given to [`WatchBuilder::on_alarm`](crate::WatchBuilder::on_alarm). No alarm names a patient.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alarm {
    /// The log cannot be written. Openings go on until the buffer is full.
    LogFailed(String),
    /// Half of the room for events that wait is used.
    BufferHalfFull,
    /// The log is written again. So many events were lost meanwhile: 0 unless the watch was told to go on without a log.
    LogRecovered(u64),
    /// The file of the log, or the rows of its last lines, were deleted or replaced while it was written.
    LogReplaced,
    /// The disk is full, and what was kept free for breaking the glass is in use.
    ReserveUsed,
    /// A checkpoint was not written beside the log.
    CheckpointFailed(String),
    /// A copy failed. It is tried again.
    CopyFailed {
        /// The name of the copy.
        copy: String,
        /// What it said.
        reason: String,
    },
    /// A copy was so far behind that it did not get some lines. They are in the log.
    CopyMissed {
        /// The name of the copy.
        copy: String,
        /// How many lines.
        lines: u64,
    },
    /// The wall clock was set: it went by so many milliseconds more than the monotonic clock.
    ClockJumped(i64),
    /// An actor has used half of a burst. At most once a minute for each.
    BudgetHalfUsed(String),
    /// An actor was refused by a budget. At most once a minute for each.
    OverBudget(String),
    /// More patients were opened in a keyspace for a purpose than is usual. At most once a minute.
    UnusuallyMany(String),
    /// An actor broke the glass.
    GlassBroken(String),
    /// An actor was frozen or unfrozen.
    Frozen {
        /// The actor.
        actor: String,
        /// Whether it is frozen now.
        is_frozen: bool,
    },
    /// The list of frozen actors cannot be read. The last one that was read holds.
    FrozenListUnreadable(String),
    /// More actors than are told apart: new ones share one budget.
    TooManyActors,
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LogFailed(reason) => write!(f, "the audit log cannot be written: {reason}"),
            Self::BufferHalfFull => f.write_str("half of the room for audit events that wait is used"),
            Self::LogRecovered(lost) => write!(f, "the audit log is written again; {lost} events were lost"),
            Self::LogReplaced => f.write_str("the file or the rows of the audit log were deleted or replaced"),
            Self::ReserveUsed => f.write_str("the disk of the audit log is full, and its reserve is in use"),
            Self::CheckpointFailed(reason) => write!(f, "a checkpoint was not written beside the audit log: {reason}"),
            Self::CopyFailed { copy, reason } => write!(f, "the copy {copy} of the audit log failed: {reason}"),
            Self::CopyMissed { copy, lines } => write!(f, "the copy {copy} of the audit log missed {lines} lines"),
            Self::ClockJumped(by) => write!(f, "the wall clock jumped by {by} ms"),
            Self::BudgetHalfUsed(actor) => write!(f, "{actor} has used half of a budget's burst"),
            Self::OverBudget(actor) => write!(f, "{actor} was refused by a budget"),
            Self::UnusuallyMany(place) => write!(f, "unusually many patients were opened in {place}"),
            Self::GlassBroken(actor) => write!(f, "{actor} broke the glass"),
            Self::Frozen { actor, is_frozen: true } => write!(f, "{actor} was frozen"),
            Self::Frozen { actor, is_frozen: false } => write!(f, "{actor} was unfrozen"),
            Self::FrozenListUnreadable(reason) => write!(f, "the list of frozen actors cannot be read: {reason}"),
            Self::TooManyActors => f.write_str("more actors than are told apart: new ones share one budget"),
        }
    }
}
