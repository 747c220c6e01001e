//! The name of an actor, as a budget or the frozen list has it.

use rxseal::{Access, Purpose};

use crate::error::WatchError;

/// Takes the names that an access takes.
pub(crate) fn checked_actor(name: &str) -> Result<&str, WatchError> {
    Access::new(name, Purpose::TREAT)
        .map(|_| name)
        .map_err(|error| WatchError::settings("this is not the name of an actor").caused_by(error))
}
