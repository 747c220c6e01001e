//! The runtime that calls over a network or to a device run in.

use std::panic::catch_unwind;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::error::{Error, ErrorKind};

/// `runtime-needed` where tokio's timers and sockets would panic.
///
/// Whether a runtime has timers, which `Builder::enable_time` gives it, tokio (1.54) tells in no other way than by a
/// panic when one is made. So that is caught here, once a call, instead of taking down the caller. What the panic hook
/// prints to it names the setting that is missing. A program that aborts at panics does so here too.
pub(crate) fn need_runtime() -> Result<(), Error> {
    Handle::try_current().map_err(|_| ErrorKind::RuntimeNeeded)?;
    catch_unwind(|| drop(sleep(Duration::ZERO))).map_err(|_| ErrorKind::RuntimeNeeded.into())
}
