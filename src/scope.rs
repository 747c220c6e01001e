//! Scopes: they say to which record the fields belong that are serialized or read on this thread.
//!
//! serde gives a field's adapter no context (its maintainers advise a thread-local for that, serde pull request 2005).
//! The thread-local exists only inside one synchronous call: there is no guard to hold across an `.await`, another
//! thread or a spawned task sees no scope, and without a scope every field fails closed. Whatever that call itself polls on
//! its thread is inside the scope, except a task that tokio knows to be another one.

mod frame;
mod opening;
mod plaintext;
mod sealing;
mod task;

pub(crate) use frame::{keep, refused_phi};
pub use opening::RecordOpening;
pub(crate) use opening::{in_part as open_part, open_field};
pub use plaintext::{ExposedPlaintext, accept_plaintext, expose_plaintext};
pub use sealing::RecordSealing;
pub(crate) use sealing::{claim_container, in_part as seal_part, seal_field};

use crate::error::{Error, ErrorKind, Reason};
use crate::payload;

use frame::{Kind, on_top, with_own};

const NO_OPEN: Reason = "seals, and a token cannot be opened in it";
const NO_SEAL: Reason = "opens, and a value cannot be sealed in it";
const EXPOSES: Reason = "exposes plaintext, and nothing is sealed, opened or read in it";
const ACCEPTS: Reason = "accepts plaintext, and nothing is sealed, opened or written in it";
const TOKEN_IN_PLAIN: Reason =
    "is for plaintext, and a `Sealed` field holds a token: open it first, or leave it out of this answer";

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

/// Refuses a token where a plaintext scope is active. A `Sealed` needs no scope at all.
pub(crate) fn refuses_tokens() -> Result<(), Error> {
    match on_top(|frame| frame.kind.is_plain()) {
        Some(true) => Err(ErrorKind::WrongDirection.because(TOKEN_IN_PLAIN)),
        Some(false) | None => Ok(()),
    }
}
