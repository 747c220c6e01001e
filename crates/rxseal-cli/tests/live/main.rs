//! The command `rxseal` against real servers. Run by .ci/servers.
#![allow(clippy::unwrap_used)]

mod command;
mod keys;
mod page;
mod runbooks;
mod servers;
mod softhsm;
mod vault;
