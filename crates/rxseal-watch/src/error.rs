//! The one error of this crate. As the cause of an [`rxseal::Error`] it says why an opening was refused.

use std::error::Error as StdError;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Why an opening was refused, or why a log could not be begun, written or read. It never has a value or an id of a patient in it.
///
/// An opening that is refused fails with an [`rxseal::Error`] of the code `refused-by-observer`, whose source is this one:
///
/// ```
/// use rxseal_watch::WatchError;
/// # fn answer(error: rxseal::Error) -> u16 {
/// match WatchError::of(&error) {
///     Some(refused) if refused.is_over_budget() => 429,        // with `refused.retry_after()`
///     Some(refused) if refused.is_audit_unavailable() => 503,
///     _ => 500,
/// }
/// # }
/// # assert_eq!(answer("x".parse::<rxseal::Token>().unwrap_err()), 500);
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct WatchError {
    kind: Kind,
    retry_after: Option<Duration>,
    #[source]
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Kind {
    #[error(
        "this actor has opened as many patients as its budget allows; try again later, or break the glass for one patient"
    )]
    OverBudget,
    #[error("this page has more patients than the budget ever allows at once; ask for smaller pages")]
    PageOverBurst,
    #[error("this actor is frozen; a person has to unfreeze it")]
    Frozen,
    #[error("the access breaks the glass for one patient, and the records are of another; make an access for each")]
    GlassOfOther,
    #[error("this actor has broken the glass as often as its budget allows; try again later")]
    GlassUsedUp,
    #[error("the audit log cannot be written, so nothing is opened; look at its disk or its server")]
    AuditUnavailable,
    #[error("the watch was stopped, so nothing is opened")]
    Stopped,
    #[error("this process was forked from the one that started the watch; start one after the fork")]
    Forked,
    #[error("{0}")]
    Settings(&'static str),
    #[error("{0}")]
    Key(&'static str),
    #[error("these digests are not as they were signed, so somebody changed them")]
    Sums,
    #[error("the audit log could not be begun or written")]
    Log,
    #[error("the audit log could not be read")]
    Read,
    #[error("the operating system gave no random bytes")]
    Random,
}

impl WatchError {
    /// The reason for which `error` refused an opening, if this crate gave it.
    #[must_use]
    pub fn of(error: &rxseal::Error) -> Option<&Self> {
        error.source().and_then(<dyn StdError>::downcast_ref)
    }

    /// A stable code, such as `over-budget`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            Kind::OverBudget => "over-budget",
            Kind::PageOverBurst => "page-over-burst",
            Kind::Frozen => "frozen",
            Kind::GlassOfOther => "glass-of-other",
            Kind::GlassUsedUp => "glass-used-up",
            Kind::AuditUnavailable => "audit-unavailable",
            Kind::Stopped => "stopped",
            Kind::Forked => "forked",
            Kind::Settings(_) => "invalid-settings",
            Kind::Key(_) => "invalid-key",
            Kind::Sums => "tampered",
            Kind::Log => "log-failed",
            Kind::Read => "not-read",
            Kind::Random => "random-failed",
        }
    }

    /// Whether a budget refused: the actor's own, that of breaking the glass, or a page that is larger than any budget allows at once.
    #[must_use]
    pub fn is_over_budget(&self) -> bool {
        matches!(self.kind, Kind::OverBudget | Kind::PageOverBurst | Kind::GlassUsedUp)
    }

    /// Whether the event could not be kept. Nothing was handed out. It passes when the log can be written again.
    #[must_use]
    pub fn is_audit_unavailable(&self) -> bool {
        matches!(self.kind, Kind::AuditUnavailable | Kind::Stopped | Kind::Forked)
    }

    /// After which time the same opening is allowed, if nothing else is opened until then.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) fn after(kind: Kind, wait: Duration) -> Self {
        Self { kind, retry_after: Some(wait), cause: None }
    }

    pub(crate) fn settings(rule: &'static str) -> Self {
        Kind::Settings(rule).into()
    }

    /// The file system said no to `what` at `path`.
    pub(crate) fn file(kind: Kind, path: &Path, error: &io::Error) -> Self {
        Self::from(kind).caused_by(format!("{}: {error}", path.display()))
    }

    pub(crate) fn caused_by(self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }
}

impl From<Kind> for WatchError {
    fn from(kind: Kind) -> Self {
        Self { kind, retry_after: None, cause: None }
    }
}

impl From<WatchError> for rxseal::Error {
    fn from(error: WatchError) -> Self {
        Self::refused(error)
    }
}
