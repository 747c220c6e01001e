//! Scopes: which record the fields being serialized or read on this thread belong to.
//!
//! serde gives a field's adapter no context (its maintainers advise a thread-local for that, serde pull request 2005).
//! The thread-local exists only inside one synchronous call: there is no guard to hold across an `.await`, another
//! thread or a spawned task sees no scope, and without a scope every field fails closed. What that call itself polls on
//! its thread is inside, but for a task that tokio knows to be another one.

mod opening;
mod plaintext;
mod sealing;
mod task;

use std::cell::RefCell;

use opening::OpenFrame;
pub use opening::RecordOpening;
pub(crate) use opening::{in_part as open_part, open_field};
pub use plaintext::{ExposedPlaintext, accept_plaintext, expose_plaintext};
pub use sealing::RecordSealing;
use sealing::SealFrame;
pub(crate) use sealing::{claim_container, in_part as seal_part, seal_field};
use task::Task;

use crate::error::{Error, ErrorKind, Reason};
use crate::payload;

thread_local! {
    static FRAMES: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
}

/// One active scope of this thread.
struct Frame {
    kind: Kind,
    /// The task that entered it. What another task does, which the work of this one polls, is not its work.
    task: Task,
    /// The first refusal, kept because formats and types may swallow it.
    refusal: Option<Error>,
    /// The first authentic value that was not of its type. Fails the scope only where serde failed too.
    mismatch: Option<Error>,
}

enum Kind {
    Seal(SealFrame),
    Open(OpenFrame),
    ExposePlaintext,
    AcceptPlaintext,
}

const NO_OPEN: Reason = "seals, and a token cannot be opened in it";
const NO_SEAL: Reason = "opens, and a value cannot be sealed in it";
const EXPOSES: Reason = "exposes plaintext, and nothing is sealed, opened or read in it";
const ACCEPTS: Reason = "accepts plaintext, and nothing is sealed, opened or written in it";

/// What a field is to do in the active scope.
pub(crate) enum Writing {
    Seal,
    Expose,
}

pub(crate) enum Reading {
    Open,
    Accept,
}

/// What writing a field means now.
pub(crate) fn writing() -> Result<Writing, Error> {
    let writing = with_own(|frame| match frame.kind {
        Kind::Seal(_) => Ok(Writing::Seal),
        Kind::ExposePlaintext => Ok(Writing::Expose),
        Kind::Open(_) => Err(wrong_direction(NO_SEAL)),
        Kind::AcceptPlaintext => Err(wrong_direction(ACCEPTS)),
    });
    if payload::is_writing() { writing_inside(writing) } else { writing }
}

/// The same while a value is being written: that may be exposed, and nothing else.
#[cold]
#[inline(never)]
fn writing_inside(writing: Result<Writing, Error>) -> Result<Writing, Error> {
    if matches!(writing, Ok(Writing::Expose)) {
        return writing;
    }
    payload::refuse_inside()?;
    writing
}

#[cold]
#[inline(never)]
fn wrong_direction(reason: Reason) -> Error {
    ErrorKind::WrongDirection.because(reason)
}

/// What reading a field means now.
pub(crate) fn reading() -> Result<Reading, Error> {
    with_own(|frame| match frame.kind {
        Kind::Open(_) => Ok(Reading::Open),
        Kind::AcceptPlaintext => Ok(Reading::Accept),
        Kind::Seal(_) => Err(wrong_direction(NO_OPEN)),
        Kind::ExposePlaintext => Err(wrong_direction(EXPOSES)),
    })
}

/// Whether a plaintext scope is active, where tokens are refused.
pub(crate) fn refuses_tokens() -> Result<(), Error> {
    match with_top(|frame| match frame.kind {
        Kind::Seal(_) | Kind::Open(_) => Ok(()),
        Kind::ExposePlaintext | Kind::AcceptPlaintext => Err(ErrorKind::WrongDirection.because(
            "is for plaintext, and a `Sealed` field holds a token: open it first, or leave it out of this answer",
        )),
    }) {
        // A `Sealed` needs no scope at all.
        Err(error) if matches!(error.kind(), ErrorKind::ScopeMissing) => Ok(()),
        other => other,
    }
}

/// Runs `work` on the active frame. `work` must not run any code of the user's: it would find the frames borrowed.
fn with_top<T>(work: impl FnOnce(&mut Frame) -> Result<T, Error>) -> Result<T, Error> {
    let found = FRAMES.try_with(|frames| {
        let mut frames = frames.try_borrow_mut().ok()?;
        frames.last_mut().map(work)
    });
    // A thread that is ending has no scope either.
    found.ok().flatten().unwrap_or_else(|| Err(ErrorKind::ScopeMissing.into()))
}

/// As `with_top`, where this task entered the scope.
fn with_own<T>(work: impl FnOnce(&mut Frame) -> Result<T, Error>) -> Result<T, Error> {
    with_top(|frame| {
        if frame.task != Task::current() {
            return Err(ErrorKind::ScopeOfAnotherTask.into());
        }
        work(frame)
    })
}

/// Keeps `error` for the end of the scope, and gives the constant text that serde may report.
pub(crate) fn keep<E>(error: Error, report: impl FnOnce(&str) -> E) -> E {
    let text = error.to_string();
    let _ = with_top(|frame| {
        let slot = if error.kind().is_sticky() { &mut frame.refusal } else { &mut frame.mismatch };
        slot.get_or_insert(error);
        Ok(())
    });
    report(&text)
}

