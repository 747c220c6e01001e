//! The scopes of a thread: a stack of frames, and what the topmost of them leaves when it ends.

use std::cell::RefCell;
use std::sync::Arc;

use super::task::Task;
use crate::error::{Error, ErrorKind, Reason};
use crate::payload;
use crate::record::{Audit, RecordCore, SealState};

thread_local! {
    static FRAMES: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
}

/// One active scope of this thread.
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// The task that entered it. What another task does, which the work of this one polls, is not its work.
    task: Task,
    /// The first refusal, kept because formats and types may swallow it.
    refusal: Option<Error>,
    /// The first authentic value that was not of its type. Fails the scope only where serde failed too.
    mismatch: Option<Error>,
}

pub(super) enum Kind {
    Seal(SealFrame),
    Open(OpenFrame),
    ExposePlaintext,
    AcceptPlaintext,
}

/// The record that fields are sealed for, and its pass.
pub(super) struct SealFrame {
    pub(super) core: Arc<RecordCore>,
    pub(super) state: SealState,
}

/// The opening under way. A part's frame has none of its own: what it opens belongs to the frame around it.
pub(super) struct OpenFrame {
    pub(super) audit: Audit,
    /// The contexts of the parts being read, innermost last.
    pub(super) parts: Vec<Arc<RecordCore>>,
}

/// Runs `work` on the active frame, if there is one. `work` must not run any code of the user's: it would find the frames
/// borrowed.
pub(super) fn on_top<T>(work: impl FnOnce(&mut Frame) -> T) -> Option<T> {
    with_frames(|frames| frames.last_mut().map(work))
}

/// As `on_top`; without a scope every field fails closed.
pub(super) fn with_top<T>(work: impl FnOnce(&mut Frame) -> Result<T, Error>) -> Result<T, Error> {
    on_top(work).unwrap_or_else(|| Err(ErrorKind::ScopeMissing.into()))
}

/// Runs `work` on the first frame from the top that `find` finds something in.
pub(super) fn find_frame<T, U>(
    find: impl FnMut(&mut Frame) -> Option<&mut U>,
    work: impl FnOnce(&mut U) -> T,
) -> Option<T> {
    with_frames(|frames| frames.iter_mut().rev().find_map(find).map(work))
}

/// A thread that is ending has no scope either.
fn with_frames<T>(work: impl FnOnce(&mut Vec<Frame>) -> Option<T>) -> Option<T> {
    FRAMES.try_with(|frames| work(&mut *frames.try_borrow_mut().ok()?)).ok().flatten()
}

/// As `with_top`, if this task entered the scope.
pub(super) fn with_own<T>(work: impl FnOnce(&mut Frame) -> Result<T, Error>) -> Result<T, Error> {
    with_top(|frame| {
        if frame.task != Task::current() {
            return Err(ErrorKind::ScopeOfAnotherTask.into());
        }
        work(frame)
    })
}

/// Keeps `error` for the end of the scope, and gives the constant text that serde may report.
pub(crate) fn keep<E>(error: Error, report: impl FnOnce(&str) -> E) -> E {
    report(&kept(error))
}

/// Keeps `error`, and gives its text.
#[cold]
#[inline(never)]
fn kept(error: Error) -> String {
    let text = error.to_string();
    on_top(|frame| {
        let first = if error.kind().is_sticky() { &mut frame.refusal } else { &mut frame.mismatch };
        first.get_or_insert(error);
    });
    text
}

/// Says that what could not be written just now is a `Phi`. If it was inside a value that is sealed, the scope keeps that as its refusal.
#[cold]
pub(crate) fn refused_phi() {
    if payload::refused_phi() {
        on_top(|frame| frame.refusal = frame.refusal.take().map(Error::of_phi));
    }
}

/// Runs `work` with `kind` as the active scope, and gives what both came to.
pub(super) fn enter<T>(kind: Kind, work: impl FnOnce() -> T) -> Result<(T, Left), Error> {
    check_nesting(kind.stands_alone())?;
    enter_checked(kind, work)
}

/// As `enter`, after `check_nesting`.
pub(super) fn enter_checked<T>(kind: Kind, work: impl FnOnce() -> T) -> Result<(T, Left), Error> {
    let task = Task::current();
    let pushed = with_frames(|frames| {
        frames.push(Frame { kind, task, refusal: None, mismatch: None });
        Some(())
    });
    pushed.ok_or(ErrorKind::ScopeMissing)?;
    let popped = Popped;
    let value = work();
    let left = popped.pop();
    Ok((value, left))
}

impl Kind {
    pub(super) fn is_plain(&self) -> bool {
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
pub(super) fn check_nesting(alone: bool) -> Result<(), Error> {
    match with_frames(|frames| Some(frames.last().is_some_and(|top| alone || top.kind.is_plain()))) {
        Some(false) => Ok(()),
        Some(true) => Err(ErrorKind::PlaintextNested.into()),
        None => Err(ErrorKind::ScopeMissing.into()),
    }
}

/// What a scope that ended leaves behind.
pub(super) struct Left {
    pub(super) kind: Option<Kind>,
    reads: bool,
    pub(super) refusal: Option<Error>,
    pub(super) mismatch: Option<Error>,
}

/// Takes the frame off when the scope ends, also by a panic.
struct Popped;

impl Popped {
    fn pop(self) -> Left {
        let frame = with_frames(Vec::pop);
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
        let frame = with_frames(Vec::pop);
        drop(frame);
    }
}

impl Left {
    /// The scope's result: a refusal comes first, then what the work itself failed with.
    pub(super) fn settle<T, E>(self, result: Result<T, E>) -> Result<T, Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let Self { reads, refusal, mismatch, .. } = self;
        match (refusal, result) {
            (None, result) => result.map_err(|error| mismatch.unwrap_or_else(|| from_work(error, reads))),
            // A format that says where it stopped tells more than that it gave no token.
            (Some(refusal), Err(error)) if matches!(refusal.kind(), ErrorKind::Unreadable) => {
                Err(Some(from_work(error, reads)).filter(Error::is_invalid_input).unwrap_or(refusal))
            }
            (Some(refusal), _) => Err(refusal),
        }
    }

    /// As `settle`, for a result that the format's own error type has to carry.
    pub(super) fn settle_as_text<T, E>(self, result: Result<T, E>, report: impl FnOnce(String) -> E) -> Result<T, E> {
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
