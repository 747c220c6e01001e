//! Knows whether a value is being written into a payload on this thread. Nothing may be sealed then: its token would be
//! inside another one (FORMAT 7.6).
//!
//! A thread-local, since serde passes no context to a value's `Serialize`.

use std::cell::Cell;

use crate::error::{Error, ErrorKind};

thread_local! {
    static WRITING: Cell<Writing> = const { Cell::new(Writing::Nothing) };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Nothing,
    Value,
    /// A value inside which something was to be sealed. This is kept, because formats and types may swallow the
    /// refusal.
    Refused,
    /// The same of a `Phi`.
    RefusedPhi,
}

/// Refuses to seal, or to write a token, while a value is being written.
pub(crate) fn refuse_inside() -> Result<(), Error> {
    if !is_writing() {
        return Ok(());
    }
    WRITING.set(Writing::Refused);
    Err(ErrorKind::TokenInside.into())
}

/// Says that what could not be written just now is a `Phi`, which has a way of its own to be sealed. Whether it was refused for being
/// inside a value.
#[cold]
pub(crate) fn refused_phi() -> bool {
    let refused = WRITING.get() == Writing::Refused;
    if refused {
        WRITING.set(Writing::RefusedPhi);
    }
    refused
}

/// Whether a value is being written.
pub(crate) fn is_writing() -> bool {
    WRITING.get() != Writing::Nothing
}

/// Runs `write`, which writes a value.
pub(super) fn value<T>(write: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    WRITING.set(Writing::Value);
    let done = Done;
    let written = write();
    let state = WRITING.get();
    drop(done);
    match state {
        Writing::Refused => Err(ErrorKind::TokenInside.into()),
        Writing::RefusedPhi => Err(ErrorKind::PhiInside.into()),
        Writing::Nothing | Writing::Value => written,
    }
}

/// Also runs if the value's `Serialize` panics and somebody catches that.
struct Done;

impl Drop for Done {
    fn drop(&mut self) {
        WRITING.set(Writing::Nothing);
    }
}