/// Runs `work` with `kind` as the active scope, and gives what both came to.
fn enter<T>(kind: Kind, work: impl FnOnce() -> T) -> Result<(T, Left), Error> {
    check_nesting(kind.stands_alone())?;
    let task = Task::current();
    FRAMES
        .try_with(|frames| {
            let mut frames = frames.try_borrow_mut().map_err(|_| ErrorKind::ScopeMissing)?;
            frames.push(Frame { kind, task, refusal: None, mismatch: None });
            Ok(())
        })
        .unwrap_or_else(|_| Err(Error::from(ErrorKind::ScopeMissing)))?;
    let popped = Popped;
    let value = work();
    let left = popped.pop();
    Ok((value, left))
}

impl Kind {
    fn is_plain(&self) -> bool {
        matches!(self, Self::ExposePlaintext | Self::AcceptPlaintext)
    }

    /// Whether it nests in no other. What is being written into a sealed value may be exposed there: nobody but its reader sees it.
    fn stands_alone(&self) -> bool {
        match self {
            Self::ExposePlaintext => !payload::is_writing(),
            Self::AcceptPlaintext => true,
            Self::Seal(_) | Self::Open(_) => false,
        }
    }
}

/// Whether a scope may begin here: nothing nests in one for plaintext.
fn check_nesting(alone: bool) -> Result<(), Error> {
    let nested = FRAMES.try_with(|frames| {
        let frames = frames.try_borrow().map_err(|_| ErrorKind::ScopeMissing)?;
        Ok(frames.last().is_some_and(|top| alone || top.kind.is_plain()))
    });
    match nested.unwrap_or(Err(ErrorKind::ScopeMissing)) {
        Ok(false) => Ok(()),
        Ok(true) => Err(ErrorKind::PlaintextNested.into()),
        Err(kind) => Err(kind.into()),
    }
}

/// What a scope that ended leaves behind.
struct Left {
    kind: Option<Kind>,
    reads: bool,
    refusal: Option<Error>,
    mismatch: Option<Error>,
}

/// Takes the frame off when the scope ends, also by a panic.
struct Popped;

impl Popped {
    fn pop(self) -> Left {
        let frame = FRAMES.try_with(|frames| frames.try_borrow_mut().ok()?.pop()).ok().flatten();
        #[expect(clippy::disallowed_methods, reason = "it holds nothing: it is only the duty to pop")]
        std::mem::forget(self);
        match frame {
            Some(Frame { kind, refusal, mismatch, .. }) => {
                let reads = matches!(kind, Kind::Open(_) | Kind::AcceptPlaintext);
                Left { kind: Some(kind), reads, refusal, mismatch }
            }
            None => Left { kind: None, reads: false, refusal: Some(ErrorKind::ScopeMissing.into()), mismatch: None },
        }
    }
}

impl Drop for Popped {
    fn drop(&mut self) {
        // Taken out first and dropped after: dropping an opening tells the observer, which may come here.
        let frame = FRAMES.try_with(|frames| frames.try_borrow_mut().ok()?.pop());
        drop(frame);
    }
}

impl Left {
    /// The scope's result: a refusal comes first, then what the work itself failed with.
    fn settle<T, E>(self, result: Result<T, E>) -> Result<T, Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let Self { reads, refusal, mismatch, .. } = self;
        match (refusal, result) {
            (None, result) => result.map_err(|error| mismatch.unwrap_or_else(|| from_work(error, reads))),
            // Where the format says where it stopped, that is more than that it gave no token.
            (Some(refusal), Err(error)) if matches!(refusal.kind(), ErrorKind::Unreadable) => {
                Err(Some(from_work(error, reads)).filter(Error::is_invalid_input).unwrap_or(refusal))
            }
            (Some(refusal), _) => Err(refusal),
        }
    }

    /// As `settle`, where the format's own error type has to carry it.
    fn settle_as_text<T, E>(self, result: Result<T, E>, report: impl FnOnce(String) -> E) -> Result<T, E> {
        match self.refusal {
            Some(refusal) => Err(report(refusal.to_string())),
            None => result,
        }
    }
}

/// An error of the work inside a scope, which may read. One of ours stays what it is.
fn from_work<E: std::error::Error + Send + Sync + 'static>(error: E, reads: bool) -> Error {
    let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
    match boxed.downcast::<Error>() {
        Ok(own) => *own,
        Err(other) => match invalid_input(&*other).filter(|_| reads) {
            Some(error) => error,
            None => Error::from(ErrorKind::WorkFailed).caused_by(other),
        },
    }
}

/// What is wrong with the input, if that is known to be what `error` says. Its text may quote, and is dropped.
fn invalid_input(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    let Some(error) = error.downcast_ref::<serde_json::Error>() else {
        return error.is::<serde::de::value::Error>().then(|| ErrorKind::InvalidInput.because(NO_LINE));
    };
    if error.is_io() {
        return None;
    }
    // Work on another thread finds no scope to leave the error in: there it is text alone.
    if error.is_data() && error.to_string().starts_with(&ErrorKind::ScopeMissing.to_string()) {
        return Some(ErrorKind::ScopeMissing.into());
    }
    Some(match error.line() {
        0 => ErrorKind::InvalidInput.because(NO_LINE),
        line => Error::from(ErrorKind::InvalidInput).at_place(line, error.column()),
    })
}

/// Of what is read from a value in memory, or by a format that counts none, such as that of a browser's forms.
const NO_LINE: Reason = "in which line is not known";
